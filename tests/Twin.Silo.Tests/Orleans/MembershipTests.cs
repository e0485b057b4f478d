using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Tests.Postgres;
using Twin.Silo.Embedded;
using Twin.Silo.Orleans;
using Twin.Silo.Storage.Postgres;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Orleans;

/// <summary>Silos join and leave, versions change, the database goes away and comes back.</summary>
[Collection(ServerCollection.Name)]
public sealed class MembershipTests(PrivateServer server) : IDisposable
{
    private const int Homes = 40;
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>The days of a run, and what the embedded engine makes of them.</summary>
    private async Task<(InputBatch[] Days, Likeness Expected)> Run(int days)
    {
        var batches = new List<InputBatch>();
        for (var day = 0; day < days; day++) batches.Add(Feed.Days("s", Homes, day, day + 1));
        batches.Add(Feed.Batch("s", new SourceEnded("s")));
        await using var embedded = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = _directory.Sub("data") },
            new TwinFactory(), null);
        foreach (var batch in batches) await embedded.Send(batch);
        return ([.. batches], await Likeness.Of(embedded));
    }

    private static async Task HomesBecome(TwinCluster cluster, params string[] silos) =>
        await Patience.Until($"twins live on {silos.Length} silos", async () =>
            (await cluster.Homes(TwinKind.Meter)).Keys.ToHashSet().SetEquals(silos));

    [PostgresFact]
    public async Task Silos_join_and_stop_and_twins_move()
    {
        var (days, expected) = await Run(12);
        var database = server.NewDatabase();
        await using var cluster = await TwinCluster.Start(1, new EngineOptions { Database = database },
            _ => new TwinFactory());
        foreach (var day in days[..4]) await cluster.Send(day);
        await HomesBecome(cluster, cluster.Addresses);
        var before = await cluster.Grains();
        Assert.InRange(before, Homes, 2 * Homes);
        await cluster.Add();
        await HomesBecome(cluster, cluster.Addresses);
        foreach (var day in days[4..8]) await cluster.Send(day);
        await cluster.Add();
        await HomesBecome(cluster, cluster.Addresses);
        // A twin lives once: what moved left its old silo.
        Assert.InRange(await cluster.Grains(), 1, before + 8);
        await cluster.Send(days[8]);
        // The sequencer's silo stops, then another.
        await cluster.Stop(cluster.SequencersSilo() ?? cluster.Silos.Silos[0]);
        await cluster.Send(days[9]);
        await cluster.Stop(cluster.Silos.Silos[^1]);
        foreach (var day in days[10..]) await cluster.Send(day);
        await HomesBecome(cluster, cluster.Addresses);
        Assert.Single(cluster.Addresses);
        expected.RequireSame(await Likeness.Of(cluster, database));
    }

    [PostgresFact]
    public async Task Silos_of_a_newer_version_get_twins_when_the_last_of_the_older_has_gone()
    {
        var (days, expected) = await Run(10);
        var database = server.NewDatabase();
        await using var cluster = await TwinCluster.Start(2,
            n => new EngineOptions { Database = database, Protocol = n == 3 ? 2 : GateCode.Protocol },
            n => new WatchedTwins(new TwinFactory(), n < 2 ? 2 : 3, new TwinClock()));
        var old = cluster.Addresses;
        foreach (var day in days[..3]) await cluster.Send(day);
        var newer = await cluster.Add();
        await Patience.Until("the third silo is seen", async () =>
        {
            await cluster.Look();
            return (await cluster.Homes(TwinKind.Meter)).Keys.ToHashSet().SetEquals(old);
        });
        await cluster.Send(days[3]);
        Assert.Equal(2, VersionInForce(database));
        Assert.DoesNotContain(newer, (await cluster.Homes(TwinKind.Meter)).Keys);
        await cluster.Stop(cluster.SiloOf(old[0]));
        await cluster.Send(days[4]);
        await HomesBecome(cluster, old[1]);
        Assert.Equal(2, VersionInForce(database));
        await cluster.Stop(cluster.SiloOf(old[1]));
        await cluster.Send(days[5]);
        await HomesBecome(cluster, newer);
        Assert.Equal(3, VersionInForce(database));
        Assert.Equal([2, 3], VersionsIn(database));
        // A silo whose gate speaks otherwise takes part in nothing.
        var stranger = await cluster.Add();
        await cluster.Send(days[6]);
        await HomesBecome(cluster, newer);
        Assert.DoesNotContain(stranger, (await cluster.Homes(TwinKind.Meter)).Keys);
        foreach (var day in days[7..]) await cluster.Send(day);
        expected.RequireSameFacts(await Likeness.Of(cluster, database));
    }

    private static int VersionInForce(string database)
    {
        using var journal = new PostgresJournal(database);
        return journal.JudgingVersion;
    }

    private static List<int> VersionsIn(string database)
    {
        using var journal = new PostgresJournal(database);
        var versions = new List<int>();
        journal.Read(0, (_, input) =>
        {
            if (Envelope.Read(input).Kind == InputKind.JudgingVersion)
                versions.Add(((JudgingVersion)Input.Read(input)).Version);
        });
        return versions;
    }

    [PostgresFact]
    public async Task When_the_database_crashes_and_comes_back_the_engine_goes_on_by_itself()
    {
        var (days, expected) = await Run(12);
        using var own = new PrivateServer();
        var database = own.NewDatabase();
        await using var cluster = await TwinCluster.Start(3, new EngineOptions { Database = database },
            _ => new TwinFactory());
        foreach (var day in days[..4]) await cluster.Send(day);
        for (var outage = 0; outage < 2; outage++)
        {
            var under = cluster.SendUntilTaken(days[4 + 2 * outage]);
            own.Crash();
            // Nothing is acknowledged without the database; that it is refused, not kept waiting, is what senders need.
            await Assert.ThrowsAsync<StorageUnavailableException>(async () =>
            {
                while (true) await cluster.Append(Feed.Batch("host", new Tick(new UnixTime(outage))), default);
            });
            own.Start();
            await under;
            await cluster.SendUntilTaken(days[5 + 2 * outage]);
        }
        foreach (var day in days[8..]) await cluster.SendUntilTaken(day);
        expected.RequireSameFacts(await Likeness.Of(cluster, database));
        Likeness.Verify(database, new TwinFactory(), expected.Hash);
    }
}
