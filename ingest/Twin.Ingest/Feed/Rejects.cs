using System.Text;
using System.Text.Json;

namespace Twin.Ingest.Feed;

/// <summary>
/// What could not be taken: counted always, and written as one JSON object a line:
/// <c>{"file","line","column","field","reason","text"}</c>. Column counts characters from 1.
/// </summary>
public sealed class Rejects(Stream? output) : IDisposable
{
    /// <summary>Lines written; beyond it rejects are only counted, and the last line says so.</summary>
    public const long MaxWritten = 1_000_000;

    /// <summary>Characters of the offending text that are kept.</summary>
    public const int MaxText = 120;

    private readonly Utf8JsonWriter? _json = output is null ? null : new Utf8JsonWriter(output, new JsonWriterOptions
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
    private long _written;

    /// <summary>Rows of which nothing was taken.</summary>
    public long Rows { get; private set; }

    /// <summary>Single cells; the rest of their row was taken.</summary>
    public long Cells { get; private set; }

    /// <summary>The first few, for a person to read.</summary>
    public IReadOnlyList<string> First => _first;
    private readonly List<string> _first = [];
    private const int MaxFirst = 5;

    public void Row(string file, long line, int column, string field, string reason, ReadOnlySpan<byte> text)
    {
        Rows++;
        Write(file, line, column, field, reason, text);
    }

    public void Cell(string file, long line, int column, string field, string reason, ReadOnlySpan<byte> text)
    {
        Cells++;
        Write(file, line, column, field, reason, text);
    }

    private void Write(string file, long line, int column, string field, string reason, ReadOnlySpan<byte> bytes)
    {
        var text = Shown(bytes);
        if (_first.Count < MaxFirst) _first.Add($"{file}:{line}:{column} {field}: {reason} ({text})");
        if (_json is null || _written > MaxWritten) return;
        if (_written++ == MaxWritten)
            (file, reason, text) = ("", $"more than {MaxWritten} rejects: the rest is only counted", "");
        _json.WriteStartObject();
        _json.WriteString("file", file);
        _json.WriteNumber("line", line);
        _json.WriteNumber("column", column);
        _json.WriteString("field", field);
        _json.WriteString("reason", reason);
        _json.WriteString("text", text);
        _json.WriteEndObject();
        _json.Flush();
        output!.WriteByte((byte)'\n');
        _json.Reset();
    }

    private static string Shown(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, MaxText * 3)]);
        return text.Length <= MaxText ? text : text[..MaxText] + "…";
    }

    /// <summary>Character column (from 1) of a byte in a line.</summary>
    public static int ColumnOf(ReadOnlySpan<byte> line, int offset)
    {
        var column = 1;
        foreach (var b in line[..offset])
            if ((b & 0xC0) != 0x80) column++;
        return column;
    }

    public void Dispose()
    {
        _json?.Dispose();
        output?.Dispose();
    }
}
