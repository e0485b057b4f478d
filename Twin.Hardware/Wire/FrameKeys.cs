using System.Security.Cryptography;

namespace Twin.Hardware.Wire;

/// <summary>
/// The keys of many meters in memory, for ingest and tests. Opening a frame under a global or dedicated key allocates
/// nothing; wrapped and agreed keys are worked out for each message. Not safe for use by two threads at once. Its text
/// shows no key.
/// </summary>
public sealed class FrameKeys : IFrameCipher, IDisposable
{
    private readonly Dictionary<(ulong Meter, KeyUse Use), FrameKey> _keys = [];
    private readonly Dictionary<ulong, (byte[] Kek, byte[] Ak)> _masters = [];
    private readonly Dictionary<ulong, Party> _parties = [];
    private ECDiffieHellman? _own;

    private sealed record Party(byte[] Ak, ECDiffieHellmanPublicKey? Agreement, ECDsa? Signing);

    /// <summary>Meters and uses that there is a key for.</summary>
    public int Count => _keys.Count;

    /// <summary>
    /// Sets an encryption key with its authentication key (empty: none). The key before it is forgotten.
    /// </summary>
    public void Set(MeterId meter, KeyUse use, ReadOnlySpan<byte> encryptionKey, ReadOnlySpan<byte> authenticationKey)
    {
        if (use is not (KeyUse.GlobalUnicast or KeyUse.GlobalBroadcast or KeyUse.Dedicated))
            throw new ArgumentException($"{use} does not encrypt messages. Set it as master key or as party.");
        if (_keys.Remove((meter.Value, use), out var old)) old.Dispose();
        _keys[(meter.Value, use)] = new FrameKey(encryptionKey, authenticationKey);
    }

    /// <summary>Sets the master key, which wraps keys that come with a message.</summary>
    public void SetMaster(MeterId meter, ReadOnlySpan<byte> kek, ReadOnlySpan<byte> authenticationKey) =>
        _masters[meter.Value] = (kek.ToArray(), authenticationKey.ToArray());

    /// <summary>Sets our own static key agreement key. It stays the caller's to dispose.</summary>
    public void SetOwn(ECDiffieHellman own) => _own = own;

    /// <summary>
    /// Sets what is known of a meter that agrees on keys: its authentication key, static agreement key and signing key.
    /// The keys stay the caller's to dispose.
    /// </summary>
    public void SetParty(MeterId meter, ReadOnlySpan<byte> authenticationKey, ECDiffieHellmanPublicKey? agreement,
        ECDsa? signing) => _parties[meter.Value] = new Party(authenticationKey.ToArray(), agreement, signing);

    public WireCode Seal(in CipherContext context, ReadOnlySpan<byte> plain, Span<byte> cipher, Span<byte> tag)
    {
        var code = Find(context, out var key, out var isOwned);
        if (code != WireCode.None) return code;
        code = key!.Seal(context, plain, cipher, tag);
        if (isOwned) key.Dispose();
        return code;
    }

    public WireCode Open(in CipherContext context, ReadOnlySpan<byte> cipher, ReadOnlySpan<byte> tag, Span<byte> plain)
    {
        var code = Find(context, out var key, out var isOwned);
        if (code != WireCode.None) return code;
        code = key!.Open(context, cipher, tag, plain);
        if (isOwned) key.Dispose();
        return code;
    }

    private WireCode Find(in CipherContext context, out FrameKey? key, out bool isOwned)
    {
        isOwned = false;
        if (_keys.TryGetValue((context.Meter.Value, context.Use), out key)) return WireCode.None;
        isOwned = true;
        return context.Use switch
        {
            KeyUse.Wrapped => Unwrap(context, out key),
            KeyUse.Agreed => Agree(context, out key),
            _ => WireCode.NoKey,
        };
    }

    private WireCode Unwrap(in CipherContext context, out FrameKey? key)
    {
        key = null;
        if (!_masters.TryGetValue(context.Meter.Value, out var master)) return WireCode.NoKey;
        var bytes = new byte[context.Control.KeyBytes];
        if (!KeyWrap.TryUnwrap(master.Kek, context.KeyData, bytes)) return WireCode.KeyUnwrapFailed;
        if (master.Ak.Length != 0 && master.Ak.Length != bytes.Length) return WireCode.NoKey;
        key = new FrameKey(bytes, master.Ak);
        CryptographicOperations.ZeroMemory(bytes);
        return WireCode.None;
    }

    private WireCode Agree(in CipherContext context, out FrameKey? key)
    {
        key = null;
        var suite = context.Control.Suite;
        if (_own is null || suite is not (1 or 2) || !_parties.TryGetValue(context.Meter.Value, out var party))
            return WireCode.NoKey;
        if (party.Ak.Length != 0 && party.Ak.Length != context.Control.KeyBytes) return WireCode.NoKey;
        try
        {
            using var ephemeral = context.Scheme == KeyScheme.OnePass ? Ephemeral(context, party, suite) : null;
            var peer = context.Scheme == KeyScheme.OnePass ? ephemeral?.PublicKey : party.Agreement;
            if (peer is null) return WireCode.KeyAgreementFailed;
            key = FrameKeyOf(_own, peer, context, party.Ak);
            return WireCode.None;
        }
        catch (CryptographicException)
        {
            // A key on another curve than the suite's.
            return WireCode.KeyAgreementFailed;
        }
    }

    private static ECDiffieHellman? Ephemeral(in CipherContext context, Party party, int suite) =>
        party.Signing is not null && KeyAgreement.TryVerifyEphemeral(suite, context.KeyData, party.Signing, out var key)
            ? ECDiffieHellman.Create(key) : null;

    private static FrameKey FrameKeyOf(ECDiffieHellman own, ECDiffieHellmanPublicKey peer, in CipherContext context,
        ReadOnlySpan<byte> ak) =>
        Agree(own, peer, context.Control.Suite, context.Scheme, context.Originator, context.TransactionId,
            context.Recipient, ak);

    /// <summary>
    /// The key of one message from an agreement: own private key (ephemeral for the sender of the one-pass scheme,
    /// static otherwise), the other's public key, the titles and the transaction id of the message.
    /// </summary>
    public static FrameKey Agree(ECDiffieHellman own, ECDiffieHellmanPublicKey peer, int suite, KeyScheme scheme,
        ReadOnlySpan<byte> originator, ReadOnlySpan<byte> transactionId, ReadOnlySpan<byte> recipient,
        ReadOnlySpan<byte> authenticationKey)
    {
        var z = own.DeriveRawSecretAgreement(peer);
        if (z.Length != KeyAgreement.FieldBytes(suite))
            throw new CryptographicException($"The keys are not on the curve of suite {suite}.");
        var bytes = KeyAgreement.Derive(suite, KeyAgreement.Gcm(suite), z, originator, transactionId, recipient,
            scheme);
        CryptographicOperations.ZeroMemory(z);
        var key = new FrameKey(bytes, authenticationKey);
        CryptographicOperations.ZeroMemory(bytes);
        return key;
    }

    public void Dispose()
    {
        foreach (var key in _keys.Values) key.Dispose();
        foreach (var (kek, ak) in _masters.Values)
        {
            CryptographicOperations.ZeroMemory(kek);
            CryptographicOperations.ZeroMemory(ak);
        }
        _keys.Clear();
        _masters.Clear();
        _parties.Clear();
    }
}
