using System.IO.Pipelines;

namespace Twin.Api;

/// <summary>
/// A body in a file, for readers that look at it more than once: in the folder of the service's own where it has one,
/// else in one of the system's that only this user may enter. Removed when it is disposed of.
/// </summary>
internal sealed class Spool : IDisposable
{
    /// <summary>How errors call it.</summary>
    public const string Name = "body";

    private readonly DirectoryInfo? _own;

    private Spool(string path, DirectoryInfo? own) => (Path, _own) = (path, own);

    public string Path { get; }

    /// <param name="options">Where files go.</param>
    /// <param name="ending">Ending of its name, by which readers know what it is.</param>
    /// <param name="body">Unpacked.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="ApiProblem">413: it is too large; 400: no gzip.</exception>
    public static async Task<Spool> Of(ApiOptions options, string ending, PipeReader body, CancellationToken cancel)
    {
        var own = options.NewUpload is null ? Directory.CreateTempSubdirectory("metertwin-body-") : null;
        var spool = new Spool(options.NewUpload?.Invoke(ending)
            ?? System.IO.Path.Combine(own!.FullName, Name + ending), own);
        try
        {
            await using var to = new FileStream(spool.Path, FileMode.CreateNew, FileAccess.Write);
            await Copy(body, to, options.Limits.MaxDecodedBytes, cancel);
            return spool;
        }
        catch
        {
            spool.Dispose();
            throw;
        }
    }

    private static async Task Copy(PipeReader from, Stream to, long most, CancellationToken cancel)
    {
        for (var total = 0L; ;)
        {
            ReadResult read;
            try
            {
                read = await from.ReadAsync(cancel);
            }
            catch (InvalidDataException)
            {
                throw new ApiProblem(400, "bad_gzip", "The body is not gzip, or is damaged or cut off.",
                    "Nothing of it was stored; compress it again and send it.");
            }
            total += read.Buffer.Length;
            if (total > most)
                throw new ApiProblem(413, "body_too_large", $"The body has more than {most} bytes.",
                    "Nothing of it was stored. Send it in several requests.");
            foreach (var part in read.Buffer) await to.WriteAsync(part, cancel);
            from.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return;
        }
    }

    /// <summary>A message of a reader without the path, which is nobody's business.</summary>
    public string Said(string message) => message.Replace(Path, Name, StringComparison.Ordinal);

    public void Dispose()
    {
        File.Delete(Path);
        _own?.Delete(recursive: true);
    }
}
