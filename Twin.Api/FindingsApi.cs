using System.Globalization;
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

/// <summary>
/// Findings, newest first; <paramref name="Next"/> is the link of the next page, null on the last.
/// </summary>
internal sealed record FindingList(IReadOnlyList<FindingView> Findings, string? Next);

internal static class FindingsApi
{
    public const string Path = "/api/v1/findings";
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;
    private const string CursorVersion = "f1";

    /// <summary>
    /// Findings looked at for one page of a caller who may not see all; at the bound the page ends, perhaps short, with
    /// a link that goes on behind it.
    /// </summary>
    private const int MaxScanned = 10_000;

    public static void MapFindingsApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Read).WithName("list_findings").WithTags("findings")
            .Produces<FindingList>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("Findings, newest first: subject (a meter, or feeder:NAME), kind, severity, from, to, "
                + "known_at");
        routes.MapGet(Path + "/{id}", Get).Needs(Right.Read).WithName("get_finding").WithTags("findings")
            .Produces<FindingView>().ProducesProblem(400).ProducesProblem(404).WithSummary("One finding");
    }

    private static async Task<IResult> List(string? subject, string? kind, string? severity, string? from, string? to,
        string? known_at, string? fields, string? limit, string? cursor, HttpContext http, IFleet fleet,
        FleetIndex index, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "subject", "kind", "severity", "from", "to", "known_at", "fields", "limit",
            "cursor");
        var count = Parameters.Integer(limit, "limit", DefaultLimit, MaxLimit);
        var query = (await Query(fleet, subject, kind, severity, from, to, known_at, count + 1, cancel)) with
        {
            After = ReadPlace(cursor),
        };
        var caller = Caller.Of(http);
        var found = caller.Regions.Count == 0 ? await fleet.Findings(query, cancel)
            : await Seen(fleet, query, caller, await index.Get(cancel), cancel);
        var more = found.Count > count;
        var page = found.Take(count).ToArray();
        var next = more ? Cursor.Next(http.Request, Cursor.Write(CursorVersion, PlaceOf(page[^1]))) : null;
        return Fields.Of(new FindingList([.. page.Select(FindingView.Of)], next), fields, "findings");
    }

    /// <summary>The filters of a list of findings.</summary>
    /// <exception cref="ApiProblem">One is wrong.</exception>
    public static async ValueTask<FindingQuery> Query(IFleet fleet, string? subject, string? kind, string? severity,
        string? from, string? to, string? knownAt, int limit, CancellationToken cancel)
    {
        var query = new FindingQuery(await Subject(fleet, subject, cancel), Parameters.Kind(kind),
            Parameters.Time(from, "from"), Parameters.Time(to, "to"), limit)
        {
            Least = Parameters.OneOf<Severity>(severity, "severity"), KnownAt = Parameters.Time(knownAt, "known_at"),
        };
        Parameters.Ordered(query.From, query.To);
        return query;
    }

    /// <summary>Those that a caller of some regions may see: of its meters.</summary>
    private static async ValueTask<IReadOnlyList<Finding>> Seen(IFleet fleet, FindingQuery query, Caller caller,
        FleetPicture picture, CancellationToken cancel)
    {
        var seen = new List<Finding>();
        for (var scanned = 0; scanned < MaxScanned && seen.Count < query.Limit;)
        {
            var page = await fleet.Findings(query with { Limit = MaxLimit }, cancel);
            foreach (var f in page)
                if (seen.Count < query.Limit && FleetApi.Covers(picture, caller, f.Subject)) seen.Add(f);
            if (page.Count < MaxLimit) break;
            scanned += page.Count;
            query = query with { After = (page[^1].DetectedAt, page[^1].Id) };
        }
        return seen;
    }

    private static async Task<IResult> Get(string id, string? fields, HttpContext http, IFleet fleet,
        FleetIndex index, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "fields");
        var wanted = Parameters.Text(id, "id")!.ToLowerInvariant();
        var found = await fleet.Findings(new FindingQuery(null, null, null, null, 1) { Id = wanted }, cancel);
        var caller = Caller.Of(http);
        if (found.Count == 0 || (caller.Regions.Count > 0
            && !FleetApi.Covers(await index.Get(cancel), caller, found[0].Subject)))
            throw new ApiProblem(404, "finding_not_found", "There is no finding with this id.",
                "GET /api/v1/findings lists them; an id has 16 hexadecimal digits.");
        return Fields.Of(FindingView.Of(found[0]), fields);
    }

    private static string PlaceOf(Finding f) =>
        string.Create(CultureInfo.InvariantCulture, $"{f.DetectedAt.Seconds}_{f.Id}");

    private static (UnixTime, string)? ReadPlace(string? cursor)
    {
        if (Cursor.Read(cursor, CursorVersion) is not { } place) return null;
        return place.Split('_') is [var at, { Length: 16 } id]
            && long.TryParse(at, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
            ? (new UnixTime(seconds), id) : throw Cursor.Bad();
    }

    /// <summary>A misspelt subject has no findings either, so an unknown one is an error.</summary>
    private static async ValueTask<TwinKey?> Subject(IFleet fleet, string? text, CancellationToken cancel)
    {
        if (Parameters.Subject(text) is not { } key) return null;
        if (await fleet.State(key, AsOf.Now, cancel) is not null) return key;
        if (key.Kind == TwinKind.Meter) return (await MetersApi.Find(fleet, text!, AsOf.Now, cancel)).Meter.Twin;
        throw new ApiProblem(404, "subject_not_found", "There is no twin of this kind and name.",
            "Give a meter's id, or feeder:NAME as the fleet file names it.");
    }
}
