using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>Puts together what there is of one case.</summary>
internal static class CaseReader
{
    /// <summary>Entries of a timeline: the last.</summary>
    private const int MaxTimeline = 1_000;

    /// <summary>Resolved cases of the same kind that are looked at, and those that are shown.</summary>
    private const int MaxCompared = 50, MaxSimilar = 5;

    /// <param name="fleet">Where it is.</param>
    /// <param name="row">The case as it is now.</param>
    /// <param name="knownAt">As it was known then; null: now.</param>
    /// <param name="regions">What the caller may see; none: everything.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="ApiProblem">404: it was not known then.</exception>
    public static async Task<CaseDetail> Detail(IFleet fleet, ListedCase row, UnixTime? knownAt,
        IReadOnlyList<string> regions, CancellationToken cancel)
    {
        var history = CaseHistory.Of(fleet.Ledger, row.Case.Case, row.Case.Number, knownAt);
        if (knownAt is { } time)
            row = row with
            {
                Case = history.Case ?? (history.Responses.Count > 0 ? row.Case : throw new ApiProblem(404,
                    "case_not_found", $"This case was not known at {time}.", "Ask for a later time.")),
                Responses = history.Responses,
            };
        var findings = new List<Finding>();
        foreach (var id in row.Case.FindingIds)
            if (await fleet.Findings(new FindingQuery(null, null, null, null, 1) { Id = id }, cancel) is [var finding])
                findings.Add(finding);
        return new CaseDetail(CaseItem.Of(row, knownAt is not null))
        {
            KnownAt = knownAt,
            Why = row.Case.Why,
            PolicyDigest = row.Case.PolicyDigest,
            Findings = [.. findings.Select(FindingView.Of)],
            CounterEvidence = [.. findings.SelectMany(f => f.CounterEvidence).Distinct()],
            Responses = [.. row.Responses.Select(ResponseItem.Of)],
            Decision = DecisionView.Of(history.Decided, row.Responses),
            Timeline = [.. history.Entries.TakeLast(MaxTimeline).Select(TimelineEntry.Of)],
            Comments = [.. history.Entries.Select(Comment).OfType<CommentView>()],
            Similar = Similar(fleet.Ledger, row.Case, regions),
        };
    }

    private static CommentView? Comment(StoredEntry entry) => entry.Entry.Kind == LedgerKind.Act
        && Input.Read(entry.Entry.Body) is CaseAct { Text.Length: > 0 } act
        ? new CommentView(entry.Number, act.At, act.By.Person, act.Text) : null;

    /// <summary>Those of the same cause first, then those of the same kind, newest first.</summary>
    private static SimilarCase[] Similar(ILedgerSource ledger, CaseSnapshot c, IReadOnlyList<string> regions)
    {
        if (c.Findings.Length == 0) return [];
        var kind = c.Findings.MaxBy(f => f.Severity).Kind;
        return [.. ledger.Find(new CaseQuery(c.Desk, null, CaseHandling.Resolved, null, true, MaxCompared)
            {
                Kind = kind, Regions = regions,
            }).Select(r => r.Case).Where(s => s.Id != c.Id)
            .OrderByDescending(s => c.Cause.Length > 0 && s.Cause == c.Cause).Take(MaxSimilar)
            .Select(s => new SimilarCase(s.Id, s.Sentence, s.Disposition, s.ChangedAt))];
    }
}
