using System.Runtime.CompilerServices;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Embedded;

/// <summary>One input that a twin accepted, waiting for its place in the journal.</summary>
internal readonly record struct AcceptedInput(int Item, int Offset, int Length, int Day, long EndMinute, bool Sealable);

/// <summary>
/// A part of the twins. Shards are a compute partition only: nothing stored depends on their number. The gate is held
/// while twins change, in slices, so that reads get in between.
/// </summary>
internal sealed class Shard(int index, int shards, ITwinFactory factory, bool keepScores) : IAccepted
{
    /// <summary>Inputs processed before a waiting reader gets its turn.</summary>
    private const int Slice = 256;

    private static readonly int Kinds = Enum.GetValues<TwinKind>().Max(k => (int)k) + 1;

    private readonly Dictionary<ulong, TwinState>[] _twins =
        [.. Enumerable.Range(0, Kinds).Select(_ => new Dictionary<ulong, TwinState>())];
    private readonly ByteWriter _bytes = new();
    private readonly HashSet<TwinKey> _waiting = [];
    private int _item;

    public Lock Gate { get; } = new();
    public List<AcceptedInput> Accepted { get; } = [];
    public List<int> Items { get; } = [];
    public Outbox Now { get; private set; } = new(index, shards, keepScores);
    public Outbox Before { get; private set; } = new(index, shards, keepScores);

    public TwinState? Find(TwinKey key) => (int)key.Kind < Kinds ? _twins[(int)key.Kind].GetValueOrDefault(key.Id)
        : null;

    /// <summary>Keys of one kind, in no order.</summary>
    public IEnumerable<TwinKey> Keys(TwinKind kind) => _twins[(int)kind].Keys.Select(id => new TwinKey(kind, id));

    public ReadOnlySpan<byte> Bytes(in AcceptedInput a) => _bytes.Written.Slice(a.Offset, a.Length);

    public long Count(TwinKind kind) => _twins[(int)kind].Count;

    /// <summary>Takes in a twin, in the place of one of the same key.</summary>
    public TwinState Put(TwinKey key, TwinState twin)
    {
        Note(key, twin);
        return _twins[(int)key.Kind][key.Id] = twin;
    }

    public void Clear()
    {
        foreach (var twins in _twins) twins.Clear();
        _waiting.Clear();
    }

    /// <summary>True when a twin of this shard waits for a sweep.</summary>
    public bool HasWaiting => _waiting.Count > 0;

    /// <summary>Remembers a twin that waits; one that no longer does is dropped by the next sweep.</summary>
    private void Note(TwinKey key, TwinState twin)
    {
        if (twin.Waits) _waiting.Add(key);
    }

    /// <summary>Admits and applies the items of this shard; what was accepted is in <see cref="Accepted"/>.</summary>
    public void Admit(InputBatch batch, Admission[] results, IRecall recall, Func<int, bool> wasTold)
    {
        Accepted.Clear();
        _bytes.Clear();
        for (var i = 0; i < Items.Count;)
        {
            var end = Math.Min(i + Slice, Items.Count);
            lock (Gate)
                for (; i < end; i++) results[Items[i]] = AdmitOne(Items[i], batch[Items[i]], recall, wasTold);
        }
    }

    private Admission AdmitOne(int item, ReadOnlySpan<byte> input, IRecall recall, Func<int, bool> wasTold)
    {
        var (kind, key) = Envelope.Read(input);
        var known = Find(key);
        var twin = known;
        _item = item;
        var from = Accepted.Count;
        Admission result;
        try
        {
            if (Input.KeyedByContent(kind) && known?.IsSurelyNew(input) is not true && wasTold(item))
                return Admission.Repeat;
            twin ??= factory.Create(key);
            result = twin.Admit(input, recall, this);
        }
        catch (InvalidDataException e)
        {
            result = Admission.Reject(e.Message);
        }
        if (result.Status != AdmissionStatus.Accepted || twin is null)
        {
            Accepted.RemoveRange(from, Accepted.Count - from);
            return result;
        }
        if (known is null) Put(key, twin);
        Now.Begin(key, null, maySend: false);
        for (var i = from; i < Accepted.Count; i++) twin.Apply(Bytes(Accepted[i]), Now);
        Note(key, twin);
        return result;
    }

    void IAccepted.Add(ReadOnlySpan<byte> input, int day, long endMinute, bool sealable)
    {
        Accepted.Add(new AcceptedInput(_item, _bytes.Length, input.Length, day, endMinute, sealable));
        _bytes.Bytes(input);
    }

    /// <summary>Applies a journalled input to its twin: a rebuild.</summary>
    public void Apply(ReadOnlySpan<byte> input)
    {
        var key = Envelope.Read(input).Target;
        var twin = Find(key) ?? Put(key, factory.Create(key));
        Now.Begin(key, null, maySend: false);
        twin.Apply(input, Now);
        Note(key, twin);
    }

    /// <summary>Round 0 of a sweep: every twin that waits applies the input and may send.</summary>
    public void ApplyToWaiting(ReadOnlySpan<byte> input)
    {
        lock (Gate)
        {
            TwinKey[] waiting = [.. _waiting];
            _waiting.Clear();
            foreach (var key in waiting)
            {
                if (Find(key) is not { Waits: true } twin) continue;
                Now.Begin(key, null, maySend: true);
                twin.Apply(input, Now);
                Note(key, twin);
            }
        }
    }

    /// <summary>Round 0 of a closing: every twin of the kind applies the input and may send.</summary>
    public void ApplyToAll(TwinKind kind, ReadOnlySpan<byte> input)
    {
        lock (Gate)
        {
            foreach (var (id, twin) in _twins[(int)kind])
            {
                var key = new TwinKey(kind, id);
                Now.Begin(key, null, maySend: true);
                twin.Apply(input, Now);
                Note(key, twin);
            }
        }
    }

    /// <summary>Ends a round: what was said now is what is delivered next.</summary>
    public void Turn()
    {
        (Now, Before) = (Before, Now);
        Now.Clear();
    }

    /// <summary>A closing is over: lets go of what only closings need.</summary>
    public void Rest()
    {
        foreach (var box in (Outbox[])[Now, Before])
        {
            box.Clear();
            TwinHost.Trim(box.Facts);
        }
    }

    /// <summary>Delivers letters, sorted by receiver and sender, to the twins of this shard.</summary>
    public void Deliver(List<Letter> letters, Outbox[] bodies)
    {
        var inbox = new Inbox(bodies);
        lock (Gate)
        {
            for (var i = 0; i < letters.Count;)
            {
                var to = letters[i].To;
                var end = i + 1;
                while (end < letters.Count && letters[end].To == to) end++;
                var twin = Find(to) ?? Put(to, factory.Create(to));
                inbox.Show(letters, i, end - i);
                Now.Begin(to, inbox, maySend: true);
                twin.Receive(inbox, Now);
                Note(to, twin);
                i = end;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Of(TwinKey key, int shards) => (int)(StableHash.Mix(key.Id) % (ulong)shards);
}
