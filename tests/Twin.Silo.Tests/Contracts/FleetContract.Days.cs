using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Tests.Engine;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Contracts;

// When days close, and what twins say to each other then.
public abstract partial class FleetContract
{
    private static int? Closed(IFleet fleet) => fleet.Status.ClosedThroughDay - Feed.FirstDay;

    private static byte[] Tick(int n) => new Tick(new UnixTime(n)).ToBytes();

    [Fact]
    public async Task A_day_closes_when_the_watermark_passes_it_by_the_horizon()
    {
        await using var fleet = Open();
        await fleet.Send(Feed.Days("a", 2, 0, 4));
        Assert.Null(Closed(fleet));
        // Day 4 has ended everywhere on Earth half a day into day 5; three days more are the horizon.
        await fleet.Send(Feed.Batch("a", Feed.Block(0, 4, 0, 11)));
        Assert.Null(Closed(fleet));
        await fleet.Send(Feed.Batch("a", Feed.Block(0, 4, 11, 12)));
        Assert.Equal(0, Closed(fleet));
        await fleet.Send(Feed.Batch("a", Feed.Block(0, 8)));
        Assert.Equal(4, Closed(fleet));
    }

    [Fact]
    public async Task The_slowest_source_holds_the_days_open_until_it_ends_or_falls_idle()
    {
        await using var fleet = Open();
        await fleet.Send(Feed.Batch("slow", Feed.Seen(9).ToBytes(), Feed.Block(9, 0)));
        await fleet.Send(Feed.Days("a", 2, 0, 10));
        Assert.Null(Closed(fleet));
        await fleet.Send(Feed.Batch("host", Tick(1)));
        await fleet.Send(Feed.Batch("a", Feed.Block(0, 10)));
        await fleet.Send(Feed.Batch("host", Tick(2)));
        Assert.Equal(6, Closed(fleet));
        // Its next word brings it back. What is late by then says so.
        Assert.Equal(new AppendTotals(24, 0, 0, 24, 0), (await fleet.Send(Feed.Batch("slow", Feed.Block(9, 1))))
            .Totals());
        await fleet.Send(Feed.Batch("a", Feed.Block(0, 14)));
        Assert.Equal(6, Closed(fleet));
        var end = Feed.Batch("slow", new SourceEnded("slow"));
        Assert.Equal(AdmissionStatus.Accepted, (await fleet.Send(end)).Items[0].Status);
        Assert.Equal(10, Closed(fleet));
        Assert.Equal(AdmissionStatus.Duplicate, (await fleet.Send(end)).Items[0].Status);
        await fleet.Send(Feed.Batch("a", new SourceEnded("a")));
        Assert.Equal(14, Closed(fleet));
    }

    [Fact]
    public async Task When_all_sources_fall_idle_days_stay_as_they_are()
    {
        await using var fleet = Open();
        await fleet.Send(Feed.Days("a", 2, 0, 10));
        for (var n = 0; n < 4; n++) await fleet.Send(Feed.Batch("host", Tick(n)));
        Assert.Equal(5, Closed(fleet));
        await fleet.Send(Feed.Batch("a", Feed.Block(0, 10)));
        Assert.Equal(6, Closed(fleet));
    }

    [Fact]
    public async Task Watermark_and_closed_days_survive_reopening()
    {
        FleetStatus before;
        await using (var fleet = Open())
        {
            await fleet.Send(Feed.Batch("slow", Feed.Seen(9).ToBytes(), Feed.Block(9, 5)));
            await fleet.Send(Feed.Days("a", 2, 0, 10));
            before = fleet.Status;
        }
        await using var again = Open();
        Assert.Equal((before.ClosedThroughDay, before.Watermark),
            (again.Status.ClosedThroughDay, again.Status.Watermark));
        Assert.Equal(1, Closed(again));
        await again.Send(Feed.Batch("slow", new SourceEnded("slow")));
        Assert.Equal(5, Closed(again));
    }

    private static InputBatch ToyDay(int day, int twins, int batches, int part)
    {
        var batch = new InputBatch("toys");
        for (var t = part; t < twins; t += batches) batch.Add(ToyFactory.Say((ulong)(t * 7919 + 1), day, t + day));
        return batch;
    }

    private async Task<(string Hash, List<string> Findings, List<byte[]?> States)> Toys(string name, int partitions,
        int batches, int reopenAt)
    {
        var path = Directory.Sub(name);
        var fleet = Open(path, new ToyFactory(), partitions);
        for (var day = 0; day < 12; day++)
        {
            if (day == reopenAt)
            {
                await fleet.DisposeAsync();
                fleet = Open(path, new ToyFactory(), partitions);
            }
            for (var part = 0; part < batches; part++) await fleet.Send(ToyDay(day, 150, batches, part));
        }
        await fleet.Send(Feed.Batch("toys", new SourceEnded("toys")));
        var states = new List<byte[]?>();
        foreach (var kind in (TwinKind[])[TwinKind.Meter, TwinKind.Cohort, TwinKind.Feeder])
            foreach (var key in await fleet.Keys(kind, 0, 1000, default)) states.Add(await fleet.State(key, null,
                default));
        var result = (await fleet.Hash(), await fleet.FindingIds(), states);
        await fleet.DisposeAsync();
        return result;
    }

    [Fact]
    public async Task Twins_that_are_no_meters_live_in_the_engine_and_partitions_do_not_show()
    {
        var one = await Toys("one", 1, 2, -1);
        Assert.Equal(150 + 3 + 2, one.States.Count);
        Assert.NotEmpty(one.Findings);
        foreach (var (partitions, reopen) in ((int, int)[])[(1, 6), (2, -1), (2, 3), (8, -1), (8, 9)])
        {
            var other = await Toys($"p{partitions}-{reopen}", partitions, 2, reopen);
            Assert.Equal(one.Hash, other.Hash);
            Assert.Equal(one.Findings, other.Findings);
            Assert.Equal(one.States, other.States);
        }
    }

    [Fact]
    public async Task Twins_that_talk_for_ever_stop_the_engine_and_lose_nothing()
    {
        var path = Directory.Sub("runaway");
        string hash;
        await using (var fleet = Open(path, new ToyFactory(), 0))
        {
            await fleet.Send(Feed.Batch("toys", ToyFactory.Say(5, 0, 1), ToyFactory.Say(6, 0, 2)));
            hash = await fleet.Hash();
            var poison = Feed.Batch("toys", ToyFactory.Say(5, 9, -100));
            var behind = Feed.Batch("toys", ToyFactory.Say(6, 0, 3));
            var (first, second) = (fleet.Send(poison), fleet.Append(behind, default).AsTask());
            var error = await Assert.ThrowsAsync<StorageUnavailableException>(() => first);
            Assert.Contains("talk", error.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<StorageUnavailableException>(() => second);
            await Assert.ThrowsAsync<StorageUnavailableException>(() => fleet.Send(behind));
            Assert.False(fleet.Status.IsReady);
            Assert.Contains("Restart", fleet.Status.StorageError, StringComparison.Ordinal);
        }
        await using var again = Open(path, new ToyFactory(), 0);
        Assert.Equal(hash, await again.Hash());
        Assert.Equal(AdmissionStatus.Accepted, (await again.Send(Feed.Batch("toys", ToyFactory.Say(6, 0, 3))))
            .Items[0].Status);
    }
}

public abstract class EmbeddedFleetTests(int shards, ITestOutputHelper output) : FleetContract(output)
{
    protected override IFleet Open(string path, ITwinFactory factory, int partitions) =>
        EmbeddedFleet.Open(new EmbeddedOptions { DataPath = path, Shards = partitions > 0 ? partitions : shards },
            factory, null);

    /// <summary>What is on disk at that instant, in another directory, is what a kill would leave.</summary>
    protected override async Task<IFleet> Killed(IFleet fleet, string path, ITwinFactory factory, int partitions)
    {
        var image = path + "-image";
        System.IO.Directory.CreateDirectory(image);
        foreach (var file in System.IO.Directory.GetFiles(path).Where(f => Path.GetFileName(f) != "lock"))
            File.Copy(file, Path.Combine(image, Path.GetFileName(file)));
        await fleet.DisposeAsync();
        System.IO.Directory.Delete(path, recursive: true);
        System.IO.Directory.Move(image, path);
        return Open(path, factory, partitions);
    }
}

public sealed class EmbeddedFleetOneShardTests(ITestOutputHelper output) : EmbeddedFleetTests(1, output);

public sealed class EmbeddedFleetThreeShardsTests(ITestOutputHelper output) : EmbeddedFleetTests(3, output);
