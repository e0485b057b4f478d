using System.Runtime.CompilerServices;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Embedded;

/// <summary>
/// A part of the twins. Shards are a compute partition only: nothing stored depends on their number. The gate is held
/// while twins change, in slices, so that reads get in between.
/// </summary>
internal sealed class Shard(int index, int shards, ITwinFactory factory, bool keepScores)
{
    /// <summary>Inputs processed before a waiting reader gets its turn.</summary>
    private const int Slice = 256;

    /// <summary>By kind, whose number is a byte; most are empty.</summary>
    private readonly Dictionary<ulong, TwinState>?[] _twins = new Dictionary<ulong, TwinState>?[256];
    private readonly TwinDoor _door = new(factory);
    private readonly HashSet<TwinKey> _waiting = [];

    public Lock Gate { get; } = new();
    public List<AcceptedInput> Accepted => _door.Accepted;
    public List<int> Items { get; } = [];
    public Outbox Now { get; private set; } = new(index, shards, keepScores);
    public Outbox Before { get; private set; } = new(index, shards, keepScores);

    public TwinState? Find(TwinKey key) => _twins[(int)key.Kind]?.GetValueOrDefault(key.Id);

    /// <summary>Kinds that have a twin here, ascending.</summary>
    public IEnumerable<TwinKind> Kinds => Enumerable.Range(0, _twins.Length).Where(k => _twins[k] is not null)
        .Select(k => (TwinKind)k);

    /// <summary>Keys of one kind, in no order.</summary>
    public IEnumerable<TwinKey> Keys(TwinKind kind) =>
        _twins[(int)kind]?.Keys.Select(id => new TwinKey(kind, id)) ?? [];

    public ReadOnlySpan<byte> Bytes(in AcceptedInput a) => _door.Bytes(a);

    public long Count(TwinKind kind) => _twins[(int)kind]?.Count ?? 0;

    /// <summary>Takes in a twin, in the place of one of the same key.</summary>
    public TwinState Put(TwinKey key, TwinState twin)
    {
        Note(key, twin);
        return (_twins[(int)key.Kind] ??= [])[key.Id] = twin;
    }

    public void Clear()
    {
        Array.Clear(_twins);
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
        _door.Clear();
        for (var i = 0; i < Items.Count;)
        {
            var end = Math.Min(i + Slice, Items.Count);
            lock (Gate)
                for (; i < end; i++) results[Items[i]] = AdmitOne(Items[i], batch[Items[i]], recall, wasTold);
        }
    }

    private Admission AdmitOne(int item, ReadOnlySpan<byte> input, IRecall recall, Func<int, bool> wasTold)
    {
        var key = Envelope.Read(input).Target;
        var known = Find(key);
        var twin = known;
        Now.Begin(key, null, maySend: false);
        var result = _door.Admit(item, key, ref twin, input, recall, wasTold, Now);
        if (twin is null) return result;
        if (known is null) Put(key, twin);
        else Note(key, twin);
        return result;
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

    /// <summary>Round 0 of a closing: every twin of a kind that hears it applies the input and may send.</summary>
    public void ApplyToAll(ReadOnlySpan<byte> input)
    {
        foreach (var kind in Kinds)
        {
            if (!factory.HearsClosings(kind)) continue;
            using var twins = _twins[(int)kind]!.GetEnumerator();
            for (var more = true; more;)
            {
                lock (Gate)
                    for (var i = 0; i < Slice && (more = twins.MoveNext()); i++)
                    {
                        var (id, twin) = twins.Current;
                        var key = new TwinKey(kind, id);
                        Now.Begin(key, null, maySend: true);
                        twin.Apply(input, Now);
                        Note(key, twin);
                    }
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
        for (var i = 0; i < letters.Count;)
        {
            lock (Gate)
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
