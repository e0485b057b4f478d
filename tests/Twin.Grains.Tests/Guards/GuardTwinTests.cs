using Twin.Grains.Cases;
using Twin.Grains.Guards;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Tests.Guards;

/// <summary>Attempts to get more out of the guards than the budgets allow.</summary>
public sealed class GuardTwinTests
{
    private const long Start = 1_700_000_000;
    private static readonly Budget s_open = new(-1, -1, -1, -1, -1, -1);
    private static readonly Budget s_ten = new(10, 20, 30, 10_000, 20_000, 30_000);

    private readonly TwinHarness _h = new();
    private int _asked;

    private static GuardLimits Limits(Budget? feeder = null, Budget? region = null, Budget? fleet = null) =>
        new(feeder ?? s_open, region ?? s_open, fleet ?? s_open, 3_600);

    private static TwinKey Case(int n) => new(TwinKind.Case, (ulong)n + 1);

    private static (TwinKey, TwinKey, byte[]) Mail(AnswerKind kind, Reservation r)
    {
        var to = new ByteWriter();
        AnswerHead.Write(to, kind);
        r.Write(to);
        return (r.Case, r.Way[0], to.ToArray());
    }

    private Reservation Ask(GuardLimits limits, long now = Start, long watts = 500, string feeder = "F1",
        string region = "R1", string account = "", bool approved = false) =>
        new(Case(_asked++), 1, new TwinKey(TwinKind.Meter, 7), ResponseRung.Disconnect, new UnixTime(now), watts,
            feeder, region, account, limits, approved);

    private List<ReservationAnswer> Round(params Reservation[] asked)
    {
        var before = _h.Sent.Count;
        _h.Deliver([.. asked.Select(a => Mail(AnswerKind.Reserve, a))]);
        var answers = new List<ReservationAnswer>();
        foreach (var (_, to, body) in _h.Sent.Skip(before))
        {
            var r = new ByteReader(body);
            if (to.Kind == TwinKind.Case && AnswerHead.Read(ref r) == AnswerKind.Reserved)
                answers.Add(ReservationAnswer.Read(ref r));
        }
        return answers;
    }

    /// <summary>How many of so many, asked for in one round, find room with the fleet.</summary>
    private int Granted(int asked, long now = Start) =>
        Round([.. Enumerable.Range(0, asked).Select(_ => Ask(Limits(fleet: s_ten), now))]).Count(a => a.Granted);

    private void RestartAll()
    {
        foreach (var key in _h.Keys.Where(k => k.Kind == TwinKind.Guard).ToArray()) _h.Restart(key);
    }

    private GuardView Fleet => GuardView.From(GuardKey.Fleet, _h.State(GuardKey.Fleet));

    [Fact]
    public void Many_at_once_get_no_more_than_the_budget()
    {
        var answers = Round([.. Enumerable.Range(0, 1_000).Select(_ => Ask(Limits(fleet: s_ten)))]);
        Assert.Equal(1_000, answers.Count);
        Assert.Equal(10, answers.Count(a => a.Granted));
        Assert.All(answers.Where(a => !a.Granted), a => Assert.Equal(GuardKey.Fleet, a.By));
        Assert.All(answers.Where(a => !a.Granted),
            a => Assert.Equal("fleet: 10 of 10 commands within 5 minutes are used", a.Reason));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    public void Splitting_load_over_commands_and_sweeps_moves_no_more_of_it(long watts)
    {
        var budget = new Budget(-1, -1, -1, 5_000, 6_000, 7_000);
        long moved = 0;
        for (var minute = 0; minute < 1_440; minute += 7)
        {
            var now = Start + 60 * minute;
            _h.Sweep(new UnixTime(now));
            moved += watts * Round([.. Enumerable.Range(0, 40).Select(_ => Ask(Limits(feeder: budget), now, watts))])
                .Count(a => a.Granted);
            if (minute % 21 == 0) RestartAll();
        }
        Assert.InRange(moved, watts * (7_000 / watts), 7_000);
    }

    [Fact]
    public void Splitting_over_feeders_and_accounts_meets_the_fleet()
    {
        var asked = Enumerable.Range(0, 400).Select(i => Ask(Limits(s_ten, s_ten, s_ten), feeder: $"F{i % 50}",
            region: $"R{i % 9}", account: $"person {i}")).ToArray();
        Assert.Equal(10, Round(asked).Count(a => a.Granted));
    }

    [Fact]
    public void One_feeder_and_one_region_are_bounded_for_themselves()
    {
        var limits = Limits(new Budget(2, -1, -1, -1, -1, -1), new Budget(3, -1, -1, -1, -1, -1));
        var answers = Round([.. Enumerable.Range(0, 12).Select(i => Ask(limits, feeder: i % 2 == 0 ? "F1" : "F2"))]);
        Assert.Equal(3, answers.Count(a => a.Granted));
        Assert.Equal(["feeder F1", "feeder F2", "region R1"],
            answers.Where(a => !a.Granted).Select(a => a.Reason.Split(':')[0]).Distinct().Order());
    }

    [Fact]
    public void A_restart_between_all_steps_changes_no_answer_and_no_state()
    {
        var (one, other) = (new GuardTwinTests(), new GuardTwinTests());
        for (var i = 0; i < 60; i++)
        {
            var now = Start + i * 97;
            var got = new List<List<ReservationAnswer>>();
            foreach (var t in (GuardTwinTests[])[one, other])
            {
                t._h.Sweep(new UnixTime(now));
                if (t == other) t.RestartAll();
                got.Add(t.Round(t.Ask(Limits(fleet: s_ten), now, account: $"a{i % 3}"),
                    t.Ask(Limits(fleet: s_ten), now)));
                if (t == other) t.RestartAll();
            }
            Assert.Equal(got[0], got[1]);
        }
        Assert.Equal(one._h.AllStates(), other._h.AllStates());
    }

    [Fact]
    public void A_clock_set_back_gives_nothing_back()
    {
        Assert.Equal(10, Granted(12));
        foreach (var back in (long[])[1, 300, 86_400, 900_000])
        {
            _h.Sweep(new UnixTime(Start - back));
            RestartAll();
            Assert.False(Assert.Single(Round(Ask(Limits(fleet: s_ten), Start - back))).Granted);
        }
    }

    [Fact]
    public void A_clock_set_forward_gives_nothing_back_and_is_stated_once()
    {
        Assert.Equal(10, Granted(12));
        for (var day = 1; day < 9; day++)
        {
            _h.Sweep(new UnixTime(Start + 86_400 * day));
            var answer = Assert.Single(Round(Ask(Limits(fleet: s_ten), Start + 86_400 * day)));
            Assert.False(answer.Granted);
            Assert.Contains("time jumped at", answer.Reason, StringComparison.Ordinal);
        }
        Assert.Single(_h.Findings, f => f.Kind == FindingKind.ClockJump);
    }

    [Fact]
    public void After_a_jump_room_comes_back_with_time_that_passes_in_sweeps()
    {
        Round([.. Enumerable.Range(0, 12).Select(_ => Ask(Limits(fleet: s_ten)))]);
        var now = Start + 40 * 86_400;
        var granted = 0;
        for (var minute = 0; minute <= 6; minute++, now += 60)
        {
            _h.Sweep(new UnixTime(now));
            granted = Round(Ask(Limits(fleet: s_ten), now)).Count(a => a.Granted);
            Assert.Equal(minute == 6 ? 1 : 0, granted);
        }
    }

    [Fact]
    public void A_sweep_for_a_past_day_is_no_news_of_time()
    {
        Round([.. Enumerable.Range(0, 10).Select(_ => Ask(Limits(fleet: s_ten)))]);
        _h.Sweep(new UnixTime(Start + 60));
        _h.Sweep(new UnixTime(Start - 3 * 86_400));
        _h.Sweep(new UnixTime(Start + 120));
        Assert.False(Round(Ask(Limits(fleet: s_ten), Start + 120))[0].Granted);
        Assert.DoesNotContain(_h.Findings, f => f.Kind == FindingKind.ClockJump);
        Assert.Equal(new UnixTime(Start + 120), Fleet.SeenAt);
    }

    private Admission Act(ResponseActKind act, string person, string credential = "k") => _h.Append(new ResponseAct(
        GuardKey.Fleet, new UnixTime(Start), new Actor(person, credential), act, 0, default, "restored"));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void After_a_backup_was_restored_nothing_goes_for_the_longest_window(bool existed)
    {
        Assert.Equal(4, existed ? Granted(4) : 4);
        var backup = existed ? _h.State(GuardKey.Fleet) : null;
        Assert.Equal(6, Granted(6));
        if (backup is null) _h.Remove(GuardKey.Fleet);
        else _h[GuardKey.Fleet] = GuardTwin.Restore(GuardKey.Fleet.Id, backup);
        Assert.Equal(AdmissionStatus.Accepted, Act(ResponseActKind.Quarantine, "engine").Status);
        var granted = 0;
        for (var minute = 0; minute < 25 * 60; minute += 10)
        {
            Assert.Equal(0, granted);
            _h.Sweep(new UnixTime(Start + 60 * minute));
            RestartAll();
            granted += Granted(1, Start + 60 * minute);
        }
        _h.Sweep(new UnixTime(Start + 25 * 3_600));
        Assert.Equal(1, Granted(1, Start + 25 * 3_600));
    }

    [Fact]
    public void Two_persons_end_the_hold_and_one_with_two_keys_does_not()
    {
        Assert.Equal(AdmissionStatus.Rejected, Act(ResponseActKind.Process, "Anna").Status);
        Act(ResponseActKind.Quarantine, "engine");
        foreach (var (name, credential) in ((string, string)[])[("Anna", "k1"), ("Anna", "k2"), (" ＡNNA", "k3")])
        {
            Assert.Equal(AdmissionStatus.Accepted, Act(ResponseActKind.Process, name, credential).Status);
            RestartAll();
            Assert.Equal(0, Granted(1));
        }
        Act(ResponseActKind.Process, "Bert");
        Assert.Equal(10, Granted(12));
        Assert.Equal(5, _h.Ledger.Count(e => e.Kind == LedgerKind.Act));
    }

    [Fact]
    public void A_release_gives_back_once_and_only_what_was_granted()
    {
        var asked = Enumerable.Range(0, 10).Select(_ => Ask(Limits(fleet: s_ten), watts: 100)).ToArray();
        Round(asked);
        void Release(Reservation r) => _h.Deliver((r.Case, GuardKey.Fleet, Mail(AnswerKind.Release, r).Item3));
        for (var i = 0; i < 5; i++) Release(asked[3]);
        for (var i = 0; i < 5; i++) Release(asked[4] with { Response = 99 });
        Release(asked[5] with { Case = Case(5_000) });
        Release(asked[6] with { Watts = 100_000 });
        RestartAll();
        Release(asked[3]);
        Assert.Equal((8, 800L), (Fleet.Commands5, Fleet.Watts5));
        Assert.Equal(2, Granted(5));
    }

    [Fact]
    public void One_account_gets_its_share_and_process_lets_it_go_as_far_as_the_budget()
    {
        Reservation[] Asks(int n, bool approved) => [.. Enumerable.Range(0, n)
            .Select(_ => Ask(Limits(fleet: s_ten), account: "script", approved: approved))];
        var first = Round(Asks(9, false));
        Assert.Equal(5, first.Count(a => a.Granted));
        Assert.Equal("fleet: share of script: 5 of 5 commands within 5 minutes are used", first[^1].Reason);
        Assert.Equal(5, Round(Asks(9, true)).Count(a => a.Granted));
        Assert.Equal(10, Fleet.Commands5);
        Assert.All(Round(Ask(Limits(fleet: s_ten))), a => Assert.False(a.Granted));
    }

    [Fact]
    public void More_accounts_than_are_told_apart_share_one()
    {
        var limits = Limits(fleet: new Budget(1_000, -1, -1, -1, -1, -1)) with { AccountPercent = 1 };
        var granted = Round([.. Enumerable.Range(0, 600).Select(i => Ask(limits, account: $"x{i % 200}"))])
            .Count(a => a.Granted);
        // 63 accounts with two or three commands each, and ten for all others together.
        Assert.Equal(63 * 3 + 10, granted);
        Assert.Equal(AccountBook.MaxAccounts, Fleet.Accounts.Length);
    }

    [Fact]
    public void A_policy_with_a_smaller_budget_counts_at_once()
    {
        Assert.Equal(8, Granted(8));
        var zero = Limits(fleet: new Budget(0, 0, 0, 0, 0, 0));
        Assert.All(Round(Ask(zero), Ask(zero, account: "a")), a => Assert.False(a.Granted));
        Assert.Equal(2, Granted(8));
    }

    [Fact]
    public void Refusals_anywhere_are_stated_once_an_episode_by_the_fleet()
    {
        var limits = Limits(feeder: new Budget(1, -1, -1, -1, -1, -1));
        for (var sweep = 0; sweep < 4; sweep++)
        {
            var now = Start + 60 * sweep;
            _h.Sweep(new UnixTime(now));
            RestartAll();
            Round([.. Enumerable.Range(0, 8).Select(_ => Ask(limits, now, account: "billing"))]);
        }
        var held = Assert.Single(_h.Findings, f => f.Kind == FindingKind.CommandsQuarantined);
        Assert.Equal((GuardKey.Fleet, 7.0), (held.Subject, held.Evidence[0].Observed));
        Assert.StartsWith("7 commands that move 3500 W are held since", held.Sentence, StringComparison.Ordinal);
        Assert.Contains("billing", held.Sentence, StringComparison.Ordinal);
        var volume = Assert.Single(_h.Findings, f => f.Kind == FindingKind.CommandVolume);
        Assert.Contains("billing asked for 7 commands more", volume.Sentence, StringComparison.Ordinal);
        // Quiet for over an hour: the next refusals are an episode of their own.
        for (var minute = 10; minute <= 90; minute += 10) _h.Sweep(new UnixTime(Start + 60 * minute));
        Round([.. Enumerable.Range(0, 3).Select(_ => Ask(limits, Start + 5_400, account: "billing"))]);
        _h.Sweep(new UnixTime(Start + 5_460));
        Assert.Equal(2, _h.Findings.Count(f => f.Kind == FindingKind.CommandsQuarantined));
        Assert.Equal(1, _h.Findings.Count(f => f.Kind == FindingKind.CommandVolume));
    }

    [Fact]
    public void An_idle_guard_is_not_swept_and_forgets()
    {
        Round(Ask(Limits(fleet: s_ten)));
        Assert.True(_h[GuardKey.Fleet].Waits);
        for (var hour = 1; hour <= 26; hour++) _h.Sweep(new UnixTime(Start + 3_600 * hour));
        Assert.False(_h[GuardKey.Fleet].Waits);
        Assert.Equal(0, Fleet.CommandsDay);
    }

    [Fact]
    public void No_input_gives_room_and_damaged_mail_is_refused()
    {
        var act = new FreezeAct(new UnixTime(Start), new Actor("Ann", "k"), false, "");
        Assert.Equal(AdmissionStatus.Rejected, _h[GuardKey.Fleet].Admit(act.ToBytes(), _h, null!).Status);
        var (from, _, body) = Mail(AnswerKind.Reserve, Ask(Limits()));
        for (var i = 0; i < body.Length; i++)
            Assert.Throws<InvalidDataException>(() => _h.Deliver((from, GuardKey.Fleet, body[..i])));
        Assert.Throws<InvalidDataException>(() => _h.Deliver((from, GuardKey.OfFeeder("elsewhere"), body)));
    }
}
