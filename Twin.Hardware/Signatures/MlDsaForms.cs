namespace Twin.Hardware.Signatures;

/// <summary>
/// Keys of ML-DSA-65 in the envelopes of RFC 9881, as bytes: every edition reads and writes them, whether or not it can
/// compute with what is in them.
/// </summary>
public static class MlDsaForms
{
    public const int PublicBytes = 1_952, SeedBytes = 32, SignatureBytes = 3_309;

    // SEQUENCE { SEQUENCE { id-ml-dsa-65 (2.16.840.1.101.3.4.3.18) }, BIT STRING }
    private static ReadOnlySpan<byte> PublicHead => [0x30, 0x82, 0x07, 0xB2, 0x30, 0x0B, 0x06, 0x09, 0x60, 0x86, 0x48,
        0x01, 0x65, 0x03, 0x04, 0x03, 0x12, 0x03, 0x82, 0x07, 0xA1, 0x00];

    // SEQUENCE { 0, SEQUENCE { id-ml-dsa-65 }, OCTET STRING { [0] seed } }
    private static ReadOnlySpan<byte> PrivateHead => [0x30, 0x34, 0x02, 0x01, 0x00, 0x30, 0x0B, 0x06, 0x09, 0x60, 0x86,
        0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12, 0x04, 0x22, 0x80, 0x20];

    /// <summary>SubjectPublicKeyInfo (DER) of a public key.</summary>
    public static byte[] PublicInfo(ReadOnlySpan<byte> key) => key.Length == PublicBytes ? [.. PublicHead, .. key]
        : throw new ArgumentException($"A public key of ML-DSA-65 has {PublicBytes} bytes, not {key.Length}.");

    /// <summary>The public key in a SubjectPublicKeyInfo; false for any other kind of key.</summary>
    public static bool TryReadPublic(ReadOnlySpan<byte> info, out byte[] key)
    {
        var fits = info.Length == PublicHead.Length + PublicBytes && info.StartsWith(PublicHead);
        key = fits ? info[PublicHead.Length..].ToArray() : [];
        return fits;
    }

    /// <summary>PKCS #8 (DER) of a private key, which is its seed.</summary>
    public static byte[] PrivateInfo(ReadOnlySpan<byte> seed) => seed.Length == SeedBytes ? [.. PrivateHead, .. seed]
        : throw new ArgumentException($"A seed of ML-DSA-65 has {SeedBytes} bytes, not {seed.Length}.");

    /// <summary>The seed in a PKCS #8; false for any other kind of key, and for one without its seed.</summary>
    public static bool TryReadSeed(ReadOnlySpan<byte> info, out byte[] seed)
    {
        var fits = info.Length == PrivateHead.Length + SeedBytes && info.StartsWith(PrivateHead);
        seed = fits ? info[PrivateHead.Length..].ToArray() : [];
        return fits;
    }
}
