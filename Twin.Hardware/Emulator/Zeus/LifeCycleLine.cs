using System.Security.Cryptography;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;
using Twin.Hardware.Crypto;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// A silicon supplier that the maker of meters vetted. It puts a secret into each chip and can say what the chip must
/// answer to a challenge; a counterfeit does not hold the secret.
/// </summary>
public sealed class SiliconSupplier(string name, ulong seed)
{
    private readonly byte[] _batch = SHA256.HashData([.. MeterKeys.Title(seed),
        .. System.Text.Encoding.UTF8.GetBytes(name)]);

    public string Name => name;

    /// <summary>Puts the chip's secret in, under the chip's number.</summary>
    internal void Deliver(KeyVault chip, ulong number) => chip.Load(KeySlot.Master, Secret(number));

    /// <summary>True when a chip of this number, made here, answers so.</summary>
    public bool Vouches(ulong number, ReadOnlySpan<byte> challenge, ReadOnlySpan<byte> answer)
    {
        Span<byte> expected = stackalloc byte[KeyVault.TagBytes];
        using var gcm = new AesGcm(Secret(number), KeyVault.TagBytes);
        gcm.Encrypt(challenge[..KeyVault.NonceBytes], [], [], expected, [LifeCycleLine.AnswerControl, .. challenge]);
        return CryptographicOperations.FixedTimeEquals(expected, answer);
    }

    private byte[] Secret(ulong number) => HMACSHA256.HashData(_batch, MeterKeys.Title(number).AsSpan())[..16];

    public override string ToString() => name;
}

/// <summary>
/// A station of the contract manufacturer: its name, plant, and the key with which it signs what it makes.
/// </summary>
public sealed record ManufacturingStation(string Name, string Plant, string Lot, SigningKey Key);

/// <summary>Who mounted a meter, where, and in whose place; registers in Wh as noted, −1 where not.</summary>
public readonly record struct InstallerNote(string Installer, string Contractor, string UsagePoint, MeterId Replaced,
    long ReplacedFinalWh, long StartWh);

/// <summary>What a step came to: what the registry hears of it, or why it was refused.</summary>
public readonly record struct LifeCycleStep(bool Done, string Refusal, IReadOnlyList<Input> Inputs);

/// <summary>
/// Takes one meter from blank silicon to retirement. Each step is allowed only from the stage before it, checks what it
/// must, writes an entry of the attestation log, and gives the registry what follows from it. Steps take no time of
/// their own; the caller gives the time of each.
/// </summary>
public sealed class LifeCycleLine
{
    internal const byte AnswerControl = 0x10;

    private readonly MeterSpec _spec;
    private readonly MeterKeys _keys;
    private readonly SplitMix64 _challenges;
    private readonly ulong _chipNumber;
    private SiliconSupplier? _supplier;
    private ManufacturingStation? _station;

    /// <param name="seed">Of the meter: noise, drift, delays.</param>
    /// <param name="keySeed">Of the utility's key server: the head-end has the same.</param>
    public LifeCycleLine(MeterSpec spec, ulong systemTitle, string serial, ulong seed, ulong keySeed, UnixTime now)
    {
        var draw = SplitMix64.For(seed, "meter");
        (_spec, _chipNumber) = (spec, draw.NextUInt64());
        _challenges = SplitMix64.For(seed, "supply challenge");
        _keys = MeterKeys.For(keySeed, systemTitle, spec.Suite);
        Meter = new ZeusMeter(spec, systemTitle, serial, 4 * draw.NextNormal(), seed, now);
    }

    public ZeusMeter Meter { get; }
    public LifeCycle Stage { get; private set; } = LifeCycle.Blank;

    /// <summary>
    /// The maker challenges the chip, and its vetted supplier says whether the answer is right.
    /// </summary>
    /// <param name="delivers">Who really delivered the chip: a counterfeiter does not have the supplier's
    /// secrets.</param>
    public LifeCycleStep Vet(SiliconSupplier vetted, SiliconSupplier delivers, UnixTime now)
    {
        if (Refused(LifeCycle.ChipVetted) is { } refusal) return refusal;
        var chip = Meter.Chip;
        delivers.Deliver(chip.Vault, _chipNumber);
        var w = new ByteWriter(16);
        w.UInt64(_challenges.NextUInt64());
        w.UInt64(_challenges.NextUInt64());
        var answer = new byte[KeyVault.TagBytes];
        if (!chip.Vault.TrySeal(KeySlot.Master, KeySlot.None, AnswerControl, w.Written[..KeyVault.NonceBytes],
            w.Written, [], [], answer) || !vetted.Vouches(_chipNumber, w.Written, answer))
            return Refuse($"{vetted.Name} does not vouch for the chip");
        _supplier = delivers;
        chip.PowerOn(now);
        return Enter(LifeCycle.ChipVetted, now, vetted.Name, []);
    }

    /// <summary>
    /// A station programs the images and signs for it. A station that the maker did not authorise is refused, and so is
    /// an image that the chip would not boot.
    /// </summary>
    public LifeCycleStep Manufacture(ManufacturingStation station, IEnumerable<EcPublicKey> authorised,
        IEnumerable<FirmwareImage> images, UnixTime now)
    {
        if (Refused(LifeCycle.Manufactured) is { } refusal) return refusal;
        FirmwareImage[] programmed = [.. images];
        var w = new ByteWriter(64);
        w.UInt64(Meter.SystemTitle);
        foreach (var image in programmed) w.UInt64(image.Digest.Short);
        var digest = station.Key.PublicKey.Curve.Digest(w.Written);
        var signature = station.Key.Sign(digest);
        if (!authorised.Any(key => key.Verify(digest, signature)))
            return Refuse($"station {station.Name} is not authorised");
        var chip = Meter.Chip;
        chip.Bootloader.Start();
        foreach (var image in programmed) chip.Bootloader.SetFactory(image);
        chip.Provision(Meter.SystemTitle, _spec.HeadEndKey);
        var report = chip.Reset(now, BootCause.Commanded);
        if (programmed.Any(image => !report.Runs(image.Header.Part)))
            return Refuse("the chip does not boot the images: " + string.Join(", ",
                report.Refused.Select(r => $"{r.Part} {r.Check.Refusal}").Distinct()));
        _station = station;
        return Enter(LifeCycle.Manufactured, now, station.Name, []);
    }

    /// <summary>
    /// Keys are made on the chip, their public halves enrolled, and the utility's symmetric keys loaded.
    /// </summary>
    public LifeCycleStep Provision(UnixTime now)
    {
        if (Refused(LifeCycle.Provisioned) is { } refusal) return refusal;
        var chip = Meter.Chip;
        if (!chip.Vault.TryGenerate(_spec.Chip.Curve, chip.Trng))
            return Refuse($"the chip makes no keys: {chip.Trng.Failure}");
        _keys.LoadInto(chip.Vault, Meter.MetrologyVault);
        chip.Record(new CakEvent(CakEntryKind.KeyChange, FirmwarePart.Device, Detail: (ushort)KeySlot.DeviceSigning),
            now);
        var twin = Meter.Id.Twin;
        var suite = (byte)_spec.Suite;
        KeyEvent Enrolled(KeySlot slot, byte[] key) =>
            new(twin, now, slot, KeyEventKind.Enrolled, suite, key, new UnixTime(0), "provisioning");
        return Enter(LifeCycle.Provisioned, now, "provisioning",
        [
            Enrolled(KeySlot.DeviceSigning, chip.Vault.SigningKey!.Point.ToArray()),
            Enrolled(KeySlot.KeyAgreement, chip.Vault.AgreementKey!.Point.ToArray()),
            Enrolled(KeySlot.EncryptionUnicast, []), Enrolled(KeySlot.Authentication, []),
            Enrolled(KeySlot.Master, []), Enrolled(KeySlot.MetrologySeal, []),
        ]);
    }

    /// <summary>The factory's calibration, with its record and the first verification of the metrology.</summary>
    public LifeCycleStep Calibrate(Calibration calibration, string authority, UnixTime now)
    {
        if (Refused(LifeCycle.Calibrated) is { } refusal) return refusal;
        Meter.Metrology.SetCalibration(calibration);
        Meter.Chip.Record(new CakEvent(CakEntryKind.Config, FirmwarePart.Calibration, calibration.Digest,
            calibration.Record), now);
        return Enter(LifeCycle.Calibrated, now, authority,
        [
            new Reverification(Meter.Id, now, calibration.Digest,
                Meter.Chip.Cak.Of(FirmwarePart.Metrology).Image, authority),
        ]);
    }

    /// <summary>The debug port is locked, unless it is forgotten, and the meter is shipped without power.</summary>
    public LifeCycleStep Lock(UnixTime now)
    {
        if (Refused(LifeCycle.Locked) is { } refusal) return refusal;
        if (!_spec.Chip.DebugPortLeftOpen) Meter.Chip.Fuses.LockDebugPort();
        var record = new SupplyRecord(Meter.Id, Meter.Serial, _spec.Chip.Model, _station!.Plant, _station.Lot,
            _supplier!.Name, Meter.Metrology.Calibration.Digest.ToString(), "", "", now.ToString());
        // What the head-end may expect of the meter alone is in its log from the first day on.
        Meter.Chip.Record(new CakEvent(CakEntryKind.Config, FirmwarePart.ReactionTable, _spec.ReactionTable.Digest,
            _spec.ReactionTable.Version), now);
        var step = Enter(LifeCycle.Locked, now, _station.Name, [record]);
        Meter.Chip.PowerCut();
        return step;
    }

    /// <summary>The meter is mounted and gets its supply.</summary>
    public LifeCycleStep Install(InstallerNote note, UnixTime now)
    {
        if (Refused(LifeCycle.Installed) is { } refusal) return refusal;
        Meter.PowerOn(now);
        return Enter(LifeCycle.Installed, now, note.Installer,
        [
            new Installation(Meter.Id, now, note.Installer, note.Contractor, note.UsagePoint, note.Replaced,
                note.ReplacedFinalWh, note.StartWh),
        ]);
    }

    /// <summary>It registered at the head-end: from now on it serves.</summary>
    public LifeCycleStep Commission(UnixTime now) =>
        Refused(LifeCycle.Operating) ?? Enter(LifeCycle.Operating, now, "head-end", []);

    /// <summary>Taken out of service: its last entry, then all keys are overwritten.</summary>
    public LifeCycleStep Retire(string actor, UnixTime now)
    {
        if (Refused(LifeCycle.Retired) is { } refusal) return refusal;
        var step = Enter(LifeCycle.Retired, now, actor,
        [
            new KeyEvent(Meter.Id.Twin, now, KeySlot.DeviceSigning, KeyEventKind.Zeroised, (byte)_spec.Suite, [],
                new UnixTime(0), actor),
        ]);
        if (step.Done) Meter.Zeroise();
        return step;
    }

    /// <summary>All steps to operation in one second each, with everybody honest.</summary>
    /// <returns>What the registry heard, in order.</returns>
    /// <exception cref="InvalidOperationException">A step was refused: the spec is not consistent.</exception>
    public IReadOnlyList<Input> RunToOperation(SiliconSupplier supplier, ManufacturingStation station,
        Calibration calibration, InstallerNote note, UnixTime from)
    {
        var heard = new List<Input>(24);
        UnixTime At(int step) => new(from.Seconds + step);
        void Take(LifeCycleStep step)
        {
            if (!step.Done) throw new InvalidOperationException($"Meter {Meter.Serial}, {Stage}: {step.Refusal}.");
            heard.AddRange(step.Inputs);
        }
        Take(Vet(supplier, supplier, At(0)));
        Take(Manufacture(station, [station.Key.PublicKey], _spec.Images, At(1)));
        Take(Provision(At(2)));
        Take(Calibrate(calibration, "factory", At(3)));
        Take(Lock(At(4)));
        Take(Install(note, At(5)));
        Take(Commission(At(6)));
        return heard;
    }

    private LifeCycleStep? Refused(LifeCycle wanted)
    {
        if (Stage + 1 != wanted) return Refuse($"{wanted} does not follow {Stage}");
        return wanted > LifeCycle.ChipVetted && wanted != LifeCycle.Installed && !Meter.IsPowered
            ? Refuse("the meter has no power") : null;
    }

    private static LifeCycleStep Refuse(string why) => new(false, why, []);

    private LifeCycleStep Enter(LifeCycle stage, UnixTime now, string actor, IReadOnlyList<Input> inputs)
    {
        var outcome = Meter.Chip.Record(new CakEvent(CakEntryKind.LifeCycle, FirmwarePart.Device,
            Detail: (ushort)stage), now);
        if (outcome == CakOutcome.Refused) return Refuse("the attestation log is full");
        Stage = stage;
        return new LifeCycleStep(true, "", [.. inputs, new LifeCycleChanged(Meter.Id, now, stage, actor)]);
    }
}
