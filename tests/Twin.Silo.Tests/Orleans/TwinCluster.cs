using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.TestingHost;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Silo.Orleans;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Tests.Orleans;

/// <summary>Silos in this process on one database, and the fleet as seen from a client of them.</summary>
internal sealed class TwinCluster : IFleet
{
    private readonly InProcessTestCluster _cluster;
    private readonly PostgresJournal _journal;
    private readonly OrleansFleet _fleet;
    private readonly ITwinFactory _factory;

    private TwinCluster(InProcessTestCluster cluster, PostgresJournal journal, OrleansFleet fleet,
        ITwinFactory factory) => (_cluster, _journal, _fleet, _factory) = (cluster, journal, fleet, factory);

    public InProcessTestCluster Silos => _cluster;
    public PostgresJournal Journal => _journal;
    public OrleansFleet Fleet => _fleet;

    public static Task<TwinCluster> Start(int silos, EngineOptions options, Func<int, ITwinFactory> factory) =>
        Start(silos, _ => options, factory);

    /// <param name="silos">How many to begin with.</param>
    /// <param name="options">Settings, with the database, by the silo's number.</param>
    /// <param name="factory">Makes the twins of a silo, by the silo's number.</param>
    public static async Task<TwinCluster> Start(int silos, Func<int, EngineOptions> options,
        Func<int, ITwinFactory> factory)
    {
        var builder = new InProcessTestClusterBuilder((short)silos);
        var started = 0;
        builder.ConfigureSilo((_, silo) =>
        {
            var number = Interlocked.Increment(ref started) - 1;
            silo.AddMeterTwin(options(number), factory(number));
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
        var journal = new PostgresJournal(options(0).Database);
        var fleet = await OrleansFleet.Open(cluster.Client, journal, factory(0), TimeProvider.System, default);
        return new TwinCluster(cluster, journal, fleet, factory(0));
    }

    /// <summary>Addresses of the silos that run, as the engine names them.</summary>
    public string[] Addresses => [.. _cluster.Silos.Select(s => s.SiloAddress.ToParsableString())];

    public InProcessSiloHandle SiloOf(string address) =>
        _cluster.Silos.Single(s => s.SiloAddress.ToParsableString() == address);

    /// <summary>A silo ends without a word.</summary>
    public Task Kill(InProcessSiloHandle silo) => _cluster.KillSiloAsync(silo);

    /// <summary>A silo ends in good order.</summary>
    public Task Stop(InProcessSiloHandle silo) => _cluster.StopSiloAsync(silo);

    public async Task<string> Add() => (await _cluster.StartAdditionalSiloAsync()).SiloAddress.ToParsableString();

    /// <summary>The fleet as seen from a silo.</summary>
    public Task<OrleansFleet> Door(InProcessSiloHandle silo) => OrleansFleet.Open(
        _cluster.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<IGrainFactory>(), _journal, _factory,
        TimeProvider.System, default);

    internal ISequencerGrain Sequencer => _cluster.Client.GetGrain<ISequencerGrain>(0);

    /// <summary>The silo where the sequencer runs; null while it runs nowhere.</summary>
    public InProcessSiloHandle? SequencersSilo()
    {
        if (!_cluster.TryGetGrainContext(((GrainReference)Sequencer).GrainId, out var context)) return null;
        return _cluster.Silos.FirstOrDefault(s => s.SiloAddress.Equals(context.Address.SiloAddress));
    }

    /// <summary>Silos that are home to twins of a kind, and to how many.</summary>
    public async Task<Dictionary<string, int>> Homes(TwinKind kind)
    {
        var homes = new Dictionary<string, int>();
        foreach (var key in await Keys(kind, 0, 10_000, default))
        {
            var home = (await Sequencer.HomeOf(key.Kind, key.Id))!.Silo;
            homes[home] = homes.GetValueOrDefault(home) + 1;
        }
        return homes;
    }

    /// <summary>Grains of twins in memory, on all silos.</summary>
    public async Task<long> Grains() => (await _cluster.Client.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics())
        .Where(s => s.GrainType.Contains("Twin.Grains.Orleans.", StringComparison.Ordinal)).Sum(s => s.ActivationCount);

    /// <summary>Grains that nobody calls now are collected, whatever their age.</summary>
    public Task Collect() =>
        _cluster.Client.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);

    public FleetStatus Status => _fleet.Status;

    public Task Look() => _fleet.Look(default);

    public ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel) => _fleet.Append(batch, cancel);

    public ValueTask<byte[]?> State(TwinKey key, AsOf asOf, CancellationToken cancel) =>
        _fleet.State(key, asOf, cancel);

    public ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit,
        CancellationToken cancel) => _fleet.Keys(kind, after, limit, cancel);

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
        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();
        _journal.Dispose();
    }
}
