using Twin.Grains;
using Twin.Silo.Orleans;
using Twin.Silo.Tests.Answers;
using Twin.Silo.Tests.Postgres;

namespace Twin.Silo.Tests.Orleans;

/// <summary>The ledger in PostgreSQL: a cluster that is stopped and started on the same database.</summary>
[Collection(ServerCollection.Name)]
public sealed class ClusterOutboxTests(PrivateServer server) : OutboxContract
{
    private string? _database;

    private protected override async Task<IFleet> Open() => await TwinCluster.Start(1,
        new EngineOptions { Database = _database ??= server.NewDatabase() }, _ => new TwinFactory());

    [PostgresFact]
    public Task Sinks() => Entries_arrive_at_least_once_and_in_order_over_a_restart();

    [PostgresFact]
    public Task Orders() => Orders_go_out_under_their_keys_over_a_restart();
}
