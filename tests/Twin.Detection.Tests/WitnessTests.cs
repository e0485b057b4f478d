using Twin.Hardware;

namespace Twin.Detection.Tests;

/// <summary>When a change of habits is stated, and when it is life.</summary>
public sealed class WitnessTests
{
    private readonly FindingList _findings = [];

    private void Street(int homes, int days, Func<int, int[], int[]> tell, OtherEvidence others = default)
    {
        var houses = Enumerable.Range(1, homes).Select(static i => new TestHome((ulong)i)).ToArray();
        var models = houses.Select(static _ => new ReadingModel()).ToArray();
        var cohort = new CohortModel();
        for (var d = 0; d < days; d++)
        {
            var members = new Member[homes];
            DaySubject Subject(int h) => TestHome.Subject((ulong)h + 1) with { Others = h == 0 ? others : default };
            for (var h = 0; h < homes; h++)
            {
                var wh = houses[h].NextDay();
                if (h == 0) wh = tell(d, wh);
                members[h] = new Member(new MeterId((ulong)h + 1), MeterRole.Customer,
                    TestHome.Fold(models[h], d, wh, _findings, Subject(h)));
            }
            var day = cohort.Fold(TestHome.FirstDay + d, members);
            for (var h = 0; h < homes; h++)
                _ = models[h].Judge(members[h].Features, Subject(h), day, null, _findings);
        }
    }

    private static int[] Less(int d, int[] wh) => d < 40 ? wh : [.. wh.Select(static v => v / 3)];

    [Fact]
    public void A_drop_in_a_cohort_of_ten_waits_for_a_witness()
    {
        Street(10, 75, Less);
        Assert.Empty(_findings);
        Street(10, 75, Less, new OtherEvidence(0.5f, 0));
        Assert.NotEmpty(_findings);
        _findings.Clear();
        Street(24, 75, Less);
        Assert.NotEmpty(_findings);
    }

    [Fact]
    public void What_life_does_not_do_needs_no_witness()
    {
        int[] old = [];
        Street(1, 40, (d, wh) => d == 30 ? old = wh : d == 33 ? old : wh);
        Assert.Equal(FindingKind.RepeatedDay, Assert.Single(_findings).Kind);
    }

    /// <summary>A fridge alone reads zero between two runs; the weeks after it are an ordinary home's.</summary>
    [Fact]
    public void A_fortnight_away_is_no_finding_and_a_theft_after_it_is_one()
    {
        static int[] Fridge() => [.. Enumerable.Range(0, 48).Select(static s => s % 3 == 0 ? 45 : s % 3 == 1 ? 12 : 0)];
        Street(24, 100, (d, wh) => d is < 40 or > 54 ? wh : Fridge());
        Assert.Empty(_findings);
        Street(24, 100, (d, wh) => d < 40 ? wh : d <= 54 ? Fridge() : [.. wh.Select(static v => v / 4)]);
        var finding = Assert.Single(_findings);
        Assert.True(finding.To.Seconds >= TestHome.Day(55).EndMinute * 60, finding.Sentence);
    }

    [Fact]
    public void Coarse_registers_and_stairwells_have_no_ceiling()
    {
        Assert.True(ReadingSteps.AreCoarse([1000, 3000, ReadingBlock.Missing, 6000], 6000));
        Assert.False(ReadingSteps.AreCoarse([1000, 3010, 6000], 6000));
        Assert.False(ReadingSteps.AreCoarse([0, 0, 0], 0));
        Assert.False(ReadingSteps.AreCoarse([61, 122, 61 * 40], 61 * 40));
        Assert.False(Witness.CanBeCut(new DayFeatures { TopW = 190, ExpectedTopW = 195 }));
        Assert.True(Witness.CanBeCut(new DayFeatures { TopW = 190, ExpectedTopW = 900 }));
        Assert.True(Witness.CanBeCut(new DayFeatures { TopW = 660, ExpectedTopW = 650 }));
    }
}
