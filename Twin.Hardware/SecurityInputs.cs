using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;
using Twin.Hardware.Events;

namespace Twin.Hardware;

// The closed family of inputs, second part: what meters and their networks say of their firmware, keys, frames and
// commands, and what the utility's registry knows of these. Every payload with an event time begins with it.

/// <summary>
/// Key slots of a meter: nine symmetric ones and passwords, the key under which the metrology seals what it measured,
/// then key pairs. Numbers are stored for decades.
/// </summary>
public enum KeySlot : byte
{
    None = 0, Master = 1, Authentication = 2, EncryptionUnicast = 3, EncryptionBroadcast = 4, MBusDefault = 5,
    MBusUser = 6, MBusFirmwareAuthentication = 7, OpticalPort = 8, LlsPassword = 9,
    MetrologySeal = 10,
    DeviceSigning = 16, KeyAgreement = 17,
}

/// <summary>Who sent a frame: counters run per key and direction.</summary>
public enum FrameDirection : byte { FromMeter = 0, ToMeter = 1 }

/// <summary>What became of a key. <see cref="Enrolled"/>: known from the registry, with its public key.</summary>
public enum KeyEventKind : byte
{
    Enrolled = 1, Generated = 2, Activated = 3, Transferred = 4, Compromised = 5, Expired = 6, Revoked = 7,
    Zeroised = 8, CertificateUntrusted = 9, CertificateRenewed = 10,
}

/// <summary>How the signature of a quote fared; set by the twin at the door, whatever the sender wrote.</summary>
public enum SignatureVerdict : byte { Unchecked = 0, Valid = 1, Invalid = 2, NoKey = 3, Malformed = 4 }

/// <summary>
/// What was wrong with a frame. <see cref="SealBroken"/>: the frame is sound, and its load profile tells otherwise than
/// the meter's metrology sealed.
/// </summary>
public enum FrameFaultKind : byte
{
    Malformed = 1, TagFailed = 2, UnknownKey = 3, Unprotected = 4, SignatureFailed = 5, Oversize = 6, SealBroken = 7,
}

/// <summary>
/// What a frame carried: the DLMS service. From 8 on it is a data-notification with a load profile of a meter whose
/// metrology key is known: under a seal that holds, or without one. A session uses only those up to 7.
/// </summary>
public enum FrameService : byte
{
    Other = 0, DataNotification = 1, EventNotification = 2, Get = 3, Set = 4, Action = 5, Association = 6,
    ImageBlock = 7, SealedProfile = 8, UnsealedProfile = 9,
}

/// <summary>Commands that a meter may execute.</summary>
public enum CommandKind : byte
{
    Other = 0, Disconnect = 1, Reconnect = 2, SetLimiter = 3, ActivateImage = 4, TransferKey = 5, Reset = 6,
    SetClock = 7, WriteConfiguration = 8, SetTariff = 9, ClearLog = 10, SetReactionTable = 11,
}

/// <summary>Where a command or session came from, as the meter saw it.</summary>
public enum CommandOrigin : byte { Unknown = 0, HeadEnd = 1, OpticalPort = 2, Local = 3, Firmware = 4, Mesh = 5 }

/// <summary>What became of a command.</summary>
public enum CommandResult : byte { Done = 1, Refused = 2, Failed = 3, Delayed = 4, RateLimited = 5 }

/// <summary>Numbered traits of a device's behaviour; the number is stored.</summary>
public enum FingerprintFeature : byte
{
    ResponseLatencyMs = 0, FrameBytes = 1, RetriesPerDay = 2, EventsPerDay = 3, ClockDriftPpm = 4,
    MetrologyNoisePermille = 5, BootsPerDay = 6, TransmitSecondsPerDay = 7,
}

/// <summary>Payload pieces shared by the inputs of this file.</summary>
internal static class SecurityCode
{
    public const int MaxBlob = 16 * 1024;

    public static Digest ReadDigest(ref ByteReader r) => Digest.Read(r.Bytes(Digest.Size));

    public static void WriteDigest(ByteWriter to, in Digest digest)
    {
        Span<byte> bytes = stackalloc byte[Digest.Size];
        digest.Write(bytes);
        to.Bytes(bytes);
    }

    public static byte[] ReadBlob(ref ByteReader r)
    {
        var blob = r.Blob();
        return blob.Length <= MaxBlob ? blob.ToArray() : throw r.Bad($"{blob.Length} bytes in one piece");
    }

    public static uint ReadUInt32(ref ByteReader r) => r.VarUInt() is <= uint.MaxValue and var v ? (uint)v
        : throw r.Bad("a number is over 32 bits");
}

/// <summary>
/// A quote of a meter or concentrator (<see cref="CakQuote"/> with its signature), received at <paramref name="At"/>.
/// </summary>
public sealed record AttestationQuote(TwinKey Subject, UnixTime At, byte[] Quote, SignatureVerdict Verdict)
    : Input(InputKind.AttestationQuote)
{
    public override TwinKey Target => Subject;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Byte((byte)Verdict);
        to.Blob(Quote);
    }
    internal static AttestationQuote ReadPayload(TwinKey subject, ref ByteReader r)
    {
        var (at, verdict) = (ReadTime(ref r), (SignatureVerdict)r.Byte(0, (int)SignatureVerdict.Malformed));
        return new(subject, at, SecurityCode.ReadBlob(ref r), verdict);
    }
    public override string Describe() => $"{At} attestation quote of {Quote.Length} bytes, signature {Verdict}";
    public bool Equals(AttestationQuote? other) => other is not null && Subject == other.Subject && At == other.At
        && Verdict == other.Verdict && Quote.AsSpan().SequenceEqual(other.Quote);
    public override int GetHashCode() => HashCode.Combine(Subject, At, Quote.Length);
}

/// <summary>
/// A change of one key. <paramref name="PublicKey"/>: X ‖ Y of a key pair, 64 or 96 bytes, empty for symmetric keys
/// (which never come here). <paramref name="Suite"/> is the DLMS security suite; <paramref name="Expires"/> second 0:
/// never. <paramref name="Actor"/>: who did it, where known.
/// </summary>
public sealed record KeyEvent(TwinKey Subject, UnixTime At, KeySlot Slot, KeyEventKind Change, byte Suite,
    byte[] PublicKey, UnixTime Expires, string Actor) : Input(InputKind.KeyEvent)
{
    public override TwinKey Target => Subject;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Byte((byte)Slot);
        to.Byte((byte)Change);
        to.Byte(Suite);
        to.Blob(PublicKey);
        to.VarInt(Expires.Seconds);
        to.Text(Actor);
    }
    internal static KeyEvent ReadPayload(TwinKey subject, ref ByteReader r)
    {
        var (at, slot) = (ReadTime(ref r), (KeySlot)r.Byte());
        if (!Enum.IsDefined(slot)) throw r.Bad($"key slot {(byte)slot} is not known");
        return new(subject, at, slot,
            (KeyEventKind)r.Byte((int)KeyEventKind.Enrolled, (int)KeyEventKind.CertificateRenewed),
            r.Byte(0, 2), SecurityCode.ReadBlob(ref r), ReadTime(ref r), r.Text());
    }
    public override string Describe() => $"{At} key {Slot} {Change}" + (Actor.Length > 0 ? $" by {Actor}" : "");
    public bool Equals(KeyEvent? other) => other is not null && Subject == other.Subject && At == other.At
        && Slot == other.Slot && Change == other.Change && Suite == other.Suite && Expires == other.Expires
        && Actor == other.Actor && PublicKey.AsSpan().SequenceEqual(other.PublicKey);
    public override int GetHashCode() => HashCode.Combine(Subject, At, Slot, Change);
}

/// <summary>
/// An authenticated frame: key, direction and invocation counter, with the first 8 bytes of the SHA-256 of its bytes.
/// The twin judges the counter; content travels as inputs of its own behind this one.
/// </summary>
public sealed record FrameReceived(TwinKey Subject, UnixTime At, KeySlot Key, FrameDirection Direction, uint Counter,
    ulong BytesDigest, int Size, FrameService Service) : Input(InputKind.FrameReceived)
{
    public override TwinKey Target => Subject;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Byte((byte)Key);
        to.Byte((byte)Direction);
        to.VarUInt(Counter);
        to.UInt64(BytesDigest);
        to.VarUInt((ulong)Size);
        to.Byte((byte)Service);
    }
    internal static FrameReceived ReadPayload(TwinKey subject, ref ByteReader r)
    {
        var (at, key) = (ReadTime(ref r), (KeySlot)r.Byte());
        if (!Enum.IsDefined(key)) throw r.Bad($"key slot {(byte)key} is not known");
        return new(subject, at, key, (FrameDirection)r.Byte(0, 1), SecurityCode.ReadUInt32(ref r), r.UInt64(),
            r.Count(int.MaxValue), (FrameService)r.Byte(0, (int)FrameService.UnsealedProfile));
    }
    public override string Describe() => $"{At} frame {Direction} key {Key} counter {Counter}, {Size} bytes, {Service}";
}

/// <summary>A frame that could not be taken: what was wrong, at which byte, and where it was heard.</summary>
public sealed record FrameFault(TwinKey Subject, UnixTime At, FrameFaultKind Fault, int Offset, ulong BytesDigest,
    string Where, string Reason) : Input(InputKind.FrameFault)
{
    public override TwinKey Target => Subject;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Byte((byte)Fault);
        to.VarUInt((ulong)Offset);
        to.UInt64(BytesDigest);
        to.Text(Where);
        to.Text(Reason);
    }
    internal static FrameFault ReadPayload(TwinKey subject, ref ByteReader r) => new(subject, ReadTime(ref r),
        (FrameFaultKind)r.Byte((int)FrameFaultKind.Malformed, (int)FrameFaultKind.SealBroken), r.Count(int.MaxValue),
        r.UInt64(), r.Text(), r.Text());
    public override string Describe() => $"{At} frame fault {Fault} at byte {Offset}: {Reason}";
}

/// <summary>
/// How a device behaved over the day before <paramref name="At"/>: one value a <see cref="FingerprintFeature"/>, NaN
/// where not measured. <paramref name="Image"/>: first 8 bytes of the digest of the application image it claims.
/// </summary>
public sealed record Fingerprint(MeterId Meter, UnixTime At, ulong Image, float[] Values)
    : Input(InputKind.Fingerprint)
{
    public const int Features = 8;
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.UInt64(Image);
        to.VarUInt((ulong)Values.Length);
        foreach (var v in Values) to.Single(v);
    }
    internal static Fingerprint ReadPayload(MeterId id, ref ByteReader r)
    {
        var (at, image) = (ReadTime(ref r), r.UInt64());
        var values = new float[r.Count(Features)];
        for (var i = 0; i < values.Length; i++) values[i] = r.Single();
        return new(id, at, image, values);
    }
    public override string Describe() => $"{At} fingerprint of {Values.Length} features";
    public bool Equals(Fingerprint? other) => other is not null && Meter == other.Meter && At == other.At
        && Image == other.Image && Values.AsSpan().SequenceEqual(other.Values);
    public override int GetHashCode() => HashCode.Combine(Meter, At, Image);
}

/// <summary>
/// A meter was mounted: who did it, where, and in whose place (0: none). Registers in Wh as the installer noted them,
/// −1 where not noted.
/// </summary>
public sealed record Installation(MeterId Meter, UnixTime At, string Installer, string Contractor, string UsagePoint,
    MeterId Replaced, long ReplacedFinalWh, long StartWh) : Input(InputKind.Installation)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Text(Installer);
        to.Text(Contractor);
        to.Text(UsagePoint);
        to.UInt64(Replaced.Value);
        to.VarInt(ReplacedFinalWh);
        to.VarInt(StartWh);
    }
    internal static Installation ReadPayload(MeterId id, ref ByteReader r) => new(id, ReadTime(ref r), r.Text(),
        r.Text(), r.Text(), new MeterId(r.UInt64()), r.VarInt(), r.VarInt());
    public override string Describe() => $"{At} installed at {UsagePoint} by {Installer} of {Contractor}";
}

/// <summary>
/// A command that a meter executed or refused, as it reports it. <paramref name="Order"/>: the work order it quotes, or
/// empty. <paramref name="Actor"/>: user, tool or client. <paramref name="Switch"/>: the contactor afterwards.
/// </summary>
public sealed record CommandOutcome(MeterId Meter, UnixTime At, CommandKind Command, CommandOrigin Origin,
    CommandResult Result, SwitchState Switch, string Order, string Actor, string Detail)
    : Input(InputKind.CommandOutcome)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Byte((byte)Command);
        to.Byte((byte)Origin);
        to.Byte((byte)Result);
        to.Bool(Switch.Output);
        to.Byte(Switch.ControlState);
        to.Byte(Switch.ControlMode);
        to.Text(Order);
        to.Text(Actor);
        to.Text(Detail);
    }
    internal static CommandOutcome ReadPayload(MeterId id, ref ByteReader r) => new(id, ReadTime(ref r),
        (CommandKind)r.Byte(0, (int)CommandKind.SetReactionTable), (CommandOrigin)r.Byte(0, (int)CommandOrigin.Mesh),
        (CommandResult)r.Byte((int)CommandResult.Done, (int)CommandResult.RateLimited),
        new SwitchState(r.Bool(), r.Byte(0, 2), r.Byte(0, 7)), r.Text(), r.Text(), r.Text());
    public override string Describe() => $"{At} {Command} from {Origin}: {Result}"
        + (Order.Length > 0 ? $" (order {Order})" : "");
}

/// <summary>
/// A DLMS association as the meter or concentrator logged it. <paramref name="Client"/>: client SAP;
/// <paramref name="Mechanism"/>: authentication mechanism 0..7; <paramref name="Services"/>: bit per
/// <see cref="FrameService"/> used; <paramref name="Tool"/>: field tool or client title.
/// </summary>
public sealed record Session(TwinKey Subject, UnixTime At, CommandOrigin Port, byte Client, byte Mechanism,
    bool Succeeded, byte Services, int Seconds, string Tool, string Contractor, string Order)
    : Input(InputKind.Session)
{
    public override TwinKey Target => Subject;
    public bool Used(FrameService service) => (Services & (1 << (int)service)) != 0;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Byte((byte)Port);
        to.Byte(Client);
        to.Byte(Mechanism);
        to.Bool(Succeeded);
        to.Byte(Services);
        to.VarUInt((ulong)Seconds);
        to.Text(Tool);
        to.Text(Contractor);
        to.Text(Order);
    }
    internal static Session ReadPayload(TwinKey subject, ref ByteReader r) => new(subject, ReadTime(ref r),
        (CommandOrigin)r.Byte(0, (int)CommandOrigin.Mesh), r.Byte(), r.Byte(0, 7), r.Bool(), r.Byte(),
        r.Count(int.MaxValue), r.Text(), r.Text(), r.Text());
    public override string Describe() =>
        $"{At} session at {Port} by {Tool}, mechanism {Mechanism}{(Succeeded ? "" : ", failed")}";
}

/// <summary>
/// What the meter's reaction table did with an event, as the meter reports it: to be held against the table assigned.
/// </summary>
public sealed record Reaction(MeterId Meter, UnixTime At, uint TableVersion, MeterEventKind Event,
    ReactionAction Action) : Input(InputKind.Reaction)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.VarUInt(TableVersion);
        to.Byte((byte)Event);
        to.Byte((byte)Action);
    }
    internal static Reaction ReadPayload(MeterId id, ref ByteReader r) => new(id, ReadTime(ref r),
        SecurityCode.ReadUInt32(ref r), (MeterEventKind)r.Byte(),
        (ReactionAction)r.Byte(0, (int)ReactionAction.RefuseWrites));
    public override string Describe() => $"{At} reaction of table {TableVersion} to {Event}: {Action}";
}

/// <summary>
/// One meter as a concentrator heard it over a period. <paramref name="Via"/>: the neighbour that relays it, 0 when
/// heard directly.
/// </summary>
public readonly record struct Route(MeterId Meter, MeterId Via, ushort Heard, ushort Lost, ushort Duplicates);

/// <summary>
/// A concentrator's account of the <paramref name="Seconds"/> before <paramref name="At"/>, at most
/// <see cref="MaxRoutes"/> meters. <paramref name="LatencyMs"/>: median over the period.
/// </summary>
public sealed record ConcentratorReport(TwinKey Subject, string Name, UnixTime At, int Seconds, int LatencyMs,
    Route[] Routes) : Input(InputKind.ConcentratorReport)
{
    public const int MaxRoutes = 4_096;
    public override TwinKey Target => Subject;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Text(Name);
        to.VarUInt((ulong)Seconds);
        to.VarUInt((ulong)LatencyMs);
        to.VarUInt((ulong)Routes.Length);
        foreach (var route in Routes)
        {
            to.UInt64(route.Meter.Value);
            to.UInt64(route.Via.Value);
            to.VarUInt(route.Heard);
            to.VarUInt(route.Lost);
            to.VarUInt(route.Duplicates);
        }
    }
    internal static ConcentratorReport ReadPayload(TwinKey subject, ref ByteReader r)
    {
        var (at, name, seconds, latency) = (ReadTime(ref r), r.Text(), r.Count(int.MaxValue), r.Count(int.MaxValue));
        var routes = new Route[r.Count(MaxRoutes)];
        for (var i = 0; i < routes.Length; i++)
            routes[i] = new Route(new MeterId(r.UInt64()), new MeterId(r.UInt64()), (ushort)r.Count(ushort.MaxValue),
                (ushort)r.Count(ushort.MaxValue), (ushort)r.Count(ushort.MaxValue));
        return new(subject, name, at, seconds, latency, routes);
    }
    public override string Describe() => $"{At} concentrator {Name} reports {Routes.Length} meters";
    public bool Equals(ConcentratorReport? other) => other is not null && Subject == other.Subject && At == other.At
        && Name == other.Name && Seconds == other.Seconds && LatencyMs == other.LatencyMs
        && Routes.AsSpan().SequenceEqual(other.Routes);
    public override int GetHashCode() => HashCode.Combine(Subject, At, Routes.Length);
}
