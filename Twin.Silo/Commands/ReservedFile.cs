using System.Text;

namespace Twin.Silo.Commands;

/// <summary>
/// A file that long work will fill: what cannot be written is told before the work. What was there stays until then,
/// and nothing empty is left when the work is stopped.
/// </summary>
internal sealed class ReservedFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _stream;
    private readonly bool _isNew;
    private bool _filled;

    /// <exception cref="ArgumentException">It cannot be written; names option, path and remedy.</exception>
    public ReservedFile(string option, string path)
    {
        (_path, _isNew) = (path, !File.Exists(path));
        try
        {
            _stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ArgumentException($"{option} {path} cannot be written: {e.Message} Give a file in a directory "
                + "that exists and that you may write to.", e);
        }
    }

    /// <summary>UTF-8, lines end with LF.</summary>
    public void Fill(Action<TextWriter> write)
    {
        _stream.SetLength(0);
        using (var writer = new StreamWriter(_stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true))
        {
            writer.NewLine = "\n";
            write(writer);
        }
        _filled = true;
    }

    public void Dispose()
    {
        _stream.Dispose();
        if (_isNew && !_filled) File.Delete(_path);
    }
}
