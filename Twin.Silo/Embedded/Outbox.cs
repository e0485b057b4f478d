using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Embedded;

/// <summary>One message under way; the body lies in the outbox of the sender's shard.</summary>
internal readonly record struct Letter(TwinKey To, TwinKey From, int Sequence, int Shard, int Offset, int Length) : IComparable<Letter>
{
    public int CompareTo(Letter other)
    {
        var c = To.CompareTo(other.To);
        if (c == 0) c = From.CompareTo(other.From);
        return c != 0 ? c : Sequence.CompareTo(other.Sequence);
    }
}

/// <summary>A fact of a twin; sorted by who states it, so that the order never depends on shards.</summary>
internal readonly record struct StatedFact(TwinKey From, int Sequence, FactKind Kind, int Offset, int Length) : IComparable<StatedFact>
{
    public int CompareTo(StatedFact other)
    {
        var c = From.CompareTo(other.From);
        return c != 0 ? c : Sequence.CompareTo(other.Sequence);
    }
}

/// <summary>What the twins of one shard say in one round.</summary>
internal sealed class Outbox(int shard) : IOutbox
{
    /// <summary>Bytes that one shard may say in one round; beyond, the round fails: a twin talks without end.</summary>
    private const int MaxBytes = 1 << 30;

    private readonly ByteWriter _bytes = new();
    private TwinKey _from;
    private IInbox? _answering;
    private bool _maySend;

    public List<Letter> Letters { get; } = [];
    public List<StatedFact> Facts { get; } = [];
    public List<(TwinKey From, int Offset, int Length)> Publications { get; } = [];

    public ReadOnlySpan<byte> Body(int offset, int length) => _bytes.Written.Slice(offset, length);

    /// <summary>Names the speaker of what follows. <paramref name="answering"/> is the inbox whose senders a publication goes to.</summary>
    public void Begin(TwinKey from, IInbox? answering, bool maySend) => (_from, _answering, _maySend) = (from, answering, maySend);

    public void Clear()
    {
        _bytes.Clear();
        Letters.Clear();
        Facts.Clear();
        Publications.Clear();
    }

    public void Send(TwinKey to, ReadOnlySpan<byte> message)
    {
        if (!_maySend) throw new InvalidOperationException($"Twin {_from} sends outside the closing of a day.");
        Letters.Add(new Letter(to, _from, Letters.Count, shard, Keep(message), message.Length));
    }

    public void Publish(ReadOnlySpan<byte> message)
    {
        if (_answering is null) throw new InvalidOperationException($"Twin {_from} publishes without an inbox.");
        var offset = Keep(message);
        Publications.Add((_from, offset, message.Length));
        for (var i = 0; i < _answering.Count; i++)
        {
            var to = _answering[i].From;
            if (i == 0 || _answering[i - 1].From != to) Letters.Add(new Letter(to, _from, Letters.Count, shard, offset, message.Length));
        }
    }

    public void Fact(FactKind kind, ReadOnlySpan<byte> fact) => Facts.Add(new StatedFact(_from, Facts.Count, kind, Keep(fact), fact.Length));

    private int Keep(ReadOnlySpan<byte> bytes)
    {
        if (_bytes.Length + bytes.Length > MaxBytes) throw new InvalidOperationException($"Twin {_from} says more than {MaxBytes} bytes in one round.");
        var offset = _bytes.Length;
        _bytes.Bytes(bytes);
        return offset;
    }
}

/// <summary>A slice of sorted letters to one twin.</summary>
internal sealed class Inbox(Outbox[] outboxes) : IInbox
{
    private List<Letter> _letters = [];
    private int _start;

    public int Count { get; private set; }

    public Mail this[int index]
    {
        get
        {
            var l = _letters[_start + index];
            return new Mail(l.From, outboxes[l.Shard].Body(l.Offset, l.Length));
        }
    }

    public void Show(List<Letter> letters, int start, int count) => (_letters, _start, Count) = (letters, start, count);
}

/// <summary>Facts and publications in a fixed order, for whoever stores or watches them.</summary>
/// <param name="keepScores">False where nobody wants scores: a rebuild of years would hold millions.</param>
public sealed class Consequences(bool keepScores)
{
    public List<byte[]> Findings { get; } = [];
    public List<byte[]> Scores { get; } = [];
    public List<(TwinKey From, int Day, byte[] Body)> Publications { get; } = [];

    internal void Add(FactKind kind, byte[] body)
    {
        if (kind == FactKind.Finding) Findings.Add(body);
        else if (keepScores) Scores.Add(body);
    }

    public void Clear()
    {
        Findings.Clear();
        Scores.Clear();
        Publications.Clear();
    }
}
