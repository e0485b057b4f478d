using Twin.Hardware;

namespace Twin.Detection.Tests;

public sealed class ValidationRulesTests
{
    private readonly ReadingModel _model = new();
    private readonly TestHome _home = new(5);
    private readonly FindingList _findings = [];
    private int _day;

    private DayFeatures Fold(int[] wh, DaySubject? subject = null) =>
        TestHome.Fold(_model, _day++, wh, _findings, subject);

    private void Ordinary(int days)
    {
        for (var i = 0; i < days; i++) Fold(_home.NextDay());
    }

    [Fact]
    public void An_honest_home_raises_nothing()
    {
        Ordinary(60);
        Assert.Empty(_findings);
    }

    [Fact]
    public void Missing_days_are_one_finding_while_they_last_and_another_after_two_good_weeks()
    {
        Ordinary(20);
        _day += 3;
        Ordinary(1);
        var finding = Assert.Single(_findings);
        Assert.Equal(FindingKind.MissingReadings, finding.Kind);
        Assert.Equal(TestHome.Day(20).StartMinute * 60, finding.From.Seconds);
        Assert.Equal(TestHome.Day(23).EndMinute * 60, finding.DetectedAt.Seconds);
        Assert.Equal(new Evidence("missing_hours", 72, 0, 1, "h"), finding.Evidence[0]);
        Assert.Contains("Since 2024-01-21 72 hours", finding.Sentence, StringComparison.Ordinal);
        _day += 1;
        Ordinary(15);
        Assert.Single(_findings);
        _day += 1;
        Ordinary(1);
        Assert.Equal(2, _findings.Count);
    }

    [Fact]
    public void Small_gaps_say_nothing()
    {
        Ordinary(20);
        for (var i = 0; i < 5; i++)
        {
            var wh = _home.NextDay();
            wh.AsSpan(10, 8).Fill(ReadingBlock.Missing);
            Fold(wh);
        }
        Assert.Empty(_findings);
    }

    [Fact]
    public void A_recording_that_begins_or_ends_within_a_day_lacks_nothing_until_a_later_day_comes()
    {
        var first = _home.NextDay();
        first.AsSpan(0, 47).Fill(ReadingBlock.Missing);
        Fold(first);
        Ordinary(20);
        var last = _home.NextDay();
        last.AsSpan(4).Fill(ReadingBlock.Missing);
        Fold(last);
        Assert.Empty(_findings);
        Ordinary(1);
        Assert.Equal(new Evidence("missing_hours", 22, 0, 1, "h"), Assert.Single(_findings).Evidence[0]);
    }

    [Fact]
    public void An_outage_on_record_or_one_that_ends_in_a_catch_up_read_is_no_finding_and_is_not_learned()
    {
        Ordinary(20);
        var wh = _home.NextDay();
        var missed = wh.AsSpan(0, 40).ToArray().Sum();
        wh.AsSpan(0, 40).Fill(ReadingBlock.Missing);
        wh[40] += missed;
        var features = Fold(wh);
        Assert.True(features.Has(DayMarks.CatchUp));
        Assert.False(features.Has(DayMarks.Usable));
        Fold(TestHome.Constant(ReadingBlock.Missing), TestHome.Subject(context: ContextFlags.Outage));
        Ordinary(3);
        Assert.Empty(_findings);
    }

    [Fact]
    public void Three_days_of_zero_after_a_history_are_one_finding()
    {
        Ordinary(20);
        for (var i = 0; i < 2; i++) Fold(new int[48]);
        Assert.Empty(_findings);
        for (var i = 0; i < 8; i++) Fold(new int[48]);
        var finding = Assert.Single(_findings);
        Assert.Equal(FindingKind.ZeroRun, finding.Kind);
        Assert.Equal(TestHome.Day(20).StartMinute * 60, finding.From.Seconds);
        Assert.Equal(3, finding.Evidence[0].Observed);
    }

    [Fact]
    public void A_meter_that_never_ran_is_not_told_of()
    {
        for (var i = 0; i < 40; i++) Fold(new int[48]);
        Assert.Empty(_findings);
    }

    [Fact]
    public void A_constant_day_is_a_stuck_register_unless_it_is_tiny()
    {
        Ordinary(20);
        Fold(TestHome.Constant(5));
        Assert.Empty(_findings);
        var features = Fold(TestHome.Constant(150));
        Fold(TestHome.Constant(150));
        var finding = Assert.Single(_findings);
        Assert.Equal(FindingKind.StuckReading, finding.Kind);
        Assert.True(features.Has(DayMarks.Stuck));
        Assert.Equal("On 2024-01-22 all 48 intervals read the same 150 Wh.", finding.Sentence);
    }

    [Theory]
    [InlineData(150, true)]
    [InlineData(48, false)]
    public void A_register_that_rounds_a_constant_power_is_stuck_too(int wh, bool stuck)
    {
        Ordinary(20);
        var features = Fold([.. TestHome.Constant(wh).Select((v, s) => v + s % 3 / 2)]);
        Assert.Equal(stuck, features.Has(DayMarks.Stuck));
        Assert.Equal(stuck ? ["On 2024-01-21 all 48 intervals read 150 or 151 Wh."] : [],
            _findings.Select(f => f.Sentence));
    }

    [Fact]
    public void A_spike_is_beyond_supply_and_beyond_three_times_the_largest_power_ever()
    {
        Ordinary(20);
        var wh = _home.NextDay();
        wh[20] = 7000; // 14 kW: an electric shower.
        Fold(wh);
        Assert.Empty(_findings);
        wh = _home.NextDay();
        wh[20] = 30_000;
        Fold(wh);
        Fold(wh);
        var finding = Assert.Single(_findings);
        Assert.Equal(FindingKind.Spike, finding.Kind);
        Assert.Equal(60_000, finding.Evidence[0].Observed);
        Assert.Equal(14_000, finding.Evidence[0].Expected, 16.0);
    }

    [Fact]
    public void Import_cannot_be_negative()
    {
        Ordinary(2);
        var wh = _home.NextDay();
        wh[7] = -40;
        Fold(wh);
        Fold(wh);
        var finding = Assert.Single(_findings);
        Assert.Equal(FindingKind.NegativeReading, finding.Kind);
        Assert.Equal(-40, finding.Evidence[0].Observed);
        Assert.Equal("", finding.Technique);
    }

    [Theory]
    [InlineData(10_000, 10_000, 0)]
    [InlineData(10_000, 10_100, 0)]
    [InlineData(10_000, 10_200, 1)]
    [InlineData(10_000, 9_800, 1)]
    [InlineData(20, 70, 0)]
    public void The_register_and_its_intervals_agree_within_one_percent(long intervals, long register, int expected)
    {
        Ordinary(1);
        for (var i = 0; i < 2; i++)
            _model.CheckSum(new UnixTime(0), new UnixTime(86_400), new WattHours(intervals), new WattHours(register),
                TestHome.Subject(), _findings);
        Assert.Equal(expected, _findings.Count);
        Assert.All(_findings, f => Assert.Equal(FindingKind.SumCheck, f.Kind));
    }

    [Fact]
    public void Estimated_days_are_never_learned_from()
    {
        Ordinary(20);
        var copy = Copy(_model);
        for (var i = 0; i < 5; i++)
            TestHome.Fold(_model, _day + i, TestHome.Constant(3000 + i), _findings, quality: Quality.Estimated);
        var next = _home.NextDay();
        var after = TestHome.Fold(_model, _day + 5, next, _findings);
        var without = TestHome.Fold(copy, _day + 5, next, []);
        Assert.Equal(without.ExpectedWh, after.ExpectedWh);
        Assert.Equal(without.ExpectedNightW, after.ExpectedNightW);
    }

    private static ReadingModel Copy(ReadingModel model)
    {
        var w = new Twin.Hardware.Coding.ByteWriter();
        model.Write(w);
        var r = new Twin.Hardware.Coding.ByteReader(w.Written);
        return ReadingModel.Read(ref r);
    }
}
