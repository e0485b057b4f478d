using Twin.Hardware.Events;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Tests.Wire.Reports;

public class DeviceReportTests
{
    private static readonly MeterId Meter = new(0x5A45_5500_0000_0001);
    private static readonly UnixTime At = new(1_788_220_800);

    private static readonly Input[] Reported =
    [
        new CommandOutcome(Meter, At, CommandKind.Disconnect, CommandOrigin.HeadEnd, CommandResult.Done,
            new Twin.Hardware.Attestation.SwitchState(false, 0, 4), "WO-1", "ana", "x"),
        new Session(Meter.Twin, At, CommandOrigin.OpticalPort, 1, 5, true, 3, 60, "TOOL", "GridFit", "WO-2"),
        new Reaction(Meter, At, 3, MeterEventKind.LoginFailed, ReactionAction.RefuseWrites),
        new Fingerprint(Meter, At, 77, [1, 2, float.NaN, 4]),
    ];

    [Fact]
    public void Inputs_that_a_device_reports_come_back_as_they_were()
    {
        foreach (var input in Reported)
        {
            var body = DeviceReport.WriteInput(input);
            Assert.True(DeviceReport.Matches(body));
            var into = new List<Input>();
            Assert.True(DeviceReport.TryRead(body, Meter, At, into, out var error), error.Describe());
            Assert.Equal(input.ToBytes(), Assert.Single(into).ToBytes());
        }
    }

    [Fact]
    public void Event_rows_carry_profile_log_and_time()
    {
        var body = DeviceReport.WriteEvents(EventLogClass.Fraud, "dsmr", [new(At, "46"), new(At, "0.12.24.85")]);
        var into = new List<Input>();
        Assert.True(DeviceReport.TryRead(body, Meter, new UnixTime(0), into, out _));
        Assert.Equal(
        [
            new DeviceEvent(Meter, At, "dsmr", "46", "log 0.0.99.98.1.255"),
            new DeviceEvent(Meter, At, "dsmr", "0.12.24.85", "log 0.0.99.98.1.255"),
        ], into);
    }

    [Fact]
    public void A_quote_comes_with_the_time_of_its_receipt_and_unchecked()
    {
        var into = new List<Input>();
        Assert.True(DeviceReport.TryRead(DeviceReport.WriteQuote([1, 2, 3]), Meter, At, into, out _));
        Assert.Equal(new AttestationQuote(Meter.Twin, At, [1, 2, 3], SignatureVerdict.Unchecked), Assert.Single(into));
    }

    [Fact]
    public void A_device_does_not_speak_for_the_registry()
    {
        var enrolled = new KeyEvent(Meter.Twin, At, KeySlot.DeviceSigning, KeyEventKind.Enrolled, 1, new byte[64],
            new UnixTime(0), "me");
        Assert.Throws<ArgumentException>(() => DeviceReport.WriteInput(enrolled));
        var forged = DeviceReport.WriteBytes(DeviceReport.InputOf(InputKind.KeyEvent),
            Envelope.Payload(enrolled.ToBytes()));
        var into = new List<Input>();
        Assert.False(DeviceReport.TryRead(forged, Meter, At, into, out var error));
        Assert.Equal(WireCode.Unsupported, error.Code);
        Assert.Empty(into);
        var own = DeviceReport.WriteBytes(DeviceReport.Own, new byte[9]);
        Assert.True(DeviceReport.TryRead(own, Meter, At, into, out _));
        Assert.Empty(into);
    }

    [Fact]
    public void Damaged_bodies_give_an_error_inside_the_body_and_no_input()
    {
        byte[][] bodies =
        [
            .. Reported.Select(DeviceReport.WriteInput), DeviceReport.WriteQuote(new byte[40]),
            DeviceReport.WriteEvents(EventLogClass.Standard, "idis", [new(At, "1"), new(At, "2")]),
        ];
        const ulong seed = 11;
        var draw = new SplitMix64(seed);
        var refused = 0;
        for (var i = 0; i < 40_000; i++)
        {
            byte[] body = [.. bodies[draw.Next(bodies.Length)]];
            for (var n = draw.Next(3); n >= 0; n--) body[draw.Next(body.Length)] = (byte)draw.Next(256);
            var cut = draw.Next(4) == 0 ? body[..draw.Next(body.Length)] : body;
            var into = new List<Input>();
            if (DeviceReport.TryRead(cut, Meter, At, into, out var error)) continue;
            refused++;
            Assert.True(error.IsError && error.Offset >= 0 && error.Offset <= cut.Length, $"seed {seed}, round {i}");
            Assert.True(into.Count == 0, $"seed {seed}, round {i}");
        }
        Assert.True(refused > 10_000, $"seed {seed}: {refused} refused");
    }
}
