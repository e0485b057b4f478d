using Twin.Hardware;

namespace Twin.Detection.Evaluation.References;

/// <summary>
/// References that learn, without labels, from all meters of the set: trained anew each week on the fortnight that lies
/// behind.
/// </summary>
internal static class LearnedReferences
{
    /// <summary>Liu, Ting and Zhou, "Isolation forest", ICDM 2008: 100 trees of 256 rows, as they advise.</summary>
    public static double[][] IsolationForest(HomeDays x, WeekFeatures features)
    {
        var scores = x.Scores();
        Forest? forest = null;
        Scale? scale = null;
        for (var d = Protocol.FirstJudgedDay; d < x.Days; d++)
        {
            if ((d - Protocol.FirstJudgedDay) % WeekFeatures.Refit == 0)
            {
                var rows = features.Training(d);
                scale = new Scale(rows);
                forest = new Forest([.. rows.Select(scale.Of)],
                    SplitMix64.For(x.Set.Plan.Seed, $"set {x.Set.Number} forest {d}"));
            }
            for (var h = 0; h < x.Meters; h++) scores[h][d] = forest!.Score(scale!.Of(features[h, d]));
        }
        return scores;
    }

    /// <summary>
    /// What five principal components of the hours' z-scores leave unexplained (squared prediction error, Jackson and
    /// Mudholkar 1979), its root.
    /// </summary>
    public static double[][] PcaResidual(HomeDays x, HourScores hours)
    {
        const int Components = 5;
        var scores = x.Scores();
        double[][]? axes = null;
        Scale? scale = null;
        for (var d = Protocol.FirstJudgedDay; d < x.Days; d++)
        {
            if ((d - Protocol.FirstJudgedDay) % WeekFeatures.Refit == 0)
            {
                var training = new List<double[]>();
                for (var t = d - WeekFeatures.TrainingDays + 1; t <= d; t++)
                    for (var h = 0; h < x.Meters; h++) training.Add(hours[h, t]);
                scale = new Scale(training);
                axes = PrincipalAxes.Of([.. training.Select(scale.Of)], Components);
            }
            for (var h = 0; h < x.Meters; h++)
                scores[h][d] = Math.Sqrt(PrincipalAxes.Residual(scale!.Of(hours[h, d]), axes!));
        }
        return scores;
    }

    /// <summary>
    /// Breunig et al., "LOF: identifying density-based local outliers", SIGMOD 2000, with 20 neighbours among the
    /// meters of the same day.
    /// </summary>
    public static double[][] LocalOutlierFactor(HomeDays x, WeekFeatures features)
    {
        var scores = x.Scores();
        var k = Math.Min(20, x.Meters - 1);
        for (var d = Protocol.FirstJudgedDay; d < x.Days; d++)
        {
            var scale = new Scale(features.Training(d));
            var rows = Enumerable.Range(0, x.Meters).Select(h => scale.Of(features[h, d])).ToArray();
            var (near, distance) = Neighbours(rows, k);
            var density = new double[rows.Length];
            for (var h = 0; h < rows.Length; h++)
            {
                var reach = 0.0;
                for (var j = 0; j < k; j++) reach += Math.Max(distance[h][j], distance[near[h][j]][k - 1]);
                density[h] = k / Math.Max(1e-9, reach);
            }
            for (var h = 0; h < rows.Length; h++)
                scores[h][d] = near[h].Average(o => density[o]) / density[h];
        }
        return scores;
    }

    private static (int[][] Near, double[][] Distance) Neighbours(double[][] rows, int k)
    {
        var (near, distance) = (new int[rows.Length][], new double[rows.Length][]);
        var all = new double[rows.Length];
        var order = new int[rows.Length];
        for (var h = 0; h < rows.Length; h++)
        {
            for (var o = 0; o < rows.Length; o++)
            {
                var sum = 0.0;
                for (var c = 0; c < rows[h].Length; c++) sum += (rows[h][c] - rows[o][c]) * (rows[h][c] - rows[o][c]);
                (all[o], order[o]) = (o == h ? double.MaxValue : Math.Sqrt(sum), o);
            }
            Array.Sort(all, order);
            (near[h], distance[h]) = (order[..k], all[..k]);
        }
        return (near, distance);
    }
}
