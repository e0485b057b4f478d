using System.Globalization;
using System.Text;
using Twin.Hardware.Coding;

namespace Twin.Hardware;

/// <summary>The closed family of findings. Numbers are stored for decades: never reuse one.</summary>
public enum FindingKind : byte
{
    // Validation rules: the V of VEE.
    MissingReadings = 1, ZeroRun = 2, Spike = 3, NegativeReading = 4, SumCheck = 5, IntervalSize = 6, ClockOffGrid = 7,
    StuckReading = 8,

    // Reading models.
    LevelShift = 32, ShapeChange = 33, RepeatedDay = 34, CohortDeviation = 35, NightBaseLost = 36, UnusualDay = 37,
    CatchUp = 38,

    // Balance of a feeder.
    FeederLoss = 64, BalanceSuspect = 65, MetersExchanged = 66,

    // Registry.
    ContextForSingleMeter = 96,

    // Attestation: the verifier's invariants I1 to I10, and what the log gives away besides.
    ChainBroken = 128, SequenceGap = 129, UnknownImage = 130, UnauthorisedUpgrade = 131, Downgrade = 132,
    StaleNonce = 133, WrongKey = 134, ClonedKey = 135, LogTruncated = 136, UnexplainedBoots = 137, ClockDrift = 138,
    WithdrawnRelease = 139, UpgradeEventMismatch = 140, UnverifiedMetrologyChange = 141, ImageRefused = 142,
    FlashDrift = 143, RetiredMeterSpeaks = 144, AttestationOverdue = 145,

    // Keys and frames.
    CounterRegression = 160, NonceReuse = 161, AuthenticationFailures = 162, CounterExhaustion = 163,
    WeakRandomness = 164, KeyCompromised = 165, UntrustedCertificate = 166, MalformedFrames = 167,
    UnprotectedFrames = 168, CounterJump = 169,

    // Commands, sessions, switch.
    CommandWithoutOrder = 176, CommandVolume = 177, LoginFailures = 178, LocalReprogramming = 179,
    ContractorSeries = 180, OutputStateMismatch = 181, RapidSwitching = 182, ReactionIgnored = 183,
    LimiterChanged = 184, SimultaneousSwitching = 185, ClockShifted = 186, LogCleared = 187, RogueSession = 188,

    // The device and its making.
    Tamper = 192, FirmwareBehaviour = 193, InstallationMismatch = 194, SupplyChainMismatch = 195,
    SpoofedLastGasp = 196, MetrologySuspect = 197, SealBroken = 198,

    // The network.
    BackhaulLost = 208, CorrelatedSilence = 209, EventFlood = 210, RouteAnomaly = 211, CampaignStuck = 212,

    // How the answer itself fares: responses, guards, planned work.
    ResponseUnconfirmed = 224, CommandsQuarantined = 225, PlannedWorkOverrun = 226, ClockJump = 227,
    ResponseUnknown = 228,

    // Who may, and what was done with it.
    RoleChanged = 229, BreakGlassUsed = 230, BulkRead = 231, SignInsFailed = 232,
}

/// <summary>How bad it would be if it is true; OCSF severity_id 1 to 5.</summary>
public enum Severity : byte { Info = 1, Low = 2, Medium = 3, High = 4, Critical = 5 }

/// <summary>
/// One feature behind a finding: what was seen, what was expected, and its share of the score (0 to 1).
/// </summary>
public readonly record struct Evidence(string Feature, double Observed, double Expected, double Contribution,
    string Unit);

/// <summary>
/// One detector's statement about a twin over an event-time span. The id is derived from subject, kind and begin, so
/// that a rebuild finds the same one. Score: 0 (ordinary) upward, comparable between kinds; confidence: 0 to 1.
/// </summary>
public sealed record Finding(TwinKey Subject, string SubjectName, FindingKind Kind, UnixTime From, UnixTime To,
    UnixTime DetectedAt,
    double Score, Severity Severity, double Confidence, string Detector, int DetectorVersion, string Technique,
    string Sentence,
    Evidence[] Evidence, string[] CounterEvidence)
{
    /// <summary>Version 2 has the shared cause behind the rest; in version 1 it is empty.</summary>
    public const byte EncodingVersion = 2;

    /// <summary>
    /// What other subjects may share: <c>image:</c>, <c>key:</c>, <c>lot:</c>, <c>campaign:</c>, <c>tool:</c> and a
    /// name or digest in hexadecimal. Empty when the cause is the subject's own. Findings of one cause are one case.
    /// </summary>
    public string Cause { get; init; } = "";

    /// <summary>Longest cause, characters.</summary>
    public const int MaxCause = 96;

    /// <summary>Bounds of the evidence and of the counter-evidence of one finding; writing more is an error.</summary>
    public const int MaxEvidence = 64;

    /// <summary>Stable id: 16 hexadecimal digits.</summary>
    public string Id =>
        StableHash.Of(string.Create(CultureInfo.InvariantCulture, $"{Subject}/{(byte)Kind}/{From.Seconds}"))
        .ToString("x16", CultureInfo.InvariantCulture);

    public void Write(ByteWriter to)
    {
        if (Evidence.Length > MaxEvidence || CounterEvidence.Length > MaxEvidence)
            throw new InvalidOperationException(
                $"A finding has at most {MaxEvidence} pieces of evidence: keep the best.");
        to.Byte(EncodingVersion);
        to.Byte((byte)Subject.Kind);
        to.UInt64(Subject.Id);
        to.Text(SubjectName);
        to.Byte((byte)Kind);
        to.VarInt(From.Seconds);
        to.VarInt(To.Seconds);
        to.VarInt(DetectedAt.Seconds);
        to.Double(Score);
        to.Byte((byte)Severity);
        to.Double(Confidence);
        to.Text(Detector);
        to.VarUInt((ulong)DetectorVersion);
        to.Text(Technique);
        to.Text(Sentence);
        to.VarUInt((ulong)Evidence.Length);
        foreach (var e in Evidence)
        {
            to.Text(e.Feature);
            to.Double(e.Observed);
            to.Double(e.Expected);
            to.Double(e.Contribution);
            to.Text(e.Unit);
        }
        to.VarUInt((ulong)CounterEvidence.Length);
        foreach (var text in CounterEvidence) to.Text(text);
        to.Text(Cause);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static Finding Read(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        var version = r.Byte();
        if (version is 0 or > EncodingVersion)
            throw r.Bad($"a finding has encoding version {version}, this MeterTwin knows {EncodingVersion}");
        // Any kind of twin may be found wanting, those of a later day too: who stores findings need not know kinds.
        var subject = new TwinKey((TwinKind)r.Byte((int)TwinKind.Meter, byte.MaxValue), r.UInt64());
        var name = r.Text();
        var kind = (FindingKind)r.Byte();
        if (!Enum.IsDefined(kind)) throw r.Bad($"finding kind {(byte)kind} is not known to this version");
        UnixTime from = Input.ReadTime(ref r), to = Input.ReadTime(ref r), detected = Input.ReadTime(ref r);
        var score = r.Double();
        var severity = (Severity)r.Byte((int)Severity.Info, (int)Severity.Critical);
        var confidence = r.Double();
        var detector = r.Text();
        var detectorVersion = r.Count(int.MaxValue);
        var technique = r.Text();
        var sentence = r.Text();
        var evidence = new Evidence[r.Count(MaxEvidence)];
        for (var i = 0; i < evidence.Length; i++)
            evidence[i] = new Evidence(r.Text(), r.Double(), r.Double(), r.Double(), r.Text());
        var counter = new string[r.Count(MaxEvidence)];
        for (var i = 0; i < counter.Length; i++) counter[i] = r.Text();
        var cause = version > 1 ? r.Text() : "";
        if (!r.AtEnd) throw r.Bad($"{r.Left} bytes follow the finding");
        return new Finding(subject, name, kind, from, to, detected, score, severity, confidence, detector,
            detectorVersion, technique,
            sentence, evidence, counter)
        { Cause = cause };
    }

    /// <summary>The kind as written in files, API and console: <c>level_shift</c>.</summary>
    public static string NameOf(FindingKind kind) => SnakeCase.Of(kind);
}
