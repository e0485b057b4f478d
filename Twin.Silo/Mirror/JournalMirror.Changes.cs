using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Mirror;
using Twin.Silo.Engine;

namespace Twin.Silo.Mirror;

// What is not simply added: revisions where a server keeps every value, erasures; and scores, which the journal holds
// as what they follow from.
internal sealed partial class JournalMirror
{
    /// <summary>Closed days whose scores are sent in one step, and meters asked for at once.</summary>
    private const int MaxScoreDays = 32, MetersAtOnce = 10_000;

    /// <summary>Days of a series that are written again at once.</summary>
    private const int DaysAtOnce = 60;

    /// <summary>The local day of a date begins from 14 hours before to 12 hours behind midnight UTC.</summary>
    private const long LatestStart = 12 * 3_600;

    /// <summary>Meters with a revision in the batch, where the server does not replace; no more than its points.
    /// </summary>
    private readonly HashSet<MeterId> _changed = [];

    private void Add(ReadOnlySpan<byte> input)
    {
        var block = ReadingBlock.Read(input);
        _lines.Readings(block);
        if (block.IsRevision && !_store.Overwrites) _changed.Add(block.Meter);
    }

    /// <summary>
    /// Readings of days before a date go. A server knows instants, not local days: it forgets a few hours more, which
    /// are written again, or all of the meter.
    /// </summary>
    private async Task Forget(Erasure act, CancellationToken cancel)
    {
        var before = Math.Clamp(act.BeforeDay * 86_400L + LatestStart, MirrorLimits.MinSeconds + 1,
            MirrorLimits.MaxSeconds);
        await _store.Forget(act.Meter, new UnixTime(before), cancel);
        await WriteDays(act.Meter, act.BeforeDay,
            _store.Overwrites ? (int)Math.Min(act.BeforeDay + 1L, int.MaxValue) : int.MaxValue, cancel);
    }

    /// <summary>What the journal holds of a meter takes the place of what the server has.</summary>
    private async Task WriteAgain(MeterId meter, int fromDay, int toDay, CancellationToken cancel)
    {
        await _store.Forget(meter, new UnixTime(MirrorLimits.MaxSeconds), cancel);
        await WriteDays(meter, fromDay, toDay, cancel);
    }

    private async Task WriteDays(MeterId meter, int fromDay, int toDay, CancellationToken cancel)
    {
        foreach (var channel in Enum.GetValues<Channel>())
        {
            int first = int.MaxValue, last = int.MinValue;
            _journal.Series(meter, channel, fromDay, toDay, (day, _, _, _) =>
                (first, last) = (Math.Min(first, day.Number), Math.Max(last, day.Number)));
            for (var day = first; day <= last; day += DaysAtOnce)
            {
                _journal.Series(meter, channel, day, Math.Min(last, day + DaysAtOnce - 1),
                    (local, interval, slots, qualities) => _lines.Readings(meter, channel, local.StartMinute, interval,
                        slots, qualities, saysActual: false));
                await Send(cancel);
            }
        }
    }

    /// <summary>
    /// Scores of the next days that closed. The last day's stand in the twins; those of days before, when the mirror
    /// was behind, follow from the journal, meter by meter.
    /// </summary>
    private async Task<bool> StepScores(CancellationToken cancel)
    {
        var closed = _journal.ClosedDays(_scores.At);
        if (closed.Count == 0) return false;
        var part = closed.Take(MaxScoreDays).ToList();
        var isLast = part.Count == closed.Count;
        var firstDay = part.Min(c => c.Day);
        for (ulong after = 0; ;)
        {
            var keys = await _source.Fleet.Keys(TwinKind.Meter, after, MetersAtOnce, cancel);
            foreach (var key in keys)
            {
                await AddScores(new MeterId(key.Id), part[^1], firstDay, isLast, cancel);
                if (_lines.IsFull) await Send(cancel);
            }
            if (keys.Count < MetersAtOnce) break;
            after = keys[^1].Id;
        }
        await Send(cancel);
        _scores.Reached(part[^1].Position, Second);
        return true;
    }

    private async Task AddScores(MeterId meter, (int Day, long Position) last, int firstDay, bool isLast,
        CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (await _source.Fleet.State(meter.Twin, AsOf.Now, cancel) is not { } state) return;
        var card = MeterCard.From(meter.Twin, state);
        if (card.ScoreDay is not { } day || day < firstDay) return;
        if (isLast && firstDay == last.Day && day == firstDay) _lines.Score(meter, day, card.Score);
        else PastTwin.Scores(_journal, _source.Factory, meter, firstDay, last.Position,
            score => _lines.Score(meter, score.Day, score.Score));
    }
}

/// <summary>What is mirrored: an engine, its journal, and what rebuilds the past of its twins.</summary>
internal sealed record MirrorSource(IFleet Fleet, IJournal Journal, ITwinFactory Factory);

/// <summary>
/// The names under which the ledger keeps how far a mirror has come; a server and bucket that were not there before
/// begin at the beginning. Those with <c>at-</c> count in positions of the journal.
/// </summary>
internal sealed record MirrorReaders(string Readings, string Scores, string Findings)
{
    public static MirrorReaders Of(IMirrorStore store)
    {
        var id = $"mirror/{StableHash.Of(store.Name):x16}";
        return new MirrorReaders($"{id}/at-readings", $"{id}/at-scores", $"{id}/findings");
    }

    /// <summary>Everything is sent again.</summary>
    public void Reset(Grains.Ledger.ILedgerSource ledger)
    {
        foreach (var reader in (string[])[Readings, Scores, Findings]) ledger.SetCursor(reader, 0, reset: true);
    }
}
