using Twin.Hardware;

namespace Twin.Detection.Evaluation.References;

/// <summary>
/// Observer meter less the members' sum, shared out among the members by non-negative least squares over three weeks of
/// hours: what is missing runs in step with what a member still tells, or with what it lacks against its first weeks. A
/// member's score is the energy put down to it, over its own and a member's usual consumption.
/// </summary>
internal static class FeederShares
{
    private const int Sweeps = 40;

    /// <summary>Days whose hours are fitted.</summary>
    private const int FittedDays = 21;

    /// <summary>Columns of each member: what it tells, what it lacks; then one for the loss.</summary>
    private const int Each = 2;

    /// <summary>Technical loss: what is surely taken off, and how much more the fit may call loss.</summary>
    private const double LeastLoss = Protocol.LowestLoss, MoreLoss = Protocol.HighestLoss - Protocol.LowestLoss;

    private const double Ridge = 0.02;

    public static double[][] Scores(HomeDays x)
    {
        var scores = x.Scores();
        for (var f = 0; f < x.Set.Feeders.Count; f++) Score(x, f, scores);
        return scores;
    }

    private static void Score(HomeDays x, int feeder, double[][] scores)
    {
        var (start, count, _) = x.Set.Feeders[feeder];
        var usual = Enumerable.Range(start, count).Select(h => Usual(x, h)).ToArray();
        var days = Days(x, feeder, usual);
        var own = usual.Select(u => u.Sum()).ToArray();
        var mean = own.Average() + 1;
        for (var d = Protocol.FirstJudgedDay; d < x.Days; d++)
        {
            var b = LeastSquares(days, d, Each * count + 1);
            for (var i = 0; i < count; i++)
            {
                var energy = 0.0;
                for (var w = d - HomeDays.Week + 1; w <= d; w++)
                    foreach (var row in days[w].Rows)
                        energy += Math.Abs(b[i] * row[i] + b[count + i] * row[count + i]) / HomeDays.Week;
                // In units between the member's own consumption and that of a member: neither alone is fair.
                scores[start + i][d] = energy / Math.Sqrt(mean * (own[i] + 1000));
            }
        }
    }

    /// <summary>Median of each hour in the first three weeks, Wh; 0 where nothing was told.</summary>
    private static double[] Usual(HomeDays x, int home)
    {
        var usual = new double[HomeDays.Hours];
        var hour = new double[x.Days];
        for (var i = 0; i < HomeDays.Hours; i++)
        {
            for (var d = 0; d < x.Days; d++) hour[d] = x.Hour[home][d][i];
            var median = HomeDays.Median(hour, 0, Math.Min(x.Days, Protocol.FirstJudgedDay) - 1);
            usual[i] = double.IsNaN(median) ? 0 : median;
        }
        return usual;
    }

    /// <summary>The hours of a day in which every member told all: columns, and the sums of their products.</summary>
    private sealed record Fit(List<double[]> Rows, double[,] Gram, double[] Side);

    private static Fit[] Days(HomeDays x, int feeder, double[][] usual)
    {
        var (start, count, _) = x.Set.Feeders[feeder];
        var n = x.Set.Plan.SlotsPerDay;
        var observed = x.Set.Observe(feeder);
        var told = new int[count][];
        for (var i = 0; i < count; i++) told[i] = new int[n];
        var days = new Fit[x.Days];
        for (var d = 0; d < x.Days; d++)
        {
            for (var i = 0; i < count; i++) x.Set.Cases[start + i].ToldInTime(d, told[i]);
            var k = Each * count + 1;
            var fit = days[d] = new Fit([], new double[k, k], new double[k]);
            for (var hour = 0; hour < HomeDays.Hours; hour++)
            {
                var (from, to) = (hour * n / HomeDays.Hours, (hour + 1) * n / HomeDays.Hours);
                // An hour in which a member is silent says nothing of anybody's loss.
                if (Row(told, usual, hour, from, to) is { } row)
                    Add(fit, row, observed.AsSpan(d * n, n)[from..to]);
            }
        }
        return days;
    }

    private static double[]? Row(int[][] told, double[][] usual, int hour, int from, int to)
    {
        var count = told.Length;
        var row = new double[Each * count + 1];
        for (var i = 0; i < count; i++)
        {
            for (var s = from; s < to; s++)
            {
                if (told[i][s] == ReadingBlock.Missing) return null;
                row[i] += told[i][s];
            }
            row[count + i] = usual[i][hour] - row[i];
            row[^1] += row[i];
        }
        return row;
    }

    private static void Add(Fit fit, double[] row, ReadOnlySpan<int> observed)
    {
        var left = -row[^1] * (1 + LeastLoss);
        foreach (var wh in observed) left += wh;
        fit.Rows.Add(row);
        for (var i = 0; i < row.Length; i++)
        {
            fit.Side[i] += left * row[i];
            for (var j = 0; j <= i; j++) fit.Gram[i, j] += row[i] * row[j];
        }
    }

    /// <summary>
    /// Coordinate descent; what a member lacks cannot count more than once, and the last column is loss.
    /// </summary>
    private static double[] LeastSquares(Fit[] days, int day, int k)
    {
        var (gram, side, b) = (new double[k, k], new double[k], new double[k]);
        for (var d = Math.Max(0, day - FittedDays + 1); d <= day; d++)
        {
            for (var i = 0; i < k; i++)
            {
                side[i] += days[d].Side[i];
                for (var j = 0; j <= i; j++) gram[i, j] += days[d].Gram[i, j];
            }
        }
        var ridge = 0.0;
        for (var i = 0; i < k - 1; i++) ridge += Ridge * gram[i, i] / (k - 1);
        for (var i = 0; i < k; i++)
            for (var j = 0; j < i; j++) gram[j, i] = gram[i, j];
        for (var sweep = 0; sweep < Sweeps; sweep++)
            for (var i = 0; i < k; i++)
            {
                var rest = side[i];
                for (var j = 0; j < k; j++)
                    if (j != i) rest -= b[j] * gram[i, j];
                b[i] = Math.Max(0, rest / (gram[i, i] + ridge + 1));
                if (i == k - 1) b[i] = Math.Min(MoreLoss, b[i]);
                else if (i >= (k - 1) / Each) b[i] = Math.Min(1, b[i]);
            }
        return b;
    }
}
