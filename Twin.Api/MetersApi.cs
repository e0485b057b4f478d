using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>One meter of a list; texts are empty and the rest null where nothing is known.</summary>
internal sealed record MeterItem(MeterId Id, string Name, MeterRole Role, string Feeder, string Concentrator,
    string Region, string Model, string Firmware, string Lot, string UsagePoint, CustomerCategory Category,
    UnixTime? LastReading, double? Score, string? ScoreDay, string Link)
{
    public static MeterItem Of(MeterRow m) => new(m.Id, m.Name, m.Role, m.Feeder, m.Concentrator, m.Region, m.Model,
        m.Firmware, m.Lot, m.UsagePoint, m.Category,
        m.LastReading == long.MinValue ? null : new UnixTime(m.LastReading), m.ScoreDay is null ? null : m.Score,
        m.ScoreDay is { } day ? LocalDay.FormatDate(day) : null, $"{MetersApi.Path}/{m.Id}");
}

/// <summary>
/// A page of meters; <paramref name="Next"/> is the link of the next one, null on the last. <paramref name="Total"/>:
/// meters on all pages; <paramref name="IndexAt"/>: when the meters were looked through for it.
/// </summary>
internal sealed record MeterPage(IReadOnlyList<MeterItem> Meters, string? Next, int Total, UnixTime IndexAt);

/// <summary>A meter and its twin, now or as of a time; the rest are links.</summary>
internal sealed record MeterDetail(MeterId Id, string Name, UnixTime? At, UnixTime? KnownAt, MeterView Twin,
    string Series, string Findings, string Lineage, string Keys, string Measures, string Cases);

internal static class MetersApi
{
    public const string Path = "/api/v1/meters";
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;

    /// <summary>Each meter of a list of the past is rebuilt.</summary>
    private const int MaxPastLimit = 100;

    public static void MapMetersApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Read).WithName("list_meters").WithTags("meters")
            .Produces<MeterPage>().ProducesProblem(400)
            .WithSummary("Meters, a page at a time: filters, sort, fields; as of a time, at most 100 a page");
        routes.MapGet(Path + "/{id}", Get).Needs(Right.Read).WithName("get_meter").WithTags("meters")
            .Produces<MeterDetail>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("A meter's twin, now or as of a time: at, known_at");
    }

    private static async Task<IResult> List(string? name, string? role, string? feeder, string? concentrator,
        string? model, string? firmware, string? lot, string? region, string? category, string? silent_days,
        string? score_min, string? finding, string? sort, string? at, string? known_at, string? fields, string? limit,
        string? cursor, HttpContext http, IFleet fleet, FleetIndex index, CancellationToken cancel)
    {
        Parameters.Only(http.Request, [.. MeterFilter.Names, "at", "known_at", "fields", "limit", "cursor"]);
        var filter = MeterFilter.Read(http.Request.Query);
        var asOf = Parameters.AsOf(at, known_at);
        var count = Parameters.Integer(limit, "limit", asOf.IsNow ? DefaultLimit : MaxPastLimit,
            asOf.IsNow ? MaxLimit : MaxPastLimit);
        var place = Cursor.Read(cursor, CursorVersion);
        var picture = await index.Get(cancel);
        var rows = filter.Of(picture, Caller.Of(http), fleet.Status.Watermark);
        var from = place is null ? 0 : filter.After(place, rows, picture);
        var page = rows.GetRange(from, Math.Min(count, rows.Count - from));
        var items = asOf.IsNow ? page.ConvertAll(MeterItem.Of) : await Past(fleet, page, asOf, cancel);
        var next = from + page.Count < rows.Count
            ? Cursor.Next(http.Request, Cursor.Write(CursorVersion, filter.PlaceOf(page[^1]))) : null;
        return Fields.Of(new MeterPage(items, next, rows.Count, picture.At), fields, "meters");
    }

    /// <summary>The meters of a page as they were; those that were not yet there are left out.</summary>
    private static async Task<List<MeterItem>> Past(IFleet fleet, List<MeterRow> page, AsOf asOf,
        CancellationToken cancel)
    {
        var items = new List<MeterItem>(page.Count);
        foreach (var row in page)
        {
            if (await fleet.State(row.Id.Twin, asOf, cancel) is not { } state) continue;
            var card = MeterCard.From(row.Id.Twin, state);
            items.Add(MeterItem.Of(MeterRow.Of(card, static t => t,
                v => v.Version.Length > 0 ? v.Version : row.Firmware)));
        }
        return items;
    }

    private static async Task<IResult> Get(string id, string? at, string? known_at, string? fields, HttpContext http,
        IFleet fleet, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "at", "known_at", "fields");
        var asOf = Parameters.AsOf(at, known_at);
        var view = await View(fleet, id, asOf, http, cancel);
        var own = $"{Path}/{view.Id}";
        return Fields.Of(new MeterDetail(view.Id, view.Name, asOf.At, asOf.KnownAt, view, $"{own}/series",
            $"{FindingsApi.Path}?subject={view.Id}", $"{own}/lineage", $"{own}/keys", $"{own}/measures",
            $"/api/v1/cases?subject={view.Id}"), fields);
    }

    /// <summary>A meter that the caller may see, for people.</summary>
    /// <exception cref="ApiProblem">As <see cref="Find"/>; a meter of another region is not found either.</exception>
    public static async ValueTask<MeterView> View(IFleet fleet, string id, AsOf asOf, HttpContext http,
        CancellationToken cancel)
    {
        var (meter, state) = await Find(fleet, id, asOf, cancel);
        var view = MeterView.From(meter.Twin, state);
        return Caller.Of(http).Covers(view.Relation?.Region ?? "") ? view : throw NotFound(AsOf.Now);
    }

    /// <summary>A meter that the caller may see, and its state.</summary>
    /// <exception cref="ApiProblem">As <see cref="View"/>.</exception>
    public static async ValueTask<(MeterId Meter, byte[] State)> Seen(IFleet fleet, string id, AsOf asOf,
        HttpContext http, CancellationToken cancel)
    {
        var found = await Find(fleet, id, asOf, cancel);
        var caller = Caller.Of(http);
        return caller.Regions.Count == 0 || caller.Covers(
            MeterCard.From(found.Meter.Twin, found.State).Relation?.Region ?? "") ? found : throw NotFound(AsOf.Now);
    }

    /// <summary>The first meters in id order, for a page without filters.</summary>
    public static async Task<List<MeterItem>> First(IFleet fleet, int limit, CancellationToken cancel)
    {
        var items = new List<MeterItem>();
        foreach (var key in await fleet.Keys(TwinKind.Meter, 0, limit, cancel))
            if (await fleet.State(key, AsOf.Now, cancel) is { } state)
                items.Add(MeterItem.Of(MeterRow.Of(MeterCard.From(key, state), static t => t, static v => v.Version)));
        return items;
    }

    /// <summary>
    /// A meter by 16 hexadecimal digits or by the utility's id. Some utilities number their meters with 16 digits:
    /// what is no known meter id is tried as a utility id, too.
    /// </summary>
    /// <exception cref="ApiProblem">400 for an id that cannot be one, 404 when there is no such twin at that
    /// time.</exception>
    public static async ValueTask<(MeterId Meter, byte[] State)> Find(IFleet fleet, string id, AsOf asOf,
        CancellationToken cancel)
    {
        var text = Parameters.Text(id, "id")!;
        foreach (var meter in (MeterId[])[MeterId.ParseOrMap(text), MeterId.FromUtilityId(text)])
            if (await fleet.State(meter.Twin, asOf, cancel) is { } state) return (meter, state);
        throw NotFound(asOf);
    }

    /// <inheritdoc cref="Find(IFleet, string, AsOf, CancellationToken)"/>
    public static ValueTask<(MeterId Meter, byte[] State)> Find(IFleet fleet, string id, UnixTime? at,
        CancellationToken cancel) => Find(fleet, id, new AsOf(at, null), cancel);

    private static ApiProblem NotFound(AsOf asOf) => asOf.IsNow
        ? new ApiProblem(404, "meter_not_found", "There is no meter with this id.",
            "GET /api/v1/meters lists all; an id is 16 hexadecimal digits or the utility's own id.")
        : new ApiProblem(404, "meter_not_found", $"There is no twin of this meter as of {asOf.At ?? asOf.KnownAt}.",
            "Ask for a later time, or leave out at and known_at for the present state.");

    private const string CursorVersion = "m2";
}
