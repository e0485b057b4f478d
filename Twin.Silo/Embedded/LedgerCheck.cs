using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Silo.Storage;

namespace Twin.Silo.Embedded;

/// <summary>
/// Checks the ledger of a directory: in itself (chain, seals, lists), its decisions by making them again, and all of it
/// against what the journal gives. Where entries of a batch stand among each other is the ledger's to say: the journal
/// does not have it, so that they are compared as a heap.
/// </summary>
internal sealed class LedgerCheck
{
    private readonly LedgerReplay _replay = new();

    /// <summary>How many entries of the same bytes the rebuilt twins stated, by digest.</summary>
    private readonly Dictionary<ContentKey, int> _given = [];

    public LedgerReport Report { get; private set; } = new(0, "", 0, 0, 0, []);

    public void Run(SqlJournal journal, Action<string> problem)
    {
        var found = new List<string>();
        var problems = journal.CheckLedger(entry =>
        {
            if (_replay.Problem(entry) is { } p && found.Count < Verifier.MaxDifferences)
                found.Add($"entry {entry.Number}: {p}");
        });
        foreach (var p in problems) problem("ledger: " + p);
        foreach (var p in found) problem("ledger: " + p);
        var end = journal.End;
        var (keys, last) = (new List<string>(), 0L);
        foreach (var seal in journal.AllSeals())
        {
            var key = LedgerSeal.FingerprintOf(seal.Key);
            if (!keys.Contains(key)) keys.Add(key);
            last = seal.Number;
        }
        Report = new LedgerReport(end.Number, Convert.ToHexStringLower(end.Hash), _replay.Decided, _replay.Others, last,
            keys);
    }

    /// <summary>What rebuilt twins state.</summary>
    public void Give(IEnumerable<byte[]> entries)
    {
        foreach (var entry in entries)
        {
            var digest = ContentKey.Of(entry);
            _given[digest] = _given.GetValueOrDefault(digest) + 1;
        }
    }

    /// <summary>Entries after a position against what was given.</summary>
    public void Compare(SqlJournal journal, long from, Action<string> problem)
    {
        foreach (var entry in journal.EntriesAfter(0).Where(e => e.Position > from))
        {
            var digest = ContentKey.Of(entry.Entry.ToBytes());
            if (!_given.TryGetValue(digest, out var count))
                problem($"ledger: entry {entry.Number} ({entry.Entry.Kind}) is recorded but the journal does not "
                    + "give it");
            else if (count == 1) _given.Remove(digest);
            else _given[digest] = count - 1;
        }
        if (_given.Count > 0)
            problem($"ledger: {_given.Values.Sum()} entries follow from the journal but are not recorded");
    }
}
