using Twin.Detection.Evaluation;
using Twin.Hardware;

namespace Twin.Detection.Tests.Evaluation;

/// <summary>Scenarios do what they say: energy, shape, and nothing before the onset.</summary>
public sealed class InjectionTests
{
    private const int Onset = 30, N = MadeHomes.Slots;

    private static EvaluationCase Stolen(string kind, int onset = Onset)
    {
        var c = MadeHomes.Case(1);
        Injection.Steal(c, kind, onset, new SplitMix64(5));
        return c;
    }

    private static EvaluationCase Alike(string kind, int onset = Onset, ulong seed = 5)
    {
        var c = MadeHomes.Case(1);
        Injection.Resemble(c, kind, onset, MadeHomes.Case(2).Used, new SplitMix64(seed));
        return c;
    }

    private static double Energy(ReadOnlySpan<int> slots)
    {
        var sum = 0.0;
        foreach (var v in slots) sum += v;
        return sum;
    }

    private static double Left(EvaluationCase c) =>
        Energy(c.Told.AsSpan(c.Onset * N)) / Energy(c.Used.AsSpan(c.Onset * N));

    public static TheoryData<string> OneMeterThefts() =>
        [.. Scenarios.Thefts.Select(t => t.Id).Where(t => t != Scenarios.Exchange)];

    [Theory]
    [MemberData(nameof(OneMeterThefts))]
    public void A_theft_changes_what_is_told_from_its_onset_and_never_what_was_used(string kind)
    {
        var c = Stolen(kind);
        Assert.Equal((kind, Cause.Theft, Onset), (c.Kind, c.Cause, c.Onset));
        Assert.Same(c.Home.Used, c.Used);
        Assert.True(c.Told.AsSpan(0, Onset * N).SequenceEqual(c.Used.AsSpan(0, Onset * N)));
        Assert.NotEqual(c.Used, c.Told);
        Assert.All(c.Told, v => Assert.True(v >= 0));
    }

    [Theory]
    [InlineData("h1", 0.1, 0.8)]
    [InlineData("weak_cut", 0.7, 0.95)]
    [InlineData("h3", 0.4, 0.5)]
    [InlineData("h4", 0.4, 0.5)]
    [InlineData("h2", 0.5, 0.9)]
    [InlineData("f4", 0.3, 0.7)]
    [InlineData("f5", 0.1, 0.8)]
    [InlineData("intermittent_zero", 0.5, 0.85)]
    [InlineData("h5", 0.999, 1.001)]
    [InlineData("h6", 0.999, 1.001)]
    [InlineData("peak_shift", 0.999, 1.001)]
    public void The_energy_left_is_what_the_formula_says(string kind, double least, double most) =>
        Assert.InRange(Left(Stolen(kind)), least, most);

    [Fact]
    public void H1_keeps_the_shape_and_h6_turns_it_round()
    {
        Assert.InRange(Stolen("h1").Change().Shape, 0, 0.01);
        var c = Stolen("h6");
        for (var s = 0; s < N; s++) Assert.Equal(c.UsedOn(40)[s], c.ToldOn(40)[N - 1 - s]);
    }

    [Fact]
    public void A_flat_day_holds_its_own_mean_or_that_of_the_day_before()
    {
        var h5 = Stolen("h5");
        var mean = (int)Math.Round(Energy(h5.UsedOn(40)) / N);
        Assert.All(h5.ToldOn(40).ToArray(), v => Assert.Equal(mean, v));
        var f5 = Stolen("f5");
        var share = f5.ToldOn(40)[0] / (Energy(f5.UsedOn(39)) / N);
        Assert.Equal(share, f5.ToldOn(50)[7] / (Energy(f5.UsedOn(49)) / N), 2);
    }

    [Fact]
    public void Zero_windows_are_as_long_as_said_and_move()
    {
        var c = Stolen("h2");
        var starts = new HashSet<int>();
        for (var d = Onset; d < Protocol.Days; d++)
        {
            var day = c.ToldOn(d);
            var zeros = day.ToArray().Count(v => v == 0);
            Assert.InRange(zeros, 8, 20);
            var first = day.IndexOf(0);
            Assert.True(day.Slice(first, zeros).IndexOfAnyExcept(0) < 0, $"the zeros of day {d} are no window");
            starts.Add(first);
        }
        Assert.True(starts.Count > 5);
    }

    [Fact]
    public void A_ramp_goes_down_and_stays()
    {
        var c = Stolen("ramp");
        double Share(int d) => Energy(c.ToldOn(d)) / Energy(c.UsedOn(d));
        Assert.InRange(Share(Onset), 0.89, 0.96);
        Assert.True(Share(Onset + 3) < Share(Onset + 1));
        Assert.Equal(Share(80), Share(90), 2);
        Assert.InRange(Share(90), 0, 0.71);
    }

    [Fact]
    public void A_cap_is_never_exceeded_and_leaves_what_is_below()
    {
        var c = Stolen("f3");
        var cap = c.Told.AsSpan(Onset * N).ToArray().Max();
        for (var i = Onset * N; i < c.Told.Length; i++) Assert.Equal(Math.Min(c.Used[i], cap), c.Told[i]);
    }

    [Fact]
    public void The_peak_is_moved_not_lost()
    {
        var c = Stolen("peak_shift");
        for (var d = Onset; d < Protocol.Days; d++)
            Assert.InRange(Energy(c.ToldOn(d)) - Energy(c.UsedOn(d)), -1, 1);
        Assert.Equal(0.7, Energy(c.ToldOn(40).Slice(34, 8)) / Energy(c.UsedOn(40).Slice(34, 8)), 2);
    }

    [Fact]
    public void A_replay_tells_the_week_before_the_onset_again()
    {
        var c = Stolen("replay");
        for (var d = Onset; d < Protocol.Days; d++)
            Assert.True(c.ToldOn(d).SequenceEqual(c.UsedOn(Onset - 7 + (d - Onset) % 7)), $"day {d}");
        // From the first day there is no week before: the first is true, then it is told again.
        var early = Stolen("replay", 0);
        Assert.True(early.ToldOn(75).SequenceEqual(early.UsedOn(75 % 7)));
    }

    [Fact]
    public void Exchanged_meters_tell_each_others_use()
    {
        var (a, b) = (MadeHomes.Case(1), MadeHomes.Case(2));
        Injection.Exchange(a, b, Onset);
        Assert.True(a.ToldOn(60).SequenceEqual(b.UsedOn(60)) && b.ToldOn(60).SequenceEqual(a.UsedOn(60)));
        Assert.True(a.ToldOn(Onset - 1).SequenceEqual(a.UsedOn(Onset - 1)));
    }

    [Theory]
    [InlineData("vacancy")]
    [InlineData("ev")]
    [InlineData("pv")]
    [InlineData("move_in")]
    public void A_look_alike_is_really_used(string kind)
    {
        var c = Alike(kind);
        Assert.Equal(c.Used, c.Told);
        Assert.True(c.Used.AsSpan(0, Onset * N).SequenceEqual(c.Home.Used.AsSpan(0, Onset * N)));
        Assert.NotEqual(c.Home.Used, c.Used);
        var change = Energy(c.Used.AsSpan(Onset * N)) - Energy(c.Home.Used.AsSpan(Onset * N));
        if (kind == "ev") Assert.True(change > 0);
        if (kind is "pv" or "vacancy") Assert.True(change < 0);
    }

    [Fact]
    public void A_vacancy_ends_after_ten_to_twentyone_days()
    {
        var c = Alike("vacancy");
        var days = Enumerable.Range(Onset, Protocol.Days - Onset)
            .Count(d => !c.UsedOn(d).SequenceEqual(c.Home.Used.AsSpan(d * N, N)));
        Assert.InRange(days, 10, 21);
    }

    [Fact]
    public void A_catch_up_reading_holds_what_the_gap_left_out()
    {
        var c = Alike(Scenarios.CatchUp);
        var missing = c.Told.AsSpan().Count(ReadingBlock.Missing);
        Assert.InRange(missing, N, 5 * N);
        Assert.Equal(Energy(c.Used), c.Told.Where(v => v != ReadingBlock.Missing).Sum(v => (double)v));
    }

    [Fact]
    public void A_backfilled_gap_is_open_until_its_day_and_then_as_recorded()
    {
        var c = Alike(Scenarios.Backfill);
        Assert.Equal(c.Home.Told, c.Told);
        var slots = new int[N];
        c.ToldInTime(Onset, slots);
        Assert.Equal(c.BackfillDay > Onset + Protocol.HorizonDays, slots.AsSpan().Contains(ReadingBlock.Missing));
        c.ToldInTime(c.BackfillDay, slots);
        Assert.DoesNotContain(ReadingBlock.Missing, slots);
    }

    [Theory]
    [InlineData("lost_phase", 0.66, 0.67)]
    [InlineData("drift", 0.96, 0.98)]
    [InlineData("ct_ratio", 0.49, 2.01)]
    public void A_fault_changes_the_energy_as_said(string kind, double least, double most)
    {
        var c = MadeHomes.Case(1);
        Injection.Break(c, kind, Onset, new SplitMix64(5));
        Assert.InRange(Left(c), least, most);
        Assert.Equal(Cause.Fault, c.Cause);
    }

    [Fact]
    public void A_stuck_meter_tells_one_value()
    {
        var c = MadeHomes.Case(1);
        Injection.Break(c, "stuck", Onset, new SplitMix64(5));
        Assert.Single(c.Told.Skip(Onset * N).Distinct());
    }

    [Fact]
    public void A_gap_of_the_recording_stays_one()
    {
        var home = MadeHomes.Of(1)[0];
        var told = (int[])home.Told.Clone();
        told[60 * N + 3] = ReadingBlock.Missing;
        foreach (var kind in (ReadOnlySpan<string>)["h1", "h4", "f2", "replay", "peak_shift"])
        {
            var c = new EvaluationCase(home with { Told = told }, 0, N);
            Injection.Steal(c, kind, Onset, new SplitMix64(5));
            Assert.Equal(ReadingBlock.Missing, c.Told[60 * N + 3]);
            Assert.Equal(1, c.Told.AsSpan().Count(ReadingBlock.Missing));
        }
    }

    [Fact]
    public void A_change_of_less_than_a_hundredth_is_told_by_energy_and_shape()
    {
        var c = MadeHomes.Case(1);
        Assert.Equal((0, 0), c.Change());
        var half = Stolen("h1");
        Assert.Equal(1 - Left(half), half.Change().Energy, 9);
        // The energy is right, the shape is not.
        var (energy, shape) = Stolen("h6").Change();
        Assert.True(energy < 1e-9 && shape > Protocol.NoOp);
    }

    [Fact]
    public void Nothing_can_be_stolen_from_a_home_that_uses_nothing()
    {
        var empty = new int[Protocol.Days * N];
        var c = new EvaluationCase(new RecordedHome("empty", ("", "", ""), empty, empty, null), 0, N);
        Injection.Steal(c, "h1", Onset, new SplitMix64(5));
        Assert.Equal((0, 0), c.Change());
    }

    [Fact]
    public void An_unknown_theft_names_those_there_are()
    {
        var e = Assert.Throws<ArgumentException>(() => Scenarios.ReadThefts("h1,h9"));
        Assert.Contains("'h9'", e.Message, StringComparison.Ordinal);
        Assert.Contains("peak_shift", e.Message, StringComparison.Ordinal);
        Assert.Equal(["h1", "f3"], Scenarios.ReadThefts(" F3, h1 "));
    }
}
