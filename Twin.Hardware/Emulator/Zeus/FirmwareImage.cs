using System.Security.Cryptography;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;
using Twin.Hardware.Crypto;
using Twin.Hardware.Signatures;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>Why bytes are no firmware image.</summary>
public enum ImageFault : byte
{
    None = 0,
    /// <summary>The header does not begin with the magic number: erased flash, or something else.</summary>
    NotAnImage = 1,
    /// <summary>A header of a format that this reader does not know.</summary>
    NewerFormat = 2,
    /// <summary>The header is cut short or out of its ranges.</summary>
    DamagedHeader = 3,
    /// <summary>The body has not the number of bytes that the header says.</summary>
    WrongLength = 4,
    /// <summary>A page of the body has not the digest that the header says.</summary>
    WrongPage = 5,
    /// <summary>The list of further signatures is damaged, or does not fit the first page.</summary>
    DamagedSignatures = 6,
}

/// <summary>
/// The signed part of an image: what it is and the digest of each page of its body. An image's digest is SHA-256 of the
/// encoded header; as it holds the page digests it stands for the whole image, and it does not depend on the signature.
/// </summary>
public sealed record FirmwareHeader
{
    /// <summary>"MTFW", then the format's version.</summary>
    private static ReadOnlySpan<byte> Magic => "MTFW"u8;
    private const byte Format = 1;

    public const int DigestBytes = 32, MaxTextBytes = 32, MaxPages = Flash.LargePages;

    public required FirmwarePart Part { get; init; }

    /// <summary>The hardware that it is for: 1 to 32 bytes of UTF-8.</summary>
    public required string Model { get; init; }

    /// <summary>The release as people call it: 1 to 32 bytes of UTF-8.</summary>
    public required string Name { get; init; }

    /// <summary>Versions of one part and model rise with time.</summary>
    public required uint Version { get; init; }

    /// <summary>Rises when an older image must no longer run; the chip's fuses hold the least it takes.</summary>
    public required ushort SecurityVersion { get; init; }

    /// <summary>Bytes of the body; its last page is filled up with FF.</summary>
    public required int BodyBytes { get; init; }

    /// <summary>SHA-256 of each page of the body, one after the other.</summary>
    public required ReadOnlyMemory<byte> PageDigests { get; init; }

    /// <summary>Whose signature follows.</summary>
    public required EcPublicKey Signer { get; init; }

    public int Pages => PageDigests.Length / DigestBytes;

    public ReadOnlySpan<byte> PageDigest(int page) => PageDigests.Span.Slice(page * DigestBytes, DigestBytes);

    public byte[] Encode()
    {
        var w = new ByteWriter(256 + PageDigests.Length);
        w.Bytes(Magic);
        w.Byte(Format);
        w.Byte((byte)Part);
        w.Text(Model);
        w.Text(Name);
        w.VarUInt(Version);
        w.VarUInt(SecurityVersion);
        w.VarUInt((ulong)BodyBytes);
        w.Blob(Signer.Point);
        w.Bytes(PageDigests.Span);
        return w.ToArray();
    }

    /// <summary>The image's digest: what the attestation log records and the utility approves.</summary>
    public Digest Digest() => Attestation.Digest.Of(Encode());

    /// <summary>What further signers sign: a context of its own, so that a signature of something else is none, then
    /// the header.</summary>
    public byte[] ToBeSigned() => [.. "MeterTwin firmware 1\0"u8, .. Encode()];

    /// <summary>What the signer signs: the header under the hash of the signer's curve.</summary>
    public byte[] SignedDigest() => Signer.Curve.Digest(Encode());

    /// <summary>
    /// Reads a header from the beginning of <paramref name="bytes"/>; <paramref name="length"/> is its own.
    /// </summary>
    public static ImageFault TryRead(ReadOnlySpan<byte> bytes, out FirmwareHeader header, out int length)
    {
        (header, length) = (null!, 0);
        if (bytes.Length < 5 || !bytes[..4].SequenceEqual(Magic)) return ImageFault.NotAnImage;
        if (bytes[4] != Format)
            return bytes[4] is > Format and < 0xFF ? ImageFault.NewerFormat : ImageFault.DamagedHeader;
        try
        {
            var r = new ByteReader(bytes[5..]);
            var part = (FirmwarePart)r.Byte((int)FirmwarePart.Bootloader, (int)FirmwarePart.Cak);
            string model = r.Text(), name = r.Text();
            var (version, security) = (SecurityCode.ReadUInt32(ref r), (ushort)r.Count(ushort.MaxValue));
            var body = r.Count(MaxPages * Flash.PageBytes);
            if (!EcPublicKey.TryFrom(r.Blob(), out var signer) || !Sound(model) || !Sound(name) || body == 0)
                return ImageFault.DamagedHeader;
            var digests = r.Bytes(PagesOf(body) * DigestBytes).ToArray();
            length = 5 + r.Position;
            header = new FirmwareHeader
            {
                Part = part, Model = model, Name = name, Version = version, SecurityVersion = security,
                BodyBytes = body, PageDigests = digests, Signer = signer,
            };
            return ImageFault.None;
        }
        catch (InvalidDataException)
        {
            return ImageFault.DamagedHeader;
        }
    }

    internal static int PagesOf(int bodyBytes) => (bodyBytes + Flash.PageBytes - 1) / Flash.PageBytes;

    internal static bool Sound(string text) => System.Text.Encoding.UTF8.GetByteCount(text) is >= 1 and <= MaxTextBytes;

    public bool Equals(FirmwareHeader? other) => other is not null && Encode().AsSpan().SequenceEqual(other.Encode());
    public override int GetHashCode() => Digest().GetHashCode();
}

/// <summary>
/// An image as it travels and lies in flash: one page of header, signature and further signatures, then the body. The
/// further ones stand where the first boot ROMs look at nothing, and travel behind the body. The page objects are
/// shared by all meters that hold the image.
/// </summary>
public sealed class FirmwareImage
{
    private FirmwareImage(FirmwareHeader header, byte[] signature, SignatureList others, FlashPage[] body)
    {
        (Header, Signature, Others) = (header, signature, others);
        var first = new ByteWriter(512);
        first.Bytes(header.Encode());
        first.Bytes(signature);
        if (!others.IsEmpty) first.Bytes(others.Encode());
        if (first.Length > Flash.PageBytes)
            throw new ArgumentException($"Header and signatures have {first.Length} bytes, a page {Flash.PageBytes}.");
        Pages = [FlashPage.Of(first.Written), .. body];
        Digest = header.Digest();
    }

    public FirmwareHeader Header { get; }
    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>Signatures by other algorithms; empty for an image of before there were any.</summary>
    public SignatureList Others { get; }

    /// <summary>The header's page and those of the body, in the order of a slot.</summary>
    public IReadOnlyList<FlashPage> Pages { get; }

    /// <summary><see cref="FirmwareHeader.Digest"/>.</summary>
    public Digest Digest { get; }

    /// <summary>Makes an image and has it signed.</summary>
    /// <exception cref="ArgumentException">A body, model or name is empty or too long; a part is no
    /// firmware.</exception>
    /// <param name="signer">Its public key goes into the header, its signature behind it.</param>
    public static FirmwareImage Build(FirmwarePart part, string model, string name, uint version,
        ushort securityVersion, ReadOnlySpan<byte> body, SigningKey signer)
    {
        if (part is not (FirmwarePart.Bootloader or FirmwarePart.Application or FirmwarePart.Metrology
            or FirmwarePart.Cak)) throw new ArgumentException($"{part} is no firmware.");
        if (!FirmwareHeader.Sound(model) || !FirmwareHeader.Sound(name))
            throw new ArgumentException($"Model and name have 1 to {FirmwareHeader.MaxTextBytes} bytes each.");
        if (body.IsEmpty || body.Length > FirmwareHeader.MaxPages * Flash.PageBytes)
            throw new ArgumentException($"A body has 1 to {FirmwareHeader.MaxPages * Flash.PageBytes} bytes.");
        var pages = Split(body);
        var digests = new byte[pages.Length * FirmwareHeader.DigestBytes];
        for (var i = 0; i < pages.Length; i++) pages[i].Digest.CopyTo(digests.AsSpan(i * FirmwareHeader.DigestBytes));
        var header = new FirmwareHeader
        {
            Part = part, Model = model, Name = name, Version = version, SecurityVersion = securityVersion,
            BodyBytes = body.Length, PageDigests = digests, Signer = signer.PublicKey,
        };
        return new FirmwareImage(header, signer.Sign(header.SignedDigest()), SignatureList.None, pages);
    }

    /// <summary>The same release with further signatures; its digest does not change.</summary>
    /// <exception cref="ArgumentException">They do not fit beside the header.</exception>
    public FirmwareImage Signed(params IEnumerable<IMessageSigner> signers) =>
        With(new SignatureList(signers.Select(s =>
        new ListedSignature(s.Public.Algorithm, s.Public.KeyId, default, s.Sign(Header.ToBeSigned())))));

    /// <inheritdoc cref="Signed"/>
    public FirmwareImage With(SignatureList others) =>
        new(Header, Signature.ToArray(), others, [.. Pages.Skip(1)]);

    /// <summary>
    /// Reads header ‖ signature ‖ body, and further signatures where there are any, as image transfer carries it, and
    /// checks form and page digests. It does not check the signatures: that is the bootloader's to do, and an
    /// attacker's to hope.
    /// </summary>
    public static ImageFault TryParse(ReadOnlySpan<byte> bytes, out FirmwareImage image)
    {
        image = null!;
        if (FirmwareHeader.TryRead(bytes, out var header, out var length) is var fault and not ImageFault.None)
            return fault;
        var body = length + header.Signer.Curve.SignatureBytes;
        var end = body + header.BodyBytes;
        if (bytes.Length < end) return ImageFault.WrongLength;
        var others = SignatureList.None;
        if (bytes.Length > end)
        {
            var read = SignatureList.TryRead(bytes[end..], out others, out var more);
            if (read == SignatureListFault.NoList) return ImageFault.WrongLength;
            if (read == SignatureListFault.NewerFormat) return ImageFault.NewerFormat;
            if (read != SignatureListFault.None || body + more > Flash.PageBytes) return ImageFault.DamagedSignatures;
            if (end + more != bytes.Length) return ImageFault.WrongLength;
        }
        var pages = Split(bytes[body..end]);
        for (var i = 0; i < pages.Length; i++)
            if (!pages[i].Digest.SequenceEqual(header.PageDigest(i))) return ImageFault.WrongPage;
        image = new FirmwareImage(header, bytes[length..body].ToArray(), others, pages);
        return ImageFault.None;
    }

    /// <summary>Header ‖ signature ‖ body, then the list of further signatures when there is one.</summary>
    public byte[] ToBytes()
    {
        var w = new ByteWriter(1024 + Header.BodyBytes);
        w.Bytes(Header.Encode());
        w.Bytes(Signature.Span);
        var left = Header.BodyBytes;
        foreach (var page in Pages.Skip(1))
        {
            w.Bytes(page.Bytes[..Math.Min(left, Flash.PageBytes)]);
            left -= Math.Min(left, Flash.PageBytes);
        }
        if (!Others.IsEmpty) w.Bytes(Others.Encode());
        return w.ToArray();
    }

    private static FlashPage[] Split(ReadOnlySpan<byte> body)
    {
        var pages = new FlashPage[FirmwareHeader.PagesOf(body.Length)];
        for (var i = 0; i < pages.Length; i++)
        {
            var from = i * Flash.PageBytes;
            pages[i] = FlashPage.Of(body[from..Math.Min(from + Flash.PageBytes, body.Length)]);
        }
        return pages;
    }

    public override string ToString() => $"{Header.Part} {Header.Name} for {Header.Model}";
}
