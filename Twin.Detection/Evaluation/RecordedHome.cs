using Twin.Hardware;

namespace Twin.Detection.Evaluation;

/// <summary>Which homes an evaluation may use. Settings are chosen on one half and reported on the other.</summary>
public enum HomeHalf { Report, Tune, All }

/// <summary>
/// One recorded home on the evaluation's grid: <see cref="Protocol.Days"/> days of 1,440 minutes by the clock that the
/// meter had on the first of them.
/// </summary>
/// <param name="Name">The utility's id.</param>
/// <param name="Cohort">Model, firmware and lot as the fleet file says; empty without one.</param>
/// <param name="Told">Wh a slot as recorded, <see cref="ReadingBlock.Missing"/> at gaps.</param>
/// <param name="Used">The same with gaps filled: what the home is taken to have used.</param>
/// <param name="Qualities">Null: all actual.</param>
public sealed record RecordedHome(string Name, (string Model, string Firmware, string Lot) Cohort, int[] Told,
    int[] Used, Quality[]? Qualities)
{
    /// <summary>By the hash of the id: a home stays in its half whatever else the files hold.</summary>
    public HomeHalf Half => HalfOf(Name);

    public static HomeHalf HalfOf(string name) =>
        (StableHash.Mix(StableHash.Of(name)) & 1) == 0 ? HomeHalf.Tune : HomeHalf.Report;

    public static bool IsIn(string name, HomeHalf half) => half == HomeHalf.All || HalfOf(name) == half;

    /// <summary>
    /// Fills gaps with the mean of the same time of day over the recorded days, so that a feeder's sum has no hole
    /// where a meter was silent.
    /// </summary>
    public static int[] Fill(ReadOnlySpan<int> told, int slotsPerDay)
    {
        var used = told.ToArray();
        for (var s = 0; s < slotsPerDay; s++)
        {
            var (sum, n) = (0L, 0);
            for (var i = s; i < told.Length; i += slotsPerDay)
                if (told[i] != ReadingBlock.Missing) (sum, n) = (sum + told[i], n + 1);
            var mean = n == 0 ? 0 : (int)(sum / n);
            for (var i = s; i < used.Length; i += slotsPerDay)
                if (used[i] == ReadingBlock.Missing) used[i] = mean;
        }
        return used;
    }
}
