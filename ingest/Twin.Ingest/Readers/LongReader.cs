using Twin.Ingest.Profiles;
using Twin.Ingest.Text;

namespace Twin.Ingest.Readers;

/// <summary>Long CSV: a row a reading (or one for each of several value columns).</summary>
internal static class LongReader
{
    public static void Read(RowContext context, Profile profile, string[] header, int? intervalMinutes, ByteLines lines)
    {
        var rows = new RowProcessor(context, profile, intervalMinutes, c => IndexOf(context.File, header, c),
            c => Array.IndexOf(header, c));
        var csv = new CsvLine((byte)profile.Delimiter);
        while (lines.Next(out var line))
        {
            if (line.Trim(" \t"u8).IsEmpty) continue;
            context.CountRow(4);
            if (!csv.Split(line, out var text))
                context.Rejects.Row(context.File, lines.LineNumber, 1, "", "a quote has no end on this line", line);
            else if (csv.Fields.Length != header.Length)
            {
                var reason = $"the row has {csv.Fields.Length} columns, the header {header.Length}";
                context.Rejects.Row(context.File, lines.LineNumber, 1, "", reason, line);
            }
            else rows.Row(lines.LineNumber, text, csv.Fields);
        }
        rows.Finish();
    }

    /// <exception cref="FormatError">The header has no such column.</exception>
    public static int IndexOf(string file, string[] header, string column)
    {
        var i = Array.IndexOf(header, column);
        return i >= 0 ? i : throw new FormatError(file, $"has no column '{column}'; it has {Shown(header)}.",
            "Correct the profile, or give another with --profile.");
    }

    public static string Shown(string[] header) =>
        string.Join(", ", header.Take(12).Select(static h => $"'{h}'"))
            + (header.Length > 12 ? $" and {header.Length - 12} more" : "");

    /// <summary>Joins fields by blanks in a buffer: date and hour.</summary>
    public static ReadOnlySpan<byte> Join(ReadOnlySpan<byte> text, ReadOnlySpan<Range> fields, int[] columns,
        byte[] buffer)
    {
        if (columns.Length == 1) return text[fields[columns[0]]];
        var n = 0;
        foreach (var c in columns)
        {
            var part = text[fields[c]];
            if (n + part.Length + 1 > buffer.Length) return default;
            if (n > 0) buffer[n++] = (byte)' ';
            part.CopyTo(buffer.AsSpan(n));
            n += part.Length;
        }
        return buffer.AsSpan(0, n);
    }
}
