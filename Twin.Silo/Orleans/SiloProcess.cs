using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Silo.Storage;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Orleans;

/// <summary>A silo in this process and the fleet as seen from it; ends with it, in good order.</summary>
internal sealed class SiloProcess : IFleet
{
    /// <summary>Name of the ADO.NET provider in Orleans' words.</summary>
    private const string Provider = "Npgsql";

    private readonly IHost _host;
    private readonly OrleansFleet _fleet;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _looking;

    private readonly LedgerKey? _key;
    private readonly Action<string> _tell;

    private SiloProcess(IHost host, OrleansFleet fleet, LedgerKey? key, Action<string> tell)
    {
        (_host, _fleet, _key, _tell) = (host, fleet, key, tell);
        _looking = Look(tell);
    }

    /// <summary>How often the engine is asked how it is: other silos' appends show no other way.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    /// <summary>The end waits no longer for twins to be stored: it saves time at the next start, no more.</summary>
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromMinutes(1);

    /// <exception cref="SettingException">A setting of the cluster is missing or wrong.</exception>
    /// <exception cref="StorageUnavailableException">PostgreSQL does not answer.</exception>
    public static async ValueTask<IFleet> Open(Settings settings, Action<string> tell, CancellationToken cancel)
    {
        var cluster = ClusterSettings.Read(settings, Environment.GetEnvironmentVariable);
        var key = settings.LedgerKeyFile is { } file ? LedgerKey.OpenOrMake(file, tell) : null;
        if (key is null)
            tell("The ledger is chained and not sealed: no key is named. Name one with --ledger-key, the same on every "
                + "silo.");
        var options = new EngineOptions
        {
            Database = cluster.Database, HorizonDays = settings.HorizonDays, TickMinutes = settings.TickMinutes,
            LedgerKey = key,
        };
        var host = Build(cluster, options);
        try
        {
            await host.StartAsync(cancel);
            var grains = host.Services.GetRequiredService<IGrainFactory>();
            var fleet = await OrleansFleet.Open(grains, host.Services.GetRequiredService<PostgresJournal>(),
                new TwinFactory(), TimeProvider.System, cancel);
            await grains.GetGrain<IClockGrain>(0).Start();
            return new SiloProcess(host, fleet, key, tell);
        }
        catch
        {
            host.Dispose();
            key?.Dispose();
            throw;
        }
    }

    private static IHost Build(ClusterSettings cluster, EngineOptions options)
    {
        var host = Host.CreateApplicationBuilder();
        host.Logging.ClearProviders();
        host.Logging.AddJsonConsole(o => o.UseUtcTimestamp = true);
        host.Logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(o =>
            o.LogToStandardErrorThreshold = LogLevel.Trace);
        host.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Twin", LogLevel.Information);
        host.UseOrleans(silo =>
        {
            silo.AddMeterTwin(options, new TwinFactory());
            if (cluster.Name is not { } name)
            {
                silo.UseLocalhostClustering(cluster.SiloPort, cluster.GatewayPort).UseInMemoryReminderService();
                return;
            }
            silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (name, "metertwin"));
            silo.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = (Provider, cluster.Database));
            silo.UseAdoNetReminderService(o => (o.Invariant, o.ConnectionString) = (Provider, cluster.Database));
            if (cluster.Advertised is { } address)
                silo.ConfigureEndpoints(address, cluster.SiloPort, cluster.GatewayPort, listenOnAnyHostAddress: true);
            else silo.ConfigureEndpoints(cluster.SiloPort, cluster.GatewayPort);
        });
        return host.Build();
    }

    private async Task Look(Action<string> tell)
    {
        using var timer = new PeriodicTimer(LookEvery, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token)) await _fleet.Look(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The process ends.
        }
        catch (Exception e)
        {
            tell($"The engine no longer answers: {e.Message}");
        }
    }

    public OrleansFleet Fleet => _fleet;
    public FleetStatus Status => _fleet.Status;

    public ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel) => _fleet.Append(batch, cancel);

    public ValueTask<byte[]?> State(TwinKey key, AsOf asOf, CancellationToken cancel) =>
        _fleet.State(key, asOf, cancel);

    public ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit, CancellationToken cancel) =>
        _fleet.Keys(kind, after, limit, cancel);

    public ILedgerSource Ledger => _fleet.Ledger;

    public ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel) =>
        _fleet.Findings(query, cancel);

    public ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay, UnixTime? knownAt,
        DayVisitor visit, CancellationToken cancel) => _fleet.Series(meter, channel, fromDay, toDay, knownAt, visit,
        cancel);

    public ValueTask<IReadOnlyList<(int Day, byte[] Body)>> Publications(TwinKey from, int fromDay, int toDay,
        UnixTime? knownAt, CancellationToken cancel) => _fleet.Publications(from, fromDay, toDay, knownAt, cancel);

    public ValueTask<string> StateHash(CancellationToken cancel) => _fleet.StateHash(cancel);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _looking;
        try
        {
            await _fleet.Settle().WaitAsync(SettleTimeout, TimeProvider.System);
        }
        catch (Exception e)
        {
            _tell($"The twins were not stored at the end ({e.Message}); the journal has everything.");
        }
        await _fleet.DisposeAsync();
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
        _key?.Dispose();
        _stop.Dispose();
    }
}
