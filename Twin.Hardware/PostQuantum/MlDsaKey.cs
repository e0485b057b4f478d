using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Twin.Hardware.Coding;
using Twin.Hardware.Signatures;

namespace Twin.Hardware.PostQuantum;

/// <summary>
/// A private key of ML-DSA-65 (FIPS 204), made of its seed. It signs deterministically (3.4): one key and message give
/// one signature, so that one seed gives one run and no generator can fail while signing.
/// </summary>
public sealed class MlDsaKey : IMessageSigner
{
    private static readonly MLDsaParameters Parameters = MLDsaParameters.ml_dsa_65;

    private readonly MLDsaPrivateKeyParameters _key;

    /// <param name="seed">32 bytes: ξ of algorithm 1.</param>
    public MlDsaKey(byte[] seed)
    {
        _key = MLDsaPrivateKeyParameters.FromSeed(Parameters, seed);
        Public = new KnownKey(SignatureAlgorithm.MlDsa65, _key.GetPublicKeyEncoded());
    }

    private MlDsaKey(MLDsaPrivateKeyParameters key)
    {
        _key = key;
        Public = new KnownKey(SignatureAlgorithm.MlDsa65, key.GetPublicKeyEncoded());
    }

    /// <summary>The key of an emulated office: see <see cref="Crypto.SigningKey"/>.</summary>
    public static MlDsaKey Emulated(ulong seed, string name)
    {
        var (draw, bytes) = (SplitMix64.For(seed, "ML-DSA key " + name), new ByteWriter(32));
        while (bytes.Length < MlDsaForms.SeedBytes) bytes.UInt64(draw.NextUInt64());
        return new MlDsaKey(bytes.ToArray());
    }

    /// <summary>A key from its expanded form of 4,032 bytes.</summary>
    internal static MlDsaKey Expanded(byte[] key) => new(MLDsaPrivateKeyParameters.FromEncoding(Parameters, key));

    public KnownKey Public { get; }

    /// <summary>The private key in its expanded form.</summary>
    internal byte[] Encode() => _key.GetEncoded();

    public byte[] Sign(ReadOnlySpan<byte> message) => Sign(message, []);

    /// <param name="context">At most 255 bytes (FIPS 204, 5.2).</param>
    internal byte[] Sign(ReadOnlySpan<byte> message, byte[] context)
    {
        var signer = new MLDsaSigner(Parameters, deterministic: true);
        signer.Init(true, new ParametersWithContext(_key, context));
        signer.BlockUpdate(message);
        return signer.GenerateSignature();
    }

    /// <summary><see cref="CheckSignature"/> of <see cref="SignatureAlgorithm.MlDsa65"/>.</summary>
    public static bool Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        Check(key, message, signature, []);

    internal static bool Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature,
        byte[] context)
    {
        if (key.Length != MlDsaForms.PublicBytes || signature.Length != MlDsaForms.SignatureBytes) return false;
        var known = MLDsaPublicKeyParameters.FromEncoding(Parameters, key.ToArray());
        var signer = new MLDsaSigner(Parameters, deterministic: true);
        signer.Init(false, new ParametersWithContext(known, context));
        signer.BlockUpdate(message);
        return signer.VerifySignature(signature.ToArray());
    }

    public override string ToString() => Public.ToString();
}
