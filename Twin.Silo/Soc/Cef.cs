using System.Globalization;
using System.Text;
using Twin.Hardware;

namespace Twin.Silo.Soc;

/// <summary>
/// ArcSight Common Event Format, version 0: <c>CEF:0|vendor|product|version|id|name|severity|extension</c>. In the
/// header <c>\</c> and <c>|</c> are escaped and lines cannot break; in a value of the extension <c>\</c>, <c>=</c> and
/// line breaks are.
/// </summary>
internal static class Cef
{
    /// <summary>Severity 0 to 10 by ours: information 1, low 3, medium 5, high 8, critical 10.</summary>
    private static readonly int[] Severities = [0, 1, 3, 5, 8, 10];

    public static string Of(SocEvent e)
    {
        var s = new StringBuilder(512);
        s.Append("CEF:0|MeterTwin|MeterTwin|").Append(Header(Commands.Cli.Version)).Append('|').Append(Header(e.Code))
            .Append('|').Append(Header(NameOf(e))).Append('|')
            .Append(Severities[(int)e.Severity].ToString(CultureInfo.InvariantCulture)).Append('|');
        var c = CultureInfo.InvariantCulture;
        var first = true;
        void Add(string key, string value)
        {
            if (value.Length == 0) return;
            if (!first) s.Append(' ');
            first = false;
            s.Append(key).Append('=').Append(Value(value));
        }
        Add("rt", (e.At.Seconds * 1000).ToString(c));
        Add("externalId", e.Id);
        Add("dvchost", e.SubjectName);
        Add("deviceExternalId", e.Subject.ToString());
        Add("cat", e.Finding is not null ? "finding" : e.Case is not null ? "case" : "response");
        Add("cs1Label", "case");
        Add("cs1", e.Case?.Id ?? $"{e.CaseKey.Id:x16}");
        if (e.Techniques.Count > 0)
        {
            Add("cs2Label", "attackTechniques");
            Add("cs2", string.Join(',', e.Techniques));
        }
        if (e.Finding is { } f)
        {
            Add("start", (f.From.Seconds * 1000).ToString(c));
            Add("end", (f.To.Seconds * 1000).ToString(c));
            Add("cfp1Label", "confidence");
            Add("cfp1", f.Confidence.ToString("0.####", c));
        }
        else if (e.Case is { } k)
        {
            Add("start", (k.From.Seconds * 1000).ToString(c));
            Add("end", (k.To.Seconds * 1000).ToString(c));
            Add("cnt", Math.Max(k.FindingCount, 1).ToString(c));
            Add("outcome", SnakeCase.Of(k.Handling));
            Add("reason", k.Why);
        }
        else
        {
            var r = e.Response!;
            Add("act", (r.IsUndo ? "undo_" : "") + SnakeCase.Of(r.Rung));
            Add("outcome", SnakeCase.Of(r.State));
            Add("reason", r.Reason.Length > 0 ? r.Reason : r.Why);
            Add("suser", r.RequestedBy.Person);
        }
        Add("msg", e.Sentence);
        return s.ToString();
    }

    private static string NameOf(SocEvent e) => e.Finding is { } f ? Finding.NameOf(f.Kind).Replace('_', ' ')
        : e.Case is not null ? "case of " + e.SubjectName : "response on " + e.SubjectName;

    public static string Header(string text)
    {
        var s = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            if (c is '\\' or '|') s.Append('\\').Append(c);
            else s.Append(c is '\r' or '\n' ? ' ' : c);
        }
        return s.ToString();
    }

    public static string Value(string text)
    {
        var s = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            switch (c)
            {
                case '\\' or '=': s.Append('\\').Append(c); break;
                case '\n': s.Append("\\n"); break;
                case '\r': s.Append("\\r"); break;
                default: s.Append(c); break;
            }
        }
        return s.ToString();
    }
}
