using Twin.Hardware.Attestation;

namespace Twin.Detection.Specification;

/// <summary>How a quote's log stands to what was accepted before.</summary>
public enum ChainVerdict : byte
{
    /// <summary>It goes on where the last accepted quote ended.</summary>
    Follows = 0,
    /// <summary>It ends before what is already known: an older quote that came late, or a log that was rolled back.
    /// </summary>
    Behind = 1,
    /// <summary>Digests do not lead from the head before to the head that the quote names.</summary>
    Broken = 2,
    /// <summary>The chain is whole but is not the one accepted before: a fork.</summary>
    Forked = 3,
    /// <summary>Entry numbers are not one after the other.</summary>
    Gap = 4,
    /// <summary>Entries between the accepted head and the quote's first are gone, and no checkpoint covers them.
    /// </summary>
    Truncated = 5,
}

/// <summary>
/// The attestation log as accepted: number and head of the last entry, and the last countersigned checkpoint.
/// </summary>
public readonly record struct ChainMark(uint Seq, Digest Head, uint CheckpointSeq, Digest CheckpointHead);

/// <summary>
/// Invariants I1 (the chain verifies from the last accepted head), I2 (numbers rise by one) and I8 (truncation at a
/// countersigned checkpoint only). A power cut during an append loses at most the entry that was not committed: the
/// number is then given to the next one, so that neither gap nor fork is ever honest.
/// </summary>
public static class ChainCheck
{
    /// <summary>
    /// Judges a quote; <paramref name="firstNew"/> is the index of its first entry that was not known before.
    /// </summary>
    public static ChainVerdict Judge(CakQuote quote, in ChainMark? known, out int firstNew)
    {
        firstNew = 0;
        var seq = (long)quote.FirstSeq - 1;
        var head = quote.BaseHead;
        var meets = known is not { } mark || seq == mark.Seq && head == mark.Head;
        var forks = known is { } k && seq == k.Seq && head != k.Head;
        for (var i = 0; i < quote.Entries.Length; i++)
        {
            var entry = quote.Entries[i];
            if (entry.Seq != seq + 1) return ChainVerdict.Gap;
            head = entry.HeadAfter(head);
            seq++;
            if (known is not { } m || seq != m.Seq) continue;
            meets = head == m.Head;
            forks |= !meets;
            firstNew = i + 1;
        }
        if (head != quote.Head) return ChainVerdict.Broken;
        if (seq > quote.LastSeq) return ChainVerdict.Gap;
        if (forks) return ChainVerdict.Forked;
        if (known is not { } last || meets) return ChainVerdict.Follows;
        if (seq < last.Seq) return ChainVerdict.Behind;
        return LiesBehindCheckpoint(quote, last) ? ChainVerdict.Follows : ChainVerdict.Truncated;
    }

    private static bool LiesBehindCheckpoint(CakQuote quote, in ChainMark known) => known.CheckpointSeq != 0
        && quote.FirstSeq == known.CheckpointSeq + 1L && quote.BaseHead == known.CheckpointHead;
}
