using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// A cohort: meters of one model, firmware and lot. <paramref name="Members"/>: of the last closed day;
/// <paramref name="Bar"/>: score from which a day is a finding, 0 while too little is known.
/// </summary>
internal sealed record CohortItem(string Name, TwinKey Key, string Model, string Firmware, string Lot, int Meters,
    int Members, string? LastDay, double Bar, string Link);

internal sealed record CohortPage(IReadOnlyList<CohortItem> Cohorts, string? Next, int Total, UnixTime IndexAt);

/// <summary>
/// A cohort with what verdicts made of its bar, by kind of finding, and its last day. As of a time only that day is
/// known: the rest is null.
/// </summary>
internal sealed record CohortDetail(string Name, TwinKey Key, UnixTime? At, UnixTime? KnownAt, CohortItem? Now,
    IReadOnlyDictionary<string, double>? Factors, IReadOnlyList<VerdictCount>? Verdicts, CohortDayView? Day,
    IReadOnlyList<CohortDayView>? Days, string Findings);

internal static class CohortsApi
{
    public const string Path = "/api/v1/cohorts";
    private const string CursorVersion = "c1";
    private const int DaysShown = 30;

    public static void MapCohortsApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Read).WithName("list_cohorts").WithTags("network")
            .Produces<CohortPage>().ProducesProblem(400).WithSummary("Cohorts of model, firmware and lot");
        routes.MapGet(Path + "/{name}", Get).Needs(Right.Read).WithName("get_cohort").WithTags("network")
            .Produces<CohortDetail>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("A cohort by its name, MODEL|FIRMWARE|LOT: bar, factors, days; as of a time, its day");
    }

    private static async Task<IResult> List(string? fields, string? limit, string? cursor, HttpContext http,
        IFleet fleet, FleetIndex index, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "fields", "limit", "cursor");
        var picture = await index.Get(cancel);
        var groups = picture.Groups(TwinKind.Cohort, Caller.Of(http));
        var (page, next) = ListPage.Of(groups.Keys.Order(StringComparer.Ordinal).ToList(), limit, cursor,
            CursorVersion, http.Request);
        var items = new List<CohortItem>(page.Count);
        foreach (var name in page) items.Add(ItemOf(name, groups[name], await View(fleet, name, cancel)));
        return Fields.Of(new CohortPage(items, next, groups.Count, picture.At), fields, "cohorts");
    }

    private static async ValueTask<CohortView> View(IFleet fleet, string name, CancellationToken cancel)
    {
        var key = TwinKey.Named(TwinKind.Cohort, name);
        return await fleet.State(key, AsOf.Now, cancel) is { } state ? CohortView.From(key, state)
            : new CohortView(key, name, null, 0);
    }

    private static CohortItem ItemOf(string name, GroupTotals totals, CohortView view)
    {
        var parts = name.Split('|');
        return new CohortItem(name, view.Key, parts[0], parts.ElementAtOrDefault(1) ?? "",
            parts.ElementAtOrDefault(2) ?? "", totals.Meters, view.Members,
            view.LastDay is { } day ? LocalDay.FormatDate(day) : null, view.Bar,
            $"{Path}/{Uri.EscapeDataString(name)}");
    }

    private static async Task<IResult> Get(string name, string? at, string? known_at, string? fields,
        HttpContext http, IFleet fleet, FleetIndex index, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "at", "known_at", "fields");
        var asOf = Parameters.AsOf(at, known_at);
        var wanted = Parameters.Text(name, "name")!;
        var groups = (await index.Get(cancel)).Groups(TwinKind.Cohort, Caller.Of(http));
        if (!groups.TryGetValue(wanted, out var totals))
            throw new ApiProblem(404, "cohort_not_found", "There is no cohort of this name.",
                "GET /api/v1/cohorts lists all; a name is MODEL|FIRMWARE|LOT.");
        var key = TwinKey.Named(TwinKind.Cohort, wanted);
        var findings = $"{FindingsApi.Path}?subject={key}";
        var view = await View(fleet, wanted, cancel);
        var end = asOf.IsNow ? view.LastDay ?? 0 : GroupDays.EndedBy(asOf.At);
        var days = await fleet.Publications(key, asOf.IsNow ? end - DaysShown + 1 : end - FeedersApi.MaxDays, end,
            asOf.KnownAt, cancel);
        var last = days.Count == 0 ? null : CohortDayView.Read(days[^1].Body);
        if (!asOf.IsNow)
            return Fields.Of(new CohortDetail(wanted, key, asOf.At, asOf.KnownAt, null, null, null,
                last ?? throw GroupDays.NotKept("cohort"), null, findings), fields);
        return Fields.Of(new CohortDetail(wanted, key, null, null, ItemOf(wanted, totals, view),
            view.Factors?.ToDictionary(f => Finding.NameOf(f.Key), f => f.Value) ?? [], view.Verdicts, last,
            [.. days.Select(d => CohortDayView.Read(d.Body))], findings), fields);
    }
}
