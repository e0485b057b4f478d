using Twin.Hardware;

namespace Twin.Detection.Evaluation.References;

/// <summary>
/// Observer meter less the members' sum, shared out among the members in two plain ways, of which the larger counts:
/// non-negative least squares of three weeks' residual on the members' readings (what is missing runs in step with
/// what a
/// member still tells), and the match of a member's drop with the rise of the residual.
/// </summary>
internal static class FeederBalance
{
    private const int Sweeps = 40;

    /// <summary>Days whose readings are fitted.</summary>
    private const int FittedDays = 21;

    /// <summary>Technical loss: what is surely taken off, and how much more the fit may call loss.</summary>
    private const double LeastLoss = Protocol.LowestLoss, MoreLoss = Protocol.HighestLoss - Protocol.LowestLoss;

    public static double[][] Scores(HomeDays x)
    {
        var scores = x.Scores();
        for (var f = 0; f < x.Set.Feeders.Count; f++) Score(x, f, scores);
        return scores;
    }

    private static void Score(HomeDays x, int feeder, double[][] scores)
    {
        var (start, count, _) = x.Set.Feeders[feeder];
        var n = x.Set.Plan.SlotsPerDay;
        var observed = x.Set.Observe(feeder);
        var (grams, sides, loss) = (new double[x.Days][,], new double[x.Days][], new double[x.Days]);
        var told = new int[count][];
        for (var i = 0; i < count; i++) told[i] = new int[n];
        for (var d = 0; d < x.Days; d++)
        {
            for (var i = 0; i < count; i++) x.Set.Cases[start + i].ToldInTime(d, told[i]);
            (grams[d], sides[d], loss[d]) = Day(told, observed.AsSpan(d * n, n));
        }
        var balance = new Baseline(loss);
        var totals = Enumerable.Range(start, count).Select(h => new Baseline(x.Total[h])).ToArray();
        for (var d = Protocol.FirstJudgedDay; d < x.Days; d++)
        {
            var shares = LeastSquares(grams, sides, d, count);
            var risen = HomeDays.WeekMean(loss, d) - balance.Median[d];
            var usual = new double[count];
            for (var i = 0; i < count; i++) usual[i] = totals[i].Median[d];
            var mean = usual.Where(u => !double.IsNaN(u)).DefaultIfEmpty(1).Average() + 1;
            for (var i = 0; i < count; i++)
            {
                var now = HomeDays.WeekMean(x.Total[start + i], d);
                var drop = usual[i] - now;
                var match = risen > 0 && drop > 0 ? Math.Min(risen, drop) / Math.Max(risen, drop) * risen : 0;
                // In units between the member's own consumption and that of a member: neither alone is fair.
                var inStep = double.IsNaN(now) ? 0 : shares[i] * now;
                scores[start + i][d] = double.IsNaN(usual[i]) ? 0
                    : Math.Max(inStep, match) / Math.Sqrt(mean * (usual[i] + 1000));
            }
        }
    }

    /// <summary>
    /// Of one day: products of the members' readings and, last, their sum; of each with the residual; and the residual
    /// in Wh.
    /// </summary>
    private static (double[,] Gram, double[] Side, double LossWh) Day(int[][] told, ReadOnlySpan<int> observed)
    {
        var count = told.Length;
        var (gram, side, missing) = (new double[count + 1, count + 1], new double[count + 1], 0.0);
        for (var s = 0; s < observed.Length; s++)
        {
            var (sum, whole) = (0.0, true);
            for (var i = 0; i < count; i++)
            {
                if (told[i][s] == ReadingBlock.Missing) whole = false;
                else sum += told[i][s];
            }
            // A slot in which a member is silent says nothing of anybody's loss.
            if (!whole) continue;
            var left = observed[s] - sum * (1 + LeastLoss);
            missing += left;
            side[count] += left * sum;
            gram[count, count] += sum * sum;
            for (var i = 0; i < count; i++) gram[count, i] += sum * told[i][s];
            for (var i = 0; i < count; i++)
            {
                side[i] += left * told[i][s];
                for (var j = 0; j <= i; j++) gram[i, j] += (double)told[i][s] * told[j][s];
            }
        }
        return (gram, side, missing);
    }

    /// <summary>
    /// Coordinate descent; a member's coefficient is what is missing for each Wh that it tells; the last is loss.
    /// </summary>
    private static double[] LeastSquares(double[][,] grams, double[][] sides, int day, int count)
    {
        var (gram, side, b) = (new double[count + 1, count + 1], new double[count + 1], new double[count + 1]);
        for (var d = Math.Max(0, day - FittedDays + 1); d <= day; d++)
            for (var i = 0; i <= count; i++)
            {
                side[i] += sides[d][i];
                for (var j = 0; j <= i; j++) gram[i, j] += grams[d][i, j];
            }
        var ridge = 0.0;
        for (var i = 0; i < count; i++) ridge += 0.02 * gram[i, i] / count;
        for (var sweep = 0; sweep < Sweeps; sweep++)
            for (var i = 0; i <= count; i++)
            {
                var rest = side[i];
                for (var j = 0; j <= count; j++)
                    if (j != i) rest -= b[j] * (i > j ? gram[i, j] : gram[j, i]);
                b[i] = Math.Max(0, rest / (gram[i, i] + ridge + 1));
                if (i == count) b[i] = Math.Min(MoreLoss, b[i]);
            }
        return b;
    }
}
