using Twin.Hardware.Attestation;

namespace Twin.Detection.Specification;

/// <summary>
/// Invariant I9: boots are power failures + watchdog resets + activations + commanded resets. A full log only counts,
/// and a cut at the wrong byte may lose a count, so a few are tolerated.
/// </summary>
public static class BootCheck
{
    /// <summary>Boots that may be without a cause for ever, and more with each year: ours.</summary>
    public const int Tolerance = 2;

    /// <summary>Boots beyond the causes, less those there were at the baseline and those that lost entries explain.
    /// </summary>
    public static long Unexplained(in CakCounters now, long atBaseline, ushort unrecorded, long years)
    {
        var excess = Excess(now) - atBaseline;
        var allowed = Tolerance + unrecorded + Math.Max(0, years);
        return Math.Abs(excess) > allowed ? excess : 0;
    }

    public static long Excess(in CakCounters c) => (long)c.Boots - c.Explained;

    /// <summary>True when a counter that only rises is lower than before.</summary>
    public static bool RanBack(in CakCounters before, in CakCounters now) => now.Boots < before.Boots
        || now.PowerFailures < before.PowerFailures || now.Watchdogs < before.Watchdogs
        || now.Activations < before.Activations || now.Commanded < before.Commanded || now.Crashes < before.Crashes;
}
