using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Ledger;

/// <summary>What an entry of the ledger records; the number is stored.</summary>
public enum LedgerKind : byte
{
    /// <summary>Body: <see cref="Cases.Report"/>, the finding or request with its context. One each.</summary>
    Report = 1,
    /// <summary>Body: <see cref="DecisionRecord"/>: facts, and what the policy said.</summary>
    Decision = 2,
    /// <summary>Body: <see cref="Cases.CaseSnapshot"/>, after each change of a case.</summary>
    Case = 3,
    /// <summary>Body: <see cref="Cases.ResponseRecord"/>, after each change of a response.</summary>
    Response = 4,
    /// <summary>
    /// Body: <see cref="Cases.ResponseRecord"/>: the gateway is to do it now, or, when it is undone or expires, to
    /// take it back.
    /// </summary>
    Order = 5,
    /// <summary>Body: the input as journalled: an act of a person, a policy, an outcome, a suppression, a freeze.
    /// </summary>
    Act = 6,
    /// <summary>
    /// Body: <see cref="PolicyRecord"/>, before the first decision under a document: with it every decision that
    /// follows can be made again, by whoever has the ledger alone.
    /// </summary>
    Policy = 7,
}

/// <summary>
/// One entry, without its number and hash, which the store gives. <paramref name="At"/>: event time.
/// <paramref name="Case"/>: the case it belongs to; default when to none.
/// </summary>
public sealed record LedgerEntry(LedgerKind Kind, UnixTime At, TwinKey Case, byte[] Body)
{
    public const byte Version = 1;

    public void Write(ByteWriter to)
    {
        to.Byte(Version);
        to.Byte((byte)Kind);
        to.VarInt(At.Seconds);
        to.Byte((byte)Case.Kind);
        to.UInt64(Case.Id);
        to.Bytes(Body);
    }

    public byte[] ToBytes()
    {
        var to = new ByteWriter(Body.Length + 32);
        Write(to);
        return to.ToArray();
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static LedgerEntry Read(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        if (r.Byte() is not Version and var version)
            throw r.Bad($"a ledger entry has version {version}, this MeterTwin knows {Version}");
        var kind = (LedgerKind)r.Byte((int)LedgerKind.Report, (int)LedgerKind.Policy);
        return new LedgerEntry(kind, Input.ReadTime(ref r), new TwinKey((TwinKind)r.Byte(), r.UInt64()),
            r.Rest.ToArray());
    }
}

/// <summary>
/// The text of the policy in force. <paramref name="Rules"/>: <see cref="Policies.PolicyEngine.Version"/> of the
/// program that decides by it.
/// </summary>
public sealed record PolicyRecord(int Rules, string Text)
{
    public byte[] ToBytes()
    {
        var to = new ByteWriter(Text.Length + 16);
        to.VarUInt((ulong)Rules);
        to.Text(Text);
        return to.ToArray();
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static PolicyRecord Read(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        var record = new PolicyRecord(r.Count(int.MaxValue), r.Text());
        return r.AtEnd ? record : throw r.Bad("bytes follow a policy");
    }
}

/// <summary>A decision with all that it was made of, so that it can be made again.</summary>
public sealed record DecisionRecord(Policies.CaseFacts Facts, Policies.Decision Decision)
{
    public void Write(ByteWriter to)
    {
        Facts.Write(to);
        Decision.Write(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static DecisionRecord Read(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        var record = new DecisionRecord(Policies.CaseFacts.Read(ref r), Policies.Decision.Read(ref r));
        return r.AtEnd ? record : throw r.Bad("bytes follow a decision");
    }
}
