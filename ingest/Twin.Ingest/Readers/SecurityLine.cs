using System.Text.Json;
using Twin.Ingest.Records;

namespace Twin.Ingest.Readers;

/// <summary>
/// An observation line with a property <c>kind</c>: what a keyless head-end reports of frames, quotes, sessions,
/// commands and concentrators, in the columns of the security records. Kinds that change whom the fleet trusts are
/// refused here.
/// </summary>
internal static class SecurityLine
{
    private static readonly SecurityImport NoImport = new(null, null);

    /// <summary>True when the line is an object with <c>kind</c> among its own properties.</summary>
    public static bool Is(ReadOnlySpan<byte> line)
    {
        // The hot path of readings: most lines do not even hold the word.
        if (line.IndexOf("\"kind\""u8) < 0) return false;
        var reader = new Utf8JsonReader(line);
        try
        {
            while (reader.Read())
                if (reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName
                    && reader.ValueTextEquals("kind"u8)) return true;
        }
        catch (JsonException)
        {
            // Whoever parses the line says where it breaks.
        }
        return false;
    }

    public static ObservationError? Parse(ReadOnlySpan<byte> line, ObservationSink sink)
    {
        try
        {
            var row = new Row(0, [], RecordFile.Json(line, SecurityRecords.Columns));
            var record = SecurityRecords.Read(row, NoImport, live: true);
            if (record.Meter.Length > 0 && sink.Check(record.Meter) is { } name)
                return new ObservationError(ColumnOf(line, "meter"), "meter", name);
            if (sink.Check(record.At) is { } time) return new ObservationError(ColumnOf(line, "at"), "at", time);
            sink.OffsetMinutes = 0;
            sink.Other(record.Meter, record.Input, record.At);
            return null;
        }
        catch (RowFault e)
        {
            return new ObservationError(ColumnOf(line, e.Column), e.Column, e.Message);
        }
    }

    private static int ColumnOf(ReadOnlySpan<byte> line, string property)
    {
        var at = property.Length == 0 ? -1 : line.IndexOf(System.Text.Encoding.UTF8.GetBytes($"\"{property}\""));
        return Math.Max(0, at) + 1;
    }
}
