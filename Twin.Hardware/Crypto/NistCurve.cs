using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Twin.Hardware.Crypto;

/// <summary>
/// The two curves of the DLMS security suites (NIST SP 800-186): P-256 with SHA-256 in suite 1, P-384 with SHA-384 in
/// suite 2. Points are X‖Y without a leading byte, signatures r‖s (IEEE P1363), all big-endian and of fixed length.
/// </summary>
public sealed class NistCurve
{
    public static readonly NistCurve P256 = new("P-256", 32, ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256,
        "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");

    public static readonly NistCurve P384 = new("P-384", 48, ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384,
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973");

    private NistCurve(string name, int scalarBytes, ECCurve platform, HashAlgorithmName hash, string order)
    {
        Name = name;
        ScalarBytes = scalarBytes;
        Platform = platform;
        Hash = hash;
        Order = BigInteger.Parse("0" + order, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    public string Name { get; }

    /// <summary>Bytes of a scalar, a coordinate and the digest that goes with the curve: 32 or 48.</summary>
    public int ScalarBytes { get; }

    public int PointBytes => 2 * ScalarBytes;
    public int SignatureBytes => 2 * ScalarBytes;
    public ECCurve Platform { get; }
    public HashAlgorithmName Hash { get; }

    /// <summary>n, the order of the base point; a prime of 8 × <see cref="ScalarBytes"/> bits.</summary>
    public BigInteger Order { get; }

    /// <summary>The digest that the curve's signatures are made over.</summary>
    public byte[] Digest(ReadOnlySpan<byte> message) => CryptographicOperations.HashData(Hash, message);

    /// <summary>The public point of a private scalar; the platform does the arithmetic, as Q is left out.</summary>
    /// <exception cref="CryptographicException">The scalar is not in [1, n−1].</exception>
    internal ECPoint Point(byte[] scalar)
    {
        using var key = ECDsa.Create(new ECParameters { Curve = Platform, D = scalar });
        return key.ExportParameters(false).Q;
    }

    internal static BigInteger Integer(ReadOnlySpan<byte> bigEndian) => new(bigEndian, true, true);

    /// <summary>The fixed-length big-endian octets of a non-negative integer below the order.</summary>
    internal void Octets(BigInteger value, Span<byte> destination)
    {
        destination[..ScalarBytes].Clear();
        var count = value.GetByteCount(true);
        if (!value.TryWriteBytes(destination[(ScalarBytes - count)..ScalarBytes], out _, true, true))
            throw new ArgumentOutOfRangeException(nameof(value), $"A scalar of {Name} has {ScalarBytes} bytes.");
    }

    public override string ToString() => Name;
}

/// <summary>A public key: a curve and the point's X‖Y. Two keys are equal when curve and point are.</summary>
public sealed class EcPublicKey : IEquatable<EcPublicKey>
{
    private readonly byte[] _point;

    private EcPublicKey(NistCurve curve, byte[] point)
    {
        Curve = curve;
        _point = point;
    }

    public NistCurve Curve { get; }
    public ReadOnlySpan<byte> Point => _point;

    /// <summary>
    /// Takes a point of 64 (P-256) or 96 bytes (P-384). Whether it lies on the curve the platform checks at first use.
    /// </summary>
    public static bool TryFrom(ReadOnlySpan<byte> point, out EcPublicKey key)
    {
        key = point.Length switch
        {
            64 => new EcPublicKey(NistCurve.P256, point.ToArray()),
            96 => new EcPublicKey(NistCurve.P384, point.ToArray()),
            _ => null!,
        };
        return key is not null;
    }

    /// <inheritdoc cref="TryFrom"/>
    /// <exception cref="FormatException">The length is neither 64 nor 96 bytes.</exception>
    public static EcPublicKey From(ReadOnlySpan<byte> point) => TryFrom(point, out var key) ? key
        : throw new FormatException($"A public key has 64 bytes (P-256) or 96 (P-384), this {point.Length}.");

    internal static EcPublicKey OfPrivate(NistCurve curve, byte[] scalar)
    {
        var q = curve.Point(scalar);
        return new EcPublicKey(curve, [.. q.X!, .. q.Y!]);
    }

    /// <summary>SHA-256 of the point: what is burned in as a trust anchor.</summary>
    public byte[] Fingerprint() => SHA256.HashData(_point);

    /// <summary>The first 8 bytes of the fingerprint, big-endian: a short name of the key in logs and quotes.</summary>
    public ulong KeyId() => System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(Fingerprint());

    /// <summary>The key for the platform. The caller disposes it.</summary>
    /// <exception cref="CryptographicException">The point is not on the curve.</exception>
    public ECDsa Import()
    {
        var n = Curve.ScalarBytes;
        var q = new ECPoint { X = _point[..n], Y = _point[n..] };
        return ECDsa.Create(new ECParameters { Curve = Curve.Platform, Q = q });
    }

    /// <summary>
    /// True when r‖s is this key's signature over the digest. A point off the curve verifies nothing.
    /// </summary>
    public bool Verify(ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != Curve.SignatureBytes) return false;
        try
        {
            using var key = Import();
            return key.VerifyHash(digest, signature);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    public bool Equals(EcPublicKey? other) => other is not null && _point.AsSpan().SequenceEqual(other._point);
    public override bool Equals(object? obj) => Equals(obj as EcPublicKey);
    public override int GetHashCode() => BitConverter.ToInt32(_point);
    public override string ToString() => $"{Curve} key {KeyId():x16}";
}
