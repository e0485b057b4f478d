using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Twin.Hardware.Wire;

/// <summary>
/// AES key wrap (RFC 3394, the suites' AES-128 and AES-256 wrap): the wrapped key is 8 bytes longer and carries its own
/// integrity check.
/// </summary>
public static class KeyWrap
{
    public const int Overhead = 8;

    /// <summary>Longest key that is wrapped here, bytes.</summary>
    public const int MaxKeyBytes = 64;

    private const ulong Initial = 0xA6A6A6A6A6A6A6A6;

    /// <summary>
    /// Wraps a key of 16 to 64 bytes, a multiple of 8, into <paramref name="wrapped"/>, 8 bytes longer.
    /// </summary>
    public static void Wrap(ReadOnlySpan<byte> kek, ReadOnlySpan<byte> key, Span<byte> wrapped)
    {
        if (!IsKeyLength(key.Length) || wrapped.Length != key.Length + Overhead)
            throw new ArgumentException($"A key of 16 to {MaxKeyBytes} bytes, a multiple of 8, is wrapped into 8 bytes "
                + $"more; these are {key.Length} into {wrapped.Length}.");
        using var aes = Make(kek);
        Span<byte> block = stackalloc byte[16];
        var a = Initial;
        key.CopyTo(wrapped[8..]);
        var n = key.Length / 8;
        for (var j = 0; j < 6; j++)
        {
            for (var i = 1; i <= n; i++)
            {
                BinaryPrimitives.WriteUInt64BigEndian(block, a);
                wrapped.Slice(8 * i, 8).CopyTo(block[8..]);
                aes.EncryptEcb(block, block, PaddingMode.None);
                a = BinaryPrimitives.ReadUInt64BigEndian(block) ^ (ulong)(n * j + i);
                block[8..].CopyTo(wrapped[(8 * i)..]);
            }
        }
        BinaryPrimitives.WriteUInt64BigEndian(wrapped, a);
        CryptographicOperations.ZeroMemory(block);
    }

    /// <summary>
    /// Unwraps into <paramref name="key"/>, 8 bytes shorter; false, and a cleared key, when it is not intact.
    /// </summary>
    public static bool TryUnwrap(ReadOnlySpan<byte> kek, ReadOnlySpan<byte> wrapped, Span<byte> key)
    {
        if (!IsKeyLength(key.Length) || wrapped.Length != key.Length + Overhead) return false;
        using var aes = Make(kek);
        Span<byte> block = stackalloc byte[16];
        var a = BinaryPrimitives.ReadUInt64BigEndian(wrapped);
        wrapped[8..].CopyTo(key);
        var n = key.Length / 8;
        for (var j = 5; j >= 0; j--)
        {
            for (var i = n; i >= 1; i--)
            {
                BinaryPrimitives.WriteUInt64BigEndian(block, a ^ (ulong)(n * j + i));
                key.Slice(8 * (i - 1), 8).CopyTo(block[8..]);
                aes.DecryptEcb(block, block, PaddingMode.None);
                a = BinaryPrimitives.ReadUInt64BigEndian(block);
                block[8..].CopyTo(key[(8 * (i - 1))..]);
            }
        }
        Span<byte> check = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(check, a);
        BinaryPrimitives.WriteUInt64BigEndian(check[8..], Initial);
        var intact = CryptographicOperations.FixedTimeEquals(check[..8], check[8..]);
        if (!intact) CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(block);
        return intact;
    }

    private static bool IsKeyLength(int bytes) => bytes is >= 16 and <= MaxKeyBytes && bytes % 8 == 0;

    private static Aes Make(ReadOnlySpan<byte> kek)
    {
        var aes = Aes.Create();
        aes.SetKey(kek);
        return aes;
    }
}
