using System.Security.Cryptography;

namespace Twin.Hardware.Wire;

/// <summary>The ECDH schemes of NIST SP 800-56A that IEC 62056-5-3 uses.</summary>
public enum KeyScheme : byte
{
    None = 0,
    /// <summary>One-pass Diffie-Hellman C(1e, 1s): an ephemeral key of the sender, signed by it.</summary>
    OnePass = 1,
    /// <summary>Static unified model C(0e, 2s): static keys of both; the transaction id is the nonce.</summary>
    StaticUnified = 2,
    /// <summary>Ephemeral unified model C(2e, 0s), of the method key_agreement of the security setup.</summary>
    EphemeralUnified = 3,
}

/// <summary>What an agreed key is for; part of its derivation.</summary>
public enum KeyPurpose : byte { AesGcm128 = 0, AesGcm256 = 1, AesWrap128 = 2, AesWrap256 = 3 }

/// <summary>Signs a digest, 32 bytes for suite 1 and 48 for suite 2, as r and s behind one another.</summary>
public delegate bool DigestSigner(ReadOnlySpan<byte> digest, Span<byte> signature);

/// <summary>Key agreement of suites 1 (P-256, SHA-256) and 2 (P-384, SHA-384).</summary>
public static class KeyAgreement
{
    /// <summary>Bytes of one coordinate.</summary>
    public static int FieldBytes(int suite) => suite switch { 1 => 32, 2 => 48, _ => throw NoSuite(suite) };

    /// <summary>Bytes of a public key: x and y behind one another, no prefix.</summary>
    public static int PublicKeyBytes(int suite) => 2 * FieldBytes(suite);

    /// <summary>Bytes of a signature: r and s behind one another.</summary>
    public static int SignatureBytes(int suite) => 2 * FieldBytes(suite);

    public static int KeyBytes(KeyPurpose purpose) =>
        purpose is KeyPurpose.AesGcm128 or KeyPurpose.AesWrap128 ? 16 : 32;

    /// <summary>What encrypts messages of a suite.</summary>
    public static KeyPurpose Gcm(int suite) => suite == 2 ? KeyPurpose.AesGcm256 : KeyPurpose.AesGcm128;

    public static ECCurve Curve(int suite) => suite switch
    {
        1 => ECCurve.NamedCurves.nistP256,
        2 => ECCurve.NamedCurves.nistP384,
        _ => throw NoSuite(suite),
    };

    private static ArgumentException NoSuite(int suite) =>
        new($"Suite {suite} has no public-key cryptography. Use suite 1 or 2.");

    /// <summary>SHA-256 or SHA-384 of the suite; the length of what is written.</summary>
    public static int Digest(int suite, ReadOnlySpan<byte> data, Span<byte> digest) => suite switch
    {
        1 => SHA256.HashData(data, digest),
        2 => SHA384.HashData(data, digest),
        _ => throw NoSuite(suite),
    };

    /// <summary>
    /// The concatenation KDF of NIST SP 800-56A (5.8.1) with one round: the first bytes of
    /// H(00000001, Z, AlgorithmID, PartyUInfo, PartyVInfo). PartyUInfo is the originator's system title, in the static
    /// unified model followed by length and value of the transaction id; PartyVInfo is the recipient's.
    /// AlgorithmID is printed in the standard's table as 60 85 74 06 08 03 and the purpose.
    /// </summary>
    public static byte[] Derive(int suite, KeyPurpose purpose, ReadOnlySpan<byte> z, ReadOnlySpan<byte> originator,
        ReadOnlySpan<byte> transactionId, ReadOnlySpan<byte> recipient, KeyScheme scheme)
    {
        if (z.Length != FieldBytes(suite) || transactionId.Length > 255 || originator.Length > 64
            || recipient.Length > 64)
            throw new ArgumentException($"Suite {suite} derives from {FieldBytes(suite)} bytes of Z, titles of at most "
                + "64 and a transaction id of at most 255.");
        Span<byte> input = stackalloc byte[4 + 48 + 7 + 64 + 256 + 64];
        input.Clear();
        input[3] = 1;
        var at = 4;
        Append(input, ref at, z);
        Append(input, ref at, [0x60, 0x85, 0x74, 0x06, 0x08, 0x03, (byte)purpose]);
        Append(input, ref at, originator);
        if (scheme == KeyScheme.StaticUnified)
        {
            input[at++] = (byte)transactionId.Length;
            Append(input, ref at, transactionId);
        }
        Append(input, ref at, recipient);
        Span<byte> digest = stackalloc byte[48];
        Digest(suite, input[..at], digest);
        var key = digest[..KeyBytes(purpose)].ToArray();
        CryptographicOperations.ZeroMemory(input);
        CryptographicOperations.ZeroMemory(digest);
        return key;
    }

    private static void Append(Span<byte> to, ref int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to[at..]);
        at += bytes.Length;
    }

    /// <summary>A public key from x and y; false when it is no point of the curve.</summary>
    public static bool TryImport(int suite, ReadOnlySpan<byte> xy, out ECParameters parameters)
    {
        parameters = default;
        if (suite is not (1 or 2) || xy.Length != PublicKeyBytes(suite)) return false;
        var half = xy.Length / 2;
        parameters = new ECParameters
        {
            Curve = Curve(suite),
            Q = new ECPoint { X = xy[..half].ToArray(), Y = xy[half..].ToArray() },
        };
        try
        {
            using var point = ECDiffieHellman.Create(parameters);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>x and y behind one another.</summary>
    public static byte[] Export(ECParameters key) => [.. key.Q.X!, .. key.Q.Y!];

    /// <summary>
    /// key-ciphered-data of the one-pass scheme: the ephemeral public key and its signature by the sender. For the
    /// method key_agreement, which signs a key id with it, give that id.
    /// </summary>
    public static byte[] SignEphemeral(int suite, ReadOnlySpan<byte> publicKey, DigestSigner signer, byte? keyId = null)
    {
        var result = new byte[PublicKeyBytes(suite) + SignatureBytes(suite)];
        publicKey.CopyTo(result);
        Span<byte> digest = stackalloc byte[48];
        var length = EphemeralDigest(suite, publicKey, keyId, digest);
        return signer(digest[..length], result.AsSpan(PublicKeyBytes(suite))) ? result
            : throw new CryptographicException("The signing key did not sign the ephemeral key.");
    }

    /// <summary>Checks the signature over an ephemeral public key and gives the key.</summary>
    public static bool TryVerifyEphemeral(int suite, ReadOnlySpan<byte> data, ECDsa signer, out ECParameters key,
        byte? keyId = null)
    {
        key = default;
        if (suite is not (1 or 2) || data.Length != PublicKeyBytes(suite) + SignatureBytes(suite)) return false;
        var publicKey = data[..PublicKeyBytes(suite)];
        Span<byte> digest = stackalloc byte[48];
        var length = EphemeralDigest(suite, publicKey, keyId, digest);
        return signer.VerifyHash(digest[..length], data[PublicKeyBytes(suite)..])
            && TryImport(suite, publicKey, out key);
    }

    private static int EphemeralDigest(int suite, ReadOnlySpan<byte> publicKey, byte? keyId, Span<byte> digest)
    {
        Span<byte> message = stackalloc byte[1 + 96];
        message[0] = keyId ?? 0;
        publicKey.CopyTo(message[1..]);
        return Digest(suite, message[(keyId is null ? 1 : 0)..(1 + publicKey.Length)], digest);
    }
}
