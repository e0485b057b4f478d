namespace Twin.Detection.Evaluation.References;

/// <summary>References that need no training: rules, a robust z-score, a cumulative sum.</summary>
internal static class RuleReferences
{
    /// <summary>
    /// What utilities check in VEE (validation, estimation, editing): runs of zeros, one value again and again, a day
    /// that repeats an earlier one, and consumption far from what was usual; each only where it is not usual for the
    /// home. Points of the last seven days.
    /// </summary>
    public static double[][] VeeRules(HomeDays x)
    {
        var scores = x.Scores();
        for (var h = 0; h < x.Meters; h++)
        {
            var points = Points(x, h);
            for (var d = 0; d < x.Days; d++)
                for (var b = Math.Max(0, d - HomeDays.Week + 1); b <= d; b++) scores[h][d] += points[b];
        }
        return scores;
    }

    private static double[] Points(HomeDays x, int h)
    {
        const double LongZeroHours = 6, LongStuckHours = 4, DayHours = 20, Low = 0.4, High = 2.5, Certain = 4;
        var points = new double[x.Days];
        var totals = new Baseline(x.Total[h]);
        var (zeros, stuck) = (new Baseline(x.ZeroRun[h]), new Baseline(x.StuckRun[h]));
        var repeated = 0;
        for (var d = 0; d < x.Days; d++)
        {
            // Two repeated days of a quiet home are chance; later ones say nothing then.
            if (d >= HomeDays.Week && x.Repeats[h][d - HomeDays.Week]) repeated++;
            var usual = totals.Median[d];
            if (x.ZeroRun[h][d] >= LongZeroHours && !(zeros.Median[d] > LongZeroHours / 2)) points[d] += 1;
            if (x.StuckRun[h][d] >= DayHours && !(stuck.Median[d] > LongStuckHours)) points[d] += Certain;
            else if (x.StuckRun[h][d] >= LongStuckHours && !(stuck.Median[d] > LongStuckHours / 2)) points[d] += 1;
            if (x.Repeats[h][d] && repeated < 2) points[d] += Certain;
            if (usual > 0 && x.Total[h][d] < Low * usual) points[d] += 1;
            if (usual > 0 && x.Total[h][d] > High * usual) points[d] += 0.5;
        }
        return points;
    }

    /// <summary>
    /// Mean absolute z-score of the hours of the day (<see cref="HourScores"/>); a rise counts half, since theft does
    /// not raise what a meter tells.
    /// </summary>
    public static double[][] SeasonalZ(HomeDays x, HourScores hours)
    {
        var scores = x.Scores();
        for (var h = 0; h < x.Meters; h++)
            for (var d = HomeDays.Week; d < x.Days; d++)
                foreach (var z in hours[h, d]) scores[h][d] += Math.Max(-z, 0.5 * z) / HomeDays.Hours;
        return scores;
    }

    /// <summary>
    /// Page's cumulative sums, down and up, of a home's daily log ratio to its own first fortnights, less the median of
    /// all homes' that day; in robust standard deviations of the first three weeks, half of one forgiven each day.
    /// A rise counts half.
    /// </summary>
    public static double[][] CusumToCohort(HomeDays x)
    {
        const double Slack = 0.5, Most = 4;
        var ratio = x.Scores();
        var all = new double[x.Meters];
        for (var h = 0; h < x.Meters; h++)
        {
            var usual = HomeDays.Median(x.Total[h], 0, Math.Min(x.Days, Protocol.FirstJudgedDay) - 1);
            for (var d = 0; d < x.Days; d++) ratio[h][d] = Math.Log((x.Total[h][d] + 100) / (usual + 100));
        }
        for (var d = 0; d < x.Days; d++)
        {
            var n = 0;
            for (var h = 0; h < x.Meters; h++)
                if (!double.IsNaN(ratio[h][d])) all[n++] = ratio[h][d];
            var median = HomeDays.MedianOf(all.AsSpan(0, n));
            for (var h = 0; h < x.Meters; h++) ratio[h][d] -= median;
        }
        var scores = x.Scores();
        for (var h = 0; h < x.Meters; h++)
        {
            var spread = HomeDays.Spread(ratio[h], 0, Math.Min(x.Days, Protocol.FirstJudgedDay) - 1, 0);
            var (down, up) = (0.0, 0.0);
            for (var d = Protocol.FirstJudgedDay; d < x.Days; d++)
            {
                var z = Math.Clamp(ratio[h][d] / (spread + 0.05), -Most, Most);
                if (!double.IsNaN(z)) (down, up) = (Math.Max(0, down - z - Slack), Math.Max(0, up + z - Slack));
                scores[h][d] = Math.Max(down, 0.5 * up);
            }
        }
        return scores;
    }
}
