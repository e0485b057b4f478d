using Twin.Hardware.Coding;

namespace Twin.Hardware.Crypto;

/// <summary>
/// The key pair of an emulated office: the maker who signs images, the head-end that countersigns checkpoints. It comes
/// from a seed, so that one seed gives one run, and is for emulated worlds only: a real utility's keys never come from
/// one. The private key does not leave.
/// </summary>
public sealed class SigningKey
{
    private readonly byte[] _scalar;

    public SigningKey(NistCurve curve, ulong seed, string name)
    {
        var draw = SplitMix64.For(seed, "signing key " + name);
        var wide = new ByteWriter(64);
        while (wide.Length < curve.ScalarBytes + 8) wide.UInt64(draw.NextUInt64());
        _scalar = new byte[curve.ScalarBytes];
        curve.Octets(NistCurve.Integer(wide.Written) % (curve.Order - 1) + 1, _scalar);
        PublicKey = EcPublicKey.OfPrivate(curve, _scalar);
    }

    public EcPublicKey PublicKey { get; }

    /// <summary>r‖s over a digest of the curve's hash.</summary>
    public byte[] Sign(ReadOnlySpan<byte> digest)
    {
        var signature = new byte[PublicKey.Curve.SignatureBytes];
        DeterministicEcdsa.Sign(PublicKey.Curve, _scalar, digest, signature);
        return signature;
    }

    public override string ToString() => PublicKey.ToString();
}
