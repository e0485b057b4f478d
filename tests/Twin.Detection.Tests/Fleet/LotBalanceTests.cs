using Twin.Detection.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Xunit.Abstractions;

namespace Twin.Detection.Tests.Fleet;

/// <summary>Lots by the balances of feeders.</summary>
public class LotBalanceTests(ITestOutputHelper output)
{
    private static readonly string[] Lots = ["Z|L1", "Z|L2", "Z|L3"];
    private readonly FindingList _found = [];

    private LotBalance Weeks(int feeders, int weeks, Func<int, double> gainOfLot2, Func<int, double>? own = null,
        ulong seed = 1)
    {
        var (balance, draw) = (new LotBalance(), SplitMix64.For(seed, "lots"));
        var shares = Enumerable.Range(0, feeders).Select(_ =>
        {
            var raw = Lots.Select(_ => draw.NextDouble()).ToArray();
            return raw.Select(s => (float)(s / raw.Sum())).ToArray();
        }).ToArray();
        for (var w = 0; w < weeks; w++)
        {
            for (var f = 0; f < feeders; f++)
                balance.Note((ulong)f + 1, 7 * w, (float)(-gainOfLot2(w) * shares[f][1] + (own?.Invoke(f) ?? 0)
                    + 0.002 * draw.NextNormal()), [.. Lots.Select((l, i) => new LotShare(l, shares[f][i]))]);
            balance.Judge(7 * w, _found);
        }
        return balance;
    }

    [Fact]
    public void The_lot_that_counts_too_much_is_named_once_and_alone()
    {
        _ = Weeks(24, 20, w => 0.01 * w);
        var f = Assert.Single(_found);
        Assert.Equal((FindingKind.MetrologySuspect, "lot L2 of Z", Severity.Medium),
            (f.Kind, f.SubjectName, f.Severity));
        Assert.InRange(f.Evidence[0].Observed, 0.02, 0.06);
    }

    [Fact]
    public void Thieves_and_panels_on_some_feeders_do_not_make_a_bad_lot()
    {
        for (var seed = 1ul; seed <= 5; seed++)
            _ = Weeks(24, 12, _ => 0, f => f % 6 == 0 ? 0.12 : f % 11 == 0 ? -0.09 : 0, seed);
        Assert.Empty(_found);
        _ = Weeks(24, 20, w => 0.01 * w, f => f % 6 == 0 ? 0.12 : 0);
        Assert.Equal("lot L2 of Z", Assert.Single(_found).SubjectName);
    }

    /// <summary>
    /// Losses of honest feeders wander by one and a half percent; each feeder has some of the lots. A year each.
    /// </summary>
    [Theory]
    [InlineData(8, 3)]
    [InlineData(24, 3)]
    [InlineData(60, 6)]
    public void Honest_lots_are_hardly_ever_named(int feeders, int lots)
    {
        const int years = 20;
        for (var seed = 1ul; seed <= years; seed++)
        {
            var (balance, draw) = (new LotBalance(), SplitMix64.For(seed, "honest lots"));
            var (wander, mix) = (new double[feeders], new LotShare[feeders][]);
            for (var f = 0; f < feeders; f++)
            {
                wander[f] = 0.015 * draw.NextNormal();
                var raw = Enumerable.Range(0, lots).Select(_ => draw.Next(2) * draw.NextDouble()).ToArray();
                raw[f % lots] += 0.3;
                var sum = raw.Sum();
                mix[f] = [.. raw.Select((r, l) => new LotShare($"Z|L{l}", (float)(r / sum))).Where(s => s.Share > 0)];
            }
            for (var w = 0; w < 52; w++)
            {
                for (var f = 0; f < feeders; f++)
                {
                    wander[f] = 0.97 * wander[f] + 0.243 * 0.015 * draw.NextNormal();
                    balance.Note((ulong)f + 1, 7 * w, (float)wander[f], mix[f]);
                }
                balance.Judge(7 * w, _found);
            }
        }
        foreach (var f in _found) output.WriteLine(f.Sentence);
        output.WriteLine($"{_found.Count} lots named of {years * lots} lot-years");
        Assert.InRange(_found.Count, 0, 1);
    }

    [Fact]
    public void A_loss_that_moves_everywhere_is_nobodys_lot()
    {
        var balance = new LotBalance();
        var draw = new SplitMix64(4);
        for (var f = 0; f < 30; f++)
        {
            var s = (float)draw.NextDouble(0.1, 0.9);
            balance.Note((ulong)f + 1, 7, (float)(0.03 + 0.002 * draw.NextNormal()),
                [new LotShare(Lots[0], s), new LotShare(Lots[1], 1 - s)]);
        }
        balance.Judge(7, _found);
        Assert.Empty(_found);
    }

    [Fact]
    public void Few_feeders_say_nothing_and_the_state_survives()
    {
        _ = Weeks(4, 20, w => 0.01 * w);
        Assert.Empty(_found);
        var balance = Weeks(24, 20, w => 0.01 * w);
        var w = new ByteWriter();
        balance.Write(w);
        var r = new ByteReader(w.Written);
        var again = new ByteWriter();
        LotBalance.Read(ref r).Write(again);
        Assert.Equal(w.ToArray(), again.ToArray());
    }

    [Fact]
    public void A_feeder_remembers_its_first_weeks_and_whose_energy_it_was()
    {
        var lots = new FeederLots();
        static Dictionary<string, float> With(string other) => new() { ["Z|L1"] = 3_000, [other] = 1_000 };
        for (var d = 0; d < 21; d++) lots.Take(0.03f, With("Z|L2"));
        Assert.Equal((false, 0f), (lots.IsReady, lots.Change));
        for (var d = 0; d < 90; d++) lots.Take(-0.02f, With("Z|L3"));
        Assert.True(lots.IsReady);
        Assert.Equal(-0.05f, lots.Change, 4);
        Assert.Equal(["Z|L1", "Z|L3"], lots.Shares.Select(s => s.Lot));
        Assert.Equal([0.75f, 0.25f], lots.Shares.Select(s => MathF.Round(s.Share, 3)));
        var w = new ByteWriter();
        lots.Write(w);
        var r = new ByteReader(w.Written);
        Assert.Equal(lots.Change, FeederLots.Read(ref r).Change);
    }
}
