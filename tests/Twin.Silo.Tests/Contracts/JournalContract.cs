using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Storage;

namespace Twin.Silo.Tests.Contracts;

/// <summary>What every journal must do; an implementation derives and says how it is opened.</summary>
public abstract partial class JournalContract : IDisposable
{
    protected TestDirectory Directory { get; } = new();
    protected abstract IJournal Open();
    private const int Noon = 14_000;

    public void Dispose() => Directory.Dispose();

    private static byte[] Block(ulong meter, int day, int first, int revision, params int[] values)
    {
        var to = new ByteWriter();
        var head = new ReadingBlock
        {
            Meter = new MeterId(meter), Channel = Channel.Import, IntervalMinutes = 30, IsAdmitted = true,
            IsRevision = revision > 0, PriorCount = revision,
            Day = new LocalDay(day, day * 1440L, 1440), StartMinute = day * 1440L + first * 30,
        };
        ReadingBlock.Write(to, head, values, []);
        return to.ToArray();
    }

    private static byte[] Event(ulong meter, long at) =>
        new DeviceEvent(new MeterId(meter), new UnixTime(at), "test", "1", "").ToBytes();

    private static JournalBatch Batch(IJournal journal, params (byte[] Input, int Day, bool Sealable)[] items)
    {
        var batch = new JournalBatch(journal.Position + 1);
        foreach (var (input, day, sealable) in items)
        {
            batch.Add(input, day, sealable);
            if (sealable) batch.Readings += ReadingBlock.Read(input).PresentCount;
        }
        return batch;
    }

    private static List<(long Position, string Input)> All(IJournal journal, long after)
    {
        var all = new List<(long, string)>();
        journal.Read(after, (position, input) => all.Add((position, Convert.ToHexString(input))));
        return all;
    }

    private static List<string> Series(IJournal journal, ulong meter)
    {
        var days = new List<string>();
        journal.Series(new MeterId(meter), Channel.Import, int.MinValue, int.MaxValue, (day, interval, slots, _) =>
            days.Add($"{day.Number}/{interval}: {string.Join(' ', Present(slots))}"));
        return days;
    }

    private static IEnumerable<string> Present(ReadOnlySpan<int> slots) =>
        slots.ToArray().Select((value, slot) => (value, slot)).Where(x => x.value != ReadingBlock.Missing)
            .Select(x => $"{x.slot}={x.value}");

    [Fact]
    public void What_was_appended_is_read_back_in_order_after_reopening()
    {
        using (var journal = Open())
        {
            journal.Append(Batch(journal, (Event(7, 1), 0, false), (Block(9, Noon, 0, 0, 1, 2), Noon, true),
                (Event(9, 2), 0, false)));
            journal.Append(Batch(journal, (Block(8, Noon, 3, 0, 5), Noon, true)));
        }
        using var again = Open();
        Assert.Equal(4, again.Position);
        Assert.Equal([1, 2, 3, 4], All(again, 0).Select(x => x.Position));
        Assert.Equal([Convert.ToHexString(Event(9, 2)), Convert.ToHexString(Block(8, Noon, 3, 0, 5))],
            All(again, 2).Select(x => x.Input));
        Assert.Equal(3, again.Size().Readings);
    }

    [Fact]
    public void A_batch_must_begin_where_the_journal_ends()
    {
        using var journal = Open();
        var batch = new JournalBatch(5);
        batch.Add(Event(1, 1), 0, false);
        Assert.Throws<InvalidOperationException>(() => journal.Append(batch));
        Assert.Equal(0, journal.Position);
    }

    [Fact]
    public void Sealing_keeps_the_total_order_and_the_readings()
    {
        using var journal = Open();
        journal.Append(Batch(journal, (Block(9, Noon, 0, 0, 1, 2), Noon, true), (Event(9, 2), 0, false),
            (Block(7, Noon, 0, 0, 3, 4), Noon, true)));
        journal.Append(Batch(journal, (Block(9, Noon + 1, 0, 0, 6), Noon + 1, true),
            (Block(7, Noon, 5, 0, 8), Noon, true)));
        var before = Series(journal, 7).Concat(Series(journal, 9)).ToList();
        journal.Compact(Noon, everything: false);
        Assert.Equal(before, Series(journal, 7).Concat(Series(journal, 9)));
        // Meter 7's two pieces became one block at the place of the second.
        Assert.Equal([1, 2, 4, 5], All(journal, 0).Select(x => x.Position));
        Assert.Equal([4, 5], All(journal, 2).Select(x => x.Position));
        Assert.Empty(journal.CheckDigests());
    }

    [Fact]
    public void A_meter_day_revised_while_open_keeps_every_piece_in_order()
    {
        using var journal = Open();
        journal.Append(Batch(journal, (Block(7, Noon, 0, 0, 1, 2), Noon, true), (Block(7, Noon, 1, 1, 9), Noon, false),
            (Block(7, Noon, 2, 0, 3), Noon, true)));
        var before = All(journal, 0);
        journal.Compact(Noon, everything: true);
        Assert.Equal(before, All(journal, 0));
        Assert.Equal([$"{Noon}/30: 0=1 1=9 2=3"], Series(journal, 7));
    }

    [Fact]
    public void Long_segments_hold_the_same_as_short_ones()
    {
        using var journal = Open();
        var first = SqlJournal.WindowOf(Noon);
        for (var day = first; day < first + SqlJournal.SegmentDays; day++)
            journal.Append(
                Batch(journal,
                [.. Enumerable.Range(1, 40)
                .Select(m =>
                (Block((ulong)(m * 1_000_003), day, m % 5, 0,
                [.. Enumerable.Range(0, 43).Select(i => (i * m + day) % 700)]), day, true))]));
        var order = All(journal, 0);
        var series = Enumerable.Range(1, 40).SelectMany(m => Series(journal, (ulong)(m * 1_000_003))).ToList();
        journal.Compact(first + SqlJournal.SegmentDays - 1, everything: true);
        Assert.Equal(order, All(journal, 0));
        Assert.Equal(series, Enumerable.Range(1, 40).SelectMany(m => Series(journal, (ulong)(m * 1_000_003))));
        Assert.Empty(journal.CheckDigests());
    }

    [Fact]
    public void A_window_sealed_in_parts_is_read_in_the_order_of_days()
    {
        using var journal = Open();
        var first = SqlJournal.WindowOf(Noon);
        for (var day = first; day < first + 4; day++)
        {
            // Meter 3 comes in the second part only: its segment begins before that of the first.
            journal.Append(Batch(journal, (Block(7, day, 0, 0, 1), day, true),
                (Block(day < first + 2 ? 9u : 3u, day, 0, 0, 2), day, true)));
            if (day % 2 == 1) journal.Compact(day, everything: true);
        }
        Assert.Equal(Enumerable.Range(first, 4).Select(d => $"{d}/30: 0=1"), Series(journal, 7));
    }

    [Fact]
    public void Erasure_removes_readings_everywhere_and_says_so()
    {
        using var journal = Open();
        for (var day = Noon; day < Noon + 3; day++)
            journal.Append(Batch(journal, (Block(7, day, 0, 0, 1, 2), day, true), (Block(8, day, 0, 0, 3), day, true)));
        journal.Compact(Noon + 1, everything: true);
        journal.Erase(new MeterId(7), Noon + 2, journal.Position);
        Assert.Equal([$"{Noon + 2}/30: 0=1 1=2"], Series(journal, 7));
        Assert.Equal(3, Series(journal, 8).Count);
        var tombstone = Assert.Single(journal.Tombstones());
        Assert.Equal((new MeterId(7), Noon + 2, 4L), (tombstone.Meter!.Value, tombstone.BeforeDay, tombstone.Readings));
        Assert.Empty(journal.CheckDigests());
        Assert.Equal(5, journal.Size().Readings);
    }

    [Fact]
    public void Content_keys_publications_and_closed_days_come_back()
    {
        var feeder = TwinKey.Named(TwinKind.Feeder, "F1");
        var input = Event(3, 4);
        using (var journal = Open())
        {
            var batch = Batch(journal, (input, 0, false));
            batch.Contents.Add(ContentKey.Of(input));
            batch.Publications.Add((feeder, Noon, [1, 2, 3]));
            batch.Closed.Add((Noon, 1));
            batch.Marks = [9];
            journal.Append(batch);
        }
        using var again = Open();
        Assert.True(again.HasContent(ContentKey.Of(input)));
        Assert.False(again.HasContent(ContentKey.Of(Event(3, 5))));
        Assert.Equal([1, 2, 3], again.Publication(feeder, Noon));
        Assert.Null(again.Publication(feeder, Noon + 1));
        Assert.Equal([(Noon, 1L)], again.ClosedDays(0));
        Assert.Equal([9], again.Marks);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Read_in_pages_it_is_the_same(int page)
    {
        using var journal = Open();
        for (var day = 0; day < 4; day++)
            journal.Append(Batch(journal, (Block(9, Noon + day, 0, 0, 1, 2), Noon + day, true),
                (Event(9, day), 0, false), (Block(8, Noon + day, 3, 0, 5), Noon + day, true)));
        journal.Compact(Noon + 1, everything: false);
        var found = new List<(long Position, string Input)>();
        for (var more = true; more;)
        {
            var left = page;
            more = false;
            journal.ReadUntil(found.Count == 0 ? 0 : found[^1].Position, (position, input) =>
            {
                found.Add((position, Convert.ToHexString(input)));
                more = true;
                return --left > 0;
            });
            Assert.InRange(left, 0, page);
        }
        Assert.Equal(12, found.Count);
        Assert.Equal(All(journal, 0), found);
    }
}
