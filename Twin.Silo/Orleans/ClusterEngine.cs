using System.Globalization;
using System.Security.Cryptography;
using Orleans;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Engine;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Orleans;

/// <summary>
/// The engine of one epoch: the same <see cref="Sequencer"/> as the embedded engine's, over twins in grains and the
/// journal in PostgreSQL. Its methods wait; call them off a grain's scheduler.
/// </summary>
internal sealed class ClusterEngine : IDisposable
{
    private readonly PostgresJournal _journal;
    private readonly ClusterStore _store;
    private readonly ClusterPlane _plane;
    private readonly EngineOptions _options;
    private readonly LedgerSealer? _sealer;

    /// <param name="grains">Finds the gates.</param>
    /// <param name="journal">The journal; stays the caller's.</param>
    /// <param name="factory">Tells about kinds of twins.</param>
    /// <param name="options">Settings.</param>
    /// <param name="silos">Addresses of the silos that get twins; all judge by the same version.</param>
    /// <param name="judgingVersion">That version.</param>
    /// <param name="isSettled">The last epoch ended in good order: all that any twin applied is committed.</param>
    public ClusterEngine(IGrainFactory grains, PostgresJournal journal, ITwinFactory factory, EngineOptions options,
        IReadOnlyList<string> silos, int judgingVersion, bool isSettled)
    {
        (_journal, _store, _options) = (journal, new ClusterStore(journal), options);
        _sealer = options.LedgerKey is { } key ? new LedgerSealer(journal, key) : null;
        var epoch = _store.ClaimEpoch(judgingVersion);
        if (journal.JudgingVersion > judgingVersion)
            throw new DataDirectoryException($"The journal was judged by version {journal.JudgingVersion}; the silos "
                + $"judge by {judgingVersion}. Start silos of the newer MeterTwin that wrote it.", null);
        _plane = new ClusterPlane(grains, _store, factory, epoch, silos, isSettled);
        Sequencer = new Sequencer(journal, Commit, _plane, options.HorizonDays, KeepHouse, options.OnScore);
        if (journal.JudgingVersion == judgingVersion) return;
        try
        {
            var batch = new InputBatch("host");
            batch.Add(new JudgingVersion(judgingVersion, ZoneRules.TzdbVersion));
            Sequencer.Append(batch, null, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Sequencer Sequencer { get; }

    public long Epoch => _plane.Epoch;

    private void Commit(JournalBatch batch)
    {
        _store.Append(batch, _plane.CommitOf(batch));
        _plane.Committed(batch);
    }

    /// <summary>Between two batches: bounds what a new epoch has to apply again; seals the ledger in time.</summary>
    private void KeepHouse()
    {
        try
        {
            if (Sequencer.BytesSinceSnapshot >= _options.FlushBytes) Flush();
            _sealer?.SealInTime();
        }
        catch (StorageUnavailableException)
        {
            // Before anything was handed over, the next batch tries again; after it, the engine has stopped. A seal
            // that was not stored is made after the next batch.
        }
    }

    private void Flush()
    {
        Sequencer.Drain(throwOnError: true);
        try
        {
            _plane.Flush(Sequencer.JudgedPosition);
        }
        catch (Exception e)
        {
            // Silos take what they handed over for stored from the next step on: only a new epoch sets that right.
            Sequencer.Stop(e);
            throw;
        }
        Sequencer.BytesSinceSnapshot = 0;
    }

    public Task<TwinKey[]> Keys(TwinKind kind, ulong after, int limit) =>
        Sequencer.Ask(() => _plane.Keys(kind, after, limit));

    /// <summary>The silo that is home to a twin; null when there is no such twin.</summary>
    public Task<string?> HomeOf(TwinKey key) => Sequencer.Ask(() => _plane.HomeOf(key));

    /// <summary>All twins stored as they are and the ledger sealed: an epoch may end in good order.</summary>
    public Task<bool> Settle() => Sequencer.Ask(() =>
    {
        Flush();
        _sealer?.Seal();
        return true;
    });

    /// <summary>
    /// The state hash of DESIGN, invariant 3, over the stored states: what is hashed is what would be read.
    /// </summary>
    public Task<string> StateHash() => Sequencer.Ask(() =>
    {
        Flush();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var head = new ByteWriter(32);
        _store.VisitTwins(row =>
        {
            head.Clear();
            head.Byte((byte)row.Key.Kind);
            head.UInt64(row.Key.Id);
            head.VarUInt((ulong)row.State.Length);
            hash.AppendData(head.Written);
            hash.AppendData(row.State.Span);
        });
        _journal.VisitFindings(body => hash.AppendData(body));
        return Convert.ToHexString(hash.GetHashAndReset()).ToLower(CultureInfo.InvariantCulture);
    });

    public void Dispose()
    {
        Sequencer.Dispose();
        _plane.Dispose();
    }
}
