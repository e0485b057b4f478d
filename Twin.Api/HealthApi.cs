using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// Why and how the service stands. <paramref name="StorageError"/> is null while the journal commits.
/// </summary>
internal sealed record Health(string Status, ServiceMode Mode, string Edition, string Engine, string Version,
    long Position, UnixTime? Watermark, string? StorageError);

internal static class HealthApi
{
    public const string Path = "/health";

    public static void MapHealthApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path + "/live", Live).Needs(Right.Public).WithName("live").WithTags("operation")
            .WithSummary("200 while the process answers");
        routes.MapGet(Path + "/ready", Ready).Needs(Right.Public).WithName("ready").WithTags("operation")
            .ProducesProblem(503)
            .WithSummary("200 when recovered and taking observations, 503 before");
    }

    private static Ok<Health> Live(IFleet fleet, ApiOptions options) =>
        TypedResults.Ok(Of("live", fleet.Status, options));

    private static Ok<Health> Ready(IFleet fleet, ApiOptions options)
    {
        var status = fleet.Status;
        if (status.IsReady) return TypedResults.Ok(Of("ready", status, options));
        throw status.StorageError is { } error
            ? Problems.StorageUnavailable(error)
            : new ApiProblem(503, "not_ready", "The twins are still being recovered from the journal.",
                "Ask again in a few seconds.")
            { RetryAfterSeconds = 1 };
    }

    private static Health Of(string word, FleetStatus s, ApiOptions options) =>
        new(word, options.Mode, options.Edition, s.Engine, TwinApi.Version, s.Position, s.Watermark, s.StorageError);
}
