using Twin.Detection;
using Twin.Grains.Meters;
using Twin.Hardware;

namespace Twin.Grains.Cases;

// What people do with a case and its responses, and what gateways say. Judged at the door by the state as it is, so
// that whoever does it hears at once why not.
public sealed partial class CaseTwin
{
    /// <summary>An approval may be dated so far ahead of the case's own time, s: people's clocks differ.</summary>
    private const int AheadSeconds = 24 * 3_600;

    /// <exception cref="InvalidDataException">The input is damaged.</exception>
    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        var reason = Input.Read(input) switch
        {
            CaseAct act => Refusal(act),
            ResponseAct act => Refusal(act),
            ResponseOutcome outcome => outcome.Gateway.Length > 64 || outcome.Code.Length > CaseAct.MaxText
                ? "an outcome's texts are too long" : Contexts.IsPossible(outcome.At) ? null : "its time is impossible",
            var other => $"an input of kind {other.Kind} does not come through this door",
        };
        if (reason is not null) return Admission.Reject($"case {Id:x16}: {reason}");
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    /// <summary>Why a case in that state would refuse an act; null when it would take it.</summary>
    /// <exception cref="InvalidDataException">The state is damaged, or written by a newer version.</exception>
    public static string? RefusalOf(TwinKey key, ReadOnlySpan<byte> state, CaseAct act) =>
        Restore(key.Id, state).Refusal(act);

    private string? Refusal(CaseAct act)
    {
        if (act.Refusal() is { } reason) return reason;
        if (!Contexts.IsPossible(act.At)) return "its time is impossible";
        if (!IsKnown || _file.IsEmpty) return "there is no such case";
        return act.Act switch
        {
            CaseActKind.Reopen when _file.Handling != CaseHandling.Resolved => "it is not resolved",
            CaseActKind.Resolve when _file.Handling == CaseHandling.Resolved => "it is resolved already",
            CaseActKind.Acknowledge when _file.Handling != CaseHandling.New => "it is acknowledged already",
            CaseActKind.Assign or CaseActKind.Escalate or CaseActKind.Confirm or CaseActKind.ConfirmDangerous
                when _file.Handling == CaseHandling.Resolved => "it is resolved; reopen it first",
            _ => null,
        };
    }

    private string? Refusal(ResponseAct act)
    {
        if (act.Refusal() is { } reason) return reason;
        if (!Contexts.IsPossible(act.At)) return "its time is impossible";
        if (!IsKnown) return "there is no such case";
        if (act.Act == ResponseActKind.Quarantine) return null;
        if (act.Act == ResponseActKind.Propose)
            return act.Rung is ResponseRung.Log ? "a response that does nothing is none; name a rung"
                : _isGroup ? "a group has no device; propose it in the case of a member" : null;
        if (_responses.Find(r => r.Record.Number == act.Response) is not { } response)
            return $"it has no response {act.Response}";
        return Refusal(act, response);
    }

    private string? Refusal(ResponseAct act, LiveResponse response)
    {
        var record = response.Record;
        string Is() => $"response {record.Number} is {record.State.ToString().ToLowerInvariant()}";
        return act.Act switch
        {
            ResponseActKind.Approve when record.State != ResponseState.Proposed => Is(),
            ResponseActKind.Process when record.State != ResponseState.Quarantined => Is(),
            ResponseActKind.Approve or ResponseActKind.Process when record.RequestedBy.Person.Length > 0
                && act.By.Key == record.RequestedBy.Key => "who asks for a response cannot approve it",
            ResponseActKind.Approve or ResponseActKind.Process when Array.Exists(record.Approvals,
                a => a.By.Key == act.By.Key) => $"{act.By} approved it already; another person is needed",
            // What is quarantined sleeps, and hears no time.
            ResponseActKind.Approve
                when _now.Seconds != 0 && CaseFile.Max(_now, record.ProposedAt) is var known
                    && act.At.Seconds > known.Seconds + AheadSeconds =>
                $"the approval is dated {act.At}, over a day ahead of {known}; correct the clock",
            ResponseActKind.Approve or ResponseActKind.Process
                when act.At.Seconds < record.ProposedAt.Seconds - AheadSeconds =>
                $"the approval is dated {act.At}, before what it approves was proposed",
            ResponseActKind.Approve or ResponseActKind.Process
                when record.Approvals.Length >= ResponseRecord.MaxApprovals => "it has approvals enough",
            ResponseActKind.Reject or ResponseActKind.Delete
                when record.State is not (ResponseState.Proposed or ResponseState.Quarantined) => Is(),
            ResponseActKind.Cancel when !response.IsPending && record.State != ResponseState.Quarantined =>
                Is() + "; undo it instead",
            ResponseActKind.Undo when record.State is not (ResponseState.Done or ResponseState.Executing) => Is(),
            ResponseActKind.Undo when record.Rung is ResponseRung.Notify or ResponseRung.Reattest
                or ResponseRung.RotateKeys => "what it did cannot be taken back, and harms nobody",
            _ => null,
        };
    }

    private void Apply(CaseAct act, IOutbox outbox)
    {
        switch (act.Act)
        {
            case CaseActKind.Acknowledge:
                _file.Handling = CaseHandling.Acknowledged;
                if (act.Assignee.Length > 0) _file.Assignee = act.Assignee;
                break;
            case CaseActKind.Assign:
                (_file.Assignee, _file.Handling) = (act.Assignee, CaseHandling.InProgress);
                break;
            case CaseActKind.Escalate:
                if (_file.Handling == CaseHandling.New) _file.Handling = CaseHandling.Acknowledged;
                if (_file.Severity < Severity.Critical) _file.Severity++;
                _file.Entered = false;
                _mustAsk = true;
                break;
            case CaseActKind.Resolve:
                (_file.Handling, _file.Disposition, _reviewAt) = (CaseHandling.Resolved, act.Disposition, default);
                break;
            case CaseActKind.Reopen:
                (_file.Handling, _file.Disposition) = (CaseHandling.InProgress, Disposition.None);
                // Said no once is not said no for ever: it is looked at anew.
                _responses.RemoveAll(r => r.Declined && !r.Held);
                _mustAsk = true;
                break;
            case CaseActKind.Confirm or CaseActKind.ConfirmDangerous:
                _file.Confirmed = true;
                _file.ConfirmedDangerous |= act.Act == CaseActKind.ConfirmDangerous;
                _mustAsk = true;
                break;
            default: break;
        }
        RecordCase(outbox);
    }

    private void Apply(ResponseAct act, IOutbox outbox)
    {
        if (act.Act == ResponseActKind.Quarantine)
        {
            foreach (var pending in _responses.Where(r => r.IsPending && r.Record.Rung != ResponseRung.Notify))
                Hold(pending, act.Why.Length > 0 ? act.Why : $"put into quarantine by {act.By}", outbox);
            return;
        }
        if (act.Act == ResponseActKind.Propose)
        {
            Want(act.Rung, act.By, "", "", act.Why, outbox, act.At);
            _mustAsk |= !_file.IsEmpty;
            return;
        }
        if (_responses.Find(r => r.Record.Number == act.Response) is { } response) Apply(act, response, outbox);
    }

    private void Apply(ResponseAct act, LiveResponse response, IOutbox outbox)
    {
        switch (act.Act)
        {
            case ResponseActKind.Approve: Approve(act, response, outbox); break;
            case ResponseActKind.Process:
                Approve(act, response, outbox);
                if (response.Record.Approvals.Length < Math.Max(1, response.Record.Needed)) break;
                (response.Approved, response.Asked) = (true, false);
                Turn(response, ResponseState.Proposed, "", outbox);
                break;
            case ResponseActKind.Undo: TakeBack(response, ResponseState.Undone, act.Why, outbox); break;
            default:
                response.Declined = true;
                // What was granted goes back at the next sweep, since nothing may be sent now.
                Turn(response, act.Act == ResponseActKind.Reject ? ResponseState.Rejected : ResponseState.Cancelled,
                    act.Why, outbox);
                break;
        }
    }

    private void Approve(ResponseAct act, LiveResponse response, IOutbox outbox)
    {
        response.Record = response.Record with
        {
            Approvals = [.. response.Record.Approvals, new Approval(act.By, act.At)],
        };
        Record(outbox, Ledger.LedgerKind.Response, response);
    }

    /// <summary>Into quarantine: what persons approved before, they approved without knowing this.</summary>
    private void Hold(LiveResponse response, string why, IOutbox outbox)
    {
        response.Record = response.Record with { Approvals = [] };
        Turn(response, ResponseState.Quarantined, why, outbox);
    }

    private void Apply(ResponseOutcome outcome, IOutbox outbox)
    {
        var response = _responses.Find(r => r.Record.Number == outcome.Response);
        if (response is null || response.Record.OrderedAt.Seconds == 0)
        {
            if (!IsKnown) return;
            IFindingSink unknown = Scratch.Mine.SinkTo(outbox);
            unknown.Add(CaseSentences.Unknown(_subject, _name, outcome));
            return;
        }
        if (outcome.IsUndo)
        {
            if (outcome.Result != ResponseResult.Accepted) (response.Undoing, response.UndoAt) = (false, default);
            if (outcome.Result is not (ResponseResult.Failed or ResponseResult.Refused)) return;
            IFindingSink sink = Scratch.Mine.SinkTo(outbox);
            sink.Add(CaseSentences.Unconfirmed(_subject, _name, response.Record with { IsUndo = true }, outcome.At));
            return;
        }
        // Too late is better than never: what was given up as failed holds after all, and is taken back in its time.
        var isLate = response.Record.State == ResponseState.Failed && outcome.Result == ResponseResult.Done;
        if (!isLate && response.Record.State != ResponseState.Executing || outcome.Result == ResponseResult.Accepted)
            return;
        _now = CaseFile.Max(_now, Bound(outcome.At.Seconds <= _now.Seconds + AheadSeconds ? outcome.At : _now));
        if (outcome.Result == ResponseResult.Done) End(response, ResponseState.Done, "", outbox);
        else End(response, ResponseState.Failed, $"{outcome.Gateway}: {outcome.Result} {outcome.Code}".TrimEnd(),
            outbox);
    }
}
