using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;
using static Twin.Grains.Tests.Cases.AnswerHarness;

namespace Twin.Grains.Tests.Cases;

/// <summary>The life of a response, from proposed to its end.</summary>
public sealed class ResponseTests
{
    private static readonly TwinKey GridCase = CaseKey.Of(Meter, Desk.Grid);

    private readonly AnswerHarness _harness = new();

    private ResponseState State => Assert.Single(_harness.Responses).State;

    [Fact]
    public void What_needs_nobody_is_ordered_in_the_same_sweep_and_taken_back_when_it_expires()
    {
        _harness.Find();
        Assert.Equal(ResponseState.Executing, State);
        _harness.Outcome(1, ResponseResult.Accepted);
        Assert.Equal(ResponseState.Executing, State);
        _harness.Outcome(1, ResponseResult.Done);
        _harness.Outcome(1, ResponseResult.Failed);
        Assert.Equal(ResponseState.Done, State);
        _harness.Wait(3_599);
        Assert.Equal([false], _harness.Orders.Select(o => o.IsUndo));

        _harness.Policy = _ => Answer with { Rung = ResponseRung.Log };
        _harness.Wait(1);

        Assert.Equal(ResponseState.Expired, State);
        Assert.Equal([false, true], _harness.Orders.Select(o => o.IsUndo));
    }

    /// <summary>
    /// A disconnection waits for its window while the customer pays: what was asked for last is what holds.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_reconnection_overtakes_a_disconnection_that_still_waits(bool wentOut)
    {
        var window = new UnixTime(_harness.Now.Seconds + 7_200);
        _harness.Policy = f => Answer with
        {
            Rung = f.Wanted ?? ResponseRung.Log,
            WindowFrom = f.Wanted == ResponseRung.Disconnect && !wentOut ? window : default,
        };
        _harness.Want("RQ-1", ResponseRung.Disconnect);
        _harness.Wait(60);
        if (wentOut) _harness.Outcome(1, ResponseResult.Done, key: GridCase);
        _harness.Want("RQ-2", ResponseRung.Reconnect);
        for (var i = 0; i < 200; i++) _harness.Wait(60);

        var orders = _harness.Orders.Where(o => !o.IsUndo).Select(o => o.Rung);
        Assert.Equal(wentOut ? [ResponseRung.Disconnect, ResponseRung.Reconnect] : [], orders);
        var states = _harness[GridCase].Responses.Select(r => r.State);
        if (!wentOut) Assert.Equal([ResponseState.Cancelled, ResponseState.Cancelled], states);
    }

    [Fact]
    public void A_second_of_the_same_rung_is_not_made_while_one_is_in_force()
    {
        _harness.Find();
        _harness.Outcome(1, ResponseResult.Done);
        _harness.Wait(60);
        _harness.Find(FindingKind.Downgrade);
        Assert.Single(_harness.Responses);
        Assert.Single(_harness.Orders);
    }

    [Fact]
    public void Two_persons_are_two_persons_and_not_who_asked_nor_one_with_two_keys_nor_one_of_tomorrow()
    {
        _harness.Policy = f => Answer with { Approvals = 2, Rung = f.Wanted ?? ResponseRung.Log };
        _harness.Find();
        Assert.Equal("", _harness.Do(ResponseActKind.Propose, 0, "ada", rung: ResponseRung.Disconnect));
        _harness.Wait(60);
        string Approve(string by, long ahead = 0) => _harness.Do(ResponseActKind.Approve, 1, by, ahead: ahead);

        Assert.Contains("cannot approve", Approve("Ada "), StringComparison.Ordinal);
        Assert.Contains("ahead", Approve("grace", 86_401), StringComparison.Ordinal);
        Assert.Equal("", Approve("grace"));
        Assert.Contains("already", Approve("GRACE"), StringComparison.Ordinal);
        _harness.Wait(60);
        Assert.Empty(_harness.Orders);
        Assert.Equal("", Approve("mary"));
        _harness.Wait(60);
        Assert.Equal(ResponseRung.Disconnect, Assert.Single(_harness.Orders).Rung);
        Assert.Contains("executing", Approve("joan"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_proposal_that_nobody_approves_lapses()
    {
        _harness.Policy = _ => Answer with { Approvals = 1 };
        _harness.Find();
        _harness.Wait(CaseTwin.ProposalSeconds);
        Assert.Equal(ResponseState.Expired, _harness.Responses[0].State);
        Assert.Contains("expired", _harness.Do(ResponseActKind.Approve, 1), StringComparison.Ordinal);
        Assert.Empty(_harness.Orders);
    }

    /// <summary>A case that nothing stirs hears no time: the act tells it.</summary>
    [Fact]
    public void A_proposal_in_a_case_that_slept_for_weeks_is_as_old_as_the_proposal()
    {
        _harness.Policy = f => Answer with { Approvals = 1, Rung = f.Wanted ?? ResponseRung.Log };
        _harness.Find();
        const long slept = 30 * 86_400;
        Assert.Equal("", _harness.Do(ResponseActKind.Propose, 0, "ada", ahead: slept, rung: ResponseRung.BlockWrites));
        Assert.Equal(_harness.Now.Seconds + slept, Assert.Single(_harness.Responses).ProposedAt.Seconds);
        Assert.Equal("", _harness.Do(ResponseActKind.Approve, 1, "ben", ahead: slept + 5));
        _harness.Wait(slept + 60);
        Assert.Equal(ResponseState.Executing, State);
    }

    [Fact]
    public void The_delay_is_chance_of_the_responses_name_bounded_and_cancellable()
    {
        _harness.Policy = _ => Answer with { MeanDelaySeconds = 1_800 };
        var delays = new List<long>();
        for (var i = 0; i < 400; i++)
        {
            var name = $"D-{i}";
            _harness.Find(name: name);
            var r = _harness[CaseKey.Of(MeterId.FromUtilityId(name).Twin, Desk.Security)].Responses[0];
            delays.Add(r.DueAt.Seconds - r.ProposedAt.Seconds);
        }
        Assert.All(delays, d => Assert.InRange(d, 0, 8 * 1_800 + 60));
        Assert.InRange(delays.Average(), 1_500, 2_100);

        _harness.Find();
        Assert.Equal(ResponseState.Authorised, State);
        Assert.Equal("", _harness.Do(ResponseActKind.Cancel, 1));
        _harness.Wait(20 * 1_800);
        Assert.Equal(ResponseState.Cancelled, State);
        Assert.DoesNotContain(_harness.Orders, o => o.Subject == Meter);
    }

    [Fact]
    public void A_freeze_that_comes_during_the_delay_holds_it_and_the_thaw_lets_it_go()
    {
        var window = new UnixTime(Start.Seconds + 600);
        _harness.Policy = _ => Answer with { WindowFrom = window };
        _harness.Find();
        _harness.Policy = _ => Answer with { HoldAll = true };
        _harness.Wait(3_600);
        Assert.Equal((ResponseState.Authorised, "the freeze is on"), (State, _harness.Responses[0].Reason));
        _harness.Policy = _ => Answer;
        _harness.Wait(CaseTwin.FrozenSeconds);
        Assert.Equal(ResponseState.Executing, State);
    }

    [Fact]
    public void What_the_policy_refuses_when_it_is_due_does_not_go_out()
    {
        _harness.Policy = _ => Answer with { WindowFrom = new UnixTime(Start.Seconds + 600) };
        _harness.Find();
        _harness.Policy = _ => Answer with { Refused = "the customer depends on it" };
        _harness.Wait(600);
        Assert.Equal(ResponseState.Rejected, _harness.Responses[0].State);
        Assert.Empty(_harness.Orders);
    }

    [Fact]
    public void An_outcome_that_does_not_come_is_found_once_and_one_that_comes_late_counts()
    {
        _harness.Find();
        _harness.Policy = _ => Answer with { Rung = ResponseRung.Log };
        _harness.Wait(CaseTwin.OutcomeSeconds);
        _harness.Wait(60);
        Assert.Equal(ResponseState.Failed, State);
        Assert.Single(_harness.Twins.Findings, f => f.Kind == FindingKind.ResponseUnconfirmed);
        _harness.Outcome(1, ResponseResult.Done);
        Assert.Equal(ResponseState.Done, State);
        _harness.Wait(3_600);
        Assert.Equal([false, true], _harness.Orders.Select(o => o.IsUndo));
    }

    [Fact]
    public void The_outcome_of_taking_back_is_awaited_too()
    {
        _harness.Find();
        _harness.Outcome(1, ResponseResult.Done);
        Assert.Equal("", _harness.Do(ResponseActKind.Undo, 1));
        _harness.Policy = _ => Answer with { Rung = ResponseRung.Log };
        Assert.Equal([false, true], _harness.Orders.Select(o => o.IsUndo));
        _harness.Wait(60);
        _harness.Wait(CaseTwin.OutcomeSeconds);
        var finding = Assert.Single(_harness.Twins.Findings, f => f.Kind == FindingKind.ResponseUnconfirmed);
        Assert.Contains("could not be taken back", finding.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void An_outcome_of_what_was_never_ordered_is_found()
    {
        _harness.Policy = _ => Answer with { Approvals = 1 };
        _harness.Find();
        _harness.Outcome(1, ResponseResult.Done);
        Assert.Equal(ResponseState.Proposed, State);
        Assert.Single(_harness.Twins.Findings, f => f.Kind == FindingKind.ResponseUnknown);
    }

    [Fact]
    public void The_same_request_twice_is_one_and_a_rhythm_is_quarantined_and_found_once()
    {
        _harness.Policy = f => Answer with { Refused = f.RequestsInHour >= 3 ? "it swings" : "" };
        _harness.Want("R-1", ResponseRung.Disconnect);
        _harness.Want("R-1", ResponseRung.Disconnect);
        Assert.Single(_harness[GridCase].Responses);
        foreach (var n in (int[])[2, 3, 4]) _harness.Want($"R-{n}", ResponseRung.Reconnect);

        Assert.Equal([ResponseState.Executing, ResponseState.Executing, ResponseState.Quarantined,
            ResponseState.Quarantined], _harness[GridCase].Responses.Select(r => r.State));
        Assert.Equal(2, _harness.Orders.Count());
        Assert.Single(_harness.Twins.Findings, f => f.Kind == FindingKind.RapidSwitching);
    }

    [Fact]
    public void Quarantine_takes_all_that_is_pending_and_needs_its_own_approvals()
    {
        _harness.Policy = _ => Answer with { Approvals = 2 };
        _harness.Find();
        Assert.Equal("", _harness.Do(ResponseActKind.Approve, 1, "ada"));
        Assert.Equal("", _harness.Do(ResponseActKind.Quarantine, 0));
        Assert.Equal(ResponseState.Quarantined, State);
        Assert.Equal("", _harness.Do(ResponseActKind.Process, 1, "ada"));
        _harness.Wait(60);
        Assert.Empty(_harness.Orders);
        Assert.Equal("", _harness.Do(ResponseActKind.Process, 1, "grace"));
        _harness.Wait(60);
        Assert.Single(_harness.Orders);
    }

    [Fact]
    public void What_lay_in_quarantine_for_weeks_is_let_go_by_two_persons_who_come_then()
    {
        _harness.Policy = f => Answer with { Approvals = 2, Rung = f.Wanted ?? ResponseRung.Log };
        _harness.Want("RQ-1", ResponseRung.Disconnect);
        _harness.Wait(60);
        Assert.Equal("", _harness.Do(ResponseActKind.Quarantine, 0, key: GridCase));
        _harness.Wait(40 * 86_400);
        Assert.Equal("", _harness.Do(ResponseActKind.Process, 1, "ada", GridCase));
        Assert.Equal("", _harness.Do(ResponseActKind.Process, 1, "grace", GridCase));
        _harness.Wait(60);
        Assert.Equal(ResponseRung.Disconnect, Assert.Single(_harness.Orders).Rung);
    }

    [Fact]
    public void What_a_person_rejected_is_not_proposed_again_in_the_same_case()
    {
        _harness.Policy = _ => Answer with { Approvals = 1 };
        _harness.Find();
        Assert.Equal("", _harness.Do(ResponseActKind.Reject, 1));
        _harness.Wait(60);
        _harness.Find(FindingKind.Downgrade);
        Assert.Equal(ResponseState.Rejected, State);
    }

    [Fact]
    public void The_undoing_of_a_disconnection_is_a_reconnection_that_meets_the_guards()
    {
        _harness.Policy = _ => Answer with { UndoBy = ResponseRung.Reconnect };
        _harness.Want("R-1", ResponseRung.Disconnect);
        _harness.Outcome(1, ResponseResult.Done, key: GridCase);
        Assert.Equal("", _harness.Do(ResponseActKind.Undo, 1, key: GridCase));
        Assert.Single(_harness.Orders);
        _harness.Wait(60);
        Assert.Equal([ResponseRung.Disconnect, ResponseRung.Reconnect], _harness.Orders.Select(o => o.Rung));
        Assert.Equal(ResponseRung.Reconnect, _harness.Asked[^1].Wanted);
    }

    /// <summary>A twin that is written and read back after each step does and says the same.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_restart_after_any_step_changes_nothing(int seed)
    {
        Assert.True(Lived(seed, true).AsSpan().SequenceEqual(Lived(seed, false)), $"seed {seed}");
    }

    private static byte[] Lived(int seed, bool restarts)
    {
        var harness = new AnswerHarness();
        var chance = new SplitMix64((ulong)seed);
        var policy = new SplitMix64((ulong)seed + 100);
        harness.Policy = f => Answer with
        {
            Rung = (ResponseRung)policy.Next(9),
            Approvals = policy.Next(3),
            MeanDelaySeconds = policy.Next(2) * 600,
            HoldAll = policy.Next(6) == 0,
            Refused = policy.Next(5) == 0 ? "no" : "",
            ReviewAt = new UnixTime(f.Now.Seconds + policy.Next(4) * 1_800),
        };
        for (var step = 0; step < 250; step++)
        {
            var number = chance.Next(6);
            switch (chance.Next(8))
            {
                case 0: harness.Find((FindingKind)(128 + chance.Next(6)), ago: chance.Next(900)); break;
                case 1: harness.Want($"R-{step}", (ResponseRung)((int)ResponseRung.Disconnect + chance.Next(2))); break;
                case 2: harness.Do((ResponseActKind)(2 + chance.Next(7)), number, $"p{chance.Next(4)}"); break;
                case 3: harness.Outcome(number, (ResponseResult)(1 + chance.Next(4)), chance.Next(4) == 0); break;
                case 4: harness.Do((CaseActKind)(1 + chance.Next(8)), disposition: Disposition.False); break;
                default: harness.Wait(60 + chance.Next(3_600)); break;
            }
            if (restarts) harness.Restart();
        }
        var all = new ByteWriter();
        foreach (var entry in harness.Twins.Ledger) all.Blob(entry.ToBytes());
        all.Bytes(harness.Twins.AllStates());
        Assert.Contains(harness.Twins.Ledger, e => e.Kind == LedgerKind.Order);
        return all.ToArray();
    }
}
