using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Tests.Emulator.Zeus;

public class LifeCycleTests
{
    private static UnixTime At(int step) => new(MeterBench.Start.Seconds - 3_600 + step);

    private static LifeCycleStep Do(MeterBench bench, LifeCycleLine line, LifeCycle stage) => stage switch
    {
        LifeCycle.ChipVetted => line.Vet(MeterBench.Supplier, MeterBench.Supplier, At(1)),
        LifeCycle.Manufactured => line.Manufacture(MeterBench.Station, [MeterBench.Station.Key.PublicKey],
            bench.Spec.Images, At(2)),
        LifeCycle.Provisioned => line.Provision(At(3)),
        LifeCycle.Calibrated => line.Calibrate(Calibration.Nominal, "factory", At(4)),
        LifeCycle.Locked => line.Lock(At(5)),
        LifeCycle.Installed => line.Install(MeterBench.Note, At(6)),
        LifeCycle.Operating => line.Commission(At(7)),
        _ => line.Retire("depot", At(8)),
    };

    private static readonly LifeCycle[] Stages = [.. Enum.GetValues<LifeCycle>().Where(s => s != LifeCycle.Blank)];

    [Fact]
    public void Every_step_out_of_order_is_refused_and_changes_nothing()
    {
        var bench = new MeterBench();
        for (var before = LifeCycle.Blank; before <= LifeCycle.Retired; before++)
        {
            var line = bench.Line();
            foreach (var stage in Stages.Where(s => s <= before)) Assert.True(Do(bench, line, stage).Done);
            foreach (var stage in Stages.Where(s => s != before + 1))
            {
                var step = Do(bench, line, stage);
                Assert.False(step.Done, $"{stage} after {before}");
                Assert.Empty(step.Inputs);
                Assert.NotEqual("", step.Refusal);
            }
            Assert.Equal(before, line.Stage);
        }
    }

    [Fact]
    public void Each_step_tells_the_registry_and_the_attestation_log()
    {
        var bench = new MeterBench();
        var line = bench.Line();
        var heard = new List<Input>();
        foreach (var stage in Stages.Where(s => s != LifeCycle.Retired)) heard.AddRange(Do(bench, line, stage).Inputs);
        Assert.Equal(Stages[..^1], heard.OfType<LifeCycleChanged>().Select(l => l.Stage));
        Assert.Equal(Stages[..^1].Select(s => (ushort)s), line.Meter.Chip.Cak.Entries()
            .Where(e => e.Kind == CakEntryKind.LifeCycle).Select(e => e.Detail));
        var key = heard.OfType<KeyEvent>().Single(k => k.Slot == KeySlot.DeviceSigning);
        Assert.Equal(line.Meter.Chip.Vault.SigningKey!.Point.ToArray(), key.PublicKey);
        var verified = heard.OfType<Reverification>().Single();
        Assert.Equal((Calibration.Nominal.Digest, MeterBench.MetrologyImage.Digest),
            (verified.Calibration, verified.MetrologyImage));
        Assert.Equal(("Plant A", "Silicon Ltd"),
            (heard.OfType<SupplyRecord>().Single().Plant, heard.OfType<SupplyRecord>().Single().Supplier));
        Assert.Equal("J. Fitter", heard.OfType<Installation>().Single().Installer);
        Assert.True(line.Meter.Chip.Fuses.IsDebugPortLocked);
        Assert.All(heard, i => Assert.Equal(i, Input.Read(i.ToBytes())));
    }

    [Fact]
    public void A_counterfeit_chip_an_unknown_station_and_an_unsigned_image_do_not_get_through()
    {
        var bench = new MeterBench();
        var line = bench.Line();
        var fake = line.Vet(MeterBench.Supplier, new SiliconSupplier("Silicon Ltd", 6), At(1));
        Assert.Equal((false, "Silicon Ltd does not vouch for the chip"), (fake.Done, fake.Refusal));
        Assert.True(Do(bench, line, LifeCycle.ChipVetted).Done);
        Assert.False(line.Manufacture(MeterBench.Station, [], bench.Spec.Images, At(2)).Done);
        var stranger = new SigningKey(NistCurve.P256, 3, "stranger");
        var step = line.Manufacture(MeterBench.Station, [MeterBench.Station.Key.PublicKey],
            [MeterBench.Kernel, MeterBench.MetrologyImage,
                MeterBench.Image(FirmwarePart.Application, 1, "evil", stranger)], At(3));
        Assert.False(step.Done);
        Assert.Contains("Application UnknownSigner", step.Refusal);
        Assert.Equal(LifeCycle.ChipVetted, line.Stage);
    }

    [Fact]
    public void A_retired_meter_has_no_keys_says_nothing_and_proves_nothing()
    {
        var bench = new MeterBench();
        var line = bench.Line();
        foreach (var stage in Stages) Assert.True(Do(bench, line, stage).Done, $"{stage}");
        Assert.True(line.Meter.Chip.Vault.IsZeroised);
        Assert.Null(line.Meter.Chip.Quote(1, 0, default, At(9)));
        Assert.Equal(ReceiveResult.Deaf, bench.Send(line.Meter, MeterCommands.Challenge(1, 0), At(9)));
        line.Meter.PowerCut(At(10));
        line.Meter.PowerOn(At(11));
        Assert.Empty(line.Meter.Drain(At(12)));
        Assert.Equal(LifeCycle.Retired, line.Meter.Chip.Cak.LifeCycle);
    }

    [Fact]
    public void A_lot_with_a_weak_generator_makes_the_same_keys()
    {
        var weak = new MeterBench(s => s with
        {
            Chip = s.Chip with { Noise = new NoiseCondition(NoiseFault.LowEntropy, 0) },
        });
        Assert.Equal(weak.Meter(1).Chip.Vault.SigningKey, weak.Meter(2).Chip.Vault.SigningKey);
        var sound = new MeterBench();
        Assert.NotEqual(sound.Meter(1).Chip.Vault.SigningKey, sound.Meter(2).Chip.Vault.SigningKey);
    }
}
