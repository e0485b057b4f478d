using System.Diagnostics;
using System.Text;
using Twin.Hardware;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;
using Twin.Ingest.Dlms;
using Twin.Ingest.Feed;

namespace Twin.Ingest.Tests.Dlms;

public sealed class FrameIntakeTests
{
    private static readonly UnixTime Received = new(Frames.Noon.Seconds + 5);

    private static (FrameResult Result, RecordingSink Sink) Take(FrameIntake intake, byte[] frame, string? meter = null)
    {
        var sink = new RecordingSink();
        var channel = new FrameChannel("test", meter, null);
        return (intake.Take(channel, LinkKind.Wrapper, frame, Received, sink), sink);
    }

    [Fact]
    public void An_authenticated_profile_is_first_a_frame_and_then_its_intervals()
    {
        var frame = Frames.Wrapped(Frames.Ciphered(Frames.Notification(Frames.Profile(10, 20, 30)), 77));
        var (result, sink) = Take(Frames.Keyed(), frame);
        Assert.Equal(FrameResult.Valid(), result);
        Assert.Equal([
            $"{Frames.Name} 2026-01-02T12:00:00Z frame FromMeter key EncryptionUnicast counter 77, "
                + $"{frame.Length - TcpWrapper.HeaderBytes} bytes, DataNotification",
            $"{Frames.Name} Import 30 2026-01-02T10:30:00Z 10,20,30",
            $"{Frames.Name} Import register 2026-01-02T12:00:00Z 1060",
            ], sink.Lines);
    }

    [Fact]
    public void The_digest_is_that_of_the_message_whatever_link_brought_it()
    {
        var apdu = Frames.Ciphered(Frames.Notification(Frames.Profile(10)), 77);
        var (_, wrapped) = Take(Frames.Keyed(), Frames.Wrapped(apdu));
        var sink = new RecordingSink();
        var channel = new FrameChannel("test", null, null);
        Assert.True(Frames.Keyed().Take(channel, LinkKind.Hdlc, Frames.Hdlc(apdu), Received, sink).IsValid);
        Assert.Equal(wrapped.Inputs, sink.Inputs);
    }

    [Fact]
    public void Keyless_a_ciphered_frame_is_a_fault_of_its_meter()
    {
        var frame = Frames.Wrapped(Frames.Ciphered(Frames.Notification(Frames.Profile(10)), 77));
        var (result, sink) = Take(FrameIntake.Keyless, frame);
        Assert.Equal((false, FrameFaultKind.UnknownKey), (result.IsValid, result.Fault));
        var fault = Assert.IsType<FrameFault>(Assert.Single(sink.Inputs));
        Assert.Equal((Frames.Meter.Twin, FrameFaultKind.UnknownKey, Received, "test"),
            (fault.Subject, fault.Fault, fault.At, fault.Where));
    }

    [Fact]
    public void A_changed_byte_is_a_failed_tag_and_nothing_is_taken()
    {
        var frame = Frames.Wrapped(Frames.Ciphered(Frames.Notification(Frames.Profile(10)), 77));
        frame[^20] ^= 1;
        var (result, sink) = Take(Frames.Keyed(), frame);
        Assert.Equal(FrameFaultKind.TagFailed, result.Fault);
        Assert.Equal(FrameFaultKind.TagFailed, Assert.IsType<FrameFault>(Assert.Single(sink.Inputs)).Fault);
    }

    [Fact]
    public void A_meter_with_keys_may_not_speak_unprotected()
    {
        var frame = Frames.Wrapped(Frames.Notification(Frames.List(Frames.Name, 5)));
        var (result, sink) = Take(Frames.Keyed(), frame);
        Assert.Equal(FrameFaultKind.Unprotected, result.Fault);
        Assert.Equal(FrameFaultKind.Unprotected, Assert.IsType<FrameFault>(Assert.Single(sink.Inputs)).Fault);
        Assert.True(Take(FrameIntake.Keyless, frame).Result.IsValid);
    }

    [Fact]
    public void Who_speaks_is_told_by_the_list_by_the_list_before_or_by_the_caller()
    {
        var nameless = Frames.Wrapped(Frames.Notification(Frames.List("", 7)));
        var (nobody, nothing) = Take(FrameIntake.Keyless, nameless);
        Assert.Equal((false, "nothing tells whose frame this is; give --meter"), (nobody.IsValid, nobody.Reason));
        Assert.Empty(nothing.Lines);
        Assert.Equal(["m9 Import register 2026-01-02T12:00:00Z 7"],
            Take(FrameIntake.Keyless, nameless, "m9").Sink.Lines);
        var sink = new RecordingSink();
        var channel = new FrameChannel("test", "m9", null);
        var named = Frames.Wrapped(Frames.Notification(Frames.List("SN5", 6)));
        Assert.True(FrameIntake.Keyless.Take(channel, LinkKind.Wrapper, named, Received, sink).IsValid);
        Assert.True(FrameIntake.Keyless.Take(channel, LinkKind.Wrapper, nameless, Received, sink).IsValid);
        Assert.Equal(["SN5 Import register 2026-01-02T12:00:00Z 6", "SN5 Import register 2026-01-02T12:00:00Z 7"],
            sink.Lines);
    }

    [Fact]
    public void A_power_list_is_heard_and_not_kept()
    {
        var (result, sink) = Take(FrameIntake.Keyless, Frames.Wrapped(Frames.Notification(Frames.Power(1317))));
        Assert.True(result.IsValid);
        Assert.Empty(sink.Lines);
    }

    [Fact]
    public void Only_plain_pushes_that_ask_are_confirmed()
    {
        var plain = Frames.Notification(Frames.List("SN5", 6));
        Assert.Equal(0x4000_0001u, Take(FrameIntake.Keyless, Frames.Wrapped(plain)).Result.Confirm);
        Assert.Null(Take(FrameIntake.Keyless,
            Frames.Wrapped(Frames.Notification(Frames.List("SN5", 6), invoke: 9))).Result.Confirm);
        Assert.Null(Take(Frames.Keyed(), Frames.Wrapped(Frames.Ciphered(plain, 1))).Result.Confirm);
    }

    [Fact]
    public void Events_and_quotes_of_a_device_come_behind_their_frame()
    {
        var at = new UnixTime(Frames.Noon.Seconds - 60);
        var log = DeviceReport.WriteEvents((Twin.Hardware.Events.EventLogClass)1, "idis", [new EventLogRow(at, "40")]);
        var (_, events) = Take(Frames.Keyed(), Frames.Wrapped(Frames.Ciphered(Frames.Notification(log), 5)));
        Assert.Equal([InputKind.FrameReceived, InputKind.DeviceEvent], events.Inputs.Select(static i => i.Kind));
        var entry = (DeviceEvent)events.Inputs[1];
        Assert.Equal((Frames.Meter, at, "idis", "40"), (entry.Meter, entry.At, entry.Profile, entry.Code));
        var (_, quote) = Take(Frames.Keyed(), Frames.Wrapped(Frames.Ciphered(
            Frames.Notification(DeviceReport.WriteQuote([1, 2, 3])), 6)));
        // Its own clock is what a quote is judged by: it counts from when it was heard.
        Assert.Equal(new AttestationQuote(Frames.Meter.Twin, Received, [1, 2, 3], SignatureVerdict.Unchecked),
            quote.Inputs[1]);
    }

    [Fact]
    public void A_clock_far_ahead_is_refused_by_a_live_sink()
    {
        var sink = new RecordingSink { LatestAllowed = new UnixTime(Frames.Noon.Seconds - 1) };
        var result = Frames.Keyed().Take(new FrameChannel("test", null, null), LinkKind.Wrapper,
            Frames.Wrapped(Frames.Ciphered(Frames.Notification(Frames.Profile(10)), 7)), Received, sink);
        Assert.Equal((false, "lies at 2026-01-02T12:00:00Z"), (result.IsValid, result.Reason));
        Assert.Empty(sink.Lines);
    }

    [Fact]
    public void A_counter_is_heard_though_the_content_is_not_known()
    {
        var (result, sink) = Take(Frames.Keyed(), Frames.Wrapped(Frames.Ciphered(
            Frames.Notification([(byte)CosemTag.Structure, 2, 17, 5, 17, 6]), 8)));
        Assert.False(result.IsValid);
        Assert.Equal(8u, Assert.IsType<FrameReceived>(Assert.Single(sink.Inputs)).Counter);
    }

    [Fact]
    public void Mutated_frames_never_throw_and_never_take_long()
    {
        byte[][] seeds =
        [
            Frames.Wrapped(Frames.Notification(Frames.Profile(10, 20, 30))),
            Frames.Wrapped(Frames.Notification(Frames.List("SN5", 6))),
            Frames.Wrapped(Frames.Ciphered(Frames.Notification(Frames.Profile(10)), 7)),
            Frames.Wrapped(Frames.Notification(DeviceReport.WriteQuote([1, 2, 3]))),
        ];
        var random = new SplitMix64(20260102);
        var intake = Frames.Keyed();
        var watch = Stopwatch.StartNew();
        int valid = 0, rejected = 0;
        for (var i = 0; i < 40_000; i++)
        {
            var frame = seeds[random.Next(seeds.Length)].ToArray();
            for (var n = 1 + random.Next(4); n > 0; n--) frame[random.Next(frame.Length)] = (byte)random.Next(256);
            if (random.Next(8) == 0) frame = frame[..random.Next(frame.Length)];
            var sink = new RecordingSink();
            var result = intake.Take(new FrameChannel("test", "m", null), LinkKind.Wrapper, frame, Received, sink);
            if (result.IsValid) valid++;
            else rejected++;
            Assert.True(result.IsValid || result.Reason.Length > 0, $"seed 20260102, frame {i}: rejected in silence");
            Assert.True(result.Offset >= 0 && result.Offset <= frame.Length, $"seed 20260102, frame {i}: {result}");
            foreach (var input in sink.Inputs) Assert.Equal(input, Input.Read(input.ToBytes()));
        }
        Assert.True(valid > 100 && rejected > 1000, $"valid {valid}, rejected {rejected}: the mutations test nothing");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"40,000 frames took {watch.Elapsed}");
    }

    [Fact]
    public void A_log_with_stamps_and_words_is_read_and_its_stamps_stand_in_for_clocks()
    {
        var hdlc = Frames.Hdlc(Frames.Notification(Frames.List("SN5", 6), withTime: false));
        var hex = Convert.ToHexString(hdlc);
        var text = $"port open\n[2026-07-01 12.00.30.5 - Received {hdlc.Length} bytes]\n{hex[..20]}\n{hex[20..]}\n"
            + $"[2026-07-01T12:00:40] {string.Join(':', hdlc.Select(static b => b.ToString("x2")))}\nhad enough\n";
        var c = Feeds.WithFiles([("a.log", Encoding.ASCII.GetBytes(text))], p => Feeds.Collect(new FeedOptions
        {
            Paths = p, FrameZone = "Europe/Oslo",
        }));
        Assert.Equal(new FrameTotals(2, 0), c.Totals.Frames);
        var noon = Feeds.Minute("2026-07-01T10:00Z") * 60;
        var meter = MeterId.FromUtilityId("SN5");
        Assert.Equal([new RegisterSnapshot(meter, Channel.Import, new UnixTime(noon + 30), 6),
            new RegisterSnapshot(meter, Channel.Import, new UnixTime(noon + 40), 6)],
            c.Others.OfType<RegisterSnapshot>());
    }

    [Fact]
    public void A_binary_capture_is_read_and_its_rejects_named_by_byte()
    {
        var good = Frames.Hdlc(Frames.Notification(Frames.List("SN5", 6)));
        var bad = good.ToArray();
        bad[^5] ^= 0xFF;
        var c = Feeds.WithFiles([("a.bin", [0, 1, 2, .. good, .. bad, .. good])], p => Feeds.Collect(p));
        Assert.Equal(new FrameTotals(2, 1), c.Totals.Frames);
        Assert.Contains($"\"field\":\"frame at byte {3 + good.Length}\"", Assert.Single(c.Rejects));
        Assert.Contains("check sequence", c.Rejects[0]);
    }

    [Fact]
    public void A_wrapper_capture_of_several_pushes_is_read_and_no_csv_is_taken_for_frames()
    {
        var frames = Frames.Wrapped(Frames.Notification(Frames.Profile(10, 20)));
        var c = Feeds.WithFiles([("a.hex", Encoding.ASCII.GetBytes(Convert.ToHexString(frames)))],
            p => Feeds.Collect(p));
        Assert.Equal(new FrameTotals(1, 0), c.Totals.Frames);
        Assert.Equal([10, 20], c.Readings.Select(static r => r.Value));
        Assert.Throws<FormatError>(() => Feeds.CollectText("b.csv", "12345678\n23456789\n34567890\n"));
    }
}
