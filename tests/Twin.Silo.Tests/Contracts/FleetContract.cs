using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Tests.Engine;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Contracts;

/// <summary>What every engine must do; an implementation derives and says how it is opened. Horizon: 3 days.</summary>
public abstract partial class FleetContract(ITestOutputHelper output) : IDisposable
{
    protected TestDirectory Directory { get; } = new();
    protected ITestOutputHelper Output { get; } = output;

    /// <param name="partitions">Compute partitions, or 0 for those of the class.</param>
    protected abstract IFleet Open(string path, ITwinFactory factory, int partitions);

    private IFleet Open() => Open(Directory.Sub("data"), new TwinFactory(), 0);

    public void Dispose()
    {
        Directory.Dispose();
        GC.SuppressFinalize(this);
    }

    private static readonly TwinKey[] NoKeys = [];

    [Fact]
    public async Task Every_item_is_answered_for_itself()
    {
        await using var fleet = Open();
        byte[] garbage = [1, 2, 3];
        var receipt = await fleet.Send(Feed.Batch("s",
            Feed.Seen(1).ToBytes(), Feed.Block(1, 0), garbage, Feed.Block(1, 0), Feed.Event(1, 5).ToBytes(),
                Feed.Event(1, 5).ToBytes(), Feed.Seen(1).ToBytes(),
            Feed.Block(1, 1, 0, 10), Feed.Block(1, 1, 5, 24), new DayClosed(Feed.FirstDay).ToBytes()));
        const AdmissionStatus a = AdmissionStatus.Accepted, d = AdmissionStatus.Duplicate, r = AdmissionStatus.Rejected;
        Assert.Equal([a, a, r, d, a, d, d, a, a, r], receipt.Items.Select(i => i.Status));
        Assert.Equal(new AppendTotals(48, 29, 0, 0, 2), receipt.Totals());
        Assert.All(receipt.Items.Where(i => i.Status == r), i => Assert.NotEmpty(i.Reason));
        var status = fleet.Status;
        Assert.Equal((48, 29, 2, 1), (status.Readings, status.Duplicates, status.Rejected, status.Meters));
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_reopening()
    {
        long position;
        string hash;
        byte[]? state;
        await using (var fleet = Open())
        {
            position = (await fleet.Send(Feed.Days("s", 5, 0, 12))).Position;
            hash = await fleet.Hash();
            state = await fleet.State(Feed.Meter(3).Twin, null, default);
        }
        await using var again = Open();
        Assert.Equal((position, hash), (again.Status.Position, await again.Hash()));
        Assert.Equal(state, await again.State(Feed.Meter(3).Twin, null, default));
        Assert.Equal(Feed.Expected(4, 0, 12), await again.Stored(Feed.Meter(4)));
        var repeat = await again.Send(Feed.Days("s", 5, 0, 12));
        Assert.Equal(new AppendTotals(0, 5 * 12 * 24, 0, 0, 0), repeat.Totals());
        Assert.Equal((position, hash), (repeat.Position, await again.Hash()));
    }

    [Fact]
    public async Task Readings_of_a_closed_day_sent_again_are_duplicates_in_the_same_batch_and_later()
    {
        await using var fleet = Open();
        var batch = Feed.Days("s", 2, 0, 10);
        for (var m = 0; m < 2; m++) batch.Add(Feed.Block(m, 0));
        batch.Add(Feed.Block(0, 10));
        Assert.Equal(new AppendTotals(21 * 24, 48, 0, 0, 0), (await fleet.Send(batch)).Totals());
        Assert.Equal(new AppendTotals(0, 24, 0, 0, 0), (await fleet.Send(Feed.Batch("s", Feed.Block(1, 2)))).Totals());
        Assert.Equal(Feed.Expected(0, 0, 11), await fleet.Stored(Feed.Meter(0)));
    }

    [Fact]
    public async Task Late_readings_are_stored_and_counted_once()
    {
        await using var fleet = Open();
        await fleet.Send(Feed.Batch("s", Feed.Seen(1).ToBytes(), Feed.Block(1, 0, 0, 12)));
        await fleet.Send(Feed.Batch("s", [.. Enumerable.Range(1, 8).Select(d => Feed.Block(1, d))]));
        Assert.Equal(new AppendTotals(12, 12, 0, 12, 0), (await fleet.Send(Feed.Batch("s", Feed.Block(1, 0))))
            .Totals());
        Assert.Equal(new AppendTotals(0, 24, 0, 0, 0), (await fleet.Send(Feed.Batch("s", Feed.Block(1, 0)))).Totals());
        Assert.Equal(Feed.Expected(1, 0, 9), await fleet.Stored(Feed.Meter(1)));
    }

    [Fact]
    public async Task An_event_told_again_at_any_age_is_a_duplicate()
    {
        var told = Feed.Event(1, 5);
        await using (var fleet = Open())
        {
            var receipt = await fleet.Send(Feed.Batch("s", Feed.Seen(1), told, told, Feed.Event(1, 6)));
            Assert.Equal([AdmissionStatus.Accepted, AdmissionStatus.Accepted, AdmissionStatus.Duplicate,
                AdmissionStatus.Accepted], receipt.Items.Select(i => i.Status));
            Assert.Equal(AdmissionStatus.Duplicate, (await fleet.Send(Feed.Batch("other", told))).Items[0].Status);
            await fleet.Send(Feed.Days("s", 3, 0, 20));
        }
        await using var again = Open();
        Assert.Equal(AdmissionStatus.Duplicate, (await again.Send(Feed.Batch("s", told))).Items[0].Status);
    }

    [Fact]
    public async Task Keys_come_in_id_order_page_by_page()
    {
        await using var fleet = Open();
        await fleet.Send(Feed.Days("s", 30, 0, 1));
        var expected = Enumerable.Range(0, 30).Select(m => Feed.Meter(m).Twin).Order().ToArray();
        var pages = new List<TwinKey>();
        while (await fleet.Keys(TwinKind.Meter, pages.Count == 0 ? 0 : pages[^1].Id, 7,
            default) is { Count: > 0 } page) pages.AddRange(page);
        Assert.Equal(expected, pages);
        Assert.Equal(NoKeys, await fleet.Keys(TwinKind.Concentrator, 0, 7, default));
        Assert.Null(await fleet.State(Feed.Meter(99).Twin, null, default));
    }

    [Fact]
    public async Task A_series_gives_the_days_asked_for_sealed_or_not()
    {
        await using var fleet = Open();
        await fleet.Send(Feed.Days("s", 2, 0, 20));
        var days = new List<int>();
        await fleet.Series(Feed.Meter(1), Channel.Import, Feed.FirstDay + 4, Feed.FirstDay + 18,
            (day, interval, slots, _) =>
        {
            days.Add(day.Number - Feed.FirstDay);
            Assert.Equal(Feed.Values(1, days[^1]), slots.ToArray());
            Assert.Equal(Feed.Interval, interval);
        }, default);
        Assert.Equal(Enumerable.Range(4, 15), days);
    }

    [Fact]
    public async Task Batches_are_bounded()
    {
        await using var fleet = Open();
        var batch = new InputBatch("s");
        var item = Feed.Seen(1).ToBytes();
        for (var i = 0; i < InputBatch.MaxItems; i++) batch.Add(item);
        Assert.Equal(InputBatch.MaxItems, (await fleet.Send(batch)).Items.Length);
        batch.Add(item);
        await Assert.ThrowsAsync<ArgumentException>(() => fleet.Send(batch));
        Assert.Empty((await fleet.Send(new InputBatch("s"))).Items);
    }

    [Fact]
    public async Task Damaged_inputs_are_refused_one_by_one_and_hurt_nobody()
    {
        const ulong seed = 20_261;
        Output.WriteLine($"seed {seed}");
        var random = new SplitMix64(seed);
        await using var fleet = Open();
        await fleet.Send(Feed.Days("s", 3, 0, 6));
        byte[][] sound = [Feed.Block(1, 7), Feed.Seen(2).ToBytes(), Feed.Event(2, 9).ToBytes(),
            new Tick(new UnixTime(5)).ToBytes(), new SourceEnded("x").ToBytes(),
            new Erasure(Feed.Meter(1), 3, "why").ToBytes(),
                new RegisterSnapshot(Feed.Meter(0), Channel.Import, new UnixTime(1_728_000_000), 5).ToBytes()];
        for (var round = 0; round < 40; round++)
        {
            var batch = new InputBatch("fuzz");
            for (var i = 0; i < 50; i++) batch.Add(Damage(sound[random.Next(sound.Length)], random));
            batch.Add(Feed.Block(0, 6, round % 24, round % 24 + 1));
            var receipt = await fleet.Send(batch);
            Assert.Equal(51, receipt.Items.Length);
            Assert.Equal(round < 24 ? AdmissionStatus.Accepted : AdmissionStatus.Duplicate, receipt.Items[50].Status);
            Assert.All(receipt.Items, i => Assert.Equal(i.Status == AdmissionStatus.Rejected, i.Reason.Length > 0));
        }
        Assert.True(fleet.Status.IsReady);
    }

    private static byte[] Damage(byte[] sound, SplitMix64 random)
    {
        var bytes = sound.ToArray();
        switch (random.Next(3))
        {
            case 0: return bytes[..random.Next(bytes.Length)];
            case 1: return [.. bytes, (byte)random.Next(256)];
            default:
                // The address stays: to another meter a block is no damage.
                var at = random.Next(2) == 0 ? random.Next(3) : Envelope.Length
                    + random.Next(bytes.Length - Envelope.Length);
                bytes[at] ^= (byte)(1 + random.Next(255));
                // A block of meter 0 or another start would be sound: damage of the flags is what it takes.
                if (bytes[1] == (byte)InputKind.ReadingBlock && at > Envelope.Length) bytes[Envelope.Length + 1] |= 64;
                return bytes;
        }
    }
}
