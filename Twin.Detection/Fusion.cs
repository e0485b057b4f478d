using Twin.Hardware;

namespace Twin.Detection;

/// <summary>Of what nature a finding's evidence is.</summary>
public enum Nature : byte { Consumption = 0, Physical = 1, Cyber = 2 }

/// <summary>
/// What is known of a meter besides its consumption, on the day that is judged; each from 0 (nothing) to 1 (certain and
/// of today).
/// </summary>
public readonly record struct OtherEvidence(float Physical, float Cyber)
{
    public bool IsNone => Physical <= 0 && Cyber <= 0;
}

/// <summary>
/// Makes one score of evidence of different natures. With r the consumption score (1: what one honest home in a hundred
/// reaches in three months), p and c the physical and cyber evidence:
/// <c>score = r · (1 + p / 2 + c / 4 + p · c / 4) + p / 4 + c / 8</c>.
/// </summary>
/// <remarks>
/// That cyber, physical and consumption evidence should confirm each other, because each alone is often wrong, is from
/// AMIDS (McLaughlin, Holbert, Fawaz, Berthier and Zonouz, IEEE JSAC 31, 2013). There an attack graph joins them; this
/// form is ours: independent evidence multiplies odds, so natures that agree multiply the score; the sum at the end
/// keeps meters apart that have no consumption to judge, and is too small to be a finding. Physical evidence weighs
/// twice as much as cyber: who opens a cover mostly means the meter's readings, who attacks its communication often
/// something else.
/// </remarks>
public static class Fusion
{
    /// <summary>Days in which evidence of another nature fades to nothing.</summary>
    public const int FadeDays = 60;

    /// <exception cref="ArgumentOutOfRangeException">Evidence outside 0 to 1.</exception>
    public static double Score(double consumption, in OtherEvidence other)
    {
        if (other.IsNone) return consumption;
        double p = other.Physical, c = other.Cyber;
        if (!(p is >= 0 and <= 1 && c is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(other), other, "Evidence is from 0 to 1.");
        return consumption * (1 + p / 2 + c / 4 + p * c / 4) + p / 4 + c / 8;
    }

    /// <summary>
    /// The score with what a promoted model says of the same consumption, l (1: what one honest home in a hundred
    /// reaches): <c>score · (1 + l / 4) + l / 4</c>. A quarter, because both look at the same readings: they agree more
    /// often than independent evidence does.
    /// </summary>
    public static double WithLearned(double score, double learned)
    {
        var l = Math.Clamp(learned, 0, 3);
        return score * (1 + l / 4) + l / 4;
    }

    /// <summary>The finding with what a promoted model says of the meter.</summary>
    public static Finding Learned(Finding finding, float learned) => learned <= 0 ? finding : finding with
    {
        Evidence = [.. finding.Evidence.Take(Finding.MaxEvidence - 1), new Evidence("learned_model", learned, 0, 0,
            "")],
        Sentence = learned < 1 ? finding.Sentence
            : finding.Sentence + " A model that learnt from this fleet's history says the same.",
    };

    /// <summary>
    /// The nature of a finding, as evidence for others: null where it says nothing about the meter itself (its network,
    /// its registry) or is a fault that nobody makes.
    /// </summary>
    public static Nature? NatureOf(FindingKind kind) => kind switch
    {
        FindingKind.Tamper or FindingKind.OutputStateMismatch or FindingKind.MetrologySuspect or FindingKind.SealBroken
            or FindingKind.UnverifiedMetrologyChange or FindingKind.SpoofedLastGasp => Nature.Physical,
        FindingKind.FlashDrift or FindingKind.ClockDrift or FindingKind.CounterExhaustion
            or FindingKind.AttestationOverdue or FindingKind.MalformedFrames
            or FindingKind.InstallationMismatch => null,
        >= FindingKind.ChainBroken and <= FindingKind.FirmwareBehaviour => Nature.Cyber,
        _ => null,
    };

    /// <summary>What a finding is worth as evidence for others, by its severity: 0 to 1.</summary>
    public static float StrengthOf(Severity severity) => severity switch
    {
        Severity.Critical => 1f,
        Severity.High => 0.75f,
        Severity.Medium => 0.5f,
        Severity.Low => 0.25f,
        _ => 0f,
    };

    /// <summary>What is left of evidence after some days.</summary>
    public static float Faded(float strength, int days) =>
        strength * Math.Clamp(1f - (float)Math.Max(0, days) / FadeDays, 0f, 1f);

    /// <summary>What evidence of other natures adds to a sentence; empty when there is none.</summary>
    public static string Say(in OtherEvidence other) => (other.Physical > 0, other.Cyber > 0) switch
    {
        (true, true) => " Hands at the meter and a failed security check of the last weeks point the same way.",
        (true, false) => " Signs of hands at the meter in the last weeks point the same way.",
        (false, true) => " A failed security check of the last weeks points the same way.",
        _ => "",
    };

    /// <summary>The finding with what other natures say of the meter: evidence, sentence and confidence.</summary>
    public static Finding Joined(Finding finding, in OtherEvidence other)
    {
        if (other.IsNone) return finding;
        var evidence = new List<Evidence>(finding.Evidence);
        if (other.Physical > 0) evidence.Add(new Evidence("physical_evidence", other.Physical, 0, 0, ""));
        if (other.Cyber > 0) evidence.Add(new Evidence("cyber_evidence", other.Cyber, 0, 0, ""));
        var doubt = (1 - finding.Confidence) * (1 - other.Physical / 2) * (1 - other.Cyber / 4);
        return finding with
        {
            Evidence = [.. evidence.Take(Finding.MaxEvidence)],
            Confidence = 1 - doubt,
            Sentence = finding.Sentence + Say(other),
        };
    }
}
