using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Grains.Tests.Guards;

/// <summary>
/// What must hold whatever findings, requests, approvals, restarts, restores and clocks come, judged by what went out.
/// </summary>
public sealed class AnswerPropertyTests
{
    private const int Steps = 500;

    /// <summary>Seeds, and whether the policy is the reckless one: cases and guards must hold without its help.
    /// </summary>
    public static TheoryData<ulong, bool> Storms => new()
    {
        { 11, true }, { 12, true }, { 15, false }, { 16, false }, { 17, false },
    };

    public static TheoryData<ulong> Seeds => [11, 12, 13, 14];


    private static AnswerStorm Run(ulong seed, bool reckless, bool withClocks)
    {
        var storm = new AnswerStorm(seed, reckless ? null : StormPolicy.Text);
        for (var step = 0; step < Steps; step++) storm.Step(withClocks);
        return storm;
    }

    private static IEnumerable<(ResponseRecord Order, long At, bool Frozen)> Orders(AnswerStorm storm) => storm.Said
        .Where(s => s.Entry.Kind == LedgerKind.Order).Select(s => (AnswerStorm.Read(s.Entry), s.At, s.Frozen));

    private static GuardLimits Limits(AnswerStorm storm) =>
        DecisionRecord.Read(storm.Said.Last(s => s.Entry.Kind == LedgerKind.Decision).Entry.Body).Decision.Limits;

    private static string? Excess(Budget budget, (long At, long Watts)[] orders)
    {
        foreach (var (seconds, commands, watts) in ((int, int, long)[])[(300, budget.Commands5, budget.Watts5),
            (3_600, budget.CommandsHour, budget.WattsHour), (86_400, budget.CommandsDay, budget.WattsDay)])
            foreach (var (from, _) in orders)
            {
                var inside = orders.Where(o => o.At >= from && o.At <= from + seconds).ToArray();
                if (commands >= 0 && inside.Length > commands)
                    return $"{inside.Length} of {commands} commands in {seconds} s";
                if (watts >= 0 && inside.Sum(o => o.Watts) > watts)
                    return $"{inside.Sum(o => o.Watts)} of {watts} W in {seconds} s";
            }
        return null;
    }

    [Theory]
    [MemberData(nameof(Storms))]
    public void No_budget_is_exceeded_in_any_span_of_true_time_whatever_clocks_and_backups_say(ulong seed, bool reckless) =>
        JudgeBudgets(Run(seed, reckless, withClocks: true), seed, atLeast: 0);

    [Theory]
    [MemberData(nameof(Storms))]
    public void No_budget_of_any_level_is_exceeded_in_any_span(ulong seed, bool reckless) =>
        JudgeBudgets(Run(seed, reckless, withClocks: false), seed, atLeast: reckless ? 10 : 3);

    private static void JudgeBudgets(AnswerStorm storm, ulong seed, int atLeast)
    {
        var limits = Limits(storm);
        var moved = Orders(storm).Where(o => ResponseRungs.MovesLoad(o.Order.Rung) && !o.Order.IsUndo).ToArray();
        Assert.True(moved.Length >= atLeast,
            $"seed {seed}: only {moved.Length} orders move load, which shows nothing");
        void Judge(string who, Budget budget, IEnumerable<(ResponseRecord Order, long At, bool Frozen)> of)
        {
            var excess = Excess(budget, [.. of.Select(o => (o.At, o.Order.Watts))]);
            Assert.True(excess is null, $"seed {seed}: {who} had {excess}");
        }
        Home HomeOf(ResponseRecord r) => storm.All.Single(h => h.Id.Twin == r.Subject);
        Judge("the fleet", limits.Fleet, moved);
        foreach (var region in moved.GroupBy(o => HomeOf(o.Order).Region)) Judge(region.Key, limits.Region, region);
        foreach (var feeder in moved.GroupBy(o => HomeOf(o.Order).Feeder)) Judge(feeder.Key, limits.Feeder, feeder);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Nobody_who_depends_on_supply_is_cut_off_or_limited_by_the_machine(ulong seed)
    {
        var storm = Run(seed, reckless: false, withClocks: true);
        foreach (var (order, _, _) in Orders(storm))
        {
            if (order.IsUndo || order.Rung is not (ResponseRung.Disconnect or ResponseRung.LimitLoad)) continue;
            var home = storm.All.Single(h => h.Id.Twin == order.Subject);
            var persons = order.Approvals.Select(a => a.By.Key).Distinct().ToArray();
            Assert.True(!home.IsProtected || persons.Length > 0,
                $"seed {seed}: {home.Name}, {home.Category} of {home.StatusAge} days ago, {order.Rung} by nobody");
        }
    }

    [Theory]
    [MemberData(nameof(Storms))]
    public void Approvals_are_of_distinct_persons_and_not_of_who_asked(ulong seed, bool reckless)
    {
        var storm = Run(seed, reckless, withClocks: true);
        foreach (var (order, _, _) in Orders(storm))
        {
            if (order.IsUndo) continue;
            var persons = order.Approvals.Select(a => a.By.Key).ToArray();
            Assert.True(persons.Distinct().Count() == persons.Length,
                $"seed {seed}: {order.IdempotencyKey} twice by one");
            Assert.True(persons.Length >= order.Needed, $"seed {seed}: {order.IdempotencyKey} lacks approvals");
            Assert.DoesNotContain(order.RequestedBy.Key, persons);
        }
    }

    [Theory]
    [MemberData(nameof(Storms))]
    public void Nothing_that_moves_load_or_blocks_goes_out_in_a_freeze(ulong seed, bool reckless)
    {
        var storm = Run(seed, reckless, withClocks: true);
        // What was done for a while is taken back all the same; a reconnection is a response of its own, and waits.
        foreach (var (order, _, frozen) in Orders(storm).Where(o => !o.Order.IsUndo))
            Assert.True(!frozen || order.Rung < ResponseRung.BlockWrites,
                $"seed {seed}: {order.Rung} of {order.SubjectName} was ordered in a freeze");
        Assert.Contains(storm.Said, s => s.Frozen);
    }

    [Theory]
    [MemberData(nameof(Storms))]
    public void What_is_temporary_ends_and_is_taken_back(ulong seed, bool reckless)
    {
        var storm = Run(seed, reckless, withClocks: true);
        storm.Calm();
        var takenBack = Orders(storm).Where(o => o.Order.IsUndo).Select(o => (o.Order.Case, o.Order.Number))
            .ToHashSet();
        foreach (var r in storm.Latest())
        {
            if (r.OrderedAt.Seconds == 0 || storm.Forgotten.Contains(r.IdempotencyKey)) continue;
            Assert.True(r.State is not (ResponseState.Authorised or ResponseState.Executing),
                $"seed {seed}: {r.IdempotencyKey} {r.Rung} is {r.State} for ever");
            Assert.True(r.State != ResponseState.Done || r.ExpiresAt.Seconds == 0,
                $"seed {seed}: {r.IdempotencyKey} {r.Rung} never expired");
            if (r.State is not (ResponseState.Expired or ResponseState.Undone) || r.UndoBy is not { } by) continue;
            Assert.True(takenBack.Contains((r.Case, r.Number)) || storm.Latest().Any(u => u.Case == r.Case
                && u.Rung == by && u.Number > r.Number),
                $"seed {seed}: {r.IdempotencyKey} {r.Rung} was not taken back");
        }
    }

    [Theory]
    [MemberData(nameof(Storms))]
    public void A_restart_between_all_steps_says_the_same(ulong seed, bool reckless)
    {
        var policy = reckless ? null : StormPolicy.Text;
        var (one, other) = (new AnswerStorm(seed, policy), new AnswerStorm(seed, policy));
        for (var step = 0; step < Steps / 3; step++)
        {
            one.Step(withClocks: true);
            foreach (var key in other.Fleet.Keys.ToArray()) other.Fleet.Restart(key);
            other.Step(withClocks: true);
        }
        Assert.True(one.Fleet.AllStates().AsSpan().SequenceEqual(other.Fleet.AllStates()),
            $"seed {seed}: states differ");
        Assert.Equal(one.Said.Select(s => Convert.ToHexString(s.Entry.Body)),
            other.Said.Select(s => Convert.ToHexString(s.Entry.Body)));
    }
}
