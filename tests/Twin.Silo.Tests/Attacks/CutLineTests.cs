using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Attacks;
using Twin.Hardware.Emulator.Network;
using Twin.Silo.Attacks;
using Twin.Silo.Embedded;
using Twin.Silo.Emulation;

namespace Twin.Silo.Tests.Attacks;

/// <summary>An attack at the meter while nobody can hear of it.</summary>
public class CutLineTests
{
    private const int Target = 3;

    [Fact]
    public async Task The_reaction_table_contains_it_it_is_reported_later_and_metering_has_no_gap()
    {
        using var directory = new TestDirectory();
        var attack = Catalogue.Find("N08")!;
        using var emulated = new EmulatedFleet(new AttackFleet(20, 4).OptionsFor(attack.Scene));
        var options = new EmbeddedOptions { DataPath = directory.Path, Shards = 1, SnapshotOnClose = false };
        await using var twins = EmbeddedFleet.Open(options, new TwinFactory(), null);
        var run = new FleetRun(emulated, twins);
        var stage = new AttackStage(emulated, attack);
        var meter = emulated.Meters[Target];
        Assert.Equal(0, meter.Plan.Concentrator);
        var calibration = meter.Zeus.Metrology.Calibration;
        var attacked = stage.At(attack.Truth.OnsetDay, attack.Truth.OnsetMinute);
        UnixTime restored = default;
        foreach (var act in attack.Scene.Acts)
        {
            await run.Until(stage.At(act.Day, act.Minute), default);
            restored = stage.Now;
            if (act == attack.Scene.Acts[^1]) Assert.Empty(await Tampers(twins, meter.Id));
            act.Do(stage);
        }
        await run.Until(emulated.Plan.End, default);
        await run.End(default);

        Assert.Equal(calibration, meter.Zeus.Metrology.Calibration);
        var told = Assert.Single(await Tampers(twins, meter.Id));
        Assert.InRange(told.From.Seconds, attacked.Seconds, restored.Seconds);
        Assert.Equal(0, await Missing(twins, emulated, meter.Id));
    }

    private static async Task<IReadOnlyList<Finding>> Tampers(IFleet twins, MeterId meter) =>
        await twins.Findings(new FindingQuery(meter.Twin, FindingKind.Tamper, null, null, 100), default);

    /// <summary>Intervals without a stored reading, from the second day to the one before the last.</summary>
    private static async Task<int> Missing(IFleet twins, EmulatedFleet emulated, MeterId meter)
    {
        var missing = 0;
        var days = emulated.Plan.Options.Days;
        var seen = 0;
        await twins.Series(meter, Channel.Import, emulated.Plan.World.LocalDay(1).Number,
            emulated.Plan.World.LocalDay(days - 2).Number, (_, _, slots, _) =>
            {
                seen++;
                foreach (var slot in slots) missing += slot == ReadingBlock.Missing ? 1 : 0;
            }, default);
        Assert.Equal(days - 2, seen);
        return missing;
    }
}
