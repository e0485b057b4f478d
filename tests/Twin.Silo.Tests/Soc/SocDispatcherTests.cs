using Twin.Silo.Soc;

namespace Twin.Silo.Tests.Soc;

public class SocDispatcherTests
{
    /// <summary>Takes events one at a time and dies in the middle of a batch as often as it is told to.</summary>
    private sealed class Receiver(params int[] diesAt) : ISocSink
    {
        private readonly Queue<int> _diesAt = new(diesAt);
        public List<long> Taken { get; } = [];

        public Task Deliver(IReadOnlyList<SocEvent> events, CancellationToken cancel)
        {
            foreach (var e in events)
            {
                if (_diesAt.TryPeek(out var at) && Taken.Count == at)
                {
                    _diesAt.Dequeue();
                    throw new SinkException("it is away.");
                }
                Taken.Add(e.Number);
            }
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private static ListLedger Ledger(int entries)
    {
        var ledger = new ListLedger();
        for (var i = 0; i < entries; i++) ledger.Add(Samples.Report(Samples.Finding(sentence: $"finding {i + 1}")));
        return ledger;
    }

    private static SocDispatcher Dispatcher(ISocSink sink, ListLedger ledger, string name = "a") =>
        new(name, sink, ledger, TimeProvider.System, 1);

    [Fact]
    public async Task Nothing_is_lost_and_only_the_torn_batch_comes_twice()
    {
        var ledger = Ledger(500);
        var receiver = new Receiver(250);
        var first = Dispatcher(receiver, ledger);
        Assert.True(await first.Step(default));
        await Assert.ThrowsAsync<SinkException>(() => first.Step(default));
        Assert.Equal(200, ledger.Cursor("sink/a"));
        // Another process takes over: the ledger and the cursor are all that it has.
        var second = Dispatcher(receiver, ledger);
        while (await second.Step(default)) { }
        Assert.Equal(Enumerable.Range(1, 250).Concat(Enumerable.Range(201, 300)).Select(n => (long)n), receiver.Taken);
        Assert.Equal((500, 0, 300), (second.Status().Cursor, second.Status().Lag, second.Status().Delivered));
    }

    [Fact]
    public async Task A_sink_that_is_down_holds_up_no_other()
    {
        var ledger = Ledger(10);
        Receiver down = new(0, 0), up = new();
        SocDispatcher a = Dispatcher(down, ledger), b = Dispatcher(up, ledger, "b");
        await Assert.ThrowsAsync<SinkException>(() => a.Step(default));
        Assert.True(await b.Step(default));
        Assert.Equal(10, up.Taken.Count);
        Assert.Equal((0, 10), (a.Status().Cursor, a.Status().Lag));
        Assert.Equal((10, 0), (b.Status().Cursor, b.Status().Lag));
    }

    [Fact]
    public async Task An_entry_that_cannot_be_read_is_counted_and_passed()
    {
        var ledger = Ledger(1);
        ledger.Add(new Grains.Ledger.LedgerEntry(Grains.Ledger.LedgerKind.Case, Samples.At, Samples.Case, [9, 9]));
        ledger.Add(Samples.Entry(Samples.Snapshot()));
        var receiver = new Receiver();
        var dispatcher = Dispatcher(receiver, ledger);
        Assert.True(await dispatcher.Step(default));
        Assert.Equal([1L, 3L], receiver.Taken);
        Assert.Equal(1, dispatcher.Status().Unreadable);
    }

    [Fact]
    public async Task A_file_has_every_event_once_after_a_torn_line_and_rotates()
    {
        using var directory = new TestDirectory();
        var (path, ledger) = (directory.Sub("soc.ndjson"), Ledger(30));
        await File.WriteAllTextAsync(path, "{\"whole\":1}\n{\"torn\":");
        await using (var sink = new FileSink(path, SocFormat.Ecs, 20_000, 5))
            while (await Dispatcher(sink, ledger).Step(default)) { }
        var files = Directory.GetFiles(directory.Path).OrderDescending().ToList();
        Assert.True(files.Count > 1, "nothing was rotated");
        Assert.All(files, f => Assert.True(new FileInfo(f).Length <= 20_000));
        var lines = files.SelectMany(File.ReadAllLines).ToList();
        Assert.Equal("{\"whole\":1}", lines[0]);
        Assert.Equal(Enumerable.Range(1, 30), lines.Skip(1)
            .Select(l => (int)System.Text.Json.Nodes.JsonNode.Parse(l)!["event"]!["sequence"]!));
    }
}
