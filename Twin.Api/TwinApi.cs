using System.Reflection;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Twin.Grains;

namespace Twin.Api;

/// <summary>The HTTP API over the one door, <see cref="IFleet"/>, which the host registers as a singleton.</summary>
public static class TwinApi
{
    internal const string IngestPolicy = "ingest";

    internal static string Version { get; } = typeof(TwinApi).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>
    /// Adds what the API needs, the server's limits included. Addresses are the host's matter: loopback unless
    /// configured.
    /// </summary>
    public static void AddTwinApi(this IServiceCollection services, ApiOptions options)
    {
        var limits = options.Limits;
        services.AddSingleton(options);
        services.AddSingleton<FleetIndex>();
        services.ConfigureHttpJsonOptions(o => ApiJson.Apply(o.SerializerOptions));
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = false);
        services.Configure<KestrelServerOptions>(o =>
        {
            o.AddServerHeader = false;
            o.Limits.MaxRequestBodySize = ApiLimits.MaxOtherBodyBytes;
            o.Limits.MaxRequestLineSize = ApiLimits.MaxHeadBytes;
            o.Limits.MaxRequestHeadersTotalSize = ApiLimits.MaxHeadBytes;
            o.Limits.MaxConcurrentConnections = limits.Connections;
        });
        services.AddRequestTimeouts(o =>
        {
            o.DefaultPolicy = Timeout(limits.ReadTime);
            o.AddPolicy(IngestPolicy, Timeout(limits.IngestTime));
        });
        services.AddRateLimiter(o =>
        {
            o.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(http => Partition(http, limits));
            o.OnRejected = static (context, _) => new ValueTask(Problems.Write(context.HttpContext, Problems.Busy()));
        });
        OpenApiDocs.Add(services);
    }

    private static RequestTimeoutPolicy Timeout(TimeSpan time) => new()
    {
        Timeout = time,
        TimeoutStatusCode = StatusCodes.Status503ServiceUnavailable,
        WriteTimeoutResponse = static http => Problems.Write(http, Problems.TimedOut()),
    };

    /// <summary>Probes and scrapes never wait behind users; senders never starve readers.</summary>
    private static RateLimitPartition<string> Partition(HttpContext http, ApiLimits limits)
    {
        var path = http.Request.Path;
        if (path.StartsWithSegments(HealthApi.Path)
            || path.StartsWithSegments(MetricsApi.Path)) return RateLimitPartition.GetNoLimiter("probe");
        return path.StartsWithSegments(ObservationsApi.Path) || path.StartsWithSegments(HeadEndApi.Path)
            ? AtOnce("ingest", limits.ConcurrentIngest)
            : AtOnce("read", limits.ConcurrentReads);
    }

    private static RateLimitPartition<string> AtOnce(string name, int permits) =>
        RateLimitPartition.GetConcurrencyLimiter(name, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = permits,
            QueueLimit = permits,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });

    /// <summary>
    /// Adds the pipeline and every endpoint. The order is: headers, problem documents, guards, limits, access, endpoints.
    /// </summary>
    public static void MapTwinApi(this WebApplication app)
    {
        app.Use((http, next) => Guards.SetHeaders(http, next));
        app.UseMiddleware<Problems>();
        app.UseMiddleware<Guards>();
        app.UseRouting();
        app.UseRateLimiter();
        app.UseRequestTimeouts();
        app.UseMiddleware<Access>();
        app.MapHomePage();
        app.MapStatusApi();
        app.MapMetersApi();
        app.MapLineageApi();
        app.MapSeriesApi();
        app.MapFindingsApi();
        app.MapFleetApi();
        app.MapReleasesApi();
        app.MapFeedersApi();
        app.MapConcentratorsApi();
        app.MapCohortsApi();
        app.MapObservationsApi(app.Services.GetRequiredService<ApiOptions>().Limits);
        app.MapHeadEndApi(app.Services.GetRequiredService<ApiOptions>().Limits);
        app.MapHealthApi();
        app.MapMetricsApi();
        app.MapOpenApi(OpenApiDocs.Route).Needs(Right.Public).WithSummary("This API as an OpenAPI document: v1");
    }
}
