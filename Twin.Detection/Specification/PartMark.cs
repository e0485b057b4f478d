using System.Runtime.InteropServices;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Detection.Specification;

/// <summary>
/// What a part of a meter is, in 24 bytes: 128 bits of the image's SHA-256 (finding another image with the same ones
/// takes 2^128 hashes), version and security version.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public readonly record struct PartMark(ulong High, ulong Low, uint Version, ushort SecurityVersion)
{
    public static PartMark Of(in PartState state) => Of(state.Image, state.Version, state.SecurityVersion);

    public static PartMark Of(in Digest image, uint version, ushort securityVersion) =>
        new((ulong)(image.High >> 64), unchecked((ulong)image.High), version, securityVersion);

    /// <summary>The first 16 bytes of the image's digest.</summary>
    public UInt128 Image => new(High, Low);

    /// <summary>The first 8 bytes.</summary>
    public ulong Short => High;
    public bool IsNone => High == 0 && Low == 0;

    public void Write(ByteWriter to)
    {
        to.UInt64(High);
        to.UInt64(Low);
        to.VarUInt(Version);
        to.VarUInt(SecurityVersion);
    }

    public static PartMark Read(ref ByteReader r) =>
        new(r.UInt64(), r.UInt64(), r.Count32(), (ushort)r.Count(ushort.MaxValue));
}
