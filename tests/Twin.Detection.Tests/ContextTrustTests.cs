using Twin.Hardware;

namespace Twin.Detection.Tests;

/// <summary>Records that would excuse a meter, and what contradicts them.</summary>
public sealed class ContextTrustTests
{
    private readonly FindingList _findings = [];

    private static readonly DayFeatures Whole = new() { Marks = DayMarks.Complete | DayMarks.Usable };
    private static readonly DayFeatures Broken = new() { Marks = DayMarks.None };

    private static ContextFlags Doubted(ContextFlags own, DayFeatures day, ContextFlags feeder = 0, bool supply = false,
        bool lacksOrder = false) =>
        ContextTrust.Doubted(own, new FeederRecord(feeder, supply), day, lacksOrder);

    [Fact]
    public void An_outage_is_doubted_where_readings_or_feeder_show_supply()
    {
        Assert.Equal(ContextFlags.None, Doubted(ContextFlags.Outage, Broken));
        Assert.Equal(ContextFlags.Outage, Doubted(ContextFlags.Outage, Whole));
        Assert.Equal(ContextFlags.Outage, Doubted(ContextFlags.Outage, Broken, supply: true));
        Assert.Equal(ContextFlags.None, Doubted(ContextFlags.Outage, Whole with { ZeroShare = 0.1f }));
        // On record for the feeder it is everybody's.
        Assert.Equal(ContextFlags.None, Doubted(ContextFlags.Outage, Broken, ContextFlags.Outage, supply: true));
    }

    [Fact]
    public void Work_that_nobody_ordered_is_doubted_and_a_move_is_not()
    {
        const ContextFlags all = ContextFlags.PlannedWork | ContextFlags.MoveIn | ContextFlags.TariffChange;
        Assert.Equal(ContextFlags.PlannedWork, Doubted(all, Whole, lacksOrder: true));
        Assert.Equal(ContextFlags.None, Doubted(all, Whole));
        Assert.Equal(ContextFlags.None, Doubted(all, Whole, ContextFlags.PlannedWork, lacksOrder: true));
    }

    /// <summary>A street of thirty; home 0 withholds two thirds from day 40 on, with a record that may excuse it.
    /// </summary>
    private double Run(ContextFlags context, ContextFlags doubted)
    {
        const int homes = 30;
        var houses = Enumerable.Range(1, homes).Select(static i => new TestHome((ulong)i)).ToArray();
        var models = houses.Select(static _ => new ReadingModel()).ToArray();
        var (cohort, last) = (new CohortModel(), 0.0);
        for (var d = 0; d < 75; d++)
        {
            var members = new Member[homes];
            DaySubject Subject(int h) => TestHome.Subject((ulong)h + 1, h == 0 && d >= 40 ? context : 0) with
            {
                Doubted = h == 0 && d >= 40 ? doubted : 0,
            };
            for (var h = 0; h < homes; h++)
            {
                var wh = houses[h].NextDay();
                if (h == 0 && d >= 40) wh = [.. wh.Select(static v => v / 3)];
                members[h] = new Member(new MeterId((ulong)h + 1), MeterRole.Customer,
                    TestHome.Fold(models[h], d, wh, _findings, Subject(h)));
            }
            var day = cohort.Fold(TestHome.FirstDay + d, members);
            for (var h = 0; h < homes; h++)
            {
                var score = models[h].Judge(members[h].Features, Subject(h), day, null, _findings).Score;
                if (h == 0) last = Math.Max(last, score);
            }
        }
        return last;
    }

    [Fact]
    public void A_doubted_record_excuses_nothing_and_is_named()
    {
        var plain = Run(ContextFlags.None, ContextFlags.None);
        var without = Assert.Single(_findings);
        _findings.Clear();
        const ContextFlags both = ContextFlags.Outage | ContextFlags.PlannedWork;
        var forged = Run(both, both);
        var finding = Assert.Single(_findings);
        Assert.Equal(plain, forged);
        Assert.Equal((without.Kind, without.Confidence), (finding.Kind, finding.Confidence));
        Assert.Equal(2, finding.CounterEvidence.Count(t => t.Contains("may be forged", StringComparison.Ordinal)));
        _findings.Clear();
        Assert.Equal(0.7 * plain, Run(ContextFlags.PlannedWork, ContextFlags.None), 3);
    }

    [Fact]
    public void An_outage_on_record_for_months_neither_stops_the_judging_nor_hides_a_silence()
    {
        var model = new ReadingModel();
        var home = new TestHome(3);
        var subject = TestHome.Subject(context: ContextFlags.Outage);
        for (var d = 0; d < 20; d++)
            Assert.True(TestHome.Fold(model, d, home.NextDay(), _findings, subject).Has(DayMarks.Usable));
        for (var d = 20; d < 23; d++)
            _ = TestHome.Fold(model, d, TestHome.Constant(ReadingBlock.Missing), _findings, subject);
        Assert.Empty(_findings);
        _ = TestHome.Fold(model, 23, TestHome.Constant(ReadingBlock.Missing), _findings, subject);
        var finding = Assert.Single(_findings);
        Assert.Equal(FindingKind.MissingReadings, finding.Kind);
        Assert.Contains("an outage is on record for this time", finding.CounterEvidence);
    }

    [Theory]
    [InlineData(ContextFlags.Outage, "an outage is on record")]
    [InlineData(ContextFlags.TariffChange, "a tariff change is on record")]
    [InlineData(ContextFlags.MoveIn, "a move-in is on record")]
    [InlineData(ContextFlags.Exchange, "a meter exchange is on record")]
    [InlineData(ContextFlags.PlannedWork, "planned work is on record")]
    public void Every_kind_of_record_is_named_on_a_finding_and_lowers_confidence(ContextFlags context, string text)
    {
        var model = new ReadingModel();
        var wh = TestHome.Constant(400);
        wh[3] = -5;
        _ = TestHome.Fold(model, 0, wh, _findings);
        var plain = Assert.Single(_findings);
        _findings.Clear();
        _ = TestHome.Fold(new ReadingModel(), 0, wh, _findings, TestHome.Subject(context: context));
        var finding = Assert.Single(_findings);
        Assert.StartsWith(text, Assert.Single(finding.CounterEvidence), StringComparison.Ordinal);
        Assert.Equal(0.5 * plain.Confidence, finding.Confidence, 9);
    }
}
