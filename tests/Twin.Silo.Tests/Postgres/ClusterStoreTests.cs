using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Tests.Postgres;

/// <summary>Epochs, states of twins, receipts.</summary>
[Collection(ServerCollection.Name)]
public sealed class ClusterStoreTests(PrivateServer server)
{
    private static TwinRow Row(ulong meter, long position, params byte[] state) =>
        new(new TwinKey(TwinKind.Meter, meter), ulong.MaxValue - meter, position, meter % 2 == 0, state);

    private static string Told(TwinRow row) =>
        $"{row.Key} {row.Home} {row.Position} {row.Waits} {Convert.ToHexString(row.State.Span)}";

    private static ClusterCommit Commit(long epoch, params TwinRow[] twins) => new(epoch, twins, []);

    private static List<string> Stored(ClusterStore store)
    {
        var all = new List<string>();
        store.VisitTwins(row => all.Add(Told(row)));
        return all;
    }

    [PostgresFact]
    public void An_older_epoch_commits_nothing()
    {
        var database = server.NewDatabase();
        using var oldJournal = new PostgresJournal(database);
        using var newJournal = new PostgresJournal(database);
        var (old, young) = (new ClusterStore(oldJournal), new ClusterStore(newJournal));
        var first = old.ClaimEpoch(3);
        old.Append(Batches.Event(1, 7), Commit(first, Row(7, 1, 1)));
        var second = young.ClaimEpoch(3);
        Assert.Equal((1L, 2L, 2L, 1L), (first, second, old.EpochInForce(), newJournal.Position));
        var stale = Assert.Throws<StaleEpochException>(() =>
            old.Append(Batches.Event(2, 7), new ClusterCommit(first, [Row(7, 2, 9)], [(new Guid(1, 2, 3, new byte[8]),
                [1])])));
        Assert.Equal((1L, 2L), (stale.Given, stale.InForce));
        Assert.Throws<StaleEpochException>(() => old.SaveTwin(first, Row(7, 1, 9)));
        young.Append(Batches.Event(2, 8), Commit(second, Row(8, 2, 2)));
        // The older one is told so even where it has fallen behind.
        Assert.Throws<StaleEpochException>(() => old.Append(Batches.Event(2, 7), Commit(first)));
        Assert.Equal([Told(Row(7, 1, 1)), Told(Row(8, 2, 2))], Stored(young));
        Assert.Null(young.Receipt(new Guid(1, 2, 3, new byte[8])));
        Assert.Equal(2, young.ClaimEpoch(4) - first);
        Assert.Equal(2, newJournal.Position);
    }

    [PostgresFact]
    public void An_engine_that_does_not_know_the_end_writes_nothing()
    {
        var database = server.NewDatabase();
        using var one = new PostgresJournal(database);
        using var other = new PostgresJournal(database);
        one.Append(Batches.Event(1, 7));
        var error = Assert.Throws<InvalidOperationException>(() => other.Append(Batches.Event(1, 8)));
        Assert.Contains("another engine", error.Message, StringComparison.Ordinal);
        other.TakeOver();
        other.Append(Batches.Event(2, 8));
        Assert.Equal(2, other.Position);
    }

    [PostgresFact]
    public void The_newest_state_of_each_twin_is_kept_in_the_order_of_keys()
    {
        using var journal = new PostgresJournal(server.NewDatabase());
        var store = new ClusterStore(journal);
        var epoch = store.ClaimEpoch(1);
        var feeder = new TwinRow(new TwinKey(TwinKind.Feeder, 5), 0, 1, true, new byte[9_000]);
        store.Append(Batches.Event(1, 7), Commit(epoch, feeder, Row(ulong.MaxValue, 1, 4), Row(1, 1, 5), Row(2, 1)));
        store.Append(Batches.Event(2, 7), Commit(epoch, Row(1, 2, 6)));
        // Without a batch; an older state is passed over, one of the same position is not.
        store.Append(new JournalBatch(3), Commit(epoch, Row(1, 1, 7), Row(2, 1, 8)));
        store.SaveTwin(epoch, Row(3, 2, 9));
        store.SaveTwin(epoch, Row(1, 1, 10));
        string[] expected =
            [Told(Row(1, 2, 6)), Told(Row(2, 1, 8)), Told(Row(3, 2, 9)), Told(Row(ulong.MaxValue, 1, 4)), Told(feeder)];
        Assert.Equal(expected, Stored(store));
        Assert.Equal(expected[3], Told(store.LoadTwin(new TwinKey(TwinKind.Meter, ulong.MaxValue))!.Value));
        Assert.Null(store.LoadTwin(new TwinKey(TwinKind.Feeder, 6)));
        var heads = new List<string>();
        store.VisitTwinHeads((key, home, position, waits) => heads.Add($"{key} {home} {position} {waits}"));
        Assert.Equal(expected.Select(e => e[..e.LastIndexOf(' ')]), heads);
        Assert.Equal(2, journal.Position);
    }

    [PostgresFact]
    public void A_state_that_is_ahead_of_the_journal_is_refused()
    {
        using var journal = new PostgresJournal(server.NewDatabase());
        var store = new ClusterStore(journal);
        var epoch = store.ClaimEpoch(1);
        Assert.Throws<InvalidOperationException>(() => store.SaveTwin(epoch, Row(1, 1, 1)));
        Assert.Throws<InvalidOperationException>(() => store.Append(Batches.Event(1, 1), Commit(epoch, Row(1, 2, 1))));
        Assert.Equal(0, journal.Position);
        Assert.Empty(Stored(store));
    }

    [PostgresFact]
    public void Receipts_answer_until_ten_thousand_newer_ones_came()
    {
        using var journal = new PostgresJournal(server.NewDatabase());
        var store = new ClusterStore(journal);
        var epoch = store.ClaimEpoch(1);
        static Guid Id(int n) => new(n, 0, 0, new byte[8]);
        void Append(IEnumerable<int> ids) => store.Append(new JournalBatch(1),
            new ClusterCommit(epoch, [], [.. ids.Select(n => (Id(n), BitConverter.GetBytes(n)))]));
        Append([1]);
        Append([2, 3]);
        Assert.Equal(BitConverter.GetBytes(2), store.Receipt(Id(2)));
        Assert.Null(store.Receipt(Id(4)));
        Assert.Contains("receipt", Assert.Throws<InvalidOperationException>(() => Append([4, 2])).Message,
            StringComparison.Ordinal);
        Assert.Null(store.Receipt(Id(4)));
        Append(Enumerable.Range(10, ClusterStore.MaxReceipts - 1));
        Assert.Equal([false, false, true, true],
            ((int[])[1, 2, 3, 10]).Select(n => store.Receipt(Id(n)) is not null));
    }

    [PostgresFact]
    public void Many_contents_are_asked_for_at_once()
    {
        using var journal = new PostgresJournal(server.NewDatabase());
        ContentKey[] keys = [.. Enumerable.Range(0, 50).Select(n => ContentKey.Of([(byte)n]))];
        var batch = Batches.Event(1, 1);
        batch.Contents.AddRange(keys.Where((_, n) => n % 3 == 0));
        journal.Append(batch);
        var store = new ClusterStore(journal);
        Assert.Equal(keys.Where((_, n) => n % 3 == 0).ToHashSet(), store.HasContents(keys));
        Assert.Empty(store.HasContents([]));
    }

    [PostgresFact]
    public void Two_claim_at_once_and_get_two_epochs()
    {
        var database = server.NewDatabase();
        using var journal = new PostgresJournal(database);
        var store = new ClusterStore(journal);
        var claimed = new long[8];
        Parallel.For(0, claimed.Length, i => claimed[i] = store.ClaimEpoch(1));
        Assert.Equal([1L, 2, 3, 4, 5, 6, 7, 8], claimed.Order());
    }

    [PostgresFact]
    public void A_view_stays_while_others_commit()
    {
        var database = server.NewDatabase();
        using var journal = new PostgresJournal(database);
        using var reader = new PostgresJournal(database);
        var key = ContentKey.Of([1]);
        var batch = Batches.Event(1, 1);
        batch.Contents.Add(key);
        var seen = reader.OneView(() =>
        {
            journal.Append(batch);
            return (reader.HasContent(key), reader.FindingCount(), reader.OneView(() => reader.HasContent(key)));
        });
        Assert.Equal((false, 0L, false), seen);
        Assert.True(reader.HasContent(key));
    }
}
