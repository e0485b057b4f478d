using System.Runtime.InteropServices;
using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

// Small pieces of a meter's security state. Times are Moments: seconds since 1970 in 4 bytes, 0 for never.

/// <summary>What is known of the key in a slot; the key itself, when symmetric, never comes here.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct KeyMark
{
    public ulong Fingerprint;
    public uint Created, Activated, LastUse, Expires, CompromisedAt;
    public KeySlot Slot;
    public byte Suite;
    public bool Untrusted;

    public readonly void Write(ByteWriter to)
    {
        to.Byte((byte)Slot);
        to.Byte(Suite);
        to.Bool(Untrusted);
        to.UInt64(Fingerprint);
        foreach (var moment in (ReadOnlySpan<uint>)[Created, Activated, LastUse, Expires, CompromisedAt])
            to.VarUInt(moment);
    }

    public static KeyMark Read(ref ByteReader r) => new()
    {
        Slot = (KeySlot)r.Byte(), Suite = r.Byte(), Untrusted = r.Bool(), Fingerprint = r.UInt64(),
        Created = r.Count32(), Activated = r.Count32(), LastUse = r.Count32(), Expires = r.Count32(),
        CompromisedAt = r.Count32(),
    };
}

/// <summary>A challenge, and the quote that answered it: first 8 bytes of its digest.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct ChallengeMark(ulong High, ulong Low, ulong Quote, uint IssuedAt, uint AnsweredAt)
{
    public UInt128 Nonce => new(High, Low);

    public void Write(ByteWriter to)
    {
        to.Wide(Nonce);
        to.UInt64(Quote);
        to.VarUInt(IssuedAt);
        to.VarUInt(AnsweredAt);
    }

    public static ChallengeMark Read(ref ByteReader r) =>
        new(r.UInt64(), r.UInt64(), r.UInt64(), r.Count32(), r.Count32());
}

/// <summary>An image that a part took on.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct LineageMark(PartMark Mark, uint At, FirmwarePart Part, LineageSource Source)
{
    public void Write(ByteWriter to)
    {
        Mark.Write(to);
        to.VarUInt(At);
        to.Byte((byte)Part);
        to.Byte((byte)Source);
    }

    public static LineageMark Read(ref ByteReader r) => new(PartMark.Read(ref r), r.Count32(),
        (FirmwarePart)r.Byte(0, (int)FirmwarePart.ReactionTable),
        (LineageSource)r.Byte(0, (int)LineageSource.Unauthorised));
}

/// <summary>A campaign that this meter is in.</summary>
internal sealed record CampaignMark(string Name, FirmwarePart Part, UInt128 Image, uint From, uint To, bool Downgrade,
    CampaignState State, uint Since)
{
    public void Write(ByteWriter to)
    {
        to.Text(Name);
        to.Byte((byte)Part);
        to.Wide(Image);
        to.VarUInt(From);
        to.VarUInt(To);
        to.Bool(Downgrade);
        to.Byte((byte)State);
        to.VarUInt(Since);
    }

    public static CampaignMark Read(ref ByteReader r) => new(r.Text(), (FirmwarePart)r.Byte(), r.Wide(), r.Count32(),
        r.Count32(), r.Bool(), (CampaignState)r.Byte(0, (int)CampaignState.Failed), r.Count32());
}

/// <summary>A work order on this meter.</summary>
internal sealed record OrderMark(string Name, ushort Commands, uint From, uint To, string Contractor)
{
    public void Write(ByteWriter to)
    {
        to.Text(Name);
        to.VarUInt(Commands);
        to.VarUInt(From);
        to.VarUInt(To);
        to.Text(Contractor);
    }

    public static OrderMark Read(ref ByteReader r) =>
        new(r.Text(), (ushort)r.Count(ushort.MaxValue), r.Count32(), r.Count32(), r.Text());
}

/// <summary>What an authority found right.</summary>
internal readonly record struct VerifiedMark(UInt128 Calibration, UInt128 Image, uint At)
{
    public void Write(ByteWriter to)
    {
        to.Wide(Calibration);
        to.Wide(Image);
        to.VarUInt(At);
    }

    public static VerifiedMark Read(ref ByteReader r) => new(r.Wide(), r.Wide(), r.Count32());
}

/// <summary>
/// Something that is judged when its time has come, at a sweep or when a day closes. <paramref name="Seen"/>: bits of
/// the events that came meanwhile.
/// </summary>
internal readonly record struct PendingMark(PendingKind Kind, FirmwarePart Part, uint At, uint Due, byte Seen,
    ulong Image)
{
    public void Write(ByteWriter to)
    {
        to.Byte((byte)Kind);
        to.Byte((byte)Part);
        to.VarUInt(At);
        to.VarUInt(Due);
        to.Byte(Seen);
        to.UInt64(Image);
    }

    public static PendingMark Read(ref ByteReader r) => new((PendingKind)r.Byte(1, 2), (FirmwarePart)r.Byte(),
        r.Count32(), r.Count32(), r.Byte(), r.UInt64());
}

/// <summary>What is pending. Stored.</summary>
internal enum PendingKind : byte
{
    /// <summary>An upgrade in the log, whose events should come.</summary>
    UpgradeEvents = 1,
    /// <summary>An ordered change of metrology, whose verification should come.</summary>
    Verification = 2,
}

/// <summary>A statement that was made: the same kind and cause is not said again for a while.</summary>
internal readonly record struct SaidMark(FindingKind Kind, byte Cause, int Day);

/// <summary>An event about a firmware; <paramref name="Bits"/>: which one, and whether the log explains it.</summary>
internal readonly record struct FirmwareEventMark(byte Bits, uint At);
