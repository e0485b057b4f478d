using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Twin.Hardware.Attestation;

/// <summary>A SHA-256 digest, by value: of an image, a table, a log head. All zero means none.</summary>
public readonly record struct Digest(UInt128 High, UInt128 Low)
{
    public const int Size = 32;

    public static Digest None => default;
    public bool IsNone => this == default;

    public static Digest Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> digest = stackalloc byte[Size];
        SHA256.HashData(bytes, digest);
        return Read(digest);
    }

    /// <summary>Reads the first 32 bytes.</summary>
    public static Digest Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt128BigEndian(bytes), BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]));

    /// <summary>Writes 32 bytes.</summary>
    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt128BigEndian(to, High);
        BinaryPrimitives.WriteUInt128BigEndian(to[16..], Low);
    }

    /// <summary>The first 8 bytes: enough to find it again, not to trust it.</summary>
    public ulong Short => (ulong)(High >> 64);

    /// <summary>Reads 64 hexadecimal digits.</summary>
    public static bool TryParse(string text, out Digest digest)
    {
        digest = default;
        if (text.Length != 2 * Size
            || !UInt128.TryParse(text.AsSpan(0, 32), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out var high)
            || !UInt128.TryParse(text.AsSpan(32), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out var low)) return false;
        digest = new Digest(high, low);
        return true;
    }

    /// <summary>64 hexadecimal digits.</summary>
    public override string ToString() =>
        High.ToString("x32", CultureInfo.InvariantCulture) + Low.ToString("x32", CultureInfo.InvariantCulture);
}
