using System.Numerics;
using System.Security.Cryptography;

namespace Twin.Hardware.Crypto;

/// <summary>
/// ECDSA with the nonce of RFC 6979, so that one seed gives one run. The elliptic-curve arithmetic is the platform's: r
/// is the x-coordinate of k·G, which is the public point of the private key k. The few steps modulo n are done with big
/// integers, which take a time that depends on the secret: this signs for emulated devices and for nothing else.
/// </summary>
internal static class DeterministicEcdsa
{
    /// <summary>
    /// Tries for a nonce in range with r and s not 0; for these curves even a second is beyond belief.
    /// </summary>
    private const int MaxTries = 16;

    /// <summary>Signs a digest of the curve's hash; r‖s goes to <paramref name="signature"/>.</summary>
    public static void Sign(NistCurve curve, byte[] scalar, ReadOnlySpan<byte> digest, Span<byte> signature)
    {
        CheckDigest(curve, digest);
        var nonces = new NonceSequence(curve, scalar, digest);
        for (var i = 0; i < MaxTries; i++)
            if (TrySignWithNonce(curve, scalar, digest, nonces.Next(), signature)) return;
        throw new CryptographicException($"No usable nonce in {MaxTries} tries: the private key is damaged.");
    }

    /// <summary>
    /// Signs with a given nonce, as broken silicon does that draws it from a failing generator. False when r or s is 0.
    /// </summary>
    public static bool TrySignWithNonce(NistCurve curve, byte[] scalar, ReadOnlySpan<byte> digest, byte[] nonce,
        Span<byte> signature)
    {
        CheckDigest(curve, digest);
        var n = curve.Order;
        var r = NistCurve.Integer(curve.Point(nonce).X) % n;
        if (r.IsZero) return false;
        // The digest is as long as the order, so bits2int of RFC 6979, 2.3.2 drops no bit.
        var sum = (NistCurve.Integer(digest) + r * NistCurve.Integer(scalar)) % n;
        var s = Inverse(NistCurve.Integer(nonce), n) * sum % n;
        if (s.IsZero) return false;
        curve.Octets(r, signature);
        curve.Octets(s, signature[curve.ScalarBytes..]);
        return true;
    }

    private static void CheckDigest(NistCurve curve, ReadOnlySpan<byte> digest)
    {
        if (digest.Length != curve.ScalarBytes)
            throw new ArgumentException($"{curve} signs a digest of {curve.ScalarBytes} bytes, not {digest.Length}.");
    }

    /// <summary>The inverse modulo a prime, by the extended Euclidean algorithm: at most 1.5 steps a bit.</summary>
    private static BigInteger Inverse(BigInteger value, BigInteger prime)
    {
        BigInteger a = value, b = prime, x = BigInteger.One, y = BigInteger.Zero;
        while (!b.IsZero)
        {
            var quotient = BigInteger.DivRem(a, b, out var rest);
            (a, b) = (b, rest);
            (x, y) = (y, x - quotient * y);
        }
        return x.Sign < 0 ? x + prime : x;
    }

    /// <summary>The nonces of RFC 6979, 3.2 (steps b to h): an HMAC_DRBG seeded with key and digest.</summary>
    internal ref struct NonceSequence
    {
        private readonly NistCurve _curve;
        private readonly byte[] _k;
        private readonly byte[] _v;
        private bool _drawn;

        public NonceSequence(NistCurve curve, ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> digest)
        {
            _curve = curve;
            var size = curve.ScalarBytes;
            _k = new byte[size];
            _v = new byte[size];
            Array.Fill(_v, (byte)1);
            Span<byte> reduced = stackalloc byte[size];
            curve.Octets(NistCurve.Integer(digest) % curve.Order, reduced);
            Update(0, scalar, reduced);
            Update(1, scalar, reduced);
        }

        /// <summary>The next nonce in [1, n−1].</summary>
        public byte[] Next()
        {
            for (var i = 0; i < MaxTries; i++)
            {
                if (_drawn) Update(0, [], []);
                _drawn = true;
                Mac(_v, _v);
                var k = NistCurve.Integer(_v);
                if (!k.IsZero && k < _curve.Order) return [.. _v];
            }
            throw new CryptographicException($"No nonce in range in {MaxTries} draws: the private key is damaged.");
        }

        private readonly void Update(byte mark, ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> digest)
        {
            Span<byte> message = stackalloc byte[_v.Length + 1 + scalar.Length + digest.Length];
            _v.CopyTo(message);
            message[_v.Length] = mark;
            scalar.CopyTo(message[(_v.Length + 1)..]);
            digest.CopyTo(message[(_v.Length + 1 + scalar.Length)..]);
            Mac(message, _k);
            Mac(_v, _v);
        }

        private readonly void Mac(ReadOnlySpan<byte> message, Span<byte> destination)
        {
            if (_curve.ScalarBytes == 32) HMACSHA256.HashData(_k, message, destination);
            else HMACSHA384.HashData(_k, message, destination);
        }
    }
}
