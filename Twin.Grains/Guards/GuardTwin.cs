using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Meters;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Guards;

/// <summary>
/// The budgets of one feeder, one region or the fleet. It grants or refuses reservations in the order in which they
/// come, and nothing else ever gives room: not a restart, not a person, not a clock.
/// <para>
/// Room comes back with the guard's own clock. It goes on by the time between two sweeps, never back, and by nothing
/// when that is more than the limits' jump: then a clock was set, or nobody watched. Closings bring sweeps of past
/// days; they are no news of time. While all windows are empty there is nothing to come back, and any time is right.
/// </para>
/// <para>
/// When persons say process to what was quarantined, the share of the account is not asked again; the budgets of
/// feeder, region and fleet are. So what they let go goes as far as the budgets allow, and the rest stays.
/// </para>
/// <para>
/// After a restore from a backup nobody here knows what was granted since it was made. The fleet's guard, over which
/// all goes, is told so, and grants nothing for as long as its longest window; two persons may end that.
/// </para>
/// </summary>
public sealed class GuardTwin(ulong id) : ReportingTwin(id)
{
    private const byte StateVersion = 1;

    /// <summary>What is trusted before a policy said so, s.</summary>
    private const int FirstJumpSeconds = 3_600;

    /// <summary>A jump of the clock is not stated again when the last one was within so long, s.</summary>
    private const int SameJumpSeconds = 2 * 86_400;

    private string _name = "";
    private Budget _budget;
    private int _jumpSeconds = FirstJumpSeconds;
    private long _seen, _clock, _jumpedAt;
    private BudgetWindow _window = new();
    private GrantBook _grants = new();
    private AccountBook _accounts = new();
    private bool _quarantineTold;

    /// <summary>Seconds for which nothing is granted yet, and who wants that ended; empty while nobody does.</summary>
    private long _hold;
    private string _endedBy = "";

    private TwinKey Self => new(TwinKind.Guard, Id);

    private string Name => _name.Length > 0 ? _name : Self.ToString();

    private static readonly TwinKey s_fleet = GuardKey.Fleet;

    private bool IsFleet => Id == s_fleet.Id;

    protected override bool WaitsBesides => !_window.IsEmpty || !_accounts.IsEmpty || _hold > 0;

    protected override bool HearsSweeps => true;

    protected override SubjectContext ContextOf(UnixTime at) => SubjectContext.Of(Name);

    /// <summary>The twin for people.</summary>
    public GuardView View() => new(Self, Name, new UnixTime(_seen), _window.Commands5, _window.CommandsHour,
        _window.CommandsDay, _window.Watts5, _window.WattsHour, _window.WattsDay, _budget,
        _jumpedAt == 0 ? null : new UnixTime(_jumpedAt), _hold,
        [.. _accounts.Accounts.Select(a => new AccountView(a.Key, a.Value.Window.CommandsDay, a.Value.Window.WattsDay,
            a.Value.Refused))]);

    /// <summary>
    /// No input gives room, but two persons who end what holds all after a restore: <see cref="ResponseAct"/> to the
    /// fleet's guard with <see cref="ResponseActKind.Quarantine"/> begins it, with
    /// <see cref="ResponseActKind.Process"/> ends it.
    /// </summary>
    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        if (!IsFleet || Input.Read(input) is not ResponseAct
            { Act: ResponseActKind.Quarantine or ResponseActKind.Process } act)
            return Admission.Reject($"guard {Name}: an input of kind {Envelope.Read(input).Kind} does not come through "
                + "this door; what is held is let go by acts on its case");
        if (act.Refusal() is { } reason) return Admission.Reject($"guard {Name}: {reason}");
        if (act.Act == ResponseActKind.Process && _hold == 0)
            return Admission.Reject($"guard {Name}: nothing is held as a whole; say process to a case's response");
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    /// <exception cref="InvalidDataException">The input is damaged, or of a kind that no guard knows.</exception>
    protected override void ApplyInput(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        switch (Input.Read(input))
        {
            case Sweep sweep:
                See(sweep.At.Seconds, outbox);
                if (IsFleet) Tell(outbox);
                break;
            case ResponseAct { Act: ResponseActKind.Quarantine or ResponseActKind.Process } act:
                Hold(act);
                var entry = new LedgerEntry(LedgerKind.Act, act.At, default, input.ToArray());
                outbox.Fact(FactKind.Ledger, entry.ToBytes());
                break;
            case var other:
                throw new InvalidDataException($"Guard {Name} cannot apply an input of kind {other.Kind}.");
        }
    }

    private void Hold(ResponseAct act)
    {
        if (act.Act == ResponseActKind.Quarantine)
            (_hold, _endedBy) = (BudgetWindow.LongestSeconds + BudgetWindow.LongestBucket, "");
        else if (_hold > 0 && _endedBy.Length > 0 && _endedBy != act.By.Key) (_hold, _endedBy) = (0, "");
        else if (_hold > 0) _endedBy = act.By.Key;
    }

    /// <exception cref="InvalidDataException">A message is damaged.</exception>
    protected override void ReceiveMail(IInbox inbox, IOutbox outbox)
    {
        try
        {
            for (var i = 0; i < inbox.Count; i++) Hear(inbox[i].Body, outbox);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"A message to guard {Name} is damaged: {e.Message}", e);
        }
    }

    private void Hear(ReadOnlySpan<byte> message, IOutbox outbox)
    {
        var r = new ByteReader(message);
        var kind = AnswerHead.Read(ref r);
        if (kind is not (AnswerKind.Reserve or AnswerKind.Release or AnswerKind.Refused))
            throw r.Bad($"a guard takes no message of kind {kind}");
        var asked = Reservation.Read(ref r);
        if (!r.AtEnd) throw r.Bad("bytes follow a reservation");
        if (kind == AnswerKind.Release) Release(asked);
        else
        {
            Learn(asked, ref r);
            See(asked.Now.Seconds, outbox);
            if (kind == AnswerKind.Reserve) Judge(asked, outbox);
            else _accounts.Refuse(asked.Account, _seen, asked.Watts);
        }
    }

    /// <summary>Which guard this is, and the budget in force, say the reservations themselves.</summary>
    private void Learn(Reservation asked, ref ByteReader r)
    {
        _jumpSeconds = asked.Limits.ClockJumpSeconds;
        (_name, _budget) = IsFleet ? ("fleet", asked.Limits.Fleet)
            : Id == GuardKey.OfRegion(asked.Region).Id
                ? (asked.Region.Length > 0 ? $"region {asked.Region}" : "meters of no region", asked.Limits.Region)
            : Id == GuardKey.OfFeeder(asked.Feeder).Id ? ($"feeder {asked.Feeder}", asked.Limits.Feeder)
            : throw r.Bad("a reservation came to a guard that is not on its way");
    }

    /// <summary>Time as a sweep tells it, or, while there is nothing to watch over, a case.</summary>
    private void See(long now, IOutbox outbox)
    {
        if (_hold > 0 && _seen == 0) _seen = now;
        if (_window.IsEmpty && _hold == 0)
        {
            _grants.Clear();
            (_clock, _seen) = (now, _accounts.HasEpisode ? Math.Max(_seen, now) : now);
            if (_jumpedAt != 0 && now - _jumpedAt > SameJumpSeconds) _jumpedAt = 0;
        }
        else if (now <= _seen) return;
        else
        {
            var passed = now - _seen;
            if (passed <= _jumpSeconds) (_clock, _hold) = (_clock + passed, Math.Max(0, _hold - passed));
            else SeeJump(now, outbox);
            _seen = now;
            _window.Advance(_clock);
            _grants.DropBefore(_clock - BudgetWindow.LongestSeconds - BudgetWindow.LongestBucket);
        }
        _accounts.Advance(_clock, _seen);
        if (!_accounts.HasEpisode) _quarantineTold = false;
    }

    /// <summary>Every guard stands still; the fleet's, which hears of all that is granted, says so once.</summary>
    private void SeeJump(long now, IOutbox outbox)
    {
        var isNew = _jumpedAt == 0 || now - _jumpedAt > SameJumpSeconds;
        _jumpedAt = now;
        if (isNew && IsFleet)
            Scratch.Mine.SinkTo(outbox).Add(GuardStatements.Jump(Self, Name, _seen, now, _jumpSeconds));
    }

    private void Judge(Reservation asked, IOutbox outbox)
    {
        var s = Scratch.Mine.Bytes;
        s.Clear();
        if (Refusal(asked) is { } reason)
        {
            AnswerHead.Write(s, AnswerKind.Reserved);
            new ReservationAnswer(asked.Response, false, Self, reason, asked.Behind).Write(s);
            outbox.Send(asked.Case, s.Written);
            Note(asked, outbox);
            return;
        }
        var account = IsFleet ? _accounts.Grant(asked.Account, _clock, asked.Watts) : "";
        _window.Add(_clock, asked.Watts);
        _grants.Add(new Grant(asked.Case.Id, asked.Response, _clock, asked.Watts, account));
        if (Next(asked) is { } next)
        {
            AnswerHead.Write(s, AnswerKind.Reserve);
            asked.Write(s);
            outbox.Send(next, s.Written);
            return;
        }
        AnswerHead.Write(s, AnswerKind.Reserved);
        new ReservationAnswer(asked.Response, true, Self, "", asked.Behind).Write(s);
        outbox.Send(asked.Case, s.Written);
    }

    private string? Refusal(Reservation asked)
    {
        if (_hold > 0)
            return $"{Name}: a backup was restored, and what was granted since it was made is not known; nothing goes "
                + $"for {_hold} s of sweeps, or until two persons say process to the fleet's guard";
        var reason = _window.Refusal(_budget, asked.Watts);
        if (reason is null && IsFleet && !asked.Approved)
            reason = _accounts.Refusal(asked.Account, _budget, asked.Limits.AccountPercent, asked.Watts) is { } share
                ? $"share of {asked.Account}: {share}" : null;
        return reason is null ? null : $"{Name}: {reason}"
            + (_jumpedAt == 0 ? "" : $"; time jumped at {new UnixTime(_jumpedAt)}, and nothing came back for that");
    }

    /// <summary>The guard of the fleet counts all that is refused, wherever it was.</summary>
    private void Note(Reservation asked, IOutbox outbox)
    {
        if (IsFleet)
        {
            _accounts.Refuse(asked.Account, _seen, asked.Watts);
            return;
        }
        var s = Scratch.Mine.Bytes;
        s.Clear();
        AnswerHead.Write(s, AnswerKind.Refused);
        asked.Write(s);
        outbox.Send(s_fleet, s.Written);
    }

    private TwinKey? Next(Reservation asked)
    {
        if (IsFleet) return null;
        var way = asked.Way;
        var at = Array.IndexOf(way, Self);
        return at + 1 < way.Length ? way[at + 1] : null;
    }

    /// <summary>Gives back what was granted and will not be used; what was not granted, or is older than a day, is
    /// no room.</summary>
    private void Release(Reservation asked)
    {
        if (!_grants.TryTake(asked.Case.Id, asked.Response, out var grant)) return;
        _window.GiveBack(grant.At, grant.Watts);
        _accounts.GiveBack(grant.Account, grant.At, grant.Watts);
    }

    /// <summary>
    /// At the sweep after the first refusals, when all of that sweep are counted: once an episode that commands wait
    /// for a person, and for each account once that it asks for too many.
    /// </summary>
    private void Tell(IOutbox outbox)
    {
        if (!_accounts.HasEpisode) return;
        var sink = Scratch.Mine.SinkTo(outbox);
        if (!_quarantineTold) sink.Add(GuardStatements.Quarantined(Self, Name, _accounts, _window, _budget, _seen));
        _quarantineTold = true;
        if (GuardStatements.Volume(Self, Name, _accounts, _budget, _seen) is { } volume) sink.Add(volume);
    }

    public override void Write(ByteWriter to)
    {
        to.Byte(StateVersion);
        to.Text(_name);
        _budget.Write(to);
        to.VarUInt((ulong)_jumpSeconds);
        foreach (var time in (ReadOnlySpan<long>)[_seen, _clock, _jumpedAt]) to.VarInt(time);
        _window.Write(to);
        _grants.Write(to);
        _accounts.Write(to);
        to.Bool(_quarantineTold);
        to.VarUInt((ulong)_hold);
        to.Text(_endedBy);
        WriteReports(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static GuardTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        try
        {
            return Read(id, state);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"The state of guard {id:x16} is damaged: {e.Message}", e);
        }
    }

    private static GuardTwin Read(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        if (r.Byte() is not StateVersion and var version)
            throw r.Bad($"a guard's state has version {version}, this MeterTwin knows {StateVersion}");
        var twin = new GuardTwin(id)
        {
            _name = r.Text(), _budget = Budget.Read(ref r), _jumpSeconds = r.Count(int.MaxValue),
            _seen = Input.ReadTime(ref r).Seconds, _clock = Input.ReadTime(ref r).Seconds,
            _jumpedAt = Input.ReadTime(ref r).Seconds, _window = BudgetWindow.Read(ref r),
            _grants = GrantBook.Read(ref r), _accounts = AccountBook.Read(ref r), _quarantineTold = r.Bool(),
            _hold = r.Count(int.MaxValue), _endedBy = r.Text(),
        };
        twin.ReadReports(ref r);
        return r.AtEnd ? twin : throw r.Bad("bytes are left behind a guard's state");
    }
}
