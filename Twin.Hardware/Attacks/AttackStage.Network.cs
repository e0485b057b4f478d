using Twin.Hardware.Coding;
using Twin.Hardware.Emulator.Network;
using Twin.Hardware.Events;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Attacks;

/// <summary>The mesh and the backhaul.</summary>
public sealed partial class AttackStage
{
    private MeshTap? _recorder;

    /// <summary>From now on a man in the middle keeps what a meter sends.</summary>
    public void RecordFrames(int meter) => _fleet.Mesh.Add(_recorder = new MeshTap
    {
        Link = MeshLink.Above(meter), Act = TapAct.Capture, Direction = FrameDirection.FromMeter, Meter = meter,
        From = Now,
    });

    /// <summary>He swallows all that the meter says for some hours.</summary>
    public void Silence(int meter, int hours) => _fleet.Mesh.Add(new MeshTap
    {
        Link = MeshLink.Above(meter), Act = TapAct.Drop, Direction = FrameDirection.FromMeter, Meter = meter,
        From = Now, To = new UnixTime(Now.Seconds + 3_600L * hours),
    });

    /// <summary>
    /// With the frame key (not the signing key) he takes quotes out of what he recorded and sends them again in frames
    /// of his own.
    /// </summary>
    public void ReplayQuotes(int meter)
    {
        var keys = KeysOf(meter);
        using var key = new FrameKey(keys.Unicast, keys.Authentication);
        var counter = Zeus(meter).Application.NextCounter + 500;
        foreach (var old in _recorder!.Captured)
        {
            if (!TcpWrapper.TryRead(old.Bytes, out var frame, out _)
                || !Protected.TryRead(frame.Apdu, default, out var message, out _)) continue;
            var plain = new byte[message.Payload.Length];
            if (!message.TryOpen(key, Meter(meter).Id, plain, out var length, out _)
                || !DataNotification.TryRead(plain.AsSpan(0, length), out var push, out _)
                || !DeviceReport.TryReadBytes(push.Body, DeviceReport.Quote, out _)) continue;
            var again = new ByteWriter(length + 16);
            DataNotification.WriteHead(again, push.LongInvokeId, CosemDateTime.FromUnixTime(Now, 0));
            again.Bytes(push.Body);
            Speak(meter, counter++, again.Written);
        }
    }

    /// <summary>Challenges never reach the meter; all that it says by itself passes.</summary>
    public void SwallowChallenges(int meter) => _fleet.Mesh.Add(new MeshTap
    {
        Link = MeshLink.Above(meter), Act = TapAct.Drop, Direction = FrameDirection.ToMeter, Meter = meter, From = Now,
    });

    /// <summary>Recorded frames come again with a bit of their end changed.</summary>
    public void AlterFrames(int meter, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var bytes = (byte[])_recorder!.Captured[i % _recorder.Captured.Count].Bytes.Clone();
            bytes[^(1 + i / _recorder.Captured.Count % 12)] ^= (byte)(1 + i % 255);
            Inject(meter, FrameDirection.FromMeter, bytes);
        }
    }

    /// <summary>Behind a recorded frame of the meter come others whose rest follows no grammar.</summary>
    public void SendNonsense(int meter, int count)
    {
        Inject(meter, FrameDirection.FromMeter, _recorder!.Captured[0].Bytes);
        var draw = SplitMix64.For(_fleet.Plan.Options.Seed, "nonsense");
        for (var i = 0; i < count; i++)
        {
            var w = new ByteWriter(32);
            w.Byte((byte)ApduTag.GeneralGloCiphering);
            w.Byte(8);
            w.UInt64(Meter(meter).Id.Value);
            w.Byte(0x7F);
            w.UInt64(draw.NextUInt64());
            Inject(meter, FrameDirection.FromMeter, Wrapped(w.Written), 2_000 + i);
        }
    }

    /// <summary>A load profile in clear, in the meter's name.</summary>
    public void SendUnprotected(int meter)
    {
        var plain = new ByteWriter(128);
        DataNotification.WriteHead(plain, 0x4000_0007, CosemDateTime.FromUnixTime(Now, 0));
        var end = new UnixTime(Now.Seconds / 3_600 * 3_600);
        ProfileRow[] rows =
        [
            new(new UnixTime(end.Seconds - 900), ProfileStatus.None, 1_000, 0), new(end, ProfileStatus.None, 1_010, 0),
        ];
        LoadProfilePush.Write(plain, Meter(meter).Id.ToString(), 900, 0, rows);
        Inject(meter, FrameDirection.FromMeter, Wrapped(plain.Written));
    }

    /// <summary>Hostile applications report events without end.</summary>
    public void FloodEvents(int[] meters, int count)
    {
        foreach (var meter in meters)
            for (var i = 0; i < count; i++)
                Zeus(meter).Application.Happen(i % 2 == 0 ? MeterEventKind.PhaseOutage : MeterEventKind.PhaseReturned,
                    new UnixTime(Now.Seconds - count + i));
    }

    /// <summary>A hostile application says that its supply failed; it did not.</summary>
    public void SpoofLastGasp(int[] meters)
    {
        foreach (var meter in meters) Zeus(meter).Application.Happen(MeterEventKind.LastGasp, Now);
    }

    /// <summary>The relay with most meters behind it drops all but its own frames.</summary>
    public void DropAtRelay()
    {
        var relay = Enumerable.Range(0, Meters).MaxBy(m => _fleet.Mesh.Through(m).Count());
        _concerned.Add(relay);
        foreach (var below in _fleet.Mesh.Through(relay).ToArray())
        {
            if (below == relay) continue;
            _concerned.Add(below);
            _fleet.Mesh.Add(new MeshTap
            {
                Link = MeshLink.Above(relay), Act = TapAct.Drop, Direction = FrameDirection.FromMeter, Meter = below,
                From = Now,
            });
        }
    }

    /// <summary>One meter beside the concentrator claims the best way, and all that need a relay take it.</summary>
    public void AttractRoutes(int concentrator)
    {
        var relay = _fleet.Meters.First(m => m.Plan.Concentrator == concentrator && _fleet.Mesh.Depth(m.Index) == 1);
        _fleet.Mesh.Attract(relay.Index);
        foreach (var meter in _fleet.Meters)
            if (meter.Plan.Concentrator == concentrator) _concerned.Add(meter.Index);
    }

    public void CutBackhaul(int concentrator) => SetBackhaul(concentrator, false);

    public void RestoreBackhaul(int concentrator) => SetBackhaul(concentrator, true);

    private void SetBackhaul(int concentrator, bool up)
    {
        foreach (var meter in _fleet.Meters)
            if (meter.Plan.Concentrator == concentrator) _concerned.Add(meter.Index);
        _fleet.Mesh.SetBackhaul(concentrator, up, 1_000 * Now.Seconds);
    }
}
