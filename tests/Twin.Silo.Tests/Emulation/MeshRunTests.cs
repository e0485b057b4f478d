using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Emulator.Network;
using Twin.Hardware.Emulator.Zeus;
using Twin.Silo.Embedded;
using Twin.Silo.Emulation;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Emulation;

/// <summary>
/// Honest life over a rough mesh, through the whole pipeline: reordering, duplication, retransmission, power cuts, lost
/// backhaul, backfill, a roll-out, a key rollover, ordered work. Nothing of it may be a specification finding.
/// </summary>
public sealed class MeshRunTests(ITestOutputHelper output) : IDisposable
{
    private const int FirstSpecification = 128;
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static FleetOptions Rough(int meters, int feeders, int days) => new()
    {
        Seed = 11, Meters = meters, Feeders = feeders, Concentrators = 2, Days = days, CutsPerYear = 20,
        BackhaulGapsPerYear = 20,
        Mesh = new MeshOptions { ReorderShare = 0.1, DuplicateShare = 0.05, HopLoss = 0.15 },
    };

    [Fact]
    public Task Thirty_days_of_honest_life_give_no_specification_finding() => HonestRun(Rough(60, 3, 30));

    [Fact]
    [Trait("Category", "Long")]
    public async Task Three_hundred_meters_live_honestly_over_sixty_days()
    {
        if (Crash.KillTests.IsLong) await HonestRun(Rough(300, 15, 60));
        else output.WriteLine("Not run: it takes METERTWIN_LONG=1.");
    }

    private async Task HonestRun(FleetOptions options)
    {
        using var emulated = new EmulatedFleet(options);
        await using var fleet = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = _directory.Sub("data") },
            new TwinFactory(), null);
        var run = new FleetRun(emulated, fleet);
        var campaign = await HonestLife(run, options.Days);

        Assert.Equal(0, run.Totals.RejectedItems);
        Assert.Equal(0, run.Totals.RejectedFrames);
        Assert.Empty(run.Reasons);
        var findings = await fleet.Findings(new FindingQuery(null, null, null, null, 10_000), default);
        var stated = findings.Where(f => (int)f.Kind >= FirstSpecification)
            .Select(f => $"{f.DetectedAt} {f.SubjectName} {f.Kind}: {f.Sentence}");
        foreach (var line in stated) output.WriteLine(line);
        Assert.Empty(stated);
        Assert.All(campaign.Meters, m => Assert.Equal(CampaignState.Updated, campaign.StateOf(m)));
        Assert.All(emulated.Meters.Take(10), m => Assert.Equal(1, emulated.HeadEnd.Keys.Generation(m.Id)));
        Assert.True(emulated.Mesh.Totals.IsBalanced);
        Assert.True(emulated.Mesh.Totals.HeldBack > emulated.Mesh.Totals.Sent / 12);
        Assert.True(emulated.Mesh.Totals.Copied > emulated.Mesh.Totals.Sent / 30);
        Assert.True(emulated.Mesh.Totals.Retransmissions > 1_000);
        Assert.NotEmpty(emulated.Plan.Cuts);
        Assert.NotEmpty(emulated.Plan.Gaps);
        await Complete(fleet, emulated, options.Days - 3);
    }

    /// <summary>Day 5: keys of ten meters; day 8: a roll-out; day 12 and 13: a supply is opened and closed.</summary>
    private static async Task<Campaign> HonestLife(FleetRun run, int days)
    {
        var emulated = run.Emulated;
        var model = emulated.Plan.Options.Models[0];
        await run.Days(5, default);
        for (var m = 0; m < 10; m++)
        {
            var order = emulated.HeadEnd.Order(m, emulated.Now, "Own staff", "key rollover", CommandKind.TransferKey);
            Assert.True(emulated.HeadEnd.RollOver(m, emulated.Now, order));
        }
        await run.Days(3, default);
        var image = emulated.Firmware.Build(model, "2.5.0", 20_500);
        await run.Append(FleetFirmware.ReleaseOf(image, emulated.Now), default);
        var campaign = new Campaign("spring", image, emulated.Now, new UnixTime(emulated.Now.Seconds + 14 * 86_400),
            emulated.Meters.Where(m => m.Plan.Model == model).Select(m => m.Index));
        emulated.HeadEnd.Start(campaign, emulated.Now);
        await run.Days(4, default);
        var work = emulated.HeadEnd.Order(20, emulated.Now, "Own staff", "safety check", CommandKind.Disconnect,
            CommandKind.Reconnect);
        Assert.True(emulated.HeadEnd.Send(20, MeterCommands.Disconnect(), emulated.Now, work));
        await run.Until(new UnixTime(emulated.Now.Seconds + 6 * 3_600), default);
        Assert.True(emulated.HeadEnd.Send(20, MeterCommands.Reconnect(), emulated.Now, work));
        await run.Until(new UnixTime(emulated.Now.Seconds + 18 * 3_600), default);
        await run.Days(days - 13, default);
        await run.End(default);
        return campaign;
    }

    /// <summary>Readings are there, and their sum is what the meter measured.</summary>
    private static async Task Complete(IFleet fleet, EmulatedFleet emulated, int days)
    {
        foreach (var meter in emulated.Meters)
        {
            var (missing, present) = (0, 0);
            var first = (int)(emulated.Plan.Start.Minutes / 1440);
            await fleet.Series(meter.Id, Channel.Import, first, first + days, (_, _, slots, _) =>
            {
                foreach (var value in slots)
                    if (value == ReadingBlock.Missing) missing++;
                    else present++;
            }, default);
            var dark = emulated.Plan.Cuts.Where(c => c.Feeder == meter.Plan.Feeder)
                .Sum(c => (c.ToMinute - c.FromMinute) / 15 + 3);
            Assert.True(missing <= dark && present >= days * 96 - dark, $"{meter.Name}: {missing} of "
                + $"{missing + present} missing, {dark} dark");
        }
    }
}
