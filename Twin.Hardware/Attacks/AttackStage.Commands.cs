using Twin.Hardware.Coding;
using Twin.Hardware.Emulator.Network;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Events;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Attacks;

/// <summary>Commands, sessions, keys and clocks.</summary>
public sealed partial class AttackStage
{
    /// <summary>wPorts of the management client and of a meter's logical device in the TCP wrapper.</summary>
    private const ushort Client = 1, Server = 1;

    /// <summary>Who asks the head-end: an employee whose account is valid, and the system that bills.</summary>
    private static readonly Actor Employee = new("j.doe", "account j.doe"), Billing = new("billing", "service billing");

    /// <summary>An employee has the head-end disconnect; no order is on record.</summary>
    public void Disconnect(int[] meters) => Switch(meters, on: false);

    /// <summary>A machine that holds the head-end's keys sends the same over a tapped backhaul.</summary>
    public void DisconnectFromFalseHeadEnd(int[] meters)
    {
        foreach (var meter in meters)
            Inject(meter, FrameDirection.ToMeter, _fleet.HeadEnd.Forge(meter, MeterCommands.Disconnect(), ""));
    }

    public void Switch(int[] meters, bool on)
    {
        foreach (var meter in meters) _fleet.HeadEnd.Ask(meter, on, Now, Employee, "", "");
    }

    /// <summary>The customer has a device that keeps somebody alive, and the utility is told.</summary>
    public void DependOnSupply(int meter)
    {
        _fleet.Categories[meter] = CustomerCategory.Medical;
        _told.Add(new CustomerStatus(Meter(meter).Id, Now, CustomerCategory.Medical, "customer records"));
    }

    /// <summary>The contacts are bridged, and then the utility disconnects by order.</summary>
    public void WeldContactor(int meter)
    {
        Zeus(meter).Metrology.Switch.Switch.Weld();
        var order = _fleet.HeadEnd.Order(meter, Now, "", "unpaid bills", CommandKind.Disconnect);
        _fleet.HeadEnd.Ask(meter, on: false, Now, Billing, order, "unpaid bills");
    }

    /// <summary>Incident response reports keys as known outside.</summary>
    public void LeakKeys(int[] meters)
    {
        foreach (var meter in meters)
            _told.Add(new KeyEvent(Meter(meter).Id.Twin, Now, KeySlot.EncryptionUnicast, KeyEventKind.Compromised, 1,
                [], default, "incident response"));
    }

    /// <summary>Somebody with the meters' keys speaks in their names, far ahead of their counters.</summary>
    public void SpeakAs(int[] meters, uint counterJump)
    {
        foreach (var meter in meters) Speak(meter, checked(Zeus(meter).Application.NextCounter + counterJump), 1);
    }

    /// <summary>Somebody with the meter's key sends something new under a counter of long ago.</summary>
    public void SendOldCounter(int meter) => Speak(meter, 2, 2);

    /// <summary>Somebody with the meter's key protects something else with the counter that was used last.</summary>
    public void ReuseCounter(int meter) => Speak(meter, Zeus(meter).Application.NextCounter - 1, 3);

    /// <summary>Somebody with the meter's key uses a counter just under the limit, to lock the key up.</summary>
    public void ExhaustCounter(int meter) => Speak(meter, uint.MaxValue - 16, 4);

    private void Speak(int meter, uint counter, int what)
    {
        var plain = new ByteWriter(64);
        DataNotification.WriteHead(plain, 0x4000_0000 | (uint)what, CosemDateTime.FromUnixTime(Now, 0));
        plain.Bytes(DeviceReport.WriteBytes(DeviceReport.Own, [(byte)what]));
        Speak(meter, counter, plain.Written);
    }

    /// <summary>A notification under the meter's own key.</summary>
    private void Speak(int meter, uint counter, ReadOnlySpan<byte> plain)
    {
        var keys = KeysOf(meter);
        using var key = new FrameKey(keys.Unicast, keys.Authentication);
        var id = Meter(meter).Id;
        var apdu = new ByteWriter(plain.Length + 64);
        var code = Protected.Write(apdu, ApduTag.GeneralGloCiphering, key, id, MeterKeys.Title(id.Value),
            new SecurityControl(1, true, true), counter, plain);
        if (code != WireCode.None) throw new InvalidOperationException($"The attacker's frame was not sealed: {code}.");
        Inject(meter, FrameDirection.FromMeter, Wrapped(apdu.Written));
    }

    private static byte[] Wrapped(ReadOnlySpan<byte> apdu)
    {
        var frame = new ByteWriter(apdu.Length + TcpWrapper.HeaderBytes);
        TcpWrapper.Write(frame, Server, Client, apdu);
        return frame.ToArray();
    }

    private void Inject(int meter, FrameDirection direction, byte[] frame, int laterMs = 0) => _fleet.Mesh.Inject(
        MeshLink.Backhaul(Meter(meter).Plan.Concentrator), direction, meter, frame, 1_000 * Now.Seconds + laterMs);

    /// <summary>
    /// Somebody offers a certificate for the meter's key whose chain ends at an authority that nobody knows; this is
    /// what the import of certificates says of it.
    /// </summary>
    public void OfferCertificate(int meter) => _told.Add(new KeyEvent(Meter(meter).Id.Twin, Now, KeySlot.DeviceSigning,
        KeyEventKind.CertificateUntrusted, 1, [], default, "Meridian Root CA"));

    /// <summary>A wrong password at the optical port.</summary>
    public void GuessPassword(int meter, byte guess) =>
        Zeus(meter).OpenLocalSession(new FieldTool("", "", ""), PortCredential.Password([guess, 1, 2, 3]), Now);

    /// <summary>A field tool with a genuine key writes settings at the optical port.</summary>
    public void Reprogram(int meter, string tool, string contractor, string order)
    {
        using var visit = new PortVisit(Zeus(meter), KeysOf(meter), new FieldTool(tool, contractor, order), Now);
        visit.Session?.Send(MeterCommands.WriteConfiguration(new Obis(0, 0, 96, 130, 1), 7), Now);
    }

    /// <summary>Someone with the port's key writes a smaller gain into the calibration.</summary>
    public void ChangeCalibration(int meter, double factor)
    {
        using var visit = new PortVisit(Zeus(meter), KeysOf(meter), new FieldTool("", "", ""), Now);
        visit.Session?.Send(MeterCommands.SetCalibrationGain((int)(1_000_000 * factor)), Now);
    }

    public void ClearEventLog(int meter)
    {
        using var visit = new PortVisit(Zeus(meter), KeysOf(meter), new FieldTool("", "", ""), Now);
        visit.Session?.Send(MeterCommands.ClearLog(EventLogClass.Fraud), Now);
    }

    /// <summary>The clock is set at the optical port.</summary>
    public void ShiftClock(int meter, int seconds)
    {
        using var visit = new PortVisit(Zeus(meter), KeysOf(meter), new FieldTool("", "", ""), Now);
        visit.Session?.Send(MeterCommands.SetClock(new UnixTime(Now.Seconds + seconds)), Now);
    }

    public void RunClockFast(int meter, double ppm) => Zeus(meter).Clock.Drift(Now, ppm);

    /// <summary>Whoever commands the head-end moves the threshold; no order is on record.</summary>
    public void ChangeLimiter(int meter, uint watts) =>
        _fleet.HeadEnd.Send(meter, MeterCommands.SetThreshold(false, watts), Now, "");

    /// <summary>
    /// The utility assigns a stricter reaction table; the meter's application drops it and goes on with its old one.
    /// </summary>
    public void IgnoreReactions(int meter)
    {
        var rows = new Dictionary<MeterEventKind, ReactionAction>
        {
            [MeterEventKind.LoginFailed] = ReactionAction.RefuseWrites,
        };
        var table = new ReactionTable(Zeus(meter).Application.Table.Version + 1, 3_600, rows);
        _told.Add(new ReactionTableAssigned(Meter(meter).Id, Now, table.Version,
            table.ToSigned(digest => _fleet.HeadEnd.Signer.Sign(digest))));
    }
}
