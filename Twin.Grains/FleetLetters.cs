using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Grains;

// What meters and concentrators tell the fleet's partitions at a sweep. A letter is kept in the sender's state until
// then (TwinState.Waits). The receiver states what follows; it never answers, so that a meter's past can be rebuilt
// from its own inputs.

/// <summary>Kinds of letter; the number is part of the encoding.</summary>
internal enum FleetLetterKind : byte
{
    /// <summary>A public key is in use. Hash: its fingerprint. Aspect: the <see cref="KeySlot"/>.</summary>
    KeySeen = 1,
    /// <summary>An ECDSA signature was made. Hash: first 8 bytes of r. Extra: the key's fingerprint.</summary>
    SignatureSeen = 2,
    /// <summary>
    /// An image runs or ran. Hash: its digest's first 8 bytes. Aspect: the part. Extra: version. Flag: authorised.
    /// </summary>
    ImageSeen = 3,
    /// <summary>A field tool wrote at the optical port. Hash: of the tool or contractor. Flag: a work order covers it.
    /// </summary>
    ToolUsed = 4,
    /// <summary>
    /// The supply was switched. Aspect: <see cref="CommandKind"/>. Extra: <see cref="CommandOrigin"/>. Flag: a work
    /// order covers it. Goes to <see cref="FleetPartition.Whole"/>.
    /// </summary>
    Switched = 5,
    /// <summary>Where a meter is in a campaign. Hash: of the campaign's name. Aspect: state. Extra: time in it (s).
    /// </summary>
    CampaignProgress = 6,
    /// <summary>Events flood in. Hash: 0. Extra: how many since the last sweep. Goes to the whole.</summary>
    EventBurst = 7,
    /// <summary>A finding of the sender that others may share. Aspect: <see cref="FindingKind"/>. Goes to the whole.
    /// </summary>
    FindingStated = 8,
    /// <summary>Between partitions: a release is registered for part (Aspect), model (Text), version (Extra).
    /// </summary>
    ModelRegistered = 9,
    /// <summary>Between partitions: work orders are imported at all.</summary>
    OrdersKnown = 10,
    /// <summary>
    /// A group of meters (installer, contractor, plant) and its totals at the close of a day. Hash: the cohort's id.
    /// Aspect: <see cref="Twin.Detection.Fleet.GroupKind"/>. Extra: members, and unusual ones in the upper 32 bits.
    /// Text: its name. Goes to the whole.
    /// </summary>
    GroupTotals = 11,
}

/// <summary>
/// One letter. <paramref name="Name"/>: what people call the sender; <paramref name="Text"/>: tool, campaign, release
/// or model by name, at most <see cref="MaxText"/> characters.
/// </summary>
internal readonly record struct FleetLetter(FleetLetterKind Kind, UnixTime At, ulong Hash, byte Aspect, ulong Extra,
    bool Flag, string Name, string Text)
{
    public const int MaxText = 64;
    private const byte Version = 1;

    public void Write(ByteWriter to)
    {
        to.Byte(Version);
        to.Byte((byte)Kind);
        to.VarInt(At.Seconds);
        to.UInt64(Hash);
        to.Byte(Aspect);
        to.VarUInt(Extra);
        to.Bool(Flag);
        to.Text(Name);
        to.Text(Text.Length > MaxText ? Text[..MaxText] : Text);
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static FleetLetter Read(ref ByteReader r)
    {
        var version = r.Byte();
        if (version != Version) throw r.Bad($"a letter has version {version}, this MeterTwin knows {Version}");
        var kind = (FleetLetterKind)r.Byte((int)FleetLetterKind.KeySeen, (int)FleetLetterKind.GroupTotals);
        return new FleetLetter(kind, Input.ReadTime(ref r), r.UInt64(), r.Byte(), r.VarUInt(), r.Bool(), r.Text(),
            r.Text());
    }

    /// <summary>The twin that a letter goes to.</summary>
    public TwinKey To => Kind switch
    {
        FleetLetterKind.Switched or FleetLetterKind.EventBurst or FleetLetterKind.FindingStated
            or FleetLetterKind.GroupTotals => FleetPartition.Whole,
        _ => FleetPartition.Of(Hash),
    };
}
