using Twin.Hardware.Coding;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// Commands as COSEM requests (set and action, one target): what the head-end sends and a field tool writes at the
/// optical port. Objects of groups 96.128 and above are the maker's own.
/// </summary>
public static class MeterCommands
{
    public const sbyte DisconnectMethod = 1, ReconnectMethod = 2, ModeAttribute = 4;
    public const sbyte InitiateMethod = 1, BlockMethod = 2, VerifyMethod = 3, ActivateMethod = 4;
    public const sbyte KeyTransferMethod = 2;

    public static readonly Obis Attestation = new(0, 0, 96, 128, 1), Checkpoint = new(0, 0, 96, 128, 2),
        ReactionTableName = new(0, 0, 96, 133, 0), CalibrationGain = new(0, 0, 96, 132, 0),
        CtRatio = new(1, 0, 0, 4, 2), ResetScript = new(0, 0, 10, 0, 0), TariffSchedule = new(0, 0, 13, 0, 0);

    public static byte[] Disconnect() => Action(70, Obis.Disconnector, DisconnectMethod, w => w.Integer(0));
    public static byte[] Reconnect() => Action(70, Obis.Disconnector, ReconnectMethod, w => w.Integer(0));
    public static byte[] SetControlMode(byte mode) => Set(70, Obis.Disconnector, ModeAttribute, w => w.Enum(mode));

    /// <summary>threshold_normal (attribute 4) or threshold_emergency (5) of the limiter, watts.</summary>
    public static byte[] SetThreshold(bool emergency, uint watts) =>
        Set(71, Obis.Limiter, emergency ? (sbyte)5 : (sbyte)4, w => w.DoubleLongUnsigned(watts));

    /// <summary>min_over_threshold_duration (6) or min_under_threshold_duration (7), seconds.</summary>
    public static byte[] SetThresholdTime(bool under, uint seconds) =>
        Set(71, Obis.Limiter, under ? (sbyte)7 : (sbyte)6, w => w.DoubleLongUnsigned(seconds));

    public static byte[] SetEmergencyProfile(EmergencyProfile profile) => Set(71, Obis.Limiter, 8, w =>
    {
        w.Structure(3);
        w.LongUnsigned(profile.Id);
        w.DateTimeOctets(CosemDateTime.FromUnixTime(profile.From, 0));
        w.DoubleLongUnsigned(profile.Seconds);
    });

    public static byte[] SetEmergencyGroups(params ushort[] groups) => Set(71, Obis.Limiter, 9, w =>
    {
        w.Array(groups.Length);
        foreach (var group in groups) w.LongUnsigned(group);
    });

    public static byte[] SetClock(UnixTime time) =>
        Set(8, Obis.Clock, 2, w => w.DateTimeOctets(CosemDateTime.FromUnixTime(time, 0)));

    public static byte[] InitiateImage(ReadOnlySpan<byte> identifier, int bytes)
    {
        var id = identifier.ToArray();
        return Action(18, Obis.ImageTransfer, InitiateMethod, w =>
        {
            w.Structure(2);
            w.OctetString(id);
            w.DoubleLongUnsigned((uint)bytes);
        });
    }

    public static byte[] ImageBlock(uint number, ReadOnlySpan<byte> block)
    {
        var bytes = block.ToArray();
        return Action(18, Obis.ImageTransfer, BlockMethod, w =>
        {
            w.Structure(2);
            w.DoubleLongUnsigned(number);
            w.OctetString(bytes);
        });
    }

    public static byte[] VerifyImage() => Action(18, Obis.ImageTransfer, VerifyMethod, w => w.Integer(0));
    public static byte[] ActivateImage() => Action(18, Obis.ImageTransfer, ActivateMethod, w => w.Integer(0));

    /// <summary>Keys wrapped by the master key (RFC 3394).</summary>
    public static byte[] TransferKeys(params KeyTransfer.Entry[] keys) =>
        Action(64, Obis.SecuritySetup, KeyTransferMethod, w => KeyTransfer.Write(w.To, keys));

    public static byte[] SetReactionTable(ReadOnlySpan<byte> signed)
    {
        var bytes = signed.ToArray();
        return Set(1, ReactionTableName, 2, w => w.OctetString(bytes));
    }

    public static byte[] SetCalibrationGain(int gainPpm) => Set(1, CalibrationGain, 2, w => w.DoubleLong(gainPpm));
    public static byte[] SetCtRatio(int ratio) => Set(1, CtRatio, 2, w => w.DoubleLong(ratio));

    /// <summary>Any other setting: it is kept and changes nothing but the log.</summary>
    public static byte[] WriteConfiguration(Obis name, int value) => Set(1, name, 2, w => w.DoubleLong(value));

    public static byte[] SetTariff(int table) => Set(20, TariffSchedule, 10, w => w.DoubleLong(table));
    public static byte[] Reset() => Action(9, ResetScript, 1, w => w.LongUnsigned(0));
    public static byte[] ClearLog(Events.EventLogClass log) =>
        Action(7, Wire.Reports.DeviceReport.EventLog(log), 1, w => w.Integer(0));

    /// <summary>Asks for a quote over a nonce, with entries behind <paramref name="since"/>.</summary>
    public static byte[] Challenge(UInt128 nonce, uint since) => Action(1, Attestation, 1, w =>
    {
        w.Structure(2);
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, nonce);
        w.OctetString(bytes);
        w.DoubleLongUnsigned(since);
    });

    public static byte[] TakeCheckpoint(ReadOnlySpan<byte> checkpoint)
    {
        var bytes = checkpoint.ToArray();
        return Action(1, Checkpoint, 1, w => w.OctetString(bytes));
    }

    /// <summary>Asks for the load profile from a time on once more, as far as it is held.</summary>
    public static byte[] ResendFrom(UnixTime from) =>
        Action(7, Obis.LoadProfile, 127, w => w.DateTimeOctets(CosemDateTime.FromUnixTime(from, 0)));

    /// <summary>What a request means; <see cref="CommandKind.Other"/> also for what no meter command is.</summary>
    public static CommandKind KindOf(in CosemRequest request) =>
        (request.Service, request.Target.ClassId, request.Target.Index) switch
        {
            (ApduTag.ActionRequest, 70, DisconnectMethod) => CommandKind.Disconnect,
            (ApduTag.ActionRequest, 70, ReconnectMethod) => CommandKind.Reconnect,
            (ApduTag.SetRequest, 70, _) => CommandKind.WriteConfiguration,
            (ApduTag.SetRequest, 71, _) => CommandKind.SetLimiter,
            (ApduTag.SetRequest, 8, _) => CommandKind.SetClock,
            (ApduTag.SetRequest, 20, _) => CommandKind.SetTariff,
            (ApduTag.ActionRequest, 18, ActivateMethod) => CommandKind.ActivateImage,
            (ApduTag.ActionRequest, 64, KeyTransferMethod) => CommandKind.TransferKey,
            (ApduTag.ActionRequest, 9, _) => CommandKind.Reset,
            (ApduTag.ActionRequest, 7, 1) => CommandKind.ClearLog,
            (ApduTag.SetRequest, 1, _) => request.Target.Name == ReactionTableName ? CommandKind.SetReactionTable
                : CommandKind.WriteConfiguration,
            _ => CommandKind.Other,
        };

    private static byte[] Action(ushort classId, Obis name, sbyte method, Action<CosemWriter> data) =>
        Request(ApduTag.ActionRequest, classId, name, method, data);

    private static byte[] Set(ushort classId, Obis name, sbyte attribute, Action<CosemWriter> data) =>
        Request(ApduTag.SetRequest, classId, name, attribute, data);

    private static byte[] Request(ApduTag service, ushort classId, Obis name, sbyte index, Action<CosemWriter> data)
    {
        var value = new ByteWriter(64);
        data(new CosemWriter(value));
        var w = new ByteWriter(value.Length + 16);
        new CosemRequest
        {
            Service = service, Form = ServiceForm.Normal, InvokeId = 0xC1,
            Target = new CosemTarget(classId, name, index), Data = value.Written,
        }.Write(w);
        return w.ToArray();
    }
}
