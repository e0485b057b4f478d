using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Silo.Storage;
using Twin.Silo.Tests.Soc;

namespace Twin.Silo.Tests.Contracts;

// The ledger: what was appended with batches is one chain, and whatever plain SQL does to it is found.
public abstract partial class JournalContract
{
    private static readonly TwinKey[] s_nothing = [];

    private static void Record(IJournal journal, params LedgerEntry[] entries)
    {
        var batch = Batch(journal, (Event(7, journal.Position + 1), 0, false), (Event(8, 1), 0, false));
        batch.Ledger.AddRange(entries.Select(e => e.ToBytes()));
        journal.Append(batch);
    }

    private static List<string> Check(IJournal journal) => [.. journal.CheckLedger(_ => { })];

    /// <summary>Number, hash, bytes and position of entries.</summary>
    private static List<string> Told(IEnumerable<StoredEntry> entries) => [.. entries.Select(e =>
        $"{e.Number} {Convert.ToHexString(e.Hash)} {Convert.ToHexString(e.Entry.ToBytes())} {e.Position}")];

    private LedgerKey Key(string name = "ledger.key") => LedgerKey.OpenOrMake(Directory.Sub(name));

    [Fact]
    public void Entries_are_one_chain_without_gaps_that_goes_on_after_reopening()
    {
        var (expected, chain, position) = (new List<string>(), LedgerChain.Start, 0L);
        for (var opened = 0; opened < 3; opened++)
        {
            using var journal = Open();
            Assert.Equal((chain.Number, Convert.ToHexString(chain.Hash)),
                (journal.End.Number, Convert.ToHexString(journal.End.Hash)));
            for (var n = 0; n < 3; n++)
            {
                var entries = n == 1 ? [] : LedgerSamples.Story(opened, 10 * opened + n);
                Record(journal, entries);
                position += 2;
                foreach (var bytes in entries.Select(e => e.ToBytes()))
                {
                    chain = chain.Next(bytes);
                    expected.Add($"{chain.Number} {Convert.ToHexString(chain.Hash)} {Convert.ToHexString(bytes)} "
                        + $"{position}");
                }
            }
            Assert.Equal(expected, Told(journal.Entries(0, 1000)));
            Assert.Equal(expected[3..5], Told(journal.Entries(3, 2)));
            Assert.Equal(Convert.ToHexString(chain.Hash), Convert.ToHexString(journal.End.Hash));
            Assert.Empty(Check(journal));
        }
        Assert.Equal(24, chain.Number);
    }

    [Fact]
    public void Entries_of_a_case_come_in_order_and_no_more_than_asked_for()
    {
        using var journal = Open();
        for (var n = 0; n < 6; n++) Record(journal, LedgerSamples.Story(1 + n % 3, n));
        var all = journal.Entries(0, int.MaxValue);
        foreach (var subject in (int[])[1, 2, 3])
        {
            var key = LedgerSamples.Case(subject, Desk.Security, 1, 0).Case;
            var expected = Told(all.Where(e => e.Entry.Case == key));
            Assert.Equal(8, expected.Count);
            Assert.Equal(expected, Told(journal.EntriesOf(key, 100)));
            Assert.Equal(expected[..3], Told(journal.EntriesOf(key, 3)));
            Assert.Empty(journal.EntriesOf(new TwinKey(TwinKind.Meter, key.Id), 100));
        }
        Assert.Empty(journal.Entries(24, 100));
        Assert.Empty(journal.Entries(0, 0));
        Assert.Empty(journal.Entries(0, -1));
    }

    [Fact]
    public void Cases_are_found_by_every_filter_newest_change_first()
    {
        var changes = LedgerSamples.Cases();
        using (var journal = Open())
            foreach (var part in changes.Chunk(25)) Record(journal, [.. part.Select(Samples.Entry)]);
        using var again = Open();
        var newest = changes.Select((c, n) => (c, n)).GroupBy(x => (x.c.Case, x.c.Number))
            .Select(g => g.MaxBy(x => x.n).c).ToList();
        Assert.Equal(88, newest.Count);
        var subjects = newest.Select(c => (TwinKey?)c.Subject).Distinct().Take(4).Append(null).ToArray();
        var found = 0;
        foreach (var desk in (Desk?[])[null, .. Enum.GetValues<Desk>()])
            foreach (var condition in (CaseCondition?[])[null, .. Enum.GetValues<CaseCondition>()])
                foreach (var handling in (CaseHandling?[])[null, .. Enum.GetValues<CaseHandling>()])
                    foreach (var subject in subjects)
                        foreach (var all in (bool[])[true, false])
                            found += Compare(again, newest,
                                new CaseQuery(desk, condition, handling, subject, all, 10_000));
        Assert.True(found > newest.Count);
        foreach (var limit in (int[])[0, 1, 5])
            Compare(again, newest, new CaseQuery(null, null, null, null, true, limit));
        Assert.Equal(s_nothing, again.Cases(new CaseQuery(null, null, null, new TwinKey(TwinKind.Cohort, 1), true, 9))
            .Select(c => c.Case));
        Assert.Empty(Check(again));
    }

    private static int Compare(IJournal journal, List<CaseSnapshot> newest, CaseQuery query)
    {
        var expected = newest.Where(c => (query.Desk ?? c.Desk) == c.Desk
                && (query.Condition ?? c.Condition) == c.Condition && (query.Handling ?? c.Handling) == c.Handling
                && (query.Subject ?? c.Subject) == c.Subject
                && (query.All || c is { Verdict: CaseVerdict.Open, Placing: Placing.Queued }))
            .OrderByDescending(c => c.ChangedAt.Seconds).ThenBy(c => c.Case.Id).ThenBy(c => c.Number)
            .Take(query.Limit).Select(c => Convert.ToHexString(c.ToBytes())).ToList();
        Assert.Equal(expected, journal.Cases(query).Select(c => Convert.ToHexString(c.ToBytes())));
        return expected.Count;
    }

    [Fact]
    public void Seals_are_of_the_last_entry_and_there_is_none_of_what_is_sealed()
    {
        using var key = Key();
        LedgerSeal first;
        using (var journal = Open())
        {
            Assert.Null(journal.SealLedger(key.Seal));
            Record(journal, LedgerSamples.Story(1, 5));
            first = journal.SealLedger(key.Seal)!;
            Assert.Null(journal.SealLedger(key.Seal));
            Assert.Equal((4L, Samples.At), (first.Number, first.At));
            Assert.True(first.Seals(journal.End));
            Record(journal);
            Assert.Null(journal.SealLedger(key.Seal));
        }
        using var again = Open();
        Assert.Null(again.SealLedger(key.Seal));
        Record(again, LedgerSamples.Story(2, 9)[..1]);
        Assert.False(first.Seals(again.End));
        using var other = Key("other.key");
        var second = again.SealLedger(other.Seal)!;
        Assert.True(second.Seals(again.End));
        Assert.Equal((5L, Samples.At.Seconds + 540), (second.Number, second.At.Seconds));
        for (var at = 0; at < second.Key.Length; at++)
        {
            byte[] changed = [.. second.Key];
            changed[at] ^= 4;
            Assert.False((second with { Key = changed }).Seals(again.End));
        }
        static string Tell(LedgerSeal s) => $"{s.Number} {s.At} {Convert.ToHexString([.. s.Key, .. s.Signature])}";
        Assert.Equal([Tell(first), Tell(second)], again.Seals(0, 10).Select(Tell));
        Assert.Equal([Tell(second)], again.Seals(4, 10).Select(Tell));
        Assert.Equal([Tell(first)], again.Seals(0, 1).Select(Tell));
        Assert.Empty(Check(again));
    }

    [Fact]
    public void A_cursor_is_durable_and_never_goes_back_but_by_reset()
    {
        using (var journal = Open())
        {
            Assert.Equal(0, journal.Cursor("a"));
            journal.SetCursor("a", 7, reset: false);
            journal.SetCursor("b", 3, reset: false);
            journal.SetCursor("a", 5, reset: false);
            Assert.Equal((7L, 3L, 0L), (journal.Cursor("a"), journal.Cursor("b"), journal.Cursor("A")));
        }
        using (var journal = Open())
        {
            Assert.Equal((7L, 3L), (journal.Cursor("a"), journal.Cursor("b")));
            journal.SetCursor("a", 2, reset: true);
            journal.SetCursor("b", 4, reset: false);
        }
        using var again = Open();
        Assert.Equal((2L, 4L), (again.Cursor("a"), again.Cursor("b")));
    }
}
