using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Twin.Hardware.Wire.Reports;

/// <summary>
/// The metrology core's word for the rows of one load profile: a GMAC over ends and registers under the metrology key.
/// It travels in the profile that the application writes, and whoever holds the key sees whether the application told
/// what was measured. The status of a row is not covered: the application adds to it. The nonce is system title and
/// number, with the top bit of the number set, so that it never meets that of a record that the core keeps for itself.
/// Encoding, big-endian: version 2, number (4), first sequence number (4), rows (2), tag (12).
/// </summary>
/// <param name="Number">Never given twice by a metrology core; also when a period is sent again.</param>
/// <param name="FirstSeq">Sequence number of the first interval.</param>
public sealed record PeriodSeal(ulong SystemTitle, uint Number, uint FirstSeq, ushort RowCount, byte[] Tag)
{
    public const byte EncodingVersion = 2;
    public const int TagBytes = 12, NonceBytes = 12, Bytes = 11 + TagBytes;

    /// <summary>Authenticated only, in the manner of DLMS security controls.</summary>
    internal const byte Control = 0x10;

    private const int HeadBytes = 8, RowBytes = 24;

    public byte[] ToBytes()
    {
        var bytes = new byte[Bytes];
        bytes[0] = EncodingVersion;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(1), Number);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(5), FirstSeq);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(9), RowCount);
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

    /// <summary>True when the metrology core that holds this key measured what these rows tell.</summary>
    public bool IsOver(ReadOnlySpan<ProfileRow> rows, ReadOnlySpan<byte> metrologyKey)
    {
        if (rows.Length != RowCount) return false;
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Nonce(nonce);
        using var gcm = new AesGcm(metrologyKey, TagBytes);
        try
        {
            gcm.Decrypt(nonce, [], Tag, [], [Control, .. Content(rows)]);
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

    /// <summary>What is authenticated: version, a zero, rows, first sequence number; end and registers a row.</summary>
    internal byte[] Content(ReadOnlySpan<ProfileRow> rows)
    {
        var bytes = new byte[HeadBytes + RowBytes * rows.Length];
        bytes[0] = EncodingVersion;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), RowCount);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), FirstSeq);
        for (var i = 0; i < rows.Length; i++)
        {
            var to = bytes.AsSpan(HeadBytes + RowBytes * i, RowBytes);
            BinaryPrimitives.WriteInt64BigEndian(to, rows[i].End.Seconds);
            BinaryPrimitives.WriteInt64BigEndian(to[8..], rows[i].ImportWattHours);
            BinaryPrimitives.WriteInt64BigEndian(to[16..], rows[i].ExportWattHours);
        }
        return bytes;
    }
}
