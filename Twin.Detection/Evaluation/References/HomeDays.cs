using Twin.Hardware;

namespace Twin.Detection.Evaluation.References;

/// <summary>
/// What the references know of a set: per meter and day some plain numbers, computed from readings that were there when
/// the day closed, and never from later ones.
/// </summary>
internal sealed class HomeDays
{
    public const int Hours = 24;

    /// <summary>Days that are judged together; they are compared with all before them.</summary>
    public const int Week = 7;

    /// <summary>Days that a comparison needs.</summary>
    private const int FewestDays = 5;

    public EvaluationSet Set { get; }
    public int Meters { get; }
    public int Days { get; }

    /// <summary>Wh of the day; NaN when less than half of it is there.</summary>
    public double[][] Total { get; }

    /// <summary>Wh told of the day.</summary>
    private double[][] Sum { get; }

    /// <summary>Wh of each hour.</summary>
    public double[][][] Hour { get; }

    /// <summary>Share of slots that are zero, largest slot in Wh, mean step between slots over their mean.</summary>
    public double[][] ZeroShare { get; }
    public double[][] Largest { get; }
    public double[][] Roughness { get; }

    /// <summary>Longest run of zeros, and of one other value, within the day, hours.</summary>
    public double[][] ZeroRun { get; }
    public double[][] StuckRun { get; }

    /// <summary>Whether the day is, slot for slot, one of the 14 before it, and not all zero.</summary>
    public bool[][] Repeats { get; }

    public HomeDays(EvaluationSet set, int days)
    {
        (Set, Meters, Days) = (set, set.Cases.Count, days);
        double[][] Grid() => [.. Enumerable.Range(0, Meters).Select(_ => new double[days])];
        (Sum, Total, ZeroShare, Largest) = (Grid(), Grid(), Grid(), Grid());
        (Roughness, ZeroRun, StuckRun) = (Grid(), Grid(), Grid());
        Hour = [.. Enumerable.Range(0, Meters).Select(_ => new double[days][])];
        Repeats = [.. Enumerable.Range(0, Meters).Select(_ => new bool[days])];
        var slots = new int[set.Plan.SlotsPerDay];
        for (var h = 0; h < Meters; h++)
        {
            var seen = new ulong[days];
            for (var d = 0; d < days; d++)
            {
                set.Cases[h].ToldInTime(d, slots);
                Describe(h, d, slots);
                seen[d] = Digest(slots);
                var before = seen.AsSpan(Math.Max(0, d - 14), Math.Min(d, 14));
                Repeats[h][d] = Largest[h][d] > 0 && before.Contains(seen[d]);
            }
        }
    }

    private static ulong Digest(ReadOnlySpan<int> slots)
    {
        var digest = 0UL;
        foreach (var v in slots) digest = StableHash.Mix(unchecked(digest ^ (ulong)(uint)v));
        return digest;
    }

    private void Describe(int h, int d, ReadOnlySpan<int> slots)
    {
        var (n, sum, zeros, steps, largest, present) = (slots.Length, 0.0, 0, 0.0, 0.0, 0);
        var (zeroRun, stuckRun, run) = (0, 0, 0);
        var hours = Hour[h][d] = new double[Hours];
        for (var s = 0; s < n; s++)
        {
            if (slots[s] == ReadingBlock.Missing)
            {
                run = 0;
                continue;
            }
            present++;
            sum += slots[s];
            hours[s * Hours / n] += slots[s];
            if (slots[s] == 0) zeros++;
            largest = Math.Max(largest, slots[s]);
            var follows = s > 0 && slots[s - 1] != ReadingBlock.Missing;
            if (follows) steps += Math.Abs(slots[s] - slots[s - 1]);
            run = follows && slots[s] == slots[s - 1] ? run + 1 : 1;
            if (slots[s] == 0) zeroRun = Math.Max(zeroRun, run);
            else stuckRun = Math.Max(stuckRun, run);
        }
        // Nobody asks how a home behaves in which nothing has run for days: the rules tell that.
        var there = 2 * present >= n && !(sum == 0 && d > 0 && Sum[h][d - 1] == 0);
        Sum[h][d] = sum;
        Total[h][d] = there ? sum * n / present : double.NaN;
        ZeroShare[h][d] = there ? (double)zeros / present : double.NaN;
        Largest[h][d] = there ? largest : double.NaN;
        Roughness[h][d] = there ? steps / Math.Max(1, sum) : double.NaN;
        ZeroRun[h][d] = (double)zeroRun * Hours / n;
        StuckRun[h][d] = (double)stuckRun * Hours / n;
        if (!there) hours.AsSpan().Fill(double.NaN);
    }

    /// <summary>Mean over the week that ends with the day; NaN when too little of it is there.</summary>
    public static double WeekMean(double[] days, int day) => Mean(days, Math.Max(0, day - Week + 1), day, 3);

    private static double Mean(double[] days, int from, int to, int fewest)
    {
        var (sum, n) = (0.0, 0);
        for (var d = from; d <= to; d++)
            if (!double.IsNaN(days[d])) (sum, n) = (sum + days[d], n + 1);
        return n < fewest ? double.NaN : sum / n;
    }

    public static double Median(double[] days, int from, int to)
    {
        Span<double> values = stackalloc double[Math.Max(0, to - from + 1)];
        var n = 0;
        for (var d = from; d <= to; d++)
            if (!double.IsNaN(days[d])) values[n++] = days[d];
        return n < FewestDays ? double.NaN : MedianOf(values[..n]);
    }

    /// <summary>Sorts in place; NaN of nothing.</summary>
    public static double MedianOf(Span<double> values) => values.IsEmpty ? double.NaN : Quantiles.Median(values);

    /// <summary>
    /// 1.4826 times the median absolute deviation from a centre: the standard deviation of normal data.
    /// </summary>
    public static double Spread(double[] days, int from, int to, double centre)
    {
        Span<double> values = stackalloc double[Math.Max(0, to - from + 1)];
        var n = 0;
        for (var d = from; d <= to; d++)
            if (!double.IsNaN(days[d])) values[n++] = Math.Abs(days[d] - centre);
        return n < FewestDays ? double.NaN : 1.4826 * MedianOf(values[..n]);
    }

    /// <summary>A grid of scores, 0 everywhere.</summary>
    public double[][] Scores() => [.. Enumerable.Range(0, Meters).Select(_ => new double[Days])];
}
