using Twin.Grains;
using Twin.Silo.Orleans;
using Twin.Silo.Storage;
using Twin.Silo.Storage.Postgres;
using Twin.Silo.Tests.Contracts;
using Twin.Silo.Tests.Postgres;

namespace Twin.Silo.Tests.Orleans;

/// <summary>The silo on which the sequencer runs seals the ledger, if it has a key.</summary>
[Collection(ServerCollection.Name)]
public sealed class SealingTests(PrivateServer server) : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private async Task<PostgresJournal> Run(LedgerKey? key)
    {
        var run = await AnsweredRun.Recorded();
        var database = server.NewDatabase();
        await using (var cluster = await TwinCluster.Start(1,
            new EngineOptions { Database = database, LedgerKey = key }, _ => new TwinFactory()))
        {
            await run.Play(cluster, 0, run.Count / 2);
            await cluster.Fleet.Settle();
        }
        return new PostgresJournal(database);
    }

    [PostgresFact]
    public async Task With_a_key_it_is_sealed_as_it_grows_and_to_its_end_when_an_epoch_ends_in_good_order()
    {
        using var key = LedgerKey.OpenOrMake(_directory.Sub("ledger.key"));
        using var journal = await Run(key);
        var seals = journal.Seals(0, 10_000);
        Assert.True(seals.Count > 5, $"{seals.Count} seals");
        Assert.All(seals, s => Assert.Equal(key.Public, s.Key));
        Assert.True(seals[^1].Seals(journal.End));
        Assert.Empty(journal.CheckLedger(_ => { }));
    }

    [PostgresFact]
    public async Task Without_a_key_it_is_chained_and_not_sealed()
    {
        using var journal = await Run(null);
        Assert.Empty(journal.Seals(0, 10));
        Assert.True(journal.End.Number > 50);
        Assert.Empty(journal.CheckLedger(_ => { }));
    }
}
