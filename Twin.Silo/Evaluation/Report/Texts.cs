using System.Globalization;
using Twin.Detection.Evaluation;

namespace Twin.Silo.Evaluation.Report;

/// <summary>What the report says beside its drawings, for an engineer of a utility.</summary>
internal static class Texts
{
    public static string Share(double share) => double.IsNaN(share) ? "–"
        : (100 * share).ToString("0", CultureInfo.InvariantCulture) + " %";

    public static string Between(Detection.Evaluation.Range r) => $"{Share(r.Low)} to {Share(r.High)}";

    public static string Days(double days) => double.IsNaN(days) ? "–"
        : days.ToString("0.#", CultureInfo.InvariantCulture) + (days == 1 ? " day" : " days");

    private static string P(string text) => $"<p>{Plot.Encode(text)}</p>";

    public static string Roc(Evaluated e) => P("Each meter has one score: the highest of its daily scores. "
        + "Lowering the "
        + "threshold finds more thefts and alarms more ordinary homes. A utility can live with the left end of this "
        + "drawing only: at 1 % one ordinary home in a hundred is alarmed once in ten weeks.") + Few(e);

    private static string Few(Evaluated e)
    {
        var honest = e.Played.Own.Count(c => c.Cause == Cause.Honest);
        return P($"1 % of the {honest} ordinary meters played are {Math.Round(honest / 100.0)}, and they stand on "
            + $"{e.HomesUsed} recorded homes: a home or two can move that end. Read 1 %, 5 % and the area together, "
            + "with their intervals.");
    }

    public static string Kinds(Evaluated e) => P("Each kind of theft counts alike in the mean. Bars show how "
        + "far a share "
        + "could be off because other homes might have been recorded: whole homes are drawn again, 200 times.")
        + (e.Played.Plan.Observers ? "" : P("Without observer meters nothing shows that energy is missing; what keeps "
            + "a day's energy, or was there from the first day, is then the hardest."));

    public static string Delays(Evaluated e) => P(e.Options.FromDay0
        ? "No meter shows a change: the theft was there before its first reading. Days are counted from the first day "
            + "that is judged, day 21."
        : "Days from the first day of the theft to the first day whose score passes the threshold. A score "
            + "stands as it "
            + "was when its day closed; with the usual settings a day closes three days later.");

    public static string Alikes(Evaluated e)
    {
        var worst = e.Own.Result.LookAlikes.Kinds.OrderByDescending(k => k.Share).FirstOrDefault();
        var hardest = worst.Kind is null ? "none" : Scenarios.Find(worst.Kind).Label;
        return P("Nothing wrong happens on these meters, and nobody told the detector: no move, no new panels, "
            + "no outage "
            + $"was on record. The hardest here: {hardest}. A utility that imports its "
            + "context does better.");
    }

    public static string Faults => P("A meter that is broken, not robbed. To hear of it is right; to accuse the "
        + "customer "
        + "is not. What a finding says tells the two apart where it can.");

    public static string Visits(Evaluated e)
    {
        var five = e.Own.Visits.First(v => v is { VisitsPer1000: 5, Prevalence: 0.01 });
        var one = double.IsNaN(five.VisitsPerTheft) ? "no theft is found"
            : $"one theft in {five.VisitsPerTheft.ToString("0.#", CultureInfo.InvariantCulture)} visits is confirmed";
        return P("Each week a crew visits the meters with the highest scores of that week. The sets hold far "
            + "more thefts "
            + "than life, so meters are weighted until 0.5 % or 1 % of them steal; look-alikes and faults stay as "
            + "frequent among the others as they were played, which is more than in life. "
            + $"With 5 visits a week to 1,000 meters and 1 % thefts, {one}.");
    }

    public static string Figures => P("n: meters played. AUC: the chance that such a meter scores above an "
        + "ordinary one. "
        + "In brackets 95 % intervals. Delay: median over the meters found at 1 %.");

    public static string References(Evaluated e) => P("What an engineer sets up in a day, on the same readings: "
        + "rules of "
        + "meter data management, robust z-scores, isolation forest, principal components, local outlier factor, a "
        + "cumulative sum against the median home, least squares on the feeder's balance, and ways to fuse them. "
        + "Their settings were fixed on the tune half. The best is picked after the fact, in its favour: "
        + $"{Plots.Name(e.BestReference ?? "")}.");

    public static string Protocol(Evaluated e)
    {
        var noOps = e.Played.NoOps.GroupBy(n => n.Kind).Select(g => $"{g.Count()} {Plots.Name(g.Key)}").ToArray();
        return P($"Recorded homes stand on feeders of 18 to 22, drawn from {HalfOf(e.Options.Half)}. A quarter of the "
            + "meters steals, each in one way; 18 % change innocently, 6 % are faulty, the rest is as recorded. "
            + (e.Played.Plan.Observers ? "An observer meter tells the true sum, 2 to 5 % technical loss and 0.5 "
            + "% noise. "
                : "No feeder has an observer meter. ")
            + "Everything lasts to the end of 92 days. The readings go through the same twins that run in service.")
            + (noOps.Length == 0 ? "" : P("Not counted, because less than 1 % of the energy and of the shape changes: "
                + string.Join(", ", noOps) + "."));
    }

    private static string HalfOf(HomeHalf half) => half switch
    {
        HomeHalf.Report => "the half of the homes on which nothing was tuned (by a hash of their ids)",
        HomeHalf.Tune => "the half of the homes that settings are chosen on",
        _ => "all homes",
    };

    public static string Repeat(Evaluated e)
    {
        var (o, plan) = (e.Options, e.Played.Plan);
        var attacks = o.Thefts.Count == Scenarios.Thefts.Count ? "all" : string.Join(',', o.Thefts);
        var command = string.Create(CultureInfo.InvariantCulture, $"metertwin evaluate PATH --attacks {attacks} --seed "
            + $"{plan.Seed} --sets {plan.Sets} --homes {plan.Homes} --half {o.Half.ToString().ToLowerInvariant()} "
            + $"--observers {(plan.Observers ? "on" : "off")}{(plan.FromDay0 ? " --from-day0" : "")}");
        return P("One seed, one result; another seed lays the same thefts over other homes.")
            + $"<p><code>{Plot.Encode(command)}</code></p>";
    }
}
