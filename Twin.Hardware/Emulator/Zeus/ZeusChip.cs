using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Signatures;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>What chips of a kind have in common. One object serves a whole fleet, on any number of threads.</summary>
public sealed record ChipSpec
{
    public required string Model { get; init; }

    /// <summary>Production lot: what a weak lot has in common.</summary>
    public required string Lot { get; init; }

    /// <summary>Whose images the chip takes; burned in by its maker. At most <see cref="Fuses.MaxAnchors"/>.</summary>
    public required IReadOnlyList<EcPublicKey> Anchors { get; init; }

    /// <summary>64 pages (512 KiB) or 128 (1 MiB).</summary>
    public int FlashPages { get; init; } = Flash.SmallPages;

    /// <summary>Curve of the device's keys: P-256 for suite 1, P-384 for suite 2.</summary>
    public NistCurve Curve { get; init; } = NistCurve.P256;

    /// <summary>Version of the bootloader in ROM.</summary>
    public uint RomVersion { get; init; } = 1;

    /// <summary>Which signatures the bootloader in ROM can check, and which it requires.</summary>
    public BootRom Rom { get; init; } = BootRom.Classical;

    public NoiseCondition Noise { get; init; } = NoiseCondition.Sound;

    /// <summary>A counterfeit or a mistake: the bootloader runs whatever is there.</summary>
    public bool OpenBoot { get; init; }

    /// <summary>Provisioning forgets to lock the debug port.</summary>
    public bool DebugPortLeftOpen { get; init; }

    /// <summary>Signatures all take one nonce, the same in the whole lot (P-256 only).</summary>
    public bool RepeatsNonce { get; init; }

    /// <summary>Checked image signatures, shared by all chips of the fleet.</summary>
    public ImageSignatures Signatures { get; init; } = new();

    /// <summary>Digest of the ROM bootloader: its model and version stand for its code.</summary>
    public Digest RomImage => Digest.Of(System.Text.Encoding.UTF8.GetBytes($"ROM of {Model}, version {RomVersion}{Rom}"
        + (OpenBoot ? ", opened" : "")));
}

/// <summary>
/// One ZEUS-class chip: flash, fuses, noise source, key vault, bootloader and attestation kernel. Without power it does
/// nothing; what is in flash, fuses and vault stays. Any operation that writes may throw
/// <see cref="PowerLossException"/> when a cut is set (<see cref="Flash.CutAfter"/>): whoever drives the chip then
/// calls <see cref="PowerCut"/>, and later <see cref="PowerOn"/>.
/// </summary>
public sealed class ZeusChip
{
    private readonly ChipSpec _spec;
    private uint _powerOns;
    private UnixTime _on;
    private BootCause _cause = BootCause.PowerFailure;

    /// <summary>Blank silicon with its maker's anchors burned in. One seed gives one chip.</summary>
    public ZeusChip(ChipSpec spec, ulong seed)
    {
        _spec = spec;
        Flash = new Flash(spec.FlashPages);
        Trng = new Trng(seed, spec.Lot, spec.Noise);
        Vault = spec.RepeatsNonce ? KeyVault.WithRepeatedNonce(spec.Lot) : new KeyVault();
        foreach (var anchor in spec.Anchors)
            if (!Fuses.TryBurnAnchor(anchor))
                throw new ArgumentException($"A chip takes {Fuses.MaxAnchors} anchors, not {spec.Anchors.Count}.");
        Bootloader = new SecureBootloader(Flash, Fuses, spec);
        Cak = new CakKernel(Flash, Vault);
        DebugPort = new DebugPort(Flash, Fuses);
    }

    public Flash Flash { get; }
    public Fuses Fuses { get; } = new();
    public Trng Trng { get; }
    public KeyVault Vault { get; }
    public SecureBootloader Bootloader { get; }
    public CakKernel Cak { get; }
    public DebugPort DebugPort { get; }
    public ulong SystemTitle { get; private set; }
    public bool IsPowered { get; private set; }

    /// <summary>What the last power-on or reset came to.</summary>
    public BootReport LastBoot { get; private set; } = new([], []);

    /// <summary>
    /// The factory's work on a blank chip in one step: images into the first slots, power, keys from the chip's own
    /// noise, identity, and the lock of the debug port. False when the chip has no sound noise: it is scrap.
    /// </summary>
    /// <param name="headEnd">Whose checkpoints are taken; null when none was provisioned.</param>
    public bool TryManufacture(IEnumerable<FirmwareImage> images, ulong systemTitle, EcPublicKey? headEnd, UnixTime now)
    {
        Bootloader.Start();
        foreach (var image in images) Bootloader.SetFactory(image);
        Provision(systemTitle, headEnd);
        PowerOn(now);
        if (!Vault.TryGenerate(_spec.Curve, Trng)) return false;
        Record(new CakEvent(CakEntryKind.KeyChange, FirmwarePart.Device, Detail: (ushort)KeySlot.DeviceSigning), now);
        if (!_spec.DebugPortLeftOpen) Fuses.LockDebugPort();
        return true;
    }

    /// <summary>Gives the chip a name and the head-end's key.</summary>
    public void Provision(ulong systemTitle, EcPublicKey? headEnd)
    {
        SystemTitle = systemTitle;
        Cak.Provision(systemTitle, headEnd);
    }

    /// <summary>Power comes: startup tests, boot, and the boot's entries in the log.</summary>
    public BootReport PowerOn(UnixTime now)
    {
        Flash.RestorePower();
        Trng.PowerOn(unchecked(_powerOns++));
        var cause = _cause;
        _cause = BootCause.PowerFailure;
        return Start(now, cause);
    }

    /// <summary>The supply goes: what was in RAM is gone.</summary>
    public void PowerCut()
    {
        Trng.PowerOff();
        IsPowered = false;
        _cause = BootCause.PowerFailure;
    }

    /// <summary>The application core is reset for another reason than the supply; it boots at once.</summary>
    public BootReport Reset(UnixTime now, BootCause cause)
    {
        CheckPower();
        return Start(now, cause);
    }

    /// <summary>Records an event in the attestation log at a meter time.</summary>
    public CakOutcome Record(in CakEvent happened, UnixTime now)
    {
        CheckPower();
        return Cak.Append(happened, Clock(now), Uptime(now));
    }

    /// <summary>Takes a countersigned checkpoint: <see cref="CakKernel.TakeCheckpoint"/>.</summary>
    public CheckpointOutcome TakeCheckpoint(ReadOnlySpan<byte> bytes, UnixTime now)
    {
        CheckPower();
        return Cak.TakeCheckpoint(bytes, Clock(now), Uptime(now));
    }

    /// <summary>A signed quote, after a scrub of the images that run; null without a signing key.</summary>
    public byte[]? Quote(UInt128 nonce, uint since, SwitchState contactor, UnixTime now)
    {
        CheckPower();
        var (changed, first) = Bootloader.Scrub();
        return Cak.Quote(nonce, since, new QuoteContext(contactor, Clock(now), changed, first));
    }

    /// <summary>
    /// Has the next reset run the image in the spare slot, unless it would be refused or the log has no room for the
    /// upgrade's entry: then nothing changes, and a refused image is recorded.
    /// </summary>
    public ActivationAnswer RequestActivation(FirmwarePart part, UnixTime now)
    {
        CheckPower();
        // One entry for each part that may be pending by then.
        if (Cak.RoomWithReserve < FlashMap.Parts.Length) return ActivationAnswer.LogFull;
        var refusal = Bootloader.RequestActivation(part);
        if (refusal == BootRefusal.None) return ActivationAnswer.Accepted;
        var check = Bootloader.Check(part, Bootloader.Spare(part));
        RecordRefused(new RefusedImage(part, Bootloader.Spare(part), check), now);
        return ActivationAnswer.Refused;
    }

    /// <summary>
    /// Raises what images must be signed with, for ever, and records it; when what runs does not meet it, nothing
    /// changes and the answer says why.
    /// </summary>
    public BootRefusal TryRequireSignatures(SignaturePolicy policy, UnixTime now)
    {
        CheckPower();
        var refusal = Bootloader.TryRequire(policy);
        if (refusal == BootRefusal.None)
            Record(new CakEvent(CakEntryKind.Config, FirmwarePart.Bootloader, Detail: (ushort)policy), now);
        return refusal;
    }

    /// <summary>
    /// Revokes a key of the ROM for ever, and records it; false when the ROM has no such key, or what runs needs it.
    /// </summary>
    public bool TryRevoke(KnownKey key, UnixTime now)
    {
        CheckPower();
        for (var i = 0; i < _spec.Rom.Keys.Count; i++)
        {
            if (_spec.Rom.Keys[i].KeyId != key.KeyId) continue;
            if (!Bootloader.TryRevoke(i)) return false;
            Record(new CakEvent(CakEntryKind.KeyChange, FirmwarePart.Bootloader, Detail: (ushort)i), now);
            return true;
        }
        return false;
    }

    private BootReport Start(UnixTime now, BootCause cause)
    {
        (IsPowered, _on) = (true, now);
        Bootloader.Start();
        Cak.Start();
        LastBoot = Bootloader.Boot();
        foreach (var refused in LastBoot.Refused) RecordRefused(refused, now);
        if (Cak.Of(FirmwarePart.Bootloader).Image != _spec.RomImage)
            Record(new CakEvent(CakEntryKind.Boot, FirmwarePart.Bootloader, _spec.RomImage, _spec.RomVersion), now);
        foreach (var booted in LastBoot.Booted) RecordChange(booted, now);
        var application = LastBoot.Booted.FirstOrDefault(b => b.Part == FirmwarePart.Application);
        var part = application.Check.Image.IsNone ? FirmwarePart.Device : FirmwarePart.Application;
        Record(new CakEvent(CakEntryKind.Boot, part, application.Check.Image, application.Check.Version,
            application.Check.SecurityVersion, Slot: (byte)application.Slot, Cause: cause), now);
        return LastBoot;
    }

    /// <summary>
    /// A part is not what the log last said: an upgrade or a fall-back when the boot record explains it, else a boot
    /// entry that has another image than before. The log is compared, not the moment, so that a cut loses nothing.
    /// </summary>
    private void RecordChange(in BootedPart booted, UnixTime now)
    {
        if (Cak.Of(booted.Part).Image == booted.Check.Image) return;
        var kind = !booted.Explained || booted.Origin == SlotOrigin.Factory ? CakEntryKind.Boot
            : booted.Origin == SlotOrigin.Activated ? CakEntryKind.Upgrade : CakEntryKind.Rollback;
        // The boot's own entry says it of the application.
        if (kind == CakEntryKind.Boot && booted.Part == FirmwarePart.Application) return;
        Record(new CakEvent(kind, booted.Part, booted.Check.Image, booted.Check.Version, booted.Check.SecurityVersion,
            Slot: (byte)booted.Slot), now);
    }

    private void RecordRefused(in RefusedImage refused, UnixTime now) =>
        Record(new CakEvent(CakEntryKind.Refused, refused.Part, refused.Check.Image, refused.Check.Version,
            refused.Check.SecurityVersion, (ushort)refused.Check.Refusal, (byte)refused.Slot), now);

    private void CheckPower()
    {
        if (!IsPowered) throw new InvalidOperationException("The chip has no power. Call PowerOn first.");
    }

    private uint Uptime(UnixTime now) => (uint)Math.Clamp(now.Seconds - _on.Seconds, 0, uint.MaxValue);

    /// <summary>The log's clock has 32 bits, to the year 2106; beyond either end it stands still.</summary>
    private static uint Clock(UnixTime now) => (uint)Math.Clamp(now.Seconds, 0, uint.MaxValue);

    public override string ToString() => $"{_spec.Model} {SystemTitle:x16}, {(IsPowered ? "on" : "off")}";
}

/// <summary>What became of a wish to activate an image.</summary>
public enum ActivationAnswer : byte { Accepted = 1, Refused = 2, LogFull = 3 }

/// <summary>
/// The debug port: reads and writes flash past everything else, until its lock is burned. With the boot record and the
/// log in reach, whoever has it open can put back an old state of both.
/// </summary>
public sealed class DebugPort(Flash flash, Fuses fuses)
{
    public bool IsOpen => !fuses.IsDebugPortLocked;

    /// <summary>Reads a page; false when the port is locked.</summary>
    public bool TryRead(int page, Span<byte> content)
    {
        if (!IsOpen) return false;
        flash.Read(page, 0, content[..Flash.PageBytes]);
        return true;
    }

    /// <summary>Erases and programs a page; false when the port is locked.</summary>
    public bool TryWrite(int page, ReadOnlySpan<byte> content)
    {
        if (!IsOpen) return false;
        flash.Erase(page);
        flash.Program(page, 0, content);
        return true;
    }
}
