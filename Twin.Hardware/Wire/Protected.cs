using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>
/// A ciphered APDU taken apart, still sealed: general-glo- (0xDB), general-ded- (0xDC) and general-ciphering (0xDD),
/// and the ciphered forms of single services.
/// </summary>
public readonly ref struct Protected
{
    /// <summary>Bytes of the authentication tag.</summary>
    public const int TagBytes = 12;

    public const int SystemTitleBytes = 8;

    public ApduTag Tag { get; init; }

    /// <summary>Who protected the message.</summary>
    public ReadOnlySpan<byte> Originator { get; init; }

    /// <summary>Who shall open it; empty except in general-ciphering.</summary>
    public ReadOnlySpan<byte> Recipient { get; init; }

    public ReadOnlySpan<byte> TransactionId { get; init; }
    public ReadOnlySpan<byte> DateTime { get; init; }
    public ReadOnlySpan<byte> OtherInformation { get; init; }

    /// <summary>The key that the message is under.</summary>
    public KeyUse Use { get; init; }

    /// <summary>key-ciphered-data of a wrapped or agreed key.</summary>
    public ReadOnlySpan<byte> KeyData { get; init; }

    public KeyScheme Scheme { get; init; }
    public SecurityControl Control { get; init; }
    public uint InvocationCounter { get; init; }

    /// <summary>The message: encrypted, or plain when it is authenticated only.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }

    public ReadOnlySpan<byte> AuthenticationTag { get; init; }

    /// <summary>Where the payload begins within the APDU, for offsets of errors.</summary>
    public int PayloadOffset { get; init; }

    private ReadOnlySpan<byte> Additional { get; init; }

    /// <summary>
    /// Takes an APDU apart. The forms for single services carry no system title: that of the sender in the association
    /// is given, or they are refused with <see cref="WireCode.NoKey"/>.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> apdu, ReadOnlySpan<byte> associationTitle, out Protected result,
        out WireError error)
    {
        result = default;
        var r = new WireReader(apdu);
        var tag = (ApduTag)r.Byte();
        if (!r.Failed && !tag.IsCiphered()) r.Fail(WireCode.UnknownTag, 0);
        var head = new Protected { Tag = tag };
        if (tag == ApduTag.GeneralCiphering) head = ReadGeneralHead(ref r, apdu);
        else if (tag.IsServiceCiphered()) head = ReadServiceHead(ref r, tag, associationTitle);
        else head = ReadTitledHead(ref r, tag);
        var at = r.Position;
        var length = r.Length();
        if (!r.Failed && length != r.Left) r.Fail(length > r.Left ? WireCode.Truncated : WireCode.TrailingBytes,
            length > r.Left ? apdu.Length : r.Position + length);
        at = r.Position;
        var control = new SecurityControl(r.Byte());
        if (!r.Failed && !IsAllowed(control, tag)) r.Fail(WireCode.BadSecurityControl, at);
        var counter = r.UInt32();
        var payloadAt = r.Position;
        var payload = r.Bytes(r.Left - control.TagBytes);
        var authentication = r.Rest();
        error = r.Error;
        if (r.Failed) return false;
        result = new Protected
        {
            Tag = tag,
            Originator = head.Originator,
            Recipient = head.Recipient,
            TransactionId = head.TransactionId,
            DateTime = head.DateTime,
            OtherInformation = head.OtherInformation,
            Use = head.Use == KeyUse.GlobalUnicast && control.IsBroadcast ? KeyUse.GlobalBroadcast : head.Use,
            KeyData = head.KeyData,
            Scheme = head.Scheme,
            Additional = head.Additional,
            Control = control,
            InvocationCounter = counter,
            Payload = payload,
            AuthenticationTag = authentication,
            PayloadOffset = payloadAt,
        };
        return true;
    }

    private static bool IsAllowed(SecurityControl control, ApduTag tag) =>
        control.Suite <= SecurityControl.MaxSuite && (control.IsAuthenticated || control.IsEncrypted)
        && !(control.IsBroadcast && tag == ApduTag.GeneralCiphering);

    private static Protected ReadTitledHead(scoped ref WireReader r, ApduTag tag)
    {
        var at = r.Position;
        var title = r.Octets();
        if (!r.Failed && title.Length != SystemTitleBytes) r.Fail(WireCode.BadLength, at);
        return new Protected
        {
            Originator = title,
            Use = tag == ApduTag.GeneralDedCiphering ? KeyUse.Dedicated : KeyUse.GlobalUnicast,
        };
    }

    private static Protected ReadServiceHead(scoped ref WireReader r, ApduTag tag, ReadOnlySpan<byte> associationTitle)
    {
        if (associationTitle.Length != SystemTitleBytes) r.Fail(WireCode.NoKey, 0);
        return new Protected
        {
            Originator = associationTitle,
            Use = tag.IsServiceDedicated() ? KeyUse.Dedicated : KeyUse.GlobalUnicast,
        };
    }

    private static Protected ReadGeneralHead(scoped ref WireReader r, ReadOnlySpan<byte> apdu)
    {
        var from = r.Position;
        var transaction = r.Octets();
        var originatorAt = r.Position;
        var originator = r.Octets();
        if (!r.Failed && originator.Length != SystemTitleBytes) r.Fail(WireCode.BadLength, originatorAt);
        var recipient = r.Octets();
        var time = r.Octets();
        var other = r.Octets();
        var to = r.Position;
        var use = KeyUse.GlobalUnicast;
        var scheme = KeyScheme.None;
        ReadOnlySpan<byte> keyData = default;
        var at = r.Position;
        var present = r.Byte();
        if (present > 1) r.Fail(WireCode.BadValue, at);
        if (present == 1 && !r.Failed) ReadKeyInfo(ref r, ref use, ref scheme, ref keyData);
        return new Protected
        {
            Originator = originator,
            Recipient = recipient,
            TransactionId = transaction,
            DateTime = time,
            OtherInformation = other,
            Additional = r.Failed ? default : apdu[from..to],
            Use = use,
            Scheme = scheme,
            KeyData = keyData,
        };
    }

    private static void ReadKeyInfo(scoped ref WireReader r, ref KeyUse use, ref KeyScheme scheme,
        ref ReadOnlySpan<byte> keyData)
    {
        var at = r.Position;
        switch (r.Byte())
        {
            case 0:
                at = r.Position;
                use = (KeyUse)r.Byte();
                if (use > KeyUse.GlobalBroadcast) r.Fail(WireCode.BadValue, at);
                break;
            case 1:
                at = r.Position;
                if (r.Byte() != 0) r.Fail(WireCode.BadValue, at);
                use = KeyUse.Wrapped;
                keyData = r.Octets();
                break;
            case 2:
                at = r.Position;
                var parameters = r.Octets();
                if (parameters.Length != 1 || parameters[0] is not (1 or 2)) r.Fail(WireCode.BadValue, at);
                else (use, scheme) = (KeyUse.Agreed, (KeyScheme)parameters[0]);
                keyData = r.Octets();
                break;
            default:
                r.Fail(WireCode.BadValue, at);
                break;
        }
    }

    /// <summary>
    /// Opens the message with the keys of <paramref name="meter"/> into <paramref name="plain"/>, which needs the
    /// length of <see cref="Payload"/>. The counter is not judged here.
    /// </summary>
    public bool TryOpen(IFrameCipher cipher, MeterId meter, Span<byte> plain, out int length, out WireError error)
    {
        length = 0;
        error = new WireError(WireCode.BufferTooSmall, PayloadOffset);
        if (plain.Length < Payload.Length) return false;
        var code = cipher.Open(Context(meter), Payload, AuthenticationTag, plain[..Payload.Length]);
        error = code == WireCode.None ? default : new WireError(code, PayloadOffset);
        if (code == WireCode.None) length = Payload.Length;
        return code == WireCode.None;
    }

    private CipherContext Context(MeterId meter) => new()
    {
        Meter = meter,
        Use = Use,
        Control = Control,
        Originator = Originator,
        Recipient = Recipient,
        InvocationCounter = InvocationCounter,
        Additional = Additional,
        TransactionId = TransactionId,
        KeyData = KeyData,
        Scheme = Scheme,
    };

    /// <summary>
    /// Seals a message as general-glo-, general-ded- or service ciphering, by <paramref name="tag"/>. Nothing is
    /// written unless the answer is <see cref="WireCode.None"/>.
    /// </summary>
    public static WireCode Write(ByteWriter w, ApduTag tag, IFrameCipher cipher, MeterId meter,
        ReadOnlySpan<byte> systemTitle, SecurityControl control, uint invocationCounter, ReadOnlySpan<byte> plain)
    {
        if (!tag.IsCiphered() || tag == ApduTag.GeneralCiphering)
            throw new ArgumentException($"{tag} is not general-glo, general-ded or service ciphering.");
        var dedicated = tag == ApduTag.GeneralDedCiphering || tag.IsServiceDedicated();
        var start = w.Length;
        w.Byte((byte)tag);
        if (!tag.IsServiceCiphered()) w.Octets(systemTitle);
        var context = new CipherContext
        {
            Meter = meter,
            Use = dedicated ? KeyUse.Dedicated : control.IsBroadcast ? KeyUse.GlobalBroadcast : KeyUse.GlobalUnicast,
            Control = control,
            Originator = systemTitle,
            InvocationCounter = invocationCounter,
        };
        return WriteContent(w, start, cipher, context, plain);
    }

    /// <summary>
    /// Seals a message as general-ciphering. <paramref name="key"/> says which key: identified, wrapped or agreed, with
    /// the data that go with it; for an agreed key the cipher is the <see cref="FrameKey"/> that the agreement gave.
    /// </summary>
    public static WireCode WriteGeneral(ByteWriter w, IFrameCipher cipher, MeterId meter, in GeneralHead head,
        in GeneralKey key, SecurityControl control, uint invocationCounter, ReadOnlySpan<byte> plain)
    {
        var start = w.Length;
        w.Byte((byte)ApduTag.GeneralCiphering);
        var from = w.Length;
        head.Write(w);
        // The writer's buffer may move while the rest is written.
        var additional = w.Written[from..].ToArray();
        key.Write(w);
        var context = new CipherContext
        {
            Meter = meter,
            Use = key.Use,
            Control = control,
            Originator = head.Originator,
            Recipient = head.Recipient,
            InvocationCounter = invocationCounter,
            Additional = additional,
            TransactionId = head.TransactionId,
            KeyData = key.Data,
            Scheme = key.Scheme,
        };
        return WriteContent(w, start, cipher, context, plain);
    }

    private static WireCode WriteContent(ByteWriter w, int start, IFrameCipher cipher, in CipherContext context,
        ReadOnlySpan<byte> plain)
    {
        w.WireLength(5 + plain.Length + context.Control.TagBytes);
        w.Byte(context.Control.Value);
        w.BigUInt32(context.InvocationCounter);
        var total = plain.Length + context.Control.TagBytes;
        var room = w.GetSpan(Math.Max(1, total))[..total];
        var code = cipher.Seal(context, plain, room[..plain.Length], room[plain.Length..]);
        if (code == WireCode.None) w.Advance(total);
        else w.Truncate(start);
        return code;
    }
}

/// <summary>
/// The fields that head general-ciphering and general-signing; any of them may be empty but the titles.
/// </summary>
public readonly ref struct GeneralHead
{
    public ReadOnlySpan<byte> TransactionId { get; init; }
    public ReadOnlySpan<byte> Originator { get; init; }
    public ReadOnlySpan<byte> Recipient { get; init; }
    public ReadOnlySpan<byte> DateTime { get; init; }
    public ReadOnlySpan<byte> OtherInformation { get; init; }

    internal void Write(ByteWriter w)
    {
        w.Octets(TransactionId);
        w.Octets(Originator);
        w.Octets(Recipient);
        w.Octets(DateTime);
        w.Octets(OtherInformation);
    }
}

/// <summary>key-info of general-ciphering.</summary>
public readonly ref struct GeneralKey
{
    public KeyUse Use { get; init; }
    public KeyScheme Scheme { get; init; }
    public ReadOnlySpan<byte> Data { get; init; }

    internal void Write(ByteWriter w)
    {
        w.Byte(1);
        switch (Use)
        {
            case KeyUse.GlobalUnicast or KeyUse.GlobalBroadcast:
                w.Bytes([0, (byte)Use]);
                break;
            case KeyUse.Wrapped:
                w.Bytes([1, 0]);
                w.Octets(Data);
                break;
            case KeyUse.Agreed:
                w.Bytes([2, 1, (byte)Scheme]);
                w.Octets(Data);
                break;
            default:
                throw new ArgumentException($"general-ciphering has no key-info for {Use}.");
        }
    }
}
