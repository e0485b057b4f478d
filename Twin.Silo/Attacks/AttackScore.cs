using System.Globalization;
using Twin.Hardware;
using Twin.Hardware.Attacks;

namespace Twin.Silo.Attacks;

/// <summary>How an attack of the catalogue fared.</summary>
public enum AttackStatus : byte { Passed = 0, Failed = 1, Undetectable = 3 }

/// <summary>
/// The truth of a run in twins: when it began, from when on a finding can be about it (earlier than the onset where it
/// was so from birth), the meters concerned, the feeders and concentrators that these hang on,
/// and whether grave findings on those are right as well. Only scoring sees it.
/// </summary>
public sealed record StagedTruth(UnixTime Onset, UnixTime Since, IReadOnlySet<TwinKey> Meters,
    IReadOnlySet<TwinKey> Places, IReadOnlySet<TwinKey> ConcernedPlaces)
{
    /// <summary>A finding there can be about the attack: cohorts and the fleet's registry are of all meters.</summary>
    public bool IsSubject(TwinKey key) => key.Kind switch
    {
        TwinKind.Meter => Meters.Contains(key),
        TwinKind.Feeder or TwinKind.Concentrator => Places.Contains(key),
        _ => true,
    };

    /// <summary>A grave finding there accuses somebody who has no part in it.</summary>
    public bool IsBystander(TwinKey key) => key.Kind switch
    {
        TwinKind.Meter => !Meters.Contains(key),
        TwinKind.Feeder or TwinKind.Concentrator => !ConcernedPlaces.Contains(key),
        _ => false,
    };
}

/// <summary>
/// The outcome of one attack, as <c>--json</c> prints it. <paramref name="Found"/>: ids of stored findings that meet
/// the expectation. <paramref name="DetectionDelay"/>: seconds from onset until the expectation was met;
/// <paramref name="BystanderFindings"/>: grave findings on twins that have no part in it, or from before the onset.
/// </summary>
public sealed record AttackResult(string Id, string Stage, string Technique, string Expected,
    IReadOnlyList<string> Found, string Status, string Reason, long? DetectionDelay, int BystanderFindings)
{
    public const string Passed = "passed", Failed = "failed", Undetectable = "undetectable";

    /// <summary>What was done, in order; empty when the run looked at findings alone.</summary>
    public IReadOnlyList<AttackResponse> Responses { get; init; } = [];
}

/// <summary>Findings of a run held against what the catalogue expects.</summary>
public static class AttackScore
{
    /// <summary>From here on a finding is grave: it wakes somebody up.</summary>
    public const Severity Grave = Severity.High;

    /// <summary>What must not alarm gets at most a note of this severity.</summary>
    public const Severity Note = Severity.Low;

    /// <summary>
    /// Meters stamp what happens by their own clocks, some seconds off, and within an interval: what comes so little
    /// before the onset belongs to it.
    /// </summary>
    private const int ClockSeconds = 900;

    private static bool IsAfter(Finding f, StagedTruth truth) =>
        f.DetectedAt.Seconds >= truth.Since.Seconds - ClockSeconds;

    public static AttackResult Of(Attack attack, StagedTruth truth, IReadOnlyCollection<Finding> findings)
    {
        var bystanders = findings.Where(f => f.Severity >= Grave
            && (truth.IsBystander(f.Subject) || !IsAfter(f, truth))).ToList();
        var own = findings.Where(f => truth.IsSubject(f.Subject) && IsAfter(f, truth))
            .ToList();
        if (attack.Expected.IsSilence) return Silence(attack, own, bystanders);
        var met = own.Where(f => attack.Expected.Kinds.Contains(f.Kind))
            .OrderBy(f => f.DetectedAt.Seconds).ThenBy(f => f.Id, StringComparer.Ordinal).ToList();
        var missing = attack.Expected.AllOf.Where(any => !met.Any(f => any.Contains(f.Kind))).ToList();
        long? delay = missing.Count > 0 ? null : attack.Expected.AllOf
            .Max(any => Math.Max(0,
                met.First(f => any.Contains(f.Kind)).DetectedAt.Seconds - truth.Onset.Seconds));
        var (status, reason) = Judge(attack, missing, bystanders);
        return Result(attack, [.. met.Select(f => f.Id)], status, reason, delay, bystanders.Count);
    }

    /// <summary>The same, and what was done about it: whoever was found and not answered rightly has failed.</summary>
    public static AttackResult Of(Attack attack, StagedTruth truth, IReadOnlyCollection<Finding> findings,
        RunAnswers answers)
    {
        var found = Of(attack, truth, findings) with { Responses = ResponseScore.Shown(answers) };
        return found.Status != AttackResult.Failed && ResponseScore.Judge(attack, truth, answers) is
        { Length: > 0 } wrong ? found with { Status = AttackResult.Failed, Reason = wrong } : found;
    }

    private static (AttackStatus, string) Judge(Attack attack, List<FindingKind[]> missing, List<Finding> bystanders)
    {
        if (bystanders.Count > 0) return (AttackStatus.Failed, "bystanders: " + Names(bystanders));
        if (missing.Count == 0) return (AttackStatus.Passed, "");
        var lacks = "not found: " + string.Join(", ",
            missing.Select(any => string.Join(" or ", any.Select(Finding.NameOf))));
        return attack.Undetectable.Length > 0 ? (AttackStatus.Undetectable, attack.Undetectable)
            : (AttackStatus.Failed, lacks);
    }

    private static AttackResult Silence(Attack attack, List<Finding> own, List<Finding> bystanders)
    {
        var alarms = own.Where(f => f.Severity > Note).Except(bystanders).ToList();
        var status = bystanders.Count + alarms.Count == 0 ? AttackStatus.Passed : AttackStatus.Failed;
        var reason = status == AttackStatus.Passed ? "" : "raised an alarm: " + Names([.. bystanders, .. alarms]);
        return Result(attack, [.. own.Select(f => f.Id)], status, reason, null, bystanders.Count);
    }

    private static AttackResult Result(Attack attack, string[] found, AttackStatus status, string reason, long? delay,
        int bystanders) =>
        new(attack.Id, StageName(attack.Stage), attack.Technique, attack.Expected.Describe(), found, StatusName(status),
            reason, delay, bystanders);

    /// <summary>At most five are named; the rest is counted.</summary>
    private static string Names(List<Finding> findings)
    {
        const int named = 5;
        var text = string.Join(", ", findings.Take(named).Select(f => $"{Finding.NameOf(f.Kind)} on {f.SubjectName}"));
        return findings.Count <= named ? text
            : text + string.Create(CultureInfo.InvariantCulture, $" and {findings.Count - named} more");
    }

    public static string StageName(LifeStage stage) => stage.ToString().ToLowerInvariant();

    private static string StatusName(AttackStatus status) => status switch
    {
        AttackStatus.Passed => AttackResult.Passed,
        AttackStatus.Failed => AttackResult.Failed,
        _ => AttackResult.Undetectable,
    };
}
