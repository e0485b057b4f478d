using System.Text;

namespace Twin.Ingest.Readers;

/// <summary>
/// Splits a CSV line. Without quotes, fields are ranges of the line; with quotes (RFC 4180) the line is rewritten into
/// a buffer first. A quoted field may hold the delimiter, not a line end.
/// </summary>
internal sealed class CsvLine(byte delimiter)
{
    private byte[] _plain = [];
    private Range[] _fields = new Range[16];

    public ReadOnlySpan<Range> Fields => _fields.AsSpan(0, _count);
    private int _count;

    /// <summary>Splits; returns the bytes that <see cref="Fields"/> index. False when a quote has no end.</summary>
    public bool Split(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> text)
    {
        _count = 0;
        text = line;
        if (line.Contains((byte)'"')) return SplitQuoted(line, out text);
        var from = 0;
        while (true)
        {
            var at = line[from..].IndexOf(delimiter);
            var to = at < 0 ? line.Length : from + at;
            Put(line, from, to);
            if (at < 0) return true;
            from = to + 1;
        }
    }

    private bool SplitQuoted(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> text)
    {
        if (_plain.Length < line.Length) _plain = new byte[line.Length * 2];
        var n = 0;
        var from = 0;
        var quoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            var b = line[i];
            if (b == '"')
            {
                if (quoted && i + 1 < line.Length && line[i + 1] == '"') _plain[n++] = line[i++];
                else quoted = !quoted;
            }
            else if (b == delimiter && !quoted)
            {
                Put(_plain, from, n);
                from = n;
            }
            else _plain[n++] = b;
        }
        Put(_plain, from, n);
        text = _plain.AsSpan(0, n);
        return !quoted;
    }

    private void Put(ReadOnlySpan<byte> text, int from, int to)
    {
        while (from < to && text[from] is (byte)' ' or (byte)'\t') from++;
        while (from < to && text[to - 1] is (byte)' ' or (byte)'\t') to--;
        if (_count == _fields.Length) Array.Resize(ref _fields, _count * 2);
        _fields[_count++] = from..to;
    }

    /// <summary>The fields of a header line as texts.</summary>
    public static string[] Header(ReadOnlySpan<byte> line, char delimiter)
    {
        var csv = new CsvLine((byte)delimiter);
        csv.Split(line, out var text);
        var names = new string[csv._count];
        for (var i = 0; i < names.Length; i++) names[i] = Encoding.UTF8.GetString(text[csv._fields[i]]);
        return names;
    }
}
