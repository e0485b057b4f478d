using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// One meter of an emulated fleet: where it hangs, who mounted it, and the device itself. What an attacker does at its
/// terminals is set here and works from the next interval on.
/// </summary>
public sealed class FleetMeter
{
    private FleetMeter(PlannedMeter plan, LifeCycleLine line, IReadOnlyList<Input> making)
    {
        (Plan, Line, Making) = (plan, line, making);
    }

    public PlannedMeter Plan { get; }
    public int Index => Plan.Index;
    public string Name => Plan.Name;

    /// <summary>The system title: what twins know the meter by.</summary>
    public MeterId Id => Plan.Id;
    public string Installer => Plan.Installer;
    public string Contractor => Plan.Contractor;

    /// <summary>The line that it came off; its last step is retirement.</summary>
    public LifeCycleLine Line { get; }
    public ZeusMeter Zeus => Line.Meter;

    /// <summary>What the registry heard of its making, in order.</summary>
    public IReadOnlyList<Input> Making { get; }

    /// <summary>Share of the consumption that flows around the meter, 0 to 1.</summary>
    public double BypassShare { get; set; }

    /// <summary>Relative error that a field at the meter makes, −1 and above.</summary>
    public double FieldError { get; set; }

    /// <summary>Phases of three that are wired past the sensors.</summary>
    public byte LostPhases { get; set; }

    /// <summary>
    /// Changes what the meter sees of the interval that ends at a time, after the settings above; null: nothing more.
    /// </summary>
    public Func<UnixTime, SupplyInterval, SupplyInterval>? Flow { get; set; }

    internal SupplyInterval Supply(UnixTime end, long import, long export)
    {
        var flow = new SupplyInterval(import, export, BypassShare, FieldError, LostPhases);
        return Flow?.Invoke(end, flow) ?? flow;
    }

    /// <summary>
    /// Makes the meter: every step from blank silicon to operation, by honest hands but for its birth. What the
    /// registry hears of the making keeps its order and is dated as planned; the last steps lie just before the run.
    /// </summary>
    internal static FleetMeter Make(FleetPlan plan, PlannedMeter planned, FleetFirmware firmware, HeadEndKeys keys)
    {
        keys.Enrol(planned.Id);
        var birth = plan.Options.Births.GetValueOrDefault(planned.Index);
        var twin = birth == MeterBirth.CloneOfPrevious ? plan.Meters[planned.Index - 1] : planned;
        var seed = SplitMix64.For(plan.Options.Seed, twin.Name).NextUInt64();
        var spec = firmware.SpecOf(twin.Model, twin.Lot, birth);
        var line = new LifeCycleLine(spec, planned.Id.Value, planned.Name, seed, plan.Options.Seed, planned.Made);
        var heard = new List<Input>(24);
        var made = planned.Made.Seconds;
        UnixTime At(int day) => new(made + 86_400L * day);
        void Take(LifeCycleStep step)
        {
            if (!step.Done)
                throw new InvalidOperationException($"Meter {planned.Name} stopped at {line.Stage}: {step.Refusal}.");
            heard.AddRange(step.Inputs);
        }
        var station = firmware.StationOf(planned);
        Take(line.Vet(firmware.Supplier, firmware.Supplier, At(0)));
        Take(line.Manufacture(station, [station.Key.PublicKey], spec.Images, At(1)));
        Take(line.Provision(At(2)));
        if (birth == MeterBirth.UnsignedImage) heard.AddRange(TryForeign(line.Meter, firmware, planned, At(2)));
        Take(line.Calibrate(Calibration.Nominal with { Record = (uint)planned.Index + 1 }, FleetFirmware.Authority,
            At(3)));
        if (birth == MeterBirth.Unlocked)
        {
            line.Meter.PowerCut(At(4));
            line.Meter.PowerOn(planned.Installed);
            heard.Add(new LifeCycleChanged(planned.Id, planned.Installed, LifeCycle.Installed, planned.Installer));
            heard.Add(new LifeCycleChanged(planned.Id, planned.Installed, LifeCycle.Operating, "head-end"));
            return new FleetMeter(planned, line, heard);
        }
        Take(line.Lock(At(4)));
        Take(line.Install(new InstallerNote(planned.Installer, planned.Contractor, plan.Relation(planned).UsagePoint,
            default, -1, 0), planned.Installed));
        // Who mounts a meter sets its clock: it ran on its battery since it was made.
        line.Meter.Clock.Set(planned.Installed, planned.Installed);
        Take(line.Commission(new UnixTime(planned.Installed.Seconds + 3_600)));
        return new FleetMeter(planned, line, heard);
    }

    /// <summary>
    /// The utility attests a new meter once when its keys are made; afterwards somebody at the line has the chip try an
    /// image of his own, and puts the genuine one back when it is refused.
    /// </summary>
    private static IEnumerable<Input> TryForeign(ZeusMeter meter, FleetFirmware firmware, PlannedMeter planned,
        UnixTime at)
    {
        UInt128 nonce = planned.Id.Value;
        var quote = meter.Chip.Quote(nonce, 0, meter.SwitchState, at)
            ?? throw new InvalidOperationException($"Meter {planned.Name} has no key to attest with.");
        foreach (var image in (ReadOnlySpan<FirmwareImage>)
            [firmware.ForeignImages(planned.Model)[^1], firmware.Application(planned.Model)])
        {
            meter.Chip.Bootloader.SetFactory(image);
            meter.Chip.Reset(at, BootCause.Commanded);
        }
        return
        [
            new NonceIssued(planned.Id.Twin, at, nonce),
            new AttestationQuote(planned.Id.Twin, at, quote, SignatureVerdict.Unchecked),
        ];
    }
}
