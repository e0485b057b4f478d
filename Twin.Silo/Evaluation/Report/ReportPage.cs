using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Twin.Detection.Evaluation;
using Twin.Hardware;
using Twin.Silo.Commands;

namespace Twin.Silo.Evaluation.Report;

/// <summary>
/// The report of an evaluation: one HTML file that loads nothing and runs nothing, under a content security policy that
/// allows no more than its own style sheet.
/// </summary>
internal static class ReportPage
{
    private const string Style = """
        :root{color-scheme:light;font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
        :root{color:#1d2530;background:#f3f5f7}
        body{max-width:58rem;margin:0 auto;padding:1.5rem 1rem 4rem}
        header{margin:0 0 1.5rem}
        h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem}
        h2{font-size:1.2rem;margin:0 0 .3rem}
        section{background:#fff;border:1px solid #dbe0e6;border-radius:8px;padding:1.1rem 1.3rem 1rem;margin:0 0 1.1rem}
        p{margin:.3rem 0 .8rem;max-width:46rem}
        .quiet{color:#5a6675}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.8rem;margin:0 0 1.1rem}
        .tile{background:#fff;border:1px solid #dbe0e6;border-radius:8px;padding:.8rem 1rem}
        .tile b{display:block;font-size:1.75rem;line-height:1.2;color:#0b5394}
        .tile span{display:block}
        .tile small{color:#5a6675;display:block}
        svg{display:block;width:100%;height:auto;font:13px system-ui,sans-serif}
        .grid{stroke:#e4e8ed;stroke-width:1}
        .mark{stroke:#8692a0;stroke-width:1;stroke-dasharray:2 3}
        .tick{fill:#5a6675}.axis{fill:#1d2530}.row{fill:#1d2530}.note{fill:#1d2530}
        .line{fill:none;stroke-width:2;stroke-linejoin:round}
        .own{stroke:#0b5394;stroke-width:3}.own.thin{stroke-width:1.5}
        .best{stroke:#c4560c;stroke-width:2.2}.other{stroke:#b3bac3;stroke-width:1.3}
        .dashed{stroke-dasharray:7 5}
        .span{stroke-width:3;stroke-linecap:round;opacity:.35}
        .own-fill{fill:#0b5394}.own-ring{fill:#fff;stroke:#0b5394;stroke-width:2}.best-fill{fill:#c4560c}
        .key{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;margin:.5rem 0 0;font-size:.88rem;max-width:none}
        .key span{display:inline-flex;align-items:center;gap:.4rem}
        .swatch{width:26px;height:14px;flex:none}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-size:.88rem;font-variant-numeric:tabular-nums}
        th,td{text-align:right;padding:.28rem .5rem;border-bottom:1px solid #e4e8ed;white-space:nowrap}
        th{color:#5a6675;font-weight:600}
        th:first-child,td:first-child{text-align:left}
        td.what{white-space:normal;text-align:left;color:#5a6675;min-width:14rem}
        tr.macro td{font-weight:700}
        code{font:.88em ui-monospace,monospace;overflow-wrap:anywhere}
        @media print{:root{background:#fff}section,.tile{break-inside:avoid}}
        """;

    public static string Of(Evaluated e)
    {
        var html = new StringBuilder();
        html.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n")
            .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-")
            .Append(Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))).Append("'\">\n")
            .Append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n")
            .Append("<title>Detection on recorded homes</title>\n<style>").Append(Style)
            .Append("</style></head>\n<body>");
        Head(html, e);
        Tiles(html, e);
        Section(html, "False alarms against thefts found", Texts.Roc(e), Plots.Roc(e));
        Section(html, "Which thefts are found", Texts.Kinds(e), Plots.Kinds(e));
        Section(html, "How soon", Texts.Delays(e), Plots.Delays(e));
        Section(html, "Innocent changes that look like theft", Texts.Alikes(e), Plots.Alarmed(e, faults: false));
        Section(html, "Faults", Texts.Faults, Plots.Alarmed(e, faults: true));
        Section(html, "What a crew finds", Texts.Visits(e), Plots.Visits(e));
        Section(html, "All figures", Texts.Figures, Tables.Kinds(e.Own));
        if (e.References.Count > 0)
            Section(html, "Simple detectors on the same meters", Texts.References(e), Tables.References(e));
        Section(html, "What was played", Texts.Protocol(e), Tables.Scenarios(e));
        Section(html, "How to repeat it", Texts.Repeat(e), "");
        return html.Append("</body></html>\n").ToString();
    }

    private static void Head(StringBuilder html, Evaluated e)
    {
        var plan = e.Played.Plan;
        html.Append("<header><h1>Detection on recorded homes</h1><p class=\"quiet\">").Append(Plot.Encode(
            string.Create(CultureInfo.InvariantCulture, $"{e.HomesUsed} recorded homes, {Protocol.Days} days from "
                + $"{LocalDay.FormatDate(plan.FirstDay)}, readings every {plan.IntervalMinutes} minutes; "
                + $"{plan.Sets} sets of {plan.Homes} meters; feeders {(plan.Observers ? "with" : "without")} "
                + $"observer meters; thefts {(plan.FromDay0 ? "there from the first day" : "begin on days 21 to 70")}"
                + $". MeterTwin {Cli.Version}, seed {plan.Seed}."))).Append("</p></header>\n");
    }

    private static void Tiles(StringBuilder html, Evaluated e)
    {
        var (m, best) = (e.Own.Result.Macro, e.References.FirstOrDefault(r => r.Name == e.BestReference)?.Result);
        void Tile(string figure, string what, string small) => html.Append("<div class=\"tile\"><b>")
            .Append(Plot.Encode(figure)).Append("</b><span>").Append(Plot.Encode(what)).Append("</span><small>")
            .Append(Plot.Encode(small)).Append("</small></div>");
        string Beside(Func<DetectorResult, string> of) => best is null ? "" : $"Best reference: {of(best)}";
        html.Append("<div class=\"tiles\">");
        Tile(Texts.Share(m.Value.TprAt1), "of thefts found at 1 % false alarms",
            $"95 %: {Texts.Between(m.TprAt1)}. {Beside(r => Texts.Share(r.Macro.Value.TprAt1))}");
        Tile(Texts.Share(m.Value.TprAt5), "found at 5 % false alarms",
            $"95 %: {Texts.Between(m.TprAt5)}. {Beside(r => Texts.Share(r.Macro.Value.TprAt5))}");
        Tile(m.Value.Auc.ToString("0.000", CultureInfo.InvariantCulture), "area under the ROC curve", string.Create(
            CultureInfo.InvariantCulture, $"95 %: {m.Auc.Low:0.000} to {m.Auc.High:0.000}. ")
            + Beside(r => r.Macro.Value.Auc.ToString("0.000", CultureInfo.InvariantCulture)));
        Tile(Texts.Days(m.Value.Delay), "median from the onset to the alarm",
            $"over the thefts found. {Beside(r => Texts.Days(r.Macro.Value.Delay))}");
        Tile(Texts.Share(e.Own.Result.LookAlikes.Macro), "of innocent look-alikes alarmed",
            $"mean over kinds. {Beside(r => Texts.Share(r.LookAlikes.Macro))}");
        Tile(e.Own.Result.AlarmsPer1000MetersMonth.ToString("0.0", CultureInfo.InvariantCulture),
            "alarms per 1,000 ordinary meters a month", "at the 1 % threshold");
        html.Append("</div>\n");
    }

    private static void Section(StringBuilder html, string title, string text, string body) =>
        html.Append("<section><h2>").Append(Plot.Encode(title)).Append("</h2>").Append(text).Append(body)
            .Append("</section>\n");
}
