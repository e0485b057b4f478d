using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Hardware;

// The closed family of inputs, third part: what the utility's registry says of firmware, work and challenges.

/// <summary>
/// The fleet's registry in 64 fixed partitions: twins of kind <see cref="TwinKind.Fleet"/> with ids 1 to 64. What must
/// meet (equal keys, equal digests, one tool's sessions) has the same hash and so the same partition.
/// </summary>
public static class FleetPartition
{
    public const int Count = 64;

    public static TwinKey Of(ulong hash) => new(TwinKind.Fleet, 1 + StableHash.Mix(hash) % Count);
    public static TwinKey Of(string name) => Of(StableHash.Of(name));
    public static TwinKey Of(in Digest digest) => Of(digest.Short);

    /// <summary>Where counts over the whole fleet are kept.</summary>
    public static TwinKey Whole => new(TwinKind.Fleet, 1);
}

/// <summary>
/// A firmware image that the utility registered, addressed to the partition of its digest. <paramref name="Withdrawn"/>
/// second 0: not withdrawn. <paramref name="SecurityVersion"/> is the monotonic one of the bootloader.
/// </summary>
public sealed record Release(Digest Image, UnixTime At, FirmwarePart Part, string Model, string Name, uint Version,
    ushort SecurityVersion, UnixTime Withdrawn, string Reason) : Input(InputKind.Release)
{
    public override TwinKey Target => FleetPartition.Of(Image);
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        SecurityCode.WriteDigest(to, Image);
        to.Byte((byte)Part);
        to.Text(Model);
        to.Text(Name);
        to.VarUInt(Version);
        to.VarUInt(SecurityVersion);
        to.VarInt(Withdrawn.Seconds);
        to.Text(Reason);
    }
    internal static Release ReadPayload(ref ByteReader r)
    {
        var at = ReadTime(ref r);
        return new(SecurityCode.ReadDigest(ref r), at, (FirmwarePart)r.Byte(0, (int)FirmwarePart.ReactionTable),
            r.Text(), r.Text(), SecurityCode.ReadUInt32(ref r), (ushort)r.Count(ushort.MaxValue), ReadTime(ref r),
            r.Text());
    }
    public override string Describe() => $"release {Name} of {Part} for {Model}, version {Version}"
        + (Withdrawn.Seconds != 0 ? $", withdrawn {Withdrawn}: {Reason}" : "");
}

/// <summary>Where a meter stands in a campaign.</summary>
public enum CampaignState : byte
{
    Queued = 0, Initiated = 1, Downloading = 2, Downloaded = 3, Verified = 4, Updating = 5, Updated = 6, Failed = 7,
}

/// <summary>
/// A meter's part in an authorised roll-out: which image it may take on, from when to when (exclusive), and how far it
/// is. Sent again with every change. <paramref name="AllowsDowngrade"/>: a signed rollback permit.
/// </summary>
public sealed record CampaignMember(MeterId Meter, UnixTime At, string Campaign, FirmwarePart Part, Digest Image,
    uint Version, UnixTime From, UnixTime To, bool AllowsDowngrade, CampaignState State)
    : Input(InputKind.CampaignMember)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Text(Campaign);
        to.Byte((byte)Part);
        SecurityCode.WriteDigest(to, Image);
        to.VarUInt(Version);
        to.VarInt(From.Seconds);
        to.VarInt(To.Seconds);
        to.Bool(AllowsDowngrade);
        to.Byte((byte)State);
    }
    internal static CampaignMember ReadPayload(MeterId id, ref ByteReader r)
    {
        var (at, campaign) = (ReadTime(ref r), r.Text());
        var part = (FirmwarePart)r.Byte(0, (int)FirmwarePart.ReactionTable);
        return new(id, at, campaign, part, SecurityCode.ReadDigest(ref r), SecurityCode.ReadUInt32(ref r),
            ReadTime(ref r), ReadTime(ref r), r.Bool(), (CampaignState)r.Byte(0, (int)CampaignState.Failed));
    }
    public override string Describe() => $"campaign {Campaign}: {Part} version {Version}, {State}";
}

/// <summary>
/// Work that was ordered on a meter: which commands (bit per <see cref="CommandKind"/>), when, by whom.
/// </summary>
public sealed record WorkOrder(MeterId Meter, UnixTime At, string Order, ushort Commands, UnixTime From, UnixTime To,
    string Contractor, string Note) : Input(InputKind.WorkOrder)
{
    public override TwinKey Target => Meter.Twin;
    public bool Allows(CommandKind command) => (Commands & (1 << (int)command)) != 0;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Text(Order);
        to.VarUInt(Commands);
        to.VarInt(From.Seconds);
        to.VarInt(To.Seconds);
        to.Text(Contractor);
        to.Text(Note);
    }
    internal static WorkOrder ReadPayload(MeterId id, ref ByteReader r) => new(id, ReadTime(ref r), r.Text(),
        (ushort)r.Count(ushort.MaxValue), ReadTime(ref r), ReadTime(ref r), r.Text(), r.Text());
    public override string Describe() => $"work order {Order} from {From} to {To} for {Contractor}";
}

/// <summary>A challenge that was sent to a meter or concentrator: the nonce that its next quote must hold.</summary>
public sealed record NonceIssued(TwinKey Subject, UnixTime At, UInt128 Nonce) : Input(InputKind.NonceIssued)
{
    public override TwinKey Target => Subject;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.UInt64((ulong)(Nonce >> 64));
        to.UInt64(unchecked((ulong)Nonce));
    }
    internal static NonceIssued ReadPayload(TwinKey subject, ref ByteReader r)
    {
        var at = ReadTime(ref r);
        var high = r.UInt64();
        return new(subject, at, new UInt128(high, r.UInt64()));
    }
    public override string Describe() => $"{At} challenge issued";
}

/// <summary>
/// A verification of the metrology by an authority: the calibration digest found right at that time. Only this makes a
/// changed calibration or metrology image innocent.
/// </summary>
public sealed record Reverification(MeterId Meter, UnixTime At, Digest Calibration, Digest MetrologyImage,
    string Authority) : Input(InputKind.Reverification)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        SecurityCode.WriteDigest(to, Calibration);
        SecurityCode.WriteDigest(to, MetrologyImage);
        to.Text(Authority);
    }
    internal static Reverification ReadPayload(MeterId id, ref ByteReader r)
    {
        var at = ReadTime(ref r);
        return new(id, at, SecurityCode.ReadDigest(ref r), SecurityCode.ReadDigest(ref r), r.Text());
    }
    public override string Describe() => $"{At} metrology verified by {Authority}";
}

/// <summary>A reaction table assigned to a meter: version, and the signed bytes of the table.</summary>
public sealed record ReactionTableAssigned(MeterId Meter, UnixTime At, uint Version, byte[] Table)
    : Input(InputKind.ReactionTableAssigned)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.VarUInt(Version);
        to.Blob(Table);
    }
    internal static ReactionTableAssigned ReadPayload(MeterId id, ref ByteReader r) => new(id, ReadTime(ref r),
        SecurityCode.ReadUInt32(ref r), SecurityCode.ReadBlob(ref r));
    public override string Describe() => $"{At} reaction table {Version} assigned";
    public bool Equals(ReactionTableAssigned? other) => other is not null && Meter == other.Meter && At == other.At
        && Version == other.Version && Table.AsSpan().SequenceEqual(other.Table);
    public override int GetHashCode() => HashCode.Combine(Meter, At, Version);
}

/// <summary>
/// The registry says where a meter is in its life: stored, installed, retired. From <see cref="LifeCycle.Retired"/> on
/// it must be silent.
/// </summary>
public sealed record LifeCycleChanged(MeterId Meter, UnixTime At, LifeCycle Stage, string Actor)
    : Input(InputKind.LifeCycleChanged)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Byte((byte)Stage);
        to.Text(Actor);
    }
    internal static LifeCycleChanged ReadPayload(MeterId id, ref ByteReader r) => new(id, ReadTime(ref r),
        (LifeCycle)r.Byte(0, (int)LifeCycle.Retired), r.Text());
    public override string Describe() => $"{At} {Stage}" + (Actor.Length > 0 ? $" by {Actor}" : "");
}

/// <summary>A log checkpoint countersigned by the head-end: the meter may forget what lies before it.</summary>
public sealed record CheckpointIssued(MeterId Meter, UnixTime At, uint Seq, Digest Head)
    : Input(InputKind.CheckpointIssued)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.VarUInt(Seq);
        SecurityCode.WriteDigest(to, Head);
    }
    internal static CheckpointIssued ReadPayload(MeterId id, ref ByteReader r) => new(id, ReadTime(ref r),
        SecurityCode.ReadUInt32(ref r), SecurityCode.ReadDigest(ref r));
    public override string Describe() => $"{At} log checkpoint at #{Seq}";
}

/// <summary>
/// All that its source had up to <paramref name="At"/> is in: twins that have something for others tell it now.
/// </summary>
public sealed record Sweep(UnixTime At) : Input(InputKind.Sweep)
{
    public override TwinKey Target => TwinKey.All(TwinKind.Fleet);
    protected override void WritePayload(ByteWriter to) => to.VarInt(At.Seconds);
    public override string Describe() => $"sweep at {At}";
}
