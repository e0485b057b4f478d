using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Silo.Engine;
using Twin.Silo.Storage;
using LedgerSamples = Twin.Silo.Tests.Contracts.LedgerSamples;

namespace Twin.Silo.Tests.Engine;

/// <summary>When a ledger is sealed, whichever engine does it.</summary>
public sealed class LedgerSealerTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private SqliteJournal Open() => new(_directory.Sub("journal.db"));

    private LedgerKey Key() => LedgerKey.OpenOrMake(_directory.Sub("ledger.key"));

    private static void Record(SqliteJournal journal, IEnumerable<LedgerEntry> entries)
    {
        var batch = new JournalBatch(journal.Position + 1);
        batch.Add(Feed.Event(1, (int)journal.Position).ToBytes(), 0, false);
        batch.Ledger.AddRange(entries.Select(e => e.ToBytes()));
        journal.Append(batch);
    }

    /// <summary>Cases that change at a minute.</summary>
    private static IEnumerable<LedgerEntry> Cases(int count, int minute) => Enumerable.Range(1, count)
        .Select(n => LedgerSamples.Story(n, minute)[0]);

    private static long[] Sealed(SqliteJournal journal) => [.. journal.Seals(0, 100).Select(s => s.Number)];

    [Fact]
    public void It_is_sealed_after_an_hour_of_its_own_time_and_after_many_entries()
    {
        using var key = Key();
        using var journal = Open();
        var sealer = new LedgerSealer(journal, key);
        sealer.SealInTime();
        Assert.Empty(Sealed(journal));
        foreach (var (count, minute, expected) in ((int, int, long[])[])[(1, 0, [1]), (5, 59, [1]), (1, 60, [1, 7]),
            (LedgerSealer.MaxEntries - 1, 61, [1, 7]), (1, 61, [1, 7, 7 + LedgerSealer.MaxEntries]),
            (1, 120, [1, 7, 7 + LedgerSealer.MaxEntries]),
            (1, 121, [1, 7, 7 + LedgerSealer.MaxEntries, 9 + LedgerSealer.MaxEntries])])
        {
            Record(journal, Cases(count, minute));
            sealer.SealInTime();
            sealer.SealInTime();
            Assert.Equal(expected, Sealed(journal));
        }
        Assert.Empty(journal.CheckLedger(_ => { }));
    }

    [Fact]
    public void A_new_start_goes_on_from_the_last_seal()
    {
        using var key = Key();
        using (var journal = Open())
        {
            Record(journal, Cases(1, 0));
            new LedgerSealer(journal, key).SealInTime();
            Record(journal, Cases(2, 30));
        }
        using var again = Open();
        Assert.Equal((3L, Soc.Samples.At.Seconds + 1_800), (again.KnownEnd.Chain.Number, again.KnownEnd.At.Seconds));
        var sealer = new LedgerSealer(again, key);
        sealer.SealInTime();
        Assert.Equal([1], Sealed(again));
        sealer.Seal();
        Assert.Equal([1, 3], Sealed(again));
    }
}
