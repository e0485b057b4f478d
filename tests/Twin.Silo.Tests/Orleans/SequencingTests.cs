using Orleans.Concurrency;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Tests.Postgres;
using Twin.Silo.Orleans;
using Twin.Silo.Storage.Postgres;
using Twin.Silo.Tests.Crash;
using Twin.Silo.Tests.Engine;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Orleans;

/// <summary>One order of all appends: names, epochs, and doors on many silos.</summary>
[Collection(ServerCollection.Name)]
public sealed class SequencingTests(ITestOutputHelper output, PrivateServer server)
{
    private static Task<AppendAnswer> Append(TwinCluster cluster, Guid name, InputBatch batch)
    {
        var bytes = new ByteWriter();
        for (var i = 0; i < batch.Count; i++) bytes.Blob(batch[i]);
        return cluster.Sequencer.Append(name, true, batch.Source, new Immutable<byte[]>(bytes.ToArray()));
    }

    private static Guid Name(int n) => new(n, 7, 7, [1, 2, 3, 4, 5, 6, 7, 8]);

    [PostgresFact]
    public async Task An_append_sent_again_under_its_name_is_answered_and_not_applied_again()
    {
        var database = server.NewDatabase();
        InputBatch[] batches = [Feed.Days("s", 5, 0, 8), Feed.Batch("host", new Tick(new UnixTime(1))),
            Feed.Batch("host", new Tick(new UnixTime(1)))];
        var answers = new List<byte[]>();
        long position;
        string hash;
        await using (var cluster = await TwinCluster.Start(2, new EngineOptions { Database = database },
            _ => new TwinFactory()))
        {
            for (var i = 0; i < batches.Length; i++)
                answers.Add((await Append(cluster, Name(i), batches[i])).Receipt!);
            for (var i = 0; i < batches.Length; i++)
                Assert.Equal(answers[i], (await Append(cluster, Name(i), batches[i])).Receipt);
            (position, hash) = (EndOf(database), await cluster.Hash());
            // Both Ticks were taken in: they had different names.
            Assert.Equal(AppendReceipt.Read(answers[1]).Position + 1, AppendReceipt.Read(answers[2]).Position);
            Assert.Equal(position, AppendReceipt.Read(answers[2]).Position);
            // Two calls of one name at once are one append.
            var late = Feed.Batch("host", new Tick(new UnixTime(2)));
            var both = await Task.WhenAll(Append(cluster, Name(9), late), Append(cluster, Name(9), late));
            Assert.Equal(both[0].Receipt, both[1].Receipt);
            Assert.Equal(++position, EndOf(database));
        }
        await using var again = await TwinCluster.Start(2, new EngineOptions { Database = database },
            _ => new TwinFactory());
        for (var i = 0; i < batches.Length; i++)
            Assert.Equal(answers[i], (await Append(again, Name(i), batches[i])).Receipt);
        Assert.Equal((position, hash), (EndOf(database), await again.Hash()));
    }

    private static long EndOf(string database)
    {
        using var journal = new PostgresJournal(database);
        return journal.Position;
    }

    [PostgresFact]
    public async Task Of_two_sequencers_the_later_one_commits_and_the_other_cannot()
    {
        var database = server.NewDatabase();
        var options = new EngineOptions { Database = database };
        var factory = new TwinFactory();
        await using var cluster = await TwinCluster.Start(2, options, _ => factory);
        await cluster.Send(Feed.Days("s", 5, 0, 8));
        var grains = cluster.Silos.GetSiloServiceProvider(cluster.Silos.Silos[0].SiloAddress)
            .GetRequiredService<IGrainFactory>();
        using var firstJournal = new PostgresJournal(database);
        using var secondJournal = new PostgresJournal(database);
        ClusterEngine Engine(PostgresJournal journal) => new(grains, journal, factory, options,
            [.. cluster.Addresses.Order(StringComparer.Ordinal)], factory.JudgingVersion, isSettled: false);
        using var first = await Task.Run(() => Engine(firstJournal));
        await first.Sequencer.Append(Feed.Batch("host", new Tick(new UnixTime(0))), null, default);
        using var second = await Task.Run(() => Engine(secondJournal));
        Assert.True(second.Epoch > first.Epoch);
        var end = EndOf(database);
        // No twin is asked about a Tick: it is the commit that is refused.
        var refused = await Assert.ThrowsAsync<StorageUnavailableException>(async () =>
            await first.Sequencer.Append(Feed.Batch("host", new Tick(new UnixTime(1))), null, default));
        Assert.Contains($"epoch {second.Epoch} is in force", refused.Message, StringComparison.Ordinal);
        Assert.True(first.Sequencer.IsStopped);
        Assert.Equal(end, EndOf(database));
        await second.Sequencer.Append(Feed.Batch("s", Feed.Block(0, 8)), null, default);
        // The cluster's own engine has become the stale one; silos refuse it, and it begins anew.
        var receipt = await cluster.Send(Feed.Batch("s", [.. Enumerable.Range(1, 4).Select(m => Feed.Block(m, 8))]));
        Assert.Equal(4 * 24, receipt.Totals().Readings);
        await Assert.ThrowsAsync<StorageUnavailableException>(async () =>
            await second.Sequencer.Append(Feed.Batch("s", Feed.Block(0, 9)), null, default));
        for (var m = 0; m < 5; m++) Assert.Equal(Feed.Expected(m, 0, 9), await cluster.Stored(Feed.Meter(m)));
        Likeness.Verify(database, factory, await cluster.Hash());
    }

    [PostgresFact]
    public async Task Doors_on_all_silos_at_once_give_one_order()
    {
        var seed = KillTests.Seed(output);
        const int meters = 12, days = 14;
        var database = server.NewDatabase();
        await using var cluster = await TwinCluster.Start(3, new EngineOptions { Database = database },
            _ => new TwinFactory());
        var random = new SplitMix64(seed);
        var sending = new List<Task<List<long>>>();
        for (var d = 0; d < 3; d++)
        {
            var door = await cluster.Door(cluster.Silos.Silos[d]);
            for (var sender = 0; sender < 4; sender++)
                sending.Add(Send(door, 4 * d + sender, days, random.Next(1 << 30)));
        }
        var positions = (await Task.WhenAll(sending)).ToList();
        Assert.All(positions, p => Assert.Equal(p.Order(), p));
        Assert.Equal(meters, positions.Count);
        await cluster.Send(Feed.Batch("0", [.. Enumerable.Range(0, meters).Select(s => new SourceEnded($"{s}"))]));
        for (var m = 0; m < meters; m++) Assert.Equal(Feed.Expected(m, 0, days), await cluster.Stored(Feed.Meter(m)));
        Assert.Equal(Feed.FirstDay + days - 1, cluster.Status.ClosedThroughDay);
        Likeness.Verify(database, new TwinFactory(), await cluster.Hash());
    }

    /// <summary>Each sender has a meter and a source; it sends parts of days, several under way at a time.</summary>
    private static async Task<List<long>> Send(OrleansFleet door, int meter, int days, int seed)
    {
        var random = new SplitMix64((ulong)seed);
        var positions = new List<long>();
        await door.Send(Feed.Batch($"{meter}", Feed.Seen(meter)));
        for (var day = 0; day < days; day++)
        {
            var cut = 1 + random.Next(22);
            var parts = await Task.WhenAll(
                door.Send(Feed.Batch($"{meter}", Feed.Block(meter, day, 0, cut))),
                door.Send(Feed.Batch($"{meter}", Feed.Block(meter, day, cut, 24))));
            Assert.All(parts, p => Assert.Equal(AdmissionStatus.Accepted, p.Items[0].Status));
            positions.Add(parts.Max(p => p.Position));
        }
        return positions;
    }
}
