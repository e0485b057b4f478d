using Twin.Hardware;

namespace Twin.Detection;

/// <summary>
/// One local day of one meter's energy channel as it folds: native intervals, gaps as
/// <see cref="ReadingBlock.Missing"/>.
/// </summary>
public readonly ref struct DayReadings(LocalDay day, int intervalMinutes, ReadOnlySpan<int> slots,
    ReadOnlySpan<Quality> qualities)
{
    public readonly LocalDay Day = day;
    public readonly int IntervalMinutes = intervalMinutes;

    /// <summary>Length: day minutes / interval minutes. Wh.</summary>
    public readonly ReadOnlySpan<int> Slots = slots;
    public readonly ReadOnlySpan<Quality> Qualities = qualities;
}

/// <summary>Whom a finding is about, and what is imported about the day; findings carry the name.</summary>
public readonly record struct DaySubject(TwinKey Key, string Name, MeterRole Role, ContextFlags Context)
{
    /// <summary>
    /// True when somebody may still explain gaps of this day: missing readings are counted, and stated only by
    /// <see cref="ReadingModel.ExplainGap"/>.
    /// </summary>
    public bool AwaitsBackhaul { get; init; }

    /// <summary>
    /// True when the meter itself said before this day that its output is open: then nothing can flow, and nothing but
    /// zero is what it must read.
    /// </summary>
    public bool IsSwitchedOff { get; init; }

    /// <summary>Context on record that something contradicts: see <see cref="ContextTrust"/>.</summary>
    public ContextFlags Doubted { get; init; }

    /// <summary>Context on record that nothing contradicts.</summary>
    public ContextFlags Believed => Context & ~Doubted;

    /// <summary>What is known of the meter besides its consumption.</summary>
    public OtherEvidence Others { get; init; }

    /// <summary>What a promoted model said of the days before: see <see cref="Fusion.WithLearned"/>; 0 for nothing.
    /// </summary>
    public float Learned { get; init; }

    /// <summary>From which score on a day is a finding.</summary>
    public AlarmBar Bar { get; init; }
}

/// <summary>Imported context that covers a day.</summary>
[Flags]
public enum ContextFlags : byte { None = 0, Outage = 1, TariffChange = 2, MoveIn = 4, Exchange = 8, PlannedWork = 16 }

/// <summary>Takes findings as they are made.</summary>
public interface IFindingSink
{
    void Add(Finding finding);
}
