using System.Globalization;
using System.Text;
using Twin.Hardware;
using Twin.Hardware.Attacks;

namespace Twin.Silo.Attacks;

/// <summary>
/// One run in two columns: what cryptography checks on the meters concerned, and what the twins say is wrong and why.
/// </summary>
internal static class TwoColumns
{
    private const int Width = 56;

    /// <summary>Findings shown on the right and below; the rest is counted.</summary>
    private const int MaxFindings = 12, MaxOthers = 60;

    public static string Of(Attack attack, AttackRunReport run)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{attack.Id} {attack.Name}. {attack.Description}\n\n");
        var met = run.Result.Found.ToHashSet(StringComparer.Ordinal);
        text.Append(Of(run.Checks, [.. run.Findings.Where(f => met.Contains(f.Id))],
            attack.Expected.IsSilence ? "nothing, as it should be" : "nothing", MaxFindings));
        AddOthers(text, run);
        return text.ToString();
    }

    /// <summary>
    /// The columns alone: checks on the left; on the right at most so many of the findings, in order of detection, or
    /// what is said when there is none.
    /// </summary>
    public static string Of(CryptographicChecks checks, IReadOnlyCollection<Finding> findings, string none, int most)
    {
        var text = new StringBuilder();
        var (left, right) = (Left(checks), Right(findings, none, most));
        for (var i = 0; i < Math.Max(left.Count, right.Count); i++)
        {
            var l = i < left.Count ? left[i] : "";
            var r = i < right.Count ? right[i] : "";
            text.Append($"{l.PadRight(Width)} | {r}".TrimEnd()).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>What else the twins said in this run, so that nothing is hidden.</summary>
    private static void AddOthers(StringBuilder text, AttackRunReport run)
    {
        var met = run.Result.Found.ToHashSet(StringComparer.Ordinal);
        var others = run.Findings.Where(f => !met.Contains(f.Id)).OrderBy(f => f.DetectedAt.Seconds).ToList();
        if (others.Count > 0) text.Append("\nother findings of the run:\n");
        foreach (var f in others.Take(MaxOthers))
            text.Append(CultureInfo.InvariantCulture, $"{f.DetectedAt}  {f.Severity.ToString().ToLowerInvariant(),-8} ")
                .Append(CultureInfo.InvariantCulture, $"{f.SubjectName}: {Finding.NameOf(f.Kind)}: {f.Sentence}\n");
        if (others.Count > MaxOthers)
            text.Append(CultureInfo.InvariantCulture, $"and {others.Count - MaxOthers} more\n");
    }

    private static List<string> Left(CryptographicChecks checks)
    {
        List<string> lines =
        [
            "cryptographic checks: " + (checks.AllHold ? "all pass" : "NOT all pass"), new string('-', Width),
        ];
        foreach (var row in checks.Rows)
        {
            var figures = row.Broken == 0 ? $"{row.Held}" : $"{row.Held}, {row.Broken} broken";
            lines.Add(string.Create(CultureInfo.InvariantCulture,
                $"{(row.Broken == 0 ? "✓" : "✗")} {row.Name}: {figures}"));
        }
        return lines;
    }

    private static List<string> Right(IReadOnlyCollection<Finding> findings, string none, int most)
    {
        List<string> lines = ["twin: what is wrong and why", new string('-', Width)];
        var shown = findings.OrderBy(f => f.DetectedAt.Seconds).ThenBy(f => f.SubjectName, StringComparer.Ordinal);
        if (findings.Count == 0) lines.Add(none);
        foreach (var f in shown.Take(most)) AddFinding(lines, f);
        if (findings.Count > most)
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"and {findings.Count - most} more"));
        return lines;
    }

    private static void AddFinding(List<string> lines, Finding f)
    {
        lines.Add($"{f.DetectedAt} {f.SubjectName}: {Finding.NameOf(f.Kind)} "
            + $"({f.Severity.ToString().ToLowerInvariant()})");
        lines.AddRange(Wrapped(f.Sentence).Select(l => "  " + l));
        foreach (var e in f.Evidence.OrderByDescending(e => e.Contribution).Take(3))
            lines.Add(string.Create(CultureInfo.InvariantCulture,
                $"  {e.Feature}: {e.Observed:0.###} against {e.Expected:0.###} {e.Unit}").TrimEnd());
    }

    private static IEnumerable<string> Wrapped(string sentence)
    {
        var line = "";
        foreach (var word in sentence.Split(' '))
        {
            if (line.Length > 0 && line.Length + word.Length > Width)
            {
                yield return line;
                line = "";
            }
            line += line.Length > 0 ? " " + word : word;
        }
        yield return line;
    }
}
