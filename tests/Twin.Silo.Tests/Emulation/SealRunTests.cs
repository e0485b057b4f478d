using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Emulator.Network;
using Twin.Hardware.Emulator.Zeus;
using Twin.Silo.Embedded;
using Twin.Silo.Emulation;

namespace Twin.Silo.Tests.Emulation;

/// <summary>Firmware that tells other readings than the metrology measured, through the whole pipeline.</summary>
public sealed class SealRunTests : IDisposable
{
    private const int Liar = 2;
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Readings_that_were_not_measured_are_suspect_and_found_at_their_meter_only()
    {
        using var emulated = new EmulatedFleet(new FleetOptions
        {
            Seed = 5, Meters = 6, Feeders = 2, Concentrators = 1, Days = 6,
        });
        await using var fleet = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = _directory.Sub("data") },
            new TwinFactory(), null);
        var run = new FleetRun(emulated, fleet);
        await run.Days(3, default);
        var since = emulated.Now;
        var meter = emulated.Meters[Liar];
        var image = emulated.Firmware.Build(meter.Plan.Model, "9.9.9", 90_909);
        emulated.Firmware.Shelf.Add(image, new FirmwareBehaviour { ToldPermille = 600 });
        Assert.True(meter.Zeus.InstallImage(image, "campaign", "", since));
        await run.Days(3, default);
        await run.End(default);

        Assert.Equal((0L, 0L), (run.Totals.RejectedFrames, run.Totals.RejectedItems));
        var findings = await fleet.Findings(new FindingQuery(null, null, null, null, 10_000), default);
        var broken = findings.Where(f => f.Kind == FindingKind.SealBroken).ToArray();
        Assert.NotEmpty(broken);
        Assert.All(broken, f => Assert.Equal((meter.Id.Twin, Severity.High), (f.Subject, f.Severity)));
        Assert.All(broken, f => Assert.InRange(f.From.Seconds, since.Seconds, since.Seconds + 4 * 86_400));
        foreach (var one in emulated.Meters)
        {
            var before = await Suspect(fleet, emulated, one, 0, 2);
            var after = await Suspect(fleet, emulated, one, 4, 5);
            Assert.Equal(0, before.Suspect);
            Assert.Equal(one == meter ? after.All : 0, after.Suspect);
            Assert.True(after.All > 96, $"{one.Name}: {after.All} readings");
        }
    }

    private static async Task<(int Suspect, int All)> Suspect(IFleet fleet, EmulatedFleet emulated, FleetMeter meter,
        int from, int to)
    {
        var (suspect, all) = (0, 0);
        var first = (int)(emulated.Plan.Start.Minutes / 1440);
        await fleet.Series(meter.Id, Channel.Import, first + from, first + to, (_, _, slots, qualities) =>
        {
            for (var i = 0; i < slots.Length; i++)
            {
                if (slots[i] == ReadingBlock.Missing) continue;
                all++;
                if (!qualities.IsEmpty && qualities[i] == Quality.Suspect) suspect++;
            }
        }, default);
        return (suspect, all);
    }
}
