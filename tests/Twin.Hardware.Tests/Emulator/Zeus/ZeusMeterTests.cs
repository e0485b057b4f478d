using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Events;

namespace Twin.Hardware.Tests.Emulator.Zeus;

public class ZeusMeterTests
{
    private static readonly UnixTime Start = MeterBench.Start;

    [Fact]
    public void A_day_of_readings_arrives_as_it_was_measured()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        var now = MeterBench.Run(meter, Start, 48);
        var heard = bench.Take(meter, now);
        Assert.Equal(49, heard.Rows.Count);
        Assert.Equal(Enumerable.Range(0, 48).Select(i => (Start.Seconds + 1_800L * i, 250L)), heard.Intervals());
        Assert.Equal(48 * 250, meter.Metrology.Import.Value);
        Assert.Single(heard.Of<Fingerprint>());
        Assert.Equal(heard.Counters.Select((_, i) => heard.Counters[0] + (uint)i), heard.Counters);
        Assert.Empty(bench.Take(meter, now).Counters);
        now = MeterBench.Run(meter, now, 48);
        Assert.Single(bench.Take(meter, now).Of<Fingerprint>());
    }

    [Fact]
    public void A_challenge_is_answered_with_a_signed_quote_of_the_whole_life()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        Assert.Equal(ReceiveResult.Taken, bench.Send(meter, MeterCommands.Challenge(12_345, 0), Start));
        var quote = bench.Take(meter, Start).Of<AttestationQuote>().Single();
        Assert.True(CakQuote.TryRead(quote.Quote, out var read, out var length, out var reason), reason);
        Assert.True(CakQuote.IsSignedBy(quote.Quote, length, meter.Chip.Vault.SigningKey!.Point));
        Assert.Equal((UInt128)12_345, read!.Nonce);
        Assert.Equal(LifeCycle.Operating, read.LifeCycle);
        Assert.Equal(read.Counters.Boots, read.Counters.Explained);
        Assert.Equal(MeterBench.Application1.Digest, read.Of(FirmwarePart.Application).Image);
        Assert.Equal(Calibration.Nominal.Digest, read.Of(FirmwarePart.Calibration).Image);
    }

    [Fact]
    public void A_disconnection_waits_happens_and_is_reported_with_its_work_order()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        bench.Send(meter, MeterCommands.Disconnect(), Start, "WO-7");
        var first = bench.Take(meter, Start).Of<CommandOutcome>().Single();
        Assert.Equal((CommandResult.Delayed, "WO-7", true), (first.Result, first.Order, first.Switch.Output));
        var now = Start;
        for (var i = 0; i <= SwitchGuard.MaxSlots; i++) meter.Tick(now = new UnixTime(now.Seconds + 60));
        var heard = bench.Take(meter, now);
        var done = heard.Of<CommandOutcome>().Single();
        Assert.Equal((CommandKind.Disconnect, CommandResult.Done, CommandOrigin.HeadEnd, "WO-7"),
            (done.Command, done.Result, done.Origin, done.Order));
        Assert.Equal(new SwitchState(false, 0, 4), done.Switch);
        Assert.Contains(heard.Of<DeviceEvent>(), e =>
            EventProfiles.Decode(e.Profile, e.Code) == MeterEventKind.RemoteDisconnection);
        var before = meter.Metrology.Import;
        MeterBench.Run(meter, now, 2);
        Assert.Equal(before, meter.Metrology.Import);
    }

    [Fact]
    public void An_honest_update_is_transferred_verified_activated_and_logged()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        Update(bench, meter, MeterBench.Application2, Start);
        Assert.Equal(MeterBench.Application2.Digest, meter.Application.Image);
        var heard = bench.Take(meter, Start);
        Assert.Equal(
            [MeterEventKind.FirmwareReady, MeterEventKind.FirmwareActivated, MeterEventKind.FirmwareSelfCheckOk],
            heard.Of<DeviceEvent>().Select(e => EventProfiles.Decode(e.Profile, e.Code))
                .Where(k => k is >= MeterEventKind.FirmwareReady and <= MeterEventKind.FirmwareVerificationFailed));
        Assert.Contains(meter.Chip.Cak.Entries(), e => e.Kind == CakEntryKind.Upgrade
            && e.Image == MeterBench.Application2.Digest);
    }

    [Fact]
    public void The_same_image_activated_again_is_confirmed_again()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        for (var i = 1; i <= 3; i++)
        {
            Assert.True(meter.InstallImage(MeterBench.Application2, "campaign", "", Start));
            Assert.Equal(i, meter.Application.Log.Rows(EventLogClass.Standard)
                .Count(r => r.Kind == MeterEventKind.FirmwareSelfCheckOk));
        }
        for (var i = 0; i < 2 * SecureBootloader.MaxAttempts; i++)
        {
            meter.PowerCut(Start);
            meter.PowerOn(Start);
        }
        Assert.DoesNotContain(meter.Chip.Cak.Entries(), e => e.Kind == CakEntryKind.Rollback);
        Assert.Equal(3, meter.Application.Log.Rows(EventLogClass.Standard)
            .Count(r => r.Kind == MeterEventKind.FirmwareSelfCheckOk));
    }

    [Fact]
    public void An_hourly_push_carries_its_hour()
    {
        var bench = new MeterBench(s => s with { PushMinutes = 60 });
        var meter = bench.Meter();
        meter.Clock.Set(Start, new UnixTime(Start.Seconds - 7));
        var now = Start;
        for (var hour = 0; hour < 30; hour++)
        {
            now = MeterBench.Run(meter, now, 1);
            Assert.Empty(bench.Take(meter, now).Rows);
            now = MeterBench.Run(meter, now, 1);
            Assert.Equal([now.Seconds - 3_600, now.Seconds - 1_800],
                bench.Take(meter, now).Intervals().Select(i => i.Start));
        }
    }

    [Fact]
    public void An_image_of_a_stranger_is_refused_and_the_refusal_is_in_the_log()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        var stranger = new Twin.Hardware.Crypto.SigningKey(Twin.Hardware.Crypto.NistCurve.P256, 9, "stranger");
        var image = MeterBench.Image(FirmwarePart.Application, 3, "evil", stranger);
        Update(bench, meter, image, Start);
        Assert.Equal(MeterBench.Application1.Digest, meter.Application.Image);
        Assert.Contains(meter.Chip.Cak.Entries(), e => e.Kind == CakEntryKind.Refused && e.Image == image.Digest);
        Assert.NotNull(meter.Application.RefusesWritesUntil);
    }

    [Fact]
    public void A_retransmission_is_a_duplicate_and_an_old_number_with_other_bytes_a_replay()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        var frame = bench.HeadEnd.Frame(meter.Id, MeterCommands.SetThreshold(false, 5_000), "");
        Assert.Equal(ReceiveResult.Taken, meter.Receive(frame, Start));
        Assert.Equal(ReceiveResult.Duplicate, meter.Receive(frame, Start));
        bench.HeadEnd.Rekey(meter.Id, MeterKeys.For(MeterBench.KeySeed, meter.SystemTitle, 1).Unicast,
            MeterKeys.For(MeterBench.KeySeed, meter.SystemTitle, 1).Authentication);
        Assert.Equal(ReceiveResult.Replay, bench.Send(meter, MeterCommands.SetThreshold(false, 9), Start));
        frame[^20] ^= 1;
        Assert.Equal(ReceiveResult.NotAuthentic, meter.Receive(frame, Start));
        Assert.Equal(ReceiveResult.Malformed, meter.Receive([1, 2, 3], Start));
        Assert.Equal(5_000, meter.Metrology.Limiter.NormalWatts);
        Assert.Equal([MeterEventKind.ReplayAttack, MeterEventKind.DecryptionFailed],
            meter.Application.Log.Rows(EventLogClass.Fraud).Select(r => r.Kind));
    }

    [Fact]
    public void Suite_2_meters_speak_under_longer_keys_and_sign_on_the_larger_curve()
    {
        var bench = new MeterBench(s => s with { Chip = s.Chip with { Curve = NistCurve.P384 } });
        var meter = bench.Meter();
        Assert.Equal(48, bench.Take(meter, MeterBench.Run(meter, Start, 48)).Intervals().Count());
        Assert.Equal(96, meter.Chip.Vault.SigningKey!.Point.Length);
    }

    [Fact]
    public void An_isolated_meter_answers_challenges_takes_tables_and_nothing_else_and_catches_up_later()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        bench.Take(meter, Start);
        meter.IsIsolated = true;
        var now = MeterBench.Run(meter, Start, 48);
        bench.Send(meter, MeterCommands.SetThreshold(false, 10), now);
        bench.Send(meter, MeterCommands.SetReactionTable(bench.HeadEnd.Sign(new ReactionTable(5, 60, []))), now);
        bench.Send(meter, MeterCommands.Challenge(7, 0), now);
        Assert.Equal(InputKind.AttestationQuote, Assert.Single(bench.Take(meter, now).Inputs).Kind);
        Assert.Equal((0, 5u), (meter.Metrology.Limiter.NormalWatts, meter.Application.Table.Version));
        meter.IsIsolated = false;
        var heard = bench.Take(meter, now);
        Assert.Equal(48, heard.Intervals().Count());
        Assert.Contains(heard.Of<CommandOutcome>(), o => o is { Result: CommandResult.Refused, Detail: "isolated" });
    }

    [Fact]
    public void Queues_of_a_meter_without_contact_stay_within_their_bounds()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        for (var i = 0; i < 2_000; i++) meter.Touch(TamperInput.TerminalCover, i % 2 == 0, Start);
        Assert.Equal(ApplicationCore.MaxReports, meter.Application.Waiting);
        Assert.True(meter.Application.DroppedReports >= 1_000 - ApplicationCore.MaxReports);
        var log = meter.Application.Log.Rows(EventLogClass.Fraud).ToArray();
        Assert.Equal(EventLog.CapacityOf(EventLogClass.Fraud), log.Length);
        Assert.Equal(MeterEventKind.TerminalCoverClosed, log[^1].Kind);
        Assert.Equal(ApplicationCore.MaxReports, bench.Take(meter, Start).Of<Reaction>().Count());
    }

    [Fact]
    public void One_seed_gives_one_run()
    {
        static List<byte[]> Run()
        {
            var bench = new MeterBench();
            var meter = bench.Meter(3, 9);
            var now = MeterBench.Run(meter, Start, 50);
            bench.Send(meter, MeterCommands.Challenge(1, 0), now);
            return meter.Drain(now);
        }
        Assert.Equal(Run(), Run());
    }

    [Fact]
    public void Misbehaving_signed_firmware_opens_its_switch_and_passes_every_signature_check()
    {
        var bench = new MeterBench();
        bench.Shelf.Add(MeterBench.Application2, new FirmwareBehaviour
        {
            OpensSwitchAt = new UnixTime(Start.Seconds + 7_200), ExtraFrameBytes = 300,
        });
        var meter = bench.Meter();
        Assert.True(meter.InstallImage(MeterBench.Application2, "campaign", "", Start));
        var now = MeterBench.Run(meter, Start, 8);
        Assert.Equal(new SwitchState(false, 0, 4), meter.SwitchState);
        var outcome = bench.Take(meter, now).Of<CommandOutcome>().Last();
        Assert.Equal((CommandKind.Disconnect, CommandOrigin.Firmware), (outcome.Command, outcome.Origin));
        bench.Send(meter, MeterCommands.Challenge(5, 0), now);
        var quote = bench.Take(meter, now).Of<AttestationQuote>().Single().Quote;
        Assert.True(CakQuote.TryRead(quote, out _, out var length, out _));
        Assert.True(CakQuote.IsSignedBy(quote, length, meter.Chip.Vault.SigningKey!.Point));
    }

    [Fact]
    public void Firmware_without_a_sign_of_life_is_left_for_the_one_before()
    {
        var bench = new MeterBench();
        bench.Shelf.Add(MeterBench.Application2, new FirmwareBehaviour { GivesNoSignOfLife = true });
        var meter = bench.Meter();
        Assert.True(meter.InstallImage(MeterBench.Application2, "campaign", "", Start));
        Assert.Equal(MeterBench.Application2.Digest, meter.Application.Image);
        MeterBench.Run(meter, Start, 6);
        Assert.Equal(MeterBench.Application1.Digest, meter.Application.Image);
        Assert.True(meter.Application.IsRunning);
        Assert.Equal(6 * 250, meter.Metrology.Import.Value);
        Assert.Contains(meter.Chip.Cak.Entries(), e => e.Kind == CakEntryKind.Rollback);
    }

    private static void Update(MeterBench bench, ZeusMeter meter, FirmwareImage image, UnixTime now)
    {
        var bytes = image.ToBytes();
        bench.Send(meter, MeterCommands.InitiateImage([1, 2], bytes.Length), now, "C-1");
        for (var n = 0; n * 1_024 < bytes.Length; n++)
            bench.Send(meter, MeterCommands.ImageBlock((uint)n,
                bytes.AsSpan(n * 1_024, Math.Min(1_024, bytes.Length - n * 1_024))), now);
        bench.Send(meter, MeterCommands.VerifyImage(), now, "C-1");
        bench.Send(meter, MeterCommands.ActivateImage(), now, "C-1");
    }
}
