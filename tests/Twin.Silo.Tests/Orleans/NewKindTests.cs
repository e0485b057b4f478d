using Twin.Silo.Tests.Postgres;
using Twin.Silo.Orleans;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Orleans;

/// <summary>The same twins of unheard-of kinds in grains, with no code for them on any silo.</summary>
[Collection(ServerCollection.Name)]
public sealed class NewKindTests(PrivateServer server) : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [PostgresFact]
    public async Task A_kind_of_the_tests_own_lives_in_three_silos_as_in_one_process()
    {
        var embedded = await Engine.NewKindTests.RunEmbedded(_directory.Sub("data"), 2);
        var database = server.NewDatabase();
        var cluster = await Engine.NewKindTests.Run(() => TwinCluster.Start(3,
            new EngineOptions { Database = database }, _ => new LampFactory()).GetAwaiter().GetResult());
        Assert.Equal(embedded.Findings, cluster.Findings);
        Assert.Equal(embedded.Hash, cluster.Hash);
        Likeness.Verify(database, new LampFactory(), cluster.Hash);
    }
}
