using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.TestingHost;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Orleans;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Tests.Orleans;

/// <summary>Silos in this process on one database, and the fleet as seen from one of them.</summary>
internal sealed class TwinCluster : IFleet
{
    private readonly InProcessTestCluster _cluster;
    private readonly PostgresJournal _journal;
    private readonly OrleansFleet _fleet;

    private TwinCluster(InProcessTestCluster cluster, PostgresJournal journal, OrleansFleet fleet) =>
        (_cluster, _journal, _fleet) = (cluster, journal, fleet);

    public InProcessTestCluster Silos => _cluster;
    public PostgresJournal Journal => _journal;

    /// <param name="silos">How many to begin with.</param>
    /// <param name="options">Settings, with the database.</param>
    /// <param name="factory">Makes the twins of a silo, by the silo's number.</param>
    public static async Task<TwinCluster> Start(int silos, EngineOptions options, Func<int, ITwinFactory> factory)
    {
        var builder = new InProcessTestClusterBuilder((short)silos);
        var started = 0;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddMeterTwin(options, factory(Interlocked.Increment(ref started) - 1));
            silo.Configure<ClusterMembershipOptions>(o =>
            {
                (o.ProbeTimeout, o.TableRefreshTimeout) = (TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1));
                (o.NumMissedProbesLimit, o.NumVotesForDeathDeclaration) = (2, 1);
            });
            silo.Services.AddLogging(l => l.SetMinimumLevel(LogLevel.Warning)
                .AddFilter("Twin", LogLevel.Information));
        });
        var cluster = builder.Build();
        await cluster.DeployAsync();
        var journal = new PostgresJournal(options.Database);
        var fleet = await OrleansFleet.Open(cluster.Client, journal, factory(0), TimeProvider.System, default);
        return new TwinCluster(cluster, journal, fleet);
    }

    /// <summary>A silo ends without a word.</summary>
    public Task Kill(int index) => _cluster.KillSiloAsync(_cluster.Silos[index]);

    public Task Add() => _cluster.StartAdditionalSiloAsync();

    public FleetStatus Status => _fleet.Status;

    public Task Look() => _fleet.Look(default);

    public ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel) => _fleet.Append(batch, cancel);

    public ValueTask<byte[]?> State(TwinKey key, UnixTime? at, CancellationToken cancel) =>
        _fleet.State(key, at, cancel);

    public ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit,
        CancellationToken cancel) => _fleet.Keys(kind, after, limit, cancel);

    public ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel) =>
        _fleet.Findings(query, cancel);

    public ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay,
        DayVisitor visit, CancellationToken cancel) => _fleet.Series(meter, channel, fromDay, toDay, visit, cancel);

    public ValueTask<string> StateHash(CancellationToken cancel) => _fleet.StateHash(cancel);

    public async ValueTask DisposeAsync()
    {
        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();
        _journal.Dispose();
    }
}
