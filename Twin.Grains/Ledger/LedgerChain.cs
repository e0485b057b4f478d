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

    /// <summary>What is signed to seal the ledger up to here, or the beginning of it.</summary>
    /// <param name="version">Of seals, 1 to 9.</param>
    public byte[] ToBeSigned(int version = 1)
    {
        // So that a signature made for another purpose is no seal.
        byte[] context = [.. "MeterTwin ledger seal "u8, (byte)('0' + version), 0];
        var bytes = new byte[context.Length + 8 + HashBytes];
        context.CopyTo(bytes, 0);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(context.Length), Number);
        Hash.CopyTo(bytes.AsSpan(context.Length + 8));
        return bytes;
    }
}
