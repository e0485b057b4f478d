using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// The metrology core's word for a run of intervals: a GMAC over their starts, energies and registers under the
/// metrology key. The nonce has the top bit of its counter set, so that it never meets that of a single record.
/// Encoding, big-endian: version 1, number (4), first sequence number (4), count (2), tag (12).
/// </summary>
public sealed record PeriodSeal(ulong SystemTitle, uint Number, uint FirstSeq, ushort Count, byte[] Tag)
{
    public const byte EncodingVersion = 1;
    public const int Bytes = 11 + KeyVault.TagBytes;
    internal const byte Control = 0x10;

    /// <summary>Bytes of a record that the seal covers.</summary>
    private const int Covered = 20;

    public byte[] ToBytes()
    {
        var bytes = new byte[Bytes];
        bytes[0] = EncodingVersion;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(1), Number);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(5), FirstSeq);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(9), Count);
        Tag.CopyTo(bytes.AsSpan(11));
        return bytes;
    }

    /// <summary>False when the bytes are no seal.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ulong systemTitle, out PeriodSeal? seal)
    {
        seal = bytes.Length != Bytes || bytes[0] != EncodingVersion ? null : new PeriodSeal(systemTitle,
            BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]), BinaryPrimitives.ReadUInt32BigEndian(bytes[5..]),
            BinaryPrimitives.ReadUInt16BigEndian(bytes[9..]), bytes[11..].ToArray());
        return seal is not null;
    }

    /// <summary>
    /// True when the metrology core that holds this key measured these intervals. Start, energies and registers count.
    /// </summary>
    public bool IsOver(ReadOnlySpan<IntervalRecord> records, ReadOnlySpan<byte> metrologyKey)
    {
        if (records.Length != Count) return false;
        Span<byte> nonce = stackalloc byte[KeyVault.NonceBytes];
        Nonce(nonce);
        using var gcm = new AesGcm(metrologyKey, KeyVault.TagBytes);
        try
        {
            gcm.Decrypt(nonce, [], Tag, [], [Control, .. Content(records)]);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    internal void Nonce(Span<byte> nonce)
    {
        BinaryPrimitives.WriteUInt64BigEndian(nonce, SystemTitle);
        BinaryPrimitives.WriteUInt32BigEndian(nonce[8..], Number | 0x8000_0000);
    }

    internal byte[] Content(ReadOnlySpan<IntervalRecord> records)
    {
        var bytes = new byte[6 + Covered * records.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, FirstSeq);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), Count);
        Span<byte> record = stackalloc byte[IntervalRecord.Bytes];
        for (var i = 0; i < records.Length; i++)
        {
            records[i].Write(record);
            record[..Covered].CopyTo(bytes.AsSpan(6 + Covered * i));
        }
        return bytes;
    }
}
