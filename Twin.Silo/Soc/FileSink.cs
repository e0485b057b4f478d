using System.Globalization;
using System.Text;

namespace Twin.Silo.Soc;

/// <summary>
/// One event a line, synced before the cursor moves. A file that has reached its size is renamed to <c>.1</c>, that
/// one to <c>.2</c> and so on; the oldest goes. A line that a crash tore is cut off at the next start; its event comes
/// again.
/// </summary>
internal sealed class FileSink(string path, SocFormat format, long maxBytes, int keep) : ISocSink
{
    private FileStream? _file;

    public Task Deliver(IReadOnlyList<SocEvent> events, CancellationToken cancel)
    {
        try
        {
            foreach (var e in events)
            {
                cancel.ThrowIfCancellationRequested();
                var text = SocFormats.Of(e, format).Replace('\n', ' ').Replace('\r', ' ');
                var line = Encoding.UTF8.GetBytes(text + "\n");
                _file ??= Open();
                if (_file.Length > 0 && _file.Length + line.Length > maxBytes) Rotate();
                _file!.Write(line);
            }
            _file?.Flush(flushToDisk: true);
            return Task.CompletedTask;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What was written in part is mended when the file is opened again.
            _file?.Dispose();
            _file = null;
            throw new SinkException($"file {path}: {e.Message}", e);
        }
    }

    private FileStream Open()
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        file.SetLength(EndOfLastLine(file));
        file.Seek(0, SeekOrigin.End);
        return file;
    }

    private static long EndOfLastLine(FileStream file)
    {
        for (var end = file.Length; end > 0; end--)
        {
            file.Position = end - 1;
            if (file.ReadByte() == '\n') return end;
        }
        return 0;
    }

    private void Rotate()
    {
        _file!.Flush(flushToDisk: true);
        _file.Dispose();
        _file = null;
        string Name(int n) => n == 0 ? path : path + "." + n.ToString(CultureInfo.InvariantCulture);
        if (File.Exists(Name(keep))) File.Delete(Name(keep));
        for (var n = keep - 1; n >= 0; n--)
            if (File.Exists(Name(n))) File.Move(Name(n), Name(n + 1));
        _file = Open();
    }

    public async ValueTask DisposeAsync()
    {
        if (_file is not null) await _file.DisposeAsync();
    }
}
