using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage;

namespace Twin.Silo.Engine;

/// <summary>
/// When an engine seals its ledger: when there is enough of it, or when the last seal is long ago by the entries' own
/// time. Between two batches, on the sequencer's thread.
/// </summary>
internal sealed class LedgerSealer(SqlJournal journal, LedgerKey key)
{
    /// <summary>Entries after which the ledger is sealed anew, and event time after which it is, s.</summary>
    public const int MaxEntries = 1_024, MaxSeconds = 3_600;

    /// <summary>The last entry that is sealed, as far as is known here; null before the first look.</summary>
    private (long Number, UnixTime At)? _sealed;

    /// <summary>Seals up to what is committed.</summary>
    /// <exception cref="StorageUnavailableException">The seal was not stored; the next attempt makes it.</exception>
    public void Seal()
    {
        if (journal.SealLedger(key.Seal) is { } seal) _sealed = (seal.Number, seal.At);
    }

    /// <exception cref="StorageUnavailableException">The seal was not stored; the next attempt makes it.</exception>
    public void SealInTime()
    {
        var end = journal.KnownEnd;
        var (number, at) = _sealed ??= journal.LastSeal is { } last ? (last.Number, last.At) : (0, default);
        if (end.Chain.Number <= number) return;
        if (end.Chain.Number - number >= MaxEntries || end.At.Seconds - at.Seconds >= MaxSeconds) Seal();
    }
}
