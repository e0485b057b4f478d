using System.Globalization;
using System.Text;
using Twin.Hardware.Attacks;

namespace Twin.Silo.Attacks;

/// <summary>One entry of the catalogue as <c>attack list --json</c> prints it.</summary>
public sealed record AttackRow(string Id, string Name, string Description, string Stage, string Technique,
    string Basis, string Expected, string SufficientResponse, string MaximumAutomaticResponse, int InForceMinutes,
    string Undetectable);

/// <summary>The catalogue and the results of runs as tables for people.</summary>
public static class AttackTable
{
    public static AttackRow Row(Attack a) => new(a.Id, a.Name, a.Description, AttackScore.StageName(a.Stage),
        a.Technique, a.Basis, a.Expected.Describe(), RungName(a.Response.Sufficient),
        RungName(a.Response.MostAutomatic), a.Response.InForceMinutes, a.Undetectable);

    /// <summary>Responses of one attack that a person is shown; the rest is counted.</summary>
    private const int MaxResponses = 4;

    public static string List()
    {
        var text = new StringBuilder();
        foreach (var a in Catalogue.All)
            Line(text, $"{a.Id}  {AttackScore.StageName(a.Stage),-13} {a.Technique,-6} {a.Name,-46} "
                + $"{a.Expected.Describe()}");
        Line(text, $"{Catalogue.All.Count} entries. 'metertwin attack run ID' runs one, 'attack run all' every one.");
        return text.ToString();
    }

    public static string Of(IReadOnlyList<AttackResult> results)
    {
        var text = new StringBuilder();
        foreach (var r in results)
        {
            var name = Catalogue.Find(r.Id)!.Name;
            var says = r.Status switch
            {
                AttackResult.Passed => $"{r.Expected}{Delay(r.DetectionDelay)}",
                _ => r.Reason,
            };
            Line(text, $"{Mark(r.Status)} {r.Id}  {name,-46} {says}");
            foreach (var a in r.Responses.Take(MaxResponses))
                Line(text, $"       {a.At} {a.Rung} {a.State}, {a.Subject}"
                    + $"{(a.Automatic ? "" : ", by people")}: {a.Why}");
            if (r.Responses.Count > MaxResponses) Line(text, $"       and {r.Responses.Count - MaxResponses} more");
        }
        int Count(string status) => results.Count(r => r.Status == status);
        Line(text, $"{Count(AttackResult.Passed)} passed, {Count(AttackResult.Failed)} failed, "
            + $"{Count(AttackResult.Undetectable)} undetectable; "
            + $"{results.Sum(r => r.BystanderFindings)} grave findings on bystanders");
        return text.ToString();
    }

    /// <summary>The page docs/reference/attacks.md; a test holds the two together.</summary>
    public static string Page()
    {
        var text = new StringBuilder(PageHead);
        foreach (var a in Catalogue.All)
            Line(text, $"| {a.Id} | **{a.Name}.** {a.Description} | {AttackScore.StageName(a.Stage)} "
                + $"| {(a.Technique.Length > 0 ? a.Technique : "–")} | {a.Basis} | {Expected(a)} | {Response(a)} |");
        return text.ToString();
    }

    private const string PageHead = """
        # Attacks

        The catalogue that the twins are tried with: T01 to T40 are attacks, faults and look-alikes of operation, L01
        and on those of a meter's life from chip to scrap, N01 and on those of the network. `metertwin attack run ID`
        plays one against an emulated fleet, bytes through the whole pipeline; what the twins were told is never the
        truth, only what meters, network and registry say. Faults, theft and innocent causes have no technique of
        ATT&CK for ICS (v18.1).

        The response is the mildest that is sufficient, and the strongest that may come without a human, with the time
        from onset by which one must be in force. None of them switches a customer off.

        | id | what happens | stage | technique | basis | expected | response |
        |---|---|---|---|---|---|---|

        """;

    private static string Expected(Attack a) => $"`{a.Expected.Describe()}`" + (a.Undetectable.Length > 0
        ? $"; undetectable: {a.Undetectable}" : "");

    private static string Response(Attack a) => a.Response.InForceMinutes == 0 ? "none"
        : (a.Response.Sufficient == a.Response.MostAutomatic ? RungName(a.Response.Sufficient)
            : $"{RungName(a.Response.Sufficient)}, at most {RungName(a.Response.MostAutomatic)}")
            + $", within {Span(a.Response.InForceMinutes * 60L)}";

    internal static string RungName(Hardware.ResponseRung rung) => Hardware.SnakeCase.Of(rung).Replace('_', ' ');

    private static string Mark(string status) => status switch
    {
        AttackResult.Passed => "✓",
        AttackResult.Failed => "✗",
        _ => "○",
    };

    private static string Delay(long? seconds) => seconds is { } s ? $", after {Span(s)}" : "";

    internal static string Span(long seconds)
    {
        FormattableString text = seconds switch
        {
            < 3_600 => $"{(seconds + 59) / 60} min",
            < 2 * 86_400 => $"{seconds / 3600.0:0.#} h",
            _ => $"{seconds / 86_400.0:0.#} days",
        };
        return text.ToString(CultureInfo.InvariantCulture);
    }

    private static void Line(StringBuilder to, string line) => to.Append(line.TrimEnd()).Append('\n');
}
