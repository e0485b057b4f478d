using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Twin.Hardware.Crypto;

/// <summary>
/// AES key wrap of RFC 3394 with its default initial value: how DLMS moves a key under the master key.
/// </summary>
public static class AesKeyWrap
{
    private const ulong Initial = 0xA6A6A6A6A6A6A6A6;

    /// <summary>Longest key, bytes. A longer one is refused.</summary>
    public const int MaxKeyBytes = 64;

    /// <summary>Wraps a key of 16 to 64 bytes, a multiple of 8; the result is 8 bytes longer.</summary>
    /// <exception cref="ArgumentException">The key has another length.</exception>
    public static byte[] Wrap(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> key)
    {
        if (key.Length is < 16 or > MaxKeyBytes || key.Length % 8 != 0)
            throw new ArgumentException($"A key to wrap has 16 to {MaxKeyBytes} bytes in eights, not {key.Length}.");
        using var aes = Cipher(wrappingKey);
        var n = key.Length / 8;
        var r = new byte[8 + key.Length];
        key.CopyTo(r.AsSpan(8));
        Span<byte> block = stackalloc byte[16];
        var a = Initial;
        for (var t = 1; t <= 6 * n; t++)
        {
            var part = r.AsSpan(8 * ((t - 1) % n + 1), 8);
            BinaryPrimitives.WriteUInt64BigEndian(block, a);
            part.CopyTo(block[8..]);
            aes.EncryptEcb(block, block, PaddingMode.None);
            a = BinaryPrimitives.ReadUInt64BigEndian(block) ^ (ulong)t;
            block[8..].CopyTo(part);
        }
        BinaryPrimitives.WriteUInt64BigEndian(r, a);
        return r;
    }

    /// <summary>
    /// Unwraps into <paramref name="key"/>, 8 bytes shorter; false, and zeros, when it was not this key's.
    /// </summary>
    public static bool TryUnwrap(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> wrapped, Span<byte> key)
    {
        if (wrapped.Length is < 24 or > MaxKeyBytes + 8 || wrapped.Length % 8 != 0 || key.Length != wrapped.Length - 8)
            return false;
        using var aes = Cipher(wrappingKey);
        var n = key.Length / 8;
        wrapped[8..].CopyTo(key);
        Span<byte> block = stackalloc byte[16];
        var a = BinaryPrimitives.ReadUInt64BigEndian(wrapped);
        for (var t = 6 * n; t >= 1; t--)
        {
            var part = key.Slice(8 * ((t - 1) % n), 8);
            BinaryPrimitives.WriteUInt64BigEndian(block, a ^ (ulong)t);
            part.CopyTo(block[8..]);
            aes.DecryptEcb(block, block, PaddingMode.None);
            a = BinaryPrimitives.ReadUInt64BigEndian(block);
            block[8..].CopyTo(part);
        }
        CryptographicOperations.ZeroMemory(block);
        if (a == Initial) return true;
        CryptographicOperations.ZeroMemory(key);
        return false;
    }

    private static Aes Cipher(ReadOnlySpan<byte> key)
    {
        var aes = Aes.Create();
        aes.SetKey(key);
        return aes;
    }
}
