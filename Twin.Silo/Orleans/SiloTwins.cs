using Twin.Grains;
using Twin.Grains.Orleans;
using Twin.Hardware;
using Twin.Silo.Engine;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Orleans;

/// <summary>
/// The twins that one silo is home to in an epoch: which of them grains have, which changed since they were stored, and
/// what grains left behind. Within an epoch nobody else changes these twins, so what is here and in the store is the
/// truth. Thread-safe.
/// </summary>
/// <remarks>
/// Invariant: a twin is its stored row and the inputs journalled after it (<see cref="_tail"/>), or what a grain has,
/// or what a grain left (<see cref="_parked"/>); letters never need replaying, because what took part in a closing or a
/// sweep is stored in the transaction that commits it.
/// </remarks>
internal sealed class SiloTwins(ITwinFactory factory, PostgresJournal journal, EngineOptions options) : ITwinShelf
{
    private struct Note
    {
        /// <summary>
        /// The store has a state; a grain has the true state; something was accepted; there is a grain.
        /// </summary>
        public bool HasRow, Loaded, Exists, HasGrain;
    }

    private readonly ClusterStore _store = new(journal);
    private readonly Lock _gate = new();
    private Dictionary<TwinKey, Note> _roster = [];
    private readonly Dictionary<TwinKey, byte[]> _parked = [], _fetched = [];
    private readonly HashSet<TwinKey> _waiting = [];
    private readonly List<Task> _leaving = [];

    /// <summary>Given an order since all was last known to be committed; changed since last stored.</summary>
    private readonly HashSet<TwinKey> _touched = [], _dirty = [];

    private Dictionary<TwinKey, List<(long Position, byte[] Input)>> _tail = [];

    /// <summary>Twins whose states were handed over to be stored, until that is known to be committed.</summary>
    private HashSet<TwinKey>? _handed;

    public long Epoch { get; private set; }
    public Homes Homes { get; private set; } = new([]);
    public int Me { get; private set; } = -1;
    public int JudgingVersion => factory.JudgingVersion;

    /// <summary>The sequencer begins a step only when all before it is committed: nothing to wait for.</summary>
    public IRecall Recall { get; } = new JournalRecall(journal, static () => { });

    public bool KeepScores => options.KeepScores;

    public int Waiting
    {
        get { lock (_gate) return _waiting.Count; }
    }

    /// <summary>
    /// Begins an epoch: learns from the store which twins live here. What grains have stays theirs if all of it is
    /// committed. Returns the twins that grains of this silo have and another silo is home to now.
    /// </summary>
    /// <param name="epoch">The epoch; greater than the last.</param>
    /// <param name="homes">The silos of the epoch.</param>
    /// <param name="me">Which of them this is.</param>
    /// <param name="isSettled">All that any twin applied in the last epoch is committed.</param>
    public List<TwinKey> Begin(long epoch, Homes homes, int me, bool isSettled)
    {
        var scan = TwinScan.Read(_store, factory, homes, me);
        lock (_gate)
        {
            if (epoch <= Epoch) throw new OtherEpochException($"Epoch {epoch} begins after epoch {Epoch} has.");
            var leave = new List<TwinKey>();
            var roster = new Dictionary<TwinKey, Note>(scan.Heads.Count);
            _waiting.Clear();
            foreach (var (key, head) in scan.Heads)
            {
                roster[key] = new Note { HasRow = head.HasRow, Exists = true };
                if (head.Waits) _waiting.Add(key);
            }
            foreach (var (key, old) in _roster)
            {
                // Only who took part in the last epoch knows what changed in it.
                var isTrue = Epoch == epoch - 1 && (isSettled || !_touched.Contains(key));
                if (!isTrue || !roster.ContainsKey(key)) _parked.Remove(key);
                if (roster.TryGetValue(key, out var note))
                    roster[key] = note with { Loaded = old.Loaded && isTrue, HasGrain = old.HasGrain };
                else if (old.HasGrain) leave.Add(key);
            }
            (_roster, _tail, _handed) = (roster, scan.Tail, null);
            _fetched.Clear();
            _touched.Clear();
            _dirty.Clear();
            _dirty.UnionWith(scan.Tail.Keys);
            (Epoch, Homes, Me) = (epoch, homes, me);
            return leave;
        }
    }

    /// <summary>
    /// Twins changed by journalled inputs behind their rows: whether they wait shows when they are loaded.
    /// </summary>
    public TwinKey[] WithTail()
    {
        lock (_gate) return [.. _tail.Keys];
    }

    /// <summary>True when this silo is home to a twin that exists.</summary>
    public bool Knows(TwinKey key)
    {
        lock (_gate) return _roster.TryGetValue(key, out var note) && note.Exists;
    }

    /// <summary>Twins that hear closings, in key order.</summary>
    public TwinKey[] Hearers()
    {
        lock (_gate) return Sorted(_roster.Where(n => n.Value.Exists && factory.HearsClosings(n.Key.Kind))
            .Select(n => n.Key));
    }

    public TwinKey[] WaitingTwins()
    {
        lock (_gate) return Sorted(_waiting);
    }

    private static TwinKey[] Sorted(IEnumerable<TwinKey> keys)
    {
        TwinKey[] sorted = [.. keys];
        Array.Sort(sorted);
        return sorted;
    }

    /// <summary>
    /// Sees to it that the next <see cref="Load"/> of these twins finds everything in memory: one question to the store
    /// for all of them.
    /// </summary>
    public void Fetch(IReadOnlyList<TwinKey> keys)
    {
        List<TwinKey>? missing = null;
        lock (_gate)
        {
            foreach (var key in keys)
                if (_roster.TryGetValue(key, out var note) && note is { HasRow: true, Loaded: false }
                    && !_parked.ContainsKey(key) && !_fetched.ContainsKey(key))
                    (missing ??= []).Add(key);
        }
        if (missing is null) return;
        var rows = _store.LoadTwins(missing);
        lock (_gate)
            foreach (var row in rows) _fetched[row.Key] = row.State.ToArray();
    }

    public TwinCell Load(TwinKey key, long epoch)
    {
        Fetch([key]);
        lock (_gate)
        {
            RequireEpoch(epoch);
            if (!_roster.TryGetValue(key, out var note))
                throw new OtherEpochException($"This silo is not home to twin {key} in epoch {epoch}.");
            if (note.Loaded)
            {
                // What the first one had is lost: nothing of it may be vouched for.
                _touched.Add(key);
                throw new OtherEpochException($"A second grain of twin {key} begins in epoch {epoch}.");
            }
            var cell = new TwinCell(factory, key);
            if (_parked.Remove(key, out var parked)) cell.Load(parked, []);
            else if (!note.HasRow) cell.Load(null, Tail(key));
            else if (_fetched.Remove(key, out var row)) cell.Load(row, Tail(key));
            else throw new InvalidDataException($"The stored state of twin {key} is missing. Restore a backup.");
            (note.Loaded, note.HasGrain) = (true, true);
            _roster[key] = note;
            NoteWaiting(key, cell.Waits);
            return cell;
        }
    }

    private IEnumerable<byte[]> Tail(TwinKey key) =>
        _tail.TryGetValue(key, out var inputs) ? inputs.Select(i => i.Input) : [];

    public bool Vouches(TwinKey key, long epoch)
    {
        lock (_gate)
        {
            RequireEpoch(epoch);
            return _roster.TryGetValue(key, out var note) && note.Loaded;
        }
    }

    private void RequireEpoch(long epoch)
    {
        if (epoch != Epoch)
            throw new OtherEpochException($"An order of epoch {epoch} reached a silo of epoch {Epoch}.");
    }

    public void PutBack(TwinKey key, long epoch, TwinCell cell)
    {
        lock (_gate)
        {
            // A grain of an earlier epoch that the silo vouches for counts; what it has is true.
            if (!_roster.TryGetValue(key, out var note)) return;
            var isTrue = note.Loaded && epoch <= Epoch;
            _roster[key] = note with { Loaded = false, HasGrain = false };
            if (!isTrue) return;
            // A twin that is as its row says can be read again; handed over but not known to be committed, it cannot.
            var isAway = _dirty.Contains(key) || _touched.Contains(key) || (_handed?.Contains(key) ?? false);
            // Nothing was ever accepted for it: there is no such twin, unless an order is on its way.
            if (cell.State() is not { } state)
            {
                if (!_touched.Contains(key)) _roster.Remove(key);
            }
            else if (isAway || !note.HasRow) _parked[key] = state;
        }
    }

    /// <summary>A twin answered: what that says of it.</summary>
    public void Answered(TwinKey key, bool changed, bool waits)
    {
        lock (_gate)
        {
            NoteWaiting(key, waits);
            if (!changed) return;
            _dirty.Add(key);
            if (_roster.TryGetValue(key, out var note) && !note.Exists) _roster[key] = note with { Exists = true };
        }
    }

    /// <summary>
    /// Orders that may change these twins are about to be given: whatever becomes of the answers, what grains have then
    /// is not known to be committed.
    /// </summary>
    public void Touch(IReadOnlyList<TwinKey> keys)
    {
        lock (_gate) _touched.UnionWith(keys);
    }

    /// <summary>A grain that was told to leave is on its way out.</summary>
    public void Leaves(Task gone)
    {
        lock (_gate) _leaving.Add(gone);
    }

    /// <summary>
    /// Completes when all grains that were told to leave have gone: then another silo may have the twins.
    /// </summary>
    public Task Left()
    {
        lock (_gate)
        {
            Task[] leaving = [.. _leaving];
            _leaving.Clear();
            return Task.WhenAll(leaving);
        }
    }

    /// <summary>An order is about to be given to a twin that may be new.</summary>
    public void Expect(TwinKey key)
    {
        lock (_gate) _roster.TryAdd(key, default);
    }

    private void NoteWaiting(TwinKey key, bool waits)
    {
        if (waits) _waiting.Add(key);
        else _waiting.Remove(key);
    }

    /// <summary>All changes so far are committed, and what was handed over is stored.</summary>
    public void Settled()
    {
        lock (_gate)
        {
            _touched.Clear();
            if (_handed is null) return;
            foreach (var key in _handed)
            {
                if (!_roster.TryGetValue(key, out var note)) continue;
                _roster[key] = note with { HasRow = true };
                if (!_dirty.Contains(key)) _parked.Remove(key);
                _tail.Remove(key);
            }
            _handed = null;
        }
    }

    /// <summary>
    /// Twins that changed since they were stored, of these or of all, in key order: their states are asked for next.
    /// </summary>
    public TwinKey[] BeginKeep(IReadOnlySet<TwinKey>? among)
    {
        lock (_gate)
        {
            var dirty = Sorted(among is null ? _dirty : _dirty.Where(among.Contains));
            foreach (var key in dirty) _dirty.Remove(key);
            (_handed ??= []).UnionWith(dirty);
            return dirty;
        }
    }

    /// <summary>The state a grain left behind; null when a grain must be asked.</summary>
    public byte[]? Parked(TwinKey key)
    {
        lock (_gate) return _parked.GetValueOrDefault(key);
    }

    public bool IsWaiting(TwinKey key)
    {
        lock (_gate) return _waiting.Contains(key);
    }
}
