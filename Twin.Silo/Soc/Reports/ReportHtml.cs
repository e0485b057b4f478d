using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Twin.Silo.Soc.Reports;

/// <summary>
/// Reports as one HTML file that loads nothing and runs nothing, for screen readers, print and both colour schemes.
/// </summary>
internal static class ReportHtml
{
    private const string Style = """
        :root{color-scheme:light dark;font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
        :root{--ink:#1d2530;--quiet:#5a6675;--page:#f3f5f7;--card:#fff;--rule:#dbe0e6}
        @media(prefers-color-scheme:dark){
        :root{--ink:#e6eaf0;--quiet:#a7b2c0;--page:#12161c;--card:#1b2129;--rule:#39424e}
        }
        body{max-width:64rem;margin:0 auto;padding:1.5rem 1rem 4rem;color:var(--ink);background:var(--page)}
        h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem}
        h2{font-size:1.2rem;margin:0 0 .3rem}
        section{background:var(--card);border:1px solid var(--rule);border-radius:8px}
        section{padding:1.1rem 1.3rem;margin:0 0 1.1rem}
        .quiet{color:var(--quiet)}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-size:.88rem;font-variant-numeric:tabular-nums}
        th,td{text-align:left;vertical-align:top;padding:.28rem .5rem;border-bottom:1px solid var(--rule)}
        th{color:var(--quiet);font-weight:600}
        code{font:.8em ui-monospace,monospace;overflow-wrap:anywhere}
        @media print{section{break-inside:avoid}}
        """;

    public static string Of(IncidentReport r) => Page($"Incident {r.Case}", r.Sentence,
        Section("Due times", Table(["Became aware", "Early warning by (24 h)", "Notification by (72 h)",
            "Final report by (one month)"],
            [[r.Due.AwareAt, r.Due.EarlyWarningBy, r.Due.NotificationBy, r.Due.FinalReportBy]]))
        + Section("Subject and people", Table(["Subject", "Desk", "People"],
            [[r.Subject, r.Desk, string.Join(", ", r.People)]]))
        + Section(r.Complete ? "Timeline" : $"Timeline, the first {ReportData.MaxEntries} entries",
            Table(["Entry", "Time", "Kind", "What", "Why", "Hash"],
            r.Timeline.Select(t => (string[])[Text(t.Entry), t.At, t.Kind, t.Text, t.Why, t.Hash]))));

    public static string Of(DisconnectReport r) => Page("Disconnections", $"Proposed from {r.From} to {r.To}.",
        Section("Disconnections and reconnections", Table(["Entry", "Subject", "What", "State", "Requested by", "Order",
            "Approvals", "Proposed", "People told", "Window", "Not before", "Ordered", "Ended", "Outcome",
            "Enough approvals", "Within window", "After notice", "Hash"],
            r.Rows.Select(x => (string[])[Text(x.Entry), x.Subject, x.Rung, x.State, x.RequestedBy, x.Order,
                string.Join("; ", x.Approvals) + $" (needs {x.Needed})", x.ProposedAt, x.PeopleToldAt, x.Window,
                x.NotBefore, x.OrderedAt, x.EndedAt, x.Outcome, YesNo(x.ApprovedByEnough), YesNo(x.WithinWindow),
                YesNo(x.OrderedAfterNotice), x.Hash]))));

    public static string Of(FleetReport r) => Page("Fleet", $"{r.Meters} meters.",
        Section("Firmware and key suites", Table(["Model", "Firmware", "Stage", "Keys", "Meters"],
            r.Rows.Select(x => (string[])[x.Model, x.Firmware, x.Stage, x.Keys, Text(x.Meters)]))));

    private static string YesNo(bool yes) => yes ? "yes" : "no";

    private static string Text(long n) => n.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Page(string title, string lead, string body) => new StringBuilder()
        .Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n")
        .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-")
        .Append(Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))).Append("'\">\n")
        .Append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>")
        .Append(Encode(title)).Append("</title>\n<style>").Append(Style).Append("</style></head>\n<body><header><h1>")
        .Append(Encode(title)).Append("</h1><p class=\"quiet\">").Append(Encode(lead)).Append("</p></header>\n<main>")
        .Append(body).Append("</main></body></html>\n").ToString();

    private static string Section(string title, string body) =>
        $"<section><h2>{Encode(title)}</h2>{body}</section>\n";

    private static string Table(string[] heads, IEnumerable<string[]> rows)
    {
        var s = new StringBuilder("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>");
        foreach (var head in heads) s.Append("<th scope=\"col\">").Append(Encode(head)).Append("</th>");
        s.Append("</tr></thead><tbody>");
        foreach (var row in rows)
        {
            s.Append("<tr>");
            for (var i = 0; i < row.Length; i++)
                s.Append(heads[i] == "Hash" ? $"<td><code>{Encode(row[i])}</code></td>" : $"<td>{Encode(row[i])}</td>");
            s.Append("</tr>\n");
        }
        return s.Append("</tbody></table></div>").ToString();
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
