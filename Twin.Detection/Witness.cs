using Twin.Hardware;

namespace Twin.Detection;

/// <summary>
/// What has to be there besides a meter's own past before a change of habits is stated. Scores do not wait for it:
/// they are for ranking, a finding is for sending somebody.
/// </summary>
internal static class Witness
{
    /// <summary>
    /// Warm members from which on a cohort's day tells weather, season and holidays from a home's own doing. The
    /// standard error of a median is 1.25 s/√n, and a day of 409 recorded homes scatters by s = 0.2 of what they used
    /// in the four weeks before: with ten members the median is off by 8 %, with twenty by 6 %, about the difference
    /// that counts as measurement (see <see cref="Pieces.Floors"/>). The value is ours.
    /// </summary>
    public const int EnoughMembers = 20;

    /// <summary>From which piece on the feeder's balance says of a meter that it lacks something.</summary>
    public const float Missed = 0.5f;

    /// <summary>
    /// Whether anything but the meter's own past speaks: a cohort that is large enough, a feeder that misses what the
    /// meter lacks, or evidence of another nature. Tenants leave, heating seasons end, families shrink: without this,
    /// ten recorded homes were accused seven times in seventeen meter-years.
    /// </summary>
    public static bool IsThere(in CohortDay? cohort, float feederPiece, in OtherEvidence others) =>
        cohort is { Warm: >= EnoughMembers } || feederPiece >= Missed || !others.IsNone;

    /// <summary>Least power that a cut takes from, W: the four highest half-hours, now or usually.</summary>
    private const float LeastTopW = 300f;

    /// <summary>
    /// A ceiling is a cut where there are loads to be cut. What never draws more than a lamp or a pump is a stairwell
    /// or an empty home, and reads the same highest value by nature.
    /// </summary>
    public static bool CanBeCut(in DayFeatures day) => Math.Max(day.TopW, day.ExpectedTopW) >= LeastTopW;

    /// <summary>What an empty home has at most of its usual day and peak, and how far its day follows the usual one.
    /// </summary>
    private const float EmptyShare = 0.35f, EmptyTop = 0.25f, EmptyRhythm = 0.3f;

    /// <summary>
    /// An empty home keeps its fridge: little energy, no peak that people make, no rhythm of the day, however many
    /// intervals between two runs of the fridge read zero. A cut that takes a share leaves the rhythm.
    /// </summary>
    public static bool LooksEmpty(in DayFeatures day) => day.Has(DayMarks.Vacant)
        || (day.TotalWh > 0 && day.TotalWh < EmptyShare * day.ExpectedWh && day.TopW < EmptyTop * day.ExpectedTopW
            && day.Rhythm < EmptyRhythm);
}
