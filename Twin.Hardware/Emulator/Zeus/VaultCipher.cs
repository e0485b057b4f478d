using Twin.Hardware.Wire;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// Lets the wire use the keys of a chip's vault without taking them out: messages under the global keys, authenticated
/// and encrypted, which is all that a meter sends and takes. Anything else is not supported.
/// </summary>
public sealed class VaultCipher(KeyVault vault) : IFrameCipher
{
    /// <summary>The slot of a key's use; none for uses that are not of messages.</summary>
    public static KeySlot SlotOf(KeyUse use) => use switch
    {
        KeyUse.GlobalUnicast => KeySlot.EncryptionUnicast,
        KeyUse.GlobalBroadcast => KeySlot.EncryptionBroadcast,
        KeyUse.Authentication => KeySlot.Authentication,
        KeyUse.Master => KeySlot.Master,
        _ => KeySlot.None,
    };

    public WireCode Seal(in CipherContext context, ReadOnlySpan<byte> plain, Span<byte> cipher, Span<byte> tag)
    {
        if (Check(context, out var slot) is var bad && bad != WireCode.None) return bad;
        Span<byte> nonce = stackalloc byte[KeyVault.NonceBytes];
        Nonce(context, nonce);
        return vault.TrySeal(slot, KeySlot.Authentication, context.Control.Value, nonce, context.Additional, plain,
            cipher, tag) ? WireCode.None : WireCode.NoKey;
    }

    public WireCode Open(in CipherContext context, ReadOnlySpan<byte> cipher, ReadOnlySpan<byte> tag, Span<byte> plain)
    {
        if (Check(context, out var slot) is var bad && bad != WireCode.None) return bad;
        Span<byte> nonce = stackalloc byte[KeyVault.NonceBytes];
        Nonce(context, nonce);
        if (vault.TryOpen(slot, KeySlot.Authentication, context.Control.Value, nonce, context.Additional, cipher, tag,
            plain)) return WireCode.None;
        plain.Clear();
        return WireCode.AuthenticationFailed;
    }

    private WireCode Check(in CipherContext context, out KeySlot slot)
    {
        slot = SlotOf(context.Use);
        if (context.Use is not (KeyUse.GlobalUnicast or KeyUse.GlobalBroadcast)
            || context.Control is not { IsAuthenticated: true, IsEncrypted: true, IsCompressed: false })
            return WireCode.Unsupported;
        if (context.Originator.Length != Protected.SystemTitleBytes) return WireCode.BadLength;
        return vault.Holds(slot) && vault.Holds(KeySlot.Authentication) ? WireCode.None : WireCode.NoKey;
    }

    private static void Nonce(in CipherContext context, Span<byte> nonce)
    {
        context.Originator.CopyTo(nonce);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(nonce[8..], context.InvocationCounter);
    }
}
