using Twin.Detection.Evaluation;
using Twin.Detection.Evaluation.References;

namespace Twin.Detection.Tests.Evaluation;

/// <summary>Sets follow the protocol; what a detector may see never depends on what comes later.</summary>
public sealed class SetBuilderTests
{
    private static readonly RecordedHome[] Pool = MadeHomes.Of(70);

    [Theory]
    [InlineData(200, 50, 36, 12)]
    [InlineData(60, 15, 11, 4)]
    public void Shares_and_feeders_are_those_of_the_protocol(int homes, int thefts, int alikes, int faults)
    {
        for (var number = 0; number < 4; number++)
        {
            var set = SetBuilder.Build(Pool, MadeHomes.Plan(homes: homes), number);
            int Count(Cause cause) => set.Cases.Count(c => c.Cause == cause);
            Assert.Equal(homes, set.Cases.Count);
            // Exchanged meters come in pairs: one may be beyond.
            Assert.InRange(Count(Cause.Theft), thefts, thefts + 1);
            Assert.Equal((alikes, faults), (Count(Cause.LookAlike), Count(Cause.Fault)));
            Assert.Equal(homes, set.Feeders.Sum(f => f.Count));
            Assert.All(set.Feeders, f => Assert.InRange(f.Count, Protocol.SmallestFeeder, Protocol.LargestFeeder));
            Assert.All(set.Feeders, f => Assert.InRange(f.Loss, Protocol.LowestLoss, Protocol.HighestLoss));
            Assert.All(set.Cases.Where(c => c.Cause != Cause.Honest),
                c => Assert.InRange(c.Onset, Protocol.FirstOnset, Protocol.LastOnset));
        }
    }

    [Theory]
    [InlineData(40)]
    [InlineData(50)]
    [InlineData(71)]
    [InlineData(199)]
    public void Any_number_of_homes_is_shared_out(int homes)
    {
        var set = SetBuilder.Build(Pool, MadeHomes.Plan(homes: homes), 1);
        Assert.Equal(homes, set.Feeders.Sum(f => f.Count));
        Assert.All(set.Feeders, f => Assert.InRange(f.Count, Protocol.SmallestFeeder - 2, Protocol.LargestFeeder + 3));
    }

    [Fact]
    public void No_home_stands_twice_on_a_feeder_and_all_come_alike()
    {
        var set = SetBuilder.Build(Pool, MadeHomes.Plan(homes: 200), 0);
        foreach (var (start, count, _) in set.Feeders)
            Assert.Equal(count, set.Cases.Skip(start).Take(count).Select(c => c.HomeIndex).Distinct().Count());
        Assert.All(set.Cases.GroupBy(c => c.HomeIndex), g => Assert.InRange(g.Count(), 2, 4));
    }

    [Fact]
    public void Exchanged_meters_share_a_feeder()
    {
        var plan = MadeHomes.Plan(homes: 200) with { Thefts = [Scenarios.Exchange] };
        var set = SetBuilder.Build(Pool, plan, 0);
        foreach (var (start, count, _) in set.Feeders)
            Assert.Equal(0, set.Cases.Skip(start).Take(count).Count(c => c.Cause == Cause.Theft) % 2);
    }

    [Fact]
    public void Thefts_from_the_first_day_leave_the_rest_as_it_is()
    {
        var set = SetBuilder.Build(Pool, MadeHomes.Plan(fromDay0: true), 0);
        Assert.All(set.Cases.Where(c => c.Cause == Cause.Theft), c => Assert.Equal(0, c.Onset));
        Assert.All(set.Cases.Where(c => c.Cause == Cause.Fault), c => Assert.InRange(c.Onset, 21, 70));
    }

    [Fact]
    public void One_seed_gives_one_set_and_another_another()
    {
        string Print(ulong seed) => string.Join(' ', SetBuilder.Build(Pool, MadeHomes.Plan(seed), 1).Cases.Select(c =>
            $"{c.Home.Name}/{c.Kind}/{c.Onset}/{c.Told.Sum(v => (long)v)}"));
        Assert.Equal(Print(3), Print(3));
        Assert.NotEqual(Print(3), Print(4));
    }

    [Fact]
    public void An_observer_sees_true_use_loss_and_little_noise()
    {
        var set = SetBuilder.Build(Pool, MadeHomes.Plan(), 0);
        var (start, count, loss) = set.Feeders[1];
        var used = set.Cases.Skip(start).Take(count).Sum(c => c.Used.Sum(v => (double)v));
        var observed = set.Observe(1).Sum(v => (double)v);
        Assert.Equal(1 + loss, observed / used, 3);
        Assert.Equal(set.Observe(1), set.Observe(1));
    }

    [Fact]
    public void Halves_are_disjoint_and_hold_all_homes()
    {
        var tune = Pool.Where(h => RecordedHome.IsIn(h.Name, HomeHalf.Tune)).ToArray();
        var report = Pool.Where(h => RecordedHome.IsIn(h.Name, HomeHalf.Report)).ToArray();
        Assert.Empty(tune.Intersect(report));
        Assert.Equal(Pool.Length, tune.Length + report.Length);
        Assert.InRange(tune.Length, 20, 50);
        Assert.All(Pool, h => Assert.True(RecordedHome.IsIn(h.Name, HomeHalf.All)));
    }

    [Fact]
    public void References_score_a_day_from_what_was_there_when_it_closed()
    {
        const int Cut = 50;
        var set = SetBuilder.Build(Pool, MadeHomes.Plan(), 0);
        var whole = ReferenceScores.Of(set, Protocol.Days);
        var cut = ReferenceScores.Of(set, Cut);
        Assert.Equal(whole.Select(r => r.Name), cut.Select(r => r.Name));
        for (var r = 0; r < whole.Count; r++)
            for (var h = 0; h < set.Cases.Count; h++)
                Assert.True(whole[r].Days[h].AsSpan(0, Cut).SequenceEqual(cut[r].Days[h]),
                    $"{whole[r].Name} scores meter {h} otherwise when what comes after day {Cut} is not there");
    }

    [Fact]
    public void Every_reference_tells_a_heavy_theft_from_ordinary_homes()
    {
        var plan = MadeHomes.Plan(homes: 80) with { Thefts = ["f4"] };
        var set = SetBuilder.Build(Pool, plan, 0);
        foreach (var reference in ReferenceScores.Of(set, Protocol.Days))
        {
            var scored = set.Cases.Select((c, h) => new ScoredCase(0, h, c.HomeIndex, c.Kind, c.Cause, c.Onset,
                reference.Days[h], []));
            Assert.True(Measures.Of([.. scored]).Macro.Value.Auc > 0.6, reference.Name);
        }
    }

    [Fact]
    public void References_without_observers_have_no_balance() =>
        Assert.DoesNotContain(ReferenceScores.FeederBalanceName, ReferenceScores.Of(
            SetBuilder.Build(Pool, MadeHomes.Plan(observers: false), 0), 40).Select(r => r.Name));
}
