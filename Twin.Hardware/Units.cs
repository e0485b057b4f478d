using System.Globalization;

namespace Twin.Hardware;

/// <summary>Energy, in whole watt-hours. Arithmetic is checked: a wrapped energy register is a billing bug.</summary>
public readonly record struct WattHours(long Value) : IComparable<WattHours>
{
    public static WattHours operator +(WattHours a, WattHours b) => new(checked(a.Value + b.Value));
    public static WattHours operator -(WattHours a, WattHours b) => new(checked(a.Value - b.Value));
    public int CompareTo(WattHours other) => Value.CompareTo(other.Value);
    public double KilowattHours => Value / 1000.0;
    public override string ToString() => KilowattHours.ToString("0.###", CultureInfo.InvariantCulture) + " kWh";
}

/// <summary>
/// What an interval value measures; the number is stored. OBIS group C names the quantity (1 import, 2 export, 32
/// voltage L1); media other than electricity have a group A of their own (6 heat, 7 gas, 8 water).
/// </summary>
public enum Channel : byte
{
    /// <summary>1.8.0, Wh.</summary>
    Import = 1,
    /// <summary>2.8.0, Wh.</summary>
    Export = 2,
    /// <summary>32.7.0, tenths of a volt, mean of the interval.</summary>
    Voltage = 3,
    /// <summary>6-0:1, Wh.</summary>
    Heat = 4,
    /// <summary>7-0:3, litres.</summary>
    Gas = 5,
    /// <summary>8-0:1, litres.</summary>
    Water = 6,
}

/// <summary>Quality of a reading; a higher number outranks a lower one when values for one interval disagree.</summary>
public enum Quality : byte { Missing = 0, Suspect = 1, Estimated = 2, Edited = 3, Actual = 4 }

/// <summary>A point of event time: whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted.</summary>
public readonly record struct UnixTime(long Seconds) : IComparable<UnixTime>
{
    /// <summary>Bounds of what a calendar can show: the years 1 to 9999.</summary>
    public const long MinSeconds = -62_135_596_800;
    public const long MaxSeconds = 253_402_300_799;

    public long Minutes => Math.DivRem(Seconds, 60, out var r) - (r < 0 ? 1 : 0);
    public static UnixTime FromMinutes(long minutes) => new(minutes * 60);
    public int CompareTo(UnixTime other) => Seconds.CompareTo(other.Seconds);

    /// <summary>RFC 3339 in UTC.</summary>
    public override string ToString() =>
        DateTimeOffset.FromUnixTimeSeconds(Seconds)
            .UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Reads RFC 3339 with an offset or Z, or a bare date (midnight UTC).</summary>
    public static bool TryParse(string text, out UnixTime time)
    {
        const DateTimeStyles styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        var ok = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, styles, out var t);
        time = ok ? new UnixTime(t.ToUnixTimeSeconds()) : default;
        return ok;
    }
}

/// <summary>The role of a meter on its feeder.</summary>
public enum MeterRole : byte { Customer = 0, Observer = 1 }

/// <summary>
/// How much a customer depends on supply. Unknown counts as critical wherever harm is weighed (DESIGN, Policy).
/// </summary>
public enum CustomerCategory : byte { Unknown = 0, Ordinary = 1, Critical = 2, Medical = 3 }

/// <summary>The ladder of responses, mildest first; the number is stored (DESIGN, Policy).</summary>
public enum ResponseRung : byte
{
    Log = 0, RaiseSampling = 1, Reattest = 2, Notify = 3, RotateKeys = 4, BlockWrites = 5,
    IsolateCommunications = 6, LimitLoad = 7, Disconnect = 8, Reconnect = 9,
}
