using System.Collections.Concurrent;
using Twin.Grains;

namespace Twin.Silo.Engine;

/// <summary>A batch under way to the disk, and who waits for it.</summary>
internal sealed record PendingCommit(JournalBatch Batch, Admission[] Items, Consequences Consequences,
    TaskCompletionSource<AppendReceipt>? Done, int? ClosedThrough);

/// <summary>
/// The one thread that commits. While it syncs a batch the next one is being judged. When the disk is full it
/// acknowledges nothing, says so, and tries again: the batch in hand is the only thing that memory has and the disk has
/// not, so nothing needs to be taken back.
/// </summary>
internal sealed class JournalWriter : IDisposable
{
    /// <summary>Batches judged but not committed; the sequencer waits beyond.</summary>
    private const int MaxPending = 2;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(200);
    private readonly IJournal _journal;
    private readonly Action<JournalBatch> _append;
    private readonly BlockingCollection<PendingCommit> _queue = new(MaxPending);
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;
    private readonly Action<Consequences, long> _committed;
    private readonly SemaphoreSlim _progress = new(0);
    private int _pending;
    private Exception? _fatal;

    /// <param name="journal">The journal.</param>
    /// <param name="append">
    /// Commits a batch to it, in one transaction, as <see cref="IJournal.Append"/> does.
    /// </param>
    /// <param name="committed">Hears of each batch that is committed.</param>
    public JournalWriter(IJournal journal, Action<JournalBatch> append, Action<Consequences, long> committed)
    {
        (_journal, _append) = (journal, append);
        _committed = committed;
        _thread = new Thread(Run) { IsBackground = true, Name = "journal" };
        _thread.Start();
    }

    /// <summary>Why nothing is acknowledged now; null when all is well.</summary>
    public string? Error { get; private set; }

    /// <summary>True after a failure that trying again does not mend.</summary>
    public bool IsStopped => _fatal is not null;

    /// <summary>Hands a batch over; waits while too many are pending.</summary>
    public void Enqueue(PendingCommit commit)
    {
        ThrowIfFatal();
        if (Error is { } waiting) Refuse(commit, waiting, null);
        Interlocked.Increment(ref _pending);
        try
        {
            _queue.Add(commit, _stop.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new StorageUnavailableException(Error ?? "The journal is closing.", e);
        }
    }

    /// <summary>
    /// Waits until all that was handed over is committed and sealed; while the disk refuses, waits or throws as told.
    /// </summary>
    public void Drain(bool throwOnError)
    {
        while (Volatile.Read(ref _pending) > 0)
        {
            ThrowIfFatal();
            if (throwOnError && Error is { } error) throw new StorageUnavailableException(error, null);
            if (_stop.IsCancellationRequested)
                throw new StorageUnavailableException(Error ?? "The journal is closing.", null);
            _progress.Wait(TimeSpan.FromMilliseconds(5));
        }
    }

    private void ThrowIfFatal()
    {
        if (_fatal is { } e) throw new StorageUnavailableException("The journal stopped: " + e.Message, e);
    }

    /// <summary>Gives up on what the disk refuses: it was never acknowledged.</summary>
    public void Abandon() => _stop.Cancel();

    /// <summary>
    /// Tells a sender that its batch is not acknowledged. It may yet commit; sent again, it is a duplicate then.
    /// </summary>
    private static void Refuse(PendingCommit commit, string why, Exception? e) =>
        commit.Done?.TrySetException(new StorageUnavailableException(why, e));

    private void Run()
    {
        PendingCommit? inHand = null;
        try
        {
            foreach (var commit in _queue.GetConsumingEnumerable())
            {
                inHand = commit;
                if (!Commit(commit)) return;
                Interlocked.Decrement(ref _pending);
                if (_progress.CurrentCount == 0) _progress.Release();
            }
        }
        catch (Exception e)
        {
            _fatal = e;
            Error = "The journal stopped: " + e.Message;
            if (inHand is not null) Refuse(inHand, Error, e);
            while (_queue.TryTake(out var rest)) Refuse(rest, Error, e);
            _stop.Cancel();
        }
    }

    private bool Commit(PendingCommit commit)
    {
        var acknowledged = true;
        while (true)
        {
            try
            {
                if (!commit.Batch.IsEmpty) _append(commit.Batch);
                Error = null;
                break;
            }
            catch (StorageUnavailableException e)
            {
                Error = e.Message;
                acknowledged = false;
                Refuse(commit, e.Message, e);
                foreach (var behind in _queue) Refuse(behind, e.Message, e);
                if (_stop.Token.WaitHandle.WaitOne(RetryAfter)) return false;
            }
        }
        _committed(commit.Consequences, commit.Batch.IsEmpty ? _journal.Position : commit.Batch.LastPosition);
        if (acknowledged) commit.Done?.TrySetResult(new AppendReceipt(commit.Items, _journal.Position));
        if (commit.ClosedThrough is { } day) Seal(day);
        return true;
    }

    /// <summary>
    /// Sealing may fail for want of space; the tail keeps what it has, and the next closing tries again. No reason to
    /// refuse batches: when they find no space either, they say so themselves.
    /// </summary>
    private void Seal(int closedThrough)
    {
        try
        {
            _journal.Compact(closedThrough, everything: false);
        }
        catch (StorageUnavailableException)
        {
        }
    }

    public void Dispose()
    {
        _queue.CompleteAdding();
        if (Error is not null) _stop.Cancel();
        _thread.Join();
        _queue.Dispose();
        _progress.Dispose();
        _stop.Dispose();
    }
}
