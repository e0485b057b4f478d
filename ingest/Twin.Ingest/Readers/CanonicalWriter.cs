using System.Globalization;
using Twin.Hardware;

namespace Twin.Ingest.Readers;

/// <summary>One row of the canonical long form; null where a channel has no reading.</summary>
public readonly record struct CanonicalRow(string Meter, long StartMinute, int IntervalMinutes, int? ImportWh,
    int? ExportWh,
    int? VoltageTenths, Quality Quality);

/// <summary>
/// Writes <c>meter,start,interval_minutes,import_wh[,export_wh][,voltage_v][,quality]</c> with <c>start</c> in RFC
/// 3339, UTC unless an offset is given. <see cref="Feed.FeedReader"/> reads it back to the same readings.
/// </summary>
public sealed class CanonicalWriter
{
    private readonly TextWriter _to;
    private readonly bool _export;
    private readonly bool _voltage;
    private readonly bool _quality;

    /// <summary>Writes the header.</summary>
    public CanonicalWriter(TextWriter to, bool export, bool voltage, bool quality)
    {
        (_to, _export, _voltage, _quality) = (to, export, voltage, quality);
        _to.Write("meter,start,interval_minutes,import_wh");
        if (export) _to.Write(",export_wh");
        if (voltage) _to.Write(",voltage_v");
        if (quality) _to.Write(",quality");
        _to.Write('\n');
    }

    /// <param name="offsetMinutes">Offset from UTC in which <c>start</c> is shown; the reader takes it for the meter's
    /// zone.</param>
    public void Write(in CanonicalRow row, int offsetMinutes)
    {
        Span<char> text = stackalloc char[32];
        WriteText(row.Meter);
        _to.Write(',');
        var local = DateTimeOffset.FromUnixTimeSeconds((row.StartMinute + offsetMinutes) * 60);
        local.TryFormat(text, out var n, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
        _to.Write(text[..n]);
        _to.Write(offsetMinutes == 0 ? "Z" : RowClock.OffsetName(offsetMinutes));
        _to.Write(',');
        WriteNumber(row.IntervalMinutes, text);
        _to.Write(',');
        WriteNumber(row.ImportWh, text);
        if (_export)
        {
            _to.Write(',');
            WriteNumber(row.ExportWh, text);
        }
        if (_voltage)
        {
            _to.Write(',');
            if (row.VoltageTenths is { } v)
            {
                if (v < 0) _to.Write('-');
                WriteNumber(Math.Abs(v / 10), text);
                _to.Write('.');
                WriteNumber(Math.Abs(v % 10), text);
            }
        }
        if (_quality)
        {
            _to.Write(',');
            _to.Write(row.Quality.ToString().ToLowerInvariant());
        }
        _to.Write('\n');
    }

    private void WriteNumber(int? value, Span<char> text)
    {
        if (value is not { } v) return;
        v.TryFormat(text, out var n, default, CultureInfo.InvariantCulture);
        _to.Write(text[..n]);
    }

    private void WriteText(string text)
    {
        if (text.AsSpan().IndexOfAny(',', '"') < 0) _to.Write(text);
        else _to.Write($"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
    }
}
