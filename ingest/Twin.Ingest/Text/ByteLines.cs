using System.Text;

namespace Twin.Ingest.Text;

/// <summary>
/// Lines of a stream as spans over one buffer: nothing is allocated per line. Ends with LF or CRLF; a UTF-8 byte order
/// mark at the beginning of a line is skipped: joined files have them in the middle. When the stream breaks (a
/// truncated gzip), the complete lines before are kept and <see cref="Damage"/> says why.
/// </summary>
public sealed class ByteLines(string file, Stream stream, int bufferBytes = ByteLines.DefaultBufferBytes) : IDisposable
{
    public const int DefaultBufferBytes = 1 << 18;

    /// <summary>Longest line: a wide row of five million meters. A longer one is no text file:
    /// <see cref="FormatError"/>.</summary>
    public const int MaxLineBytes = 64 * 1024 * 1024;

    private byte[] _buffer = new byte[bufferBytes];
    private int _from;
    private int _to;
    private bool _ended;

    public string File { get; } = file;

    /// <summary>Number of the line last returned, from 1.</summary>
    public long LineNumber { get; private set; }

    /// <summary>Why the stream broke before its end; null when it did not.</summary>
    public string? Damage { get; private set; }

    /// <summary>The next line without its end; valid until the next call.</summary>
    public bool Next(out ReadOnlySpan<byte> line)
    {
        var searched = 0;
        while (true)
        {
            var at = _buffer.AsSpan(_from + searched, _to - _from - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                line = Cut(searched + at, 1);
                return true;
            }
            searched = _to - _from;
            if (!_ended)
            {
                Fill();
                continue;
            }
            // A half line of a broken stream is not a row: its last number may be cut short.
            if (searched == 0 || Damage is not null)
            {
                line = default;
                return false;
            }
            line = Cut(searched, 0);
            return true;
        }
    }

    private ReadOnlySpan<byte> Cut(int length, int end)
    {
        var line = _buffer.AsSpan(_from, length);
        _from += length + end;
        LineNumber++;
        if (line.Length > 0 && line[^1] == '\r') line = line[..^1];
        if (line.StartsWith(Encoding.UTF8.Preamble)) line = line[3..];
        if (LineNumber == 1) Inspect(line);
        return line;
    }

    private void Inspect(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith(Encoding.Unicode.Preamble) || line.StartsWith(Encoding.BigEndianUnicode.Preamble))
            throw new FormatError(File, "is UTF-16 text.", "Save it as UTF-8.");
        if (line.Contains((byte)0)) throw new FormatError(File, "is a binary file.",
            "Give CSV, JSON or NDJSON, plain or gzip.");
    }

    private void Fill()
    {
        if (_from > 0)
        {
            _buffer.AsSpan(_from, _to - _from).CopyTo(_buffer);
            (_from, _to) = (0, _to - _from);
        }
        if (_to == _buffer.Length)
        {
            if (_buffer.Length >= MaxLineBytes)
                throw new FormatError(File, $"line {LineNumber + 1} is longer than {MaxLineBytes} bytes.",
                    "Is it a text file?");
            Array.Resize(ref _buffer, Math.Min(MaxLineBytes, _buffer.Length * 2));
        }
        var read = 0;
        try
        {
            read = stream.Read(_buffer, _to, _buffer.Length - _to);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            Damage = $"the file breaks off after line {LineNumber}: {e.Message}";
        }
        _to += read;
        _ended = read == 0;
    }

    public void Dispose() => stream.Dispose();
}
