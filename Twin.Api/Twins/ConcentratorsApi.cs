using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Twin.Detection.Network;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// A concentrator. <paramref name="Heard"/>: meters that it hears or heard; <paramref name="LastReport"/>: null while
/// it never reported, as where only the registry names it.
/// </summary>
internal sealed record ConcentratorItem(string Name, TwinKey Key, int Meters, int Heard, UnixTime? LastReport,
    bool IsBackhaulLost, bool IsBaselined, string Link);

internal sealed record ConcentratorPage(IReadOnlyList<ConcentratorItem> Concentrators, string? Next, int Total,
    UnixTime IndexAt);

/// <summary>A meter behind a concentrator; <paramref name="Via"/>: who relays it, null when heard directly.</summary>
internal sealed record RouteView(MeterId Meter, MeterId? Via, UnixTime LastHeard, long IntervalSeconds);

/// <summary>A span in which nothing was heard of it.</summary>
internal sealed record LostView(UnixTime From, UnixTime To);

/// <summary>
/// A concentrator with its routes, first <paramref name="Routes"/> in order of id, its lost spans and its own firmware.
/// </summary>
internal sealed record ConcentratorDetail(string Name, TwinKey Key, ConcentratorItem Now, long PeriodSeconds,
    int LatencyMs, IReadOnlyList<LostView> Lost, IReadOnlyList<RouteView> Routes, IReadOnlyList<PartImage> Parts,
    string Meters, string Findings);

/// <summary>Firmware of a concentrator as attested last.</summary>
internal sealed record PartImage(string Image, uint Version, int SecurityVersion);

internal static class ConcentratorsApi
{
    public const string Path = "/api/v1/concentrators";
    private const string CursorVersion = "o1";

    /// <summary>Routes of one answer; the meters list has the rest.</summary>
    private const int MaxRoutes = 1_000;

    public static void MapConcentratorsApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Read).WithName("list_concentrators").WithTags("network")
            .Produces<ConcentratorPage>().ProducesProblem(400)
            .WithSummary("Concentrators by name: whether they speak, and how many they hear");
        routes.MapGet(Path + "/{name}", Get).Needs(Right.Read).WithName("get_concentrator").WithTags("network")
            .Produces<ConcentratorDetail>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("A concentrator: routes, lost spans, firmware; its past is not kept");
    }

    private static async Task<IResult> List(string? fields, string? limit, string? cursor, HttpContext http,
        IFleet fleet, FleetIndex index, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "fields", "limit", "cursor");
        var picture = await index.Get(cancel);
        var groups = picture.Groups(TwinKind.Concentrator, Caller.Of(http));
        var (page, next) = ListPage.Of(groups.Keys.Order(StringComparer.Ordinal).ToList(), limit, cursor,
            CursorVersion, http.Request);
        var items = new List<ConcentratorItem>(page.Count);
        foreach (var name in page) items.Add(ItemOf(name, groups[name], await View(fleet, name, cancel)));
        return Fields.Of(new ConcentratorPage(items, next, groups.Count, picture.At), fields, "concentrators");
    }

    private static async ValueTask<ConcentratorView?> View(IFleet fleet, string name, CancellationToken cancel)
    {
        var key = TwinKey.Named(TwinKind.Concentrator, name);
        return await fleet.State(key, AsOf.Now, cancel) is { } state ? ConcentratorView.From(key, state) : null;
    }

    private static ConcentratorItem ItemOf(string name, GroupTotals totals, ConcentratorView? view) => new(name,
        TwinKey.Named(TwinKind.Concentrator, name), totals.Meters, view?.Members.Length ?? 0, view?.LastReport,
        view?.IsBackhaulLost ?? false, view?.IsBaselined ?? false, $"{Path}/{Uri.EscapeDataString(name)}");

    private static async Task<IResult> Get(string name, string? at, string? known_at, string? fields,
        HttpContext http, IFleet fleet, FleetIndex index, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "at", "known_at", "fields");
        if (!Parameters.AsOf(at, known_at).IsNow) throw GroupDays.NotKept("concentrator");
        var wanted = Parameters.Text(name, "name")!;
        var groups = (await index.Get(cancel)).Groups(TwinKind.Concentrator, Caller.Of(http));
        if (!groups.TryGetValue(wanted, out var totals))
            throw new ApiProblem(404, "concentrator_not_found", "There is no concentrator of this name.",
                "GET /api/v1/concentrators lists all, as the fleet file names them.");
        var view = await View(fleet, wanted, cancel);
        var key = TwinKey.Named(TwinKind.Concentrator, wanted);
        return Fields.Of(new ConcentratorDetail(wanted, key, ItemOf(wanted, totals, view), view?.PeriodSeconds ?? 0,
            view?.LatencyMs ?? 0, [.. (view?.Lost ?? []).Select(l => new LostView(new UnixTime(l.From),
                new UnixTime(l.To)))], [.. (view?.Members ?? []).OrderBy(m => m.Id).Take(MaxRoutes).Select(RouteOf)],
            [.. (view?.Parts ?? []).Select(p => new PartImage(p.Image.ToString(), p.Version, p.SecurityVersion))],
            $"{MetersApi.Path}?concentrator={Uri.EscapeDataString(wanted)}", $"{FindingsApi.Path}?subject={key}"),
            fields);
    }

    private static RouteView RouteOf(RouteMember m) => new(new MeterId(m.Id),
        m.Via == 0 ? null : new MeterId(m.Via), new UnixTime(m.LastHeard), m.Interval);
}
