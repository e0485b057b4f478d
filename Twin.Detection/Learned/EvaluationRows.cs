using Twin.Detection.Evaluation;
using Twin.Detection.Evaluation.References;

namespace Twin.Detection.Learned;

/// <summary>The rows that models learn from and score: of each meter and day of a set.</summary>
public sealed class EvaluationRows
{
    private readonly WeekFeatures _features;

    /// <param name="set">Homes on feeders.</param>
    /// <param name="days">How much of the set.</param>
    public EvaluationRows(EvaluationSet set, int days)
    {
        (Set, Days) = (set, days);
        _features = new WeekFeatures(new HomeDays(set, days));
    }

    public EvaluationSet Set { get; }
    public int Days { get; }
    public int Meters => Set.Cases.Count;

    /// <summary>In the order of <see cref="LearnedModel.Features"/>; no NaN.</summary>
    public double[] this[int meter, int day] => _features[meter, day];
}

/// <summary>Rows to learn from, scaled, and which of them are of meters that are stolen from or broken.</summary>
/// <param name="Rows">Scaled rows.</param>
/// <param name="Labels">True: something was done to the meter by that day.</param>
/// <param name="Centre">Median of each feature.</param>
/// <param name="Spread">Robust spread of each.</param>
public sealed record TrainingRows(IReadOnlyList<float[]> Rows, IReadOnlyList<bool> Labels, float[] Centre,
    float[] Spread)
{
    /// <summary>Days of a meter that are taken: neighbours tell almost the same.</summary>
    private const int EveryDays = 3;

    /// <summary>Days after an onset that are taken for neither: a week's mean is half of each.</summary>
    private const int SettlingDays = 4;

    /// <summary>Spread below which a feature does not vary, in its own unit.</summary>
    private const double LeastSpread = 0.02;

    /// <summary>
    /// Honest homes and look-alikes against thefts and faults, on sets of the tune half; those that change nothing take
    /// no part.
    /// </summary>
    public static TrainingRows Of(IEnumerable<EvaluationRows> sets)
    {
        var (raw, labels) = (new List<double[]>(), new List<bool>());
        foreach (var set in sets)
            for (var h = 0; h < set.Meters; h++)
            {
                var c = set.Set.Cases[h];
                var isDone = c.Cause is Cause.Theft or Cause.Fault;
                if (c.Cause != Cause.Honest && c.Change() is var (energy, shape) && energy < Protocol.NoOp
                    && shape < Protocol.NoOp) continue;
                for (var d = Protocol.FirstJudgedDay + h % EveryDays; d < set.Days; d += EveryDays)
                {
                    if (isDone && d >= c.Onset && d < c.Onset + SettlingDays) continue;
                    raw.Add(set[h, d]);
                    labels.Add(isDone && d >= c.Onset);
                }
            }
        var (centre, spread) = (new float[LearnedModel.Features.Count], new float[LearnedModel.Features.Count]);
        for (var f = 0; f < centre.Length; f++)
        {
            var values = raw.Where((_, i) => !labels[i]).Select(r => r[f]).ToArray();
            var median = HomeDays.MedianOf(values);
            var away = values.Select(v => Math.Abs(v - median)).ToArray();
            (centre[f], spread[f]) = ((float)median, (float)(1.4826 * HomeDays.MedianOf(away) + LeastSpread));
        }
        return new TrainingRows([.. raw.Select(r => Scaled(r, centre, spread))], labels, centre, spread);
    }

    private static float[] Scaled(double[] row, float[] centre, float[] spread)
    {
        var scaled = new float[row.Length];
        for (var i = 0; i < scaled.Length; i++)
            scaled[i] = Math.Clamp(((float)row[i] - centre[i]) / spread[i], -10f, 10f);
        return scaled;
    }
}
