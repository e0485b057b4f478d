using System.Text;
using System.Text.Json;
using Twin.Ingest.Feed;
using Twin.Ingest.Profiles;
using Twin.Ingest.Readers;
using Twin.Ingest.Text;

namespace Twin.Ingest.Records;

/// <summary>One record of a fleet, registry, event or context file: texts by column name, empty where not
/// given.</summary>
internal sealed class Row(long line, byte[] text, Dictionary<string, string> fields)
{
    public long Line { get; } = line;
    public byte[] Text { get; } = text;
    public string this[string name] => fields.GetValueOrDefault(name, "");
    public bool Has(string name) => this[name].Length > 0;

    /// <summary>Columns that the record has, empty or not.</summary>
    public IEnumerable<string> Columns => fields.Keys;
}

/// <summary>A field of a record that makes no sense: the record becomes a reject.</summary>
internal sealed class RowFault(string column, string reason) : Exception(reason)
{
    public string Column { get; } = column;
}

/// <summary>CSV with a header line, or NDJSON (one object a line), plain or gzip, with a known set of
/// columns.</summary>
internal static class RecordFile
{
    /// <param name="showsText">False where rows hold secrets: then rejects do not show them.</param>
    /// <exception cref="FormatError">No such file, no header, or a column that is missing or not known.</exception>
    public static void Read(string path, Rejects rejects, string[] needed, string[] known, string[] inHeader,
        Action<Row> take, bool showsText = true)
    {
        if (!File.Exists(path)) throw new FormatError(path, "does not exist.",
            "Give the name of a CSV or NDJSON file.");
        using var lines = new ByteLines(path, new SourceFile(path).Open());
        string[]? header = null;
        var json = false;
        var csv = new CsvLine((byte)',');
        while (lines.Next(out var line))
        {
            if (line.Trim(" \t"u8).IsEmpty) continue;
            if (header is null && !json)
            {
                json = line.TrimStart(" \t"u8).StartsWith("{"u8);
                if (!json)
                {
                    var delimiter = ColumnGuess.DelimiterOf(line);
                    csv = new CsvLine((byte)delimiter);
                    header = Header(path, line, delimiter, inHeader, known);
                    continue;
                }
            }
            One(path, rejects, lines.LineNumber, line, needed, known, header, csv, take, showsText);
        }
        if (header is null && !json) throw new FormatError(path, "is empty.",
            $"It needs the columns {string.Join(", ", inHeader)}.");
        if (lines.Damage is { } damage) throw new FormatError(path, damage, "Fetch it again.");
    }

    private static string[] Header(string path, ReadOnlySpan<byte> line, char delimiter, string[] inHeader,
        string[] known)
    {
        var header = CsvLine.Header(line, delimiter);
        var missing = inHeader.Except(header).ToArray();
        if (missing.Length > 0)
            throw new FormatError(path, $"has no column '{missing[0]}'; it has {LongReader.Shown(header)}.",
                $"It needs {string.Join(", ", inHeader)}.");
        var unknown = header.Except(known).ToArray();
        if (unknown.Length > 0)
            throw new FormatError(path, $"has a column '{unknown[0]}' that is not known.",
                $"Known: {string.Join(", ", known)}.");
        return header;
    }

    private static void One(string path, Rejects rejects, long number, ReadOnlySpan<byte> line, string[] needed,
        string[] known,
        string[]? header, CsvLine csv, Action<Row> take, bool showsText)
    {
        try
        {
            var fields = header is null ? Json(line, known) : Csv(line, header, csv);
            foreach (var r in needed.Where(r => !fields.ContainsKey(r) || fields[r].Length == 0))
                throw new RowFault(r, "is missing");
            take(new Row(number, line.ToArray(), fields));
        }
        catch (RowFault e)
        {
            rejects.Row(path, number, ColumnOf(line, header, csv, e.Column), e.Column, e.Message,
                showsText ? line : default);
        }
    }

    private static int ColumnOf(ReadOnlySpan<byte> line, string[]? header, CsvLine csv, string column)
    {
        var i = header is null ? -1 : Array.IndexOf(header, column);
        return i < 0 || i >= csv.Fields.Length || line.Contains((byte)'"') ? 1
            : Rejects.ColumnOf(line, csv.Fields[i].Start.Value);
    }

    private static Dictionary<string, string> Csv(ReadOnlySpan<byte> line, string[] header, CsvLine csv)
    {
        if (!csv.Split(line, out var text)) throw new RowFault("", "a quote has no end on this line");
        if (csv.Fields.Length != header.Length) throw new RowFault("",
            $"the row has {csv.Fields.Length} columns, the header {header.Length}");
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < header.Length; i++) fields[header[i]] = Encoding.UTF8.GetString(text[csv.Fields[i]]);
        return fields;
    }

    /// <summary>The one column whose value may be a list: it is kept as JSON text, as a CSV cell has it.</summary>
    private const string ListColumn = "routes";

    /// <exception cref="RowFault">No JSON object, or a property that is not known or no text.</exception>
    internal static Dictionary<string, string> Json(ReadOnlySpan<byte> line, string[] known)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(line.ToArray());
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new RowFault("",
                "the line is no JSON object");
            foreach (var p in document.RootElement.EnumerateObject())
            {
                if (!known.Contains(p.Name)) throw new RowFault(p.Name, "is not known");
                fields[p.Name] = p.Value.ValueKind switch
                {
                    JsonValueKind.String => p.Value.GetString()!,
                    JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => p.Value.GetRawText(),
                    JsonValueKind.Array when p.Name == ListColumn => p.Value.GetRawText(),
                    JsonValueKind.Null => "",
                    _ => throw new RowFault(p.Name, "is no text"),
                };
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new RowFault("", "the line is no JSON: " + e.Message);
        }
        return fields;
    }
}
