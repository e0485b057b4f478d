using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Silo.Engine;
using Twin.Silo.Storage;

namespace Twin.Silo.Embedded;

/// <summary>
/// The embedded engine: one process, twins in N shards, a journal in SQLite, snapshots beside it. What happens to a
/// batch is the <see cref="Sequencer"/>'s.
/// </summary>
public sealed partial class EmbeddedFleet : IFleet
{
    private readonly EmbeddedOptions _options;
    private readonly DataDirectory _directory;
    private readonly SqliteJournal _journal;
    private readonly ITwinFactory _factory;
    private readonly TwinHost _host;
    private readonly Sequencer _sequencer;
    private readonly LedgerKey _key;
    private readonly LedgerSealer _sealer;
    private readonly Action<string> _log;

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
        _key = LedgerKey.OpenOrMake(options.LedgerKeyFile ?? Path.Combine(directory.Path, LedgerKey.FileName),
            log);
        _sealer = new LedgerSealer(journal, _key);
        var rebuilt = Rebuilder.Recover(_host, journal, directory.Path, factory.JudgingVersion, log);
        _sequencer = new Sequencer(journal, journal.Append, _host, options.HorizonDays, KeepHouse, options.OnScore)
        {
            BytesSinceSnapshot = rebuilt.BytesApplied,
        };
        foreach (var (position, act) in journal.UnfinishedErasures())
            _sequencer.Ask(() => EraseFiles(act, position)).GetAwaiter().GetResult();
        if (rebuilt.NewEpoch) OpenEpoch();
        if (directory.IsRestored) QuarantineAll();
    }

    /// <summary>
    /// The journal records under which detectors and zone rules the following inputs are judged; a snapshot there is
    /// the new base. It is written first: a crash in between leaves a base too many, never an epoch without one.
    /// </summary>
    private void OpenEpoch()
    {
        if (_sequencer.JudgedPosition > 0) _sequencer.Ask(() => WriteSnapshot(isBase: true)).GetAwaiter().GetResult();
        var batch = new InputBatch("host");
        batch.Add(new JudgingVersion(_factory.JudgingVersion, ZoneRules.TzdbVersion));
        Append(batch, CancellationToken.None).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>The data directory.</summary>
    internal string Folder => _directory.Path;

    internal SqliteJournal Journal => _journal;
    internal TwinHost Host => _host;

    public FleetStatus Status => _sequencer.Status("embedded");

    public ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel) =>
        _sequencer.Append(batch, null, cancel);

    public ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit, CancellationToken cancel)
    {
        var keys = _host.Keys(kind).Where(k => k.Id > after).Take(Math.Clamp(limit, 0, 100_000)).ToArray();
        return ValueTask.FromResult<IReadOnlyList<TwinKey>>(keys);
    }

    public ValueTask<byte[]?> State(TwinKey key, AsOf asOf, CancellationToken cancel)
    {
        var through = Past.Through(_journal, asOf.KnownAt);
        return ValueTask.FromResult(asOf.At is null && through == long.MaxValue ? _host.State(key)
            : PastTwin.Rebuild(_journal, _factory, key, asOf.At, through));
    }

    public ILedgerSource Ledger => _journal;

    public ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel) =>
        ValueTask.FromResult(_journal.Findings(Past.Known(_journal, query)));

    public ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay, UnixTime? knownAt,
        DayVisitor visit, CancellationToken cancel)
    {
        _journal.Series(meter, channel, fromDay, toDay, Past.Through(_journal, knownAt), visit);
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<(int Day, byte[] Body)>> Publications(TwinKey from, int fromDay, int toDay,
        UnixTime? knownAt, CancellationToken cancel) =>
        ValueTask.FromResult(Past.Publications(_journal, from, fromDay, toDay, knownAt));

    public async ValueTask<string> StateHash(CancellationToken cancel) => await _sequencer.Ask(() =>
    {
        _sequencer.Drain(throwOnError: true);
        return StateHasher.Compute(_host, _journal);
    });

    /// <summary>Takes all queued batches, then seals and truncates: figures on disk are true after it.</summary>
    public Task Compact() => _sequencer.Ask(() =>
    {
        _sequencer.Drain(throwOnError: true);
        _journal.Compact(_sequencer.ClosedThrough, everything: true);
        return true;
    });

    /// <summary>A consistent copy of the whole directory while the fleet goes on.</summary>
    public Task Backup(string target) => _sequencer.Ask(() =>
    {
        _sequencer.Drain(throwOnError: true);
        SealLedger();
        WriteSnapshot(isBase: false);
        BackupFiles.Write(_directory.Path, target);
        return true;
    });

    internal bool WriteSnapshot(bool isBase)
    {
        _sequencer.Drain(throwOnError: true);
        SnapshotFile.Write(_directory.Path, _sequencer.JudgedPosition, _factory.JudgingVersion, isBase,
            _host.VisitStates);
        _sequencer.BytesSinceSnapshot = 0;
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (_sequencer.IsClosed) return;
        if (_sequencer.Error is null)
        {
            try
            {
                await _sequencer.Ask(() =>
                {
                    if (_options.SnapshotOnClose && _sequencer.BytesSinceSnapshot > 0) WriteSnapshot(isBase: false);
                    _sequencer.Drain(throwOnError: true);
                    return SealLedger();
                });
            }
            catch (Exception e) when (e is StorageUnavailableException or IOException or UnauthorizedAccessException)
            {
                // A snapshot saves time at the next start, and then the ledger is sealed; the journal has everything.
            }
        }
        _sequencer.Dispose();
        _host.Dispose();
        _key.Dispose();
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
