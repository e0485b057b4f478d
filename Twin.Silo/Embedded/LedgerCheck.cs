using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware.Signatures;
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

    /// <param name="own">The directory's further key; null when there is none that can be checked with here.</param>
    public void Run(SqlJournal journal, KnownKey? own, Action<string> problem)
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
        var (keys, last, tally, ownTo) = (new List<string>(), 0L, new SealTally(), 0L);
        foreach (var seal in journal.AllSeals())
        {
            tally.Add(seal, Claimed(seal));
            if (own is not null && seal.Also.All.Any(s => s.KeyId == own.KeyId)) ownTo = seal.Number;
            var key = LedgerSeal.FingerprintOf(seal.Key);
            if (!keys.Contains(key)) keys.Add(key);
            last = seal.Number;
        }
        if (ownTo > 0 && ownTo < last)
            problem($"ledger: seals after entry {ownTo} have no {SignatureRules.NameOf(own!.Algorithm)} signature, and "
                + "the directory has the key: it was taken away, or an edition sealed that makes none. Let edition "
                + "full seal again");
        Report = new LedgerReport(end.Number, Convert.ToHexStringLower(end.Hash), _replay.Decided, _replay.Others, last,
            keys)
        { Signatures = tally.Lines() };
    }

    /// <summary>What a seal has; that none of it is bad the journal's own check has found by then, or said.</summary>
    private static IReadOnlyList<JudgedSignature> Claimed(LedgerSeal seal) =>
    [
        new(SignatureAlgorithm.EcdsaP256, KnownKey.IdOf(seal.Key), SignatureAnswer.Good),
        .. seal.Also.All.Select(s => new JudgedSignature(s.Algorithm, s.KeyId, Edition.Signatures.Knows(s.Algorithm)
            ? SignatureAnswer.Good : SignatureAnswer.UnknownAlgorithm)),
    ];

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
