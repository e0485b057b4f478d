using System.Text;
using System.Text.Json;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Ingest.Profiles;
using Twin.Ingest.Text;

namespace Twin.Ingest.Readers;

/// <summary>Why a line is no observation. Column counts bytes from 1; property is empty where none is to
/// blame.</summary>
public sealed record ObservationError(int Column, string Property, string Reason)
{
    public override string ToString() => Property.Length > 0 ? $"'{Property}': {Reason}" : Reason;
}

/// <summary>
/// One observation a line, as <c>POST /api/v1/observations</c> and <c>*.ndjson</c> files carry it:
/// readings <c>{"meter","start","interval_minutes","import_wh"|"export_wh"|"voltage_v","quality","stamp"}</c> or, as a
/// block, <c>"channel"</c> and <c>"values":[…]</c> instead of the single value;
/// events <c>{"meter","at","profile","code","detail"}</c>; registers <c>{"meter","at","channel","register_wh"}</c>.
/// and with a property <c>kind</c> what a head-end reports of security (<see cref="SecurityLine"/>).
/// Times are RFC 3339; values are whole Wh, litres, or volts to one decimal; null in <c>values</c> is a gap.
/// </summary>
public static class NdjsonObservations
{
    public const int MaxTextLength = 4096;

    private struct Fields
    {
        public string? Meter, Profile, Code, Detail, Channel;
        public Stamp Start, At, StampTime;
        public bool HasStart, HasAt, HasStamp;
        public int? Interval, Import, Export, Voltage;
        public long? Register;
        public int[]? Values;
        public int Count, Scale;
        public Quality Quality;
        public int Rounded;
    }

    /// <summary>Parses a line into the sink; null, or why it is refused (then the sink got nothing).</summary>
    public static ObservationError? Parse(ReadOnlySpan<byte> line, ObservationSink sink)
    {
        if (SecurityLine.Is(line)) return SecurityLine.Parse(line, sink);
        var fields = new Fields { Quality = Quality.Actual };
        try
        {
            var reader = new Utf8JsonReader(line);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return new ObservationError(1, "", "the line is no JSON object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var column = (int)reader.TokenStartIndex + 1;
                var name = reader.GetString()!;
                reader.Read();
                if (Field(ref reader, name, ref fields) is { } reason)
                    return new ObservationError(column, name, reason);
            }
            if (reader.Read())
                return new ObservationError((int)reader.TokenStartIndex + 1, "", "the line holds more than one object");
        }
        catch (JsonException e)
        {
            var reason = "the line is no JSON: " + e.Message.Split('.')[0];
            return new ObservationError((int)(e.BytePositionInLine ?? 0) + 1, "", reason);
        }
        catch (InvalidOperationException e)
        {
            return new ObservationError(1, "", "a text is no UTF-8: " + e.Message);
        }
        return Emit(ref fields, sink);
    }

    private static string? Field(ref Utf8JsonReader reader, string name, ref Fields f) => name switch
    {
        "meter" => Text(ref reader, ref f.Meter),
        "profile" => Text(ref reader, ref f.Profile),
        "code" => Text(ref reader, ref f.Code),
        "detail" => Text(ref reader, ref f.Detail),
        "channel" => Text(ref reader, ref f.Channel),
        "start" => Time(ref reader, ref f.Start, ref f.HasStart),
        "at" => Time(ref reader, ref f.At, ref f.HasAt),
        "stamp" => Time(ref reader, ref f.StampTime, ref f.HasStamp),
        "interval_minutes" => Number(ref reader, 0, ref f.Interval, ref f.Rounded),
        "import_wh" => Number(ref reader, 0, ref f.Import, ref f.Rounded),
        "export_wh" => Number(ref reader, 0, ref f.Export, ref f.Rounded),
        "voltage_v" => Number(ref reader, 1, ref f.Voltage, ref f.Rounded),
        "register_wh" => Long(ref reader, ref f),
        "values" => Array(ref reader, ref f),
        "quality" => QualityOf(ref reader, ref f),
        _ => "is not known. Known: meter, start, interval_minutes, import_wh, export_wh, voltage_v, channel, values, "
            + "quality, stamp, at, profile, code, detail, register_wh",
    };

    private static string? Text(ref Utf8JsonReader reader, ref string? value)
    {
        if (reader.TokenType == JsonTokenType.Number)
        {
            value = Encoding.UTF8.GetString(reader.ValueSpan);
            return null;
        }
        if (reader.TokenType != JsonTokenType.String) return "is no text";
        if (reader.ValueSpan.Length > MaxTextLength) return $"is longer than {MaxTextLength} bytes";
        value = reader.GetString();
        return null;
    }

    private static string? Time(ref Utf8JsonReader reader, ref Stamp value, ref bool has)
    {
        if (reader.TokenType != JsonTokenType.String || !Rfc3339.TryParse(reader.ValueSpan, out value)
            || !value.HasOffset)
            return "is no RFC 3339 time with Z or an offset, such as 2026-01-31T00:30:00+01:00";
        has = true;
        return null;
    }

    private static readonly TimePattern Rfc3339 = TimePattern.Compile(TimePattern.Iso);

    private static string? Number(ref Utf8JsonReader reader, int scale, ref int? value, ref int rounded)
    {
        if (reader.TokenType == JsonTokenType.Null) return null;
        if (reader.TokenType != JsonTokenType.Number) return "is no number";
        var status = Decimals.Parse(reader.ValueSpan, scale, out var v);
        if (status > NumberStatus.Rounded) return ValueFaults.Explain(status);
        if (status == NumberStatus.Rounded) rounded++;
        value = v;
        return null;
    }

    private static string? Long(ref Utf8JsonReader reader, ref Fields f)
    {
        if (reader.TokenType != JsonTokenType.Number) return "is no number";
        var status = Decimals.ParseLong(reader.ValueSpan, 0, out var v);
        if (status > NumberStatus.Rounded) return ValueFaults.Explain(status);
        if (status == NumberStatus.Rounded) f.Rounded++;
        f.Register = v;
        return null;
    }

    private static string? Array(ref Utf8JsonReader reader, ref Fields f)
    {
        if (reader.TokenType != JsonTokenType.StartArray) return "is no list of numbers";
        f.Values = new int[64];
        f.Count = 0;
        f.Scale = f.Channel is "voltage" or "Voltage" ? 1 : 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (f.Count == ValueCodec.MaxValues)
                return $"holds more than {ValueCodec.MaxValues} values; send several blocks";
            int? value = null;
            if (Number(ref reader, f.Scale, ref value, ref f.Rounded) is { } reason)
                return $"value {f.Count + 1}: {reason}";
            if (f.Count == f.Values.Length) System.Array.Resize(ref f.Values, f.Count * 2);
            f.Values[f.Count++] = value ?? ReadingBlock.Missing;
        }
        return f.Count == 0 ? "is empty" : null;
    }

    private static string? QualityOf(ref Utf8JsonReader reader, ref Fields f)
    {
        string? text = null;
        var known = Text(ref reader, ref text) is null && ProfileNames.TryQuality(text!, out f.Quality)
            && f.Quality != Quality.Missing;
        return known ? null : "is none of actual, edited, estimated, suspect";
    }

    private static ObservationError? Emit(ref Fields f, ObservationSink sink)
    {
        static ObservationError Bad(string property, string reason) => new(1, property, reason);
        if (f.Meter is null) return Bad("meter", "is missing");
        var channel = Channel.Import;
        if (f.Channel is not null && !ProfileNames.TryChannel(f.Channel, out channel))
            return Bad("channel", "is none of import, export, voltage, heat, gas, water");
        var error = f.HasStart ? CheckReadings(f, channel) : !f.HasAt
            ? Bad("start", "is missing (or 'at', for an event or a register)")
            : f.Register is null && f.Code is null ? Bad("code", "is missing (or 'register_wh')") : null;
        if (error is not null) return error;
        if (sink.Check(f.Meter) is { } name) return Bad("meter", name);
        if (sink.Check(End(f)) is { } time) return Bad(f.HasStart ? "start" : "at", time);
        for (var i = 0; i < f.Rounded; i++) sink.CountRounded();
        if (f.HasStart) EmitReadings(f, channel, sink);
        else
        {
            sink.OffsetMinutes = f.At.OffsetMinutes;
            var at = f.At.ToUnixTime();
            if (f.Register is { } register) sink.Register(f.Meter, channel, at, register);
            else sink.Event(f.Meter, at, f.Profile ?? "", f.Code!, f.Detail ?? "");
        }
        return null;
    }

    private static UnixTime End(in Fields f) => !f.HasStart ? f.At.ToUnixTime()
        : UnixTime.FromMinutes(f.Start.WallMinute - f.Start.OffsetMinutes
            + Math.Max(1, f.Values is null ? 0 : f.Count) * (long)f.Interval!.Value);

    private static ObservationError? CheckReadings(in Fields f, Channel channel)
    {
        if (f.Interval is not { } interval) return new ObservationError(1, "interval_minutes", "is missing");
        if (interval is < 1 or > 1440 || 1440 % interval != 0)
            return new ObservationError(1, "interval_minutes", "is no number of minutes that divides a day");
        if (f.Start.HasSeconds || f.Start.WallMinute % interval != 0)
            return new ObservationError(1, "start", $"is off the grid of {interval} minutes");
        if (f.Values is null && f.Import is null && f.Export is null && f.Voltage is null)
            return new ObservationError(1, "values", "is missing (or import_wh, export_wh, voltage_v)");
        if (f.Values is not null && channel == Channel.Voltage && f.Scale == 0)
            return new ObservationError(1, "channel", "must stand before 'values'");
        if (f.Values is not null && !f.Values.AsSpan(0, f.Count).ContainsAnyExcept(ReadingBlock.Missing))
            return new ObservationError(1, "values", "hold no reading");
        return null;
    }

    private static void EmitReadings(in Fields f, Channel channel, ObservationSink sink)
    {
        sink.OffsetMinutes = f.Start.OffsetMinutes;
        var (interval, start) = (f.Interval!.Value, f.Start.WallMinute - f.Start.OffsetMinutes);
        var stamp = f.HasStamp ? f.StampTime.ToUnixTime().Seconds : 0;
        if (f.Values is not null) Block(f, channel, f.Values.AsSpan(0, f.Count), interval, start, stamp, sink);
        if (f.Import is { } i) Block(f, Channel.Import, [i], interval, start, stamp, sink);
        if (f.Export is { } e) Block(f, Channel.Export, [e], interval, start, stamp, sink);
        if (f.Voltage is { } v) Block(f, Channel.Voltage, [v], interval, start, stamp, sink);
    }

    private static void Block(in Fields f, Channel channel, ReadOnlySpan<int> slots, int interval, long start,
        long stamp, ObservationSink sink)
    {
        if (f.Quality == Quality.Actual)
        {
            sink.Readings(f.Meter!, channel, interval, start, slots, default, stamp);
            return;
        }
        var qualities = new Quality[slots.Length];
        qualities.AsSpan().Fill(f.Quality);
        sink.Readings(f.Meter!, channel, interval, start, slots, qualities, stamp);
    }
}
