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

    private readonly string _folder;
    private int _last;

    /// <summary>Takes the folder, empty. The caller holds the directory's lock.</summary>
    public Scratch(string dataDirectory)
    {
        _folder = Path.Combine(dataDirectory, Name);
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A path in it that nobody has.</summary>
    public string New(string ending)
    {
        if (!Directory.Exists(_folder)) DataDirectory.CreatePrivate(_folder);
        return Path.Combine(_folder, $"{Interlocked.Increment(ref _last)}{ending}");
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
