using System.Buffers.Binary;
using Twin.Hardware.Crypto;

namespace Twin.Hardware.Attestation;

/// <summary>
/// A point of a meter's log that the twin has accepted, countersigned by the head-end: behind it the meter may forget,
/// because the twin does not. Big-endian: version, system title, sequence number, head; then the signature r‖s.
/// </summary>
public readonly record struct CakCheckpoint(ulong SystemTitle, uint Seq, Digest Head)
{
    public const byte EncodingVersion = 1;

    /// <summary>Bytes that the signature covers.</summary>
    public const int SignedBytes = 1 + 8 + 4 + Digest.Size;

    public void Write(Span<byte> to)
    {
        to[0] = EncodingVersion;
        BinaryPrimitives.WriteUInt64BigEndian(to[1..], SystemTitle);
        BinaryPrimitives.WriteUInt32BigEndian(to[9..], Seq);
        Head.Write(to[13..]);
    }

    /// <summary>Reads a checkpoint and whether this head-end's key signed it; false when the bytes are none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, EcPublicKey headEnd, out CakCheckpoint checkpoint,
        out bool signed)
    {
        (checkpoint, signed) = (default, false);
        if (bytes.Length != SignedBytes + headEnd.Curve.SignatureBytes || bytes[0] != EncodingVersion) return false;
        checkpoint = new CakCheckpoint(BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[9..]), Digest.Read(bytes[13..]));
        signed = headEnd.Verify(headEnd.Curve.Digest(bytes[..SignedBytes]), bytes[SignedBytes..]);
        return true;
    }

    /// <summary>The digest that the head-end signs, under the hash of its curve.</summary>
    public byte[] ToSign(NistCurve curve)
    {
        Span<byte> bytes = stackalloc byte[SignedBytes];
        Write(bytes);
        return curve.Digest(bytes);
    }

    /// <summary>The checkpoint with its signature behind it.</summary>
    public byte[] WithSignature(ReadOnlySpan<byte> signature)
    {
        var bytes = new byte[SignedBytes + signature.Length];
        Write(bytes);
        signature.CopyTo(bytes.AsSpan(SignedBytes));
        return bytes;
    }
}
