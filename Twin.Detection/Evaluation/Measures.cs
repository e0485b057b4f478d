using Twin.Hardware;

namespace Twin.Detection.Evaluation;

/// <summary>Lower and upper end of an interval; NaN where it cannot be told.</summary>
public readonly record struct Range(double Low, double High);

/// <summary>The measures of a kind of theft, or their mean over kinds.</summary>
/// <param name="Cases">Meters.</param>
/// <param name="Auc">Area under the ROC curve: the chance that such a meter scores above an honest one, ties half.
/// </param>
/// <param name="TprAt1">Share above the 99th percentile of honest meters.</param>
/// <param name="TprAt5">Share above the 95th percentile of honest meters.</param>
/// <param name="Delay">Median days to the first day above the 99th percentile, over the detected; NaN when none was.
/// </param>
public readonly record struct Measure(int Cases, double Auc, double TprAt1, double TprAt5, double Delay);

/// <summary>A measure with its 95 % intervals.</summary>
public sealed record Measured(Measure Value, Range Auc, Range TprAt1, Range TprAt5, Range Delay);

/// <summary>What one detector came to.</summary>
/// <param name="Macro">Mean over the kinds of theft, each kind counting alike; the delay is over all meters.</param>
/// <param name="Kinds">By kind of theft.</param>
/// <param name="LookAlikes">Share alarmed at the 1 % threshold by kind, and their mean.</param>
/// <param name="Faults">The same of faults.</param>
/// <param name="ThresholdAt1">99th percentile of honest meters.</param>
/// <param name="ThresholdAt5">95th percentile.</param>
/// <param name="AlarmsPer1000MetersMonth">Alarms of honest meters at the 1 % threshold, a month of 30.44 days.</param>
/// <param name="Roc">Macro true-positive rate at falling thresholds: points (FPR, TPR).</param>
public sealed record DetectorResult(Measured Macro, IReadOnlyList<(string Kind, Measured Measured)> Kinds,
    (double Macro, IReadOnlyList<(string Kind, int Cases, double Share)> Kinds) LookAlikes,
    (double Macro, IReadOnlyList<(string Kind, int Cases, double Share)> Kinds) Faults,
    double ThresholdAt1, double ThresholdAt5, double AlarmsPer1000MetersMonth,
    IReadOnlyList<(double Fpr, double Tpr)> Roc);

/// <summary>
/// Computes measures from scored meters. Intervals are a bootstrap over whole recorded homes (a home that comes in
/// several sets is drawn once for all): Efron and Tibshirani, An Introduction to the Bootstrap, 1993, percentile
/// method.
/// </summary>
public static class Measures
{
    /// <summary>Redrawn samples; a fixed seed, so that the same scores give the same intervals.</summary>
    public const int Replicates = 200;
    private const ulong BootstrapSeed = 0x6d65_7465_7274_7769;

    /// <summary>A twelfth of a year.</summary>
    public const double DaysPerMonth = 30.44;

    public static DetectorResult Of(IReadOnlyList<ScoredCase> cases)
    {
        var sample = new Sample(cases);
        var ones = new double[cases.Count];
        ones.AsSpan().Fill(1);
        var whole = sample.Measure(ones);
        var drawn = new Sample.Outcome[Replicates];
        var homes = cases.Select(c => c.HomeIndex).Distinct().Order().ToArray();
        var random = new SplitMix64(BootstrapSeed);
        for (var b = 0; b < Replicates; b++) drawn[b] = sample.Measure(Weights(cases, homes, random));
        var kinds = sample.Kinds.Select((kind, k) =>
            (kind, With(whole.Kinds[k], drawn.Select(o => o.Kinds[k])))).ToArray();
        var honest = cases.Where(c => c.Cause == Cause.Honest).ToArray();
        var months = honest.Length * (LastDay(cases) - Protocol.FirstJudgedDay) / DaysPerMonth;
        var alarms = honest.Sum(c => c.Alarms(whole.At1));
        return new DetectorResult(With(whole.Macro, drawn.Select(o => o.Macro)), kinds,
            Shares(cases, Cause.LookAlike, whole.At1), Shares(cases, Cause.Fault, whole.At1), whole.At1, whole.At5,
            months > 0 ? 1000 * alarms / months : double.NaN, sample.Roc(ones));
    }

    private static int LastDay(IReadOnlyList<ScoredCase> cases) => cases.Count == 0 ? 0 : cases.Max(c => c.Days.Length);

    /// <summary>As many homes drawn as there are, with replacement; a case weighs as often as its home came.</summary>
    private static double[] Weights(IReadOnlyList<ScoredCase> cases, int[] homes, SplitMix64 random)
    {
        var count = new int[homes.Length == 0 ? 0 : homes[^1] + 1];
        for (var i = 0; i < homes.Length; i++) count[homes[random.Next(homes.Length)]]++;
        var weights = new double[cases.Count];
        for (var i = 0; i < weights.Length; i++) weights[i] = count[cases[i].HomeIndex];
        return weights;
    }

    private static Measured With(Measure value, IEnumerable<Measure> drawn)
    {
        var all = drawn.ToArray();
        return new Measured(value, Interval(all.Select(m => m.Auc)), Interval(all.Select(m => m.TprAt1)),
            Interval(all.Select(m => m.TprAt5)), Interval(all.Select(m => m.Delay)));
    }

    /// <summary>2.5th to 97.5th percentile of what could be computed.</summary>
    private static Range Interval(IEnumerable<double> values)
    {
        var sorted = values.Where(v => !double.IsNaN(v)).Order().ToArray();
        return sorted.Length == 0 ? new Range(double.NaN, double.NaN)
            : new Range(Percentile(sorted, 0.025), Percentile(sorted, 0.975));
    }

    /// <summary>Linear between the values next to it; NaN of nothing.</summary>
    public static double Percentile(ReadOnlySpan<double> sorted, double share) =>
        sorted.IsEmpty ? double.NaN : Quantiles.Of(sorted, share);

    private static (double, IReadOnlyList<(string, int, double)>) Shares(IReadOnlyList<ScoredCase> cases, Cause cause,
        double threshold)
    {
        var kinds = cases.Where(c => c.Cause == cause).GroupBy(c => c.Kind).OrderBy(g => Place(g.Key))
            .Select(g => (g.Key, g.Count(), g.Average(c => c.Score > threshold ? 1.0 : 0))).ToArray();
        return (kinds.Length == 0 ? double.NaN : kinds.Average(k => k.Item3), kinds);
    }

    /// <summary>Place of a kind in the catalogue.</summary>
    internal static int Place(string kind) => Scenarios.All.TakeWhile(s => s.Id != kind).Count();
}
