using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Detection.Specification;

/// <summary>Pieces of the encoding of security state.</summary>
public static class StateCode
{
    /// <summary>A variable-length integer of at most 32 bits.</summary>
    public static uint Count32(ref this ByteReader r) => r.VarUInt() is <= uint.MaxValue and var v ? (uint)v
        : throw r.Bad("a number is over 32 bits");

    public static void Wide(this ByteWriter to, UInt128 value)
    {
        to.UInt64((ulong)(value >> 64));
        to.UInt64(unchecked((ulong)value));
    }

    public static UInt128 Wide(ref this ByteReader r)
    {
        var high = r.UInt64();
        return new UInt128(high, r.UInt64());
    }

    public static void Put(this ByteWriter to, in Digest digest)
    {
        to.Wide(digest.High);
        to.Wide(digest.Low);
    }

    public static Digest Digest(ref this ByteReader r) => new(r.Wide(), r.Wide());
}
