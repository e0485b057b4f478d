using Twin.Detection.Fleet;
using Twin.Hardware;
using Xunit.Abstractions;

namespace Twin.Detection.Tests.Fleet;

/// <summary>Lots by what their meters tell of themselves: small, large, half bad, through the seasons.</summary>
public class LotDriftTests(ITestOutputHelper output)
{
    private readonly FindingList _found = [];

    /// <summary>
    /// Days of lots of so many meters; the clock of a meter follows the season with a coefficient of its own (about
    /// 0.03 ppm for each square kelvin off 25 °C), and what a test adds.
    /// </summary>
    private LotDrift Run(int days, (string Name, int Meters)[] lots, Func<string, int, int, float> clock,
        ulong seed = 1, bool isSeasonal = false)
    {
        var (drift, draw) = (new LotDrift(), SplitMix64.For(seed, "lot drift"));
        for (var d = 0; d < days; d++)
        {
            var cold = 25 - (12 + 10 * Math.Cos(2 * Math.PI * d / 365));
            foreach (var (name, meters) in lots)
                for (var m = 0; m < meters; m++)
                {
                    var id = StableHash.Of($"{name} {m}");
                    var own = (id % 1_000 / 1_000.0 - 0.5) * 10;
                    var season = isSeasonal ? -(0.03 + 0.006 * (id % 7 / 6.0 - 0.5)) * cold * cold : 0;
                    drift.Note(name, id, 1, new UnixTime(86_400L * d),
                        (float)(own + season + 0.1 * draw.NextNormal()) + clock(name, m, d),
                        (float)(1 + 0.1 * draw.NextNormal()), (float)(0.3 * draw.NextNormal()));
                    drift.Judge(name, "Z", new UnixTime(86_400L * d), _found);
                }
        }
        return drift;
    }

    private static float After(int day, float ppmADay, int d) => Math.Max(0, d - day) * ppmADay;

    [Fact]
    public void Three_meters_are_too_few_to_blame_their_lot()
    {
        _ = Run(120, [("L1", 3), ("L2", 20)], (lot, _, d) => lot == "L1" ? After(30, 0.2f, d) : 0);
        Assert.Empty(_found);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(300)]
    public void A_lot_that_drifts_is_named_among_good_ones(int meters)
    {
        _ = Run(90, [("L1", meters), ("L2", 20)], (lot, _, d) => lot == "L1" ? After(30, 0.2f, d) : 0);
        var f = Assert.Single(_found);
        Assert.Equal(("lot L1 of Z", Severity.Medium, "lot_clock_drift"),
            (f.SubjectName, f.Severity, f.Evidence[0].Feature));
        Assert.InRange(f.Evidence[0].Observed, 3, 3.6);
        Assert.Empty(f.CounterEvidence);
    }

    [Fact]
    public void Half_a_lot_that_drifts_is_named_as_many_of_it()
    {
        _ = Run(120, [("L1", 30), ("L2", 20)], (lot, m, d) => lot == "L1" && m % 2 == 0 ? After(30, 0.2f, d) : 0);
        var f = Assert.Single(_found);
        Assert.Equal("lot L1 of Z", f.SubjectName);
        Assert.Contains("many of the meters of lot L1 drift together", f.Sentence, StringComparison.Ordinal);
        Assert.Contains("in a quarter or more of 30 meters", f.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_few_odd_meters_are_no_lot()
    {
        _ = Run(120, [("L1", 30), ("L2", 20)], (lot, m, d) => lot == "L1" && m < 3 ? After(30, 0.2f, d) : 0);
        Assert.Empty(_found);
    }

    [Fact]
    public void Winter_moves_all_lots_alike_and_names_none()
    {
        _ = Run(365, [("L1", 20), ("L2", 20), ("L3", 8)], (_, _, _) => 0, isSeasonal: true);
        Assert.Empty(_found);
    }

    [Fact]
    public void A_single_lot_through_the_seasons_is_a_note_with_the_season_as_its_counter_evidence()
    {
        _ = Run(365, [("L1", 20)], (_, _, _) => 0, isSeasonal: true);
        var f = Assert.Single(_found);
        Assert.Equal(Severity.Low, f.Severity);
        Assert.Contains("season", f.CounterEvidence[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Honest_lots_are_never_named()
    {
        for (var seed = 1ul; seed <= 6; seed++)
            _ = Run(365, [("L1", 7), ("L2", 20), ("L3", 12), ("L4", 5)], (_, _, _) => 0, seed);
        output.WriteLine($"{_found.Count} of 24 lot-years");
        Assert.Empty(_found);
    }
}
