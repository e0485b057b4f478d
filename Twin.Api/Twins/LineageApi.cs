using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// What firmware a meter attested. <paramref name="BaselinedAt"/>: attested since; null, and all lists empty, for a
/// meter that never was. <paramref name="EveryCheckPassed"/> is null where there was nothing to check.
/// </summary>
internal sealed record LineageAnswer(MeterId Meter, string Name, UnixTime? At, UnixTime? KnownAt,
    UnixTime? BaselinedAt, UnixTime? LastQuote, IReadOnlyList<PartView> Parts, IReadOnlyList<LineageStepView> Steps,
    IReadOnlyList<CampaignView> Campaigns, IReadOnlyList<CheckView> Checks, bool? EveryCheckPassed);

/// <summary>What is known of a meter's keys, never a key.</summary>
internal sealed record KeysAnswer(MeterId Meter, string Name, UnixTime? At, UnixTime? KnownAt,
    IReadOnlyList<KeyView> Keys);

internal static class LineageApi
{
    public static void MapLineageApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(MetersApi.Path + "/{id}/lineage", Lineage).Needs(Right.Read).WithName("get_lineage")
            .WithTags("meters").Produces<LineageAnswer>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("Firmware of a meter as attested, step by step, with campaigns and checks");
        routes.MapGet(MetersApi.Path + "/{id}/keys", Keys).Needs(Right.Read).WithName("get_meter_keys")
            .WithTags("meters").Produces<KeysAnswer>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("State of a meter's keys: dates, counters, fingerprints; never a key");
    }

    private static async Task<IResult> Lineage(string id, string? at, string? known_at, string? fields,
        HttpContext http, IFleet fleet, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "at", "known_at", "fields");
        var asOf = Parameters.AsOf(at, known_at);
        var view = await MetersApi.View(fleet, id, asOf, http, cancel);
        var s = view.Security;
        return Fields.Of(new LineageAnswer(view.Id, view.Name, asOf.At, asOf.KnownAt, s?.BaselinedAt, s?.LastQuote,
            s?.Parts ?? [], s?.Lineage ?? [], s?.Campaigns ?? [], s?.CryptographicChecks ?? [],
            s is not null && Array.Exists(s.CryptographicChecks, c => c.Passed is not null)
                ? s.EveryCheckPassed : null), fields);
    }

    private static async Task<IResult> Keys(string id, string? at, string? known_at, string? fields,
        HttpContext http, IFleet fleet, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "at", "known_at", "fields");
        var asOf = Parameters.AsOf(at, known_at);
        var view = await MetersApi.View(fleet, id, asOf, http, cancel);
        return Fields.Of(new KeysAnswer(view.Id, view.Name, asOf.At, asOf.KnownAt, view.Security?.Keys ?? []), fields);
    }
}
