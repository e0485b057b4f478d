using Twin.Hardware.Attestation;
using Twin.Hardware.Events;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// A whole ZEUS-class meter: chip, metrology core, application core, clock and tamper inputs, driven by a simulation in
/// true time that never goes back. One seed gives one meter and one run. It comes from a <see cref="LifeCycleLine"/>.
/// Whatever writes to flash may lose its supply in the middle when a cut is set; the meter is then off, as after
/// <see cref="PowerCut"/>.
/// </summary>
public sealed class ZeusMeter
{
    private UnixTime _now;
    private UnixTime _cutAt;
    private bool _crashed;

    /// <param name="systemTitle">8 bytes, as a number; its first byte is an ASCII letter.</param>
    /// <param name="driftPpm">Of the clock, parts per million.</param>
    internal ZeusMeter(MeterSpec spec, ulong systemTitle, string serial, double driftPpm, ulong seed, UnixTime now)
    {
        (Spec, Serial, SystemTitle, _now) = (spec, serial, systemTitle, now);
        Chip = new ZeusChip(spec.Chip, seed);
        MetrologyVault = new KeyVault();
        Metrology = new MetrologyCore(systemTitle, MetrologyVault, spec.IntervalMinutes, spec.ControlMode, seed,
            spec.IsDualBoard ? new BoardWire() : null);
        Clock = new MeterClock(driftPpm, now);
        Application = new ApplicationCore(spec, Chip, Metrology, Clock, serial, driftPpm, seed);
    }

    public MeterSpec Spec { get; }
    public string Serial { get; }
    public ulong SystemTitle { get; }
    public MeterId Id => new(SystemTitle);
    public ZeusChip Chip { get; }
    public MetrologyCore Metrology { get; }
    public ApplicationCore Application { get; }
    public MeterClock Clock { get; }
    public TamperInputs Tamper { get; } = new();
    public bool IsPowered => Chip.IsPowered;
    public SwitchState SwitchState => Metrology.SwitchState;

    /// <summary>The wire between the boards; null in a single-chip meter: there is no such place.</summary>
    public BoardWire? BoardWire => Metrology.Wire;

    internal KeyVault MetrologyVault { get; }

    /// <summary>
    /// Cut off from the network by a response: only quotes go out, only challenges and tables come in. Metering goes
    /// on.
    /// </summary>
    public bool IsIsolated
    {
        get => Application.IsIsolated;
        set => Application.IsIsolated = value;
    }

    /// <summary>
    /// One interval passes, to its end at <paramref name="to"/>, with this flow at the terminals. Without supply
    /// nothing is measured, nor with a metrology image that the bootloader refused. A crashed application is reset by
    /// its watchdog here.
    /// </summary>
    /// <exception cref="ArgumentException">Time would go back.</exception>
    public void Advance(UnixTime to, in SupplyInterval flow)
    {
        Pass(to);
        if (!IsPowered) return;
        Metrology.Step(Clock.Read(to));
        if (Chip.LastBoot.Runs(FirmwarePart.Metrology)) Metrology.Measure(Clock.Read(to), flow);
        Guard(() =>
        {
            if (_crashed || Application.IsHung) Restart(BootCause.Watchdog);
            else if (Application.RestartsAt(to)) Application.RestartCovertly(to);
            Application.Step(to);
        });
    }

    /// <summary>Time passes within an interval: delays run out, nothing is measured yet.</summary>
    public void Tick(UnixTime to)
    {
        Pass(to);
        if (!IsPowered) return;
        Metrology.Step(Clock.Read(to));
        Guard(() => Application.Step(to));
    }

    /// <summary>Frames that wait to be sent; whoever takes them has to carry them.</summary>
    public List<byte[]> Drain(UnixTime now)
    {
        Pass(now);
        var frames = new List<byte[]>();
        if (IsPowered) Guard(() => Application.Drain(now, frames));
        return frames;
    }

    /// <summary>A frame comes from the network.</summary>
    public ReceiveResult Receive(ReadOnlySpan<byte> frame, UnixTime now, CommandOrigin origin = CommandOrigin.HeadEnd)
    {
        Pass(now);
        if (!IsPowered) return ReceiveResult.Deaf;
        try
        {
            var result = Application.Receive(frame, now, origin);
            Restart(Application.TakeRestart());
            return result;
        }
        catch (PowerLossException)
        {
            PowerCut(now);
            return ReceiveResult.Deaf;
        }
    }

    /// <summary>A tool is held to the optical port; null when it is not let in.</summary>
    public LocalSession? OpenLocalSession(FieldTool tool, PortCredential credential, UnixTime now)
    {
        Pass(now);
        return IsPowered ? Application.OpenSession(this, tool, credential, now) : null;
    }

    internal CommandResult Execute(in CosemRequest request, in Caller caller, UnixTime now)
    {
        Pass(now);
        if (!IsPowered) return CommandResult.Failed;
        try
        {
            var result = Application.Execute(request, caller, now);
            Restart(Application.TakeRestart());
            return result;
        }
        catch (PowerLossException)
        {
            PowerCut(now);
            return CommandResult.Failed;
        }
    }

    /// <summary>
    /// Installs and activates an image that came complete; false when it is refused. The CAK says so.
    /// </summary>
    public bool InstallImage(FirmwareImage image, string actor, string order, UnixTime now,
        CommandOrigin origin = CommandOrigin.HeadEnd) => Install(image, new Caller(origin, actor, order, true), now);

    internal bool Install(FirmwareImage image, Caller caller, UnixTime now)
    {
        Pass(now);
        var done = false;
        if (IsPowered) Guard(() =>
        {
            done = Application.Install(image, caller, now);
            Restart(Application.TakeRestart());
        });
        return done;
    }

    /// <summary>The supply goes. The battery holds clock and tamper inputs.</summary>
    public void PowerCut(UnixTime now)
    {
        Pass(now);
        if (!IsPowered) return;
        Application.Happen(MeterEventKind.PowerDown, now);
        Application.Crash();
        Chip.PowerCut();
        _cutAt = now;
    }

    /// <summary>The supply is back: boot, and what the battery noticed meanwhile.</summary>
    public void PowerOn(UnixTime now)
    {
        Pass(now);
        if (IsPowered) return;
        Clock.PowerOn(now, _cutAt);
        Metrology.PowerOn();
        _crashed = false;
        Guard(() =>
        {
            Chip.PowerOn(Clock.Read(now));
            Application.Boot(now);
            Application.Happen(MeterEventKind.PowerUp, now);
            if (Clock.IsInvalid) Application.Happen(MeterEventKind.ClockInvalid, now);
            foreach (var kind in Tamper.PowerOn()) Tampered(kind, now);
        });
    }

    /// <summary>Hands or fields at the meter.</summary>
    public void Touch(TamperInput input, bool active, UnixTime now)
    {
        Pass(now);
        if (Tamper.Change(input, active, IsPowered, Clock.IsBatteryDead) is { } kind) Guard(() => Tampered(kind, now));
    }

    /// <summary>Somebody presses the button of the switch; false when mode or state do not allow it.</summary>
    public bool PressButton(bool reconnect, UnixTime now)
    {
        Pass(now);
        return IsPowered && Metrology.Here(
            reconnect ? SwitchRequest.ManualReconnect : SwitchRequest.ManualDisconnect, Clock.Read(now));
    }

    /// <summary>The crystal of the clock ages by so many parts per million.</summary>
    public void AgeCrystal(UnixTime now, double ppm)
    {
        Pass(now);
        Application.Age(now, ppm);
    }

    /// <summary>The application hangs; its watchdog resets it in the next interval. Metering goes on.</summary>
    public void CrashApplication(UnixTime now)
    {
        Pass(now);
        if (!IsPowered || _crashed) return;
        _crashed = true;
        Application.Crash();
        Guard(() => Chip.Record(new CakEvent(CakEntryKind.AppCrash, FirmwarePart.Application, Application.Image),
            Clock.Read(now)));
    }

    /// <summary>The life ends: all keys are overwritten, and it can never prove itself again.</summary>
    internal void Zeroise()
    {
        Application.Crash();
        Chip.Vault.Zeroise();
        MetrologyVault.Zeroise();
    }

    private void Tampered(MeterEventKind kind, UnixTime now)
    {
        if (kind is MeterEventKind.TerminalCoverOpened or MeterEventKind.MeterCoverOpened
            or MeterEventKind.ModuleCoverOpened or MeterEventKind.MagneticFieldOn)
            Chip.Record(new CakEvent(CakEntryKind.Tamper, FirmwarePart.Device, Detail: (ushort)kind), Clock.Read(now));
        Application.Happen(kind, now);
    }

    private void Restart(BootCause cause)
    {
        if (cause == BootCause.None) return;
        _crashed = false;
        Application.Crash();
        Chip.Reset(Clock.Read(_now), cause);
        Application.Boot(_now);
        if (cause == BootCause.Watchdog) Application.Happen(MeterEventKind.WatchdogReset, _now);
    }

    private void Pass(UnixTime to)
    {
        if (to.Seconds < _now.Seconds)
            throw new ArgumentException($"Meter {Serial} is at {_now}; time does not go back to {to}.");
        _now = to;
    }

    /// <summary>Runs what may lose its supply in the middle of a write.</summary>
    private void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (PowerLossException)
        {
            PowerCut(_now);
        }
    }

    public override string ToString() => $"meter {Serial} ({SystemTitle:x16}), {(IsPowered ? "on" : "off")}";
}
