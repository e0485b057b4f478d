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
    bool All, int Limit)
{
    public Disposition? Disposition { get; init; }

    /// <summary>The mildest that is asked for.</summary>
    public Severity? AtLeast { get; init; }

    public string? Assignee { get; init; }

    public string? Feeder { get; init; }

    /// <summary>One of its kinds of finding.</summary>
    public FindingKind? Kind { get; init; }

    /// <summary>Part of the subject's name or of the sentence, in any case.</summary>
    public string? Text { get; init; }

    /// <summary>Only what lies in these regions; empty: everywhere.</summary>
    public IReadOnlyList<string> Regions { get; init; } = [];

    public CaseOrder Order { get; init; }

    /// <summary>Goes on behind that place; null: from the beginning.</summary>
    public CasePlace? After { get; init; }

    /// <summary>Only this case; number 0: the newest of the twin.</summary>
    public (TwinKey Case, int Number)? One { get; init; }
}

/// <summary>Orders of a list of cases; each goes on by change, then by id.</summary>
public enum CaseOrder { Changed, Severity, Opened }

/// <summary>Where a list of cases goes on: what the last one is ordered by, and which it was.</summary>
public readonly record struct CasePlace(long Severity, long Seconds, ulong Id, int Number);

/// <summary>
/// A case as the list has it. <paramref name="Region"/> and <paramref name="Feeder"/>: of its subject as known last,
/// empty when not known. <paramref name="Responses"/>: as recorded last, oldest first, without undoings.
/// </summary>
public sealed record ListedCase(CaseSnapshot Case, string Region, string Feeder,
    IReadOnlyList<ResponseRecord> Responses);

/// <summary>Which responses; null means any. Newest proposal first, at most <paramref name="Limit"/>
/// (10,000).</summary>
public sealed record ResponseQuery(ResponseState? State, TwinKey? Case, TwinKey? Subject, int Limit)
{
    /// <summary>Only what waits for people: approvals are missing, or it is held.</summary>
    public bool Waiting { get; init; }

    /// <summary>Only what lies in these regions; empty: everywhere.</summary>
    public IReadOnlyList<string> Regions { get; init; } = [];

    /// <summary>Goes on behind that place: when it was proposed, case, number.</summary>
    public (long Seconds, ulong Id, int Number)? After { get; init; }
}

/// <summary>A response and the region of its subject.</summary>
public sealed record ListedResponse(ResponseRecord Response, string Region);

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

    /// <summary>The newest entries of one case, ascending.</summary>
    IReadOnlyList<StoredEntry> LastOf(TwinKey caseKey, int limit);

    /// <summary>Cases as they stand after the last commit.</summary>
    IReadOnlyList<CaseSnapshot> Cases(CaseQuery query);

    /// <summary>The same with what stands beside them.</summary>
    IReadOnlyList<ListedCase> Find(CaseQuery query);

    /// <summary>How many cases a query without its place and limit has; null: more than <paramref name="most"/>.
    /// </summary>
    int? Count(CaseQuery query, int most);

    /// <summary>
    /// Each case twin's last entry up to a time, newest change first: the cases as they were known then.
    /// </summary>
    IReadOnlyList<CaseSnapshot> CasesAsOf(UnixTime at, int limit);

    /// <summary>Responses as recorded last, without undoings.</summary>
    IReadOnlyList<ListedResponse> Responses(ResponseQuery query);

    /// <summary>Seals after a number, ascending, at most so many (10,000).</summary>
    IReadOnlyList<LedgerSeal> Seals(long after, int limit);

    /// <summary>How far a reader of that name has come; 0 when it never read.</summary>
    long Cursor(string reader);

    /// <summary>Keeps it, synced. A cursor never goes back but by <paramref name="reset"/>.</summary>
    void SetCursor(string reader, long number, bool reset);
}
