using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Tests;

/// <summary>The slow reference, and meters that count what nobody delivered.</summary>
public class SlowReferenceTests
{
    private readonly FindingList _found = [];

    /// <summary>
    /// A year of a home whose cohort goes through the seasons with it; from day 60 on it withholds a share that grows
    /// by
    /// <paramref name="aWeek"/>.
    /// </summary>
    private AnchorBaseline Year(double aWeek, bool observed, ulong seed, double season = 0.4, double nightToo = 1)
    {
        var (anchor, draw) = (new AnchorBaseline(), SplitMix64.For(seed, "anchor"));
        for (var d = 0; d < 365; d++)
        {
            // A triangle over the year: the middle of the year is at 1 − season.
            var cohort = (float)(9_000 * (1 - season * (1 - Math.Abs(d - 182) / 182.0)));
            var share = 1 - Math.Max(0, d - 60) / 7.0 * aWeek;
            var total = cohort * 1.1 * draw.NextDouble(0.7, 1.3) * share;
            var night = cohort / 24 * 0.4 * draw.NextDouble(0.85, 1.15) * (1 - (1 - share) * nightToo);
            var day = new DayFeatures
            {
                Day = TestHome.FirstDay + d, StartMinute = (TestHome.FirstDay + d) * 1440L, Minutes = 1440,
                Marks = DayMarks.Usable | DayMarks.Warm, TotalWh = (float)total, NightW = (float)night,
            };
            // Twelve homes behind the feeder.
            var missing = (float)((1 - share) / 12);
            anchor.Take(day, TestHome.Subject(), new SlowPeers(cohort, observed ? missing : float.NaN, 12 * cohort,
                    200),
                _found);
        }
        return anchor;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_percent_a_week_does_not_move_the_reference_unseen(bool observed)
    {
        _ = Year(0.01, observed, 1);
        var f = _found[0];
        Assert.Equal(FindingKind.LevelShift, f.Kind);
        Assert.Contains("Little by little", f.Sentence, StringComparison.Ordinal);
        Assert.Equal(observed, f.CounterEvidence.Length == 0);
        var days = (f.To.Seconds / 86_400) - TestHome.FirstDay - 60;
        Assert.True(days < (observed ? 140 : 300), $"found after {days} days");
    }

    [Fact]
    public void Honest_homes_through_the_seasons_raise_nothing()
    {
        for (var seed = 1ul; seed <= 20; seed++) _ = Year(0, seed % 2 == 0, seed, 0.6);
        Assert.Empty(_found);
    }

    /// <summary>A heated home that uses less towards summer keeps its night base, and no feeder misses it.</summary>
    [Fact]
    public void A_home_that_uses_less_is_not_accused()
    {
        _ = Year(0.02, false, 3, nightToo: 0.1);
        Assert.Empty(_found);
        var (anchor, level) = (new AnchorBaseline(), 1f);
        for (var d = 0; d < 300; d++)
        {
            level = d < 60 ? 1 : Math.Max(0.6f, level - 0.002f);
            anchor.Take(new DayFeatures
            {
                Day = TestHome.FirstDay + d, StartMinute = (TestHome.FirstDay + d) * 1440L, Minutes = 1440,
                Marks = DayMarks.Usable | DayMarks.Warm, TotalWh = 9_000 * level, NightW = 150 * level,
            }, TestHome.Subject(), new SlowPeers(9_000, 0.001f, 108_000, 200), _found);
        }
        Assert.Empty(_found);
        Assert.InRange(anchor.Drop, 0.2, 0.42);
    }

    [Fact]
    public void The_reference_survives_and_a_move_begins_it_anew()
    {
        var anchor = Year(0, true, 5);
        var w = new ByteWriter();
        anchor.Write(w);
        Assert.Equal(13, w.Length);
        var r = new ByteReader(w.Written);
        Assert.Equal((anchor.Days, anchor.Drop), (AnchorBaseline.Read(ref r) is var b ? b.Days : 0, b.Drop));
        var day = new DayFeatures { Day = 9, Minutes = 1440, Marks = DayMarks.Usable, TotalWh = 100, NightW = 1 };
        anchor.Take(day, TestHome.Subject(context: ContextFlags.MoveIn), new SlowPeers(100, float.NaN, 0, 200), _found);
        Assert.Equal(1, anchor.Days);
    }

    private void Overcounting(double factor, double delivered, int days)
    {
        var over = new Overcount();
        for (var d = 0; d < days; d++)
        {
            var day = new DayFeatures
            {
                Day = TestHome.FirstDay + d, StartMinute = (TestHome.FirstDay + d) * 1440L, Minutes = 1440,
                Marks = DayMarks.Usable | DayMarks.Warm, TotalWh = (float)(10_000 * factor), ExpectedWh = 10_000,
            };
            var reported = 110_000 + 10_000 * factor;
            var missing = 0.03 * 120_000 - 10_000 * (factor - 1) * (1 - delivered);
            over.Take(day, TestHome.Subject(), null, new FeederDay
            {
                IsStatement = true, MissingWh = (float)missing, LossShare = (float)(missing / reported),
                UsualLossShare = 0.03f,
            }, _found);
        }
    }

    [Fact]
    public void What_the_feeder_never_delivered_makes_the_meter_suspect()
    {
        Overcounting(5.8, 0, 10);
        var f = Assert.Single(_found);
        Assert.Equal((FindingKind.MetrologySuspect, Severity.Medium), (f.Kind, f.Severity));
        Assert.Contains("480 % more", f.Sentence, StringComparison.Ordinal);
        Assert.Equal(4, (f.To.Seconds - f.From.Seconds) / 86_400);
    }

    [Theory]
    [InlineData(5.8, 1, 30)]
    [InlineData(1.2, 0, 30)]
    [InlineData(5.8, 0, 3)]
    public void Real_use_small_excess_and_few_days_do_not(double factor, double delivered, int days)
    {
        Overcounting(factor, delivered, days);
        Assert.Empty(_found);
    }

    /// <summary>
    /// The profile learns from the days that it judges, and homes are not alike every day; a rise just above what
    /// counts must not be lost in either within the days that the finding takes.
    /// </summary>
    [Theory]
    [InlineData(1.4, 18)]
    [InlineData(1.45, 20)]
    [InlineData(1.65, 20)]
    [InlineData(2.5, 20)]
    public void A_rise_just_above_what_counts_is_found_before_the_profile_follows(double factor, int least)
    {
        const int onset = 40;
        var told = 0;
        for (var seed = 1ul; seed <= 20; seed++)
        {
            var (model, over, home) = (new ReadingModel(), new Overcount(), new TestHome(seed));
            _found.Clear();
            for (var d = 0; d < onset + 10; d++)
            {
                var used = home.NextDay();
                int[] read = d < onset ? used : [.. used.Select(v => (int)(v * factor))];
                var day = TestHome.Fold(model, d, read, _found);
                float undelivered = read.Sum() - used.Sum(), reported = 120_000 + undelivered;
                var missing = 0.03f * 120_000 - undelivered;
                over.Take(day, TestHome.Subject(), null, new FeederDay
                {
                    IsStatement = true, MissingWh = missing, LossShare = missing / reported, UsualLossShare = 0.03f,
                }, _found);
            }
            Assert.All(_found, f => Assert.Equal(FindingKind.MetrologySuspect, f.Kind));
            told += _found.Count;
        }
        Assert.True(told >= least, $"{told} of 20 homes");
    }
}
