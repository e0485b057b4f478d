using System.Globalization;
using System.Text;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>What became of a frame to the meter.</summary>
public enum ReceiveResult : byte
{
    /// <summary>It was authentic and new; <see cref="CommandOutcome"/> says the rest.</summary>
    Taken = 1,
    /// <summary>No supply, or the application does not run.</summary>
    Deaf = 2,
    Malformed = 3, NotAuthentic = 4, Duplicate = 5, Replay = 6,
}

/// <summary>Who asks for something.</summary>
internal readonly record struct Caller(CommandOrigin Origin, string Actor, string Order, bool MayWrite);

public sealed partial class ApplicationCore
{
    private readonly ReceiveCounter _in = new();

    /// <summary>Counter of the last frame taken from the head-end.</summary>
    public uint LastReceived => _in.Last;

    /// <summary>Frames that were no frames; stands still at the largest integer.</summary>
    public int MalformedFrames { get; private set; }

    /// <summary>
    /// Takes a frame of the head-end: general-ciphering or general-glo-ciphering under the unicast key, with or without
    /// the TCP wrapper. The work order travels as other-information of general-ciphering.
    /// </summary>
    internal ReceiveResult Receive(ReadOnlySpan<byte> bytes, UnixTime now, CommandOrigin origin)
    {
        if (!IsRunning) return ReceiveResult.Deaf;
        var apdu = bytes.Length > 0 && bytes[0] == 0 && TcpWrapper.TryRead(bytes, out var wrapped, out _)
            ? wrapped.Apdu : bytes;
        if (!Protected.TryRead(apdu, default, out var message, out _))
        {
            if (MalformedFrames < int.MaxValue) MalformedFrames++;
            return ReceiveResult.Malformed;
        }
        var plain = new byte[message.Payload.Length];
        var isHeadEnd = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(message.Originator)
            == _spec.HeadEndTitle;
        if (!isHeadEnd || message.Use != KeyUse.GlobalUnicast
            || !message.TryOpen(_cipher, Meter, plain, out _, out _))
        {
            Happen(MeterEventKind.DecryptionFailed, now);
            return ReceiveResult.NotAuthentic;
        }
        switch (_in.Take(message.InvocationCounter, Digest.Of(apdu).Short))
        {
            case CounterVerdict.Duplicate:
                return ReceiveResult.Duplicate;
            case CounterVerdict.Replay:
                Happen(MeterEventKind.ReplayAttack, now);
                return ReceiveResult.Replay;
        }
        if (!CosemRequest.TryRead(plain, out var request, out _))
        {
            if (MalformedFrames < int.MaxValue) MalformedFrames++;
            return ReceiveResult.Malformed;
        }
        var order = Encoding.UTF8.GetString(message.OtherInformation);
        Execute(request, new Caller(origin, "head-end", order, true), now);
        return ReceiveResult.Taken;
    }

    /// <summary>Executes a request, or says why not; reports what became of commands.</summary>
    internal CommandResult Execute(in CosemRequest request, in Caller caller, UnixTime now)
    {
        if (!IsRunning) return CommandResult.Failed;
        var kind = MeterCommands.KindOf(request);
        var (result, detail) = Refusal(kind, request, caller, now) ?? Do(kind, request, caller, now);
        var isBlock = request.Target is { ClassId: 18, Index: MeterCommands.BlockMethod };
        var isQuiet = isBlock || request.Target.Name == MeterCommands.Attestation;
        if (!isQuiet || result != CommandResult.Done)
            Report(new CommandOutcome(Meter, Shown(now), kind, caller.Origin, result, _metrology.SwitchState,
                caller.Order, caller.Actor, detail));
        return result;
    }

    /// <summary>
    /// Why a request is not even tried: rights of the association, and what the reaction table holds.
    /// </summary>
    private (CommandResult, string)? Refusal(CommandKind kind, in CosemRequest request, in Caller caller, UnixTime now)
    {
        var isWrite = request.Target.Name != MeterCommands.Attestation
            && request.Target.Name != MeterCommands.Checkpoint && request.Target.Name != Obis.LoadProfile;
        return isWrite ? Held(kind, caller, now) : null;
    }

    /// <summary>What stands against a write now; null when nothing does.</summary>
    private (CommandResult Result, string Detail)? Held(CommandKind kind, in Caller caller, UnixTime now)
    {
        if (!caller.MayWrite) return (CommandResult.Refused, "this association may not write");
        // A table signed by the head-end is the way back in: nothing else lifts a refusal early.
        if (kind == CommandKind.SetReactionTable) return null;
        if (IsIsolated && caller.Origin != CommandOrigin.OpticalPort) return (CommandResult.Refused, "isolated");
        var shown = Shown(now).Seconds;
        if (shown < _refuseUntil) return (CommandResult.Refused, "the reaction table refuses writes");
        if (shown < _limitUntil && shown - WriteSpacingSeconds < _lastWrite && shown >= _lastWrite)
            return (CommandResult.RateLimited, "the reaction table limits writes");
        _lastWrite = shown;
        return null;
    }

    private (CommandResult Result, string Detail) Do(CommandKind kind, in CosemRequest request, in Caller caller,
        UnixTime now)
    {
        var target = request.Target;
        return (target.ClassId, kind) switch
        {
            (70, CommandKind.Disconnect) => Move(SwitchRequest.RemoteDisconnect, caller, now),
            (70, CommandKind.Reconnect) => Move(SwitchRequest.RemoteReconnect, caller, now),
            (70, _) => SetMode(request, now),
            (71, _) => SetLimiter(request, now),
            (8, _) => SetClock(request, now),
            (18, _) => TransferImage(request, caller, now),
            (64, CommandKind.TransferKey) => TakeKeys(request, now),
            (9, _) => Restart(now),
            (7, CommandKind.ClearLog) => ClearLog(target.Name, now),
            (7, _) => Resend(request),
            (1, _) => Data(kind, request, now),
            (20, _) => Configured(FirmwarePart.Device, Digest.Of(request.Data), now, "tariff table",
                MeterEventKind.TariffActivated),
            _ => (CommandResult.Failed, $"there is no object {target}"),
        };
    }

    private (CommandResult, string) Data(CommandKind kind, in CosemRequest request, UnixTime now)
    {
        var name = request.Target.Name;
        if (name == MeterCommands.Attestation) return Challenge(request, now);
        if (name == MeterCommands.Checkpoint) return TakeCheckpoint(request, now);
        if (kind == CommandKind.SetReactionTable) return TakeTable(request, now);
        if (!TryNumber(request, out var value)) return (CommandResult.Failed, "no number");
        var calibration = _metrology.Calibration;
        if (name == MeterCommands.CalibrationGain && value is > 0 and <= 2_000_000)
            return Calibrate(calibration with { GainPpm = (int)value }, now);
        if (name == MeterCommands.CtRatio && value is > 0 and <= 10_000)
            return Calibrate(calibration with { CtRatio = (int)value }, now);
        return Configured(FirmwarePart.Device, Digest.Of(request.Data), now, name.ToString(),
            MeterEventKind.ConfigurationChanged);
    }

    private (CommandResult, string) Calibrate(Calibration calibration, UnixTime now)
    {
        _metrology.SetCalibration(calibration);
        return Configured(FirmwarePart.Calibration, calibration.Digest, now, "calibration",
            MeterEventKind.ConfigurationChanged);
    }

    /// <summary>A setting changed: an entry in the attestation log, and an event.</summary>
    private (CommandResult, string) Configured(FirmwarePart part, Digest digest, UnixTime now, string what,
        MeterEventKind kind, uint version = 0)
    {
        _chip.Record(new CakEvent(CakEntryKind.Config, part, digest, version), Shown(now));
        Happen(kind, now);
        return (CommandResult.Done, what);
    }

    private (CommandResult, string) Move(SwitchRequest wanted, in Caller caller, UnixTime now)
    {
        var answer = _metrology.Switch.Request(wanted, Shown(now));
        if (answer == GuardAnswer.RateLimited) Happen(MeterEventKind.SwitchRateLimited, now);
        if (answer == GuardAnswer.Delayed) _switching = (caller.Order, caller.Actor, caller.Origin);
        return answer switch
        {
            GuardAnswer.Delayed => (CommandResult.Delayed, "the metrology core waits a random time"),
            GuardAnswer.RateLimited => (CommandResult.RateLimited, "too many operations in an hour"),
            _ => (CommandResult.Refused, "control mode or state do not allow it"),
        };
    }

    private (CommandResult, string) SetMode(in CosemRequest request, UnixTime now) =>
        TryNumber(request, out var mode) && mode is >= 0 and <= Disconnector.MaxMode
            && _metrology.Switch.Switch.TrySetMode((byte)mode)
            ? Configured(FirmwarePart.Device, Digest.Of(request.Data), now,
                string.Create(CultureInfo.InvariantCulture, $"control mode {mode}"),
                MeterEventKind.ConfigurationChanged)
            : (CommandResult.Failed, "no control mode");

    private (CommandResult, string) SetClock(in CosemRequest request, UnixTime now)
    {
        var reader = new CosemReader(request.Data);
        if (!reader.TryNext(out var item) || !item.TryDateTime(out var time)
            || !time.TryToUnixTime(0, out var wanted, out _)) return (CommandResult.Failed, "no date and time");
        React(MeterEventKind.ClockAdjustedOld, Shown(now));
        var moved = wanted.Seconds - Shown(now).Seconds;
        _clock.Set(now, wanted);
        _metrology.ClockMoved(wanted);
        _nextPush = NextBoundary(wanted);
        React(MeterEventKind.ClockAdjustedNew, wanted);
        return (CommandResult.Done, string.Create(CultureInfo.InvariantCulture, $"moved by {moved} s"));
    }

    private (CommandResult, string) SetLimiter(in CosemRequest request, UnixTime now)
    {
        var limiter = _metrology.Limiter;
        var done = request.Target.Index switch
        {
            4 when TryNumber(request, out var v) && v <= int.MaxValue => limiter.TrySet((int)v,
                limiter.EmergencyWatts, limiter.MinOverSeconds, limiter.MinUnderSeconds),
            5 when TryNumber(request, out var v) && v <= int.MaxValue => limiter.TrySet(limiter.NormalWatts, (int)v,
                limiter.MinOverSeconds, limiter.MinUnderSeconds),
            6 when TryNumber(request, out var v) && v <= int.MaxValue => limiter.TrySet(limiter.NormalWatts,
                limiter.EmergencyWatts, (int)v, limiter.MinUnderSeconds),
            7 when TryNumber(request, out var v) && v <= int.MaxValue => limiter.TrySet(limiter.NormalWatts,
                limiter.EmergencyWatts, limiter.MinOverSeconds, (int)v),
            8 => TryEmergency(request, out var profile) && limiter.TrySetEmergency(profile, limiter.Groups),
            9 => TryGroups(request, out var groups) && limiter.TrySetEmergency(limiter.Emergency, groups),
            _ => false,
        };
        return done ? Configured(FirmwarePart.Device, Digest.Of(request.Data), now,
            string.Create(CultureInfo.InvariantCulture, $"limiter attribute {request.Target.Index}"),
            MeterEventKind.LimiterChanged) : (CommandResult.Failed, "no value of the limiter");
    }

    private static bool TryEmergency(in CosemRequest request, out EmergencyProfile profile)
    {
        profile = default;
        var r = new CosemReader(request.Data);
        if (!r.TryNext(out var root) || root is not { Tag: CosemTag.Structure, Count: 3 } || !r.TryNext(out var id)
            || !r.TryNext(out var from) || !r.TryNext(out var seconds) || !id.TryInteger(out var number)
            || number is < 0 or > ushort.MaxValue || !from.TryDateTime(out var time)
            || !time.TryToUnixTime(0, out var at, out _) || !seconds.TryInteger(out var length)
            || length is < 0 or > uint.MaxValue) return false;
        profile = new EmergencyProfile((ushort)number, at, (uint)length);
        return true;
    }

    private static bool TryGroups(in CosemRequest request, out ushort[] groups)
    {
        groups = [];
        var r = new CosemReader(request.Data);
        if (!r.TryNext(out var root) || root.Tag != CosemTag.Array || root.Count > Limiter.MaxGroups) return false;
        var read = new ushort[root.Count];
        for (var i = 0; i < read.Length; i++)
        {
            if (!r.TryNext(out var item) || !item.TryInteger(out var id) || id is < 0 or > ushort.MaxValue)
                return false;
            read[i] = (ushort)id;
        }
        groups = read;
        return true;
    }

    private (CommandResult, string) ClearLog(Obis name, UnixTime now)
    {
        if (name is not { C: 99, D: 98 } || name.E > (byte)EventLogClass.Auxiliary)
            return (CommandResult.Failed, $"there is no log {name}");
        Log.Clear((EventLogClass)name.E, Shown(now));
        Happen(MeterEventKind.EventLogCleared, now);
        return (CommandResult.Done, $"log {name}");
    }

    private (CommandResult, string) Resend(in CosemRequest request)
    {
        var reader = new CosemReader(request.Data);
        if (!reader.TryNext(out var item) || !item.TryDateTime(out var time)
            || !time.TryToUnixTime(0, out var from, out _)) return (CommandResult.Failed, "no date and time");
        ResendFrom(from);
        return (CommandResult.Done, "load profile again");
    }

    private static bool TryNumber(in CosemRequest request, out long value)
    {
        value = 0;
        var reader = new CosemReader(request.Data);
        return reader.TryNext(out var item) && item.TryInteger(out value);
    }

    private static bool TryOctets(in CosemRequest request, out ReadOnlySpan<byte> bytes)
    {
        var reader = new CosemReader(request.Data);
        var ok = reader.TryNext(out var item) && item.Tag == CosemTag.OctetString;
        bytes = ok ? item.Content : default;
        return ok;
    }
}
