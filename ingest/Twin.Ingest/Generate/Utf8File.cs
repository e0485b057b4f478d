using System.Buffers.Text;
using System.IO.Compression;
using System.Text;

namespace Twin.Ingest.Generate;

/// <summary>
/// Text of one file, written under a temporary name and renamed by <see cref="Complete"/>; a file that was not
/// completed is removed. The buffer is flushed at <see cref="Capacity"/>; one call appends at most
/// <see cref="Longest"/> bytes.
/// </summary>
internal sealed class Utf8File : IDisposable
{
    private const int Capacity = 64 * 1024;
    private const int Longest = 4096;
    private readonly byte[] _buffer = new byte[Capacity];
    private readonly string _path;
    private readonly Stream _stream;
    private int _length;
    private bool _isComplete;

    public Utf8File(string path)
    {
        _path = path;
        var file = new FileStream(path + ".partial", FileMode.Create, FileAccess.Write, FileShare.None, 1);
        _stream = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Fastest)
            : file;
    }

    public void Text(string text)
    {
        if (text.Length > Longest / 3)
            throw new ArgumentException($"A piece of text has {text.Length} characters; {Longest / 3} are allowed.");
        Reserve();
        _length += Encoding.UTF8.GetBytes(text, _buffer.AsSpan(_length));
    }

    public void Ascii(ReadOnlySpan<byte> text)
    {
        Reserve();
        text.CopyTo(_buffer.AsSpan(_length));
        _length += text.Length;
    }

    public void Number(int value)
    {
        Reserve();
        Utf8Formatter.TryFormat(value, _buffer.AsSpan(_length), out var n);
        _length += n;
    }

    /// <summary>Wh as kWh with three decimals.</summary>
    public void Thousandths(int value)
    {
        Number(value / 1000);
        Reserve();
        var rest = value % 1000;
        _buffer[_length++] = (byte)'.';
        _buffer[_length++] = (byte)('0' + rest / 100);
        _buffer[_length++] = (byte)('0' + rest / 10 % 10);
        _buffer[_length++] = (byte)('0' + rest % 10);
    }

    private void Reserve()
    {
        if (Capacity - _length >= Longest) return;
        _stream.Write(_buffer, 0, _length);
        _length = 0;
    }

    /// <summary>Writes what is left and gives the file its name; returns its size in bytes.</summary>
    public long Complete()
    {
        _stream.Write(_buffer, 0, _length);
        _stream.Dispose();
        File.Move(_path + ".partial", _path, overwrite: true);
        _isComplete = true;
        return new FileInfo(_path).Length;
    }

    public void Dispose()
    {
        _stream.Dispose();
        if (!_isComplete) File.Delete(_path + ".partial");
    }
}
