using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Guards;
using Twin.Grains.Meters;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// A feeder. Loads are mean powers of its customers; <paramref name="SwitchableWatts"/>: of those whose output is on,
/// which is what somebody could switch off; <paramref name="MeanVolts"/>: mean over the members that measure it, null
/// where none does. <paramref name="Members"/>: of the last closed day. <paramref name="IsOut"/>: an outage is on
/// record for now, or no member had a reading on the last day and some had before. <paramref name="Balance"/>: of the
/// last closed day.
/// </summary>
internal sealed record FeederItem(string Name, TwinKey Key, int Meters, long LoadWatts, long SwitchableWatts,
    double? MeanVolts, string? LastDay, int Members, int MembersWithData, bool IsOut, FeederDayView? Balance,
    string Link);

internal sealed record FeederPage(IReadOnlyList<FeederItem> Feeders, string? Next, int Total, UnixTime IndexAt);

/// <summary>
/// A feeder with dated context and what of its command budget is used (null before any command). As of a time only the
/// balance is known, of the last day closed by then: the rest is null.
/// </summary>
internal sealed record FeederDetail(string Name, TwinKey Key, UnixTime? At, UnixTime? KnownAt, FeederItem? Now,
    FeederDayView? Balance, IReadOnlyList<FeederContext>? Contexts, GuardView? Budget, string Days, string Meters,
    string Findings);

/// <summary>Dated context, end exclusive.</summary>
internal sealed record FeederContext(ContextKind Kind, UnixTime From, UnixTime To);

/// <summary>Balances day by day.</summary>
internal sealed record FeederDays(string Name, UnixTime? KnownAt, IReadOnlyList<FeederDayView> Days);

internal static class FeedersApi
{
    public const string Path = "/api/v1/feeders";
    private const string CursorVersion = "e1";

    /// <summary>Days of one answer; a longer range is refused.</summary>
    public const int MaxDays = 3_660, DefaultDays = 90;

    public static void MapFeedersApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Read).WithName("list_feeders").WithTags("network")
            .Produces<FeederPage>().ProducesProblem(400)
            .WithSummary("Feeders by name: load, switchable load, loss, outage, voltage");
        routes.MapGet(Path + "/{name}", Get).Needs(Right.Read).WithName("get_feeder").WithTags("network")
            .Produces<FeederDetail>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("A feeder, with the command budget used; as of a time, its balance");
        routes.MapGet(Path + "/{name}/days", Days).Needs(Right.Read).WithName("get_feeder_days").WithTags("network")
            .Produces<FeederDays>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("Balances of a feeder by day, as they stood when each day closed: from, to, known_at");
    }

    private static async Task<IResult> List(string? fields, string? limit, string? cursor, HttpContext http,
        IFleet fleet, FleetIndex index, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "fields", "limit", "cursor");
        var picture = await index.Get(cancel);
        var groups = picture.Groups(TwinKind.Feeder, Caller.Of(http));
        var names = groups.Keys.Order(StringComparer.Ordinal).ToList();
        var (page, next) = ListPage.Of(names, limit, cursor, CursorVersion, http.Request);
        var items = new List<FeederItem>(page.Count);
        foreach (var name in page) items.Add(await Item(fleet, name, groups[name], cancel));
        return Fields.Of(new FeederPage(items, next, names.Count, picture.At), fields, "feeders");
    }

    private static async ValueTask<FeederItem> Item(IFleet fleet, string name, GroupTotals totals,
        CancellationToken cancel)
    {
        var key = TwinKey.Named(TwinKind.Feeder, name);
        var view = await fleet.State(key, AsOf.Now, cancel) is { } state ? FeederView.From(key, state)
            : new FeederView(key, name, null, 0, 0);
        var balance = view.LastDay is { } day ? await Balance(fleet, key, day, day, null, cancel) : null;
        var now = fleet.Status.Watermark?.Seconds ?? 0;
        var isOut = view.Contexts.Any(c => c.Kind == ContextKind.Outage && c.From <= now && c.To > now)
            || view is { Members: > 0, MembersWithData: 0 } && totals.Heard > 0;
        return new FeederItem(name, key, totals.Meters, totals.Watts, totals.SwitchableWatts,
            totals.Voltages == 0 ? null : totals.VoltageSum / 10.0 / totals.Voltages,
            view.LastDay is { } last ? LocalDay.FormatDate(last) : null, view.Members, view.MembersWithData, isOut,
            balance, $"{Path}/{Uri.EscapeDataString(name)}");
    }

    /// <summary>The last balance on a day of the range.</summary>
    private static async ValueTask<FeederDayView?> Balance(IFleet fleet, TwinKey key, int from, int to,
        UnixTime? knownAt, CancellationToken cancel)
    {
        var days = await fleet.Publications(key, from, to, knownAt, cancel);
        return days.Count == 0 ? null : FeederDayView.Read(days[^1].Body);
    }

    private static async Task<IResult> Get(string name, string? at, string? known_at, string? fields,
        HttpContext http, IFleet fleet, FleetIndex index, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "at", "known_at", "fields");
        var asOf = Parameters.AsOf(at, known_at);
        var (own, totals) = await Find(name, http, index, cancel);
        var key = TwinKey.Named(TwinKind.Feeder, own);
        var link = $"{Path}/{Uri.EscapeDataString(own)}";
        var (days, meters, findings) = ($"{link}/days",
            $"{MetersApi.Path}?feeder={Uri.EscapeDataString(own)}", $"{FindingsApi.Path}?subject={key}");
        if (!asOf.IsNow)
        {
            var end = GroupDays.EndedBy(asOf.At);
            var past = await Balance(fleet, key, end - MaxDays, end, asOf.KnownAt, cancel)
                ?? throw GroupDays.NotKept("feeder");
            return Fields.Of(new FeederDetail(own, key, asOf.At, asOf.KnownAt, null, past, null, null, days, meters,
                findings), fields);
        }
        var item = await Item(fleet, own, totals, cancel);
        var contexts = await fleet.State(key, AsOf.Now, cancel) is { } state
            ? FeederView.From(key, state).Contexts : [];
        var guard = GuardKey.OfFeeder(own);
        var budget = await fleet.State(guard, AsOf.Now, cancel) is { } used ? GuardView.From(guard, used) : null;
        return Fields.Of(new FeederDetail(own, key, null, null, item, item.Balance,
            [.. contexts.Select(c => new FeederContext(c.Kind, new UnixTime(c.From), new UnixTime(c.To)))], budget,
            days, meters, findings), fields);
    }

    private static async Task<IResult> Days(string name, string? from, string? to, string? known_at, string? fields,
        HttpContext http, IFleet fleet, FleetIndex index, ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "from", "to", "known_at", "fields");
        var (own, _) = await Find(name, http, index, cancel);
        var knownAt = Parameters.Time(known_at, "known_at");
        var (first, last) = GroupDays.Range(from, to, FleetApi.Today(fleet.Status, options));
        var days = await fleet.Publications(TwinKey.Named(TwinKind.Feeder, own), first, last, knownAt, cancel);
        return Fields.Of(new FeederDays(own, knownAt, [.. days.Select(d => FeederDayView.Read(d.Body))]), fields,
            "days");
    }

    /// <summary>A feeder of which the caller sees a meter, in any case of its name.</summary>
    private static async ValueTask<(string Name, GroupTotals Totals)> Find(string name, HttpContext http,
        FleetIndex index, CancellationToken cancel)
    {
        var wanted = Parameters.Text(name, "name")!;
        var groups = (await index.Get(cancel)).Groups(TwinKind.Feeder, Caller.Of(http));
        if (groups.TryGetValue(wanted, out var totals)) return (wanted, totals);
        throw new ApiProblem(404, "feeder_not_found", "There is no feeder of this name.",
            "GET /api/v1/feeders lists all, as the fleet file names them.");
    }
}
