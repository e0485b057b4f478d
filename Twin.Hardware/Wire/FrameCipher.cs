using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Twin.Hardware.Wire;

/// <summary>
/// Which protection a message carries (IEC 62056-5-3): suite in the low four bits, then authenticated, encrypted,
/// broadcast key set, compressed.
/// </summary>
public readonly record struct SecurityControl(byte Value)
{
    public const byte MaxSuite = 2;

    public SecurityControl(int suite, bool authenticated, bool encrypted, bool broadcast = false)
        : this((byte)(suite | (authenticated ? 0x10 : 0) | (encrypted ? 0x20 : 0) | (broadcast ? 0x40 : 0)))
    {
    }

    /// <summary>0: AES-GCM-128; 1: with ECDSA and ECDH on P-256; 2: AES-GCM-256, P-384.</summary>
    public int Suite => Value & 0xF;
    public bool IsAuthenticated => (Value & 0x10) != 0;
    public bool IsEncrypted => (Value & 0x20) != 0;
    public bool IsBroadcast => (Value & 0x40) != 0;
    public bool IsCompressed => (Value & 0x80) != 0;

    /// <summary>Bytes of the tag behind the message.</summary>
    public int TagBytes => IsAuthenticated ? Protected.TagBytes : 0;

    /// <summary>Bytes of the suite's symmetric keys.</summary>
    public int KeyBytes => Suite == 2 ? 32 : 16;
}

/// <summary>The symmetric key that a message is under.</summary>
public enum KeyUse : byte
{
    /// <summary>GUEK, key id 0.</summary>
    GlobalUnicast = 0,
    /// <summary>GBEK, key id 1.</summary>
    GlobalBroadcast = 1,
    /// <summary>GAK, key id 2: goes into the authenticated data.</summary>
    Authentication = 2,
    /// <summary>KEK, key id 3: wraps others.</summary>
    Master = 3,
    /// <summary>The key of one association.</summary>
    Dedicated = 4,
    /// <summary>A key in the message, wrapped by the master key.</summary>
    Wrapped = 5,
    /// <summary>A key from an ECDH agreement in the message.</summary>
    Agreed = 6,
}

/// <summary>All that decides how one message is sealed or opened, except the secret keys.</summary>
public readonly ref struct CipherContext
{
    /// <summary>The meter whose keys are meant, as sender or as receiver.</summary>
    public MeterId Meter { get; init; }

    public KeyUse Use { get; init; }
    public SecurityControl Control { get; init; }

    /// <summary>System title of who protected the message, 8 bytes: the fixed part of the nonce.</summary>
    public ReadOnlySpan<byte> Originator { get; init; }

    /// <summary>System title of who shall open it; empty except in general-ciphering.</summary>
    public ReadOnlySpan<byte> Recipient { get; init; }

    public uint InvocationCounter { get; init; }

    /// <summary>
    /// Fields of general-ciphering with their lengths, from transaction-id to other-information; part of the
    /// authenticated data.
    /// </summary>
    public ReadOnlySpan<byte> Additional { get; init; }

    public ReadOnlySpan<byte> TransactionId { get; init; }

    /// <summary>key-ciphered-data of a wrapped or agreed key.</summary>
    public ReadOnlySpan<byte> KeyData { get; init; }

    /// <summary>Agreed key: 1 one-pass Diffie-Hellman C(1e, 1s), 2 static unified model C(0e, 2s).</summary>
    public KeyScheme Scheme { get; init; }
}

/// <summary>
/// Holds secret keys and uses them, so that they need not leave it: the chip's vault, and a file of keys at ingest.
/// Both methods give <see cref="WireCode.None"/> when all went well; opening gives
/// <see cref="WireCode.AuthenticationFailed"/> when the tag is wrong, and the receiving buffer is then cleared.
/// </summary>
public interface IFrameCipher
{
    /// <summary>Seals. <paramref name="cipher"/> is as long as <paramref name="plain"/>.</summary>
    WireCode Seal(in CipherContext context, ReadOnlySpan<byte> plain, Span<byte> cipher, Span<byte> tag);

    /// <summary>Opens. <paramref name="plain"/> is as long as <paramref name="cipher"/>.</summary>
    WireCode Open(in CipherContext context, ReadOnlySpan<byte> cipher, ReadOnlySpan<byte> tag, Span<byte> plain);
}

/// <summary>
/// One encryption key with its authentication key: AES-GCM as the suites use it. The nonce is the system title and
/// the invocation counter; the authenticated data are control byte, authentication key, additional fields and, when
/// nothing is encrypted, the message. Not safe for use by two threads at once. Allocates nothing once made, but for
/// messages that are authenticated only and longer than any before.
/// </summary>
public sealed class FrameKey : IFrameCipher, IDisposable
{
    private readonly AesGcm _gcm;
    private readonly int _keyBytes, _akBytes;
    private byte[] _aad;

    /// <summary>
    /// 16 bytes for suites 0 and 1, 32 for suite 2; an empty authentication key where none is used.
    /// </summary>
    public FrameKey(ReadOnlySpan<byte> encryptionKey, ReadOnlySpan<byte> authenticationKey)
    {
        if (encryptionKey.Length is not (16 or 32))
            throw new ArgumentException($"An encryption key has 16 or 32 bytes, this one {encryptionKey.Length}.");
        if (authenticationKey.Length != 0 && authenticationKey.Length != encryptionKey.Length)
            throw new ArgumentException($"An authentication key is as long as the encryption key, this one "
                + $"{authenticationKey.Length} bytes.");
        _gcm = new AesGcm(encryptionKey, Protected.TagBytes);
        (_keyBytes, _akBytes) = (encryptionKey.Length, authenticationKey.Length);
        _aad = new byte[1 + _akBytes + 64];
        authenticationKey.CopyTo(_aad.AsSpan(1));
    }

    public WireCode Seal(in CipherContext context, ReadOnlySpan<byte> plain, Span<byte> cipher, Span<byte> tag)
    {
        if (Check(context, plain.Length, cipher.Length, tag.Length) is var bad && bad != WireCode.None) return bad;
        Span<byte> nonce = stackalloc byte[12];
        Nonce(context, nonce);
        if (!context.Control.IsEncrypted)
        {
            plain.CopyTo(cipher);
            _gcm.Encrypt(nonce, default, default, tag, Aad(context, plain));
        }
        else if (context.Control.IsAuthenticated)
        {
            _gcm.Encrypt(nonce, plain, cipher, tag, Aad(context, default));
        }
        else
        {
            Keystream(nonce, plain, cipher);
        }
        return WireCode.None;
    }

    public WireCode Open(in CipherContext context, ReadOnlySpan<byte> cipher, ReadOnlySpan<byte> tag, Span<byte> plain)
    {
        if (Check(context, plain.Length, cipher.Length, tag.Length) is var bad && bad != WireCode.None) return bad;
        Span<byte> nonce = stackalloc byte[12];
        Nonce(context, nonce);
        if (context.Control is { IsEncrypted: true, IsAuthenticated: false })
        {
            Keystream(nonce, cipher, plain);
            return WireCode.None;
        }
        try
        {
            if (context.Control.IsEncrypted) _gcm.Decrypt(nonce, cipher, tag, plain, Aad(context, default));
            else _gcm.Decrypt(nonce, default, tag, default, Aad(context, cipher));
        }
        catch (AuthenticationTagMismatchException)
        {
            plain.Clear();
            return WireCode.AuthenticationFailed;
        }
        if (!context.Control.IsEncrypted) cipher.CopyTo(plain);
        return WireCode.None;
    }

    private WireCode Check(in CipherContext context, int plain, int cipher, int tag)
    {
        if (context.Control.Suite > SecurityControl.MaxSuite || context.Control.KeyBytes != _keyBytes)
            return WireCode.NoKey;
        if (context.Control.IsCompressed) return WireCode.Unsupported;
        if (context.Control is { IsAuthenticated: false, IsEncrypted: false }) return WireCode.BadSecurityControl;
        if (context.Control.IsAuthenticated && _akBytes == 0) return WireCode.NoKey;
        if (tag != context.Control.TagBytes || context.Originator.Length != 8) return WireCode.BadLength;
        return plain == cipher ? WireCode.None : WireCode.BufferTooSmall;
    }

    private static void Nonce(in CipherContext context, Span<byte> nonce)
    {
        context.Originator.CopyTo(nonce);
        BinaryPrimitives.WriteUInt32BigEndian(nonce[8..], context.InvocationCounter);
    }

    /// <summary>GCM without its tag is counter mode, where sealing and opening are one.</summary>
    private void Keystream(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> from, Span<byte> to)
    {
        Span<byte> unused = stackalloc byte[Protected.TagBytes];
        _gcm.Encrypt(nonce, from, to, unused);
    }

    private ReadOnlySpan<byte> Aad(in CipherContext context, ReadOnlySpan<byte> message)
    {
        var fixedPart = 1 + _akBytes;
        var length = fixedPart + context.Additional.Length + message.Length;
        if (length > _aad.Length)
        {
            var larger = new byte[length];
            _aad.AsSpan(0, fixedPart).CopyTo(larger);
            CryptographicOperations.ZeroMemory(_aad);
            _aad = larger;
        }
        _aad[0] = context.Control.Value;
        context.Additional.CopyTo(_aad.AsSpan(fixedPart));
        message.CopyTo(_aad.AsSpan(fixedPart + context.Additional.Length));
        return _aad.AsSpan(0, length);
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_aad);
        _gcm.Dispose();
    }
}
