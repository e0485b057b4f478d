using Twin.Hardware;

namespace Twin.Detection.Specification;

/// <summary>
/// What a specification check states when it fails. Severity and confidence are the usual ones; a claim may have its
/// own. <paramref name="Technique"/>: of ATT&amp;CK for ICS v18.1, empty where none applies.
/// <paramref name="SilentDays"/>: days of event time for which the same cause is not stated again: 1 for acts, 30 for
/// conditions that last.
/// </summary>
public readonly record struct SecurityRule(string Check, string Technique, Severity Severity, double Confidence,
    byte SilentDays);

/// <summary>One row for each finding that a meter's own record can show.</summary>
public static class SecurityRules
{
    /// <summary>Raised when a check judges differently; stored with each finding.</summary>
    public const int Version = 1;
    public const string Prefix = "specification:";

    private const byte Act = 1, Lasting = 30;

    /// <exception cref="ArgumentOutOfRangeException">No check of a single meter states that kind.</exception>
    public static SecurityRule Of(FindingKind kind) => kind switch
    {
        FindingKind.ChainBroken => new("chain", "T0872", Severity.Critical, 0.95, Lasting),
        FindingKind.SequenceGap => new("sequence", "T0872", Severity.High, 0.9, Lasting),
        FindingKind.UnauthorisedUpgrade => new("approved_image", "T0857", Severity.High, 0.9, Act),
        FindingKind.Downgrade => new("version", "T0857", Severity.High, 0.9, Act),
        FindingKind.StaleNonce => new("fresh_nonce", "T0856", Severity.Medium, 0.7, Act),
        FindingKind.WrongKey => new("device_key", "T0849", Severity.High, 0.9, Act),
        FindingKind.LogTruncated => new("checkpoint", "T0872", Severity.Critical, 0.95, Lasting),
        FindingKind.UnexplainedBoots => new("boots", "T0816", Severity.Medium, 0.6, Lasting),
        FindingKind.ClockDrift => new("clock", "T0836", Severity.Low, 0.6, Lasting),
        FindingKind.UpgradeEventMismatch => new("upgrade_events", "T0856", Severity.Medium, 0.6, Act),
        FindingKind.UnverifiedMetrologyChange => new("metrology", "T0836", Severity.High, 0.9, Lasting),
        FindingKind.ImageRefused => new("refused_image", "T0857", Severity.Medium, 0.8, Act),
        FindingKind.FlashDrift => new("flash_pages", "", Severity.Medium, 0.6, Lasting),
        FindingKind.RetiredMeterSpeaks => new("life_cycle", "T0849", Severity.High, 0.8, Lasting),
        FindingKind.AttestationOverdue => new("attestation", "T0804", Severity.Low, 0.5, Lasting),
        FindingKind.CounterRegression => new("frame_counter", "T0830", Severity.Medium, 0.6, Act),
        FindingKind.NonceReuse => new("frame_nonce", "T0830", Severity.High, 0.9, Act),
        FindingKind.CounterJump => new("frame_counter", "T0849", Severity.Medium, 0.5, Act),
        FindingKind.CounterExhaustion => new("frame_counter", "", Severity.Low, 0.95, Lasting),
        FindingKind.AuthenticationFailures => new("frame_tags", "T0830", Severity.Medium, 0.6, Act),
        FindingKind.MalformedFrames => new("frame_format", "T0814", Severity.Low, 0.5, Act),
        FindingKind.UnprotectedFrames => new("frame_protection", "T0830", Severity.Medium, 0.6, Act),
        FindingKind.KeyCompromised => new("key_state", "T0859", Severity.High, 0.8, Act),
        FindingKind.UntrustedCertificate => new("certificate", "T0848", Severity.High, 0.8, Act),
        FindingKind.CommandWithoutOrder => new("work_order", "T0855", Severity.High, 0.85, Act),
        FindingKind.RapidSwitching => new("switching_rate", "T0855", Severity.High, 0.8, Act),
        FindingKind.OutputStateMismatch => new("output_state", "T0831", Severity.High, 0.8, Lasting),
        FindingKind.LimiterChanged => new("limiter", "T0836", Severity.Medium, 0.7, Act),
        FindingKind.ClockShifted => new("clock_setting", "T0836", Severity.Medium, 0.7, Act),
        FindingKind.LogCleared => new("event_log", "T0872", Severity.Medium, 0.7, Act),
        FindingKind.LoginFailures => new("logins", "T0806", Severity.Medium, 0.6, Act),
        FindingKind.LocalReprogramming => new("optical_port", "T0836", Severity.High, 0.8, Act),
        FindingKind.RogueSession => new("association", "T0848", Severity.High, 0.8, Act),
        FindingKind.ReactionIgnored => new("reaction_table", "T0878", Severity.High, 0.8, Act),
        FindingKind.Tamper => new("tamper", "", Severity.Medium, 0.7, Act),
        FindingKind.SpoofedLastGasp => new("last_gasp", "T0856", Severity.Medium, 0.6, Act),
        FindingKind.InstallationMismatch => new("installation", "T0849", Severity.Medium, 0.6, Lasting),
        FindingKind.SupplyChainMismatch => new("supply_chain", "T0862", Severity.High, 0.8, Lasting),
        FindingKind.SealBroken => new("metrology_seal", "T0856", Severity.High, 0.9, Act),
        FindingKind.FirmwareBehaviour => new("fingerprint", "T0857", Severity.Medium, 0.6, Lasting),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No check of a single meter states this."),
    };
}

/// <summary>
/// A failed check, before it is a finding. <paramref name="Cause"/> tells causes of one kind apart (a part, a command,
/// a key slot); each is stated once per span. Null severity and confidence: those of the rule.
/// </summary>
public sealed record SecurityClaim(FindingKind Kind, uint From, byte Cause, string Sentence, params Evidence[] Evidence)
{
    public Severity? Severity { get; init; }
    public double? Confidence { get; init; }
    public string? Technique { get; init; }

    /// <summary>What other subjects may share, see <see cref="Finding.Cause"/>; empty when the cause is its own.
    /// </summary>
    public string Shared { get; init; } = "";

    /// <summary>Known innocent causes that would explain it.</summary>
    public string[] Counter { get; init; } = [];

    /// <summary>The finding about a subject, stated at an event time.</summary>
    public Finding About(TwinKey subject, string name, UnixTime at)
    {
        var rule = SecurityRules.Of(Kind);
        var severity = Severity ?? rule.Severity;
        var confidence = (Confidence ?? rule.Confidence) * (Counter.Length == 0 ? 1 : 0.5);
        var from = Moment.Time(From);
        return new Finding(subject, name, Kind, from, at.Seconds < from.Seconds ? from : at, at, (double)severity,
            severity, confidence, SecurityRules.Prefix + rule.Check, SecurityRules.Version,
            Technique ?? rule.Technique, Sentence, Evidence, Counter)
        { Cause = Shared };
    }

    /// <summary>A piece of evidence that bears the whole claim.</summary>
    public static Evidence Seen(string feature, double observed, double expected, string unit) =>
        new(feature, observed, expected, 1, unit);
}
