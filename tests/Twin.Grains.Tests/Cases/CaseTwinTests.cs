using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using static Twin.Grains.Tests.Cases.AnswerHarness;

namespace Twin.Grains.Tests.Cases;

/// <summary>How findings become cases, and what people do with them.</summary>
public sealed class CaseTwinTests
{
    private readonly AnswerHarness _harness = new();

    [Fact]
    public void Findings_of_a_subject_are_one_case_and_one_told_twice_is_one()
    {
        var first = _harness.Find();
        _harness.Tell(first);
        _harness.Find(FindingKind.Downgrade, ago: 600);

        Assert.Equal((2, 2, 1), (_harness.File.FindingCount, _harness.File.Findings.Length, _harness.File.Number));
        Assert.Equal((Start.Seconds - 600, Start.Seconds), (_harness.File.From.Seconds, _harness.File.To.Seconds));
        Assert.Equal(3, _harness.Twins.Ledger.Count(e => e.Kind == LedgerKind.Report));
        Assert.Equal(2, _harness.Asked.Count);
    }

    [Fact]
    public void What_is_covered_is_recorded_and_neither_queued_nor_answered()
    {
        _harness.Policy = _ => Answer with { Verdict = CaseVerdict.Suppressed, Covered = "S-7" };
        _harness.Find();

        Assert.Equal((CaseVerdict.Suppressed, "S-7"), (_harness.File.Verdict, _harness.File.Covered));
        Assert.EndsWith("Suppressed by S-7.", _harness.File.Sentence, StringComparison.Ordinal);
        Assert.Empty(_harness.Responses);
        Assert.DoesNotContain(CaseKey.OfDesk(Desk.Security), _harness.Twins.Keys);
    }

    [Fact]
    public void After_a_resolved_case_the_next_finding_opens_the_next_but_what_tells_late_of_the_same_does_not()
    {
        var known = _harness.Find();
        _harness.Find(ago: 3_600);
        Assert.Equal("", _harness.Do(CaseActKind.Confirm));
        Assert.Equal("", _harness.Do(CaseActKind.Resolve, disposition: Disposition.True));
        _harness.Tell(known);
        _harness.Find(ago: 1_800);
        Assert.Equal((1, CaseHandling.Resolved, 3),
            (_harness.File.Number, _harness.File.Handling, _harness.File.FindingCount));

        _harness.Wait(60);
        _harness.Find();

        Assert.Equal((2, CaseHandling.New, 1),
            (_harness.File.Number, _harness.File.Handling, _harness.File.FindingCount));
        Assert.False(_harness.Asked[^1].Confirmed);
    }

    [Fact]
    public void People_acknowledge_assign_resolve_and_reopen_and_hear_why_not()
    {
        Assert.Contains("no such case", _harness.Do(CaseActKind.Acknowledge), StringComparison.Ordinal);
        _harness.Find();
        Assert.Equal("", _harness.Do(CaseActKind.Acknowledge, assignee: "ada"));
        Assert.Equal((CaseHandling.Acknowledged, "ada"), (_harness.File.Handling, _harness.File.Assignee));
        Assert.Contains("already", _harness.Do(CaseActKind.Acknowledge), StringComparison.Ordinal);
        Assert.Equal("", _harness.Do(CaseActKind.Assign, assignee: "grace"));
        Assert.Equal((CaseHandling.InProgress, "grace"), (_harness.File.Handling, _harness.File.Assignee));
        Assert.Contains("disposition", _harness.Do(CaseActKind.Resolve), StringComparison.Ordinal);
        Assert.Equal("", _harness.Do(CaseActKind.Resolve, disposition: Disposition.Benign));
        Assert.Contains("reopen", _harness.Do(CaseActKind.Escalate), StringComparison.Ordinal);
        Assert.Equal("", _harness.Do(CaseActKind.Reopen));
        Assert.Equal((CaseHandling.InProgress, Disposition.None), (_harness.File.Handling, _harness.File.Disposition));
    }

    [Theory]
    [InlineData(FindingKind.UnauthorisedUpgrade, CaseCondition.Ended)]
    [InlineData(FindingKind.CorrelatedSilence, CaseCondition.NoData)]
    public void A_case_without_news_ends_and_goes_on_with_the_next_finding(FindingKind kind, CaseCondition end)
    {
        var key = CaseKey.Of(Meter, Desks.Of(kind));
        _harness.Policy = _ => Answer with { Rung = ResponseRung.Log };
        _harness.Find(kind);
        _harness.Wait(CaseTwin.QuietSeconds - 1);
        Assert.Equal(CaseCondition.Ongoing, _harness[key].Case.Condition);
        _harness.Wait(1);
        Assert.Equal(end, _harness[key].Case.Condition);
        _harness.Find(kind);
        Assert.Equal((CaseCondition.Ongoing, 1), (_harness[key].Case.Condition, _harness[key].Case.Number));
    }

    [Fact]
    public void A_grave_case_that_nobody_acknowledges_escalates_once()
    {
        _harness.Find();
        _harness.Wait(CaseTwin.EscalateHighSeconds - 1);
        Assert.DoesNotContain("Escalated", _harness.File.Sentence, StringComparison.Ordinal);
        _harness.Wait(1);
        Assert.EndsWith("Escalated: nobody has acknowledged it.", _harness.File.Sentence, StringComparison.Ordinal);
        var entries = _harness.Twins.Ledger.Count;
        _harness.Wait(60);
        Assert.Equal(entries, _harness.Twins.Ledger.Count);
    }

    [Fact]
    public void Ten_thousand_findings_of_one_cause_are_one_queued_case_and_the_one_apart_stays_its_own()
    {
        _harness.Policy = _ => Answer with { Rung = ResponseRung.Log };
        _harness.Tell([.. Enumerable.Range(0, 10_000).Select(i =>
            _harness.Make(FindingKind.UnauthorisedUpgrade, $"S-{i}", 0, Severity.High, "image:00000000000000aa"))]);
        _harness.Find(FindingKind.ClonedKey, "apart");

        var queued = _harness.Twins.Keys.Where(k => k.Kind == TwinKind.Case).Select(k => _harness[k].Case)
            .Where(c => c.Placing == Placing.Queued).ToArray();

        Assert.Equal(2, queued.Length);
        Assert.Equal((10_000, "image:00000000000000aa"), (queued.Max(c => c.Members),
            queued.MaxBy(c => c.Members)!.Cause));
        Assert.Equal("apart", queued.MinBy(c => c.Members)!.SubjectName);
    }

    [Fact]
    public void What_is_beyond_the_days_budget_is_one_case_and_the_next_day_has_its_own()
    {
        _harness.Policy = _ => Answer with { Rung = ResponseRung.Log, StormSize = 0, DeskBudget = 2 };
        for (var i = 0; i < 5; i++) _harness.Find(name: $"B-{i}");
        Placing[] Placed() => [.. Enumerable.Range(0, 6).Select(i => CaseKey.Of(
            MeterId.FromUtilityId($"B-{i}").Twin, Desk.Security)).Where(_harness.Twins.Keys.Contains)
            .Select(k => _harness[k].Case.Placing)];

        Assert.Equal([Placing.Queued, Placing.Queued, Placing.Overflow, Placing.Overflow, Placing.Overflow], Placed());
        _harness.Wait(86_400);
        _harness.Find(name: "B-5");
        Assert.Equal(Placing.Queued, Placed()[^1]);
    }
}
