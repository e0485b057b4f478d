using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>
/// How the parties of an association prove who they are; the last number of the mechanism's identifier.
/// </summary>
public enum Mechanism : byte
{
    None = 0,
    /// <summary>Low level: a password in the request.</summary>
    Lls = 1,
    Hls = 2,
    HlsMd5 = 3,
    HlsSha1 = 4,
    HlsGmac = 5,
    HlsSha256 = 6,
    HlsEcdsa = 7,
}

/// <summary>The conformance block: 24 bits, the first in the highest place (IEC 62056-53).</summary>
[Flags]
public enum Conformance : uint
{
    None = 0,
    GeneralProtection = 1 << 22,
    GeneralBlockTransfer = 1 << 21,
    PriorityManagement = 1 << 14,
    BlockTransferWithGet = 1 << 12,
    BlockTransferWithSet = 1 << 11,
    BlockTransferWithAction = 1 << 10,
    MultipleReferences = 1 << 9,
    DataNotification = 1 << 7,
    Access = 1 << 6,
    Get = 1 << 4,
    Set = 1 << 3,
    SelectiveAccess = 1 << 2,
    EventNotification = 1 << 1,
    Action = 1 << 0,
}

/// <summary>AARQ (0x60): a client asks for an association. BER, in the order and with the tags of ACSE.</summary>
public readonly ref struct AssociationRequest
{
    /// <summary>Objects by logical name; <see cref="IsCiphered"/> tells contexts 1 and 3 apart.</summary>
    public bool IsCiphered { get; init; }

    public Mechanism Mechanism { get; init; }

    /// <summary>calling-AP-title; 8 bytes or empty.</summary>
    public ReadOnlySpan<byte> ClientTitle { get; init; }

    /// <summary>Password of LLS, challenge to the server of HLS. A secret in LLS: not for logs.</summary>
    public ReadOnlySpan<byte> AuthenticationValue { get; init; }

    /// <summary>calling-AE-invocation-id: the user of the client; −1 when not given.</summary>
    public int UserId { get; init; }

    /// <summary>xDLMS initiate-request: plain (0x01) or ciphered (0x21, 0xDB).</summary>
    public ReadOnlySpan<byte> Initiate { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> apdu, out AssociationRequest result, out WireError error)
    {
        result = default;
        var r = new WireReader(apdu);
        Ber.Open(ref r, ApduTag.Aarq);
        var f = new Ber.Fields { UserId = -1 };
        while (!r.Failed && r.Left > 0) f.Read(ref r);
        if (!r.Failed && f.Context is not (1 or 3)) r.Fail(f.Context == 0 ? WireCode.Truncated : WireCode.Unsupported);
        error = r.Error;
        if (r.Failed) return false;
        result = new AssociationRequest
        {
            IsCiphered = f.Context == 3,
            Mechanism = f.Mechanism,
            ClientTitle = f.Title,
            AuthenticationValue = f.Value,
            UserId = f.UserId,
            Initiate = f.UserInformation,
        };
        return true;
    }

    public void Write(ByteWriter w)
    {
        var body = new ByteWriter();
        Ber.Context(body, IsCiphered);
        if (!ClientTitle.IsEmpty) Ber.Nested(body, 0xA6, 0x04, ClientTitle);
        if (UserId >= 0) Ber.Nested(body, 0xA9, 0x02, [(byte)UserId]);
        if (Mechanism != Mechanism.None)
        {
            body.Bytes([0x8A, 2, 7, 0x80]);
            Ber.MechanismName(body, 0x8B, Mechanism);
            Ber.Nested(body, 0xAC, 0x80, AuthenticationValue);
        }
        if (!Initiate.IsEmpty) Ber.Nested(body, 0xBE, 0x04, Initiate);
        w.Byte((byte)ApduTag.Aarq);
        w.Octets(body.Written);
    }
}

/// <summary>AARE (0x61): the answer of the meter.</summary>
public readonly ref struct AssociationResponse
{
    public bool IsCiphered { get; init; }

    /// <summary>0 accepted, 1 rejected for good, 2 rejected for now.</summary>
    public byte Result { get; init; }

    /// <summary>
    /// Diagnostic of the ACSE user: 0 null, 1 no reason, 2 context not supported, 11 mechanism not known,
    /// 13 authentication failure, 14 authentication required.
    /// </summary>
    public byte Diagnostic { get; init; }

    public Mechanism Mechanism { get; init; }

    /// <summary>responding-AP-title; 8 bytes or empty.</summary>
    public ReadOnlySpan<byte> ServerTitle { get; init; }

    /// <summary>Challenge to the client of HLS.</summary>
    public ReadOnlySpan<byte> AuthenticationValue { get; init; }

    /// <summary>xDLMS initiate-response (0x08, 0x28, 0xDB) or confirmed service error (0x0E).</summary>
    public ReadOnlySpan<byte> Initiate { get; init; }

    public bool IsAccepted => Result == 0;

    public static bool TryRead(ReadOnlySpan<byte> apdu, out AssociationResponse result, out WireError error)
    {
        result = default;
        var r = new WireReader(apdu);
        Ber.Open(ref r, ApduTag.Aare);
        var f = new Ber.Fields { IsResponse = true };
        while (!r.Failed && r.Left > 0) f.Read(ref r);
        if (!r.Failed && f.Context is not (1 or 3)) r.Fail(f.Context == 0 ? WireCode.Truncated : WireCode.Unsupported);
        error = r.Error;
        if (r.Failed) return false;
        result = new AssociationResponse
        {
            IsCiphered = f.Context == 3,
            Result = f.Result,
            Diagnostic = f.Diagnostic,
            Mechanism = f.Mechanism,
            ServerTitle = f.Title,
            AuthenticationValue = f.Value,
            Initiate = f.UserInformation,
        };
        return true;
    }

    public void Write(ByteWriter w)
    {
        var body = new ByteWriter();
        Ber.Context(body, IsCiphered);
        Ber.Nested(body, 0xA2, 0x02, [Result]);
        body.Bytes([0xA3, 5, 0xA1, 3, 2, 1, Diagnostic]);
        if (!ServerTitle.IsEmpty) Ber.Nested(body, 0xA4, 0x04, ServerTitle);
        if (Mechanism != Mechanism.None)
        {
            body.Bytes([0x88, 2, 7, 0x80]);
            Ber.MechanismName(body, 0x89, Mechanism);
            Ber.Nested(body, 0xAA, 0x80, AuthenticationValue);
        }
        if (!Initiate.IsEmpty) Ber.Nested(body, 0xBE, 0x04, Initiate);
        w.Byte((byte)ApduTag.Aare);
        w.Octets(body.Written);
    }
}

/// <summary>RLRQ (0x62) and RLRE (0x63): the end of an association, with a reason and maybe user information.</summary>
public readonly ref struct ReleaseMessage
{
    public bool IsResponse { get; init; }

    /// <summary>0 normal, 1 urgent (request) or not finished (response), 30 user defined; −1: not given.</summary>
    public int Reason { get; init; }

    public ReadOnlySpan<byte> UserInformation { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> apdu, out ReleaseMessage result, out WireError error)
    {
        var r = new WireReader(apdu);
        var isResponse = r.Peek() == (byte)ApduTag.Rlre;
        Ber.Open(ref r, isResponse ? ApduTag.Rlre : ApduTag.Rlrq);
        var reason = -1;
        ReadOnlySpan<byte> information = default;
        while (!r.Failed && r.Left > 0)
        {
            var at = r.Position;
            var tag = r.Byte();
            var content = r.Octets();
            if (tag == 0x80 && content.Length == 1) reason = content[0];
            else if (tag == 0xBE) information = Ber.Inner(ref r, content, 0x04, at);
            else r.Fail(WireCode.UnknownTag, at);
        }
        error = r.Error;
        result = r.Failed ? default
            : new ReleaseMessage { IsResponse = isResponse, Reason = reason, UserInformation = information };
        return !r.Failed;
    }

    public void Write(ByteWriter w)
    {
        var body = new ByteWriter();
        if (Reason >= 0) body.Bytes([0x80, 1, (byte)Reason]);
        if (!UserInformation.IsEmpty) Ber.Nested(body, 0xBE, 0x04, UserInformation);
        w.Byte((byte)(IsResponse ? ApduTag.Rlre : ApduTag.Rlrq));
        w.Octets(body.Written);
    }
}
