using Twin.Detection;
using Twin.Detection.Specification;
using Twin.Grains.Guards;
using Twin.Grains.Ledger;
using Twin.Grains.Meters;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Grains.Cases;

// The life of responses: proposed, approved, given room, ordered, answered, and ended.
public sealed partial class CaseTwin
{
    /// <summary>One trial of the random delay, s: the delay is geometric in such steps (Temple, Chen and Tippenhauer
    /// 2013).</summary>
    private const int DelayStepSeconds = 60;

    /// <summary>Off and on again is everyday; what is asked for within the same hour besides is a rhythm.</summary>
    private const int RhythmPerHour = 3;

    /// <summary>The policy does the same thing again after so long, s, at the earliest.</summary>
    private const int RepeatSeconds = 86_400;

    /// <summary>The longest delay is so many times the mean.</summary>
    private const int MaxDelays = 8;

    private LiveResponse? Propose(Decision decision, CaseFacts facts, Actor by, string request, string order,
        IOutbox outbox)
    {
        if (by.Person is null or "" && _responses.Exists(r => r.IsLive && r.Record.Rung == decision.Rung
            && r.Record.Request.Length == 0)) return null;
        if (_responses.Exists(r => r.Declined && r.Record.Rung == decision.Rung)) return null;
        if (by.Person is null or "" && _responses.Exists(r => r.Record.Rung == decision.Rung
            && r.Record.RequestedBy.Person.Length == 0 && r.IsOver && !MayRepeat(r))) return null;
        if (!MakeRoom()) return null;
        var record = new ResponseRecord(Self, ++_lastResponse, _subject, _name, decision.Rung, decision.Enforcer,
            ResponseState.Proposed, by.Person is null ? new Actor("", "") : by, request, order,
            WattsOf(decision.Rung, decision.Limits), decision.Approvals, [], _now, default, default, default, default,
            decision.UndoBy, false, decision.Why, "");
        var response = new LiveResponse(record) { Asked = true, FindingCount = _file.FindingCount };
        _responses.Add(response);
        Terms(response, decision);
        if (decision.Rung > _file.Rung && decision.Rung != ResponseRung.Reconnect) _file.Rung = decision.Rung;
        Record(outbox, LedgerKind.Response, response);
        return response;
    }

    /// <summary>What was tried is tried again a day later at the earliest, and only after something new was found.
    /// </summary>
    private bool MayRepeat(LiveResponse response) => _file.FindingCount > response.FindingCount
        && _now.Seconds - response.Record.ProposedAt.Seconds >= RepeatSeconds;

    private bool MakeRoom()
    {
        if (_responses.Count < MaxResponses) return true;
        var over = _responses.FindIndex(r => r.IsGone);
        if (over < 0) over = _responses.FindIndex(r => r.IsOver && !r.Held && !r.Undoing);
        if (over >= 0) _responses.RemoveAt(over);
        return over >= 0;
    }

    /// <summary>Load that a rung moves, W; what is not known counts as the policy says.</summary>
    private long WattsOf(ResponseRung rung, GuardLimits? limits) => !ResponseRungs.MovesLoad(rung) ? 0
        : _context.LoadWatts >= 0 ? _context.LoadWatts : limits?.UnknownWatts ?? 0;

    private void Terms(LiveResponse response, Decision d)
    {
        response.Limits = d.Limits;
        (response.MeanDelaySeconds, response.ExpirySeconds) = (d.MeanDelaySeconds, d.ExpirySeconds);
        response.WindowFrom = d.WindowFrom;
        response.Record = response.Record with
        {
            Watts = WattsOf(response.Record.Rung, d.Limits),
            Enforcer = d.Enforcer,
            Needed = Math.Max(d.Approvals, response.Record.Needed),
            UndoBy = d.UndoBy,
            Reason = d.HoldAll ? "the freeze is on" : "",
        };
        response.AskAt = d.HoldAll ? new UnixTime(_now.Seconds + FrozenSeconds) : default;
    }

    /// <summary>The same request told again is the same; another is asked about on its own.</summary>
    private void Take(CommandRequest request, IOutbox outbox)
    {
        if (_responses.Exists(r => r.Record.Request == request.Request)) return;
        // Counted by when it was heard: who asks says any time.
        if (ResponseRungs.MovesLoad(request.Rung))
            _requests = [.. _requests.Where(t => t > _now.Seconds - 3_600).TakeLast(MaxRequestTimes - 1), _now.Seconds];
        var overtaken = request.Rung == ResponseRung.Reconnect && Overtake(outbox);
        var wanted = Want(request.Rung, request.By, request.Request, request.Order, request.Why, outbox);
        if (overtaken && wanted is not null && !IsOff())
            Turn(wanted, ResponseState.Cancelled, "the disconnection that it ends never went out", outbox);
    }

    /// <summary>
    /// A disconnection that still waits (for its window, its delay, an approval) must not go out after the reconnection
    /// that was asked for later: nobody would end it. True when there was one.
    /// </summary>
    private bool Overtake(IOutbox outbox)
    {
        var waiting = _responses.Where(r => r.IsPending && r.Record.Request.Length > 0
            && ResponseRungs.MovesLoad(r.Record.Rung) && r.Record.Rung != ResponseRung.Reconnect).ToArray();
        foreach (var response in waiting)
            Turn(response, ResponseState.Cancelled, "a reconnection was asked for before it went out", outbox);
        return waiting.Length > 0;
    }

    /// <summary>True when the supply is off, as far as the meter has told or this case has ordered it.</summary>
    private bool IsOff() => _context is { SwitchKnown: true, Switch.Output: false } || _responses.Exists(r =>
        r.Record.State is ResponseState.Executing or ResponseState.Done && ResponseRungs.MovesLoad(r.Record.Rung)
        && r.Record.Rung != ResponseRung.Reconnect);

    /// <param name="at">When a person asked for it: a case that nothing stirs does not know what time it is.</param>
    private LiveResponse? Want(ResponseRung rung, Actor by, string request, string order, string why, IOutbox outbox,
        UnixTime at = default)
    {
        if (!MakeRoom()) return null;
        var response = new LiveResponse(new ResponseRecord(Self, ++_lastResponse, _subject, _name, rung, Enforcer.None,
            ResponseState.Proposed, by, request, order, WattsOf(rung, null), 0, [], CaseFile.Max(_now, Bound(at)),
            default, default,
            default, default, null, false, why, ""));
        _responses.Add(response);
        Record(outbox, LedgerKind.Response, response);
        return response;
    }

    private int RequestsInHour() => _requests.Count(t => t > _now.Seconds - 3_600);

    /// <summary>The policy on what somebody wants.</summary>
    private void Decide(LiveResponse response, Decision decision, IOutbox outbox)
    {
        if (!response.IsPending) return;
        Terms(response, decision);
        if (response.Record.Why.Length == 0) response.Record = response.Record with { Why = decision.Why };
        if (decision.Refused.Length > 0)
        {
            var isRhythm = ResponseRungs.MovesLoad(response.Record.Rung)
                && RequestsInHour() >= RhythmPerHour;
            if (isRhythm) StateRhythm(outbox);
            if (response.Record.Request.Length > 0)
                Send(outbox, GuardKey.Fleet, AnswerKind.Refused, Reserve(response).Write);
            if (isRhythm) Hold(response, decision.Refused, outbox);
            else Turn(response, ResponseState.Rejected, decision.Refused, outbox);
        }
        else if (response.Record.Request.Length > 0 && decision.Approvals > 0 && !response.Approved)
        {
            // Nobody ordered it. The guard of the fleet counts who asks for such things, and how many.
            Send(outbox, GuardKey.Fleet, AnswerKind.Refused, Reserve(response).Write);
            Turn(response, ResponseState.Quarantined, CaseSentences.NoOrder(decision.Approvals), outbox);
        }
        else Reconsider(response, outbox);
    }

    /// <summary>
    /// What was authorised is asked about once more when it is due, since a freeze, a window or a customer may have
    /// come in between.
    /// </summary>
    private void Reconsider(LiveResponse response, IOutbox outbox)
    {
        var record = response.Record;
        if (record.State == ResponseState.Authorised && record.Approvals.Length < record.Needed)
            Turn(response, ResponseState.Proposed, "", outbox);
        else if (record.State == ResponseState.Authorised && response.WindowFrom.Seconds > _now.Seconds)
        {
            response.Record = record with { DueAt = response.WindowFrom };
            Record(outbox, LedgerKind.Response, response);
        }
        else Record(outbox, LedgerKind.Response, response);
    }

    /// <summary>Stated once an episode, which ends with an hour without such a request.</summary>
    private void StateRhythm(IOutbox outbox)
    {
        var isSaid = _rhythmAt.Seconds != 0 && _now.Seconds - _rhythmAt.Seconds <= 3_600;
        _rhythmAt = _now;
        if (isSaid) return;
        var from = new UnixTime(_requests[0]);
        var claim = new SecurityClaim(FindingKind.RapidSwitching, Moment.Of(from), 1,
            CaseSentences.Rhythm(_name, RequestsInHour()),
            SecurityClaim.Seen("switchings_asked_for", RequestsInHour(), 2, "per hour"));
        IFindingSink sink = Scratch.Mine.SinkTo(outbox);
        sink.Add(claim.About(_subject, _name, _now));
    }

    /// <summary>Asks the policy about what is wanted, and the guards for room, once persons have approved.</summary>
    private void Pursue(LiveResponse response, IOutbox outbox)
    {
        var record = response.Record;
        if (!response.IsPending || record.State == ResponseState.Authorised && !IsDue(record) || response.Reserving)
            return;
        if (!response.Asked)
        {
            response.Asked = true;
            Ask(record.Number, response, outbox);
            return;
        }
        if (_questions.Any(q => q.About == record.Number) || record.Reason.Length > 0
            || record.Approvals.Length < record.Needed) return;
        if (record.State == ResponseState.Proposed) Authorise(response, outbox);
        if (!IsDue(response.Record)) return;
        if (!ResponseRungs.IsCommand(record.Rung))
        {
            Order(response, outbox);
            return;
        }
        // Room is asked for when it is used: what waits for one window would else go out at one time.
        response.Reserving = true;
        Send(outbox, FirstOnWay(response), AnswerKind.Reserve, Reserve(response).Write);
    }

    private bool IsDue(ResponseRecord record) => _now.Seconds >= record.DueAt.Seconds;

    private TwinKey FirstOnWay(LiveResponse response) =>
        response.Record.Rung == ResponseRung.IsolateCommunications && _context.Concentrator.Length > 0
            ? TwinKey.Named(TwinKind.Concentrator, _context.Concentrator) : Reserve(response).Way[0];

    private Reservation Reserve(LiveResponse response)
    {
        var r = response.Record;
        return new Reservation(Self, r.Number, _subject, r.Rung, _now, r.Watts, _context.Feeder, _context.Region,
            r.RequestedBy.Person.Length > 0 ? r.RequestedBy.Key : "", response.Limits!, response.Approved);
    }

    private void Hear(ReservationAnswer answer, IOutbox outbox)
    {
        if (_responses.Find(r => r.Record.Number == answer.Response) is not { Reserving: true } response) return;
        response.Reserving = false;
        if (answer.Granted)
        {
            response.Held = true;
            if (response.Record.State == ResponseState.Authorised) Order(response, outbox);
            else GiveBack(response, default, outbox);
            return;
        }
        GiveBack(response, answer.By, outbox);
        if (response.IsPending) Hold(response, answer.Reason, outbox);
    }

    /// <summary>Tells the guards before the one that refused, or all, that what they granted is not used.</summary>
    private void GiveBack(LiveResponse response, TwinKey refusedBy, IOutbox outbox)
    {
        response.Held = false;
        var reservation = Reserve(response);
        if (refusedBy.Kind == TwinKind.Concentrator) return;
        foreach (var guard in reservation.Way)
        {
            if (guard == refusedBy) return;
            Send(outbox, guard, AnswerKind.Release, reservation.Write);
        }
    }

    private void Authorise(LiveResponse response, IOutbox outbox)
    {
        var due = CaseFile.Max(new UnixTime(_now.Seconds + Delay(response)), response.WindowFrom);
        response.Record = response.Record with { DueAt = due };
        Turn(response, ResponseState.Authorised, "", outbox);
    }

    /// <summary>Drawn from the response's own name: the same wherever and however often it is worked out.</summary>
    private static int Delay(LiveResponse response)
    {
        var mean = response.MeanDelaySeconds;
        if (mean <= 0) return 0;
        var draw = new SplitMix64(StableHash.Of(response.Record.IdempotencyKey));
        var (steps, chance) = (0, Math.Min(1, (double)DelayStepSeconds / mean));
        while (draw.NextDouble() >= chance && steps * DelayStepSeconds < MaxDelays * (long)mean) steps++;
        return steps * DelayStepSeconds;
    }

    private void Order(LiveResponse response, IOutbox outbox)
    {
        response.Record = response.Record with { OrderedAt = _now };
        response.Held = false;
        if (!ResponseRungs.IsCommand(response.Record.Rung))
        {
            End(response, ResponseState.Done, "", outbox);
            return;
        }
        Turn(response, ResponseState.Executing, "", outbox);
        Record(outbox, LedgerKind.Order, response);
    }

    private void Turn(LiveResponse response, ResponseState state, string reason, IOutbox outbox)
    {
        response.Record = response.Record with { State = state, Reason = reason };
        Record(outbox, LedgerKind.Response, response);
        if (_file.AwareAt.Seconds != 0) RecordCase(outbox);
    }

    private void End(LiveResponse response, ResponseState state, string reason, IOutbox outbox)
    {
        var expires = state == ResponseState.Done && response.ExpirySeconds > 0
            ? new UnixTime(_now.Seconds + response.ExpirySeconds) : default;
        response.Record = response.Record with { EndedAt = _now, ExpiresAt = expires };
        // Something new was tried: the policy says whether that is enough.
        if (!response.Record.IsUndo && response.Record.Request.Length == 0 && !_file.IsEmpty) _mustAsk = true;
        Turn(response, state, reason, outbox);
    }

    /// <summary>What time does to a response: at a sweep.</summary>
    private void Advance(LiveResponse response, IOutbox outbox)
    {
        var record = response.Record;
        switch (record.State)
        {
            case ResponseState.Proposed when record.Approvals.Length < record.Needed
                && _now.Seconds - record.ProposedAt.Seconds >= ProposalSeconds:
                response.Record = record with { EndedAt = _now };
                _mustAsk |= record.Request.Length == 0 && !_file.IsEmpty;
                Turn(response, ResponseState.Expired, "nobody approved it in time", outbox);
                break;
            case ResponseState.Proposed or ResponseState.Authorised when _now.Seconds < response.AskAt.Seconds: break;
            case ResponseState.Proposed when record.Reason.Length > 0 || record.Approvals.Length >= record.Needed:
                // A freeze held it, or persons took their time: what the policy said then may not hold now.
                response.Record = record with { Reason = "" };
                response.Asked = false;
                break;
            case ResponseState.Authorised when IsDue(record):
                response.Record = record with { Reason = "" };
                response.Asked = false;
                break;
            case ResponseState.Executing when _now.Seconds - record.OrderedAt.Seconds >= OutcomeSeconds:
                StateUnconfirmed(record, outbox);
                End(response, ResponseState.Failed, "no outcome arrived", outbox);
                break;
            case ResponseState.Done when record.ExpiresAt.Seconds != 0
                && _now.Seconds >= record.ExpiresAt.Seconds:
                TakeBack(response, ResponseState.Expired, "", outbox);
                break;
            case ResponseState.Quarantined or ResponseState.Rejected or ResponseState.Cancelled when response.Held:
                GiveBack(response, default, outbox);
                break;
            default: break;
        }
        if (!response.Undoing) return;
        if (response.UndoAt.Seconds == 0) response.UndoAt = _now;
        if (_now.Seconds - response.UndoAt.Seconds < OutcomeSeconds) return;
        StateUnconfirmed(response.Record with { IsUndo = true, OrderedAt = response.UndoAt }, outbox);
        (response.Undoing, response.UndoAt) = (false, default);
    }

    private void StateUnconfirmed(ResponseRecord record, IOutbox outbox)
    {
        IFindingSink sink = Scratch.Mine.SinkTo(outbox);
        sink.Add(CaseSentences.Unconfirmed(_subject, _name, record, _now));
    }

    /// <summary>
    /// Undone or expired: what was done is taken back. Where that moves load it is a response of its own, which meets
    /// the policy and the guards; else the gateway takes it back at once.
    /// </summary>
    private void TakeBack(LiveResponse response, ResponseState state, string reason, IOutbox outbox)
    {
        var record = response.Record;
        response.Record = record with { EndedAt = _now, ExpiresAt = default };
        Turn(response, state, reason, outbox);
        if (record.UndoBy is { } rung && ResponseRungs.MovesLoad(rung))
            Want(rung, new Actor("", ""), "", record.Order, $"takes back response {record.Number}", outbox);
        else if (record.Rung is not (ResponseRung.Log or ResponseRung.Notify or ResponseRung.Reattest
            or ResponseRung.RotateKeys))
        {
            (response.Undoing, response.UndoAt) = (true, default);
            var undo = new LiveResponse(record with { IsUndo = true, State = state, OrderedAt = _now });
            Record(outbox, LedgerKind.Order, undo);
        }
    }
}
