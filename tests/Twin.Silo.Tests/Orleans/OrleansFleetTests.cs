using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Tests.Postgres;
using Twin.Silo.Orleans;
using Twin.Silo.Tests.Contracts;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Orleans;

/// <summary>The contract of every engine, on a cluster; a path is a database.</summary>
[Collection(ServerCollection.Name)]
public sealed class OrleansFleetTests(ITestOutputHelper output, PrivateServer server) : FleetContract(output)
{
    private readonly Dictionary<string, string> _databases = [];

    protected override IFleet Open(string path, ITwinFactory factory, int partitions)
    {
        if (!_databases.TryGetValue(path, out var database)) _databases[path] = database = server.NewDatabase();
        var silos = partitions == 0 ? 1 : partitions;
        return TwinCluster.Start(silos, new EngineOptions { Database = database }, _ => factory).GetAwaiter()
            .GetResult();
    }

    protected override int Many => 3;

    /// <summary>All silos die; others begin on what PostgreSQL has.</summary>
    protected override async Task<IFleet> Killed(IFleet fleet, string path, ITwinFactory factory, int partitions)
    {
        var cluster = (TwinCluster)fleet;
        foreach (var silo in cluster.Silos.Silos.ToArray()) await cluster.Kill(silo);
        await cluster.DisposeAsync();
        return Open(path, factory, partitions);
    }
}
