using System.Security.Cryptography;
using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>
/// A general-signing APDU (0xDF) of suite 1 or 2 taken apart: head fields, content (a whole APDU) and signature. Length
/// and value of each field from transaction-id to content are signed.
/// </summary>
public readonly ref struct Signed
{
    public ReadOnlySpan<byte> TransactionId { get; init; }

    /// <summary>System title of who signed.</summary>
    public ReadOnlySpan<byte> Originator { get; init; }

    public ReadOnlySpan<byte> Recipient { get; init; }
    public ReadOnlySpan<byte> DateTime { get; init; }
    public ReadOnlySpan<byte> OtherInformation { get; init; }
    public ReadOnlySpan<byte> Content { get; init; }

    /// <summary>r and s behind one another: 64 bytes in suite 1, 96 in suite 2.</summary>
    public ReadOnlySpan<byte> Signature { get; init; }

    private ReadOnlySpan<byte> Message { get; init; }

    /// <summary>1 or 2, told by the length of the signature.</summary>
    public int Suite => Signature.Length == KeyAgreement.SignatureBytes(1) ? 1 : 2;

    public static bool TryRead(ReadOnlySpan<byte> apdu, out Signed result, out WireError error)
    {
        result = default;
        var r = new WireReader(apdu);
        if (r.Byte() != (byte)ApduTag.GeneralSigning) r.Fail(WireCode.UnknownTag, 0);
        var transaction = r.Octets();
        var at = r.Position;
        var originator = r.Octets();
        if (!r.Failed && originator.Length != Protected.SystemTitleBytes) r.Fail(WireCode.BadLength, at);
        var recipient = r.Octets();
        var time = r.Octets();
        var other = r.Octets();
        var content = r.Octets();
        var end = r.Position;
        var signature = r.Octets();
        if (!r.Failed && signature.Length is not (64 or 96)) r.Fail(WireCode.BadLength, end);
        r.AtEnd();
        error = r.Error;
        if (r.Failed) return false;
        result = new Signed
        {
            TransactionId = transaction,
            Originator = originator,
            Recipient = recipient,
            DateTime = time,
            OtherInformation = other,
            Content = content,
            Signature = signature,
            Message = apdu[1..end],
        };
        return true;
    }

    /// <summary>Writes the digest that was signed; its length.</summary>
    public int Digest(Span<byte> digest) => KeyAgreement.Digest(Suite, Message, digest);

    /// <summary>True when the signature is that of the key, on the curve of the suite.</summary>
    public bool IsSignedBy(ECDsa key)
    {
        Span<byte> digest = stackalloc byte[48];
        return key.KeySize == 8 * KeyAgreement.FieldBytes(Suite) && key.VerifyHash(digest[..Digest(digest)], Signature);
    }

    /// <summary>
    /// Appends a signed message. Nothing is written, and <see cref="WireCode.SignatureFailed"/> given, when the signer
    /// refuses.
    /// </summary>
    public static WireCode Write(ByteWriter w, in GeneralHead head, ReadOnlySpan<byte> content, int suite,
        DigestSigner signer)
    {
        var start = w.Length;
        w.Byte((byte)ApduTag.GeneralSigning);
        head.Write(w);
        w.Octets(content);
        Span<byte> digest = stackalloc byte[48];
        var length = KeyAgreement.Digest(suite, w.Written[(start + 1)..], digest);
        Span<byte> signature = stackalloc byte[96];
        signature = signature[..KeyAgreement.SignatureBytes(suite)];
        if (!signer(digest[..length], signature))
        {
            w.Truncate(start);
            return WireCode.SignatureFailed;
        }
        w.Octets(signature);
        return WireCode.None;
    }
}
