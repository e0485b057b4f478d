using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// The plain page: what runs here, the first meters, the newest findings, and every endpoint. No script, one inline
/// style sheet that the content security policy names by its digest. It is under <c>/</c> where the build made no
/// console, and always under <c>/plain</c>.
/// </summary>
internal static class HomePage
{
    private const int MeterRows = 50;
    private const int FindingRows = 20;

    /// <summary>Newest findings among which those of a caller's regions are looked for.</summary>
    private const int FindingsLooked = 1_000;

    private const string Style = """
        :root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
        body{max-width:72rem;margin:0 auto;padding:1rem}
        table{border-collapse:collapse;width:100%;margin:0 0 2rem}
        caption{text-align:left;font-weight:bold;padding:.5rem 0}
        th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8888}
        code,.id{font-family:ui-monospace,monospace}
        .banner{border:3px solid;padding:.75rem;font-weight:bold}
        """;

    private static readonly string Policy = $"{Guards.ContentSecurityPolicy}; style-src 'sha256-"
        + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style))) + "'";

    public const string Path = "/plain";

    private const string NoConsole = "This build has no console, because there was no Node 20 or newer, or no package "
        + "registry, when it was built. Install Node, then: dotnet build -c Release.";

    public static void MapHomePage(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", Home).Needs(Right.Public).WithName("home").WithTags("operation")
            .Produces<string>(200, "text/html").WithSummary("The console, or the plain page where the build has none");
        routes.MapGet(Path, Get).Needs(Right.Read).WithName("plain_page").WithTags("operation")
            .Produces<string>(200, "text/html")
            .WithSummary("State, newest findings and every endpoint, without script");
    }

    private static async Task<IResult> Home(HttpContext http, IFleet fleet, ApiOptions options, ConsoleFiles files,
        EndpointDataSource endpoints, FleetIndex index, CancellationToken cancel)
    {
        if (ConsoleApi.Shell(http, files) is { } shell) return shell;
        if (http.Features.Get<Caller>() is { } caller && caller.May(Right.Read))
            return await Page(http, fleet, options, NoConsole, endpoints, index, cancel);
        http.Response.Headers.ContentSecurityPolicy = Policy;
        return TypedResults.Text(SignedOut(), "text/html; charset=utf-8");
    }

    private static async Task<ContentHttpResult> Get(HttpContext http, IFleet fleet, ApiOptions options,
        EndpointDataSource endpoints, FleetIndex index, CancellationToken cancel) =>
        await Page(http, fleet, options, null, endpoints, index, cancel);

    private static async Task<ContentHttpResult> Page(HttpContext http, IFleet fleet, ApiOptions options, string? note,
        EndpointDataSource endpoints, FleetIndex index, CancellationToken cancel)
    {
        var caller = Caller.Of(http);
        var meters = new List<MeterItem>();
        IReadOnlyList<Finding> findings = [];
        if (caller.Regions.Count == 0)
        {
            meters = await MetersApi.First(fleet, MeterRows, cancel);
            findings = await fleet.Findings(new FindingQuery(null, null, null, null, FindingRows), cancel);
        }
        else
        {
            var picture = await index.Get(cancel);
            meters = [.. picture.Meters.Where(m => caller.Covers(m.Region)).Take(MeterRows).Select(MeterItem.Of)];
            findings = [.. (await fleet.Findings(new FindingQuery(null, null, null, null, FindingsLooked), cancel))
                .Where(f => FleetApi.Covers(picture, caller, f.Subject)).Take(FindingRows)];
        }
        http.Response.Headers.ContentSecurityPolicy = Policy;
        return TypedResults.Text(Render(fleet.Status, options, note, meters, findings, endpoints.Endpoints),
            "text/html; charset=utf-8");
    }

    private static Html Begin() => new Html()
        .Raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        .Raw("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">")
        .Raw("<title>MeterTwin</title><style>").Raw(Style).Raw("</style></head><body><header><h1>MeterTwin</h1>");

    /// <summary>For who may not read: how to come in, and nothing about what runs here.</summary>
    private static string SignedOut() => Begin()
        .Raw("</header><main><p>").Text(NoConsole).Raw("</p><p>This page needs a key: make one with ")
        .Raw("<code>metertwin key create</code> and send it as <code>Authorization: Bearer KEY</code>.</p>")
        .Raw("</main></body></html>\n").ToString();

    private static string Render(FleetStatus status, ApiOptions options, string? note,
        IReadOnlyList<MeterItem> meters, IReadOnlyList<Finding> findings, IReadOnlyList<Endpoint> endpoints)
    {
        var html = Begin();
        Banner(html, options.Mode);
        if (note is not null) html.Raw("<p role=\"note\">").Text(note).Raw("</p>");
        if (status.StorageError is { } error)
            html.Raw("<p class=\"banner\" role=\"alert\">Not storing anything: ").Text(error).Raw("</p>");
        html.Raw("</header><main>");
        State(html, status, options);
        Findings(html, findings);
        Meters(html, meters, status.Meters);
        Endpoints(html, endpoints);
        return html.Raw("</main></body></html>\n").ToString();
    }

    private static void Banner(Html html, ServiceMode mode)
    {
        if (mode == ServiceMode.Live) return;
        var text = mode == ServiceMode.Replay
            ? "Replay: recorded data, not live. Times are those of the recording."
            : "Demo: generated homes, not live. No real meter is shown here.";
        html.Raw("<p class=\"banner\" role=\"note\">").Text(text).Raw("</p>");
    }

    private static void State(Html html, FleetStatus s, ApiOptions options)
    {
        html.Table("What runs here", "what", "value");
        html.Row("state", s.IsReady ? "ready" : "recovering");
        html.Row("edition, engine, version", $"{options.Edition}, {s.Engine}, {TwinApi.Version}");
        html.Row("journal position", Number(s.Position));
        html.Row("watermark", s.Watermark?.ToString() ?? "none yet");
        html.Row("days closed through", s.ClosedThroughDay is { } day ? LocalDay.FormatDate(day) : "none yet");
        html.Row("meters, twins", $"{Number(s.Meters)}, {Number(s.Twins)}");
        html.Row("readings accepted, duplicate, revised, late",
            $"{Number(s.Readings)}, {Number(s.Duplicates)}, {Number(s.Revisions)}, {Number(s.Late)}");
        html.Row("inputs rejected", Number(s.Rejected));
        html.Row("findings", Number(s.Findings));
        html.EndTable();
    }

    private static void Findings(Html html, IReadOnlyList<Finding> findings)
    {
        html.Table(findings.Count == 0 ? "Newest findings: none yet" : "Newest findings", "detected", "subject",
            "severity", "kind", "finding");
        foreach (var f in findings)
            html.Row(f.DetectedAt.ToString(), f.SubjectName, f.Severity.ToString().ToLowerInvariant(),
                Finding.NameOf(f.Kind), f.Sentence);
        html.EndTable();
    }

    private static void Meters(Html html, IReadOnlyList<MeterItem> meters, long all)
    {
        html.Table($"Meters: the first {Number(meters.Count)} of {Number(Math.Max(all, meters.Count))}", "meter", "id",
            "role", "feeder");
        foreach (var m in meters)
        {
            html.Raw("<tr><td>").Text(m.Name).Raw("</td><td class=\"id\"><a href=\"").Text(m.Link).Raw("\">")
                .Text(m.Id.ToString()).Raw("</a></td><td>")
                .Text(SnakeCase.Of(m.Role)).Raw("</td><td>").Text(m.Feeder).Raw("</td></tr>");
        }
        html.EndTable();
    }

    private static void Endpoints(Html html, IReadOnlyList<Endpoint> endpoints)
    {
        html.Table("Endpoints", "request", "answer");
        foreach (var e in endpoints.OfType<RouteEndpoint>())
        {
            var methods = e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [];
            var summary = e.Metadata.GetMetadata<IEndpointSummaryMetadata>()?.Summary;
            if (methods.Count == 0 || summary is null) continue;
            html.Raw("<tr><td><code>").Text($"{string.Join(' ', methods)} {e.RoutePattern.RawText}")
                .Raw("</code></td><td>")
                .Text(summary).Raw("</td></tr>");
        }
        html.EndTable();
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
