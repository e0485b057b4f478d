namespace Twin.Detection.Evaluation;

/// <summary>
/// Scored meters sorted once, so that a measure under other weights costs one pass. Meters that are neither honest nor
/// thefts take no part.
/// </summary>
internal sealed class Sample
{
    private readonly ScoredCase[] _sorted;

    /// <summary>Place of each sorted meter among the cases given.</summary>
    private readonly int[] _index;

    /// <summary>Kind of each sorted meter, -1 for honest.</summary>
    private readonly int[] _kind;

    public string[] Kinds { get; }

    public Sample(IReadOnlyList<ScoredCase> cases)
    {
        Kinds = [.. cases.Where(c => c.Cause == Cause.Theft).Select(c => c.Kind).Distinct().OrderBy(Measures.Place)];
        _index = [.. Enumerable.Range(0, cases.Count).Where(i => cases[i].Cause is Cause.Honest or Cause.Theft)
            .OrderBy(i => cases[i].Score)];
        _sorted = [.. _index.Select(i => cases[i])];
        _kind = [.. _sorted.Select(c => c.Cause == Cause.Honest ? -1 : Array.IndexOf(Kinds, c.Kind))];
    }

    public readonly record struct Outcome(Measure Macro, Measure[] Kinds, double At1, double At5);

    public Outcome Measure(double[] weights)
    {
        var (at1, at5) = (Threshold(weights, 0.01), Threshold(weights, 0.05));
        var n = Kinds.Length;
        var (count, total, rank, over1, over5) = (new int[n], new double[n], new double[n], new double[n],
            new double[n]);
        var delays = Enumerable.Range(0, n).Select(_ => new List<(double Days, double Weight)>()).ToArray();
        var (below, honest) = (0.0, Honest(weights));
        for (var i = 0; i < _sorted.Length;)
        {
            // Ties count half: those of one score are taken together.
            var (end, tied) = (i, 0.0);
            for (; end < _sorted.Length && _sorted[end].Score == _sorted[i].Score; end++)
                if (_kind[end] < 0) tied += weights[_index[end]];
            for (; i < end; i++)
            {
                if (_kind[i] < 0) continue;
                var (k, w) = (_kind[i], weights[_index[i]]);
                if (w == 0) continue;
                count[k]++;
                total[k] += w;
                rank[k] += w * (below + 0.5 * tied) / honest;
                if (_sorted[i].Score > at5) over5[k] += w;
                if (_sorted[i].Score <= at1) continue;
                over1[k] += w;
                if (_sorted[i].Delay(at1) is { } days) delays[k].Add((days, w));
            }
            below += tied;
        }
        var kinds = new Measure[n];
        for (var k = 0; k < n; k++)
            kinds[k] = new Measure(count[k], rank[k] / total[k], over1[k] / total[k], over5[k] / total[k],
                Median(delays[k]));
        return new Outcome(Macro(kinds, delays), kinds, at1, at5);
    }

    private static Measure Macro(Measure[] kinds, List<(double, double)>[] delays)
    {
        var there = kinds.Where(k => k.Cases > 0).ToArray();
        double Mean(Func<Measure, double> of) => there.Length == 0 ? double.NaN : there.Average(of);
        return new Measure(there.Sum(k => k.Cases), Mean(k => k.Auc), Mean(k => k.TprAt1), Mean(k => k.TprAt5),
            Median([.. delays.SelectMany(d => d)]));
    }

    private double Honest(double[] weights)
    {
        var sum = 0.0;
        for (var i = 0; i < _sorted.Length; i++)
            if (_kind[i] < 0) sum += weights[_index[i]];
        return sum;
    }

    /// <summary>The least score of an honest meter that at most this share of honest meters exceeds.</summary>
    private double Threshold(double[] weights, double falsePositives)
    {
        var allowed = falsePositives * Honest(weights);
        var above = 0.0;
        var threshold = double.PositiveInfinity;
        for (var i = _sorted.Length - 1; i >= 0;)
        {
            var score = _sorted[i].Score;
            var (tied, any) = (0.0, false);
            for (; i >= 0 && _sorted[i].Score == score; i--)
                if (_kind[i] < 0) (tied, any) = (tied + weights[_index[i]], true);
            if (!any || tied == 0) continue;
            if (above > allowed + 1e-9) break;
            threshold = score;
            above += tied;
        }
        return threshold;
    }

    /// <summary>Weighted: the value at which half of the weight is reached; between two values, their mean.</summary>
    private static double Median(List<(double Days, double Weight)> values)
    {
        if (values.Count == 0) return double.NaN;
        values.Sort((a, b) => a.Days.CompareTo(b.Days));
        var half = values.Sum(v => v.Weight) / 2;
        var sum = 0.0;
        for (var i = 0; i < values.Count; i++)
        {
            sum += values[i].Weight;
            if (sum > half) return values[i].Days;
            if (sum == half && i + 1 < values.Count) return (values[i].Days + values[i + 1].Days) / 2;
        }
        return values[^1].Days;
    }

    /// <summary>Macro ROC curve: mean over the kinds of the share above each honest score.</summary>
    public IReadOnlyList<(double Fpr, double Tpr)> Roc(double[] weights)
    {
        var points = new List<(double, double)> { (0, 0) };
        var total = new double[Kinds.Length];
        for (var i = 0; i < _sorted.Length; i++)
            if (_kind[i] >= 0) total[_kind[i]] += weights[_index[i]];
        var (tpr, fpr, honest) = (0.0, 0.0, Honest(weights));
        for (var i = _sorted.Length - 1; i >= 0;)
        {
            var score = _sorted[i].Score;
            for (; i >= 0 && _sorted[i].Score == score; i--)
            {
                var w = weights[_index[i]];
                if (_kind[i] < 0) fpr += w / honest;
                else tpr += w / total[_kind[i]] / Kinds.Length;
            }
            points.Add((Math.Min(1, fpr), Math.Min(1, tpr)));
        }
        return points;
    }
}
