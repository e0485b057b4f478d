using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Twin.Grains.Ledger;

/// <summary>
/// How entries hang together: each hash is the SHA-256 (FIPS 180-4) over the hash before it, the entry's number and its
/// bytes. The first has <see cref="Start"/> before it. Whoever changes, takes out or moves an entry breaks the hash of
/// it or of the next; whoever writes all hashes anew breaks the next seal.
/// </summary>
public readonly record struct LedgerChain(long Number, byte[] Hash)
{
    /// <summary>Bytes of a hash.</summary>
    public const int HashBytes = 32;

    /// <summary>Nothing is recorded yet.</summary>
    public static LedgerChain Start { get; } = new(0, new byte[HashBytes]);

    /// <summary>The end of the ledger after one more entry.</summary>
    public LedgerChain Next(ReadOnlySpan<byte> entry)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(number, checked(Number + 1));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Hash);
        hash.AppendData(number);
        hash.AppendData(entry);
        return new LedgerChain(Number + 1, hash.GetHashAndReset());
    }

    /// <summary>What is signed to seal the ledger up to here.</summary>
    public byte[] ToBeSigned()
    {
        var bytes = new byte[Context.Length + 8 + HashBytes];
        Context.CopyTo(bytes);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(Context.Length), Number);
        Hash.CopyTo(bytes.AsSpan(Context.Length + 8));
        return bytes;
    }

    /// <summary>So that a signature made for another purpose is no seal.</summary>
    private static ReadOnlySpan<byte> Context => "MeterTwin ledger seal 1\0"u8;
}

/// <summary>
/// A signature over the ledger up to an entry. <paramref name="At"/>: event time of that entry.
/// <paramref name="Key"/>: public key as SubjectPublicKeyInfo (DER). <paramref name="Signature"/>: ECDSA with SHA-256,
/// r and s side by side (IEEE P1363).
/// </summary>
public sealed record LedgerSeal(long Number, Twin.Hardware.UnixTime At, byte[] Key, byte[] Signature)
{
    /// <summary>Bytes of a key or signature that a reader takes; P-521 needs 158 and 132.</summary>
    public const int MaxBytes = 512;

    /// <summary>True when the signature is that key's over this end of the ledger.</summary>
    public bool Seals(LedgerChain end)
    {
        if (end.Number != Number || Key.Length > MaxBytes || Signature.Length > MaxBytes) return false;
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(Key, out var read);
            return read == Key.Length && key.KeySize >= 256
                && key.VerifyData(end.ToBeSigned(), Signature, HashAlgorithmName.SHA256);
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException or ArgumentException)
        {
            // No key, or one on a curve that nobody has: a changed byte may name any.
            return false;
        }
    }

    /// <summary>How people tell keys apart: the first 16 bytes of the SHA-256 of the key, hexadecimal.</summary>
    public static string FingerprintOf(byte[] key) => Convert.ToHexStringLower(SHA256.HashData(key).AsSpan(0, 16));
}
