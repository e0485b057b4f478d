namespace Twin.Detection;

/// <summary>What a feeder knows of a day on which one of its meters has context on record.</summary>
/// <param name="Context">Context that is on record for the feeder itself.</param>
/// <param name="HadSupply">True when an observer read the day through and never zero.</param>
public readonly record struct FeederRecord(ContextFlags Context, bool HadSupply)
{
    /// <summary>Kinds that, on record for a feeder, hold for all its meters.</summary>
    public const ContextFlags ForMembers = ContextFlags.Outage | ContextFlags.TariffChange | ContextFlags.PlannedWork;
}

/// <summary>
/// Who can write a record can excuse a theft with it. A record of one meter that its readings, its feeder or the work
/// orders contradict is named, and does not lower a score or a confidence.
/// </summary>
public static class ContextTrust
{
    /// <param name="own">Context on record for the meter.</param>
    /// <param name="feeder">What the feeder knows; default when there is none.</param>
    /// <param name="day">The day as read.</param>
    /// <param name="lacksOrder">True where work orders of the meter are known and none covers the day.</param>
    public static ContextFlags Doubted(ContextFlags own, in FeederRecord feeder, in DayFeatures day, bool lacksOrder)
    {
        var alone = own & ~feeder.Context;
        var doubted = ContextFlags.None;
        if (ReadThrough(day) || feeder.HadSupply) doubted |= alone & ContextFlags.Outage;
        if (lacksOrder) doubted |= alone & ContextFlags.PlannedWork;
        return doubted;
    }

    /// <summary>A day of which every interval was read, and none zero, had no outage worth the name.</summary>
    public static bool ReadThrough(in DayFeatures day) => day.Has(DayMarks.Complete) && day.ZeroShare <= 0;
}
