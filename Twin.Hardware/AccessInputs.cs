using System.Globalization;
using Twin.Hardware.Coding;

namespace Twin.Hardware;

// The closed family of inputs, sixth part: who may do what, and what was done that leaves no other trace. All are
// addressed to the one twin of access and begin with their time. None holds a secret.

/// <summary>
/// The roles, one to a person or service. From viewer to approver each may all that the one before may. An admin
/// decides who may, and nothing else: whoever hands out the right to approve must not be able to approve. The number is
/// stored.
/// </summary>
public enum Role : byte
{
    Viewer = 1, Analyst = 2, Operator = 3, Approver = 4, Admin = 5,
    /// <summary>A service that sends: a head-end, a meter, a concentrator.</summary>
    Sender = 6,
}

/// <summary>What was done that changes no twin but is to be known. The number is stored.</summary>
public enum AccessKind : byte
{
    /// <summary>The readings of one customer over time were looked at.</summary>
    LoadCurveRead = 1,
    /// <summary>Many rows were taken away in a file.</summary>
    Exported = 2,
    /// <summary>A registry file was brought in.</summary>
    Imported = 3,
    /// <summary>An account for emergencies was used.</summary>
    BreakGlassUsed = 4,
    /// <summary>Somebody tried keys that are none.</summary>
    SignInsFailed = 5,
}

/// <summary>
/// A person or a service, as it is from now on. <paramref name="Regions"/>: empty for all.
/// <paramref name="IsBreakGlass"/>: for emergencies; each use is told.
/// </summary>
public sealed record HolderSet(UnixTime At, Actor By, string Name, bool IsService, Role Role, string[] Regions,
    bool IsDisabled, bool IsBreakGlass, string Why) : Input(InputKind.HolderSet)
{
    /// <summary>The one twin that all of this family is addressed to.</summary>
    public static TwinKey Access => new(TwinKind.Access, 1);

    public const int MaxRegions = 32;

    public override TwinKey Target => Access;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        By.Write(to);
        to.Text(Name);
        to.Bool(IsService);
        to.Byte((byte)Role);
        to.VarUInt((ulong)Regions.Length);
        foreach (var region in Regions) to.Text(region);
        to.Bool(IsDisabled);
        to.Bool(IsBreakGlass);
        to.Text(Why);
    }
    internal static HolderSet ReadPayload(ref ByteReader r)
    {
        var (at, by, name, service, role) = (ReadTime(ref r), Actor.Read(ref r), r.Text(), r.Bool(),
            (Role)r.Byte((int)Role.Viewer, (int)Role.Sender));
        var regions = new string[r.Count(MaxRegions)];
        for (var i = 0; i < regions.Length; i++) regions[i] = r.Text();
        return new HolderSet(at, by, name, service, role, regions, r.Bool(), r.Bool(), r.Text());
    }

    /// <summary>Why it cannot be taken; null when it can.</summary>
    public string? Refusal() => By.Refusal() ?? new Actor(Name, "").Refusal()
        ?? (Why.Length > CaseAct.MaxText ? $"a reason has at most {CaseAct.MaxText} characters"
            : IsService && (Role is Role.Approver or Role.Admin)
                ? "a service neither approves nor administers; give it another role"
            : !IsService && Role == Role.Sender ? "only a service sends; give the person another role"
            : Role == Role.Admin && Regions.Length > 0
            ? "an admin is of all regions: who hands out roles can widen them"
            : IsService && IsBreakGlass ? "an account for emergencies is a person's"
            : Array.Exists(Regions, g => g.Length is 0 or > Actor.MaxText) ? "a region has a name"
            : PlainText.Refusal([Why, .. Regions]));

    public bool Equals(HolderSet? other) => other is not null && ToBytes().AsSpan().SequenceEqual(other.ToBytes());
    public override int GetHashCode() => HashCode.Combine(At, Name);
    public override string Describe() => $"{(IsService ? "service" : "person")} {Name} is "
        + (IsDisabled ? "disabled" : SnakeCase.Of(Role)) + (Regions.Length > 0 ? $" in {string.Join(", ", Regions)}"
        : "")
        + (IsBreakGlass ? ", for emergencies" : "") + $", says {By}" + (Why.Length > 0 ? $": {Why}" : "");
}

/// <summary>
/// A key was made for somebody. The secret itself is nowhere: <paramref name="Digest"/> is the SHA-256 of
/// <paramref name="Salt"/> and secret. A secret is 256 random bits, so that trying them all is hopeless and a slow hash
/// would only slow down every request. <paramref name="ExpiresAt"/>: null for never.
/// </summary>
public sealed record KeyIssued(UnixTime At, Actor By, ulong Id, string Holder, byte[] Salt, byte[] Digest,
    UnixTime? ExpiresAt, string Why) : Input(InputKind.KeyIssued)
{
    public const int SaltBytes = 16, DigestBytes = 32;

    public override TwinKey Target => HolderSet.Access;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        By.Write(to);
        to.UInt64(Id);
        to.Text(Holder);
        to.Bytes(Salt);
        to.Bytes(Digest);
        to.Bool(ExpiresAt is not null);
        to.VarInt(ExpiresAt?.Seconds ?? 0);
        to.Text(Why);
    }
    internal static KeyIssued ReadPayload(ref ByteReader r)
    {
        var (at, by, id, holder, salt, digest) = (ReadTime(ref r), Actor.Read(ref r), r.UInt64(), r.Text(),
            r.Bytes(SaltBytes).ToArray(), r.Bytes(DigestBytes).ToArray());
        var (expires, when) = (r.Bool(), ReadTime(ref r));
        if (!expires && when.Seconds != 0) throw r.Bad("a key that never expires has a time");
        return new KeyIssued(at, by, id, holder, salt, digest, expires ? when : null, r.Text());
    }

    /// <summary>Why it cannot be taken; null when it can.</summary>
    public string? Refusal() => By.Refusal()
        ?? (Salt.Length != SaltBytes || Digest.Length != DigestBytes ? "a key has a salt of 16 and a digest of 32 bytes"
            : Why.Length > CaseAct.MaxText ? $"a reason has at most {CaseAct.MaxText} characters"
            : ExpiresAt is { } end && end.Seconds <= At.Seconds ? $"the key would expire at {end}, before it is made"
            : PlainText.Refusal(Holder, Why));

    public bool Equals(KeyIssued? other) => other is not null && ToBytes().AsSpan().SequenceEqual(other.ToBytes());
    public override int GetHashCode() => HashCode.Combine(At, Id);
    public override string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"key {Id:x16} for {Holder}, by {By}") + (ExpiresAt is { } end ? $", until {end}" : "")
        + (Why.Length > 0 ? $": {Why}" : "");

    /// <summary>Without salt and digest: nobody needs them in a log.</summary>
    public override string ToString() => Describe();
}

/// <summary>A key is of no use any more.</summary>
public sealed record KeyRevoked(UnixTime At, Actor By, ulong Id, string Why) : Input(InputKind.KeyRevoked)
{
    public override TwinKey Target => HolderSet.Access;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        By.Write(to);
        to.UInt64(Id);
        to.Text(Why);
    }
    internal static KeyRevoked ReadPayload(ref ByteReader r) => new(ReadTime(ref r), Actor.Read(ref r), r.UInt64(),
        r.Text());

    /// <summary>Why it cannot be taken; null when it can.</summary>
    public string? Refusal() => By.Refusal() ?? (Why.Length > CaseAct.MaxText
        ? $"a reason has at most {CaseAct.MaxText} characters" : PlainText.Refusal(Why));

    public override string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"key {Id:x16} revoked by {By}") + (Why.Length > 0 ? $": {Why}" : "");
}

/// <summary>
/// Something was done that changes nothing. <paramref name="Subject"/>: the meter, where there is one.
/// <paramref name="From"/>, <paramref name="To"/>: the span of a load curve. <paramref name="Count"/>: rows, or tries.
/// <paramref name="Purpose"/>: why, or from where.
/// </summary>
public sealed record AccessNoted(UnixTime At, Actor By, AccessKind What, TwinKey Subject, UnixTime From, UnixTime To,
    long Count, string Purpose) : Input(InputKind.AccessNoted)
{
    public override TwinKey Target => HolderSet.Access;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        By.Write(to);
        to.Byte((byte)What);
        to.Byte((byte)Subject.Kind);
        to.UInt64(Subject.Id);
        to.VarInt(From.Seconds);
        to.VarInt(To.Seconds);
        to.VarUInt((ulong)Count);
        to.Text(Purpose);
    }
    internal static AccessNoted ReadPayload(ref ByteReader r) => new(ReadTime(ref r), Actor.Read(ref r),
        (AccessKind)r.Byte((int)AccessKind.LoadCurveRead, (int)AccessKind.SignInsFailed),
        new TwinKey((TwinKind)r.Byte(), r.UInt64()), ReadTime(ref r), ReadTime(ref r), r.Count(int.MaxValue), r.Text());

    /// <summary>Why it cannot be taken; null when it can.</summary>
    public string? Refusal() => By.Refusal() ?? (Purpose.Length is 0 or > Actor.MaxText
        ? $"a purpose has 1 to {Actor.MaxText} characters"
        : Count is < 0 or > int.MaxValue ? "a count is from 0 on" : PlainText.Refusal(Purpose));

    public override string Describe() => $"{SnakeCase.Of(What)} by {By}"
        + (Subject.Kind == 0 ? "" : $", {Subject} from {From} to {To}") + (Count > 1 ? $", {Count} rows" : "")
        + $": {Purpose}";
}
