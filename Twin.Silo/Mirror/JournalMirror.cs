using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Ingest.Mirror;

namespace Twin.Silo.Mirror;

/// <summary>How a mirror stands. <paramref name="Lag"/>: positions of the journal that the server has not yet.
/// <paramref name="LastError"/>: empty when the last try went well.</summary>
internal sealed record MirrorStatus(string Name, long Position, long Lag, long ScoresPosition, long FindingsEntry,
    long Points, long Batches, long Retries, long LeftOut, string LastError, int Failures);

/// <summary>
/// Brings a server what the journal holds: readings in the order of positions, scores in that of closed days, findings
/// in that of the ledger, each behind a cursor of its own. It reads what is committed and nobody waits for it; the
/// journal is what waits to be sent, so that nothing is held here but one page and one batch. Points come at least
/// once, and twice is the same as once. What a server that is killed may have lost is sent again.
/// </summary>
internal sealed partial class JournalMirror
{
    /// <summary>How often a journal that had nothing is looked at again; also the greatest age of a batch.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>Entries of the ledger in one step.</summary>
    private const int MaxEntries = 1_000;

    private readonly IMirrorStore _store;
    private readonly IJournal _journal;
    private readonly TimeProvider _clock;
    private readonly Backoff _backoff;
    private readonly MirrorTrack _readings, _scores, _findings;
    private readonly JournalPage _page = new();
    private readonly LineWriter _lines = new();
    private string? _incarnation;
    private bool _isSure;
    private long _noted, _points, _batches;

    /// <param name="source">What is mirrored.</param>
    /// <param name="store">The server; stays the caller's.</param>
    /// <param name="clock">Of waits, and of what a server needs to be sure.</param>
    /// <param name="jitterSeed">Of the waits.</param>
    public JournalMirror(MirrorSource source, IMirrorStore store, TimeProvider clock, ulong jitterSeed)
    {
        (_source, _store, _journal, _clock) = (source, store, source.Journal, clock);
        _backoff = new Backoff(jitterSeed);
        var readers = MirrorReaders.Of(store);
        _readings = new MirrorTrack(_journal, readers.Readings);
        _scores = new MirrorTrack(_journal, readers.Scores);
        _findings = new MirrorTrack(_journal, readers.Findings);
    }

    private readonly MirrorSource _source;

    /// <summary>Called after each failure and after the first success behind one.</summary>
    public Action<MirrorStatus>? Changed { get; init; }

    /// <summary>Bytes of a page; tests take less.</summary>
    public int PageBytes { get; init; } = JournalPage.MaxBytes;

    public MirrorStatus Status() => new(_store.Name, _readings.At, Math.Max(0, _journal.Position - _readings.At),
        _scores.At, _findings.At, Interlocked.Read(ref _points), Interlocked.Read(ref _batches), _backoff.Retries,
        _lines.LeftOut, _backoff.LastError, _backoff.Failures);

    /// <summary>
    /// Mirrors until it is cancelled; ends normally then. Whatever goes wrong is said, and tried again: a mirror that
    /// ended silently would be missed late.
    /// </summary>
    public Task Run(CancellationToken cancel) => _backoff.Repeat(Step, static e => e is not OperationCanceledException,
        () => Changed?.Invoke(Status()), Look, _clock, cancel);

    /// <summary>Sends what there is, up to a page. True: there may be more.</summary>
    /// <exception cref="MirrorException">The server is away, or refused; the next step goes on from there.</exception>
    public async Task<bool> Step(CancellationToken cancel)
    {
        if (!_isSure) await LookForRestart(cancel);
        _isSure = false;
        _lines.Clear();
        _changed.Clear();
        var more = await StepReadings(cancel);
        more |= await StepScores(cancel);
        more |= await StepFindings(cancel);
        _isSure = true;
        if (!more || Second != _noted) await Note(cancel);
        return more;
    }

    private long Second => _clock.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>A server that was started anew may have lost what it had not settled.</summary>
    private async Task LookForRestart(CancellationToken cancel)
    {
        if (_store.Settles == TimeSpan.Zero) return;
        var now = await _store.Incarnation(cancel);
        if (_incarnation is { } before && before != now)
            foreach (var track in (MirrorTrack[])[_readings, _scores, _findings]) track.GoBack();
        _incarnation = now;
    }

    /// <summary>Makes durable how far the server surely is.</summary>
    private async Task Note(CancellationToken cancel)
    {
        MirrorTrack[] tracks = [_readings, _scores, _findings];
        _noted = Second;
        if (!tracks.Any(t => t.IsWaiting)) return;
        await LookForRestart(cancel);
        // A second begins before what happens in it: one more is waited for where there is a time to wait.
        var sure = _noted - (long)_store.Settles.TotalSeconds - (_store.Settles > TimeSpan.Zero ? 1 : 0);
        foreach (var track in tracks)
            if (track.SureBefore(sure) is { } place) track.Note(place);
    }

    private async Task<bool> StepReadings(CancellationToken cancel)
    {
        var after = _readings.At;
        if (after >= _journal.Position) return false;
        _page.Read(_journal, after, PageBytes);
        for (var i = 0; i < _page.Count; i++)
        {
            var position = _page.PositionOf(i);
            if (Envelope.Read(_page[i]).Kind == InputKind.Erasure)
            {
                var act = (Erasure)Input.Read(_page[i]);
                await Flush(cancel);
                await Forget(act, cancel);
                _readings.Reached(position, Second);
                continue;
            }
            Add(_page[i]);
            if (!_lines.IsFull) continue;
            await Flush(cancel);
            _readings.Reached(position, Second);
        }
        await Flush(cancel);
        _readings.Reached(_page.Through, Second);
        return _page.Through > after;
    }

    private async Task<bool> StepFindings(CancellationToken cancel)
    {
        var entries = _journal.Entries(_findings.At, MaxEntries);
        if (entries.Count == 0) return false;
        foreach (var entry in entries)
        {
            if (entry.Entry.Kind == LedgerKind.Report && Report.Read(entry.Entry.Body).Finding is { } finding)
                _lines.Finding(finding);
            if (_lines.IsFull) await Flush(cancel);
        }
        await Flush(cancel);
        _findings.Reached(entries[^1].Number, Second);
        return true;
    }

    /// <summary>Sends the batch, then again whole what a server cannot change in place.</summary>
    private async Task Flush(CancellationToken cancel)
    {
        await Send(cancel);
        foreach (var meter in _changed) await WriteAgain(meter, int.MinValue, int.MaxValue, cancel);
        _changed.Clear();
    }

    private async Task Send(CancellationToken cancel)
    {
        if (_lines.Points == 0) return;
        await _store.Write(_lines.Lines, cancel);
        Interlocked.Add(ref _points, _lines.Points);
        Interlocked.Increment(ref _batches);
        _lines.Clear();
    }
}
