using System.Collections.Concurrent;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Engine;

/// <summary>
/// What every engine does with a batch, whatever hosts its twins: one thread takes batches in turn, lets the plane of
/// twins admit and apply them, closes the days that the watermark has passed, and hands the result to the
/// <see cref="JournalWriter"/>, which commits and answers.
/// </summary>
internal sealed partial class Sequencer : IDisposable
{
    /// <summary>Requests waiting for the sequencer; callers wait beyond.</summary>
    public const int MaxWaiting = 64;

    private readonly IJournal _journal;
    private readonly ITwinPlane _plane;
    private readonly JournalWriter _writer;
    private readonly BlockingCollection<Action> _requests = new(MaxWaiting);
    private readonly Thread _thread;
    private readonly Counters _counters = new();
    private readonly Queue<(long Position, ContentKey Key)> _recentKeys = new();
    private readonly HashSet<ContentKey> _recentSet = [];
    private Watermark _watermark;
    private bool _imports;
    private readonly int _horizonDays;
    private readonly Action _between;
    private readonly Action<ReadOnlyMemory<byte>>? _onScore;
    private long _position;
    private long _meters, _twins;
    private string? _fatal;

    /// <summary>Twins have seen a part of the batch in hand: there is no turning back.</summary>
    private bool _isHalfWay;

    /// <summary>Closed days. Half way through a batch there is no turning back: it waits for the disk.</summary>
    public IRecall Recall { get; }

    private sealed class Counters
    {
        public long Readings, Duplicates, Revisions, Late, Rejected, Findings;
    }

    /// <param name="journal">Where it is committed; stays the caller's.</param>
    /// <param name="append">Commits a batch; see <see cref="JournalWriter"/>.</param>
    /// <param name="plane">The twins, as they are at the journal's end; stay the caller's.</param>
    /// <param name="horizonDays">Days that a local day stays open for stragglers.</param>
    /// <param name="between">Housekeeping between two batches; must not throw.</param>
    /// <param name="onScore">Observes scores as they commit.</param>
    public Sequencer(IJournal journal, Action<JournalBatch> append, ITwinPlane plane, int horizonDays, Action between,
        Action<ReadOnlyMemory<byte>>? onScore)
    {
        (_journal, _plane, _horizonDays, _between, _onScore) = (journal, plane, horizonDays, between, onScore);
        _watermark = Watermark.Read(journal.Marks);
        _position = journal.Position;
        CountTwins();
        _writer = new JournalWriter(journal, append, OnCommitted);
        Recall = new JournalRecall(journal, () => _writer.Drain(throwOnError: false));
        _thread = new Thread(RunRequests) { IsBackground = true, Name = "sequencer" };
        _thread.Start();
    }

    /// <summary>Journalled bytes since the last snapshot, which sets it back to 0.</summary>
    public long BytesSinceSnapshot { get; set; }

    /// <summary>The last position that has been judged; the sequencer's own thread only.</summary>
    public long JudgedPosition => _position;

    public int ClosedThrough => _watermark.ClosedThrough;

    /// <summary>Why the engine stopped half way through a batch; null when it did not.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Why nothing is acknowledged now; null when all is well.</summary>
    public string? Error => _fatal ?? _writer.Error;

    /// <summary>True when it will take no batch any more: it failed half way, or the journal is another's.</summary>
    public bool IsStopped => _fatal is not null || _writer.IsStopped || IsClosed;

    public bool IsClosed => _requests.IsAddingCompleted;

    public FleetStatus Status(string engine) => new(
        _fatal is null, engine, _journal.Position, _watermark.Minute is { } m ? UnixTime.FromMinutes(m) : null,
        _watermark.ClosedThrough == int.MinValue ? null : _watermark.ClosedThrough, Volatile.Read(ref _meters),
        Volatile.Read(ref _twins),
        Volatile.Read(ref _counters.Readings), Volatile.Read(ref _counters.Duplicates),
        Volatile.Read(ref _counters.Revisions),
        Volatile.Read(ref _counters.Late), Volatile.Read(ref _counters.Rejected), Volatile.Read(ref _counters.Findings),
        _plane.Partitions, Error);

    public void CountTwins() => (_meters, _twins) = (_plane.Count(TwinKind.Meter), _plane.Count(null));

    /// <param name="batch">The inputs.</param>
    /// <param name="name">What the sender calls this append; see <see cref="JournalBatch.Receipt"/>.</param>
    /// <param name="cancel">Gives up the waiting for a place in the queue.</param>
    public ValueTask<AppendReceipt> Append(InputBatch batch, Guid? name, CancellationToken cancel)
    {
        if (batch.Count > InputBatch.MaxItems || batch.ByteCount > InputBatch.MaxBytes)
            throw new ArgumentException($"A batch holds at most {InputBatch.MaxItems} items and {InputBatch.MaxBytes} "
                + $"bytes; send it in parts.", nameof(batch));
        if (Error is { } error) throw new StorageUnavailableException(error, null);
        var done = new TaskCompletionSource<AppendReceipt>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(() => Process(batch, name, done), e => done.TrySetException(e), changesTwins: true, cancel);
        return new ValueTask<AppendReceipt>(done.Task);
    }

    /// <summary>
    /// From now on batches are those of another journal, in its order: days close where it closed them, and not by the
    /// watermark. <see cref="EndImport"/> takes over its watermark.
    /// </summary>
    /// <exception cref="InvalidOperationException">This journal is not empty.</exception>
    public Task<bool> BeginImport() => Ask(() => _position <= 1 ? _imports = true
        : throw new InvalidOperationException("Only an empty journal can take in another."));

    /// <param name="marks">The watermark of the other journal; see <see cref="IJournal.Marks"/>.</param>
    public Task<bool> EndImport(byte[] marks) => Ask(() =>
    {
        _watermark = Watermark.Read(marks);
        return _imports = false;
    });

    /// <summary>Runs something between two batches: nothing changes meanwhile.</summary>
    public Task<T> Ask<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(() => done.TrySetResult(work()), e => done.TrySetException(e), changesTwins: false,
            CancellationToken.None);
        return done.Task;
    }

    /// <summary>Waits until all that was judged is committed; see <see cref="JournalWriter.Drain"/>.</summary>
    public void Drain(bool throwOnError) => _writer.Drain(throwOnError);

    private void Enqueue(Action work, Action<Exception> failed, bool changesTwins, CancellationToken cancel) =>
        _requests.Add(() =>
    {
        try
        {
            // What waited behind a batch that failed half way must not be judged by what that left in memory.
            if (_fatal is { } error) throw new StorageUnavailableException(error, null);
            _isHalfWay = false;
            work();
        }
        catch (Exception e) when (!changesTwins || (e is StorageUnavailableException && !_isHalfWay))
        {
            failed(e);
        }
        catch (Exception e)
        {
            Stop(e);
            failed(new StorageUnavailableException(_fatal!, e));
        }
    }, cancel);

    /// <summary>
    /// Twins may be half way through something: what is in memory can no longer be trusted. The journal can. The
    /// sequencer's own thread only.
    /// </summary>
    public void Stop(Exception why)
    {
        Failure = why;
        _fatal = $"The engine stopped: {why.Message} Restart it; nothing acknowledged is lost.";
    }

    private void RunRequests()
    {
        foreach (var request in _requests.GetConsumingEnumerable()) request();
    }

    private void OnCommitted(Consequences consequences, long position)
    {
        Interlocked.Add(ref _counters.Findings, consequences.Findings.Count);
        if (_onScore is not { } watch) return;
        foreach (var score in consequences.Scores) watch(score);
    }

    /// <summary>Takes what is queued to its end and stops; what the disk refuses is given up.</summary>
    public void Dispose()
    {
        if (_requests.IsAddingCompleted) return;
        if (_writer.Error is not null) _writer.Abandon();
        _requests.CompleteAdding();
        _thread.Join();
        _writer.Dispose();
    }
}
