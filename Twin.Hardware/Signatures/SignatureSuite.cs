using Twin.Hardware.Crypto;

namespace Twin.Hardware.Signatures;

/// <summary>
/// True when the signature is that key's over the message. Keys, messages and signatures come from outside: whatever
/// they are, the answer is true or false.
/// </summary>
public delegate bool CheckSignature(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature);

/// <summary>A private key that signs by one algorithm, and deterministically.</summary>
public interface IMessageSigner
{
    KnownKey Public { get; }

    /// <exception cref="InvalidOperationException">The key may not sign any more.</exception>
    byte[] Sign(ReadOnlySpan<byte> message);
}

/// <summary>
/// The algorithms that a verifier knows: a boot ROM those of its generation, a program those of its edition.
/// </summary>
public sealed class SignatureSuite
{
    private readonly IReadOnlyDictionary<SignatureAlgorithm, CheckSignature> _checks;

    private SignatureSuite(IReadOnlyDictionary<SignatureAlgorithm, CheckSignature> checks) => _checks = checks;

    /// <summary>ECDSA on both curves: what every edition and every boot ROM knows.</summary>
    public static SignatureSuite Classical { get; } = new(new Dictionary<SignatureAlgorithm, CheckSignature>
    {
        [SignatureAlgorithm.EcdsaP256] = (key, message, signature) =>
            CheckEcdsa(NistCurve.P256, key, message, signature),
        [SignatureAlgorithm.EcdsaP384] = (key, message, signature) =>
            CheckEcdsa(NistCurve.P384, key, message, signature),
    });

    public bool Knows(SignatureAlgorithm algorithm) => _checks.ContainsKey(algorithm);

    /// <summary>The same suite with one algorithm more.</summary>
    public SignatureSuite With(SignatureAlgorithm algorithm, CheckSignature check) =>
        new(new Dictionary<SignatureAlgorithm, CheckSignature>(_checks) { [algorithm] = check });

    /// <summary>What this suite says of a signature by a key that it may be checked with.</summary>
    public SignatureAnswer Check(KnownKey key, ReadOnlySpan<byte> message, ListedSignature signature) =>
        !_checks.TryGetValue(signature.Algorithm, out var check) ? SignatureAnswer.UnknownAlgorithm
        : key.Algorithm != signature.Algorithm || key.KeyId != signature.KeyId ? SignatureAnswer.UnknownKey
        : check(key.Key.Span, message, signature.Value.Span) ? SignatureAnswer.Good : SignatureAnswer.Bad;

    private static bool CheckEcdsa(NistCurve curve, ReadOnlySpan<byte> key, ReadOnlySpan<byte> message,
        ReadOnlySpan<byte> signature) =>
        EcPublicKey.TryFrom(key, out var known) && known.Curve == curve
        && known.Verify(curve.Digest(message), signature);
}
