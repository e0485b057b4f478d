using System.Globalization;
using Twin.Detection.Evaluation;

namespace Twin.Silo.Evaluation.Report;

/// <summary>The tables of a report.</summary>
internal static class Tables
{
    private const string Heads = "<th>n</th><th>AUC</th><th>found at 1 %</th><th>found at 5 %</th><th>delay</th>";

    private static string Short(Detection.Evaluation.Range r) => double.IsNaN(r.Low) ? "–"
        : string.Create(CultureInfo.InvariantCulture, $"{100 * r.Low:0}–{100 * r.High:0}");

    private static string Cells(Measured m)
    {
        var (v, c) = (m.Value, CultureInfo.InvariantCulture);
        return string.Create(c, $"<td>{v.Cases}</td><td>{v.Auc:0.000} ({m.Auc.Low:0.00}–{m.Auc.High:0.00})</td>")
            + $"<td>{Texts.Share(v.TprAt1)} ({Short(m.TprAt1)})</td>"
            + $"<td>{Texts.Share(v.TprAt5)} ({Short(m.TprAt5)})</td><td>{Texts.Days(v.Delay)}</td>";
    }

    private static string Table(string heads, IEnumerable<string> rows) =>
        $"<div class=\"scroll\"><table><tr>{heads}</tr>{string.Concat(rows)}</table></div>";

    public static string Kinds(DetectorOutcome own) => Table("<th>kind</th>" + Heads,
        own.Result.Kinds.Select(k => $"<tr><td>{Plot.Encode(Plots.Label(k.Kind))}</td>{Cells(k.Measured)}</tr>")
            .Prepend($"<tr class=\"macro\"><td>mean</td>{Cells(own.Result.Macro)}</tr>"));

    public static string References(Evaluated e) => Table("<th>detector</th>" + Heads + "<th>look-alikes</th>",
        e.References.Prepend(e.Own).Select(r => (r == e.Own || r.Name == e.BestReference ? "<tr "
            + "class=\"macro\">" : "<tr>")
            + $"<td>{Plot.Encode(Plots.Name(r == e.Own ? "MeterTwin" : r.Name))}</td>{Cells(r.Result.Macro)}"
            + $"<td>{Texts.Share(r.Result.LookAlikes.Macro)}</td></tr>"));

    public static string Scenarios(Evaluated e)
    {
        var counts = e.Played.Own.GroupBy(c => c.Kind).ToDictionary(g => g.Key, g => g.Count());
        return Table("<th>id</th><th>meters</th><th>what</th>", Detection.Evaluation.Scenarios.All
            .Where(s => counts.ContainsKey(s.Id)).Select(s => string.Create(CultureInfo.InvariantCulture,
                $"<tr><td>{s.Id}</td><td>{counts[s.Id]}</td><td class=\"what\">{Plot.Encode(s.What)}</td></tr>"))
            .Append(string.Create(CultureInfo.InvariantCulture,
                $"<tr><td>honest</td><td>{counts.GetValueOrDefault("honest")}</td>")
                    + "<td class=\"what\">as recorded</td></tr>"));
    }
}
