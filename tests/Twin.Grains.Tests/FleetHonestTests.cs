using System.Diagnostics;
using Twin.Hardware;
using Xunit.Abstractions;
using static Twin.Grains.Tests.Letters;

namespace Twin.Grains.Tests;

/// <summary>Random honest traffic raises nothing (DESIGN, invariant 10); a failure names its seed.</summary>
public class FleetHonestTests(ITestOutputHelper output)
{
    private const int Meters = 300, Days = 45;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_month_and_a_half_of_honest_work_raises_nothing(ulong seed)
    {
        var draw = new SplitMix64(seed);
        var fleet = new TwinHarness();
        fleet.Append(Release("v1"));
        fleet.Append(Release("v2"));
        var keys = Enumerable.Range(0, Meters).Select(_ => draw.NextUInt64()).ToArray();
        fleet.Sweep(At(0));
        fleet.Post(Enumerable.Range(0, Meters).SelectMany(m => new[]
        {
            KeySeen(m, keys[m]), Image(m, Short("v1"), false), Image(m, Short($"calibration {m}"), true,
                part: Twin.Hardware.Attestation.FirmwarePart.Calibration),
        }));
        for (var day = 1; day <= Days; day++)
        {
            var letters = new List<(TwinKey, FleetLetter)>();
            for (var m = 0; m < Meters; m++) letters.AddRange(DayOf(m, day, keys, draw));
            // A sweep every eight hours; a tenth of the letters come a day late, some come twice.
            for (var part = 0; part < 3; part++)
            {
                fleet.Sweep(At(day * Day + (part + 1) * 8 * Hour));
                var now = letters.Where(_ => draw.Next(3 - part) == 0).ToList();
                letters.RemoveAll(now.Contains);
                now.AddRange(now.Where(l => l.Item2.Kind is FleetLetterKind.KeySeen or FleetLetterKind.SignatureSeen
                    or FleetLetterKind.ImageSeen && draw.Next(20) == 0).ToArray());
                fleet.Post(now);
            }
        }
        Assert.True(fleet.Findings.Count == 0,
            $"seed {seed}: {string.Join("; ", fleet.Findings.Select(f => $"{f.DetectedAt} {f.Sentence}"))}");
    }

    private static IEnumerable<(TwinKey, FleetLetter)> DayOf(int meter, int day, ulong[] keys, SplitMix64 draw)
    {
        var at = day * Day + draw.Next((int)(8 * Hour));
        yield return Signed(meter, draw.NextUInt64(), keys[meter], $"{day}", at);
        if (draw.Next(500) == 0)
        {
            keys[meter] = draw.NextUInt64();
            yield return KeySeen(meter, keys[meter], at);
        }
        // Field work by three tools with orders, of which one in fifty comes late.
        if (draw.Next(30) == 0) yield return Tool(meter, $"tool-{draw.Next(3)}", draw.Next(50) != 0, at);
        // Ordered disconnections and what follows; now and then a limiter.
        if (draw.Next(60) == 0)
        {
            yield return Switched(meter, CommandKind.Disconnect, CommandOrigin.HeadEnd, true, at);
            yield return Switched(meter, CommandKind.Reconnect, CommandOrigin.HeadEnd, true, at + 3 * Hour);
        }
        if (draw.Next(400) == 0) yield return Switched(meter, CommandKind.Disconnect, CommandOrigin.Local, false, at);
        if (draw.Next(100) == 0) yield return Burst(meter, (ulong)draw.Next(40), at);
        // A campaign in waves: verified in the first week, activated in the second; one in forty lags behind.
        if (day == 3 + meter % 5) yield return Campaign(meter, "v2", CampaignState.Verified, at);
        if (day == 10 + meter % 3 + (meter % 40 == 0 ? 20 : 0))
        {
            yield return Campaign(meter, "v2", CampaignState.Updated, at);
            yield return Image(meter, Short("v2"), true, at: at);
        }
    }

    /// <summary>Figures of concentrators: printed, with a bound that catches growth.</summary>
    [Theory]
    [InlineData(100)]
    [InlineData(4_096)]
    public void Figures_of_a_concentrator(int meters)
    {
        var key = TwinKey.Named(TwinKind.Concentrator, "C");
        var ids = Enumerable.Range(0, meters).Select(i => new MeterId(StableHash.Mix((ulong)i + 1))).ToArray();
        var fleet = new TwinHarness { Keeps = false };
        var reports = Enumerable.Range(0, 24).Select(hour => new ConcentratorReport(key, "C", At(hour * Hour), 3_600,
            400, [.. ids.Select((m, i) => new Route(m, i < meters / 10 ? default : ids[i % (meters / 10)], 4, 0, 0))])
            .ToBytes()).ToArray();
        var clock = Stopwatch.StartNew();
        foreach (var report in reports) fleet.Append(report);
        clock.Stop();
        var state = fleet.State(key).Length;
        output.WriteLine($"{meters} meters: {state / 1024.0:0.0} KiB of state, "
            + $"{clock.Elapsed.TotalNanoseconds / (24.0 * meters):0} ns a route (measured through this harness)");
        Assert.True(state <= 64 * meters + 64 * 512 + 2_048, $"{state} bytes of state for {meters} meters.");
    }
}
