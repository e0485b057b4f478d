using Twin.Hardware.Attestation;
using Twin.Hardware.Signatures;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>Why the bootloader does not run what is in a slot.</summary>
public enum BootRefusal : byte
{
    None = 0,
    /// <summary>No image: erased, or no header that can be read.</summary>
    NoImage = 1,
    WrongPart = 2, WrongModel = 3,
    /// <summary>The signer's key is no trust anchor, or a revoked one.</summary>
    UnknownSigner = 4,
    BadSignature = 5,
    /// <summary>The security version is below what the fuses ask for.</summary>
    SecurityVersion = 6,
    /// <summary>The header is genuine, and pages of the body are not as it says: rot, or a patch in place.</summary>
    ChangedPages = 7,
    /// <summary>The body does not fit the slot.</summary>
    TooLarge = 8,
    /// <summary>Activated, and never confirmed within the allowed boots.</summary>
    NoSignOfLife = 9,
    /// <summary>
    /// No good signature of an algorithm that earlier images of the part had, and whose key is in ROM: a downgrade.
    /// </summary>
    StrippedSignature = (byte)RefusalDetail.StrippedSignature,
    /// <summary>The list of signatures is damaged, or of a format that the ROM does not know.</summary>
    UnreadableSignatures = (byte)RefusalDetail.UnreadableSignatures,
    /// <summary>The chip requires more signatures than the image has.</summary>
    TooFewSignatures = (byte)RefusalDetail.TooFewSignatures,
}

/// <summary>What was found in a slot. <paramref name="FirstChangedPage"/> counts the flash's pages.</summary>
public readonly record struct SlotCheck(BootRefusal Refusal, Digest Image, uint Version, ushort SecurityVersion,
    ushort ChangedPages, ushort FirstChangedPage)
{
    public PartState State => new(Image, Version, SecurityVersion);
}

/// <summary>
/// A part that runs, and how its slot came to be the one. <paramref name="Explained"/>: by the boot record.
/// </summary>
public readonly record struct BootedPart(FirmwarePart Part, FirmwareSlot Slot, SlotCheck Check, SlotOrigin Origin,
    bool Explained);

/// <summary>An image that was not run.</summary>
public readonly record struct RefusedImage(FirmwarePart Part, FirmwareSlot Slot, SlotCheck Check);

/// <summary>
/// What a boot came to. Without an application the metrology core still runs when its image was taken.
/// </summary>
public sealed record BootReport(IReadOnlyList<BootedPart> Booted, IReadOnlyList<RefusedImage> Refused)
{
    public bool Runs(FirmwarePart part) => Booted.Any(b => b.Part == part);
}

/// <summary>
/// The bootloader in ROM. It runs an image only when its header is signed as ROM and fuses require (by a key burned in
/// as trust anchor, unless post-quantum signatures alone count), its security version is not below the fuses', and
/// every page has the digest that the header says. What it refuses it reports, and falls back to the other slot. An
/// image that was activated has <see cref="MaxAttempts"/> boots to be confirmed. Opened (an attacker's chip, or a
/// mistake of the maker) it runs whatever is there.
/// </summary>
public sealed class SecureBootloader
{
    /// <summary>Boots that an activated image has to give a sign of life, before the other slot runs again.</summary>
    public const int MaxAttempts = 3;

    private readonly Flash _flash;
    private readonly Fuses _fuses;
    private readonly BootRecord _record;
    private readonly string _model;
    private readonly bool _open;
    private readonly BootRom _rom;
    private readonly BootSignatures _signatures;

    internal SecureBootloader(Flash flash, Fuses fuses, ChipSpec spec)
    {
        (_flash, _fuses, _model, _open, _rom) = (flash, fuses, spec.Model, spec.OpenBoot, spec.Rom);
        _signatures = new BootSignatures(spec.Rom, fuses, spec.Signatures);
        _record = new BootRecord(flash);
    }

    /// <summary>The slot that a part runs from.</summary>
    public FirmwareSlot Active(FirmwarePart part) => _record[part].Active;

    /// <summary>The slot that the next image of a part goes to.</summary>
    public FirmwareSlot Spare(FirmwarePart part) => FlashMap.Other(Active(part));

    /// <summary>True when the next boot is to try the spare slot.</summary>
    public bool IsPending(FirmwarePart part) => _record[part].Pending;

    internal void Start() => _record.Start();

    /// <summary>Chooses and checks the images of all parts.</summary>
    /// <exception cref="PowerLossException">The supply failed; the next boot begins anew.</exception>
    internal BootReport Boot()
    {
        var booted = new List<BootedPart>(FlashMap.Parts.Length);
        var refused = new List<RefusedImage>();
        foreach (var part in FlashMap.Parts)
        {
            TryPending(part, refused);
            if (Choose(part, refused) is { } chosen) booted.Add(chosen);
        }
        return new BootReport(booted, refused);
    }

    /// <summary>Checks what is in a slot: signatures, versions, and every page.</summary>
    public SlotCheck Check(FirmwarePart part, FirmwareSlot slot) => Check(part, slot, Required(part));

    private SlotCheck Check(FirmwarePart part, FirmwareSlot slot, SignaturePolicy policy)
    {
        var range = FlashMap.Slot(_flash.Pages, part, slot);
        var first = new byte[Flash.PageBytes];
        _flash.Read(range.First, 0, first);
        if (FirmwareHeader.TryRead(first, out var header, out var length) != ImageFault.None)
            return _open ? Unreadable(range) : new SlotCheck(BootRefusal.NoImage, Digest.None, 0, 0, 0, 0);
        var measured = Measure(header, range, out var changed, out var firstChanged);
        var refusal = header.Pages > range.Count - 1 ? BootRefusal.TooLarge
            : header.Part != part ? BootRefusal.WrongPart
            : header.Model != _model ? BootRefusal.WrongModel
            : _signatures.Check(part, header, first.AsSpan(length), policy) is not BootRefusal.None and var unsigned
                ? unsigned
            : header.SecurityVersion < _fuses.LeastSecurity(part) ? BootRefusal.SecurityVersion
            : changed > 0 ? BootRefusal.ChangedPages : BootRefusal.None;
        return new SlotCheck(refusal, measured, header.Version, header.SecurityVersion, changed, firstChanged);
    }

    /// <summary>
    /// Erases a slot and programs an image into it, without checking it: the boot does. Pages that meters share stay
    /// shared.
    /// </summary>
    /// <exception cref="ArgumentException">The image does not fit.</exception>
    /// <exception cref="PowerLossException">The supply failed; the slot holds no image.</exception>
    public void Write(FirmwareSlot slot, FirmwareImage image) => Write(image.Header.Part, slot, image);

    /// <inheritdoc cref="Write(FirmwareSlot, FirmwareImage)"/>
    public void Write(FirmwarePart part, FirmwareSlot slot, FirmwareImage image)
    {
        var range = FlashMap.Slot(_flash.Pages, part, slot);
        if (image.Pages.Count > range.Count)
            throw new ArgumentException($"{image} has {image.Pages.Count} pages, slot {slot} of {part} {range.Count}.");
        for (var p = 0; p < range.Count; p++)
            if (!_flash.IsErased(range.First + p)) _flash.Erase(range.First + p);
        // The header last: a slot without one holds no image.
        for (var p = image.Pages.Count - 1; p >= 0; p--) _flash.Program(range.First + p, image.Pages[p]);
    }

    /// <summary>
    /// Has the next boot run the spare slot. What it would refuse is refused here, and nothing changes.
    /// </summary>
    public BootRefusal RequestActivation(FirmwarePart part)
    {
        var check = Check(part, Spare(part));
        if (!_open && check.Refusal != BootRefusal.None) return check.Refusal;
        _record.Set(part, _record[part] with { Pending = true });
        return BootRefusal.None;
    }

    /// <summary>
    /// The running image gives its sign of life: it stays, and with it its security version becomes the least one.
    /// </summary>
    public void Confirm(FirmwarePart part)
    {
        var choice = _record[part];
        _record.Set(part, choice with { Attempts = 0 });
        if (Check(part, choice.Active) is not { Refusal: BootRefusal.None } check) return;
        _fuses.RaiseSecurity(part, check.SecurityVersion);
        PutInForce(part, choice.Active);
    }

    /// <summary>What a part's images must be signed with.</summary>
    public SignaturePolicy Required(FirmwarePart part) =>
        _fuses.Policy(part) > _rom.Policy ? _fuses.Policy(part) : _rom.Policy;

    /// <summary>
    /// Raises what all parts must be signed with, for ever. When what runs would not meet it nothing changes, and the
    /// answer says why: a meter must not be turned into one that does not boot.
    /// </summary>
    internal BootRefusal TryRequire(SignaturePolicy policy)
    {
        foreach (var part in FlashMap.Parts)
        {
            var least = policy > Required(part) ? policy : Required(part);
            if (Check(part, Active(part), least).Refusal is var refusal and not BootRefusal.None) return refusal;
        }
        foreach (var part in FlashMap.Parts)
        {
            _fuses.Require(part, policy);
            PutInForce(part, Active(part));
        }
        return BootRefusal.None;
    }

    /// <summary>
    /// Revokes a key of the ROM; false when a part runs that must have a post-quantum signature and has no other.
    /// </summary>
    internal bool TryRevoke(int romKey)
    {
        foreach (var part in FlashMap.Parts)
            if (Required(part) != SignaturePolicy.Classical && (Good(part, Active(part)) & ~(1 << romKey)) == 0)
                return false;
        _fuses.Revoke(romKey);
        return true;
    }

    private void PutInForce(FirmwarePart part, FirmwareSlot slot) => _fuses.PutInForce(part, Good(part, slot));

    private byte Good(FirmwarePart part, FirmwareSlot slot)
    {
        if (_rom.Keys.Count == 0) return 0;
        var page = new byte[Flash.PageBytes];
        _flash.Read(FlashMap.Slot(_flash.Pages, part, slot).First, 0, page);
        return FirmwareHeader.TryRead(page, out var header, out var length) == ImageFault.None
            ? _signatures.Good(header, page.AsSpan(length)) : (byte)0;
    }

    /// <summary>
    /// Compares the pages of what runs with their digests: how many differ, and the first of them. It does not fall
    /// back, because it runs while the meter works; the quote carries the answer.
    /// </summary>
    public (ushort Changed, ushort First) Scrub()
    {
        ushort changed = 0, first = 0;
        foreach (var part in FlashMap.Parts)
        {
            var check = Check(part, Active(part));
            if (check.ChangedPages == 0) continue;
            if (changed == 0) first = check.FirstChangedPage;
            changed += check.ChangedPages;
        }
        return (changed, first);
    }

    private void TryPending(FirmwarePart part, List<RefusedImage> refused)
    {
        var choice = _record[part];
        if (!choice.Pending) return;
        var spare = FlashMap.Other(choice.Active);
        var check = Check(part, spare);
        if (!_open && check.Refusal != BootRefusal.None)
        {
            refused.Add(new RefusedImage(part, spare, check));
            _record.Set(part, choice with { Pending = false });
            return;
        }
        _record.Set(part, new SlotChoice(spare, SlotOrigin.Activated, Prefix(check.Image), false, 1));
    }

    private BootedPart? Choose(FirmwarePart part, List<RefusedImage> refused)
    {
        var choice = _record[part];
        var spare = FlashMap.Other(choice.Active);
        var check = Check(part, choice.Active);
        // An image that gives no sign of life is better than none at all.
        if (check.Refusal == BootRefusal.None && choice.Attempts > MaxAttempts
            && Check(part, spare).Refusal == BootRefusal.None)
            check = check with { Refusal = BootRefusal.NoSignOfLife };
        if (_open || check.Refusal == BootRefusal.None)
        {
            if (choice.Attempts is > 0 and < byte.MaxValue)
                _record.Set(part, choice with { Attempts = (byte)(choice.Attempts + 1) });
            if (check.Image.IsNone) return null;
            return new BootedPart(part, choice.Active, check, choice.Origin, choice.ImagePrefix == Prefix(check.Image));
        }
        refused.Add(new RefusedImage(part, choice.Active, check));
        var other = Check(part, spare);
        if (other.Refusal != BootRefusal.None)
        {
            if (other.Refusal != BootRefusal.NoImage) refused.Add(new RefusedImage(part, spare, other));
            return null;
        }
        _record.Set(part, new SlotChoice(spare, SlotOrigin.FellBack, Prefix(other.Image), false, 0));
        return new BootedPart(part, spare, other, SlotOrigin.FellBack, true);
    }

    /// <summary>
    /// The factory's programming: the image in both slots, so that there is something to fall back to, and slot A the
    /// active one.
    /// </summary>
    internal void SetFactory(FirmwareImage image)
    {
        Write(FirmwareSlot.A, image);
        Write(FirmwareSlot.B, image);
        _record.Set(image.Header.Part,
            new SlotChoice(FirmwareSlot.A, SlotOrigin.Factory, Prefix(image.Digest), false, 0));
        PutInForce(image.Header.Part, FirmwareSlot.A);
    }

    /// <summary>
    /// The digest of what is really there: the header with the digests of the pages as they are. It is the image's own
    /// when no page has changed.
    /// </summary>
    private Digest Measure(FirmwareHeader header, PageRange range, out ushort changed, out ushort firstChanged)
    {
        (changed, firstChanged) = (0, 0);
        byte[]? digests = null;
        for (var p = 0; p < Math.Min(header.Pages, range.Count - 1); p++)
        {
            var page = range.First + 1 + p;
            if (_flash.SharedPage(page) is { } shared && shared.Digest.SequenceEqual(header.PageDigest(p))) continue;
            var digest = _flash.PageDigest(page);
            if (digest.AsSpan().SequenceEqual(header.PageDigest(p))) continue;
            if (changed++ == 0) firstChanged = (ushort)page;
            digests ??= header.PageDigests.ToArray();
            digest.CopyTo(digests.AsSpan(p * FirmwareHeader.DigestBytes));
        }
        return digests is null ? header.Digest() : (header with { PageDigests = digests }).Digest();
    }

    /// <summary>An opened bootloader runs even what has no header; its digest is that of the pages.</summary>
    private SlotCheck Unreadable(PageRange range)
    {
        var digests = new byte[range.Count * Digest.Size];
        var erased = true;
        for (var p = 0; p < range.Count; p++)
        {
            erased &= _flash.IsErased(range.First + p);
            _flash.PageDigest(range.First + p).CopyTo(digests.AsSpan(p * Digest.Size));
        }
        return new SlotCheck(BootRefusal.NoImage, erased ? Digest.None : Digest.Of(digests), 0, 0, 0, 0);
    }

    private static uint Prefix(Digest image) => (uint)(image.Short >> 32);
}
