using System.Security.Cryptography;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Engine;

namespace Twin.Silo.Embedded;

/// <summary>
/// Twins in memory, on N shards: admits, applies, closes days in supersteps, writes and reads snapshots. Knows no
/// journal, no disk and no meters. Live service, recovery, verification and replay all run through it.
/// </summary>
internal sealed class TwinHost : ITwinPlane
{
    /// <summary>Rounds of mail in one closing; a longer exchange is a defect of a twin.</summary>
    private const int MaxRounds = 16;

    /// <summary>Below this many items a step runs on the calling thread.</summary>
    private const int InlineItems = 32;

    /// <summary>Inputs collected before a rebuild hands them to the shards.</summary>
    private const int RebuildItems = 16_384;

    private readonly ITwinFactory _factory;
    private readonly ShardPool _pool;
    private readonly Shard[] _shards;
    private readonly List<Letter>[] _mail;
    private readonly ByteWriter _pendingBytes = new(1 << 16);
    private readonly List<(int Offset, int Length)>[] _pending;
    private int _pendingCount;

    /// <param name="shards">Compute partitions.</param>
    /// <param name="factory">Makes the twins.</param>
    /// <param name="keepScores">False where nobody wants scores: a day of a million meters has a million.</param>
    public TwinHost(int shards, ITwinFactory factory, bool keepScores)
    {
        _factory = factory;
        _pool = new ShardPool(shards);
        _shards = [.. Enumerable.Range(0, shards).Select(i => new Shard(i, shards, factory, keepScores))];
        _mail = [.. _shards.Select(_ => new List<Letter>())];
        _pending = [.. _shards.Select(_ => new List<(int, int)>())];
    }

    public int Partitions => _shards.Length;

    public long Count(TwinKind? kind) =>
        _shards.Sum(s => kind is { } one ? s.Count(one) : s.Kinds.Sum(s.Count));

    /// <summary>The sequencer looks into the journal for these twins, and waits where it must.</summary>
    public bool NeedsSettled => false;

    public void Settled() { }

    public void Admit(Step step, AcceptedVisitor accepted, Consequences into)
    {
        var (batch, results) = (step.Batch, step.Results);
        foreach (var s in _shards) s.Items.Clear();
        for (var i = step.From; i < step.To; i++)
            if (results[i].Status == AdmissionStatus.Accepted) _shards[ShardOf(batch[i])].Items.Add(i);
        _pool.Run(step.To - step.From < InlineItems,
            s => _shards[s].Admit(batch, results, step.Recall, step.WasTold));
        var next = new int[_shards.Length];
        for (var i = step.From; i < step.To; i++)
        {
            if (results[i].Status != AdmissionStatus.Accepted) continue;
            var s = ShardOf(batch[i]);
            var list = _shards[s].Accepted;
            for (; next[s] < list.Count && list[next[s]].Item == i; next[s]++)
                accepted(_shards[s].Bytes(list[next[s]]), list[next[s]]);
        }
        TakeFacts(into);
        ClearOutboxes();
    }

    public void Replay(InputBatch batch, int from, int to, Consequences into)
    {
        for (var i = from; i < to; i++) Rebuild(batch[i], into);
        EndRebuild(into);
    }

    private int ShardOf(ReadOnlySpan<byte> input) => Shard.Of(Envelope.Read(input).Target, _shards.Length);

    public void CloseDay(int day, Consequences into)
    {
        TakeFacts(into);
        var input = new DayClosed(day).ToBytes();
        _pool.Run(false, s => _shards[s].ApplyToAll(input));
        Converse($"closing day {LocalDay.FormatDate(day)}", into, s =>
        {
            foreach (var (from, offset, length) in s.Now.Publications)
                into.Publications.Add((from, day, s.Now.Body(offset, length).ToArray()));
        });
        into.Publications.Sort((a, b) => a.Day != b.Day ? a.Day.CompareTo(b.Day) : a.From.CompareTo(b.From));
    }

    public bool HasWaiting => _shards.Any(s => s.HasWaiting);

    public void Sweep(byte[] input, Consequences into)
    {
        TakeFacts(into);
        _pool.Run(true, s => _shards[s].ApplyToWaiting(input));
        Converse("a sweep", into, s =>
        {
            if (s.Now.Publications.Count > 0)
                throw new InvalidOperationException(
                    "A twin publishes in a sweep: what it says could not be read back with a day.");
        });
    }

    /// <summary>Rounds of mail until nobody sends. <paramref name="ended"/> sees each shard after each round.</summary>
    private void Converse(string during, Consequences into, Action<Shard> ended)
    {
        for (var round = 0; ; round++)
        {
            TakeFacts(into);
            foreach (var s in _shards) ended(s);
            foreach (var s in _shards) s.Turn();
            var letters = _shards.Sum(s => s.Before.LetterCount);
            if (letters == 0) break;
            if (round == MaxRounds)
                throw new InvalidOperationException($"Twins still talk after {MaxRounds} rounds of {during}.");
            var bodies = _shards.Select(s => s.Before).ToArray();
            _pool.Run(letters < InlineItems, s => Deliver(s, bodies));
        }
        foreach (var s in _shards) s.Rest();
    }

    /// <summary>
    /// Letters that a list may hold room for between closings; a larger list is let go, since the twins need the
    /// memory.
    /// </summary>
    private const int KeptLetters = 65_536;

    public static void Trim<T>(List<T> list)
    {
        list.Clear();
        if (list.Capacity > KeptLetters) list.TrimExcess();
    }

    private void Deliver(int shard, Outbox[] bodies)
    {
        var mail = _mail[shard];
        mail.Clear();
        mail.EnsureCapacity(bodies.Sum(box => box.CountTo(shard)));
        foreach (var box in bodies) box.Take(shard, mail);
        mail.Sort();
        _shards[shard].Deliver(mail, bodies);
        Trim(mail);
    }

    /// <summary>Takes the facts stated since the last call, in an order that does not depend on shards.</summary>
    private void TakeFacts(Consequences into)
    {
        var all = new List<(StatedFact Fact, int Shard)>();
        for (var s = 0; s < _shards.Length; s++)
            foreach (var fact in _shards[s].Now.Facts) all.Add((fact, s));
        if (all.Count == 0) return;
        all.Sort((a, b) => a.Fact.CompareTo(b.Fact));
        foreach (var (fact, s) in all)
        {
            var body = _shards[s].Now.Body(fact.Offset, fact.Length).ToArray();
            into.Add(fact.Kind, body);
        }
        foreach (var s in _shards) s.Now.Facts.Clear();
    }

    /// <summary>Drops bodies of facts already taken, between steps.</summary>
    private void ClearOutboxes()
    {
        foreach (var s in _shards) s.Now.Clear();
    }

    /// <summary>
    /// Applies one journalled input of a rebuild. Inputs are collected; a closing or <see cref="EndRebuild"/> brings
    /// them to the twins.
    /// </summary>
    public void Rebuild(ReadOnlySpan<byte> input, Consequences into)
    {
        var envelope = Envelope.Read(input);
        if (envelope.Kind == InputKind.DayClosed)
        {
            Flush();
            CloseDay(((DayClosed)Input.Read(input)).Day, into);
            return;
        }
        if (envelope.Kind == InputKind.Sweep)
        {
            Flush();
            Sweep(input.ToArray(), into);
            return;
        }
        if (envelope.Target.Id == TwinKey.Everyone) return;
        _pending[Shard.Of(envelope.Target, _shards.Length)].Add((_pendingBytes.Length, input.Length));
        _pendingBytes.Bytes(input);
        if (++_pendingCount >= RebuildItems) Flush();
    }

    private void Flush()
    {
        _pool.Run(_pendingCount < InlineItems, s =>
        {
            foreach (var (offset, length) in _pending[s]) _shards[s].Apply(_pendingBytes.Written.Slice(offset, length));
            _pending[s].Clear();
        });
        _pendingBytes.Clear();
        _pendingCount = 0;
    }

    /// <summary>Ends a rebuild.</summary>
    public void EndRebuild(Consequences into)
    {
        Flush();
        TakeFacts(into);
        ClearOutboxes();
    }

    /// <summary>Reads one twin under its shard's gate; null when there is none.</summary>
    public T? Read<T>(TwinKey key, Func<TwinState, T> read) where T : class
    {
        var shard = _shards[Shard.Of(key, _shards.Length)];
        lock (shard.Gate) return shard.Find(key) is { } twin ? read(twin) : null;
    }

    /// <summary>The canonical state of one twin; null when there is none.</summary>
    public byte[]? State(TwinKey key) => Read(key, static twin =>
    {
        var w = new ByteWriter(1024);
        twin.Write(w);
        return w.ToArray();
    });

    public void Put(TwinKey key, ReadOnlySpan<byte> state) =>
        _shards[Shard.Of(key, _shards.Length)].Put(key, _factory.Restore(key, state));

    /// <summary>Forgets every twin: a snapshot proved damaged half way.</summary>
    public void Clear()
    {
        foreach (var s in _shards) s.Clear();
    }

    /// <summary>
    /// At a closing, checkpoints of the twins whose turn it is: each has one day in
    /// <see cref="PastTwin.CheckpointDays"/>, so that the work is spread.
    /// </summary>
    public void Keep(int? day, long position, JournalBatch batch)
    {
        if (day is not { } closed) return;
        var into = batch.Checkpoints;
        var from = into.Count;
        var writer = new ByteWriter(1024);
        foreach (var s in _shards)
        {
            foreach (var key in s.Kinds.Where(_factory.HearsClosings).SelectMany(s.Keys))
            {
                if (!PastTwin.IsCheckpointDay(key, closed)) continue;
                writer.Clear();
                s.Find(key)!.Write(writer);
                into.Add(new TwinCheckpoint(key, closed, position, writer.ToArray()));
            }
        }
        into.Sort(from, into.Count - from, Comparer<TwinCheckpoint>.Create((a, b) => a.Key.CompareTo(b.Key)));
    }

    /// <summary>All keys, sorted; of one kind when given.</summary>
    public TwinKey[] Keys(TwinKind? kind)
    {
        var keys = new List<TwinKey>();
        foreach (var s in _shards)
            lock (s.Gate)
                foreach (var k in s.Kinds)
                    if (kind is null || kind == k) keys.AddRange(s.Keys(k));
        keys.Sort();
        return [.. keys];
    }

    /// <summary>
    /// Visits the canonical states in key order. The caller sees to it that nothing changes meanwhile.
    /// </summary>
    public void VisitStates(Action<TwinKey, ReadOnlyMemory<byte>> visit)
    {
        var writer = new ByteWriter(4096);
        foreach (var key in Keys(null))
        {
            writer.Clear();
            _shards[Shard.Of(key, _shards.Length)].Find(key)!.Write(writer);
            visit(key, writer.WrittenMemory);
        }
    }

    /// <summary>Adds all twins to a state hash: kind, id, length, bytes, in key order.</summary>
    public void Hash(IncrementalHash hash)
    {
        var head = new ByteWriter(32);
        VisitStates((key, state) =>
        {
            head.Clear();
            head.Byte((byte)key.Kind);
            head.UInt64(key.Id);
            head.VarUInt((ulong)state.Length);
            hash.AppendData(head.Written);
            hash.AppendData(state.Span);
        });
    }

    public void Dispose() => _pool.Dispose();
}
