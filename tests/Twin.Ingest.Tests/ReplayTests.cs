using System.Text;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Ingest.Feed;

namespace Twin.Ingest.Tests;

public sealed class ReplayTests
{
    /// <summary>Keeps what is appended; checks that one append ends before the next begins and that its batch stays
    /// untouched.</summary>
    private sealed class KeepingFleet(int failAt) : IFleet
    {
        public readonly List<byte[]> Inputs = [];
        public readonly List<int> Sizes = [];
        private int _underWay;

        public async ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel)
        {
            Assert.Equal(1, Interlocked.Increment(ref _underWay));
            Assert.Equal("replay", batch.Source);
            var before = Enumerable.Range(0, batch.Count).Select(i => batch[i].ToArray()).ToList();
            await Task.Yield();
            for (var i = 0; i < 1000; i++) await Task.Yield();
            Assert.Equal(before.Count, batch.Count);
            for (var i = 0; i < before.Count; i++) Assert.True(batch[i].SequenceEqual(before[i]));
            if (Sizes.Count == failAt) throw new StorageUnavailableException("The disk is full. Free some space.",
                null);
            Inputs.AddRange(before);
            Sizes.Add(before.Count);
            var items = before.ConvertAll(static b => Envelope.Read(b).Kind == InputKind.ReadingBlock
                ? new Admission(AdmissionStatus.Accepted, ReadingBlock.Read(b).PresentCount, 0, 0, 0, "")
                : Admission.Accept);
            if (Sizes.Count == 1) items[^1] = Admission.Reject("not today");
            Assert.Equal(0, Interlocked.Decrement(ref _underWay));
            return new AppendReceipt([.. items], Inputs.Count);
        }

        public ValueTask<byte[]?> State(TwinKey key, AsOf asOf, CancellationToken cancel) =>
            throw new NotSupportedException();
        public ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit,
            CancellationToken cancel) =>
            throw new NotSupportedException();
        public ILedgerSource Ledger => throw new NotSupportedException();
        public ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel) =>
            throw new NotSupportedException();
        public ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay, UnixTime? knownAt,
        DayVisitor visit, CancellationToken cancel) =>
            throw new NotSupportedException();
        public ValueTask<IReadOnlyList<(int Day, byte[] Body)>> Publications(TwinKey from, int fromDay, int toDay,
            UnixTime? knownAt, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask<string> StateHash(CancellationToken cancel) => throw new NotSupportedException();
        public FleetStatus Status => throw new NotSupportedException();
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private static (string, byte[])[] Files()
    {
        var text = new StringBuilder("time,a,b,c\n");
        for (var i = 0; i < 48 * 10; i++)
        {
            var time = UnixTime.FromMinutes(Feeds.Minute("2026-01-01T00:00Z") + i * 30L).ToString();
            text.Append($"{time[..16]},0.5,0.25,{i / 1000.0}\n");
        }
        return
        [
            ("w.csv", Encoding.UTF8.GetBytes(text.ToString())),
            ("fleet.csv", Encoding.UTF8.GetBytes("meter,role,feeder,model,firmware,lot,installed\n"
                + "a,customer,F1,Z,1,L,2020-01-01\nd,observer,F1,Z,1,L,\n")),
            ("events.ndjson", "{\"meter\":\"e\",\"at\":\"2026-01-01T00:00:10Z\",\"code\":\"7\"}\n"u8.ToArray()),
            ("context.csv",
            "feeder,kind,from,to,note\nF1,outage,2026-01-02T00:00:00Z,2026-01-02T03:00:00Z,storm\n"u8.ToArray()),
        ];
    }

    private static FeedOptions Options(string[] p, int batchItems) => new()
    {
        Paths = [p[0]],
        FleetFiles = [p[1]],
        EventFiles = [p[2]],
        ContextFiles = [p[3]],
        BatchItems = batchItems,
    };

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4096)]
    public void Batches_have_the_agreed_size_and_order(int size)
    {
        var (fleet, totals) = Feeds.WithFiles(Files(), p =>
        {
            var fleet = new KeepingFleet(-1);
            return (fleet, Replayer.Run(fleet, Options(p, size), CancellationToken.None).GetAwaiter().GetResult());
        });
        Assert.All(fleet.Sizes.SkipLast(1), n => Assert.Equal(size, n));
        var kinds = fleet.Inputs.ConvertAll(static i => Envelope.Read(i).Kind);
        Assert.Equal([InputKind.MeterSeen, InputKind.MeterRelation, InputKind.MeterRelation, InputKind.ContextPeriod,
            InputKind.DeviceEvent,
            InputKind.MeterSeen, InputKind.MeterSeen, InputKind.MeterSeen, InputKind.ReadingBlock], kinds.Take(9));
        Assert.Equal(9 + 29 + 1, kinds.Count);
        Assert.Equal(InputKind.SourceEnded, kinds[^1]);
        Assert.Equal("e", ((MeterSeen)Input.Read(fleet.Inputs[0])).Name);
        Assert.Equal((1440, 1, 1L), ((int)totals.Readings, (int)totals.RejectedItems, totals.Rejected));
        Assert.Equal((1, 5, 480), (totals.Files, totals.Meters, (int)totals.Rows));
        Assert.Contains("not today", Assert.Single(totals.FirstRejects));
    }

    [Fact]
    public void A_full_disk_surfaces()
    {
        var fleet = new KeepingFleet(2);
        var error = Feeds.WithFiles(Files(), p => Record.Exception(
            () => Replayer.Run(fleet, Options(p, 5), CancellationToken.None).GetAwaiter().GetResult()));
        Assert.IsType<StorageUnavailableException>(error);
        Assert.Equal([5, 5], fleet.Sizes);
    }

    [Fact]
    public void Progress_tells_bytes_and_rows()
    {
        var seen = new List<FeedProgress>();
        var text = new StringBuilder("time," + string.Join(',', Enumerable.Range(0, 500).Select(static i => $"m{i}"))
            + "\n");
        for (var i = 0; i < 480; i++)
        {
            text.Append(UnixTime.FromMinutes(Feeds.Minute("2026-01-01T00:00Z") + i * 30L).ToString().AsSpan(0, 16));
            for (var k = 0; k < 500; k++) text.Append(",0.1");
            text.Append('\n');
        }
        Feeds.WithFiles([("w.csv", Encoding.UTF8.GetBytes(text.ToString()))], p =>
            Feeds.Collect(new FeedOptions { Paths = p, Progress = seen.Add }));
        Assert.NotEmpty(seen);
        Assert.All(seen, static p => Assert.InRange(p.BytesRead, 1, p.BytesTotal));
        Assert.True(seen[^1].Rows > seen[0].Rows);
    }

    [Fact]
    public void Patterns_and_directories_are_read_in_the_order_of_names()
    {
        static byte[] File(int value) =>
            Encoding.UTF8.GetBytes($"time,kwh\n2026-01-01T00:00,{value}\n2026-01-01T00:30,{value}\n");
        var c = Feeds.WithFiles([("b.csv", File(2)), ("a.csv", File(1)), ("c.txt.gz", Feeds.Gzip(File(3))),
            ("x.bin", [1, 2])], p =>
        {
            var directory = Path.GetDirectoryName(p[0])!;
            var byPattern = Feeds.Collect(Path.Combine(directory, "*.csv"));
            Assert.Equal(2, byPattern.Totals.Files);
            return Feeds.Collect(directory, p[0]);
        });
        Assert.Equal(3, c.Totals.Files);
        Assert.Equal(["a", "b", "c"], c.Messages.Select(static m => Path.GetFileName(m[..m.IndexOf(": ",
            StringComparison.Ordinal)])[..1]));
    }
}
