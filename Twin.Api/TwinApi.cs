using System.Reflection;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Twin.Grains;

namespace Twin.Api;

/// <summary>The HTTP API over the one door, <see cref="IFleet"/>, which the host registers as a singleton.</summary>
public static class TwinApi
{
    internal const string IngestPolicy = "ingest", SignInPolicy = "sign_in";

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
        services.AddSingleton(ConsoleFiles.Embedded);
        services.AddSingleton<FleetIndex>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<AccessBook>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<FailedTries>();
        services.AddSingleton<Doorkeeper>();
        services.AddSingleton<LoadCurveGate>();
        services.AddSingleton<Onces>();
        services.AddSingleton<Listeners>();
        services.AddSingleton<JobQueue>();
        services.AddHostedService(static s => s.GetRequiredService<JobQueue>());
        services.ConfigureHttpJsonOptions(o => ApiJson.Apply(o.SerializerOptions));
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = false);
        services.Configure<KestrelServerOptions>(o =>
        {
            o.AddServerHeader = false;
            o.Limits.MaxRequestBodySize = ApiLimits.MaxOtherBodyBytes;
            o.Limits.MaxRequestLineSize = ApiLimits.MaxHeadBytes;
            o.Limits.MaxRequestHeadersTotalSize = ApiLimits.MaxHeadBytes;
            o.Limits.MaxConcurrentConnections = limits.Connections;
            o.Limits.KeepAliveTimeout = limits.IdleTime;
            o.Limits.RequestHeadersTimeout = limits.HeadTime;
        });
        services.AddRequestTimeouts(o =>
        {
            o.DefaultPolicy = Timeout(limits.ReadTime);
            o.AddPolicy(IngestPolicy, Timeout(limits.IngestTime));
            o.AddPolicy(SignInPolicy, Timeout(limits.SignInTime));
        });
        services.AddRateLimiter(o =>
        {
            o.GlobalLimiter = PartitionedRateLimiter.CreateChained(
                PartitionedRateLimiter.Create<HttpContext, string>(http => OfAll(http, limits)),
                PartitionedRateLimiter.Create<HttpContext, string>(http => OfSender(http, limits)));
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

    /// <summary>
    /// Probes and scrapes never wait behind users, and who listens has a bound of its own; senders never starve
    /// readers.
    /// </summary>
    private static RateLimitPartition<string> OfAll(HttpContext http, ApiLimits limits)
    {
        var path = http.Request.Path;
        if (path.StartsWithSegments(HealthApi.Path)
            || path.StartsWithSegments(MetricsApi.Path)
            || path.StartsWithSegments(EventsApi.Path)) return RateLimitPartition.GetNoLimiter("probe");
        // Whoever has no credential takes no room from those who have one.
        if (path == SessionApi.Path) return AtOnce("session", limits.ConcurrentSignIns);
        return Sends(path) ? AtOnce("ingest", MaxSenders * limits.ConcurrentIngest)
            : AtOnce("read", limits.ConcurrentReads);
    }

    /// <summary>One sender, slow or broken, never keeps out the others.</summary>
    private static RateLimitPartition<string> OfSender(HttpContext http, ApiLimits limits) =>
        Sends(http.Request.Path)
            ? AtOnce("ingest " + http.Features.Get<Caller>()?.Credential, limits.ConcurrentIngest)
            : RateLimitPartition.GetNoLimiter("reader");

    /// <summary>As many senders may use all that one may use, before they share.</summary>
    private const int MaxSenders = 4;

    private static bool Sends(PathString path) =>
        path.StartsWithSegments(ObservationsApi.Path) || path.StartsWithSegments(HeadEndApi.Path);

    private static RateLimitPartition<string> AtOnce(string name, int permits) =>
        RateLimitPartition.GetConcurrencyLimiter(name, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = permits,
            QueueLimit = permits,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });

    /// <summary>
    /// Adds the pipeline and every endpoint. The order is: headers, problem documents, guards, access,
    /// limits, endpoints: whoever may not takes no room.
    /// </summary>
    public static void MapTwinApi(this WebApplication app)
    {
        app.Use((http, next) => Guards.SetHeaders(http, next));
        app.UseMiddleware<Problems>();
        app.UseMiddleware<Guards>();
        app.UseRouting();
        app.UseMiddleware<Access>();
        app.UseRateLimiter();
        app.UseRequestTimeouts();
        app.MapHomePage();
        app.MapConsoleApi();
        app.MapSessionApi();
        app.MapHoldersApi();
        app.MapKeysApi();
        app.MapTourApi();
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
        app.MapExportApi();
        app.MapCasesApi();
        app.MapCaseActsApi();
        app.MapResponsesApi();
        app.MapResponseActsApi();
        app.MapPoliciesApi();
        app.MapCoversApi();
        app.MapFreezeApi();
        app.MapCommandsApi();
        app.MapLedgerApi();
        app.MapRegistryApi(app.Services.GetRequiredService<ApiOptions>().Limits);
        app.MapJobsApi(app.Services.GetRequiredService<ApiOptions>().Limits);
        app.MapEventsApi();
        app.MapObservationsApi(app.Services.GetRequiredService<ApiOptions>().Limits);
        app.MapHeadEndApi(app.Services.GetRequiredService<ApiOptions>().Limits);
        app.MapHealthApi();
        app.MapMetricsApi();
        app.MapOpenApi(OpenApiDocs.Route).Needs(Right.Public).WithSummary("This API as an OpenAPI document: v1");
    }
}
