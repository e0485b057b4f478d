using System.Text.Json.Serialization;
using Twin.Detection.Evaluation;
using Twin.Silo.Commands;

namespace Twin.Silo.Evaluation;

// The JSON of an evaluation. Figures have four decimals; what cannot be told is null. Nothing in it depends on the
// machine or the hour: the same files and flags give the same text.

/// <summary>95 % intervals, each [low, high].</summary>
internal sealed record IntervalFigures(
    double?[] Auc,
    [property: JsonPropertyName("tpr_at_1pct_fpr")] double?[] TprAt1,
    [property: JsonPropertyName("tpr_at_5pct_fpr")] double?[] TprAt5,
    double?[] DelayDaysMedian);

internal sealed record Figures(
    int N,
    double? Auc,
    [property: JsonPropertyName("tpr_at_1pct_fpr")] double? TprAt1,
    [property: JsonPropertyName("tpr_at_5pct_fpr")] double? TprAt5,
    double? DelayDaysMedian,
    IntervalFigures Ci)
{
    public static Figures Of(Measured m) => new(m.Value.Cases, Rounded(m.Value.Auc), Rounded(m.Value.TprAt1),
        Rounded(m.Value.TprAt5), Rounded(m.Value.Delay),
        new IntervalFigures(Ends(m.Auc), Ends(m.TprAt1), Ends(m.TprAt5), Ends(m.Delay)));

    private static double?[] Ends(Detection.Evaluation.Range r) => [Rounded(r.Low), Rounded(r.High)];

    public static double? Rounded(double value) => double.IsFinite(value) ? Math.Round(value, 4) : null;
}

/// <summary>Share alarmed at the 1 % threshold.</summary>
internal sealed record ShareFigures(double? Macro, Dictionary<string, double?> Kinds)
{
    public static ShareFigures Of((double Macro, IReadOnlyList<(string Kind, int Cases, double Share)> Kinds) s) =>
        new(Figures.Rounded(s.Macro), s.Kinds.ToDictionary(k => k.Kind, k => Figures.Rounded(k.Share)));
}

internal sealed record VisitFigures(double Prevalence,
    [property: JsonPropertyName("visits_per_1000_meters_week")] int Visits, double? Precision,
    double? VisitsPerConfirmedTheft);

/// <summary>Scores above which 1 and 5 % of honest meters lie.</summary>
internal sealed record ThresholdFigures(
    [property: JsonPropertyName("at_1pct_fpr")] double? At1,
    [property: JsonPropertyName("at_5pct_fpr")] double? At5)
{
    public static ThresholdFigures Of(DetectorResult r) =>
        new(Figures.Rounded(r.ThresholdAt1), Figures.Rounded(r.ThresholdAt5));
}

/// <summary>One detector.</summary>
internal sealed record DetectorFigures(
    Figures Macro,
    Dictionary<string, Figures> Kinds,
    ShareFigures Lookalikes,
    ShareFigures Faults,
    ThresholdFigures Thresholds,
    [property: JsonPropertyName("alarms_per_1000_meters_month")] double? Alarms,
    [property: JsonPropertyName("precision_top_k")] IReadOnlyList<VisitFigures> Visits)
{
    public static DetectorFigures Of(DetectorResult r, IReadOnlyList<VisitResult> visits) => new(Figures.Of(r.Macro),
        r.Kinds.ToDictionary(k => k.Kind, k => Figures.Of(k.Measured)), ShareFigures.Of(r.LookAlikes),
        ShareFigures.Of(r.Faults), ThresholdFigures.Of(r), Figures.Rounded(r.AlarmsPer1000MetersMonth),
        [.. visits.Select(v => new VisitFigures(v.Prevalence, v.VisitsPer1000, Figures.Rounded(v.Precision),
            Figures.Rounded(v.VisitsPerTheft)))]);
}

/// <summary>What was evaluated, and how to do it again.</summary>
internal sealed record EvaluationParameters(string Edition, string Version, int JudgingVersion, ulong Seed, int Sets,
    int HomesPerSet, string Half, IReadOnlyList<string> Attacks, string Observers,
    [property: JsonPropertyName("from_day0")] bool FromDay0, int Days, int FirstJudgedDay, string FirstDay,
    int IntervalMinutes, int MetersRead, int HomesUsed, int LeftOutForGaps, int LeftOutForInterval, int Honest,
    int Thefts, int Lookalikes, int Faults);

internal sealed record NoOpFigures(int Set, int Meter, string Home, string Kind, double? EnergyChange,
    double? ShapeChange);

/// <summary>What the service itself stated on meters of the sets: reading models and balance.</summary>
/// <param name="HonestPer1000MetersMonth">Findings of honest meters.</param>
/// <param name="Thefts">Share of thefts with a finding after the onset, by kind and macro.</param>
/// <param name="Lookalikes">Share of look-alikes with a finding.</param>
internal sealed record FindingFigures(
    [property: JsonPropertyName("honest_per_1000_meters_month")] double? HonestPer1000MetersMonth,
    ShareFigures Thefts, ShareFigures Lookalikes);

internal sealed record EvaluationSummary(EvaluationParameters Params, Figures Macro, Dictionary<string, Figures> Kinds,
    ShareFigures Lookalikes, ShareFigures Faults, ThresholdFigures Thresholds,
    [property: JsonPropertyName("alarms_per_1000_meters_month")] double? Alarms,
    [property: JsonPropertyName("precision_top_k")] IReadOnlyList<VisitFigures> Visits,
    FindingFigures Findings, Dictionary<string, DetectorFigures> References, string? BestReference,
    IReadOnlyList<NoOpFigures> NoOps)
{
    public static EvaluationSummary Of(Evaluated e)
    {
        var own = DetectorFigures.Of(e.Own.Result, e.Own.Visits);
        return new EvaluationSummary(Parameters(e), own.Macro, own.Kinds, own.Lookalikes, own.Faults,
            own.Thresholds, own.Alarms,
            own.Visits, OfFindings(e.Played.Own),
            OfReferences(e), e.BestReference,
            [.. e.Played.NoOps.Select(n => new NoOpFigures(n.Set, n.Meter, n.Home, n.Kind,
                Figures.Rounded(n.EnergyChange), Figures.Rounded(n.ShapeChange)))]);
    }

    /// <summary>All by name, and once more the best of them, fused or single, under <c>best_fusion</c>.</summary>
    private static Dictionary<string, DetectorFigures> OfReferences(Evaluated e)
    {
        var all = e.References.ToDictionary(r => r.Name, r => DetectorFigures.Of(r.Result, r.Visits));
        if (e.BestReference is { } best) all["best_fusion"] = all[best];
        return all;
    }

    private static EvaluationParameters Parameters(Evaluated e)
    {
        var (plan, options, homes) = (e.Played.Plan, e.Options, e.Homes);
        int Count(Cause cause) => e.Played.Own.Count(c => c.Cause == cause);
        return new EvaluationParameters(Edition.Name, Cli.Version, new Grains.TwinFactory().JudgingVersion, plan.Seed,
            plan.Sets, plan.Homes, options.Half.ToString().ToLowerInvariant(), plan.Thefts,
            plan.Observers ? "on" : "off", plan.FromDay0, Protocol.Days, Protocol.FirstJudgedDay,
            Hardware.LocalDay.FormatDate(plan.FirstDay), plan.IntervalMinutes, homes.Meters, e.HomesUsed,
            homes.TooShort, homes.OtherInterval, Count(Cause.Honest), Count(Cause.Theft), Count(Cause.LookAlike),
            Count(Cause.Fault));
    }

    private static FindingFigures OfFindings(IReadOnlyList<ScoredCase> cases)
    {
        var honest = cases.Where(c => c.Cause == Cause.Honest).ToArray();
        var months = honest.Length * Protocol.Days / Measures.DaysPerMonth;
        return new FindingFigures(Figures.Rounded(1000 * honest.Sum(c => c.Findings.Length) / months),
            Stated(cases, Cause.Theft), Stated(cases, Cause.LookAlike));
    }

    private static ShareFigures Stated(IReadOnlyList<ScoredCase> cases, Cause cause)
    {
        var kinds = cases.Where(c => c.Cause == cause).GroupBy(c => c.Kind)
            .ToDictionary(g => g.Key, g => g.Average(c => c.Findings.Any(d => d >= c.Onset) ? 1.0 : 0));
        return new ShareFigures(kinds.Count == 0 ? null : Figures.Rounded(kinds.Values.Average()),
            Scenarios.All.Where(s => kinds.ContainsKey(s.Id))
                .ToDictionary(s => s.Id, s => Figures.Rounded(kinds[s.Id])));
    }
}
