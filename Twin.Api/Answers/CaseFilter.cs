using Microsoft.AspNetCore.Http;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>Which cases are meant: the same words in a query and in the body of a bulk act.</summary>
internal static class CaseFilter
{
    public static readonly string[] Names = ["desk", "condition", "handling", "disposition", "severity", "assignee",
        "subject", "feeder", "kind", "text", "all"];

    public static CaseQuery Of(HttpRequest request, Caller caller, int limit) =>
        Of(name => request.Query.TryGetValue(name, out var value) ? value.ToString() : null, caller, limit);

    /// <exception cref="ApiProblem">A value is none that its name takes.</exception>
    public static CaseQuery Of(StrictBody body, Caller caller, int limit) => Of(name => name == "all"
        ? body.Flag(name) ? "true" : null : body.Text(name, Parameters.MaxText), caller, limit);

    private static CaseQuery Of(Func<string, string?> value, Caller caller, int limit) => new(
        Word<Desk>(value("desk"), "desk"), Word<CaseCondition>(value("condition"), "condition"),
        Word<CaseHandling>(value("handling"), "handling"), Parameters.Subject(value("subject")),
        Flag(value("all"), "all"), limit)
    {
        Disposition = Word<Disposition>(value("disposition"), "disposition"),
        AtLeast = Word<Severity>(value("severity"), "severity"),
        Assignee = Parameters.Text(value("assignee"), "assignee"),
        Feeder = Parameters.Text(value("feeder"), "feeder"),
        Kind = Parameters.Kind(value("kind")),
        Text = Parameters.Text(value("text"), "text"),
        Regions = caller.Regions,
    };

    public static T? Word<T>(string? text, string name) where T : struct, Enum
    {
        if (text is null) return null;
        foreach (var word in Enum.GetValues<T>())
            if (SnakeCase.Of(word) == text) return word;
        throw Parameters.Bad($"bad_{name}", $"The parameter {name} is none of its words.",
            $"Use one of: {string.Join(", ", Enum.GetValues<T>().Select(SnakeCase.Of))}.");
    }

    public static bool Flag(string? text, string name) => text switch
    {
        null or "false" => false,
        "true" or "" => true,
        _ => throw Parameters.Bad($"bad_{name}", $"The parameter {name} is neither true nor false.",
            $"Give {name}=true, or leave it out."),
    };

    /// <summary>True for a case that the query would give, had it been asked then; all but its regions and place.
    /// </summary>
    public static bool Fits(CaseQuery q, CaseSnapshot c) =>
        (q.All || c is { Verdict: Grains.Policies.CaseVerdict.Open, Placing: Placing.Queued })
        && (q.Desk is null || c.Desk == q.Desk) && (q.Condition is null || c.Condition == q.Condition)
        && (q.Handling is null || c.Handling == q.Handling)
        && (q.Disposition is null || c.Disposition == q.Disposition)
        && (q.AtLeast is null || c.Severity >= q.AtLeast) && (q.Assignee is null || c.Assignee == q.Assignee)
        && (q.Subject is null || c.Subject == q.Subject)
        && (q.Kind is not { } kind || Array.Exists(c.Findings, f => f.Kind == kind))
        && (q.Text is not { } text || $"{c.SubjectName} {c.Sentence}".Contains(text,
            StringComparison.OrdinalIgnoreCase));
}
