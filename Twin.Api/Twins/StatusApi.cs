using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>The policy in force.</summary>
internal sealed record PolicyMark(string Name, int Version, string Digest, UnixTime? Since);

/// <summary>
/// What runs here and how far it is. <paramref name="Now"/>: the time that acts bear; <paramref name="StateHash"/> only
/// when it was asked for: it looks at every twin.
/// </summary>
internal sealed record StatusAnswer(ServiceMode Mode, string Edition, string Engine, string Version, UnixTime Now,
    long Position, UnixTime? Watermark, string? ClosedThrough, bool IsReady, string? StorageError, long Meters,
    long Twins, long Readings, long Findings, long Rejected, bool Frozen, PolicyMark Policy, string? StateHash);

internal static class StatusApi
{
    public const string Path = "/api/v1/status";

    public static void MapStatusApi(this IEndpointRouteBuilder routes) =>
        routes.MapGet(Path, Get).Needs(Right.Read).WithName("get_status").WithTags("fleet").ProducesProblem(400)
            .WithSummary("What runs here: mode, time, watermark, counters, freeze, policy; hash=true adds the state "
                + "hash");

    private static async Task<Ok<StatusAnswer>> Get(string? hash, HttpRequest request, IFleet fleet,
        ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(request, "hash");
        var wanted = Parameters.Flag(hash, "hash");
        var answer = await Of(fleet, options, cancel);
        return TypedResults.Ok(wanted ? answer with { StateHash = await fleet.StateHash(cancel) } : answer);
    }

    /// <summary>The status, without hash.</summary>
    public static async ValueTask<StatusAnswer> Of(IFleet fleet, ApiOptions options, CancellationToken cancel)
    {
        var s = fleet.Status;
        var policy = await PolicyOf(fleet, cancel);
        return new StatusAnswer(options.Mode, options.Edition, s.Engine, TwinApi.Version, options.Now(), s.Position,
            s.Watermark, s.ClosedThroughDay is { } day ? LocalDay.FormatDate(day) : null, s.IsReady, s.StorageError,
            s.Meters, s.Twins, s.Readings, s.Findings, s.Rejected, policy.Frozen,
            new PolicyMark(policy.Name, policy.Version, policy.Digest,
                policy.Since.Seconds == 0 ? null : policy.Since), null);
    }

    /// <summary>The policy in force; before anybody said anything, the one that ships.</summary>
    private static async ValueTask<PolicyView> PolicyOf(IFleet fleet, CancellationToken cancel)
    {
        foreach (var key in await fleet.Keys(TwinKind.Policy, 0, 1, cancel))
            if (await fleet.State(key, AsOf.Now, cancel) is { } state) return PolicyView.From(key, state);
        return new PolicyTwin(1).View();
    }
}
