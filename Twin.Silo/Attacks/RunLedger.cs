using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Silo.Attacks;

/// <summary>
/// The ledger of one run, in memory: a run is looked at and thrown away, so that its entries have no hashes.
/// </summary>
internal sealed class RunLedger : ILedgerSource
{
    /// <summary>A run that writes more has lost its way.</summary>
    private const int MaxEntries = 2_000_000;

    private readonly List<StoredEntry> _entries = [];
    private readonly Dictionary<string, long> _cursors = [];
    private readonly Lock _gate = new();

    /// <exception cref="InvalidDataException">There are too many.</exception>
    public void Add(ReadOnlyMemory<byte> entry)
    {
        lock (_gate)
        {
            if (_entries.Count == MaxEntries)
                throw new InvalidDataException($"A run writes over {MaxEntries} entries; something goes round.");
            _entries.Add(new StoredEntry(_entries.Count + 1, [], LedgerEntry.Read(entry.Span), 0));
        }
    }

    public LedgerChain End
    {
        get
        {
            lock (_gate) return _entries.Count == 0 ? LedgerChain.Start : new(_entries.Count, _entries[^1].Hash);
        }
    }

    public IReadOnlyList<LedgerSeal> Seals(long after, int limit) => [];

    public IReadOnlyList<StoredEntry> Entries(long after, int limit)
    {
        lock (_gate) return [.. _entries.Skip((int)Math.Clamp(after, 0, _entries.Count)).Take(limit)];
    }

    public IReadOnlyList<StoredEntry> EntriesOf(TwinKey caseKey, int limit)
    {
        lock (_gate) return [.. _entries.Where(e => e.Entry.Case == caseKey).Take(limit)];
    }

    public IReadOnlyList<CaseSnapshot> Cases(CaseQuery query)
    {
        lock (_gate)
            return [.. _entries.Where(e => e.Entry.Kind == LedgerKind.Case)
                .Select(e => CaseSnapshot.Read(e.Entry.Body)).GroupBy(c => (c.Case, c.Number)).Select(g => g.Last())
                .Where(c => (query.Desk ?? c.Desk) == c.Desk && (query.Condition ?? c.Condition) == c.Condition
                    && (query.Handling ?? c.Handling) == c.Handling && (query.Subject ?? c.Subject) == c.Subject
                    && (query.All || c is { Verdict: Twin.Grains.Policies.CaseVerdict.Open, Placing: Placing.Queued }))
                .OrderByDescending(c => c.ChangedAt.Seconds).Take(query.Limit)];
    }

    public long Cursor(string reader)
    {
        lock (_gate) return _cursors.GetValueOrDefault(reader);
    }

    public void SetCursor(string reader, long number, bool reset)
    {
        lock (_gate) _cursors[reader] = reset ? number : Math.Max(number, _cursors.GetValueOrDefault(reader));
    }
}
