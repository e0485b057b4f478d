using System.Security.Cryptography;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Signatures;

namespace Twin.Grains.Ledger;

/// <summary>
/// Signatures over the ledger up to an entry. <paramref name="At"/>: event time of that entry.
/// <paramref name="Key"/>: public key as SubjectPublicKeyInfo (DER). <paramref name="Signature"/>: ECDSA with SHA-256,
/// r and s side by side (IEEE P1363).
/// </summary>
public sealed record LedgerSeal(long Number, UnixTime At, byte[] Key, byte[] Signature)
{
    /// <summary>Bytes of an ECDSA key or signature that a reader takes; P-521 needs 158 and 132.</summary>
    public const int MaxBytes = 512;

    /// <summary>Signatures by other algorithms, each with its key; none in a seal of version 1.</summary>
    public SignatureList Also { get; init; } = SignatureList.None;

    /// <summary>True when a newer MeterTwin wrote the signatures in a format that this one does not know.</summary>
    public bool IsNewer { get; private init; }

    /// <summary>
    /// What all keys of a seal sign. With further keys each signature names all of them, so that taking one away breaks
    /// the others: version 2.
    /// </summary>
    public static byte[] ToBeSigned(LedgerChain end, byte[] key, IReadOnlyCollection<KnownKey> also)
    {
        if (also.Count == 0) return end.ToBeSigned(1);
        var w = new ByteWriter(256);
        w.Bytes(end.ToBeSigned(2));
        w.Bytes(SHA256.HashData(key));
        foreach (var other in also.OrderBy(k => k.Algorithm).ThenBy(k => k.KeyId))
        {
            w.Byte((byte)other.Algorithm);
            w.Bytes(SHA256.HashData(other.Key.Span));
        }
        return w.ToArray();
    }

    /// <summary>Every signature of the seal over this end of the ledger: ECDSA first, then as they are
    /// listed.</summary>
    public IReadOnlyList<JudgedSignature> Judge(LedgerChain end, SignatureSuite suite)
    {
        KnownKey[] also = [.. Also.All.Select(s => new KnownKey(s.Algorithm, s.Key))];
        var message = ToBeSigned(end, Key, also);
        var isWhole = end.Number == Number && !IsNewer;
        var judged = new List<JudgedSignature>
        {
            new(SignatureAlgorithm.EcdsaP256, KnownKey.IdOf(Key),
                isWhole && IsEcdsa(message) ? SignatureAnswer.Good : SignatureAnswer.Bad),
        };
        for (var i = 0; i < also.Length; i++)
        {
            var answer = suite.Check(also[i], message, Also.All[i]);
            // A key that is not the named one is no key that this reader does not know: the seal contradicts itself.
            judged.Add(new JudgedSignature(also[i].Algorithm, Also.All[i].KeyId,
                !isWhole || also[i].KeyId != Also.All[i].KeyId ? SignatureAnswer.Bad : answer));
        }
        return judged;
    }

    /// <summary>True when ECDSA is good, and nothing that the suite knows is bad.</summary>
    public bool Seals(LedgerChain end, SignatureSuite? suite = null) =>
        Judge(end, suite ?? SignatureSuite.Classical).All(s => s.Answer != SignatureAnswer.Bad);

    private bool IsEcdsa(byte[] message)
    {
        if (Key.Length > MaxBytes || Signature.Length > MaxBytes) return false;
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(Key, out var read);
            return read == Key.Length && key.KeySize >= 256
                && key.VerifyData(message, Signature, HashAlgorithmName.SHA256);
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException or ArgumentException)
        {
            // No key, or one on a curve that nobody has: a changed byte may name any.
            return false;
        }
    }

    /// <summary>
    /// The signatures as a journal stores them: the ECDSA one; before it the list of the others when there are any.
    /// </summary>
    public byte[] StoredSignature() => Also.IsEmpty ? Signature : [.. Also.Encode(), .. Signature];

    /// <summary>A seal of what <see cref="StoredSignature"/> gave.</summary>
    public static LedgerSeal OfStored(long number, UnixTime at, byte[] key, byte[] stored)
    {
        var list = SignatureList.None;
        var (fault, length) = (SignatureListFault.NoList, 0);
        // No ECDSA signature is so long: it cannot be taken for a list by chance.
        if (stored.Length > MaxBytes) fault = SignatureList.TryRead(stored, out list, out length);
        return new LedgerSeal(number, at, key, stored[length..])
        {
            Also = list, IsNewer = fault == SignatureListFault.NewerFormat,
        };
    }

    /// <summary>How people tell keys apart: the first 16 bytes of the SHA-256 of the key, hexadecimal.</summary>
    public static string FingerprintOf(byte[] key) => Convert.ToHexStringLower(SHA256.HashData(key).AsSpan(0, 16));
}
