using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Silo.Storage.Postgres;
using Twin.Silo.Tests.Soc;

namespace Twin.Silo.Tests.Postgres;

/// <summary>Connections break at the worst instants: around the commit.</summary>
[Collection(ServerCollection.Name)]
public sealed class LostAnswerTests(PrivateServer server)
{
    private static List<string> All(IJournal journal)
    {
        var all = new List<string>();
        journal.Read(0, (p, input) => all.Add($"{p} {Convert.ToHexString(input)}"));
        return all;
    }

    private static void RequireOnce(string database, int batches)
    {
        using var journal = new PostgresJournal(database);
        Assert.Equal(batches, journal.Position);
        Assert.Equal(Enumerable.Range(1, batches).Select(n => $"{n} " + Convert.ToHexString(
            new DeviceEvent(new MeterId(7), new UnixTime(n), "test", "1", "").ToBytes())), All(journal));
    }

    [PostgresFact]
    public void A_commit_whose_answer_was_lost_is_not_repeated()
    {
        var database = server.NewDatabase();
        using var proxy = new CuttingProxy(server.Socket);
        using (var journal = new PostgresJournal(proxy.Through(database)))
        {
            journal.Append(Batches.Event(1, 7));
            proxy.Arm(Cut.BehindCommit, 1);
            journal.Append(Batches.Event(2, 7));
            Assert.Equal((1, 2L), (proxy.Cuts, journal.Position));
            journal.Append(Batches.Event(3, 7));
        }
        RequireOnce(database, 3);
    }

    /// <summary>An event with a case, so that each batch puts one entry at the ledger's end.</summary>
    private static JournalBatch WithEntry(long first)
    {
        var batch = Batches.Event(first, 7);
        batch.Ledger.Add(Samples.Entry(Samples.Snapshot(later: first)).ToBytes());
        return batch;
    }

    [PostgresTheory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void Entries_of_a_batch_whose_answer_was_lost_are_there_once(bool committed, bool staysOpen)
    {
        var database = server.NewDatabase();
        var chain = LedgerChain.Start;
        using var proxy = new CuttingProxy(server.Socket);
        using (var journal = new PostgresJournal(proxy.Through(database)))
        {
            for (var n = 1; n <= 4; n++)
            {
                var batch = WithEntry(n);
                chain = chain.Next(batch.Ledger[0]);
                if (n is 2 or 3)
                    proxy.Arm(committed ? Cut.BehindCommit : Cut.BeforeCommit, 1, thenRefuse: staysOpen);
                if (staysOpen && n is (2 or 3))
                {
                    Assert.Throws<StorageUnavailableException>(() => journal.Append(batch));
                    proxy.Heal();
                }
                Patiently(() => journal.Append(batch));
                Assert.Equal(Convert.ToHexString(chain.Hash), Convert.ToHexString(journal.End.Hash));
            }
            Assert.Equal(2, proxy.Cuts);
        }
        using var again = new PostgresJournal(database);
        Assert.Equal((4L, Convert.ToHexString(chain.Hash)), (again.End.Number, Convert.ToHexString(again.End.Hash)));
        Assert.Equal([1L, 2, 3, 4], again.Entries(0, 10).Select(e => e.Position));
        Assert.Empty(again.CheckLedger(_ => { }));
    }

    [PostgresFact]
    public void A_commit_that_never_arrived_is_repeated()
    {
        var database = server.NewDatabase();
        using var proxy = new CuttingProxy(server.Socket);
        using (var journal = new PostgresJournal(proxy.Through(database)))
        {
            journal.Append(Batches.Event(1, 7));
            proxy.Arm(Cut.BeforeCommit, 2);
            journal.Append(Batches.Event(2, 7));
            Assert.Equal((2, 2L), (proxy.Cuts, journal.Position));
        }
        RequireOnce(database, 2);
    }

    [PostgresTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_stays_open_is_settled_when_the_batch_comes_again(bool committed)
    {
        var database = server.NewDatabase();
        using var proxy = new CuttingProxy(server.Socket);
        using (var journal = new PostgresJournal(proxy.Through(database)))
        {
            journal.Append(Batches.Event(1, 7));
            var batch = Batches.Event(2, 7);
            // Nothing gets through behind the cut: what became of the batch cannot be asked.
            proxy.Arm(committed ? Cut.BehindCommit : Cut.BeforeCommit, 1, thenRefuse: true);
            var error = Assert.Throws<StorageUnavailableException>(() => journal.Append(batch));
            Assert.Contains("check server and network", error.Message, StringComparison.Ordinal);
            Assert.Throws<StorageUnavailableException>(() => journal.Append(batch));
            proxy.Heal();
            Patiently(() => journal.Append(batch));
            Assert.Equal(2, journal.Position);
            journal.Append(Batches.Event(3, 7));
        }
        RequireOnce(database, 3);
    }

    [PostgresFact]
    public void States_and_receipts_share_the_fate_of_their_batch()
    {
        var database = server.NewDatabase();
        using var proxy = new CuttingProxy(server.Socket);
        using var journal = new PostgresJournal(proxy.Through(database));
        var store = new ClusterStore(journal);
        var epoch = store.ClaimEpoch(1);
        var key = new TwinKey(TwinKind.Meter, 7);
        for (var n = 1; n <= 4; n++)
        {
            proxy.Arm(n % 2 == 0 ? Cut.BehindCommit : Cut.BeforeCommit, 1);
            var twin = new TwinRow(key, 1, n, false, new[] { (byte)n });
            store.Append(Batches.Event(n, 7),
                new ClusterCommit(epoch, [twin], [(new Guid(n, 0, 0, new byte[8]), [(byte)n])]));
        }
        Assert.Equal(4, proxy.Cuts);
        Assert.Equal([4], store.LoadTwin(key)!.Value.State.ToArray());
        Assert.Equal([1, 2, 3, 4], Enumerable.Range(1, 4).Select(n => store.Receipt(new Guid(n, 0, 0, new byte[8]))![0]
            + 0));
        // A write of states alone is settled like any other.
        proxy.Arm(Cut.BehindCommit, 1, thenRefuse: true);
        var empty = new JournalBatch(5);
        var commit = new ClusterCommit(epoch, [], [(new Guid(5, 0, 0, new byte[8]), [5])]);
        Assert.Throws<StorageUnavailableException>(() => store.Append(empty, commit));
        proxy.Heal();
        Patiently(() => store.Append(empty, commit));
        Assert.Equal([5], store.Receipt(new Guid(5, 0, 0, new byte[8])));
    }

    /// <summary>
    /// Again until the server is spoken to: after many failures in a row the journal leaves it alone for a second.
    /// </summary>
    internal static void Patiently(Action work)
    {
        const int mostTries = 2_000_000;
        for (var tries = 0; ; tries++)
        {
            try
            {
                work();
                return;
            }
            catch (StorageUnavailableException) when (tries < mostTries)
            {
            }
        }
    }
}
