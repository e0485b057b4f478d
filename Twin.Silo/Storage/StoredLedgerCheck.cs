using Twin.Grains.Cases;
using Twin.Grains.Ledger;

namespace Twin.Silo.Storage;

/// <summary>
/// Holds rows of the ledger against what they say of themselves: numbers without gaps, hashes, seals, the columns that
/// repeat an entry for searching, and the table of cases.
/// </summary>
internal sealed class StoredLedgerCheck(Action<StoredEntry> visit)
{
    private readonly List<string> _problems = [];
    private readonly Queue<LedgerSeal> _seals = [];
    private readonly Dictionary<string, byte[]> _cases = [];
    private LedgerChain _end = LedgerChain.Start;
    private bool _isBroken;
    private long _position, _sealCount, _sealedTo;

    /// <summary>Seals come in the order of their entries, which is that in which they were made.</summary>
    public void Expect(long ordinal, LedgerSeal seal)
    {
        if (ordinal != ++_sealCount)
        {
            _problems.Add(ordinal > _sealCount
                ? $"a seal between entry {_sealedTo} and entry {seal.Number} is missing"
                : $"the seal of entry {seal.Number} does not follow the one of entry {_sealedTo}");
            _sealCount = ordinal;
        }
        _sealedTo = seal.Number;
        _seals.Enqueue(seal);
    }

    public void Row(LedgerRow row)
    {
        if (_isBroken) return;
        var (number, position, kind, caseKind, caseId, at, body, hash, digest) = row;
        // What follows a break proves nothing: one sentence says where it is.
        if (number != _end.Number + 1)
        {
            Break($"entry {_end.Number + 1} is missing: entry {number} follows {_end.Number}");
            return;
        }
        _end = _end.Next(body);
        if (!_end.Hash.AsSpan().SequenceEqual(hash))
        {
            Break($"entry {number} is not what was recorded, or an entry before it was changed, taken out or moved: "
                + "its hash does not follow");
            return;
        }
        if (position < _position || !SqlJournal.PlaceDigest(position, hash).AsSpan().SequenceEqual(digest))
            _problems.Add($"entry {number}: its position or the digest of that was changed");
        while (_seals.TryPeek(out var seal) && seal.Number <= number) CheckSeal(_seals.Dequeue(), at);
        try
        {
            var entry = LedgerEntry.Read(body);
            if ((long)entry.Kind != kind || (long)entry.Case.Kind != caseKind || entry.Case.Id != caseId
                || entry.At.Seconds != at)
                _problems.Add($"entry {number}: the columns beside it do not say what it says");
            _position = position;
            if (entry.Kind == LedgerKind.Case)
                _cases[SqlJournal.CaseRow(CaseSnapshot.Read(entry.Body)).Split(' ')[0]] = entry.Body;
            visit(new StoredEntry(number, hash, entry, position));
        }
        catch (InvalidDataException e)
        {
            _problems.Add($"entry {number} cannot be read: {e.Message}");
        }
    }

    private void CheckSeal(LedgerSeal seal, long at)
    {
        if (seal.IsNewer)
            _problems.Add($"the seal of entry {seal.Number} has signatures of a newer format: check it with the "
                + "MeterTwin that made it");
        else if (seal.Number != _end.Number || seal.At.Seconds != at || !seal.Seals(_end, Edition.Signatures))
            _problems.Add($"the seal of entry {seal.Number} is not its key's signature over the ledger up to there");
    }

    public void Case(string row, byte[] body)
    {
        if (_isBroken) return;
        var id = row.Split(' ')[0];
        if (!_cases.Remove(id, out var last)) _problems.Add($"case {id} is listed, and no entry has it");
        else if (!last.AsSpan().SequenceEqual(body) || row != SqlJournal.CaseRow(CaseSnapshot.Read(last)))
            _problems.Add($"case {id} is listed otherwise than its last entry says");
    }

    /// <summary>Where the ledger and its seals end by what was noted with the last entry and seal.</summary>
    public void Head(LedgerChain end, long seals)
    {
        _hasHead = true;
        if (_isBroken) return;
        if (end.Number > _end.Number)
            _problems.Add($"entry {_end.Number + 1} is missing: {end.Number} were recorded, and the ledger ends at "
                + $"{_end.Number}");
        else if (end.Number != _end.Number || !end.Hash.AsSpan().SequenceEqual(_end.Hash))
            _problems.Add($"entry {_end.Number} is the last, and table ledgerhead says otherwise");
        if (seals > _sealCount)
            _problems.Add($"the seal after that of entry {_sealedTo} is missing: {seals} were made");
    }

    private bool _hasHead;

    /// <summary>A reader that is said to have come further than there is would never hear of what comes.</summary>
    public void Cursor(string reader, long number)
    {
        if (!_isBroken && (number < 0 || number > _end.Number))
            _problems.Add($"reader {reader} is said to have read to entry {number}, and the ledger ends at "
                + $"{_end.Number}");
    }

    /// <summary>All that was found; the rows have all been seen.</summary>
    public IReadOnlyList<string> End()
    {
        if (_isBroken) return _problems;
        if (!_hasHead) _problems.Add($"table ledgerhead does not say that entry {_end.Number} is the last");
        foreach (var seal in _seals)
            _problems.Add($"entry {seal.Number} is sealed, and the ledger ends at {_end.Number}: entries were taken "
                + "off its end");
        foreach (var id in _cases.Keys.Order(StringComparer.Ordinal))
            _problems.Add($"case {id} is in the ledger and not listed");
        return _problems;
    }

    private void Break(string problem)
    {
        _problems.Add(problem);
        _isBroken = true;
    }
}
