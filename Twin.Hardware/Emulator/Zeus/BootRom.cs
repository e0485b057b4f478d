using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Signatures;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// What of signatures is cast in ROM and never changes: the algorithms that it can compute, the maker's keys beyond the
/// anchors in the fuses (a post-quantum key is too large for fuses), and what it requires from birth. ECDSA keys are in
/// the fuses. A ROM without such keys does not read a list of signatures: it came before there were any.
/// </summary>
public sealed class BootRom
{
    /// <summary>Keys that a ROM has room for: the fuses have a bit for each.</summary>
    public const int MaxKeys = 8;

    /// <exception cref="ArgumentException">A key that the ROM cannot check with or that is for the fuses, too many
    /// keys, or a policy that none of them can meet.</exception>
    public BootRom(SignatureSuite suite, IReadOnlyList<KnownKey> keys, SignaturePolicy policy)
    {
        if (keys.Count > MaxKeys) throw new ArgumentException($"A ROM has room for {MaxKeys} keys, not {keys.Count}.");
        foreach (var key in keys)
            if (!suite.Knows(key.Algorithm) || SignatureRules.IsClassical(key.Algorithm))
                throw new ArgumentException($"This ROM cannot hold {key}: it cannot check with it, or it is "
                    + "an anchor.");
        if (policy != SignaturePolicy.Classical && keys.Count == 0)
            throw new ArgumentException($"A ROM without a post-quantum key that requires {policy} would run nothing.");
        (Suite, Keys, Policy) = (suite, keys, policy);
    }

    /// <summary>The first generation: ECDSA, and nothing else.</summary>
    public static BootRom Classical { get; } = new(SignatureSuite.Classical, [], SignaturePolicy.Classical);

    public SignatureSuite Suite { get; }
    public IReadOnlyList<KnownKey> Keys { get; }
    public SignaturePolicy Policy { get; }

    /// <summary>The key of an algorithm and id; −1 when it has none.</summary>
    internal int Find(ListedSignature signature)
    {
        for (var i = 0; i < Keys.Count; i++)
            if (Keys[i].Algorithm == signature.Algorithm && Keys[i].KeyId == signature.KeyId) return i;
        return -1;
    }

    /// <summary>For the digest of the ROM: what it knows, in words; empty for the first generation.</summary>
    public override string ToString() => Keys.Count == 0 ? "" : $", {string.Join(", ", Keys)}, requires {Policy}";
}

/// <summary>
/// Holds the signatures of an image against a ROM, its fuses and what they require of the part. What is good comes into
/// force when the image is confirmed: from then on the part takes no image without a signature of that key's algorithm.
/// </summary>
internal sealed class BootSignatures(BootRom rom, Fuses fuses, ImageSignatures signatures)
{
    /// <param name="tail">What stands behind the header in the image's first page.</param>
    public BootRefusal Check(FirmwarePart part, FirmwareHeader header, ReadOnlySpan<byte> tail, SignaturePolicy policy)
    {
        var size = header.Signer.Curve.SignatureBytes;
        var isClassicalRequired = policy != SignaturePolicy.PostQuantum;
        if (isClassicalRequired && !fuses.Trusts(header.Signer)) return BootRefusal.UnknownSigner;
        if (tail.Length < size) return BootRefusal.BadSignature;
        if (isClassicalRequired && !signatures.Verify(header, tail[..size])) return BootRefusal.BadSignature;
        if (rom.Keys.Count == 0)
            return policy == SignaturePolicy.Classical ? BootRefusal.None : BootRefusal.TooFewSignatures;
        if (!TryRead(tail[size..], out var list)) return BootRefusal.UnreadableSignatures;
        var judged = Judge(header, list);
        if (isClassicalRequired) judged.Add(Anchor(header));
        return SignatureRules.Judge(policy, judged, Expected(part)) switch
        {
            PolicyOutcome.Accepted => BootRefusal.None,
            PolicyOutcome.BadSignature => BootRefusal.BadSignature,
            PolicyOutcome.Stripped => BootRefusal.StrippedSignature,
            _ => BootRefusal.TooFewSignatures,
        };
    }

    /// <summary>The ROM's keys whose good signature an image has, a bit for each.</summary>
    public byte Good(FirmwareHeader header, ReadOnlySpan<byte> tail)
    {
        var size = header.Signer.Curve.SignatureBytes;
        if (rom.Keys.Count == 0 || tail.Length < size || !TryRead(tail[size..], out var list)) return 0;
        var judged = Judge(header, list);
        return (byte)list.All.Where((_, i) => judged[i].Answer == SignatureAnswer.Good)
            .Aggregate(0, (bits, s) => bits | 1 << rom.Find(s));
    }

    private static bool TryRead(ReadOnlySpan<byte> bytes, out SignatureList list) =>
        SignatureList.TryRead(bytes, out list, out _) is SignatureListFault.None or SignatureListFault.NoList;

    /// <summary>The anchor's signature, which was verified before.</summary>
    private static JudgedSignature Anchor(FirmwareHeader header) =>
        new(header.Signer.Curve == NistCurve.P256 ? SignatureAlgorithm.EcdsaP256 : SignatureAlgorithm.EcdsaP384,
            header.Signer.KeyId(), SignatureAnswer.Good);

    private List<JudgedSignature> Judge(FirmwareHeader header, SignatureList list)
    {
        var message = header.ToBeSigned();
        return [.. list.All.Select(s => new JudgedSignature(s.Algorithm, s.KeyId, AnswerOf(s, message)))];
    }

    private SignatureAnswer AnswerOf(ListedSignature signature, byte[] message)
    {
        if (!rom.Suite.Knows(signature.Algorithm)) return SignatureAnswer.UnknownAlgorithm;
        var at = rom.Find(signature);
        return at < 0 || fuses.IsRevoked(at) ? SignatureAnswer.UnknownKey
            : signatures.Check(rom.Suite, rom.Keys[at], message, signature);
    }

    private IEnumerable<SignatureAlgorithm> Expected(FirmwarePart part) => rom.Keys
        .Where((_, i) => fuses.IsInForce(part, i) && !fuses.IsRevoked(i)).Select(k => k.Algorithm).Distinct();
}
