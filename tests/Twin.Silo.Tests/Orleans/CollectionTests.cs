using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Tests.Postgres;
using Twin.Silo.Embedded;
using Twin.Silo.Orleans;
using Twin.Silo.Tests.Contracts;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Orleans;

/// <summary>Grains that nobody needs are collected; their twins come back as they were.</summary>
[Collection(ServerCollection.Name)]
public sealed class CollectionTests(PrivateServer server) : IDisposable
{
    private const int Homes = 30;
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>Whole days and parts of days: with and without a closing in between.</summary>
    private static List<InputBatch> Batches()
    {
        var batches = new List<InputBatch> { Feed.Days("s", Homes, 0, 6) };
        for (var day = 6; day < 12; day++)
        {
            foreach (var (from, to) in ((int, int)[])[(0, 6), (6, 13), (13, 24)])
            {
                var batch = new InputBatch("s");
                for (var m = from; m < Homes; m++) batch.Add(Feed.Block(m, day, from, to));
                batches.Add(batch);
            }
        }
        batches.Add(Feed.Batch("s", new SourceEnded("s")));
        return batches;
    }

    private async Task<Likeness> Expected(List<InputBatch> batches)
    {
        await using var embedded = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = _directory.Sub("data") },
            new TwinFactory(), null);
        foreach (var batch in batches) await embedded.Send(batch);
        return await Likeness.Of(embedded);
    }

    private static async Task CollectAll(TwinCluster cluster) =>
        await Patience.Until("all grains of twins are collected", async () =>
        {
            await cluster.Collect();
            return await cluster.Grains() == 0;
        });

    [PostgresFact]
    public async Task Collected_between_appends_twins_come_back_parked_or_stored()
    {
        var batches = Batches();
        var expected = await Expected(batches);
        var database = server.NewDatabase();
        await using var cluster = await TwinCluster.Start(2, new EngineOptions { Database = database },
            _ => new TwinFactory());
        foreach (var batch in batches)
        {
            await cluster.Send(batch);
            Assert.True(await cluster.Grains() > 0);
            await CollectAll(cluster);
        }
        // A reader begins one grain.
        Assert.NotNull(await cluster.State(Feed.Meter(3).Twin, null, default));
        Assert.Equal(1, await cluster.Grains());
        expected.RequireSame(await Likeness.Of(cluster, database));
    }

    [PostgresFact]
    public async Task Collected_while_appends_are_under_way_nothing_changes()
    {
        var batches = Batches();
        var expected = await Expected(batches);
        var database = server.NewDatabase();
        await using var cluster = await TwinCluster.Start(2, new EngineOptions { Database = database },
            _ => new TwinFactory());
        using var end = new CancellationTokenSource();
        var collecting = Task.Run(async () =>
        {
            var rounds = 0;
            for (; !end.IsCancellationRequested; rounds++) await cluster.Collect();
            return rounds;
        });
        foreach (var batch in batches) await cluster.Send(batch);
        await end.CancelAsync();
        Assert.True(await collecting > 0);
        expected.RequireSame(await Likeness.Of(cluster, database));
    }

    [PostgresFact]
    public async Task Collected_while_cases_are_answered_nothing_changes()
    {
        var run = await AnsweredRun.Recorded();
        await using var cluster = await TwinCluster.Start(2, new EngineOptions { Database = server.NewDatabase() },
            _ => new TwinFactory());
        // While much is asked, ordered and approved; collecting all the time takes its time.
        var (from, to) = (run.Count / 4, run.Count / 3);
        await run.Play(cluster, 0, from);
        using var end = new CancellationTokenSource();
        var collecting = Task.Run(async () =>
        {
            while (!end.IsCancellationRequested) await cluster.Collect();
        });
        await run.Play(cluster, from, to);
        await end.CancelAsync();
        await collecting;
        await run.Play(cluster, to, run.Count);
        run.Expected.RequireSame(await Answered.Of(cluster));
    }

    [PostgresFact]
    public async Task With_a_short_age_grains_go_by_themselves()
    {
        var database = server.NewDatabase();
        await using var cluster = await TwinCluster.Start(1,
            new EngineOptions { Database = database, CollectionAge = TimeSpan.FromSeconds(2) }, _ => new TwinFactory());
        await cluster.Send(Feed.Days("s", Homes, 0, 6));
        var hash = await cluster.Hash();
        await Patience.Until("all grains of twins have gone", async () => await cluster.Grains() == 0);
        Assert.Equal(hash, await cluster.Hash());
        await cluster.Send(Feed.Days("s", Homes, 6, 7));
        Assert.NotEqual(hash, await cluster.Hash());
    }
}
