using Twin.Hardware.Attestation;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Events;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Tests.Emulator.Zeus;

public class LocalAttackTests
{
    private static readonly UnixTime Start = MeterBench.Start;
    private static readonly FieldTool Tool = new("TOOL-9", "GridFit", "");

    [Fact]
    public void With_the_head_end_out_of_reach_the_reaction_table_contains_an_attack_and_reports_it_later()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        var now = MeterBench.Run(meter, Start, 4);
        for (var i = 0; i < ApplicationCore.FailuresOfEvent; i++)
            Assert.Null(meter.OpenLocalSession(Tool, PortCredential.Password([1, 2, 3]), now));
        var session = meter.OpenLocalSession(Tool, bench.Tool(meter), now)!;
        Assert.Equal(CommandResult.Refused, session.Send(MeterCommands.SetCalibrationGain(900_000), now));
        Assert.False(session.Install(MeterBench.Application2, now));
        session.Close(now);
        Assert.Equal(Calibration.Nominal, meter.Metrology.Calibration);
        Assert.Equal(MeterBench.Application1.Digest, meter.Application.Image);
        now = MeterBench.Run(meter, now, 44);
        var heard = bench.Take(meter, now);
        Assert.Equal(48, heard.Intervals().Count());
        Assert.Contains(heard.Of<Reaction>(), r => r is
        { Event: MeterEventKind.LoginFailed, Action: ReactionAction.RefuseWrites, TableVersion: 1 });
        Assert.Equal([false, false, false, true], heard.Of<Session>().Select(s => s.Succeeded));
        var outcome = heard.Of<CommandOutcome>().First();
        Assert.Equal((CommandKind.WriteConfiguration, CommandOrigin.OpticalPort, CommandResult.Refused, "TOOL-9"),
            (outcome.Command, outcome.Origin, outcome.Result, outcome.Actor));
    }

    [Fact]
    public void A_hold_survives_a_power_cut_ends_by_itself_and_at_once_with_a_newer_signed_table()
    {
        var bench = new MeterBench();
        foreach (var signed in new[] { false, true })
        {
            var meter = bench.Meter(signed ? 1 : 2);
            meter.Touch(TamperInput.MeterCover, true, Start);
            meter.PowerCut(Start);
            meter.PowerOn(Start);
            bench.Send(meter, MeterCommands.SetThreshold(false, 100), Start);
            Assert.Equal(0, meter.Metrology.Limiter.NormalWatts);
            var later = Start;
            if (signed)
            {
                var table = bench.HeadEnd.Sign(new ReactionTable(2, 60, []));
                bench.Send(meter, MeterCommands.SetReactionTable(table), Start);
                Assert.Equal(2u, meter.Application.Table.Version);
                Assert.Equal(meter.Application.Table.Digest, meter.Chip.Cak.Of(FirmwarePart.ReactionTable).Image);
                bench.Send(meter, MeterCommands.SetReactionTable(table), Start);
            }
            else later = new UnixTime(Start.Seconds + 3_602);
            bench.Send(meter, MeterCommands.SetThreshold(false, 100), later);
            Assert.Equal(100, meter.Metrology.Limiter.NormalWatts);
        }
    }

    [Fact]
    public void A_table_that_the_head_end_did_not_sign_is_refused()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        var thief = new Twin.Hardware.Crypto.SigningKey(Twin.Hardware.Crypto.NistCurve.P256, 8, "thief");
        var table = new ReactionTable(9, 60, []).ToSigned(d => thief.Sign(d));
        bench.Send(meter, MeterCommands.SetReactionTable(table), Start);
        Assert.Equal(1u, meter.Application.Table.Version);
        Assert.Equal(CommandResult.Refused, bench.Take(meter, Start).Of<CommandOutcome>().Single().Result);
    }

    [Fact]
    public void Stolen_credentials_reprogram_a_meter_and_leave_a_session_and_an_entry_in_the_attestation_log()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        var session = meter.OpenLocalSession(Tool, bench.Tool(meter), Start)!;
        Assert.Equal(CommandResult.Done, session.Send(MeterCommands.SetCalibrationGain(900_000), Start));
        session.Close(new UnixTime(Start.Seconds + 90));
        Assert.False(session.IsOpen);
        var later = new UnixTime(Start.Seconds + 91);
        Assert.Equal(CommandResult.Failed, session.Send(MeterCommands.SetCalibrationGain(1), later));
        var report = bench.Take(meter, later).Of<Session>().Single();
        Assert.Equal((true, (byte)5, 90, "TOOL-9"), (report.Succeeded, report.Mechanism, report.Seconds, report.Tool));
        Assert.True(report.Used(FrameService.Set) && report.Used(FrameService.Association));
        Assert.Contains(meter.Chip.Cak.Entries(), e => e is { Kind: CakEntryKind.LocalSession, Detail: 1 });
        Assert.Contains(meter.Chip.Cak.Entries(), e => e is
        { Kind: CakEntryKind.Config, Part: FirmwarePart.Calibration }
            && e.Image == new Calibration(900_000, 1, 0).Digest);
    }

    [Fact]
    public void A_password_reads_only_unless_the_meter_is_an_old_one_and_failures_shut_the_port()
    {
        foreach (var old in new[] { false, true })
        {
            var bench = new MeterBench(s => s with { PasswordMayWrite = old });
            var meter = bench.Meter();
            var keys = MeterKeys.For(MeterBench.KeySeed, meter.SystemTitle, 1);
            var session = meter.OpenLocalSession(Tool, PortCredential.Password(keys.Password), Start)!;
            Assert.Equal(old ? CommandResult.Done : CommandResult.Refused,
                session.Send(MeterCommands.SetThreshold(false, 10), Start));
        }
        var strict = new MeterBench();
        var shut = strict.Meter();
        for (var i = 0; i < ApplicationCore.FailuresOfLock; i++)
            Assert.Null(shut.OpenLocalSession(Tool, PortCredential.Answer(_ => new byte[24]), Start));
        Assert.Null(shut.OpenLocalSession(Tool, strict.Tool(shut), Start));
        Assert.NotNull(shut.OpenLocalSession(Tool, strict.Tool(shut),
            new UnixTime(Start.Seconds + ApplicationCore.LockSeconds + 1)));
    }

    [Fact]
    public void Keys_are_replaced_under_the_master_key_and_counters_begin_anew()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        var keys = MeterKeys.For(MeterBench.KeySeed, meter.SystemTitle, 1);
        byte[] fresh = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
        var wrapped = Twin.Hardware.Crypto.AesKeyWrap.Wrap(keys.Master, fresh);
        bench.Send(meter, MeterCommands.TransferKeys(new KeyTransfer.Entry(KeyUse.GlobalUnicast, wrapped)), Start);
        Assert.Empty(bench.HeadEnd.Open(meter.Id, meter.Drain(Start)[0]) ?? []);
        bench.HeadEnd.Rekey(meter.Id, fresh, keys.Authentication);
        Assert.Equal(ReceiveResult.Taken, bench.Send(meter, MeterCommands.SetThreshold(false, 3), Start));
        Assert.Equal(1u, meter.Application.LastReceived);
        Assert.Contains(meter.Chip.Cak.Entries(), e => e.Kind == CakEntryKind.KeyChange
            && e.Detail == (ushort)KeySlot.EncryptionUnicast);
    }

    [Fact]
    public void No_counter_is_used_twice_over_random_power_cuts()
    {
        for (ulong seed = 1; seed <= 40; seed++)
        {
            var bench = new MeterBench();
            var meter = bench.Meter(1, seed);
            var draw = new SplitMix64(seed);
            var counters = new List<uint>();
            var now = Start;
            for (var step = 0; step < 60; step++)
            {
                now = new UnixTime(now.Seconds + 1_800);
                if (!meter.IsPowered) meter.PowerOn(now);
                if (draw.Next(4) == 0) meter.Application.OutCounter.CutNextWrite();
                if (draw.Next(4) == 0) meter.Chip.Flash.CutAfter(draw.Next(200));
                meter.Touch(TamperInput.TerminalCover, step % 2 == 0, now);
                meter.Advance(now, new SupplyInterval(10, 0));
                foreach (var frame in meter.Drain(now)) counters.Add(MeterBench.CounterOf(frame));
                if (draw.Next(5) == 0) meter.PowerCut(now);
            }
            Assert.True(counters.Count > 20, $"seed {seed}: {counters.Count} frames");
            for (var i = 1; i < counters.Count; i++)
                Assert.True(counters[i] > counters[i - 1], $"seed {seed}: {counters[i]} follows {counters[i - 1]}");
        }
    }

    [Fact]
    public void A_durable_counter_gives_each_number_once_wherever_it_is_cut()
    {
        for (ulong seed = 1; seed <= 200; seed++)
        {
            var draw = new SplitMix64(seed);
            var counter = new DurableCounter();
            var given = new HashSet<uint>();
            for (var i = 0; i < 300; i++)
            {
                if (draw.Next(10) == 0) counter.CutNextWrite();
                try
                {
                    Assert.True(counter.TryTake(out var number));
                    Assert.True(given.Add(number), $"seed {seed}: {number} twice");
                }
                catch (PowerLossException)
                {
                    counter.PowerOn();
                }
                if (draw.Next(20) == 0) counter.PowerOn();
            }
            Assert.True(given.Max() < 300 * DurableCounter.Step, $"seed {seed}");
        }
    }

    [Fact]
    public void Overtaken_frames_are_dropped_in_silence_and_used_numbers_are_a_replay()
    {
        var counter = new ReceiveCounter();
        Assert.Equal(CounterVerdict.Fresh, counter.Take(10, 1));
        Assert.Equal(CounterVerdict.Fresh, counter.Take(13, 2));
        Assert.Equal(CounterVerdict.Duplicate, counter.Take(13, 2));
        Assert.Equal(CounterVerdict.Duplicate, counter.Take(12, 3));
        Assert.Equal(CounterVerdict.Replay, counter.Take(12, 4));
        Assert.Equal(CounterVerdict.Replay, counter.Take(10, 9));
        Assert.Equal(CounterVerdict.Fresh, counter.Take(100, 5));
        Assert.Equal(CounterVerdict.Duplicate, counter.Take(100 - ReceiveCounter.Window, 6));
        Assert.Equal(CounterVerdict.Replay, counter.Take(99 - ReceiveCounter.Window, 7));
    }
}
