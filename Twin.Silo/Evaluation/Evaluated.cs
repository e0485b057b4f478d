using Twin.Detection.Evaluation;

namespace Twin.Silo.Evaluation;

/// <summary>A detector measured.</summary>
internal sealed record DetectorOutcome(string Name, DetectorResult Result, IReadOnlyList<VisitResult> Visits)
{
    public static DetectorOutcome Of(string name, IReadOnlyList<ScoredCase> cases) =>
        new(name, Measures.Of(cases), WeeklyVisits.Of(cases));
}

/// <summary>An evaluation played and measured.</summary>
/// <param name="Options">What was asked for.</param>
/// <param name="Homes">What was read.</param>
/// <param name="HomesUsed">Homes of the half.</param>
/// <param name="Played">What was played.</param>
/// <param name="Own">Our own score.</param>
/// <param name="References">Single references first, then fusions.</param>
/// <param name="BestReference">The reference with the highest macro TPR at 1 % FPR; null without references.</param>
internal sealed record Evaluated(EvaluationOptions Options, RecordedHomes Homes, int HomesUsed, Played Played,
    DetectorOutcome Own, IReadOnlyList<DetectorOutcome> References, string? BestReference)
{
    public static Evaluated Of(EvaluationOptions options, RecordedHomes homes, Played played)
    {
        var own = DetectorOutcome.Of("metertwin", played.Own);
        var references = played.References.AsParallel().AsOrdered()
            .Select(r => DetectorOutcome.Of(r.Name, r.Cases)).ToArray();
        var best = references.Where(r => !IsModel(r.Name)).OrderByDescending(r => r.Result.Macro.Value.TprAt1)
            .FirstOrDefault()?.Name;
        return new Evaluated(options, homes,
            homes.Homes.Count(h => RecordedHome.IsIn(h.Name, options.Half)), played, own, references, best);
    }

    /// <summary>Models are measured beside, and are no references: what is fused with our own score least of all.
    /// </summary>
    public static bool IsModel(string name) => name.StartsWith(PlayedSet.ModelPrefix, StringComparison.Ordinal)
        || name.StartsWith(PlayedSet.FusedPrefix, StringComparison.Ordinal);
}
