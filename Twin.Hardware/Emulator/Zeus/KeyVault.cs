using System.Security.Cryptography;
using Twin.Hardware.Crypto;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// Where the keys are. Invariant: no private or symmetric key leaves. Members take keys in, use them, or say whether
/// there is one; what they hand out are public keys, signatures, ciphertext, plaintext and truth values. A test holds
/// the list of members closed. The vault keeps its content without power; only <see cref="Zeroise"/> ends it.
/// </summary>
public sealed class KeyVault
{
    private const KeySlot Last = KeySlot.MetrologySeal;
    private const int Slots = (int)Last + 1;
    public const int TagBytes = 12, NonceBytes = 12;

    /// <summary>Longest password at the low-level security association, bytes.</summary>
    public const int MaxPasswordBytes = 32;

    private readonly byte[]?[] _keys = new byte[Slots][];
    private readonly byte[]? _faultyNonce;
    private byte[]? _signing;
    private byte[]? _agreement;

    /// <summary>A sound vault: signatures take their nonce from RFC 6979.</summary>
    public KeyVault() { }

    private KeyVault(byte[] faultyNonce) => _faultyNonce = faultyNonce;

    /// <summary>
    /// Broken silicon that signs everything with one nonce, the same in all chips of a lot: two signatures give the
    /// private key away, and equal r values give the lot away.
    /// </summary>
    internal static KeyVault WithRepeatedNonce(string lot) =>
        new(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes("nonce of lot " + lot)));

    /// <summary>Public half of the signing pair; null before generation and after zeroisation.</summary>
    public EcPublicKey? SigningKey { get; private set; }

    /// <summary>Public half of the key agreement pair; null as above.</summary>
    public EcPublicKey? AgreementKey { get; private set; }

    public bool IsZeroised { get; private set; }

    /// <summary>Makes both pairs on the chip. False when the generator refuses: then nothing has changed.</summary>
    public bool TryGenerate(NistCurve curve, Trng trng)
    {
        if (IsZeroised) return false;
        byte[] signing = new byte[curve.ScalarBytes], agreement = new byte[curve.ScalarBytes];
        if (!trng.TryScalar(curve, signing) || !trng.TryScalar(curve, agreement)) return false;
        (_signing, _agreement) = (signing, agreement);
        (SigningKey, AgreementKey) = (EcPublicKey.OfPrivate(curve, signing), EcPublicKey.OfPrivate(curve, agreement));
        return true;
    }

    /// <summary>
    /// Signs a digest of the curve's hash; r‖s goes to <paramref name="signature"/>. False without a key.
    /// </summary>
    public bool TrySign(ReadOnlySpan<byte> digest, Span<byte> signature)
    {
        if (SigningKey is null || _signing is null) return false;
        var curve = SigningKey.Curve;
        if (_faultyNonce is not null && curve == NistCurve.P256)
            return DeterministicEcdsa.TrySignWithNonce(curve, _signing, digest, _faultyNonce, signature);
        DeterministicEcdsa.Sign(curve, _signing, digest, signature);
        return true;
    }

    /// <summary>Takes a symmetric key of 16 or 32 bytes, or a password of 1 to 32, at provisioning.</summary>
    /// <exception cref="ArgumentException">Not a symmetric slot, or a wrong length. The text holds no key.</exception>
    public void Load(KeySlot slot, ReadOnlySpan<byte> key)
    {
        CheckSlot(slot);
        if (slot == KeySlot.LlsPassword ? key.Length is < 1 or > MaxPasswordBytes : key.Length is not (16 or 32))
            throw new ArgumentException($"Slot {slot} does not take {key.Length} bytes: a key has 16 or 32, a password "
                + $"1 to {MaxPasswordBytes}.");
        if (IsZeroised) throw new InvalidOperationException("The vault was zeroised: it takes no more keys.");
        Put(slot, key.ToArray());
    }

    /// <summary>True when the slot holds a key or a pair.</summary>
    public bool Holds(KeySlot slot) => slot switch
    {
        KeySlot.DeviceSigning => _signing is not null,
        KeySlot.KeyAgreement => _agreement is not null,
        > KeySlot.None and <= Last => _keys[(int)slot] is not null,
        _ => false,
    };

    /// <summary>
    /// Unwraps (RFC 3394) a key that came under another; false when the tag or a length is wrong. The metrology key is
    /// loaded in the factory: no message replaces it.
    /// </summary>
    public bool TryUnwrap(KeySlot wrappingSlot, ReadOnlySpan<byte> wrapped, KeySlot destination)
    {
        CheckSlot(destination);
        if (!IsReplaceable(destination) || wrapped.Length is not (24 or 40) || Key(wrappingSlot) is not { } kek)
            return false;
        var key = new byte[wrapped.Length - 8];
        if (!AesKeyWrap.TryUnwrap(kek, wrapped, key)) return false;
        Put(destination, key);
        return true;
    }

    /// <summary>
    /// Agrees a key with another party's public key and keeps it: ECDH, then the one-step KDF of NIST SP 800-56A rev. 3
    /// with the curve's hash, as DLMS suites 1 and 2 do. The key has 16 bytes on P-256 and 32 on P-384.
    /// </summary>
    /// <param name="otherInfo">Algorithm id, and what names both parties: as the protocol defines it.</param>
    public bool TryAgree(EcPublicKey peer, ReadOnlySpan<byte> otherInfo, KeySlot destination)
    {
        CheckSlot(destination);
        if (AgreementKey is null || _agreement is null || peer.Curve != AgreementKey.Curve
            || !IsReplaceable(destination)) return false;
        var curve = peer.Curve;
        try
        {
            using var own = ECDiffieHellman.Create(new ECParameters { Curve = curve.Platform, D = _agreement });
            var point = new ECPoint
            {
                X = peer.Point[..curve.ScalarBytes].ToArray(), Y = peer.Point[curve.ScalarBytes..].ToArray(),
            };
            using var other = ECDiffieHellman.Create(new ECParameters { Curve = curve.Platform, Q = point });
            using var key = other.PublicKey;
            var derived = own.DeriveKeyFromHash(key, curve.Hash, [0, 0, 0, 1], otherInfo.ToArray());
            Put(destination, derived[..(curve == NistCurve.P256 ? 16 : 32)]);
            CryptographicOperations.ZeroMemory(derived);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>
    /// AES-GCM with a tag of 12 bytes. The additional data of DLMS begin with the security control byte and the
    /// authentication key: the vault puts the key of <paramref name="authenticationSlot"/> behind
    /// <paramref name="control"/>, as it must not leave; <see cref="KeySlot.None"/> leaves it out.
    /// </summary>
    /// <returns>False when a slot is empty.</returns>
    public bool TrySeal(KeySlot slot, KeySlot authenticationSlot, byte control, ReadOnlySpan<byte> nonce,
        ReadOnlySpan<byte> additional, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag)
    {
        if (Key(slot) is not { } key || !TryAdditional(authenticationSlot, control, additional, out var data))
            return false;
        using var gcm = new AesGcm(key, TagBytes);
        gcm.Encrypt(nonce, plaintext, ciphertext, tag, data);
        CryptographicOperations.ZeroMemory(data);
        return true;
    }

    /// <summary>The way back; false when a slot is empty or the tag is wrong.</summary>
    /// <inheritdoc cref="TrySeal"/>
    public bool TryOpen(KeySlot slot, KeySlot authenticationSlot, byte control, ReadOnlySpan<byte> nonce,
        ReadOnlySpan<byte> additional, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext)
    {
        if (Key(slot) is not { } key || !TryAdditional(authenticationSlot, control, additional, out var data))
            return false;
        using var gcm = new AesGcm(key, TagBytes);
        try
        {
            gcm.Decrypt(nonce, ciphertext, tag, plaintext, data);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(data);
        }
    }

    /// <summary>Compares a password in constant time (the length is not secret).</summary>
    public bool IsPassword(ReadOnlySpan<byte> candidate) =>
        Key(KeySlot.LlsPassword) is { } password && CryptographicOperations.FixedTimeEquals(password, candidate);

    /// <summary>Overwrites every key. The vault takes and makes none afterwards: the meter is at its end.</summary>
    public void Zeroise()
    {
        foreach (var key in _keys) CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(_signing);
        CryptographicOperations.ZeroMemory(_agreement);
        Array.Clear(_keys);
        (_signing, _agreement, SigningKey, AgreementKey, IsZeroised) = (null, null, null, null, true);
    }

    private void Put(KeySlot slot, byte[] key)
    {
        CryptographicOperations.ZeroMemory(_keys[(int)slot]);
        _keys[(int)slot] = key;
    }

    private byte[]? Key(KeySlot slot) => slot is > KeySlot.None and <= Last ? _keys[(int)slot] : null;

    private bool TryAdditional(KeySlot authenticationSlot, byte control, ReadOnlySpan<byte> more, out byte[] data)
    {
        data = [];
        var authentication = Key(authenticationSlot);
        if (authenticationSlot != KeySlot.None && authentication is null) return false;
        data = [control, .. authentication ?? [], .. more];
        return true;
    }

    private static bool IsReplaceable(KeySlot slot) => slot is not (KeySlot.LlsPassword or KeySlot.MetrologySeal);

    private static void CheckSlot(KeySlot slot)
    {
        if (slot is <= KeySlot.None or > Last)
            throw new ArgumentException($"{slot} is no slot of a symmetric key or password.", nameof(slot));
    }

    public override string ToString() => IsZeroised ? "key vault, zeroised"
        : $"key vault, {_keys.Count(k => k is not null)} keys, "
            + (Holds(KeySlot.DeviceSigning) ? "signing ready" : "not signing");
}
