using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Grains.Cases;

/// <summary>
/// What is known of a subject besides the finding, as it was when the finding was stated: what a policy may look at.
/// Never a load curve, never the truth of an emulation. Empty texts and 0 mean not known.
/// </summary>
/// <param name="Name">What people call it.</param>
/// <param name="Category">Dependence of the customer on supply.</param>
/// <param name="CategoryAt">When the utility last said so; second 0: never.</param>
/// <param name="Stage">Where the meter is in its life.</param>
/// <param name="InstalledAt">When it went into service; second 0: not known.</param>
/// <param name="Switch">Output and control state and mode, as the meter told last, whatever it told.</param>
/// <param name="SwitchKnown">False before it told any.</param>
/// <param name="LoadWatts">Mean power of the last folded days, W; −1: not known.</param>
/// <param name="Feeder">Transformer or feeder.</param>
/// <param name="Region">Region.</param>
/// <param name="Concentrator">Concentrator that it is read over.</param>
/// <param name="Model">Model.</param>
/// <param name="Firmware">Firmware by the registry.</param>
/// <param name="Lot">Production lot.</param>
/// <param name="Orders">True when a work order is in force.</param>
public sealed record SubjectContext(string Name, CustomerCategory Category, UnixTime CategoryAt, LifeCycle Stage,
    UnixTime InstalledAt, SwitchState Switch, bool SwitchKnown, int LoadWatts, string Feeder, string Region,
    string Concentrator, string Model, string Firmware, string Lot, bool Orders)
{
    public static SubjectContext Of(string name) => new(name, CustomerCategory.Unknown, default, default, default,
        default, false, -1, "", "", "", "", "", "", false);

    public void Write(ByteWriter to)
    {
        to.Text(Name);
        to.Byte((byte)Category);
        to.VarInt(CategoryAt.Seconds);
        to.Byte((byte)Stage);
        to.VarInt(InstalledAt.Seconds);
        to.Bool(Switch.Output);
        to.Byte(Switch.ControlState);
        to.Byte(Switch.ControlMode);
        to.Bool(SwitchKnown);
        to.VarInt(LoadWatts);
        foreach (var text in (ReadOnlySpan<string>)[Feeder, Region, Concentrator, Model, Firmware, Lot]) to.Text(text);
        to.Bool(Orders);
    }

    public static SubjectContext Read(ref ByteReader r) => new(r.Text(),
        (CustomerCategory)r.Byte(0, (int)CustomerCategory.Medical), Input.ReadTime(ref r),
        (LifeCycle)r.Byte(0, (int)LifeCycle.Retired), Input.ReadTime(ref r),
        new SwitchState(r.Bool(), r.Byte(), r.Byte()), r.Bool(), r.Int(), r.Text(), r.Text(), r.Text(),
        r.Text(), r.Text(), r.Text(), r.Bool());
}

/// <summary>
/// What a twin tells the case of its subject at a sweep: a finding, or a command that somebody wants sent. One of the
/// two is given. <paramref name="At"/>: of the sweep.
/// </summary>
public sealed record Report(UnixTime At, Finding? Finding, CommandRequest? Request, SubjectContext Context)
{
    private const byte Version = 1;

    /// <summary>The case that hears it: one a subject and desk.</summary>
    public TwinKey Case => Finding is { } f ? CaseKey.Of(f.Subject, Desks.Of(f.Kind))
        : CaseKey.Of(Request!.Target, Desk.Grid);

    public void Write(ByteWriter to)
    {
        to.Byte(Version);
        to.VarInt(At.Seconds);
        Context.Write(to);
        to.Bool(Finding is not null);
        if (Finding is not null) Finding.Write(to);
        else Request!.Write(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static Report Read(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        if (r.Byte() is not Version and var version)
            throw r.Bad($"a report has version {version}, this MeterTwin knows {Version}");
        var (at, context) = (Input.ReadTime(ref r), SubjectContext.Read(ref r));
        return r.Bool() ? new Report(at, Finding.Read(r.Rest), null, context)
            : new Report(at, null, (CommandRequest)Input.Read(r.Rest), context);
    }
}

/// <summary>Keys of the twins that answer findings.</summary>
public static class CaseKey
{
    /// <summary>The case of a subject on a desk.</summary>
    public static TwinKey Of(TwinKey subject, Desk desk) =>
        TwinKey.Named(TwinKind.Case, $"{subject}/{(byte)desk}");

    /// <summary>A case of many subjects, as the desk made it of one cause.</summary>
    public static TwinKey OfGroup(Desk desk, string cause, UnixTime since) =>
        TwinKey.Named(TwinKind.Case, $"group/{(byte)desk}/{cause}/{since.Seconds}");

    public static TwinKey OfDesk(Desk desk) => new(TwinKind.Desk, (ulong)desk);
}

/// <summary>Which desk a kind of finding is for.</summary>
public static class Desks
{
    /// <summary>
    /// Reading models accuse nobody of anything but are about revenue; validation and metrology are the metering
    /// department's; feeders and backhaul are the grid's; all else is security's.
    /// </summary>
    public static Desk Of(FindingKind kind) => kind switch
    {
        <= FindingKind.StuckReading or FindingKind.MetersExchanged or FindingKind.ContextForSingleMeter
            or FindingKind.FlashDrift or FindingKind.ClockDrift or FindingKind.MetrologySuspect
            or FindingKind.CampaignStuck or FindingKind.AttestationOverdue or FindingKind.InstallationMismatch
            or FindingKind.OutputStateMismatch => Desk.MeteringFaults,
        >= FindingKind.LevelShift and <= FindingKind.CatchUp or FindingKind.FeederLoss => Desk.RevenueProtection,
        FindingKind.BalanceSuspect or FindingKind.BackhaulLost or FindingKind.CorrelatedSilence
            or FindingKind.CommandsQuarantined or FindingKind.PlannedWorkOverrun or FindingKind.ResponseUnconfirmed
            or FindingKind.ResponseUnknown or FindingKind.ClockJump => Desk.Grid,
        _ => Desk.Security,
    };

    public static string NameOf(Desk desk) => desk switch
    {
        Desk.Security => "security",
        Desk.RevenueProtection => "revenue protection",
        Desk.MeteringFaults => "metering faults",
        _ => "grid",
    };
}
