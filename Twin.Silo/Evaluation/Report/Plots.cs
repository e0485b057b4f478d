using System.Globalization;
using Twin.Detection.Evaluation;

namespace Twin.Silo.Evaluation.Report;

/// <summary>The drawings of a report.</summary>
internal static class Plots
{
    private const double LeastFpr = 0.001;

    private static string Percent(double share) => share.ToString("0.#", CultureInfo.InvariantCulture) + " %";

    /// <summary>ROC with the false alarms on a logarithmic axis: what matters lies at its left end.</summary>
    public static string Roc(Evaluated e)
    {
        var decades = -Math.Log10(LeastFpr);
        var plot = new Plot("ROC curves: share of thefts found against share of honest meters alarmed", 400, 62, 46,
            x => 1 + Math.Log10(Math.Max(LeastFpr, x)) / decades, y => y);
        foreach (var x in (ReadOnlySpan<double>)[0.001, 0.002, 0.005, 0.02, 0.1, 0.2, 0.5, 1])
            plot.TickX(x, Percent(100 * x));
        for (var y = 0; y <= 100; y += 20) plot.TickY(y / 100.0, Percent(y));
        plot.Mark(0.01, "1 %");
        plot.Mark(0.05, "5 %");
        foreach (var r in e.References.Where(r => r.Name != e.BestReference && !r.Name.StartsWith("fusion")))
            plot.Line(Steps(r), "other");
        if (e.References.FirstOrDefault(r => r.Name == e.BestReference) is { } best) plot.Line(Steps(best), "best");
        plot.Line(Steps(e.Own), "own");
        plot.AxisX("honest meters alarmed in 71 days (logarithmic)");
        plot.AxisY("thefts found, mean over kinds");
        return plot + (e.BestReference is { } name
            ? Plot.Key(("line", "own", "MeterTwin"), ("line", "best", "best reference: " + Name(name)),
                ("line", "other", "the other simple detectors"))
            : Plot.Key(("line", "own", "MeterTwin")));
    }

    /// <summary>Corners of the steps from the least false-alarm rate drawn.</summary>
    private static IEnumerable<(double, double)> Steps(DetectorOutcome detector)
    {
        var before = 0.0;
        var points = new List<(double, double)>();
        foreach (var (fpr, tpr) in detector.Result.Roc)
        {
            if (fpr >= LeastFpr)
            {
                if (points.Count == 0) points.Add((LeastFpr, before));
                points.Add((fpr, before));
                points.Add((fpr, tpr));
            }
            before = tpr;
        }
        return points;
    }

    public static string Name(string detector) => detector.Replace('_', ' ');

    /// <summary>
    /// A row a kind of theft: share found at both budgets, with the interval, and the best reference's.
    /// </summary>
    public static string Kinds(Evaluated e)
    {
        var kinds = e.Own.Result.Kinds;
        var best = e.References.FirstOrDefault(r => r.Name == e.BestReference);
        var plot = Rows("Share of thefts found by kind", kinds.Select(k => k.Kind).ToArray(), 28, 250);
        for (var i = 0; i < kinds.Count; i++)
        {
            var m = kinds[i].Measured;
            if (double.IsFinite(m.TprAt1.Low)) plot.Span(m.TprAt1.Low, m.TprAt1.High, i, 0, "own");
            if (best is not null) plot.Diamond(best.Result.Kinds[i].Measured.Value.TprAt1, i, 0, "best-fill");
            plot.Dot(m.Value.TprAt5, i, 0, 5, "own-ring");
            plot.Dot(m.Value.TprAt1, i, 0, 5.5, "own-fill");
        }
        plot.AxisX("share of thefts found");
        return plot + (best is null
            ? Plot.Key(("dot", "own-fill", "at 1 % false alarms, with 95 % interval"), ("dot", "own-ring", "at 5 %"))
            : Plot.Key(("dot", "own-fill", "MeterTwin at 1 % false alarms, with 95 % interval"),
                ("dot", "own-ring", "MeterTwin at 5 %"), ("diamond", "best-fill", $"{Name(best.Name)} at 1 %")));
    }

    /// <summary>A few words, and the id where it says something else.</summary>
    public static string Label(string kind)
    {
        var label = Scenarios.Find(kind).Label;
        return label.StartsWith(Name(kind), StringComparison.Ordinal) ? label : $"{label} ({kind})";
    }

    /// <summary>Rows from the top, shares from left to right.</summary>
    private static Plot Rows(string title, string[] rows, int rowHeight, int left)
    {
        var plot = new Plot(title, rows.Length * rowHeight + 62, left, 46, x => x, y => 1 - (y + 0.5) / rows.Length);
        for (var x = 0; x <= 100; x += 20) plot.TickX(x / 100.0, Percent(x));
        for (var i = 0; i < rows.Length; i++) plot.RowLabel(i, Label(rows[i]), "row");
        return plot;
    }

    /// <summary>Share of all thefts found so many days after they began.</summary>
    public static string Delays(Evaluated e)
    {
        var plot = new Plot("Share of thefts found within a number of days", 320, 62, 46, x => x / 70, y => y);
        for (var x = 0; x <= 70; x += 7) plot.TickX(x, x.ToString(CultureInfo.InvariantCulture));
        for (var y = 0; y <= 100; y += 20) plot.TickY(y / 100.0, Percent(y));
        if (e.Played.References.FirstOrDefault(r => r.Name == e.BestReference) is { } best)
            plot.Line(Found(best.Cases, e.References.First(r => r.Name == best.Name).Result.ThresholdAt1), "best");
        plot.Line(Found(e.Played.Own, e.Own.Result.ThresholdAt5), "own thin");
        plot.Line(Found(e.Played.Own, e.Own.Result.ThresholdAt1), "own");
        plot.AxisX(e.Options.FromDay0 ? "days after the first judged day" : "days after the theft began");
        plot.AxisY("thefts found");
        return plot + (e.BestReference is { } name
            ? Plot.Key(("line", "own", "MeterTwin at 1 % false alarms"), ("line", "own thin", "MeterTwin at 5 %"),
                ("line", "best", $"{Name(name)} at 1 %"))
            : Plot.Key(("line", "own", "at 1 % false alarms"), ("line", "own thin", "at 5 %")));
    }

    private static IEnumerable<(double, double)> Found(IReadOnlyList<ScoredCase> cases, double threshold)
    {
        var thefts = cases.Where(c => c.Cause == Cause.Theft).ToArray();
        var delays = thefts.Select(c => c.Delay(threshold)).ToArray();
        for (var d = 0; d <= 70; d++)
            yield return (d, (double)delays.Count(x => x <= d) / Math.Max(1, thefts.Length));
    }

    /// <summary>Bars: innocent meters that would be alarmed; and faults, of which one wants to hear.</summary>
    public static string Alarmed(Evaluated e, bool faults)
    {
        var own = faults ? e.Own.Result.Faults.Kinds : e.Own.Result.LookAlikes.Kinds;
        var best = e.References.FirstOrDefault(r => r.Name == e.BestReference)?.Result;
        var other = faults ? best?.Faults.Kinds : best?.LookAlikes.Kinds;
        var plot = Rows(faults ? "Faults alarmed" : "Look-alikes alarmed", own.Select(k => k.Kind).ToArray(), 40, 250);
        for (var i = 0; i < own.Count; i++)
        {
            plot.Bar(own[i].Share, i, other is null ? -7 : -15, 14, "own-fill");
            plot.Note(own[i].Share, i, other is null ? 5 : -4, Percent(Math.Round(100 * own[i].Share)));
            if (other is null) continue;
            plot.Bar(other[i].Share, i, 2, 10, "best-fill");
            plot.Note(other[i].Share, i, 12, Percent(Math.Round(100 * other[i].Share)));
        }
        plot.AxisX("share alarmed in 92 days at 1 % false alarms of ordinary homes");
        return plot + (e.BestReference is { } name
            ? Plot.Key(("bar", "own-fill", "MeterTwin"), ("bar", "best-fill", Name(name)))
            : Plot.Key(("bar", "own-fill", "MeterTwin")));
    }

    /// <summary>Precision of a week's first visits at both prevalences.</summary>
    public static string Visits(Evaluated e)
    {
        var visits = WeeklyVisits.Visits;
        var plot = new Plot("Share of visits that find a theft", 320, 62, 46,
            x => 0.05 + 0.9 * Math.Log(x / visits[0]) / Math.Log((double)visits[^1] / visits[0]), y => y);
        foreach (var k in visits) plot.TickX(k, k.ToString(CultureInfo.InvariantCulture));
        for (var y = 0; y <= 100; y += 20) plot.TickY(y / 100.0, Percent(y));
        var best = e.References.FirstOrDefault(r => r.Name == e.BestReference);
        for (var p = WeeklyVisits.Prevalences.Count - 1; p >= 0; p--)
        {
            var prevalence = WeeklyVisits.Prevalences[p];
            var style = p == 0 ? " dashed" : "";
            if (best is not null) Curve(plot, best.Visits, prevalence, "best" + style, "best-fill");
            Curve(plot, e.Own.Visits, prevalence, "own" + style, "own-fill");
        }
        plot.AxisX("visits a week for each 1,000 meters (logarithmic)");
        plot.AxisY("visits that find a theft");
        return plot + (best is null
            ? Plot.Key(("line", "own", "1 % of meters steal"), ("line", "own dashed", "0.5 % steal"))
            : Plot.Key(("line", "own", "MeterTwin, 1 % of meters steal"),
                ("line", "own dashed", "MeterTwin, 0.5 % steal"), ("line", "best", $"{Name(best.Name)}, 1 %"),
                ("line", "best dashed", "0.5 %")));
    }

    private static void Curve(Plot plot, IReadOnlyList<VisitResult> visits, double prevalence, string line, string dot)
    {
        var points = visits.Where(v => v.Prevalence == prevalence && double.IsFinite(v.Precision)).ToArray();
        plot.Line(points.Select(v => ((double)v.VisitsPer1000, v.Precision)), line);
        foreach (var v in points) plot.Dot(v.VisitsPer1000, v.Precision, 0, 3.5, dot);
    }
}
