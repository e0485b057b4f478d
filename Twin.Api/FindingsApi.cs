using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>A finding as the API and files of findings show it; a figure that is not finite is null.</summary>
public sealed record FindingView(string Id, string Subject, string SubjectName, string Kind, UnixTime From, UnixTime To,
    UnixTime DetectedAt, double Score, Severity Severity, double Confidence, IReadOnlyList<Evidence> Evidence,
    IReadOnlyList<string> CounterEvidence, string? Technique, string Detector, int DetectorVersion, string Sentence)
{
    public static FindingView Of(Finding f) =>
        new(f.Id, f.Subject.ToString(), f.SubjectName, Finding.NameOf(f.Kind), f.From, f.To, f.DetectedAt, f.Score,
            f.Severity, f.Confidence, f.Evidence, f.CounterEvidence, f.Technique.Length == 0 ? null : f.Technique,
            f.Detector, f.DetectorVersion, f.Sentence);
}

/// <summary>Findings, newest first.</summary>
internal sealed record FindingList(IReadOnlyList<FindingView> Findings);

internal static class FindingsApi
{
    public const string Path = "/api/v1/findings";
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;

    public static void MapFindingsApi(this IEndpointRouteBuilder routes) =>
        routes.MapGet(Path, List).Needs(Right.Read).WithName("list_findings").WithTags("findings").ProducesProblem(400)
            .ProducesProblem(404)
            .WithSummary("Findings, newest first: subject (a meter, or feeder:NAME), kind, from, to, limit");

    private static async Task<Ok<FindingList>> List(string? subject, string? kind, string? from, string? to,
        string? limit, HttpRequest request, IFleet fleet, CancellationToken cancel)
    {
        Parameters.Only(request, "subject", "kind", "from", "to", "limit");
        var query = new FindingQuery(await Subject(fleet, subject, cancel), Parameters.Kind(kind),
            Parameters.Time(from, "from"), Parameters.Time(to, "to"),
            Parameters.Integer(limit, "limit", DefaultLimit, MaxLimit));
        Parameters.Ordered(query.From, query.To);
        var found = await fleet.Findings(query, cancel);
        return TypedResults.Ok(new FindingList([.. found.Select(FindingView.Of)]));
    }

    /// <summary>A misspelt subject has no findings either, so an unknown one is an error.</summary>
    private static async ValueTask<TwinKey?> Subject(IFleet fleet, string? text, CancellationToken cancel)
    {
        if (Parameters.Subject(text) is not { } key) return null;
        if (await fleet.State(key, null, cancel) is not null) return key;
        if (key.Kind == TwinKind.Meter) return (await MetersApi.Find(fleet, text!, null, cancel)).Meter.Twin;
        throw new ApiProblem(404, "subject_not_found", "There is no twin of this kind and name.",
            "Give a meter's id, or feeder:NAME as the fleet file names it.");
    }
}
