using Twin.Hardware;
using static Twin.Grains.Tests.Sample;

namespace Twin.Grains.Tests;

public sealed class MeterDaysTests
{
    private readonly TwinHarness _given = new();

    private MeterView View(MeterId? meter = null) => MeterView.From((meter ?? Meter).Twin,
        _given.State((meter ?? Meter).Twin));
    private int[] ScoredDays => [.. _given.Scores.Select(s => s.Day)];

    [Fact]
    public void A_complete_day_stays_open_until_it_closes()
    {
        _given.Append(UtcDay(Day0 + 1));
        _given.Append(UtcDay(Day0));
        Assert.Equal((null, 2), (View().ClosedThrough, View().OpenDays));
        Assert.Empty(ScoredDays);
        _given.Close(Day0);
        Assert.Equal((Day0, 1), (View().ClosedThrough, View().OpenDays));
        Assert.Equal([Day0], ScoredDays);
    }

    [Fact]
    public void A_revision_of_a_complete_day_is_learned_from_as_if_it_had_come_first()
    {
        var revised = Values(Day0);
        revised[20] += 700;
        _given.Append(UtcDay(Day0));
        _given.Append(Raw(Day0 * 1440L, revised));
        _given.Close(Day0);
        var straight = new TwinHarness();
        straight.Append(Raw(Day0 * 1440L, revised));
        straight.Close(Day0);
        Assert.Equal(straight.State(Meter.Twin), _given.State(Meter.Twin));
    }

    [Fact]
    public void A_closing_folds_what_there_is_and_judges_each_day_with_readings_once()
    {
        _given.Append(Relation(Meter));
        _given.Append(UtcDay(Day0));
        _given.Append(Raw((Day0 + 1) * 1440L, [5]));
        _given.Append(UtcDay(Day0 + 3));
        for (var d = Day0 - 3; d < Day0 + 6; d++) _given.Close(d);
        Assert.Equal([Day0, Day0 + 1, Day0 + 3], ScoredDays);
        Assert.Equal((Day0 + 5, 0, (int?)(Day0 + 3)), (View().ClosedThrough, View().OpenDays, View().LastScoreDay));
        Assert.All(_given.Scores, s => Assert.Equal(Meter, s.Meter));
    }

    [Fact]
    public void A_meter_that_comes_after_a_closing_has_its_older_days_judged_alone()
    {
        var other = MeterId.FromUtilityId("M-2");
        _given.Append(UtcDay(Day0 + 1, other));
        _given.Close(Day0 + 1);
        _given.Append(Relation(Meter));
        _given.Append(UtcDay(Day0));
        _given.Append(UtcDay(Day0 + 1));
        _given.Append(UtcDay(Day0 + 2));
        _given.Sent.Clear();
        _given.Close(Day0 + 2);
        Assert.Equal([Day0, Day0 + 1, Day0 + 2], _given.Scores.Where(s => s.Meter == Meter).Select(s => s.Day));
        Assert.Equal([TwinKind.Feeder, TwinKind.Cohort], _given.Sent.Where(m => m.From == Meter.Twin).Select(m =>
            m.To.Kind));
    }

    [Fact]
    public void Feeder_and_cohort_hear_each_member_once_and_answer_it()
    {
        var meters = Enumerable.Range(1, 5).Select(i => MeterId.FromUtilityId($"M-{i}")).ToArray();
        foreach (var m in meters) _given.Append(Relation(m));
        foreach (var m in meters[..3]) _given.Append(UtcDay(Day0, m));
        _given.Close(Day0);
        var feeder = TwinKey.Named(TwinKind.Feeder, "F1");
        var cohort = TwinKey.Named(TwinKind.Cohort, "ZX|1.0|L7");
        Assert.Equal(new FeederView(feeder, "F1", Day0, 5, 3), FeederView.From(feeder, _given.State(feeder)));
        Assert.Equal(new CohortView(cohort, "ZX|1.0|L7", Day0, 3), CohortView.From(cohort, _given.State(cohort)));
        Assert.Equal(meters[..3].Order(), _given.Scores.Select(s => s.Meter).Order());
    }

    [Fact]
    public void A_meter_of_no_relation_belongs_to_the_unassigned_cohort()
    {
        _given.Append(UtcDay(Day0));
        _given.Close(Day0);
        var cohort = TwinKey.Named(TwinKind.Cohort, "unassigned");
        Assert.Equal(new CohortView(cohort, "unassigned", Day0, 1), CohortView.From(cohort, _given.State(cohort)));
        Assert.DoesNotContain(_given.Keys, k => k.Kind == TwinKind.Feeder);
    }

    [Fact]
    public void A_day_goes_to_the_feeder_of_that_day()
    {
        _given.Append(Relation(Meter, "F1"));
        _given.Append(Relation(Meter, "F2", from: Day0 + 1));
        _given.Append(UtcDay(Day0));
        _given.Append(UtcDay(Day0 + 1));
        _given.Close(Day0);
        _given.Close(Day0 + 1);
        var told = _given.Sent.Where(m => m.From == Meter.Twin && m.To.Kind == TwinKind.Feeder).Select(m => m.To);
        Assert.Equal([TwinKey.Named(TwinKind.Feeder, "F1"), TwinKey.Named(TwinKind.Feeder, "F2")], told);
    }

    [Fact]
    public void A_silent_meter_goes_on_to_tell_its_feeder_that_it_has_nothing()
    {
        _given.Append(Relation(Meter));
        _given.Append(UtcDay(Day0));
        var last = Day0 + MeterTwin.MaxSilentDays + 20;
        for (var d = Day0; d <= last; d++) _given.Close(d);
        var feeder = TwinKey.Named(TwinKind.Feeder, "F1");
        Assert.Equal(new FeederView(feeder, "F1", last, 1, 0), FeederView.From(feeder, _given.State(feeder)));
        Assert.Equal([Day0], ScoredDays);
        _given.Append(UtcDay(last + 1));
        _given.Close(last + 1);
        Assert.Equal([Day0, last + 1], ScoredDays);
        Assert.Equal((last - Day0) * 48, View().Missing);
    }

    [Fact]
    public void Days_on_which_the_clock_is_set_are_one_day_of_their_own_length()
    {
        _given.Append(new MeterSeen(Meter, "M-1", "Europe/London", 3));
        Assert.True(ZoneRules.TryGet("Europe/London", out var london));
        foreach (var (date, slots) in (ReadOnlySpan<(int, int)>)[(19813, 46), (20023, 50)])
        {
            _given.Append(Raw(london.Day(date - 1).StartMinute, Values(1)));
            _given.Close(date - 1);
            _given.Append(Raw(london.Day(date).StartMinute, Values(1, slots)));
            Assert.Equal(1, View().OpenDays);
            _given.Close(date);
            Assert.Equal((0, date), (View().OpenDays, View().LastScoreDay));
        }
    }

    [Fact]
    public void Other_channels_are_counted_and_not_judged()
    {
        _given.Append(Raw(Day0 * 1440L, [2300, 2310], 60, channel: Channel.Voltage));
        _given.Append(Raw(Day0 * 1440L, [1, 2, 3], 30, channel: Channel.Export));
        _given.Close(Day0);
        Assert.Empty(ScoredDays);
        Assert.Equal([(Channel.Export, 3, 6L), (Channel.Voltage, 2, 4610L)],
            View().Channels.Select(c => (c.Channel, c.Stored, c.Sum)));
        Assert.Null(View().Import);
    }

    [Fact]
    public void A_closing_that_jumps_over_years_ends()
    {
        _given.Append(UtcDay(Day0));
        _given.Close(Day0);
        _given.Append(UtcDay(Day0 + 1));
        _given.Close(Day0 + 5000);
        Assert.Equal([Day0, Day0 + 1], ScoredDays);
        Assert.Equal(Day0 + 5000, View().ClosedThrough);
        var a = _given.Append(UtcDay(Day0 + 6));
        Assert.Equal((48, 48), (a.Readings, a.Late));
    }

    [Fact]
    public void Erasing_everything_leaves_name_relations_and_time()
    {
        _given.Append(new MeterSeen(Meter, "M-1", "Europe/London", 3));
        _given.Append(Relation(Meter));
        _given.Append(new RegisterSnapshot(Meter, Channel.Import, UnixTime.FromMinutes(Day0 * 1440L), 12345));
        _given.Append(UtcDay(Day0));
        _given.Close(Day0);
        _given.Append(new Erasure(Meter, Day0 + 10, "moved out"));
        var bare = new TwinHarness();
        bare.Append(new MeterSeen(Meter, "M-1", "Europe/London", 3));
        bare.Append(Relation(Meter));
        bare.Close(Day0);
        var (left, right) = (View(), MeterView.From(Meter.Twin, bare.State(Meter.Twin)));
        Assert.Equal((right.Name, right.Zone, right.ClosedThrough, 0, (int?)null, 0, 0),
            (left.Name, left.Zone, left.ClosedThrough, left.Channels.Length, left.LastScoreDay,
                left.OpenDays, left.Registers.Length));
        Assert.Equal(right.Relation, left.Relation);
    }

    [Fact]
    public void Erasing_a_part_begins_the_sums_anew_with_the_days_that_stay_open()
    {
        for (var d = Day0; d < Day0 + 4; d++) _given.Append(UtcDay(d));
        _given.Close(Day0);
        _given.Append(new Erasure(Meter, Day0 + 2, "retention"));
        var import = View().Import!;
        Assert.Equal((96, (Day0 + 2) * 1440L, (Day0 + 4) * 1440L, 0),
            (import.Stored, import.FirstMinute, import.LastMinute, import.Missing));
        Assert.Equal(Values(Day0 + 2).Sum(v => (long)v) + Values(Day0 + 3).Sum(v => (long)v), import.Sum);
        for (var d = Day0 + 1; d < Day0 + 4; d++) _given.Close(d);
        Assert.Equal([Day0, Day0 + 2, Day0 + 3], ScoredDays);
    }
}
