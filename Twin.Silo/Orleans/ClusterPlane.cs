using System.Runtime.InteropServices;
using Orleans;
using Orleans.Concurrency;
using Twin.Grains;
using Twin.Grains.Orleans;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Engine;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Orleans;

/// <summary>
/// Twins in grains, for one epoch: gives each silo one order a step, and puts answers into the order that every engine
/// has. Used by the sequencer's thread, which waits for the silos. A silo that fails a step ends the epoch: whatever
/// grains had beyond what is committed is dropped.
/// </summary>
internal sealed partial class ClusterPlane : ITwinPlane
{
    /// <summary>Rounds of mail in one closing; a longer exchange is a defect of a twin.</summary>
    private const int MaxRounds = 16;

    private readonly ClusterStore _store;
    private readonly ITwinFactory _factory;
    private readonly Homes _homes;
    private readonly ISiloGate[] _gates;
    private readonly Dictionary<TwinKey, ulong> _places = [];
    private readonly Dictionary<TwinKind, long> _counts = [];
    private readonly int[] _waiting;
    private long _round;

    /// <summary>Gates that do not know yet that all they did is committed.</summary>
    private readonly bool[] _unsettled;

    public long Epoch { get; }

    public ClusterPlane(IGrainFactory grains, ClusterStore store, ITwinFactory factory, long epoch,
        IReadOnlyList<string> silos, bool isSettled)
    {
        (_store, _factory, Epoch, _homes) = (store, factory, epoch, new Homes(silos));
        _gates = [.. silos.Select(s => grains.GetGrain<ISiloGate>(s))];
        _unsettled = new bool[_gates.Length];
        foreach (var (key, head) in TwinScan.Read(store, factory, _homes, null).Heads) Add(key, head.Place);
        string[] names = [.. silos];
        All(g => Told(_gates[g].Begin(epoch, names, isSettled)));
        // Only now: a twin that moves must have left its old silo before its new one calls it.
        _waiting = All(g => _gates[g].CatchUp(epoch));
    }

    public int Partitions => _gates.Length;

    public long Count(TwinKind? kind) => kind is { } one ? _counts.GetValueOrDefault(one) : _places.Count;

    public bool NeedsSettled => true;

    public void Settled()
    {
        All(g => _unsettled[g] ? Told(_gates[g].Settled(Epoch)) : Task.FromResult(true));
        Array.Clear(_unsettled);
    }

    private static async Task<bool> Told(Task task)
    {
        await task;
        return true;
    }

    public bool HasWaiting => _waiting.Sum() > 0;

    /// <summary>Keys of a kind in id order. The sequencer's thread only.</summary>
    public TwinKey[] Keys(TwinKind kind, ulong after, int limit)
    {
        var keys = _places.Keys.Where(k => k.Kind == kind && k.Id > after).ToArray();
        Array.Sort(keys);
        return keys.Length > limit ? keys[..limit] : keys;
    }

    /// <summary>The silo that is home to a twin; null when there is no such twin.</summary>
    public string? HomeOf(TwinKey key) =>
        _places.TryGetValue(key, out var place) ? _homes.Silos[_homes.Of(place)] : null;

    private void Add(TwinKey key, ulong place)
    {
        if (!_places.TryAdd(key, place)) return;
        CollectionsMarshal.GetValueRefOrAddDefault(_counts, key.Kind, out _)++;
    }

    private T[] All<T>(Func<int, Task<T>> ask)
    {
        var running = new Task<T>[_gates.Length];
        for (var g = 0; g < running.Length; g++) running[g] = ask(g);
        return Task.WhenAll(running).GetAwaiter().GetResult();
    }

    public void Admit(Step step, AcceptedVisitor accepted, Consequences into)
    {
        var all = new List<(AcceptedInput Where, byte[] Bytes)>();
        Give(TwinOrder.Admit, Write(step), step.Results, all, into);
        all.Sort(static (a, b) => a.Where.Item != b.Where.Item ? a.Where.Item.CompareTo(b.Where.Item)
            : a.Where.Offset.CompareTo(b.Where.Offset));
        foreach (var (where, bytes) in all) accepted(bytes.AsSpan(where.Offset, where.Length), where);
    }

    /// <summary>Gives each silo its orders and takes in what the twins answer.</summary>
    private void Give(TwinOrder order, byte[][] orders, Admission[] results, List<(AcceptedInput, byte[])> accepted,
        Consequences into)
    {
        var answers = All(g =>
        {
            if (orders[g].Length == 0) return Task.FromResult<byte[]?>(null);
            _unsettled[g] = true;
            return Ask(_gates[g].Give(Epoch, order, new Immutable<byte[]>(orders[g])));
        });
        var facts = new List<(TwinKey, SaidKind, byte[])>();
        for (var g = 0; g < answers.Length; g++)
            if (answers[g] is { } answer) Take(g, answer, results, accepted, facts);
        AddFacts(facts, into);
    }

    public void Replay(InputBatch batch, int from, int to, Consequences into)
    {
        var byTwin = new Dictionary<TwinKey, List<int>>();
        for (var i = from; i < to; i++)
            (CollectionsMarshal.GetValueRefOrAddDefault(byTwin, Envelope.Read(batch[i]).Target, out _) ??= []).Add(i);
        var orders = _gates.Select(_ => new ByteWriter()).ToArray();
        var items = new ByteWriter(4096);
        foreach (var (key, list) in byTwin)
        {
            items.Clear();
            items.VarUInt((ulong)list.Count);
            ulong? beside = null;
            foreach (var i in list)
            {
                items.Blob(batch[i]);
                beside ??= Beside(key, batch[i]);
            }
            Add(key, beside ?? Homes.PlaceOf(key));
            var order = orders[_homes.Of(_places[key])];
            KeyCode.Write(order, key);
            order.Blob(items.Written);
        }
        Give(TwinOrder.Replay, [.. orders.Select(o => o.ToArray())], [], [], into);
    }

    private static async Task<byte[]?> Ask(Task<Immutable<byte[]>> answer) => (await answer).Value;

    /// <summary>The step's items by silo and twin, as <see cref="TwinOrder.Admit"/> has them.</summary>
    private byte[][] Write(Step step)
    {
        var byTwin = new Dictionary<TwinKey, List<int>>();
        var asked = new List<ContentKey>();
        for (var i = step.From; i < step.To; i++)
        {
            if (step.Results[i].Status != AdmissionStatus.Accepted) continue;
            var envelope = Envelope.Read(step.Batch[i]);
            (CollectionsMarshal.GetValueRefOrAddDefault(byTwin, envelope.Target, out _) ??= []).Add(i);
            if (Input.KeyedByContent(envelope.Kind)) asked.Add(step.Keys[i]);
        }
        var told = asked.Count == 0 ? null : _store.HasContents(asked);
        var orders = new ByteWriter[_gates.Length];
        for (var g = 0; g < orders.Length; g++) orders[g] = new ByteWriter();
        var items = new ByteWriter(4096);
        foreach (var (key, list) in byTwin)
        {
            items.Clear();
            items.VarUInt((ulong)list.Count);
            ulong? beside = null;
            foreach (var i in list)
            {
                var input = step.Batch[i];
                var isTold = told is not null && Input.KeyedByContent(Envelope.Read(input).Kind)
                    && told.Contains(step.Keys[i]);
                items.VarInt(i);
                items.Bool(isTold);
                items.Blob(input);
                beside ??= Beside(key, input);
            }
            if (!_places.TryGetValue(key, out var place)) _newPlaces[key] = place = beside ?? Homes.PlaceOf(key);
            else if (beside is { } next && next != place) _moves[key] = next;
            var order = orders[_homes.Of(place)];
            KeyCode.Write(order, key);
            order.Blob(items.Written);
        }
        return [.. orders.Select(o => o.ToArray())];
    }

    private ulong? Beside(TwinKey key, ReadOnlySpan<byte> input)
    {
        try
        {
            return TwinScan.Place(_factory, key, input);
        }
        catch (InvalidDataException)
        {
            // Damaged: its twin says so.
            return null;
        }
    }

    /// <summary>Places of twins first heard of in this step; those that accept something come to stay.</summary>
    private readonly Dictionary<TwinKey, ulong> _newPlaces = [];

    /// <summary>Twins that are to live elsewhere from the next epoch on.</summary>
    private readonly Dictionary<TwinKey, ulong> _moves = [];

    private void Take(int gate, byte[] answer, Admission[] results, List<(AcceptedInput, byte[])> all,
        List<(TwinKey, SaidKind, byte[])> facts)
    {
        var r = new ByteReader(answer);
        _waiting[gate] = (int)r.VarUInt();
        var accepted = new List<AcceptedInput>();
        while (!r.AtEnd)
        {
            var key = KeyCode.Read(ref r);
            var said = r.Blob();
            var reader = new AnswerReader(said);
            reader.Verdicts(results);
            accepted.Clear();
            reader.Accepted(r.Position - said.Length, accepted);
            foreach (var a in accepted) all.Add((a, answer));
            while (reader.TryReadSaid(out var kind, out _, out var body)) facts.Add((key, kind, body.ToArray()));
            if (_newPlaces.Remove(key, out var place) && reader.Changed) Add(key, place);
        }
    }

    /// <summary>Facts sorted by who states them, as stated: every engine has this order.</summary>
    private static void AddFacts(List<(TwinKey From, SaidKind Kind, byte[] Body)> facts, Consequences into)
    {
        foreach (var (_, kind, body) in facts.OrderBy(f => f.From))
            into.Add(kind switch
            {
                SaidKind.Finding => FactKind.Finding,
                SaidKind.Ledger => FactKind.Ledger,
                _ => FactKind.Score,
            }, body);
    }

    public void Dispose() { }
}
