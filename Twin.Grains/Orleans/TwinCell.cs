using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Orleans;

/// <summary>What a gate may order of a twin; the number is part of the call between silos.</summary>
public enum TwinOrder : byte
{
    /// <summary>Judge and apply items: count, then item number, whether the journal has it, bytes.</summary>
    Admit = 1,
    /// <summary>Apply one input to everyone, a closing; the twin may send.</summary>
    Hear = 2,
    /// <summary>The same in a sweep, where nothing may be published.</summary>
    HearSweep = 3,
    /// <summary>Receive one round's mail: count, then sender and body.</summary>
    Receive = 4,
    /// <summary>The same in a sweep.</summary>
    ReceiveSweep = 5,
    /// <summary>Apply journalled inputs one behind another: count, then bytes.</summary>
    Replay = 6,
    /// <summary>The canonical state.</summary>
    Read = 7,
    /// <summary>Let go: another silo hosts the twin from now on.</summary>
    Leave = 8,
}

/// <summary>
/// One twin under an address, whatever its kind: the host class behind every grain. Carries out orders given as bytes
/// and answers with bytes. Not thread-safe; a grain runs one order at a time.
/// </summary>
public sealed class TwinCell(ITwinFactory factory, TwinKey key)
{
    private TwinState? _twin;

    /// <summary>Brings the twin to where the journal stands: its stored state, then inputs journalled since.</summary>
    /// <exception cref="InvalidDataException">The state is damaged, or a newer version wrote it.</exception>
    public void Load(ReadOnlyMemory<byte>? state, IEnumerable<byte[]> inputs)
    {
        _twin = state is { } bytes ? factory.Restore(key, bytes.Span) : null;
        var unheard = new Answer(keepScores: false);
        unheard.Begin(maySend: false, mayPublish: false);
        foreach (var input in inputs) (_twin ??= factory.Create(key)).Apply(input, unheard);
    }

    /// <summary>Null while there is no such twin: nothing was ever accepted for it.</summary>
    public byte[]? State()
    {
        if (_twin is null) return null;
        var w = new ByteWriter(1024);
        _twin.Write(w);
        return w.ToArray();
    }

    public bool Waits => _twin?.Waits ?? false;

    /// <exception cref="InvalidDataException">The order is damaged.</exception>
    public byte[] Do(TwinOrder order, ReadOnlySpan<byte> bytes, IRecall recall, bool keepScores)
    {
        var answer = new Answer(keepScores);
        return order switch
        {
            TwinOrder.Admit => Admit(bytes, recall, answer),
            TwinOrder.Hear or TwinOrder.HearSweep => Hear(bytes, order == TwinOrder.HearSweep, answer),
            TwinOrder.Receive or TwinOrder.ReceiveSweep => Receive(bytes, order == TwinOrder.Receive, answer),
            TwinOrder.Replay => Replay(bytes, answer),
            _ => throw new ArgumentOutOfRangeException(nameof(order), order, "Not an order to a twin's state."),
        };
    }

    private byte[] Admit(ReadOnlySpan<byte> bytes, IRecall recall, Answer answer)
    {
        answer.Begin(maySend: false, mayPublish: false);
        var door = new TwinDoor(factory);
        var r = new ByteReader(bytes);
        for (var left = r.Count(InputBatch.MaxItems); left > 0; left--)
        {
            var (item, wasTold) = (r.Int(), r.Bool());
            answer.Verdict(item, door.Admit(item, key, ref _twin, r.Blob(), recall, _ => wasTold, answer));
        }
        return answer.Finish(Waits, door.Accepted.Count > 0, door);
    }

    private byte[] Hear(ReadOnlySpan<byte> input, bool isSweep, Answer answer)
    {
        // A twin that no longer waits is passed over, as in every engine.
        if (_twin is null || (isSweep && !_twin.Waits)) return answer.Finish(Waits, changed: false, null);
        answer.Begin(maySend: true, mayPublish: false);
        _twin.Apply(input, answer);
        return answer.Finish(Waits, changed: true, null);
    }

    private byte[] Receive(ReadOnlySpan<byte> mail, bool mayPublish, Answer answer)
    {
        answer.Begin(maySend: true, mayPublish);
        (_twin ??= factory.Create(key)).Receive(new Mailbag(mail.ToArray()), answer);
        return answer.Finish(Waits, changed: true, null);
    }

    private byte[] Replay(ReadOnlySpan<byte> inputs, Answer answer)
    {
        answer.Begin(maySend: false, mayPublish: false);
        var r = new ByteReader(inputs);
        for (var left = r.Count(InputBatch.MaxItems); left > 0; left--)
            (_twin ??= factory.Create(key)).Apply(r.Blob(), answer);
        return answer.Finish(Waits, changed: true, null);
    }

    /// <summary>One round's mail, sorted by sender.</summary>
    private sealed class Mailbag : IInbox
    {
        private readonly byte[] _bytes;
        private readonly (TwinKey From, int Offset, int Length)[] _letters;

        public Mailbag(byte[] bytes)
        {
            _bytes = bytes;
            var r = new ByteReader(bytes);
            _letters = new (TwinKey, int, int)[r.Count(int.MaxValue)];
            for (var i = 0; i < _letters.Length; i++)
            {
                var from = KeyCode.Read(ref r);
                var length = r.Blob().Length;
                _letters[i] = (from, r.Position - length, length);
            }
        }

        public int Count => _letters.Length;

        public Mail this[int index]
        {
            get
            {
                var (from, offset, length) = _letters[index];
                return new Mail(from, _bytes.AsSpan(offset, length));
            }
        }
    }
}
