using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

internal sealed record ReleaseList(IReadOnlyList<ReleaseView> Releases, string? Next);

/// <summary>A campaign of a list: members of its sample by state.</summary>
internal sealed record CampaignItem(string Name, UnixTime LastAt, long Members,
    IReadOnlyDictionary<string, int> States, int Stuck, string Link);

internal sealed record CampaignList(IReadOnlyList<CampaignItem> Campaigns, string? Next);

internal static class ReleasesApi
{
    private const string ReleasesPath = "/api/v1/releases", CampaignsPath = "/api/v1/campaigns";
    private const string ReleaseCursor = "r1", CampaignCursor = "p1";

    public static void MapReleasesApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(ReleasesPath, List).Needs(Right.Read).WithName("list_releases").WithTags("firmware")
            .Produces<ReleaseList>().ProducesProblem(400).WithSummary("Registered firmware images, with their users");
        routes.MapGet(ReleasesPath + "/{image}", Get).Needs(Right.Read).WithName("get_release").WithTags("firmware")
            .Produces<ReleaseView>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("A registered image by the first 32 digits of its SHA-256, or all 64");
        routes.MapGet(CampaignsPath, ListCampaigns).Needs(Right.Read).WithName("list_campaigns").WithTags("firmware")
            .Produces<CampaignList>().ProducesProblem(400).WithSummary("Roll-outs, the one that moved last first");
        routes.MapGet(CampaignsPath + "/{name}", GetCampaign).Needs(Right.Read).WithName("get_campaign")
            .WithTags("firmware").Produces<CampaignProgress>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("A roll-out and where its members stand");
    }

    private static async Task<IResult> List(string? fields, string? limit, string? cursor, HttpRequest request,
        IFleet fleet, CancellationToken cancel)
    {
        Parameters.Only(request, "fields", "limit", "cursor");
        var (page, next) = ListPage.Of(await Releases.All(fleet, cancel), limit, cursor, ReleaseCursor, request);
        return Fields.Of(new ReleaseList(page, next), fields, "releases");
    }

    private static async Task<IResult> Get(string image, string? fields, HttpRequest request, IFleet fleet,
        CancellationToken cancel)
    {
        Parameters.Only(request, "fields");
        var digits = Parameters.Text(image, "image")!.ToLowerInvariant();
        var found = digits.Length is 32 or 64
            ? (await Releases.All(fleet, cancel)).Find(r => r.Image == digits[..32]) : null;
        return Fields.Of(found ?? throw new ApiProblem(404, "release_not_found", "No such image is registered.",
            "GET /api/v1/releases lists all; an image is named by 32 or 64 hexadecimal digits of its SHA-256."),
                fields);
    }

    private static async Task<IResult> ListCampaigns(string? fields, string? limit, string? cursor,
        HttpRequest request, IFleet fleet, FleetIndex index, CancellationToken cancel)
    {
        Parameters.Only(request, "fields", "limit", "cursor");
        var (page, next) = ListPage.Of(await Campaigns(request, fleet, index, cancel), limit, cursor, CampaignCursor,
            request);
        return Fields.Of(new CampaignList(page.ConvertAll(ItemOf), next), fields, "campaigns");
    }

    private static CampaignItem ItemOf(CampaignProgress c) => new(c.Name, c.LastAt, c.Members,
        c.Sample.GroupBy(m => m.State).OrderBy(g => g.Key).ToDictionary(g => SnakeCase.Of(g.Key), g => g.Count()),
        c.Stuck, $"{CampaignsPath}/{Uri.EscapeDataString(c.Name)}");

    /// <summary>Campaigns as the caller may see them: of some regions, with the members of the sample that lie there.
    /// </summary>
    private static async ValueTask<List<CampaignProgress>> Campaigns(HttpRequest request, IFleet fleet,
        FleetIndex index,
        CancellationToken cancel)
    {
        var all = await Releases.Campaigns(fleet, cancel);
        var caller = Caller.Of(request.HttpContext);
        if (caller.Regions.Count == 0) return all;
        var picture = await index.Get(cancel);
        var own = all.ConvertAll(c => c with
        {
            Sample = [.. c.Sample.Where(m => FleetApi.Covers(picture, caller, m.Meter.Twin))],
        });
        return [.. own.Where(c => c.Sample.Count > 0).Select(c => c with { Members = c.Sample.Count, Stuck = 0 })];
    }

    private static async Task<IResult> GetCampaign(string name, string? fields, HttpRequest request, IFleet fleet,
        FleetIndex index, CancellationToken cancel)
    {
        Parameters.Only(request, "fields");
        var wanted = Parameters.Text(name, "name");
        return Fields.Of((await Campaigns(request, fleet, index, cancel)).Find(c => c.Name == wanted)
            ?? throw new ApiProblem(404, "campaign_not_found", "No campaign of this name is known.",
                "GET /api/v1/campaigns lists all."), fields);
    }
}
