using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// What one meter has been doing: the streaming model behind its day scores. Two halves that never touch each other's state, so that
/// their interleaving cannot matter: <see cref="Fold"/> runs when a day is complete (validation, profile, features);
/// <see cref="Judge"/> runs when the day closes for everybody (cohort, feeder, fusion).
/// </summary>
public sealed class ReadingModel
{
    /// <summary>Folds a day (days come in ascending order) and learns from it.</summary>
    public DayFeatures Fold(in DayReadings day, in DaySubject subject, IFindingSink findings) => default;

    /// <summary>Judges a folded day against what its cohort and feeder did. Either may be absent.</summary>
    public DayVerdict Judge(in DayFeatures day, in DaySubject subject, in CohortDay? cohort, in FeederDay? feeder, IFindingSink findings) => default;

    public void Write(ByteWriter to) { }
    public static ReadingModel Read(ref ByteReader from) => new();
}

/// <summary>Fused score of a day, higher is more anomalous, and the name of the strongest feature.</summary>
public readonly record struct DayVerdict(double Score, string Top);

/// <summary>What a meter's folded day tells its cohort and feeder; a few tens of bytes.</summary>
public struct DayFeatures
{
    public int Day;
    public void Write(ByteWriter to) { }
    public static DayFeatures Read(ref ByteReader from) => default;
}

/// <summary>One member's contribution to a cohort or feeder day.</summary>
public readonly record struct Member(MeterId Meter, MeterRole Role, DayFeatures Features);

/// <summary>What a cohort did on a day: robust location and scale of its members.</summary>
public readonly record struct CohortDay(int Day)
{
    public void Write(ByteWriter to) { }
    public static CohortDay Read(ref ByteReader from) => default;
}

/// <summary>A cohort's model: members folded in id order.</summary>
public sealed class CohortModel
{
    public CohortDay Fold(int day, ReadOnlySpan<Member> members) => default;
    public void Write(ByteWriter to) { }
    public static CohortModel Read(ref ByteReader from) => new();
}

/// <summary>What a feeder's balance said on a day.</summary>
public readonly record struct FeederDay(int Day)
{
    public void Write(ByteWriter to) { }
    public static FeederDay Read(ref ByteReader from) => default;
}

/// <summary>A feeder's model: observer minus sum of members minus technical loss; members folded in id order.</summary>
public sealed class FeederModel
{
    public FeederDay Fold(int day, in DaySubject subject, ReadOnlySpan<Member> members, IFindingSink findings) => default;
    public void Write(ByteWriter to) { }
    public static FeederModel Read(ref ByteReader from) => new();
}
