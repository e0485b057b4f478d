namespace Twin.Hardware.Attestation;

/// <summary>
/// Tiers of trust of the draft "Attestation Results for Secure Interactions" (AR4SI): every value of a claim belongs to
/// one. A result as a whole has the worst tier of its claims.
/// </summary>
public enum TrustTier : byte { None = 0, Affirming = 1, Warning = 2, Contraindicated = 3 }

/// <summary>
/// Values of claims of the AR4SI draft that are given here, as they stand in a trustworthiness vector. None: 0;
/// affirming: 2 to 31; warning: 32 to 95; contraindicated: 96 to 127.
/// </summary>
public static class TrustClaim
{
    public const sbyte None = 0, UnexpectedEvidence = 1, CryptoValidationFailed = 99;

    public const sbyte TrustworthyInstance = 2, UntrustworthyInstance = 96, UnrecognisedInstance = 97;
    public const sbyte ApprovedConfig = 2, UnsafeConfig = 32, UnsupportableConfig = 96;
    public const sbyte ApprovedRuntime = 2, UnsafeRuntime = 32, UnrecognisedRuntime = 33, ContraindicatedRuntime = 96;
    public const sbyte GenuineHardware = 2, UnsafeHardware = 32, ContraindicatedHardware = 96;
    public const sbyte TrustedSources = 2, UntrustedSources = 32, ContraindicatedSources = 96;

    public static TrustTier Tier(sbyte value) => value switch
    {
        >= 2 and < 32 => TrustTier.Affirming,
        >= 32 and < 96 => TrustTier.Warning,
        >= 96 => TrustTier.Contraindicated,
        _ => TrustTier.None,
    };
}

/// <summary>What the verifier thinks of an image: the twin knows releases and campaigns, this room does not.</summary>
public enum ImageStanding : byte
{
    /// <summary>Not judged.</summary>
    Unknown = 0,
    Approved = 1,
    /// <summary>Approved once, and withdrawn since: known weaknesses.</summary>
    Withdrawn = 2,
    /// <summary>No release that the utility has registered.</summary>
    Unregistered = 3,
    /// <summary>A release, but nobody authorised it for this meter, or it is a downgrade without permit.</summary>
    Unauthorised = 4,
}

/// <summary>What the twin knows besides the quote. Flags are facts about the present, not suspicions.</summary>
public readonly record struct AttestationContext
{
    public required ImageStanding Application { get; init; }
    public required ImageStanding Metrology { get; init; }

    /// <summary>Calibration and reaction table are what the registry says; null: the registry does not know.</summary>
    public bool? ConfigurationAsRegistered { get; init; }

    /// <summary>The key was seen in another meter too, or is known to be compromised.</summary>
    public bool KeyIsShared { get; init; }

    /// <summary>A cover, a magnet, or another tamper input speaks.</summary>
    public bool Tampered { get; init; }

    /// <summary>
    /// Anomaly of the readings, 0 (as expected) to 1, calibrated to the false-alarm budget; NaN: no model yet.
    /// </summary>
    public double ReadingScore { get; init; }
}

/// <summary>One part of a meter: the claims of its trustworthiness vector.</summary>
public sealed record AttestationSubmodule(string Name, sbyte InstanceIdentity, sbyte Configuration, sbyte Executables,
    sbyte Hardware, sbyte SourcedData)
{
    /// <summary>The worst tier; none only when no claim is made.</summary>
    public TrustTier Status => new[] { InstanceIdentity, Configuration, Executables, Hardware, SourcedData }
        .Max(TrustClaim.Tier);
}

/// <summary>
/// The verifier's answer about one meter in the words of EAR (draft-ietf-rats-ear): two submodules, because the
/// metrology core stands apart from the application core. Executables come from the log's lineage, sourced data from
/// the readings.
/// </summary>
public sealed record AttestationResult(ulong SystemTitle, UnixTime IssuedAt, UInt128 Nonce,
    AttestationSubmodule Application, AttestationSubmodule Metrology)
{
    /// <summary>Scores from which readings are a warning, and from which nobody should bill by them.</summary>
    public const double WarningScore = 0.5, ContraindicatedScore = 0.9;

    public TrustTier Status => (TrustTier)Math.Max((byte)Application.Status, (byte)Metrology.Status);

    /// <summary>Works the result out from a verdict and what the twin knows.</summary>
    public static AttestationResult From(ulong systemTitle, UnixTime issuedAt, QuoteVerdict verdict,
        in AttestationContext context)
    {
        var identity = Identity(verdict, context);
        var authentic = verdict.Signature == SignatureVerdict.Valid;
        var configuration = !authentic ? TrustClaim.None : context.ConfigurationAsRegistered switch
        {
            true => TrustClaim.ApprovedConfig,
            false => TrustClaim.UnsafeConfig,
            null => TrustClaim.None,
        };
        var hardware = context.Tampered ? TrustClaim.UnsafeHardware
            : !authentic ? TrustClaim.None
            : verdict.Quote!.ChangedPages > 0 ? TrustClaim.UnsafeHardware : TrustClaim.GenuineHardware;
        var application = new AttestationSubmodule("application", identity, configuration,
            Executables(verdict, context.Application), hardware, TrustClaim.None);
        var metrology = new AttestationSubmodule("metrology", identity, configuration,
            Executables(verdict, context.Metrology), hardware, Sourced(verdict, context));
        return new AttestationResult(systemTitle, issuedAt, verdict.Quote?.Nonce ?? default, application, metrology);
    }

    private static sbyte Identity(QuoteVerdict verdict, in AttestationContext context) => verdict.Signature switch
    {
        SignatureVerdict.Valid when verdict.Has(ChainViolationKind.OtherMeter) || context.KeyIsShared
            => TrustClaim.UntrustworthyInstance,
        SignatureVerdict.Valid => TrustClaim.TrustworthyInstance,
        SignatureVerdict.Invalid when verdict.Has(ChainViolationKind.OtherKey) => TrustClaim.UnrecognisedInstance,
        SignatureVerdict.Invalid => TrustClaim.CryptoValidationFailed,
        _ => TrustClaim.None,
    };

    /// <summary>A log that was rewritten says nothing about what ran, whatever runs now.</summary>
    private static sbyte Executables(QuoteVerdict verdict, ImageStanding standing)
    {
        if (verdict.Signature == SignatureVerdict.Invalid) return TrustClaim.CryptoValidationFailed;
        if (verdict.Signature != SignatureVerdict.Valid) return TrustClaim.None;
        if (!verdict.IsClean)
            return verdict.Violations.All(v => v.Kind == ChainViolationKind.StaleNonce) ? TrustClaim.UnexpectedEvidence
                : TrustClaim.ContraindicatedRuntime;
        return standing switch
        {
            ImageStanding.Approved => TrustClaim.ApprovedRuntime,
            ImageStanding.Withdrawn => TrustClaim.UnsafeRuntime,
            ImageStanding.Unauthorised => TrustClaim.UnrecognisedRuntime,
            ImageStanding.Unregistered => TrustClaim.ContraindicatedRuntime,
            _ => TrustClaim.None,
        };
    }

    private static sbyte Sourced(QuoteVerdict verdict, in AttestationContext context)
    {
        if (context.Metrology is ImageStanding.Unregistered && verdict.Signature == SignatureVerdict.Valid)
            return TrustClaim.ContraindicatedSources;
        return context.ReadingScore switch
        {
            double.NaN => TrustClaim.None,
            >= ContraindicatedScore => TrustClaim.ContraindicatedSources,
            >= WarningScore => TrustClaim.UntrustedSources,
            _ => TrustClaim.TrustedSources,
        };
    }
}
