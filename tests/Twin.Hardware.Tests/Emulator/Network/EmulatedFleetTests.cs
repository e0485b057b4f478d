using System.Security.Cryptography;
using System.Text;
using Twin.Hardware.Emulator.Network;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Tests.Emulator.Network;

public sealed class EmulatedFleetTests
{
    private static readonly FleetOptions Small = new()
    {
        Seed = 5, Meters = 12, Feeders = 2, Concentrators = 2, Days = 4, CutsPerYear = 120, BackhaulGapsPerYear = 120,
        Mesh = new MeshOptions { HopLoss = 0.15, DuplicateShare = 0.05, ReorderShare = 0.1 },
    };

    private static string Digest(FleetOptions options)
    {
        using var fleet = new EmulatedFleet(options);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var input in fleet.Registry()) hash.AppendData(input.ToBytes());
        for (var hour = 0; hour < options.Days * 24; hour++)
        {
            foreach (var item in fleet.Step(new UnixTime(fleet.Now.Seconds + 3_600)))
            {
                hash.AppendData(item.Input ?? item.Frame!.Bytes);
                if (item.Frame is { } f) hash.AppendData(Encoding.UTF8.GetBytes($"{f.ReceivedAt}{f.Concentrator}"));
            }
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    [Fact]
    public void One_seed_gives_one_run_to_the_byte()
    {
        var run = Digest(Small);
        Assert.Equal(run, Digest(Small));
        Assert.NotEqual(run, Digest(Small with { Seed = 6 }));
    }

    [Fact]
    public void The_size_of_steps_changes_nothing()
    {
        using var hourly = new EmulatedFleet(Small);
        using var whole = new EmulatedFleet(Small);
        var items = new List<FleetItem>();
        while (hourly.Now.Seconds < hourly.Plan.End.Seconds)
            items.AddRange(hourly.Step(new UnixTime(hourly.Now.Seconds + 3_600)));
        var once = whole.Step(whole.Plan.End);
        Assert.Equal(once.Count, items.Count);
        for (var i = 0; i < once.Count; i++)
            Assert.Equal(once[i].Input ?? once[i].Frame!.Bytes, items[i].Input ?? items[i].Frame!.Bytes);
        Assert.Equal(whole.Plan.End, whole.Now);
        Assert.Empty(whole.Step(new UnixTime(whole.Plan.End.Seconds + 86_400)));
    }

    [Fact]
    public void The_registry_tells_the_making_of_each_meter_in_its_order()
    {
        using var fleet = new EmulatedFleet(Small);
        var registry = fleet.Registry().ToList();
        Assert.Equal(Small.Models.Count * 3, registry.OfType<Release>().Count());
        Assert.Equal(2, registry.OfType<MeterRelation>().Count(r => r.Role == MeterRole.Observer));
        foreach (var meter in fleet.Meters)
        {
            var own = registry.Where(i => i.Target == meter.Id.Twin).ToList();
            Assert.IsType<MeterSeen>(own[0]);
            var relation = Assert.Single(own.OfType<MeterRelation>());
            Assert.Equal(fleet.Plan.ConcentratorNames[meter.Plan.Concentrator], relation.Concentrator);
            Assert.Equal((meter.Installer, meter.Contractor), Assert.Single(own.OfType<Installation>()) is var i
                ? (i.Installer, i.Contractor) : default);
            Assert.Equal([64, 64], own.OfType<KeyEvent>().Where(k => k.PublicKey.Length > 0)
                .Select(k => k.PublicKey.Length));
            Assert.Equal(Twin.Hardware.Attestation.LifeCycle.Operating, own.OfType<LifeCycleChanged>().Last().Stage);
            Assert.Single(own.OfType<Reverification>());
            Assert.Single(own.OfType<ReactionTableAssigned>());
            var times = own.OfType<LifeCycleChanged>().Select(l => l.At.Seconds).ToList();
            Assert.Equal(times.Order(), times);
            Assert.True(times[^1] < fleet.Plan.Start.Seconds);
        }
    }

    [Fact]
    public void What_homes_consume_is_what_the_meters_count()
    {
        using var fleet = new EmulatedFleet(Small with { CutsPerYear = 0 });
        fleet.Step(fleet.Plan.End);
        var (import, export) = (new int[96], new int[96]);
        foreach (var meter in fleet.Meters)
        {
            long sum = 0;
            for (var day = 0; day < Small.Days; day++)
            {
                fleet.Plan.World.Day(day, meter.Plan.Home, import, export);
                sum += import.Sum();
            }
            Assert.Equal(sum, meter.Zeus.Metrology.Import.Value);
        }
    }

    [Fact]
    public void Frames_are_all_accounted_for_when_supplies_and_backhauls_fail()
    {
        using var fleet = new EmulatedFleet(Small);
        Assert.NotEmpty(fleet.Plan.Cuts);
        Assert.NotEmpty(fleet.Plan.Gaps);
        while (fleet.Now.Seconds < fleet.Plan.End.Seconds)
        {
            fleet.Step(new UnixTime(fleet.Now.Seconds + 900));
            Assert.True(fleet.Mesh.Totals.IsBalanced);
        }
        Assert.True(fleet.Mesh.Totals.Delivered > 0);
        Assert.Contains(fleet.Meters, m => m.Zeus.Chip.Cak.Counters.PowerFailures > 1);
    }

    [Fact]
    public void A_bypass_shows_at_its_meter_only()
    {
        using var fleet = new EmulatedFleet(Small with { CutsPerYear = 0, Days = 2 });
        using var honest = new EmulatedFleet(Small with { CutsPerYear = 0, Days = 2 });
        fleet.Meters[3].BypassShare = 0.5;
        fleet.Step(fleet.Plan.End);
        honest.Step(honest.Plan.End);
        var (stolen, whole) = (fleet.Meters[3].Zeus.Metrology.Import.Value,
            honest.Meters[3].Zeus.Metrology.Import.Value);
        Assert.InRange(stolen, whole * 49 / 100, whole * 51 / 100);
        Assert.Equal(honest.Meters[4].Zeus.Metrology.Import, fleet.Meters[4].Zeus.Metrology.Import);
    }
}
