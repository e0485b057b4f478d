using System.Globalization;
using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Grains.Policies;

/// <summary>What holds over all cases at the moment: the freeze, and who has this one covered already.</summary>
public readonly record struct PolicyScene(bool Frozen, CaseVerdict Covering, string CoveredBy);

/// <summary>
/// Turns facts into a decision. A pure function: the same facts under the same document give the same decision on any
/// machine, today and when the ledger is checked. What is weighed: expected harm of acting against the harm that acting
/// prevents, for each rung, in the document's own figures. What is not weighed, and what no document can switch off:
/// the <see cref="HardRules"/>.
/// </summary>
public static class PolicyEngine
{
    /// <summary>
    /// Version of the rules by which a document is read: raised with every change that could give another decision, so
    /// that a ledger says by which rules it was decided.
    /// </summary>
    public const int Version = 1;

    /// <summary>Distinct persons without whom nothing touches a customer's supply.</summary>
    public const int LeastPersons = 2;

    public static Decision Decide(PolicyDocument p, CaseFacts f, PolicyScene scene)
    {
        var desk = p.Desks[f.Desk];
        var nothing = new Decision(CaseVerdict.LogOnly, "", ResponseRung.Log, Enforcer.None, 0, 0, default, 0, null, "",
            "", "", "", "", 0, 0, 0, default, false, p.Name, p.Digest, p.Limits, desk.StormSize, desk.NewCasesADay);
        if (f.Wanted is { } wanted) return Judge(p, f, scene, nothing, wanted);
        if (scene.CoveredBy is { Length: > 0 })
            return nothing with
            {
                Verdict = scene.Covering,
                Covered = scene.CoveredBy,
                Why = $"covered by {scene.CoveredBy}"
            };
        var rule = Array.Find(p.Rules, r => Matches(p, r.When, f));
        if (rule is null)
            return nothing with { Why = "no rule asks for more than a record." };
        return Climb(p, f, scene, nothing with
        {
            Rule = rule.Name,
            Verdict = rule.Open ? CaseVerdict.Open : CaseVerdict.LogOnly
        }, rule);
    }

    /// <summary>The category that counts: what is not known, or known too long ago, counts as critical.</summary>
    public static CustomerCategory CategoryOf(PolicyDocument p, CaseFacts f) =>
        f.Context.Category == CustomerCategory.Unknown || f.Context.CategoryAt.Seconds == 0
            || f.Now.Seconds - f.Context.CategoryAt.Seconds > 86_400L * p.Figures.CategoryDays
            || f.Context.CategoryAt.Seconds > f.Now.Seconds + 86_400
            ? CustomerCategory.Critical : f.Context.Category;

    private static bool Matches(PolicyDocument p, Selector w, CaseFacts f)
    {
        var years = f.Context.InstalledAt.Seconds == 0 ? 0
            : (f.Now.Seconds - f.Context.InstalledAt.Seconds) / (365.25 * 86_400);
        return (w.Kinds.Length == 0 && w.Severity is null && w.Confidence is null && w.Proof is null
                || Array.Exists(f.Findings, x => (w.Kinds.Length == 0 || Array.IndexOf(w.Kinds, x.Kind) >= 0)
                    && x.Severity >= (w.Severity ?? Severity.Info) && x.Confidence >= (w.Confidence ?? 0)
                    && (w.Proof is null || x.IsProof == w.Proof)))
            && (w.Causes.Length == 0 || Array.Exists(w.Causes, c => f.Cause.StartsWith(c, StringComparison.Ordinal)))
            && Any(w.Desks, f.Desk) && Any(w.Subjects, f.Subject.Kind) && Any(w.Stages, f.Context.Stage)
            && Any(w.Categories, CategoryOf(p, f)) && Any(w.Models, f.Context.Model)
            && Any(w.Firmwares, f.Context.Firmware) && Any(w.Lots, f.Context.Lot)
            && years >= (w.ServiceYears ?? 0) && (w.Confirmed is null || w.Confirmed == f.Confirmed)
            && (w.Dangerous is null || w.Dangerous == f.ConfirmedDangerous) && f.Members >= (w.Members ?? 1);
    }

    private static bool Any<T>(T[] allowed, T value) => allowed.Length == 0 || Array.IndexOf(allowed, value) >= 0;

    /// <summary>
    /// Up the ladder a step at a time: the mildest step that was not tried, if it prevents more than it costs and no
    /// hard rule forbids it. A step that cannot help is passed over, and said so.
    /// </summary>
    private static Decision Climb(PolicyDocument p, CaseFacts f, PolicyScene scene, Decision d, PolicyRule rule)
    {
        var exposed = Exposure(p, f, rule);
        var (chosen, milder, why, review) = (ResponseRung.Log, "", "", default(UnixTime));
        for (var i = 0; i < rule.Ladder.Length; i++)
        {
            var rung = rule.Ladder[i];
            var terms = p.Rungs[rung];
            if (HardRules.Forbids(p, f, rung, terms) is { } forbidden)
            {
                milder = Add(milder, $"{Name(rung)} may not be: {forbidden}");
                continue;
            }
            var (acting, prevents) = (Acting(p, f, rung, terms), Prevents(f, exposed, rung, terms));
            if (acting >= prevents)
            {
                milder = Add(milder, $"{Name(rung)} would cost {Say(acting)} and prevent {Say(prevents)}");
                continue;
            }
            var tried = Last(f.Steps, rung);
            chosen = rung;
            why = $"{Name(rung)} costs {Say(acting)} and prevents {Say(prevents)} of {Say(exposed)} expected harm "
                + $"({rule.Name}).";
            if (tried is not { } step) break;
            if (IsUnderWay(step.State))
            {
                review = default;
                break;
            }
            var since = f.Now.Seconds - step.Since.Seconds;
            if (since < rule.WaitSeconds)
            {
                review = new UnixTime(step.Since.Seconds + rule.WaitSeconds);
                break;
            }
            milder = Add(milder, $"{Name(rung)} was tried at {step.Since} and the case still stands");
        }
        var t = chosen == ResponseRung.Log ? null : p.Rungs[chosen];
        return d with
        {
            Rung = chosen,
            Enforcer = t?.Enforcer ?? Enforcer.None,
            Approvals = t?.Approvals ?? 0,
            MeanDelaySeconds = t?.MeanDelaySeconds ?? 0,
            ExpirySeconds = t?.ExpirySeconds ?? 0,
            WindowFrom = HardRules.Window(p, f, chosen),
            UndoBy = HardRules.UndoOf(chosen),
            Why = why.Length > 0 ? why : $"nothing on the ladder prevents more than it costs ({rule.Name}).",
            WhyNotMilder = milder.Length > 0 ? milder + "." : chosen == ResponseRung.Log ? ""
                : "Nothing milder is on the ladder.",
            WhyNotHarsher = Harsher(p, f, rule, chosen, exposed),
            HarmOfActing = t is null ? 0 : Acting(p, f, chosen, t),
            HarmOfNotActing = exposed,
            HarmPrevented = t is null ? 0 : Prevents(f, exposed, chosen, t),
            ReviewAt = review,
            HoldAll = scene.Frozen && HardRules.IsFrozen(chosen),
        };
    }

    private static string Harsher(PolicyDocument p, CaseFacts f, PolicyRule rule, ResponseRung chosen, double exposed)
    {
        var next = Array.Find(rule.Ladder, r => r > chosen);
        if (next == ResponseRung.Log) return $"Nothing harsher is on the ladder of {rule.Name}.";
        var terms = p.Rungs[next];
        if (HardRules.Forbids(p, f, next, terms) is { } forbidden) return $"{Name(next)} may not be: {forbidden}.";
        var (acting, prevents) = (Acting(p, f, next, terms), Prevents(f, exposed, next, terms));
        return acting >= prevents ? $"{Name(next)} would cost {Say(acting)} and prevent {Say(prevents)}."
            : $"{Name(next)} comes when {Name(chosen)} was tried for {rule.WaitSeconds / 60} minutes and the case "
                + "still stands.";
    }

    private static bool IsUnderWay(ResponseState state) => state is ResponseState.Proposed or ResponseState.Authorised
        or ResponseState.Executing or ResponseState.Quarantined;

    private static StepFact? Last(StepFact[] steps, ResponseRung rung)
    {
        for (var i = steps.Length - 1; i >= 0; i--)
            if (steps[i].Rung == rung) return steps[i];
        return null;
    }

    /// <summary>
    /// Expected harm of leaving it: likelihood times confidence, meters that the cause exposes, and the hours that a
    /// threat goes on.
    /// </summary>
    private static double Exposure(PolicyDocument p, CaseFacts f, PolicyRule rule)
    {
        var confidence = f.Confirmed ? 1 : f.Findings.Length == 0 ? 0 : f.Findings.Max(x => x.Confidence);
        var reach = p.Figures.Reach["subject"];
        foreach (var (cause, meters) in p.Figures.Reach)
            if (cause != "subject" && f.Cause.StartsWith(cause, StringComparison.Ordinal))
                reach = Math.Max(reach, meters);
        if (rule.Harm is { } harm) return rule.Likelihood * harm;
        return rule.Likelihood * confidence * Math.Max(reach, f.Members) * p.Figures.MeterHour * p.Figures.HorizonHours;
    }

    private static double Acting(PolicyDocument p, CaseFacts f, ResponseRung rung, RungTerms t)
    {
        var years = f.Context.InstalledAt.Seconds == 0 ? 0
            : Math.Max(0, (f.Now.Seconds - f.Context.InstalledAt.Seconds) / (365.25 * 86_400));
        var left = Math.Clamp(1 - years / p.Figures.LifeYears, 0, 1);
        var kilowatts = ResponseRungs.MovesLoad(rung) ? WattsOf(p, f) / 1000.0 : 0;
        return t.Cost + t.Wear * left + t.Minutes * p.Figures.Minute[CategoryOf(p, f)] + kilowatts * p.Figures.Kilowatt;
    }

    /// <summary>Load that switching this meter moves, W.</summary>
    public static long WattsOf(PolicyDocument p, CaseFacts f) =>
        f.Context.LoadWatts < 0 ? p.Figures.UnknownWatts : f.Context.LoadWatts;

    private static double Prevents(CaseFacts f, double exposed, ResponseRung rung, RungTerms t) =>
        HardRules.Contains(f, rung, t.Enforcer) ? exposed * t.Effect : 0;

    /// <summary>What somebody wants: hard rules, guards and the freeze; a person may want what no rule asks for.
    /// </summary>
    private static Decision Judge(PolicyDocument p, CaseFacts f, PolicyScene scene, Decision d, ResponseRung wanted)
    {
        var t = wanted == ResponseRung.Log ? null : p.Rungs[wanted];
        if (t is null) return d with { Refused = "to log is no response" };
        var isUndo = f.WantedBy.Key.Length == 0;
        var refused = HardRules.Refuses(p, f, wanted, isUndo);
        var approvals = isUndo || HardRules.IsOrdered(f) ? 0
            : wanted is ResponseRung.Disconnect or ResponseRung.LimitLoad ? Math.Max(t.Approvals, LeastPersons)
            : wanted == ResponseRung.Reconnect ? Math.Max(t.Approvals, 1) : t.Approvals;
        return d with
        {
            Verdict = CaseVerdict.Open,
            Rung = wanted,
            Enforcer = t.Enforcer,
            Approvals = approvals,
            MeanDelaySeconds = t.MeanDelaySeconds,
            ExpirySeconds = t.ExpirySeconds,
            WindowFrom = HardRules.Window(p, f, wanted),
            UndoBy = HardRules.UndoOf(wanted),
            Refused = refused ?? "",
            Why = refused is null ? $"wanted by {(isUndo ? "the undoing of a measure" : f.WantedBy.Person)}"
                + (f.Order.Length > 0 ? $", order {f.Order}." : ".") : refused,
            HarmOfActing = Acting(p, f, wanted, t),
            HoldAll = scene.Frozen && HardRules.IsFrozen(wanted),
        };
    }

    private static string Add(string text, string more) => text.Length == 0 ? more : $"{text}; {more}";

    private static string Name(ResponseRung rung) => CaseSentences.NameOf(rung);

    private static string Say(double harm) => harm.ToString("0.#", CultureInfo.InvariantCulture);
}
