using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Storage;

namespace Twin.Silo.Embedded;

/// <summary>
/// The embedded engine: one process, N shards, one journal writer, bounded queues. One sequencer thread takes batches
/// in turn, lets the shards admit and apply them, closes the days that the watermark has passed, and hands the result
/// to the writer, which commits and answers.
/// </summary>
public sealed partial class EmbeddedFleet : IFleet, IRecall
{
    /// <summary>Requests waiting for the sequencer; callers wait beyond.</summary>
    private const int MaxWaiting = 64;

    private readonly EmbeddedOptions _options;
    private readonly DataDirectory _directory;
    private readonly SqliteJournal _journal;
    private readonly ITwinFactory _factory;
    private readonly TwinHost _host;
    private readonly JournalWriter _writer;
    private readonly BlockingCollection<Action> _requests = new(MaxWaiting);
    private readonly Thread _sequencer;
    private readonly Counters _counters = new();
    private readonly Queue<(long Position, ContentKey Key)> _recentKeys = new();
    private readonly HashSet<ContentKey> _recentSet = [];
    private Watermark _watermark;
    private long _position;
    private long _bytesSinceSnapshot;
    private long _meters, _twins;
    private string? _fatal;
    private readonly Action<string> _log;

    private sealed class Counters
    {
        public long Readings, Duplicates, Revisions, Late, Rejected, Findings;
    }

    /// <summary>Opens the directory, brings every twin back to where the journal ends, and starts.</summary>
    /// <exception cref="DataDirectoryException">The directory cannot be used.</exception>
    public static EmbeddedFleet Open(EmbeddedOptions options, ITwinFactory factory, Action<string>? log)
    {
        var directory = DataDirectory.Open(options.DataPath, mustExist: false);
        SqliteJournal? journal = null;
        try
        {
            journal = new SqliteJournal(directory.JournalFile);
            return new EmbeddedFleet(options, factory, directory, journal, log ?? (_ => { }));
        }
        catch (Exception e)
        {
            journal?.Dispose();
            directory.Dispose();
            if (e is Microsoft.Data.Sqlite.SqliteException or InvalidDataException)
                throw Sql.Damaged($"{directory.JournalFile}: {e.Message}", e);
            throw;
        }
    }

    private EmbeddedFleet(EmbeddedOptions options, ITwinFactory factory, DataDirectory directory, SqliteJournal journal,
        Action<string> log)
    {
        (_options, _factory, _directory, _journal, _log) = (options, factory, directory, journal, log);
        _host = new TwinHost(options.Shards, factory, keepScores: options.OnScore is not null);
        var rebuilt = Rebuilder.Recover(_host, journal, directory.Path, factory.JudgingVersion, log);
        _watermark = Watermark.Read(journal.Marks);
        _position = journal.Position;
        _bytesSinceSnapshot = rebuilt.BytesApplied;
        (_meters, _twins) = (_host.Count(TwinKind.Meter), _host.Count(null));
        _writer = new JournalWriter(journal, OnCommitted);
        _sequencer = new Thread(RunRequests) { IsBackground = true, Name = "sequencer" };
        _sequencer.Start();
        foreach (var (position, act) in journal.UnfinishedErasures())
            Ask(() => EraseFiles(act, position)).GetAwaiter().GetResult();
        if (rebuilt.NewEpoch) OpenEpoch();
    }

    /// <summary>
    /// The journal records under which detectors and zone rules the following inputs are judged; a snapshot there is
    /// the new base.
    /// </summary>
    private void OpenEpoch()
    {
        var batch = new InputBatch("host");
        batch.Add(new JudgingVersion(_factory.JudgingVersion, ZoneRules.TzdbVersion));
        Append(batch, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        if (_position > 1) Ask(() => WriteSnapshot(isBase: true)).GetAwaiter().GetResult();
    }

    internal SqliteJournal Journal => _journal;
    internal TwinHost Host => _host;

    public FleetStatus Status => new(
        _fatal is null, "embedded", _journal.Position, _watermark.Minute is { } m ? UnixTime.FromMinutes(m) : null,
        _watermark.ClosedThrough == int.MinValue ? null : _watermark.ClosedThrough, Volatile.Read(ref _meters),
        Volatile.Read(ref _twins),
        Volatile.Read(ref _counters.Readings), Volatile.Read(ref _counters.Duplicates),
        Volatile.Read(ref _counters.Revisions),
        Volatile.Read(ref _counters.Late), Volatile.Read(ref _counters.Rejected), Volatile.Read(ref _counters.Findings),
        _host.Shards,
        _fatal ?? _writer.Error);

    public ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel)
    {
        if (batch.Count > InputBatch.MaxItems || batch.ByteCount > InputBatch.MaxBytes)
            throw new ArgumentException($"A batch holds at most {InputBatch.MaxItems} items and {InputBatch.MaxBytes} "
                + $"bytes; send it in parts.", nameof(batch));
        if ((_fatal ?? _writer.Error) is { } error) throw new StorageUnavailableException(error, null);
        var done = new TaskCompletionSource<AppendReceipt>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(() => Process(batch, done), e => done.TrySetException(e), changesTwins: true, cancel);
        return new ValueTask<AppendReceipt>(done.Task);
    }

    /// <summary>Runs something between two batches: nothing changes meanwhile.</summary>
    private Task<T> Ask<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(() => done.TrySetResult(work()), e => done.TrySetException(e), changesTwins: false,
            CancellationToken.None);
        return done.Task;
    }

    private void Enqueue(Action work, Action<Exception> failed, bool changesTwins, CancellationToken cancel) =>
        _requests.Add(() =>
    {
        try
        {
            // What waited behind a batch that failed half way must not be judged by what that left in memory.
            if (_fatal is { } error) throw new StorageUnavailableException(error, null);
            work();
        }
        catch (Exception e) when (e is StorageUnavailableException || !changesTwins)
        {
            failed(e);
        }
        catch (Exception e)
        {
            // Twins may be half way through a batch: what is in memory can no longer be trusted. The journal can.
            _fatal = $"The engine stopped: {e.Message} Restart it; nothing acknowledged is lost.";
            failed(new StorageUnavailableException(_fatal, e));
        }
    }, cancel);

    private void RunRequests()
    {
        foreach (var request in _requests.GetConsumingEnumerable()) request();
    }

    private void OnCommitted(Consequences consequences, long position)
    {
        Interlocked.Add(ref _counters.Findings, consequences.Findings.Count);
        if (_options.OnScore is not { } watch) return;
        foreach (var score in consequences.Scores) watch(score);
    }

    public ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit, CancellationToken cancel)
    {
        var keys = _host.Keys(kind).Where(k => k.Id > after).Take(Math.Clamp(limit, 0, 100_000)).ToArray();
        return ValueTask.FromResult<IReadOnlyList<TwinKey>>(keys);
    }

    public ValueTask<byte[]?> State(TwinKey key, UnixTime? at, CancellationToken cancel) =>
        ValueTask.FromResult(at is { } time ? PastTwin.Rebuild(_journal, _factory, key, time)
            : _host.Read(key, Encode));

    private static byte[] Encode(TwinState twin)
    {
        var w = new ByteWriter(1024);
        twin.Write(w);
        return w.ToArray();
    }

    public ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel) =>
        ValueTask.FromResult(_journal.Findings(query));

    public ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay, DayVisitor visit,
        CancellationToken cancel)
    {
        _journal.Series(meter, channel, fromDay, toDay, visit);
        return ValueTask.CompletedTask;
    }

    public async ValueTask<string> StateHash(CancellationToken cancel) => await Ask(() =>
    {
        _writer.Drain(throwOnError: true);
        return StateHasher.Compute(_host, _journal);
    });

    /// <summary>Takes all queued batches, then seals and truncates: figures on disk are true after it.</summary>
    public Task Compact() => Ask(() =>
    {
        _writer.Drain(throwOnError: true);
        _journal.Compact(_watermark.ClosedThrough, everything: true);
        return true;
    });

    /// <summary>A consistent copy of the whole directory while the fleet goes on.</summary>
    public Task Backup(string target) => Ask(() =>
    {
        _writer.Drain(throwOnError: true);
        WriteSnapshot(isBase: false);
        BackupFiles.Write(_directory.Path, target);
        return true;
    });

    internal bool WriteSnapshot(bool isBase)
    {
        _writer.Drain(throwOnError: true);
        SnapshotFile.Write(_directory.Path, _position, _factory.JudgingVersion, isBase, _host.VisitStates);
        _bytesSinceSnapshot = 0;
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (_requests.IsAddingCompleted) return;
        if (_options.SnapshotOnClose && _fatal is null && _writer.Error is null && _bytesSinceSnapshot > 0)
        {
            try
            {
                await Ask(() => WriteSnapshot(isBase: false));
            }
            catch (Exception e) when (e is StorageUnavailableException or IOException or UnauthorizedAccessException)
            {
                // A snapshot saves time at the next start; the journal has everything.
            }
        }
        if (_writer.Error is not null) _writer.Abandon();
        _requests.CompleteAdding();
        _sequencer.Join();
        _writer.Dispose();
        _host.Dispose();
        _journal.Dispose();
        _directory.Dispose();
    }
}

/// <summary>The state hash of DESIGN, invariant 3: all twins in key order, then all findings in id order.</summary>
internal static class StateHasher
{
    public static string Compute(TwinHost host, IJournal journal)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        host.Hash(hash);
        journal.VisitFindings(body => hash.AppendData(body));
        return Convert.ToHexString(hash.GetHashAndReset()).ToLower(CultureInfo.InvariantCulture);
    }
}
