using Twin.Hardware.Coding;

namespace Twin.Hardware;

// The closed family of inputs: everything that may change a twin, in the journal's encoding. DESIGN "The nouns",
// "Input". An input is an envelope (version, kind, address) and a payload. The engine and the journal read envelopes
// only.

/// <summary>Kinds of input. Numbers are stored for decades: never reuse one.</summary>
public enum InputKind : byte
{
    // Observations.
    ReadingBlock = 1, RegisterSnapshot = 2, DeviceEvent = 3,
    AttestationQuote = 4, KeyEvent = 5, FrameFault = 6, Fingerprint = 7, Installation = 8, CommandOutcome = 9,
    FrameReceived = 10, Session = 11, ConcentratorReport = 12, Reaction = 13,

    // Registry changes.
    MeterSeen = 32, MeterRelation = 33, SupplyRecord = 34, ContextPeriod = 35,
    Release = 36, CampaignMember = 37, WorkOrder = 38, NonceIssued = 39, Reverification = 40,
    ReactionTableAssigned = 41, LifeCycleChanged = 42, CheckpointIssued = 43, CustomerStatus = 44,

    // Time.
    DayClosed = 64, Tick = 65, SourceEnded = 66, Sweep = 67,

    // Acts.
    Erasure = 96, JudgingVersion = 97, Verdict = 98,
    CaseAct = 99, ResponseAct = 100, PolicyActivation = 101, Suppression = 102, PlannedWork = 103, FreezeAct = 104,
    HolderSet = 105, KeyIssued = 106, KeyRevoked = 107, AccessNoted = 108, ModelActivation = 109, ModelOpinion = 110,

    // Commands that somebody wants sent, and what became of those that were.
    CommandRequest = 112, ResponseOutcome = 113,
}

/// <summary>The head of every input: 11 bytes. Twin id 0 addresses all twins of the kind.</summary>
public readonly record struct Envelope(InputKind Kind, TwinKey Target)
{
    public const byte Version = 1;
    public const int Length = 11;

    public void Write(ByteWriter to)
    {
        to.Byte(Version);
        to.Byte((byte)Kind);
        to.Byte((byte)Target.Kind);
        to.UInt64(Target.Id);
    }

    /// <exception cref="InvalidDataException">Too short, or written by a newer version.</exception>
    public static Envelope Read(ReadOnlySpan<byte> input)
    {
        var r = new ByteReader(input);
        var version = r.Byte();
        if (version != Version)
            throw new InvalidDataException(
                $"An input has encoding version {version}; this MeterTwin knows {Version}. Use a newer one.");
        var kind = (InputKind)r.Byte();
        return new Envelope(kind, new TwinKey((TwinKind)r.Byte(1, byte.MaxValue), r.UInt64()));
    }

    /// <summary>The payload behind the head.</summary>
    public static ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> input) => input[Length..];
}

/// <summary>An input other than <see cref="ReadingBlock"/>, which is read in place as a span.</summary>
public abstract record Input(InputKind Kind)
{
    public abstract TwinKey Target { get; }
    protected abstract void WritePayload(ByteWriter to);

    /// <summary>Appends envelope and payload.</summary>
    public void Write(ByteWriter to)
    {
        new Envelope(Kind, Target).Write(to);
        WritePayload(to);
    }

    public byte[] ToBytes()
    {
        var w = new ByteWriter();
        Write(w);
        return w.ToArray();
    }

    /// <summary>One line for a person: a timeline entry.</summary>
    public abstract string Describe();

    /// <exception cref="InvalidDataException">Damaged, or a kind that this version does not know.</exception>
    public static Input Read(ReadOnlySpan<byte> input)
    {
        var envelope = Envelope.Read(input);
        var r = new ByteReader(Envelope.Payload(input));
        var id = new MeterId(envelope.Target.Id);
        Input read = envelope.Kind switch
        {
            InputKind.RegisterSnapshot => RegisterSnapshot.ReadPayload(id, ref r),
            InputKind.DeviceEvent => DeviceEvent.ReadPayload(id, ref r),
            InputKind.MeterSeen => MeterSeen.ReadPayload(id, ref r),
            InputKind.MeterRelation => MeterRelation.ReadPayload(id, ref r),
            InputKind.SupplyRecord => SupplyRecord.ReadPayload(id, ref r),
            InputKind.ContextPeriod => ContextPeriod.ReadPayload(envelope.Target, ref r),
            InputKind.DayClosed => new DayClosed(ReadDay(ref r)),
            InputKind.Tick => new Tick(ReadTime(ref r)),
            InputKind.SourceEnded => new SourceEnded(r.Text()),
            InputKind.Erasure => new Erasure(id, ReadDay(ref r), r.Text()),
            InputKind.JudgingVersion => new JudgingVersion(r.Count(int.MaxValue), r.Text()),
            _ => ReadSecurity(envelope, id, ref r),
        };
        if (read.Target != envelope.Target)
            throw r.Bad($"an input of kind {read.Kind} is addressed to {envelope.Target}");
        return r.AtEnd ? read : throw r.Bad($"{r.Left} bytes follow the input");
    }

    private static Input ReadSecurity(in Envelope envelope, MeterId id, ref ByteReader r) => envelope.Kind switch
    {
        InputKind.AttestationQuote => AttestationQuote.ReadPayload(envelope.Target, ref r),
        InputKind.KeyEvent => KeyEvent.ReadPayload(envelope.Target, ref r),
        InputKind.FrameReceived => FrameReceived.ReadPayload(envelope.Target, ref r),
        InputKind.FrameFault => FrameFault.ReadPayload(envelope.Target, ref r),
        InputKind.Fingerprint => Fingerprint.ReadPayload(id, ref r),
        InputKind.Installation => Installation.ReadPayload(id, ref r),
        InputKind.CommandOutcome => CommandOutcome.ReadPayload(id, ref r),
        InputKind.Session => Session.ReadPayload(envelope.Target, ref r),
        InputKind.Reaction => Reaction.ReadPayload(id, ref r),
        InputKind.ConcentratorReport => ConcentratorReport.ReadPayload(envelope.Target, ref r),
        InputKind.Release => Release.ReadPayload(ref r),
        InputKind.CampaignMember => CampaignMember.ReadPayload(id, ref r),
        InputKind.WorkOrder => WorkOrder.ReadPayload(id, ref r),
        InputKind.NonceIssued => NonceIssued.ReadPayload(envelope.Target, ref r),
        InputKind.Reverification => Reverification.ReadPayload(id, ref r),
        InputKind.ReactionTableAssigned => ReactionTableAssigned.ReadPayload(id, ref r),
        InputKind.LifeCycleChanged => LifeCycleChanged.ReadPayload(id, ref r),
        InputKind.CheckpointIssued => CheckpointIssued.ReadPayload(id, ref r),
        InputKind.Sweep => new Sweep(ReadTime(ref r)),
        InputKind.Verdict => Verdict.ReadPayload(envelope.Target, ref r),
        InputKind.CustomerStatus => CustomerStatus.ReadPayload(id, ref r),
        var kind => ReadAct(envelope, ref r),
    };

    private static Input ReadAct(in Envelope envelope, ref ByteReader r) => envelope.Kind switch
    {
        InputKind.CaseAct => CaseAct.ReadPayload(envelope.Target, ref r),
        InputKind.ResponseAct => ResponseAct.ReadPayload(envelope.Target, ref r),
        InputKind.PolicyActivation => PolicyActivation.ReadPayload(ref r),
        InputKind.Suppression => Suppression.ReadPayload(ref r),
        InputKind.PlannedWork => PlannedWork.ReadPayload(ref r),
        InputKind.FreezeAct => FreezeAct.ReadPayload(ref r),
        InputKind.HolderSet => HolderSet.ReadPayload(ref r),
        InputKind.KeyIssued => KeyIssued.ReadPayload(ref r),
        InputKind.KeyRevoked => KeyRevoked.ReadPayload(ref r),
        InputKind.AccessNoted => AccessNoted.ReadPayload(ref r),
        InputKind.ModelActivation => ModelActivation.ReadPayload(ref r),
        InputKind.ModelOpinion => ModelOpinion.ReadPayload(new MeterId(envelope.Target.Id), ref r),
        InputKind.CommandRequest => CommandRequest.ReadPayload(new MeterId(envelope.Target.Id), ref r),
        InputKind.ResponseOutcome => ResponseOutcome.ReadPayload(envelope.Target, ref r),
        var kind => throw r.Bad($"input kind {(byte)kind} is not known to this version"),
    };

    /// <summary>
    /// Event time of an input whose payload begins with it (the kinds of SecurityInputs.cs and RegistryInputs.cs, and
    /// device events); null for other kinds.
    /// </summary>
    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static UnixTime? EventTime(ReadOnlySpan<byte> input)
    {
        var kind = Envelope.Read(input).Kind;
        if (kind is not (InputKind.DeviceEvent or (>= InputKind.AttestationQuote and <= InputKind.Reaction)
            or (>= InputKind.Release and <= InputKind.CustomerStatus) or InputKind.Sweep
            or (>= InputKind.Verdict and <= InputKind.ResponseOutcome))) return null;
        var r = new ByteReader(Envelope.Payload(input));
        return ReadTime(ref r);
    }

    /// <summary>An instant that a calendar can show: the years 1 to 9999.</summary>
    public static UnixTime ReadTime(ref ByteReader r)
    {
        var seconds = r.VarInt();
        return seconds is >= UnixTime.MinSeconds and <= UnixTime.MaxSeconds
            ? new UnixTime(seconds) : throw r.Bad($"second {seconds} is no time of the years 1 to 9999");
    }

    /// <summary>A local day of the years 1 to 9999.</summary>
    internal static int ReadDay(ref ByteReader r)
    {
        var number = r.Int();
        return number is >= LocalDay.MinNumber and <= LocalDay.MaxNumber
            ? number : throw r.Bad($"day {number} is not of the years 1 to 9999");
    }

    /// <summary>
    /// True for kinds that come with every frame: a journal keeps those of a meter together, not each under an index
    /// entry of its own.
    /// </summary>
    public static bool IsFrequent(in Envelope envelope) =>
        envelope.Kind == InputKind.FrameReceived && envelope.Target.Kind == TwinKind.Meter;

    /// <summary>
    /// True for kinds of which a byte-identical repeat is the same fact told twice, at any age: the journal keeps a
    /// digest of each. (Readings are compared by value, relations with the state they would change; an erasure asked
    /// for again may find what came since.)
    /// </summary>
    public static bool KeyedByContent(InputKind kind) =>
        kind is InputKind.RegisterSnapshot or InputKind.DeviceEvent or InputKind.ContextPeriod
            or InputKind.KeyEvent or InputKind.FrameFault or InputKind.Fingerprint
            or InputKind.Installation or InputKind.CommandOutcome or InputKind.Session or InputKind.ConcentratorReport
            or InputKind.Reaction or (>= InputKind.Verdict and <= InputKind.ResponseOutcome)
            or (>= InputKind.Release and <= InputKind.CustomerStatus);
}

/// <summary>A cumulative register as read: <paramref name="Value"/> in the channel's unit at an instant.</summary>
public sealed record RegisterSnapshot(MeterId Meter, Channel Channel, UnixTime At, long Value)
    : Input(InputKind.RegisterSnapshot)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.Byte((byte)Channel);
        to.VarInt(At.Seconds);
        to.VarInt(Value);
    }
    internal static RegisterSnapshot ReadPayload(MeterId id, ref ByteReader r) =>
        new(id, (Channel)r.Byte((int)Channel.Import, (int)Channel.Water), ReadTime(ref r), r.VarInt());
    public override string Describe() => $"{At} register {Channel} reads {Value}";
}

/// <summary>
/// An entry of a meter's event log. <paramref name="Code"/> is in the named companion profile, or free text there.
/// </summary>
public sealed record DeviceEvent(MeterId Meter, UnixTime At, string Profile, string Code, string Detail)
    : Input(InputKind.DeviceEvent)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Text(Profile);
        to.Text(Code);
        to.Text(Detail);
    }
    internal static DeviceEvent ReadPayload(MeterId id, ref ByteReader r) =>
        new(id, ReadTime(ref r), r.Text(), r.Text(), r.Text());
    public override string Describe() => $"{At} event {Profile}:{Code} {Detail}".TrimEnd();
}

/// <summary>
/// The first word of a meter: its utility id and, where the source declares one, its zone (empty: not declared).
/// <paramref name="ZoneRank"/> says who speaks: 3 profile, 2 fleet column, 1 the row's own offset, 0 nobody (DESIGN,
/// invariant 4).
/// </summary>
public sealed record MeterSeen(MeterId Meter, string Name, string Zone, byte ZoneRank) : Input(InputKind.MeterSeen)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.Text(Name);
        to.Text(Zone);
        to.Byte(ZoneRank);
    }
    internal static MeterSeen ReadPayload(MeterId id, ref ByteReader r) => new(id, r.Text(), r.Text(), r.Byte(0, 3));
    public override string Describe() => $"seen as {Name}" + (Zone.Length > 0 ? $" in zone {Zone}" : "");
}

/// <summary>
/// One row of a fleet file: what the meter is and where, from <paramref name="ValidFromDay"/> (local day number;
/// <c>int.MinValue</c>: since ever) until before <paramref name="ValidToDay"/> (<c>int.MaxValue</c>: open). Empty texts
/// mean not given.
/// </summary>
public sealed record MeterRelation(MeterId Meter, string Name, MeterRole Role, string Feeder, string Model,
    string Firmware, string Lot,
    string Installed, string UsagePoint, string Phase, string Zone, string Concentrator, string Region,
    CustomerCategory Category,
    int ValidFromDay, int ValidToDay) : Input(InputKind.MeterRelation)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.Text(Name);
        to.Byte((byte)Role);
        foreach (var text in (ReadOnlySpan<string>)[Feeder, Model, Firmware, Lot, Installed, UsagePoint, Phase, Zone,
            Concentrator, Region])
            to.Text(text);
        to.Byte((byte)Category);
        to.VarInt(ValidFromDay);
        to.VarInt(ValidToDay);
    }
    internal static MeterRelation ReadPayload(MeterId id, ref ByteReader r) =>
        new(id, r.Text(), (MeterRole)r.Byte(0, (int)MeterRole.Observer), r.Text(), r.Text(), r.Text(), r.Text(),
            r.Text(),
            r.Text(), r.Text(), r.Text(), r.Text(), r.Text(),
            (CustomerCategory)r.Byte(0, (int)CustomerCategory.Medical), r.Int(), r.Int());

    /// <summary>The cohort of meters that should behave alike: one model, firmware and production lot.</summary>
    public string CohortName => $"{Model}|{Firmware}|{Lot}";
    public override string Describe() =>
        $"{Role.ToString().ToLowerInvariant()} on feeder {Feeder}, {Model} {Firmware} lot {Lot}";
}

/// <summary>
/// What is known of a meter's making and mounting; from shipment on, before it ever speaks. Empty texts mean not given.
/// </summary>
public sealed record SupplyRecord(MeterId Meter, string Name, string Manufacturer, string Plant, string Lot,
    string Supplier,
    string CalibrationDigest, string Installer, string Contractor, string Shipped) : Input(InputKind.SupplyRecord)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        foreach (var text in (ReadOnlySpan<string>)
            [Name, Manufacturer, Plant, Lot, Supplier, CalibrationDigest, Installer, Contractor, Shipped]) to.Text(
                text);
    }
    internal static SupplyRecord ReadPayload(MeterId id, ref ByteReader r) =>
        new(id, r.Text(), r.Text(), r.Text(), r.Text(), r.Text(),
        r.Text(), r.Text(), r.Text(), r.Text());
    public override string Describe() => $"made by {Manufacturer} at {Plant}, lot {Lot}";
}

/// <summary>Kinds of dated context that explain a change without blame.</summary>
public enum ContextKind : byte { Outage = 1, TariffChange = 2, MoveIn = 3, Exchange = 4, PlannedWork = 5 }

/// <summary>
/// Dated context of one meter or one feeder, imported from the utility's other systems. <paramref name="To"/> is
/// exclusive.
/// </summary>
public sealed record ContextPeriod(TwinKey Subject, ContextKind Context, UnixTime From, UnixTime To, string Note)
    : Input(InputKind.ContextPeriod)
{
    public override TwinKey Target => Subject;
    protected override void WritePayload(ByteWriter to)
    {
        to.Byte((byte)Context);
        to.VarInt(From.Seconds);
        to.VarInt(To.Seconds);
        to.Text(Note);
    }
    internal static ContextPeriod ReadPayload(TwinKey subject, ref ByteReader r) =>
        new(subject, (ContextKind)r.Byte((int)ContextKind.Outage, (int)ContextKind.PlannedWork), ReadTime(ref r),
            ReadTime(ref r), r.Text());
    public override string Describe() => $"{Context} from {From} to {To} {Note}".TrimEnd();
}

/// <summary>
/// The watermark has passed this local day by the horizon: every meter folds what it has, feeders and cohorts fold
/// their members. Journalled where it happened, so that a rebuild closes each day at the same place.
/// </summary>
public sealed record DayClosed(int Day) : Input(InputKind.DayClosed)
{
    public override TwinKey Target => TwinKey.All(TwinKind.Meter);
    protected override void WritePayload(ByteWriter to) => to.VarInt(Day);
    public override string Describe() => $"day {LocalDay.FormatDate(Day)} closed";
}

/// <summary>A clock tick of the live host: the only way that the wall clock enters.</summary>
public sealed record Tick(UnixTime At) : Input(InputKind.Tick)
{
    public override TwinKey Target => TwinKey.All(TwinKind.Fleet);
    protected override void WritePayload(ByteWriter to) => to.VarInt(At.Seconds);
    public override string Describe() => $"tick {At}";
}

/// <summary>A source declares that it has delivered all it has: its last day needs no horizon.</summary>
public sealed record SourceEnded(string Source) : Input(InputKind.SourceEnded)
{
    public override TwinKey Target => TwinKey.All(TwinKind.Fleet);
    protected override void WritePayload(ByteWriter to) => to.Text(Source);
    public override string Describe() => $"source {Source} ended";
}

/// <summary>
/// Readings of a meter before <paramref name="BeforeDay"/> are erased from history; the reason is kept.
/// </summary>
public sealed record Erasure(MeterId Meter, int BeforeDay, string Reason) : Input(InputKind.Erasure)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(BeforeDay);
        to.Text(Reason);
    }
    public override string Describe() => $"readings before {LocalDay.FormatDate(BeforeDay)} erased: {Reason}";
}

/// <summary>From here on another generation of detectors judges; the journal position begins an epoch.</summary>
public sealed record JudgingVersion(int Version, string TzdbVersion) : Input(InputKind.JudgingVersion)
{
    public override TwinKey Target => TwinKey.All(TwinKind.Fleet);
    protected override void WritePayload(ByteWriter to)
    {
        to.VarUInt((ulong)Version);
        to.Text(TzdbVersion);
    }
    public override string Describe() => $"judging version {Version}, TZDB {TzdbVersion}";
}
