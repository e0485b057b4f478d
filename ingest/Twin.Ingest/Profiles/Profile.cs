using Twin.Hardware;

namespace Twin.Ingest.Profiles;

/// <summary>Shape of a file of readings.</summary>
public enum FileShape : byte { CsvLong, CsvWide, Json }

/// <summary>Units that a value may be written in; each is a power of ten of the stored unit (Wh, litre, 0.1
/// V).</summary>
public enum ValueUnit : byte { Wh, KWh, MWh, Litre, CubicMetre, Volt }

/// <summary>Where the meter's id comes from.</summary>
public enum IdSource : byte { Column, File, Constant, Header }

/// <summary>
/// The rule for ids. <paramref name="Text"/> is the column name, the constant, or a prefix put before the file's stem
/// or the column's header.
/// </summary>
public sealed record IdRule(IdSource Source, string Text);

/// <summary>A column of values. In a wide file the one entry with column <c>*</c> speaks for every meter's
/// column.</summary>
public sealed record ValueColumn(string Column, Channel Channel, ValueUnit Unit, bool IsCumulative);

/// <summary>What differs for one column of a wide file, or for one file (by its stem); null means as the profile
/// says.</summary>
public sealed record Override(string? Id, Channel? Channel, ValueUnit? Unit);

/// <summary>A cumulative register beside the interval values; it becomes one register snapshot a local day.</summary>
public sealed record RegisterColumn(string Column, Channel Channel, ValueUnit Unit);

/// <summary>A column of quality flags and what each means.</summary>
public sealed record QualityColumn(string Column, IReadOnlyDictionary<string, Quality> Map);

/// <summary>
/// What has to be known to read one kind of file: a JSON document under <c>ingest/profiles</c>, one given with
/// <c>--profile</c>, or the result of a sniff.
/// </summary>
public sealed record Profile
{
    public required string Name { get; init; }

    /// <summary>Why the profile says what it says.</summary>
    public string Comment { get; init; } = "";
    public required FileShape Shape { get; init; }
    public char Delimiter { get; init; } = ',';

    /// <summary>
    /// Column names by which a header is recognised: a plain name must be there, <c>name?</c> may, <c>name*</c> stands
    /// for one or more that begin so; any other column means no match. Empty: never recognised.
    /// </summary>
    public IReadOnlyList<string> Match { get; init; } = [];
    public required IdRule Id { get; init; }

    /// <summary>One column, or several that are joined by a blank (date and hour).</summary>
    public required IReadOnlyList<string> TimeColumns { get; init; }

    /// <summary>Patterns of <see cref="Text.TimePattern"/>; a file may mix them, the first that fits is
    /// taken.</summary>
    public IReadOnlyList<string> TimeFormats { get; init; } = [Text.TimePattern.Iso];

    /// <summary>Zone of the stamps and of the meter's local day: IANA name or offset. Null: not declared.</summary>
    public string? Zone { get; init; }

    /// <summary>True when a stamp marks the end of its interval.</summary>
    public bool StampsEnd { get; init; }

    /// <summary>1 to 1440, a divisor of 1440; null: taken from the rows, or from
    /// <see cref="IntervalColumn"/>.</summary>
    public int? IntervalMinutes { get; init; }
    public string? IntervalColumn { get; init; }
    public required IReadOnlyList<ValueColumn> Values { get; init; }
    public IReadOnlyDictionary<string, Override> Columns { get; init; } = new Dictionary<string, Override>();
    public IReadOnlyList<string> Ignore { get; init; } = [];
    public RegisterColumn? Register { get; init; }
    public QualityColumn? Quality { get; init; }

    /// <summary>Texts that mean "no reading", without regard to case; the empty cell always does.</summary>
    public IReadOnlyList<string> NullTokens { get; init; } = DefaultNullTokens;
    public static IReadOnlyList<string> DefaultNullTokens { get; } = ["null", "na", "n/a", "-"];

    /// <summary>What differs by file, keyed by its stem (name without extensions).</summary>
    public IReadOnlyDictionary<string, Override> Files { get; init; } = new Dictionary<string, Override>();
}

/// <summary>Names and scales of channels and units as profiles write them.</summary>
public static class ProfileNames
{
    /// <summary>Power of ten from the unit to the stored one.</summary>
    public static int Scale(ValueUnit unit) => unit switch
    {
        ValueUnit.Wh or ValueUnit.Litre => 0,
        ValueUnit.Volt => 1,
        ValueUnit.KWh or ValueUnit.CubicMetre => 3,
        _ => 6,
    };

    public static bool TryUnit(string text, out ValueUnit unit)
    {
        (var known, unit) = text.ToLowerInvariant() switch
        {
            "wh" => (true, ValueUnit.Wh),
            "kwh" => (true, ValueUnit.KWh),
            "mwh" => (true, ValueUnit.MWh),
            "litre" or "l" => (true, ValueUnit.Litre),
            "m3" => (true, ValueUnit.CubicMetre),
            "v" => (true, ValueUnit.Volt),
            _ => (false, ValueUnit.Wh),
        };
        return known;
    }

    public static string Of(ValueUnit unit) => unit switch
    {
        ValueUnit.Wh => "Wh",
        ValueUnit.KWh => "kWh",
        ValueUnit.MWh => "MWh",
        ValueUnit.Litre => "litre",
        ValueUnit.CubicMetre => "m3",
        _ => "V",
    };

    public static string Of(Channel channel) => channel.ToString().ToLowerInvariant();

    public static bool TryChannel(string text, out Channel channel) =>
        Enum.TryParse(text, ignoreCase: true, out channel) && Enum.IsDefined(channel) && !char.IsAsciiDigit(text[0]);

    public static bool TryQuality(string text, out Quality quality) =>
        Enum.TryParse(text, ignoreCase: true, out quality) && Enum.IsDefined(quality) && !char.IsAsciiDigit(text[0]);

    /// <summary>True when the unit can measure the channel.</summary>
    public static bool Fits(ValueUnit unit, Channel channel) => channel switch
    {
        Channel.Voltage => unit == ValueUnit.Volt,
        Channel.Gas or Channel.Water => unit is ValueUnit.Litre or ValueUnit.CubicMetre,
        _ => unit is ValueUnit.Wh or ValueUnit.KWh or ValueUnit.MWh,
    };

    public static string Of(FileShape shape) => shape switch
    {
        FileShape.CsvLong => "csv-long",
        FileShape.CsvWide => "csv-wide",
        _ => "json",
    };
}
