using System.Diagnostics;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage.Postgres;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Postgres;

/// <summary>How fast the journal in PostgreSQL takes what a cluster gives it. Figures are printed, not asserted: they
/// are the machine's.</summary>
[Collection(ServerCollection.Name)]
public sealed class PaceTests(PrivateServer server, ITestOutputHelper output)
{
    private const int StateBytes = 800;

    private void Say(string what, double amount, Stopwatch watch) =>
        output.WriteLine($"{what}: {amount / watch.Elapsed.TotalSeconds:n0} a second");

    [PostgresFact]
    [Trait("Category", "Long")]
    public void Day_blocks_states_and_sealing()
    {
        using var journal = new PostgresJournal(server.NewDatabase());
        var store = new ClusterStore(journal);
        var epoch = store.ClaimEpoch(1);
        var (meters, days) = Environment.GetEnvironmentVariable("METERTWIN_LONG") == "1" ? (20_000, 28) : (2_000, 14);
        var first = Twin.Silo.Storage.SqlJournal.WindowOf(Batches.FirstDay);
        Appends(journal, meters, days, first);
        var watch = Stopwatch.StartNew();
        journal.Compact(first + days - 1, everything: true);
        Say("readings sealed into long segments", 48.0 * meters * days, watch);
        Assert.Equal((48L * meters * days, (long)meters * days), (journal.Size().Readings, journal.Position));
        output.WriteLine($"{journal.Size().Bytes / (48.0 * meters * days):n2} bytes a reading");
        watch.Restart();
        long read = 0;
        journal.Read(0, (_, _) => read++);
        Say("readings read back in their order", 48.0 * read, watch);
        Assert.Equal(meters * days, read);
        States(store, epoch, meters, journal.Position);
    }

    private void Appends(PostgresJournal journal, int meters, int days, int first)
    {
        const int blocksABatch = 2_000;
        var batches = new List<JournalBatch>();
        var position = 0L;
        for (var day = first; day < first + days; day++)
        {
            for (var m = 0; m < meters; m += blocksABatch, position += blocksABatch)
                batches.Add(Batches.Days(position + 1, blocksABatch, day, (ulong)position, (ulong)m));
        }
        var watch = Stopwatch.StartNew();
        foreach (var batch in batches) journal.Append(batch);
        Say($"readings appended in day blocks, {blocksABatch} a commit", 48.0 * position, watch);
        Say("such commits", batches.Count, watch);
    }

    private void States(ClusterStore store, long epoch, int meters, long position)
    {
        var random = new SplitMix64(1);
        var state = new byte[StateBytes];
        foreach (ref var b in state.AsSpan()) b = (byte)random.Next(256);
        TwinRow[] rows = [.. Enumerable.Range(1, meters).Select(m =>
            new TwinRow(new TwinKey(TwinKind.Meter, StableHash.Mix((ulong)m)), 1, position, false, state))];
        foreach (var round in (string[])["new", "again", "once more"])
        {
            var watch = Stopwatch.StartNew();
            foreach (var part in rows.Chunk(10_000))
                store.Append(new JournalBatch(position + 1), new ClusterCommit(epoch, part, []));
            Say($"states of {StateBytes} bytes stored with a commit, {round}", meters, watch);
        }
        var one = Stopwatch.StartNew();
        foreach (var row in rows.AsSpan(0, meters / 10)) store.SaveTwin(epoch, row);
        Say("states saved one by one", meters / 10, one);
        one.Restart();
        foreach (var row in rows.AsSpan(0, meters / 10))
            Assert.Equal(StateBytes, store.LoadTwin(row.Key)!.Value.State.Length);
        Say("states loaded one by one", meters / 10, one);
        one.Restart();
        var seen = 0;
        store.VisitTwins(_ => seen++);
        Say("states visited in order", seen, one);
        Assert.Equal(meters, seen);
    }
}
