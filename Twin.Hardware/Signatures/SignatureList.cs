using System.Buffers.Binary;
using System.Security.Cryptography;
using Twin.Hardware.Coding;

namespace Twin.Hardware.Signatures;

/// <summary>
/// How something is signed; the number is stored and never used again for another. A reader may meet numbers that it
/// does not know: they are carried, and said to be unknown.
/// </summary>
public enum SignatureAlgorithm : byte
{
    /// <summary>FIPS 186-5, P-256 with SHA-256, r‖s; keys X‖Y.</summary>
    EcdsaP256 = 1,
    /// <summary>FIPS 186-5, P-384 with SHA-384, r‖s; keys X‖Y.</summary>
    EcdsaP384 = 2,
    /// <summary>FIPS 204, pure, without context; keys of 1,952 bytes, signatures of 3,309.</summary>
    MlDsa65 = 3,
    /// <summary>RFC 8554: HSS, of one level or more; keys of 60 bytes with SHA-256.</summary>
    HssLms = 4,
}

/// <summary>
/// One signature. <paramref name="KeyId"/> names the key that made it; <paramref name="Key"/> is that key where the
/// signature carries it, else empty: a reader who has the keys needs only the name.
/// </summary>
public sealed record ListedSignature(SignatureAlgorithm Algorithm, ulong KeyId, ReadOnlyMemory<byte> Key,
    ReadOnlyMemory<byte> Value);

/// <summary>A public key that a reader trusts.</summary>
public sealed record KnownKey(SignatureAlgorithm Algorithm, ReadOnlyMemory<byte> Key)
{
    /// <summary>The first 8 bytes of the SHA-256 of the key, big-endian.</summary>
    public ulong KeyId { get; } = IdOf(Key.Span);

    /// <inheritdoc cref="KeyId"/>
    public static ulong IdOf(ReadOnlySpan<byte> key) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(key));

    public override string ToString() => $"{SignatureRules.NameOf(Algorithm)} key {KeyId:x16}";
}

/// <summary>Why bytes are no list of signatures.</summary>
public enum SignatureListFault : byte
{
    None = 0,
    /// <summary>The bytes do not begin as a list does.</summary>
    NoList = 1,
    /// <summary>A list of a format that this reader does not know.</summary>
    NewerFormat = 2,
    Damaged = 3,
}

/// <summary>
/// Signatures of one thing by several algorithms, in one order: "MTSG", version, count, then each with algorithm, key
/// id, key and value. Ascending by algorithm and key id, none twice, so that one list has one encoding.
/// </summary>
public sealed class SignatureList
{
    /// <summary>Bounds of a list; more is refused by whoever makes or reads one.</summary>
    public const int MaxSignatures = 4, MaxKeyBytes = 2_592, MaxValueBytes = 8_192;

    private static ReadOnlySpan<byte> Magic => "MTSG"u8;
    private const byte Format = 1;

    public static SignatureList None { get; } = new([]);

    private readonly ListedSignature[] _all;

    /// <exception cref="ArgumentException">Too many, too long, or one algorithm and key twice.</exception>
    public SignatureList(IEnumerable<ListedSignature> signatures)
    {
        _all = [.. signatures.OrderBy(s => s.Algorithm).ThenBy(s => s.KeyId)];
        if (_all.Length > MaxSignatures)
            throw new ArgumentException($"A list has at most {MaxSignatures} signatures, not {_all.Length}.");
        for (var i = 0; i < _all.Length; i++)
        {
            var (algorithm, id, key, value) = _all[i];
            if (algorithm == 0 || key.Length > MaxKeyBytes || value.Length is 0 or > MaxValueBytes)
                throw new ArgumentException($"A key has at most {MaxKeyBytes} bytes, a signature 1 to "
                    + $"{MaxValueBytes}.");
            if (i > 0 && _all[i - 1].Algorithm == algorithm && _all[i - 1].KeyId == id)
                throw new ArgumentException($"{SignatureRules.NameOf(algorithm)} key {id:x16} signed twice.");
        }
    }

    public IReadOnlyList<ListedSignature> All => _all;
    public bool IsEmpty => _all.Length == 0;

    public byte[] Encode()
    {
        var w = new ByteWriter(16 + _all.Sum(s => s.Key.Length + s.Value.Length + 24));
        w.Bytes(Magic);
        w.Byte(Format);
        w.Byte((byte)_all.Length);
        foreach (var (algorithm, id, key, value) in _all)
        {
            w.Byte((byte)algorithm);
            w.UInt64(id);
            w.Blob(key.Span);
            w.Blob(value.Span);
        }
        return w.ToArray();
    }

    /// <summary>Reads a list from the beginning of bytes; <paramref name="length"/> is its own.</summary>
    public static SignatureListFault TryRead(ReadOnlySpan<byte> bytes, out SignatureList list, out int length)
    {
        (list, length) = (None, 0);
        if (bytes.Length < 5 || !bytes[..4].SequenceEqual(Magic)) return SignatureListFault.NoList;
        if (bytes[4] > Format) return SignatureListFault.NewerFormat;
        try
        {
            var r = new ByteReader(bytes[4..]);
            r.Byte(Format, Format);
            var all = new ListedSignature[r.Byte(1, MaxSignatures)];
            for (var i = 0; i < all.Length; i++)
            {
                var (algorithm, id) = ((SignatureAlgorithm)r.Byte(1, byte.MaxValue), r.UInt64());
                var key = r.Bytes(r.Count(MaxKeyBytes)).ToArray();
                all[i] = new ListedSignature(algorithm, id, key, r.Bytes(r.Count(MaxValueBytes)).ToArray());
            }
            var read = new SignatureList(all);
            if (!read._all.SequenceEqual(all)) return SignatureListFault.Damaged;
            (list, length) = (read, 4 + r.Position);
            return SignatureListFault.None;
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            return SignatureListFault.Damaged;
        }
    }
}
