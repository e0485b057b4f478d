namespace Twin.Detection.Evaluation.References;

/// <summary>
/// Median and robust spread of all days that lie a week and more behind each day. The days come sorted in one by one,
/// so that a whole series costs little more than a copy for each day.
/// </summary>
internal sealed class Baseline
{
    /// <summary>Days that a comparison needs.</summary>
    private const int FewestDays = 5;

    /// <summary>NaN as long as too few days are there.</summary>
    public double[] Median { get; }

    /// <summary>1.4826 times the median absolute deviation: the standard deviation of normal data.</summary>
    public double[] Spread { get; }

    public Baseline(ReadOnlySpan<double> days)
    {
        (Median, Spread) = (new double[days.Length], new double[days.Length]);
        Span<double> sorted = stackalloc double[days.Length];
        var n = 0;
        for (var d = 0; d < days.Length; d++)
        {
            if (d >= HomeDays.Week && !double.IsNaN(days[d - HomeDays.Week]))
            {
                var value = days[d - HomeDays.Week];
                var at = n;
                for (; at > 0 && sorted[at - 1] > value; at--) sorted[at] = sorted[at - 1];
                sorted[at] = value;
                n++;
            }
            if (n < FewestDays) (Median[d], Spread[d]) = (double.NaN, double.NaN);
            else
            {
                Median[d] = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
                Spread[d] = 1.4826 * MedianDeviation(sorted[..n], Median[d]);
            }
        }
    }

    /// <summary>Walks from the centre outwards, which meets the deviations in their order.</summary>
    private static double MedianDeviation(ReadOnlySpan<double> sorted, double centre)
    {
        var right = 0;
        while (right < sorted.Length && sorted[right] < centre) right++;
        var (left, before, last) = (right - 1, 0.0, 0.0);
        for (var i = 0; i <= sorted.Length / 2; i++)
        {
            before = last;
            var down = left >= 0 ? centre - sorted[left] : double.PositiveInfinity;
            var up = right < sorted.Length ? sorted[right] - centre : double.PositiveInfinity;
            if (down <= up) (last, left) = (down, left - 1);
            else (last, right) = (up, right + 1);
        }
        return sorted.Length % 2 == 1 ? last : (before + last) / 2;
    }
}
