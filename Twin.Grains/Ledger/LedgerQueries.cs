using Twin.Grains.Cases;
using Twin.Hardware;

namespace Twin.Grains.Ledger;

/// <summary>
/// An entry as stored. <paramref name="Number"/> counts from 1 without gaps; <paramref name="Hash"/>: see
/// <see cref="LedgerChain"/>. <paramref name="Position"/>: end of the batch of inputs that it committed with.
/// </summary>
public sealed record StoredEntry(long Number, byte[] Hash, LedgerEntry Entry, long Position);

/// <summary>
/// Which cases; null means any. Newest change first, then by id, at most <paramref name="Limit"/> (10,000). Cases that
/// are part of a group, covered by a suppression or logged only come when <paramref name="All"/>.
/// </summary>
public sealed record CaseQuery(Desk? Desk, CaseCondition? Condition, CaseHandling? Handling, TwinKey? Subject,
    bool All, int Limit);

/// <summary>Reading to the end, a page at a time.</summary>
public static class LedgerReading
{
    private const int Page = 10_000;

    /// <summary>Entries after a number, ascending, to the end as it is when it is reached.</summary>
    public static IEnumerable<StoredEntry> EntriesAfter(this ILedgerSource ledger, long after)
    {
        for (IReadOnlyList<StoredEntry> page; (page = ledger.Entries(after, Page)).Count > 0; after = page[^1].Number)
            foreach (var entry in page) yield return entry;
    }

    /// <summary>All seals, ascending.</summary>
    public static IEnumerable<LedgerSeal> AllSeals(this ILedgerSource ledger)
    {
        IReadOnlyList<LedgerSeal> page;
        for (var after = 0L; (page = ledger.Seals(after, Page)).Count > 0; after = page[^1].Number)
            foreach (var seal in page) yield return seal;
    }
}

/// <summary>Where ledger and cases are read: a journal has both.</summary>
public interface ILedgerSource
{
    /// <summary>The last entry; <see cref="LedgerChain.Start"/> when there is none.</summary>
    LedgerChain End { get; }

    /// <summary>Entries after a number, ascending, at most so many (10,000).</summary>
    IReadOnlyList<StoredEntry> Entries(long after, int limit);

    /// <summary>Entries of one case, ascending.</summary>
    IReadOnlyList<StoredEntry> EntriesOf(TwinKey caseKey, int limit);

    /// <summary>Cases as they stand after the last commit.</summary>
    IReadOnlyList<CaseSnapshot> Cases(CaseQuery query);

    /// <summary>Seals after a number, ascending, at most so many (10,000).</summary>
    IReadOnlyList<LedgerSeal> Seals(long after, int limit);

    /// <summary>How far a reader of that name has come; 0 when it never read.</summary>
    long Cursor(string reader);

    /// <summary>Keeps it, synced. A cursor never goes back but by <paramref name="reset"/>.</summary>
    void SetCursor(string reader, long number, bool reset);
}
