using Twin.Hardware.Attestation;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Events;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Tests.Emulator.Zeus;

public class MetrologyTests
{
    private static readonly UnixTime Start = MeterBench.Start;

    public static TheoryData<string> Disturbances => ["crash", "crash each interval", "update", "refused image",
        "commanded reset", "isolation", "hostile firmware", "no contact", "full attestation log",
        "flooded with frames"];

    [Theory, MemberData(nameof(Disturbances))]
    public void Metering_goes_on_through_a_disturbance_without_a_gap(string disturbance)
    {
        var bench = new MeterBench();
        var hostile = new FirmwareBehaviour { IsMute = disturbance != "hostile firmware", ToldPermille = 700 };
        bench.Shelf.Add(MeterBench.Application2, hostile);
        var meter = bench.Meter();
        var now = Start;
        for (var i = 0; i < 48; i++)
        {
            Disturb(disturbance, bench, meter, now, i);
            now = new UnixTime(now.Seconds + 1_800);
            meter.Advance(now, new SupplyInterval(100 + i, i));
        }
        var store = meter.Metrology.Store;
        Assert.Equal(48, store.Count);
        for (var i = 0; i < 48; i++)
        {
            Assert.True(meter.Metrology.TryOpen(store.FirstSeq + (uint)i, out var record));
            Assert.Equal(((Start.Seconds + 1_800L * i) / 60, 100 + i, i),
                (record.StartMinute, record.ImportWh, record.ExportWh));
        }
        Assert.Equal((48 * 100 + 1_128, 1_128), (meter.Metrology.Import.Value, meter.Metrology.Export.Value));
    }

    private static void Disturb(string disturbance, MeterBench bench, ZeusMeter meter, UnixTime now, int interval)
    {
        var once = interval == 10;
        switch (disturbance)
        {
            case "crash" when once:
            case "crash each interval":
                meter.CrashApplication(now);
                Assert.False(meter.Application.IsRunning);
                break;
            case "update" or "hostile firmware" when once:
                Assert.True(meter.InstallImage(MeterBench.Application2, "campaign", "", now));
                break;
            case "refused image" when once:
                var stranger = new Twin.Hardware.Crypto.SigningKey(Twin.Hardware.Crypto.NistCurve.P256, 9, "stranger");
                var evil = MeterBench.Image(FirmwarePart.Application, 3, "evil", stranger);
                Assert.False(meter.InstallImage(evil, "x", "", now));
                break;
            case "commanded reset" when once:
                Assert.Equal(ReceiveResult.Taken, bench.Send(meter, MeterCommands.Reset(), now));
                break;
            case "isolation":
                meter.IsIsolated = interval > 5;
                Assert.Empty(interval > 5 ? meter.Drain(now) : []);
                break;
            case "full attestation log":
                for (var i = 0; i < 4; i++) meter.Touch(TamperInput.TerminalCover, i % 2 == 0, now);
                break;
            case "flooded with frames":
                for (var i = 0; i < 20; i++) meter.Receive(new byte[i], now);
                break;
        }
    }

    [Fact]
    public void A_power_cut_leaves_a_gap_and_neither_registers_nor_readings_are_lost()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        var now = MeterBench.Run(meter, Start, 10);
        meter.PowerCut(now);
        now = MeterBench.Run(meter, now, 4);
        meter.PowerOn(new UnixTime(now.Seconds + 600));
        now = MeterBench.Run(meter, now, 34);
        Assert.Equal(44 * 250, meter.Metrology.Import.Value);
        var heard = bench.Take(meter, now);
        Assert.Equal(44, heard.Intervals().Count());
        Assert.All(heard.Intervals(), i => Assert.Equal(250, i.Wh));
        Assert.True(heard.Rows[12].Status.HasFlag(ProfileStatus.PowerDown), $"{heard.Rows[12]}");
        Assert.Equal([MeterEventKind.PowerUp, MeterEventKind.PowerDown, MeterEventKind.PowerUp],
            heard.Of<DeviceEvent>().Select(e => EventProfiles.Decode(e.Profile, e.Code))
                .Where(k => k is MeterEventKind.PowerUp or MeterEventKind.PowerDown));
        Assert.Equal(meter.Chip.Cak.Counters.Boots, meter.Chip.Cak.Counters.Explained);
    }

    [Theory]
    [InlineData(0.4, 0.0, 0, 1_000_000, 1, 0, 600)]
    [InlineData(0.0, 5.82, 0, 1_000_000, 1, 0, 6_820)]
    [InlineData(0.0, -0.46, 0, 1_000_000, 1, 0, 540)]
    [InlineData(0.0, 0.0, 1, 1_000_000, 1, 0, 666)]
    [InlineData(0.0, 0.0, 0, 900_000, 1, 0, 900)]
    [InlineData(0.0, 0.0, 0, 1_000_000, 2, 0, 2_000)]
    [InlineData(0.0, 0.0, 0, 1_000_000, 1, 10_000, 1_010)]
    public void Faults_change_the_reading_as_they_should(double bypass, double field, byte phases, int gain, int ratio,
        double sensorPpm, long expected)
    {
        var meter = new MeterBench().Meter();
        meter.Metrology.SetCalibration(new Calibration(gain, ratio, 1));
        meter.Metrology.SensorErrorPpm = sensorPpm;
        meter.Advance(new UnixTime(Start.Seconds + 1_800), new SupplyInterval(1_000, 0, bypass, field, phases));
        Assert.Equal(expected, meter.Metrology.Import.Value);
    }

    [Fact]
    public void A_hostile_application_cannot_alter_exchange_or_invent_a_sealed_reading_unnoticed()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        var now = MeterBench.Run(meter, Start, 47);
        var store = meter.Metrology.Store;
        for (var bit = 0; bit < 8 * SealedStore.RecordBytes; bit++)
        {
            store.Record(5)[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.False(meter.Metrology.TryOpen(5, out _), $"bit {bit}");
            store.Record(5)[bit / 8] ^= (byte)(1 << bit % 8);
        }
        Assert.True(meter.Metrology.TryOpen(5, out _));
        store.Record(7).CopyTo(store.Record(6));
        Assert.False(meter.Metrology.TryOpen(6, out _));
        Assert.Null(meter.Metrology.SealPeriod(1, 10));
        now = MeterBench.Run(meter, now, 1);
        var heard = bench.Take(meter, now);
        // The registers on both sides of what was altered still tell the energy; no altered value is believed.
        Assert.Equal(Enumerable.Repeat(250L, 48), heard.Intervals().Select(i => i.Wh));
        Assert.Equal([SealVerdict.Missing], heard.Seals);
        Assert.Contains(meter.Application.Log.Rows(EventLogClass.Standard),
            r => r.Kind == MeterEventKind.NvMemoryError);
    }

    [Fact]
    public void What_hostile_firmware_tells_does_not_go_with_the_seal_of_the_metrology_core()
    {
        var bench = new MeterBench();
        bench.Shelf.Add(MeterBench.Application2, new FirmwareBehaviour { ToldPermille = 600 });
        foreach (var hostile in new[] { false, true })
        {
            var meter = bench.Meter();
            if (hostile) Assert.True(meter.InstallImage(MeterBench.Application2, "campaign", "", Start));
            var heard = bench.Take(meter, MeterBench.Run(meter, Start, 48));
            Assert.Equal(hostile, heard.Rows[^1].ImportWattHours < 48 * 250);
            Assert.Equal([hostile ? SealVerdict.Broken : SealVerdict.Holds], heard.Seals);
        }
    }

    [Fact]
    public void On_the_wire_between_two_boards_readings_can_be_read_and_altered_and_in_one_chip_there_is_no_wire()
    {
        Assert.Null(new MeterBench().Meter().BoardWire);
        var bench = new MeterBench(s => s with { IsDualBoard = true });
        var meter = bench.Meter();
        uint told = 0;
        meter.BoardWire!.Tap = r => r with { ImportWh = r.ImportWh / 2, ImportRegister = told += (uint)r.ImportWh / 2 };
        var heard = bench.Take(meter, MeterBench.Run(meter, Start, 48));
        Assert.All(heard.Intervals(), i => Assert.Equal(125, i.Wh));
        Assert.Equal(125, meter.BoardWire.LastSeen.ImportWh);
        Assert.Equal(48 * 250, meter.Metrology.Import.Value);
        // What was altered before the core that seals is sealed: other checks must find it.
        Assert.Equal([SealVerdict.Holds], heard.Seals);
    }

    [Fact]
    public void A_month_without_contact_is_held_and_sent_when_it_returns()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        var now = MeterBench.Run(meter, Start, 48 * 30);
        var heard = bench.Take(meter, now);
        Assert.Equal(48 * 30, heard.Intervals().Count());
        Assert.Equal(48 * 30 * 250, heard.Rows[^1].ImportWattHours);
        bench.Send(meter, MeterCommands.ResendFrom(new UnixTime(now.Seconds - 86_400)), now);
        Assert.Equal(48, bench.Take(meter, now).Intervals().Count());
    }

    [Fact]
    public void A_clock_without_battery_is_invalid_after_a_cut_until_it_is_set()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        meter.Clock.KillBattery();
        meter.PowerCut(Start);
        var now = new UnixTime(Start.Seconds + 7_200);
        meter.PowerOn(now);
        Assert.True(meter.Clock.IsInvalid);
        Assert.InRange(meter.Clock.Read(now).Seconds, Start.Seconds - 1, Start.Seconds + 1);
        bench.Send(meter, MeterCommands.SetClock(now), now);
        Assert.False(meter.Clock.IsInvalid);
        Assert.Equal(now, meter.Clock.Read(now));
    }

    [Fact]
    public void A_clock_drifts_by_its_parts_per_million()
    {
        var clock = new MeterClock(50, Start);
        Assert.Equal(5_000, clock.OffsetMs(new UnixTime(Start.Seconds + 100_000)));
        clock.Drift(new UnixTime(Start.Seconds + 100_000), -50);
        Assert.Equal(0, clock.OffsetMs(new UnixTime(Start.Seconds + 200_000)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MeterClock(20_000, Start));
    }

    [Fact]
    public void A_cover_opened_in_the_dark_is_known_when_the_battery_lives()
    {
        foreach (var dead in new[] { false, true })
        {
            var bench = new MeterBench();
            var meter = bench.Meter();
            if (dead) meter.Clock.KillBattery();
            meter.PowerCut(Start);
            meter.Touch(TamperInput.TerminalCover, true, Start);
            meter.Touch(TamperInput.TerminalCover, false, Start);
            meter.PowerOn(Start);
            MeterEventKind[] expected = dead ? []
                : [MeterEventKind.TerminalCoverOpened, MeterEventKind.TerminalCoverClosed];
            Assert.Equal(expected, meter.Application.Log.Rows(EventLogClass.Fraud).Select(r => r.Kind));
        }
    }
}
