using System.Globalization;
using System.Text;
using Twin.Detection.Evaluation;

namespace Twin.Silo.Evaluation;

/// <summary>The result as a person reads it on a terminal.</summary>
internal static class EvaluationText
{
    public static string Of(Evaluated e)
    {
        var (plan, own) = (e.Played.Plan, e.Own.Result);
        var text = new StringBuilder();
        var c = CultureInfo.InvariantCulture;
        text.AppendLine(c, $"{plan.Sets} sets of {plan.Homes} homes from {e.HomesUsed} recorded ones "
            + $"({Half(e.Options.Half)}), "
            + $"observers {(plan.Observers ? "on" : "off")}{(plan.FromDay0 ? ", theft from the first day" : "")}, "
            + $"seed {plan.Seed}");
        text.AppendLine();
        text.AppendLine(c, $"{"",-32}{"n",5}  {"AUC",-6}{"TPR at 1 % FPR",-20}{"at 5 %",-20}median delay");
        text.AppendLine(c, $"{Row("macro", own.Macro)}");
        foreach (var (kind, m) in own.Kinds) text.AppendLine(c, $"{Row("  " + kind, m)}");
        foreach (var r in e.References)
        {
            var what = Evaluated.IsModel(r.Name) ? "" : r.Name == e.BestReference ? "best reference " : "reference ";
            text.AppendLine(c, $"{Row(what + r.Name, r.Result.Macro)}");
        }
        text.AppendLine();
        text.AppendLine(c, $"look-alikes alarmed {own.LookAlikes.Macro:p1}: {Shares(own.LookAlikes.Kinds)}");
        text.AppendLine(c, $"faults alarmed {own.Faults.Macro:p1}: {Shares(own.Faults.Kinds)}");
        text.AppendLine(c, $"alarms of honest meters at 1 % FPR: {own.AlarmsPer1000MetersMonth:0.0} per 1,000 "
            + $"meters a month");
        foreach (var v in e.Own.Visits.Where(v => v.VisitsPer1000 == 5))
            text.AppendLine(c, $"5 visits a week to 1,000 meters at {v.Prevalence:p1} theft: precision "
                + $"{v.Precision:p0}, "
                + $"{v.VisitsPerTheft:0.0} visits for a theft");
        if (e.Played.NoOps.Count > 0)
            text.AppendLine(c, $"not counted, since they change less than 1 %: {NoOps(e.Played.NoOps)}");
        return text.ToString();
    }

    private static string Half(HomeHalf half) => half == HomeHalf.All ? "both halves"
        : $"the {half.ToString().ToLowerInvariant()} half";

    private static string Row(string name, Measured m) => string.Create(CultureInfo.InvariantCulture,
        $"{name,-32}{m.Value.Cases,5}  {m.Value.Auc,-6:0.000}{With(m.Value.TprAt1, m.TprAt1),-20}"
            + $"{With(m.Value.TprAt5, m.TprAt5),-20}{(double.IsNaN(m.Value.Delay) ? "-" : $"{m.Value.Delay:0.#} d")}");

    private static string With(double value, Detection.Evaluation.Range r) =>
        string.Create(CultureInfo.InvariantCulture, $"{value:0.00} ({r.Low:0.00}-{r.High:0.00})");

    private static string Shares(IReadOnlyList<(string Kind, int Cases, double Share)> kinds) =>
        string.Join(", ", kinds.Select(k =>
            string.Create(CultureInfo.InvariantCulture, $"{k.Kind} {100 * k.Share:0} % of {k.Cases}")));

    private static string NoOps(IReadOnlyList<NoOpCase> cases) =>
        string.Join(", ", cases.GroupBy(c => c.Kind).Select(g => $"{g.Count()} {g.Key}"));
}
