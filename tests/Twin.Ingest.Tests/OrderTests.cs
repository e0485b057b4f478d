using System.Text;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Blocks;
using Twin.Ingest.Feed;

namespace Twin.Ingest.Tests;

/// <summary>However rows, files and memory are arranged, the same stream comes out.</summary>
public sealed class OrderTests
{
    private const string Header = "meter,start,interval_minutes,import_wh,quality\n";

    private static List<string> Rows(ulong seed)
    {
        var random = new SplitMix64(seed);
        var rows = new List<string>();
        var start = Feeds.Minute("2026-03-01T00:00Z");
        for (var m = 0; m < 7; m++)
        {
            for (var i = 0; i < 48 * 5; i++)
            {
                if (random.Next(20) == 0) continue;
                var quality = random.Next(30) == 0 ? "estimated" : "";
                var offset = m % 2 == 0 ? "+05:30" : "Z";
                var at = start + i * 30L;
                var text = m % 2 == 0 ? UnixTime.FromMinutes(at + 330).ToString()[..^1]
                    : UnixTime.FromMinutes(at).ToString()[..^1];
                var row = $"meter{m},{text}{offset},30,{random.Next(3000)},{quality}\n";
                rows.Add(row);
                if (random.Next(25) == 0) rows.Add(row);
            }
        }
        return rows;
    }

    private static void Shuffle(List<string> rows, SplitMix64 random)
    {
        for (var i = rows.Count - 1; i > 0; i--)
        {
            var k = random.Next(i + 1);
            (rows[i], rows[k]) = (rows[k], rows[i]);
        }
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    [InlineData(3UL)]
    [InlineData(4UL)]
    public void Shuffled_and_split_rows_give_the_same_stream(ulong seed)
    {
        var rows = Rows(seed);
        var plain = Feeds.CollectText("a.csv", Header + string.Concat(rows));
        Shuffle(rows, new SplitMix64(seed + 100));
        var shuffled = Feeds.CollectText("a.csv", Header + string.Concat(rows));
        Assert.True(plain.Stream() == shuffled.Stream(), $"seed {seed}: a shuffled file gives another stream");
        var half = rows.Count / 2;
        var split = Feeds.WithFiles([("a.csv", Encoding.UTF8.GetBytes(Header + string.Concat(rows.Take(half)))),
            ("b.csv.gz", Feeds.Gzip(Encoding.UTF8.GetBytes(Header + string.Concat(rows.Skip(half)))))],
            static p => Feeds.Collect(p));
        Assert.True(plain.Stream() == split.Stream(), $"seed {seed}: two files give another stream");
        Assert.Equal(plain.Totals.Missing, shuffled.Totals.Missing);
        Assert.Equal(rows.Count, plain.Readings.Count);
        var (values, duplicates, revisions) = plain.Keyed();
        Assert.Equal((rows.Count, 0), (values.Count + duplicates, revisions));
        Assert.Equal(plain.Totals.Missing, ExpectedMissing(values.Keys));
        Assert.Equal("+05:30", plain.Others.OfType<MeterSeen>().Single(static m => m.Name == "meter0").Zone);
    }

    private static long ExpectedMissing(IEnumerable<(string Name, Channel, long Start)> keys) =>
        keys.GroupBy(static k => k.Name)
        .Sum(static g => (g.Max(static k => k.Start) - g.Min(static k => k.Start)) / 30 + 1 - g.Count());

    [Theory]
    [InlineData(1L)]
    [InlineData(500L)]
    [InlineData(20_000L)]
    public void A_tiny_sort_memory_changes_nothing(long bytes)
    {
        var rows = Rows(9);
        Shuffle(rows, new SplitMix64(10));
        var text = Encoding.UTF8.GetBytes(Header + string.Concat(rows));
        var (all, small) = Feeds.WithFiles([("a.csv", text)], p => (Feeds.Collect(p),
            Feeds.Collect(new FeedOptions
            {
                Paths = p,
                SortMemoryBytes = bytes,
                TempDirectory = Path.GetDirectoryName(p[0])
            })));
        Assert.True(all.Stream() == small.Stream(), "the stream depends on the memory of the sort");
    }

    [Theory]
    [InlineData(64L)]
    [InlineData(3_000L)]
    [InlineData(long.MaxValue)]
    public void The_sorter_sorts(long memory)
    {
        var random = new SplitMix64(5);
        var directory = Directory.CreateTempSubdirectory("metertwin-test-");
        var expected = new List<(SortKey Key, byte[] Payload)>();
        using (var sorter = new BlockSorter(memory, directory.FullName))
        {
            for (var i = 0; i < 700; i++)
            {
                var key = new SortKey(random.Next(5) - 2, random.NextUInt64() % 4, (byte)random.Next(3), random.Next(3),
                    i);
                var payload = new byte[random.Next(200)];
                for (var k = 0; k < payload.Length; k++) payload[k] = (byte)random.Next(256);
                expected.Add((key, payload));
                sorter.Add(key, payload);
            }
            expected.Sort(static (a, b) => a.Key.CompareTo(b.Key));
            using var sorted = sorter.Sorted();
            var n = 0;
            for (; sorted.Next(); n++)
            {
                Assert.Equal(expected[n].Key, sorted.Key);
                Assert.True(sorted.Payload.SequenceEqual(expected[n].Payload));
            }
            Assert.Equal(expected.Count, n);
            Assert.Equal(memory == 64, sorter.RunsWritten > BlockSorter.MaxRuns);
        }
        Assert.Empty(directory.GetFileSystemInfos());
        directory.Delete();
    }

    [Fact]
    public void A_revision_follows_its_first_value()
    {
        var c = Feeds.CollectText("a.csv", Header + "m,2026-01-01T00:30:00Z,30,1,\nm,2026-01-01T01:00:00Z,30,5,\n"
            + "m,2026-01-02T00:00:00Z,30,8,\nm,2026-01-01T00:00:00Z,30,9,\nm,2026-01-01T00:30:00Z,30,2,\nm,2026-01-"
            + "01T00:30:00Z,30,1,\n");
        Assert.Equal([(0, 9), (30, 1), (60, 5), (30, 2), (30, 1), (1440, 8)],
            c.Readings.Select(static r => ((int)(r.Start - Feeds.Minute("2026-01-01T00:00Z")), r.Value)));
        Assert.Equal(5, c.Inputs.Count(static i => Envelope.Read(i).Kind == InputKind.ReadingBlock) + 1);
    }

    [Fact]
    public void Meters_come_on_the_day_they_first_speak()
    {
        var c = Feeds.CollectText("a.csv", Header
            + "late,2026-01-02T00:00:00Z,30,1,\nearly,2026-01-01T00:00:00Z,30,1,\nlate,2026-01-03T00:00:00Z,30,1,\n");
        var kinds = c.Inputs.Select(static i => Envelope.Read(i).Kind);
        Assert.Equal([InputKind.MeterSeen, InputKind.ReadingBlock, InputKind.MeterSeen, InputKind.ReadingBlock,
            InputKind.ReadingBlock,
            InputKind.SourceEnded], kinds);
        Assert.Equal("early", Assert.IsType<MeterSeen>(Input.Read(c.Inputs[0])).Name);
    }

    [Fact]
    public void A_key_told_a_hundred_times_keeps_all_its_values_in_order()
    {
        var text = Header + string.Concat(Enumerable.Range(0, 100).Select(static i =>
            $"m,2026-01-01T00:30:00Z,30,{i},\nm,2026-01-0{1 + i % 3}T05:00:00Z,30,7,\n"));
        var c = Feeds.CollectText("a.csv", text);
        var start = Feeds.Minute("2026-01-01T00:30Z");
        Assert.Equal(Enumerable.Range(0, 100), c.Readings.Where(r => r.Start == start).Select(static r => r.Value));
        Assert.Equal(200, c.Readings.Count);
        // 00:30 to 05:00 two days later at half an hour, less the four that are there.
        Assert.Equal(48 * 2 + 9 + 1 - 4, c.Totals.Missing);
    }

    [Fact]
    public void A_temporary_directory_that_cannot_be_written_is_named()
    {
        using var sorter = new BlockSorter(1, "/dev/null/none");
        sorter.Add(new SortKey(0, 1, 1, 0, 0), [1]);
        var error = Assert.Throws<FormatError>(() => sorter.Add(new SortKey(0, 1, 1, 0, 1), [1]));
        Assert.Contains("/dev/null/none", error.Message);
        Assert.Contains("Free some space", error.Remedy);
    }
}
