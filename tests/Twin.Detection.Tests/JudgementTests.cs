using Twin.Hardware;

namespace Twin.Detection.Tests;

/// <summary>
/// A street of invented homes with one cohort, run day by day; one home may be made to tell less than it uses.
/// </summary>
public sealed class JudgementTests
{
    private const int Homes = 20;
    private readonly FindingList _findings = [];
    private readonly List<DayVerdict> _verdicts = [];

    /// <summary>
    /// Runs the street; <paramref name="tell"/> changes what home 0 tells of a day, <paramref name="weather"/>
    /// multiplies everybody.
    /// </summary>
    private void Run(int days, Func<int, int[], int[]> tell, Func<int, double>? weather = null, Func<int,
        ContextFlags>? context = null)
    {
        var homes = Enumerable.Range(0, Homes).Select(i => new TestHome((ulong)i + 1)).ToArray();
        var models = homes.Select(_ => new ReadingModel()).ToArray();
        var cohort = new CohortModel();
        for (var d = 0; d < days; d++)
        {
            var members = new Member[Homes];
            var flags = context?.Invoke(d) ?? ContextFlags.None;
            for (var h = 0; h < Homes; h++)
            {
                var wh = homes[h].NextDay();
                if (weather is not null) wh = [.. wh.Select(v => (int)(v * weather(d)))];
                if (h == 0) wh = tell(d, wh);
                var subject = TestHome.Subject((ulong)h + 1, h == 0 ? flags : ContextFlags.None);
                members[h] = new Member(new MeterId((ulong)h + 1), MeterRole.Customer,
                    TestHome.Fold(models[h], d, wh, _findings, subject));
            }
            var day = cohort.Fold(TestHome.FirstDay + d, members);
            for (var h = 0; h < Homes; h++)
            {
                var subject = TestHome.Subject((ulong)h + 1, h == 0 ? flags : ContextFlags.None);
                var verdict = models[h].Judge(members[h].Features, subject, day, null, _findings);
                if (h == 0) _verdicts.Add(verdict);
            }
        }
    }

    [Fact]
    public void Honest_homes_in_changing_weather_raise_nothing()
    {
        Run(90, (_, wh) => wh, d => 1 + 0.4 * Math.Sin(d / 9.0));
        Assert.Empty(_findings);
        Assert.All(_verdicts, v => Assert.True(v.Score < AlarmBar.Fixed));
    }

    [Fact]
    public void Scores_are_small_while_the_model_warms_up()
    {
        Run(ReadingModel.WarmUpDays, (_, wh) => wh);
        Assert.All(_verdicts, v => Assert.True(v.Score < 0.5, $"{v.Score}"));
    }

    [Fact]
    public void Forty_percent_less_since_a_day_is_one_finding_that_says_so()
    {
        Run(75, (d, wh) => d < 40 ? wh : [.. wh.Select(v => v * 6 / 10)]);
        var finding = Assert.Single(_findings);
        Assert.Contains(finding.Kind, new[] { FindingKind.LevelShift, FindingKind.NightBaseLost });
        Assert.Equal("M1", finding.SubjectName);
        Assert.Equal(finding.To, finding.DetectedAt);
        Assert.InRange(finding.To.Seconds, TestHome.Day(40).EndMinute * 60, TestHome.Day(60).EndMinute * 60);
        Assert.InRange(finding.From.Seconds, TestHome.Day(36).StartMinute * 60, TestHome.Day(41).StartMinute * 60);
        Assert.Equal("reading_model", finding.Detector);
        Assert.Contains("% less than", finding.Sentence, StringComparison.Ordinal);
        var level = finding.Evidence.First(e => e.Feature.EndsWith("_vs_cohort", StringComparison.Ordinal));
        Assert.InRange(level.Observed / level.Expected, 0.5, 0.9);
        Assert.All(finding.Evidence, e => Assert.InRange(e.Contribution, 0, 1));
        Assert.True(_verdicts[60].Score > 3 * _verdicts[39].Score);
    }

    [Fact]
    public void A_tariff_change_on_record_lowers_the_score_of_what_life_does()
    {
        Run(90, (d, wh) => d < 40 ? wh : [.. wh.Select(v => v * 6 / 10)]);
        Assert.Single(_findings);
        var plain = _verdicts[80].Score;
        _findings.Clear();
        _verdicts.Clear();
        Run(90, (d, wh) => d < 40 ? wh : [.. wh.Select(v => v * 6 / 10)], null, d => d >= 40
            ? ContextFlags.TariffChange : ContextFlags.None);
        Assert.Equal(0.7 * plain, _verdicts[80].Score, 6);
        Assert.Empty(_findings);
    }

    [Fact]
    public void A_tariff_change_on_record_is_named_beside_what_life_does_not_do()
    {
        int[] old = [];
        Run(60, (d, wh) => d < 40 ? old = wh : old, null, d => d >= 40 ? ContextFlags.TariffChange
            : ContextFlags.None);
        var finding = Assert.Single(_findings);
        Assert.Contains(finding.CounterEvidence, t => t.Contains("tariff", StringComparison.Ordinal));
        Assert.True(finding.Confidence <= 0.5);
    }

    [Fact]
    public void A_move_in_begins_a_new_character()
    {
        Run(75, (d, wh) => d < 40 ? wh : [.. wh.Select(v => v / 3)], null, d => d == 40 ? ContextFlags.MoveIn
            : ContextFlags.None);
        Assert.Empty(_findings);
    }

    [Fact]
    public void A_home_at_its_night_base_is_an_empty_home()
    {
        var random = new SplitMix64(4);
        Run(75, (d, wh) => d is < 40 or > 54 ? wh : [.. wh.Select((_, s) => wh[s % 12] + random.Next(3))]);
        Assert.Empty(_findings);
    }

    [Fact]
    public void What_is_missing_by_daylight_is_new_pv_and_what_is_missing_by_night_is_not()
    {
        static int[] Less(int[] wh, int from, int to) => [.. wh.Select((v, s) => s >= from && s < to ? v / 6 : v)];
        Run(75, (d, wh) => d < 40 ? wh : Less(wh, 16, 36));
        var byDay = _verdicts.Max(v => v.Score);
        Assert.Empty(_findings);
        _verdicts.Clear();
        Run(75, (d, wh) => d < 40 ? wh : Less(wh, 36, 46));
        var byNight = _verdicts.Max(v => v.Score);
        Assert.True(byNight > 1.5 * byDay, $"{byDay} by day, {byNight} by night");
        Assert.NotEmpty(_findings);
    }

    [Fact]
    public void A_ceiling_is_found_and_says_how_high_it_is()
    {
        Run(75, (d, wh) => d < 40 ? wh : [.. wh.Select(v => Math.Min(v, 330))]);
        Assert.Equal("ceiling", _verdicts[74].Top);
        Assert.Contains(_findings, f => f.Sentence.Contains("330 Wh", StringComparison.Ordinal)
            || f.Evidence.Any(e => e.Feature == "intervals_at_ceiling" && e.Observed >= 3));
    }

    [Fact]
    public void Days_of_zero_between_days_of_use_are_found_and_a_dead_meter_is_one_event()
    {
        Run(75, (d, wh) => d >= 40 && d % 3 == 0 ? TestHome.Constant(0) : wh);
        Assert.Contains(_findings, f => f.Kind == FindingKind.UnusualDay
            && f.Sentence.Contains("between days of ordinary use", StringComparison.Ordinal)
            || f.Evidence.Any(e => e.Feature == "zero_episodes"));
        _findings.Clear();
        Run(75, (d, wh) => d >= 40 ? TestHome.Constant(0) : wh);
        Assert.Equal(FindingKind.ZeroRun, Assert.Single(_findings).Kind);
    }

    [Fact]
    public void An_appliance_more_is_nobodys_theft()
    {
        Run(90, (d, wh) => d < 40 || d % 7 is 1 or 4 ? wh
            : [.. wh.Select((v, s) => s is >= 42 ? v + 1800 : v)]);
        Assert.Empty(_findings);
        Assert.All(_verdicts, v => Assert.True(v.Score < AlarmBar.Fixed, $"{v}"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_day_told_twice_is_a_repeated_day(bool shuffled)
    {
        int[] old = [];
        Run(40, (d, wh) =>
        {
            if (d == 30) old = wh;
            return d != 33 ? wh : shuffled ? [.. old.Reverse()] : old;
        });
        var finding = Assert.Single(_findings);
        Assert.Equal(FindingKind.RepeatedDay, finding.Kind);
        Assert.Equal("repeated_day", _verdicts[33].Top);
        Assert.Contains("On 2024-02-03", finding.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void An_observer_is_not_judged_as_a_customer()
    {
        var model = new ReadingModel();
        var subject = TestHome.Subject(role: MeterRole.Observer);
        var home = new TestHome(1);
        for (var d = 0; d < 40; d++)
        {
            var features = TestHome.Fold(model, d, d < 30 ? home.NextDay() : TestHome.Constant(400), _findings,
                subject);
            Assert.Equal(new DayVerdict(0, "observer"), model.Judge(features, subject, null, null, _findings));
        }
        Assert.Equal(FindingKind.StuckReading, Assert.Single(_findings).Kind);
    }
}
