using System.Security.Cryptography;
using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>xDLMS initiate-request (0x01): what the client proposes.</summary>
public readonly ref struct InitiateRequest
{
    public const byte DlmsVersion = 6;

    /// <summary>Key of this association; empty when none. Only ever sent ciphered.</summary>
    public ReadOnlySpan<byte> DedicatedKey { get; init; }

    public Conformance Conformance { get; init; }

    /// <summary>Largest APDU that the client takes, bytes.</summary>
    public ushort MaxApdu { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> apdu, out InitiateRequest result, out WireError error)
    {
        var r = new WireReader(apdu);
        if (r.Byte() != (byte)ApduTag.InitiateRequest) r.Fail(WireCode.UnknownTag, 0);
        var at = r.Position;
        var key = ServiceForms.IsPresent(ref r) ? r.Octets() : default;
        if (!r.Failed && key.Length is not (0 or 16 or 32)) r.Fail(WireCode.BadLength, at);
        if (ServiceForms.IsPresent(ref r)) r.Byte();
        if (ServiceForms.IsPresent(ref r)) r.Byte();
        at = r.Position;
        if (r.Byte() != DlmsVersion) r.Fail(WireCode.BadVersion, at);
        var conformance = ReadConformance(ref r);
        var size = r.UInt16();
        r.AtEnd();
        error = r.Error;
        result = r.Failed ? default
            : new InitiateRequest { DedicatedKey = key, Conformance = conformance, MaxApdu = size };
        return !r.Failed;
    }

    public void Write(ByteWriter w)
    {
        w.Byte((byte)ApduTag.InitiateRequest);
        w.Bool(!DedicatedKey.IsEmpty);
        if (!DedicatedKey.IsEmpty) w.Octets(DedicatedKey);
        w.Bytes([0, 0, DlmsVersion]);
        WriteConformance(w, Conformance);
        w.BigUInt16(MaxApdu);
    }

    internal static Conformance ReadConformance(scoped ref WireReader r)
    {
        var at = r.Position;
        var head = r.Bytes(4);
        if (!r.Failed && !head.SequenceEqual((ReadOnlySpan<byte>)[0x5F, 0x1F, 4, 0])) r.Fail(WireCode.BadValue, at);
        var bits = r.Bytes(3);
        return r.Failed ? Conformance.None : (Conformance)(bits[0] << 16 | bits[1] << 8 | bits[2]);
    }

    internal static void WriteConformance(ByteWriter w, Conformance conformance)
    {
        var bits = (uint)conformance;
        w.Bytes([0x5F, 0x1F, 4, 0, (byte)(bits >> 16 & 0xFF), (byte)(bits >> 8 & 0xFF), (byte)(bits & 0xFF)]);
    }
}

/// <summary>xDLMS initiate-response (0x08): what the meter grants.</summary>
public readonly record struct InitiateResponse(Conformance Conformance, ushort MaxApdu)
{
    /// <summary>vaa-name of associations by logical name.</summary>
    private const ushort LogicalNames = 7;

    public static bool TryRead(ReadOnlySpan<byte> apdu, out InitiateResponse result, out WireError error)
    {
        var r = new WireReader(apdu);
        if (r.Byte() != (byte)ApduTag.InitiateResponse) r.Fail(WireCode.UnknownTag, 0);
        if (ServiceForms.IsPresent(ref r)) r.Byte();
        var at = r.Position;
        if (r.Byte() != InitiateRequest.DlmsVersion) r.Fail(WireCode.BadVersion, at);
        var conformance = InitiateRequest.ReadConformance(ref r);
        var size = r.UInt16();
        at = r.Position;
        if (r.UInt16() != LogicalNames && !r.Failed) r.Fail(WireCode.Unsupported, at);
        r.AtEnd();
        error = r.Error;
        result = r.Failed ? default : new InitiateResponse(conformance, size);
        return !r.Failed;
    }

    public void Write(ByteWriter w)
    {
        w.Bytes([(byte)ApduTag.InitiateResponse, 0, InitiateRequest.DlmsVersion]);
        InitiateRequest.WriteConformance(w, Conformance);
        w.BigUInt16(MaxApdu);
        w.BigUInt16(LogicalNames);
    }
}

/// <summary>
/// The answers to challenges of high-level security (IEC 62056-5-3): passes 3 and 4 of the method
/// reply_to_HLS_authentication.
/// </summary>
public static class Hls
{
    /// <summary>Control byte, counter and tag of a GMAC answer.</summary>
    public const int GmacBytes = 5 + Protected.TagBytes;

    public const int MinChallengeBytes = 8, MaxChallengeBytes = 64;

    /// <summary>
    /// Mechanism 5: control byte (authenticated only), invocation counter, and the tag over control byte,
    /// authentication key and challenge.
    /// </summary>
    public static WireCode Gmac(IFrameCipher cipher, MeterId meter, ReadOnlySpan<byte> ownTitle, int suite,
        uint invocationCounter, ReadOnlySpan<byte> challenge, Span<byte> answer)
    {
        if (answer.Length != GmacBytes) return WireCode.BufferTooSmall;
        if (challenge.Length > MaxChallengeBytes) return WireCode.TooLong;
        var context = GmacContext(meter, ownTitle, suite, invocationCounter);
        answer[0] = context.Control.Value;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(answer[1..], invocationCounter);
        Span<byte> copy = stackalloc byte[MaxChallengeBytes];
        return cipher.Seal(context, challenge, copy[..challenge.Length], answer[5..]);
    }

    /// <summary>Checks the answer of the party with the title; gives the counter that it used.</summary>
    public static WireCode CheckGmac(IFrameCipher cipher, MeterId meter, ReadOnlySpan<byte> theirTitle, int suite,
        ReadOnlySpan<byte> challenge, ReadOnlySpan<byte> answer, out uint invocationCounter)
    {
        invocationCounter = 0;
        if (answer.Length != GmacBytes) return WireCode.BadLength;
        if (challenge.Length > MaxChallengeBytes) return WireCode.TooLong;
        if (answer[0] != (byte)(0x10 | suite)) return WireCode.BadSecurityControl;
        invocationCounter = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(answer[1..]);
        Span<byte> copy = stackalloc byte[MaxChallengeBytes];
        return cipher.Open(GmacContext(meter, theirTitle, suite, invocationCounter), challenge, answer[5..],
            copy[..challenge.Length]);
    }

    private static CipherContext GmacContext(MeterId meter, ReadOnlySpan<byte> title, int suite, uint counter) => new()
    {
        Meter = meter,
        Use = KeyUse.GlobalUnicast,
        Control = new SecurityControl(suite, authenticated: true, encrypted: false),
        Originator = title,
        InvocationCounter = counter,
    };

    /// <summary>
    /// Mechanism 6: SHA-256 over the HLS secret, the title of who answers, the title of who asked, the challenge that
    /// is answered and the challenge that was sent.
    /// </summary>
    public static void Sha256(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> ownTitle, ReadOnlySpan<byte> theirTitle,
        ReadOnlySpan<byte> theirChallenge, ReadOnlySpan<byte> ownChallenge, Span<byte> answer)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(secret);
        Append(hash, ownTitle, theirTitle, theirChallenge, ownChallenge);
        hash.GetHashAndReset(answer);
    }

    /// <summary>
    /// Mechanism 7: the digest that is signed, over the same but the secret; SHA-256 in suite 1, SHA-384 in suite 2.
    /// </summary>
    public static int EcdsaDigest(int suite, ReadOnlySpan<byte> ownTitle, ReadOnlySpan<byte> theirTitle,
        ReadOnlySpan<byte> theirChallenge, ReadOnlySpan<byte> ownChallenge, Span<byte> digest)
    {
        using var hash = IncrementalHash.CreateHash(suite == 2 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256);
        Append(hash, ownTitle, theirTitle, theirChallenge, ownChallenge);
        return hash.GetHashAndReset(digest);
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> ownTitle, ReadOnlySpan<byte> theirTitle,
        ReadOnlySpan<byte> theirChallenge, ReadOnlySpan<byte> ownChallenge)
    {
        hash.AppendData(ownTitle);
        hash.AppendData(theirTitle);
        hash.AppendData(theirChallenge);
        hash.AppendData(ownChallenge);
    }
}
