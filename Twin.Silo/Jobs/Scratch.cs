using Twin.Silo.Storage;

namespace Twin.Silo.Jobs;

/// <summary>
/// The folder of a data directory in which jobs work: copies, recordings that were sent, fleets of a replay. Whatever
/// is in it is of no use once its job has ended; what a process that was killed left behind goes at the next start.
/// </summary>
internal sealed class Scratch
{
    /// <summary>Name of the folder in a data directory.</summary>
    public const string Name = "scratch";

    private int _last;

    public string Folder { get; }

    /// <summary>Takes the folder, empty. The caller holds the directory's lock.</summary>
    public Scratch(string dataDirectory)
    {
        Folder = Path.Combine(dataDirectory, Name);
        if (Directory.Exists(Folder)) Directory.Delete(Folder, recursive: true);
    }

    /// <summary>A path in it that nobody has.</summary>
    public string New(string ending)
    {
        if (!Directory.Exists(Folder)) DataDirectory.CreatePrivate(Folder);
        return Path.Combine(Folder, $"{Interlocked.Increment(ref _last)}{ending}");
    }

    /// <summary>Does work in a folder of its own, which is gone afterwards.</summary>
    public async Task<T> Within<T>(Func<string, Task<T>> work)
    {
        var folder = New("");
        try
        {
            return await work(folder);
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }
}
