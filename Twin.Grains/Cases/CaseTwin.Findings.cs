using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Cases;

// What a case hears of its subject, and what the policy makes of it.
public sealed partial class CaseTwin
{
    private void Hear(Report report, IOutbox outbox)
    {
        _now = CaseFile.Max(_now, Bound(report.At));
        // Another twin that speaks of the subject knows its name only: what the subject said of itself stays.
        if (report.Context != SubjectContext.Of(report.Context.Name) || !IsKnown) _context = report.Context;
        if (report.Finding is { } finding)
        {
            Learn(finding.Subject, finding.SubjectName, Desks.Of(finding.Kind));
            Add(finding);
            if (_file.AwareAt.Seconds != 0) RecordCase(outbox);
        }
        else
        {
            var request = report.Request!;
            Learn(request.Target, report.Context.Name, Desk.Grid);
            Take(request, outbox);
        }
    }

    private void Learn(TwinKey subject, string name, Desk desk) =>
        (_subject, _name, _desk) = (subject, name.Length > 0 ? name : subject.ToString(), desk);

    /// <summary>
    /// A resolved case is not opened again by what comes later: that begins the next one, without a grace, since
    /// whoever resolved it looked at what there was. What tells late of the same time and kind was part of that. What
    /// was confirmed of the one says nothing of the other, nor what was tried and declined.
    /// </summary>
    private void Add(Finding finding)
    {
        if (_file.Handling == CaseHandling.Resolved && !_file.Covers(finding))
        {
            _file = new CaseFile { Number = _file.Number + 1 };
            _responses.RemoveAll(r => r.IsGone && r.Record.Request.Length == 0);
        }
        if (_file.Add(finding)) _mustAsk = true;
    }

    private void Decide(Decision decision, IOutbox outbox)
    {
        if (!_questions.TryDequeue(out var question)) return;
        var w = new ByteWriter(1024);
        new DecisionRecord(question.Facts, decision).Write(w);
        Record(outbox, LedgerKind.Decision, _now, w.Written);
        (_stormSize, _deskBudget) = (decision.StormSize, decision.DeskBudget);
        if (question.About == 0) Decide(decision, question.Facts, outbox);
        else if (_responses.Find(r => r.Record.Number == question.About) is { } response)
            Decide(response, decision, outbox);
    }

    private void Decide(Decision decision, CaseFacts facts, IOutbox outbox)
    {
        var isNews = _file.Verdict != decision.Verdict || _file.Why != decision.Why || _file.AwareAt.Seconds == 0;
        (_file.Verdict, _file.Covered, _file.Why) = (decision.Verdict, decision.Covered, decision.Why);
        _file.PolicyDigest = decision.PolicyDigest;
        // The utility is aware from the moment on at which it was put before people.
        if (_file.AwareAt.Seconds == 0 && _file.FindingCount > 0) _file.AwareAt = _now;
        _reviewAt = decision.ReviewAt;
        if (decision.Verdict == CaseVerdict.Open && decision.Rung != ResponseRung.Log
            && (!_isGroup || !ResponseRungs.IsCommand(decision.Rung)))
            isNews |= Propose(decision, facts, default, "", "", outbox) is not null;
        if (isNews) RecordCase(outbox);
    }

    private void Place(DeskPlace place, IOutbox outbox)
    {
        if (place.Number != _file.Number) return;
        (_file.Placing, _file.Group) = (place.Placing, place.Group);
        RecordCase(outbox);
    }

    /// <summary>A group gets a member: it is as grave as the gravest, and as long as all of them.</summary>
    private void Hear(DeskEntry member, IOutbox outbox)
    {
        _now = CaseFile.Max(_now, Bound(member.At));
        if (!IsKnown)
        {
            // The group is a subject of its own: what is done to its members their own cases do.
            (_subject, _isGroup, _desk) = (Self, true, Desks.Of(member.Kind));
            _name = member.Cause.Length > 0 ? member.Cause : Finding.NameOf(member.Kind);
            _file.Members = 0;
        }
        _file.Members = Math.Min(_file.Members, int.MaxValue - 1) + 1;
        _stormSize = member.StormSize;
        if (_file.Add(new Finding(member.Subject, member.SubjectName, member.Kind, member.From, member.To, member.At,
            0, member.Severity, 1, "desk", 1, "", "", [], [])
        { Cause = member.Cause })) _mustAsk = true;
        _file.Headline = CaseSentences.Group(_name, member, _file);
        _file.Entered = true;
        if (_file.AwareAt.Seconds == 0) (_file.AwareAt, _file.Verdict) = (_now, CaseVerdict.Open);
        _membersCame = true;
    }

    /// <summary>What is grave and waits in the queue is told once more: as an entry of the ledger, graver.</summary>
    private void EscalateWhenIgnored(IOutbox outbox)
    {
        if (_file is not
            {
                IsOpen: true, Escalated: false, Handling: CaseHandling.New, Placing: Placing.Queued,
                Severity: >= Severity.High
            }) return;
        var patience = _file.Severity == Severity.Critical ? EscalateCriticalSeconds : EscalateHighSeconds;
        if (_now.Seconds - _file.AwareAt.Seconds < patience) return;
        _file.Escalated = true;
        RecordCase(outbox);
    }

    private void EndWhenQuiet(IOutbox outbox)
    {
        if (_file.IsEmpty || _file.Condition != CaseCondition.Ongoing
            || _now.Seconds - CaseFile.Max(_file.To, _file.AwareAt).Seconds < QuietSeconds) return;
        _file.Condition = _file.Findings.All(f => f.Kind is FindingKind.MissingReadings or FindingKind.BackhaulLost
            or FindingKind.CorrelatedSilence or FindingKind.AttestationOverdue)
            ? CaseCondition.NoData : CaseCondition.Ended;
        if (_file.Entered && !_isGroup) Enter(outbox, ended: true);
        if (_file.AwareAt.Seconds != 0) RecordCase(outbox);
    }
}
