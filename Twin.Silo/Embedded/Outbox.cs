using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Embedded;

/// <summary>
/// One message under way, 40 bytes; the body lies in the outbox of the sender's shard. A closing of a million meters
/// has millions of them.
/// </summary>
internal readonly struct Letter(TwinKey to, TwinKey from, int sequence, int shard, int offset, int length)
    : IComparable<Letter>
{
    private readonly ulong _to = to.Id, _from = from.Id;
    private readonly byte _toKind = (byte)to.Kind, _fromKind = (byte)from.Kind, _shard = (byte)shard;

    public readonly int Sequence = sequence, Offset = offset, Length = length;
    public TwinKey To => new((TwinKind)_toKind, _to);
    public TwinKey From => new((TwinKind)_fromKind, _from);
    public int Shard => _shard;

    public int CompareTo(Letter other)
    {
        if (_toKind != other._toKind) return _toKind.CompareTo(other._toKind);
        if (_to != other._to) return _to.CompareTo(other._to);
        if (_fromKind != other._fromKind) return _fromKind.CompareTo(other._fromKind);
        return _from != other._from ? _from.CompareTo(other._from) : Sequence.CompareTo(other.Sequence);
    }
}

/// <summary>A fact of a twin; sorted by who states it, so that the order never depends on shards.</summary>
internal readonly record struct StatedFact(TwinKey From, int Sequence, FactKind Kind, int Offset, int Length)
    : IComparable<StatedFact>
{
    public int CompareTo(StatedFact other)
    {
        var c = From.CompareTo(other.From);
        return c != 0 ? c : Sequence.CompareTo(other.Sequence);
    }
}

/// <summary>
/// Append-only bytes in pages, so that growing copies nothing. A piece never spans pages. One page is kept between
/// closings; the twins need the rest.
/// </summary>
internal sealed class PagedBytes
{
    private const int PageBits = 20;
    private const int PageBytes = 1 << PageBits;
    private readonly List<byte[]> _pages = [];
    private byte[]? _spare;
    private int _used = PageBytes;

    /// <summary>Most pages: offsets are 31 bits.</summary>
    private const int MaxPages = (int.MaxValue >> PageBits) + 1;

    public int Keep(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > PageBytes)
            throw new InvalidOperationException($"A twin says {bytes.Length} bytes at once; {PageBytes} are allowed.");
        if (_used + bytes.Length > PageBytes)
        {
            if (_pages.Count == MaxPages)
                throw new InvalidOperationException("The twins of a shard say more than 2 GiB in one round.");
            _pages.Add(_spare ?? GC.AllocateUninitializedArray<byte>(PageBytes));
            _spare = null;
            _used = 0;
        }
        bytes.CopyTo(_pages[^1].AsSpan(_used));
        var offset = ((_pages.Count - 1) << PageBits) | _used;
        _used += bytes.Length;
        return offset;
    }

    public ReadOnlySpan<byte> this[int offset, int length] =>
        _pages[offset >> PageBits].AsSpan(offset & (PageBytes - 1), length);

    public void Clear()
    {
        if (_pages.Count > 0) _spare = _pages[0];
        _pages.Clear();
        _used = PageBytes;
    }
}

/// <summary>What the twins of one shard say in one round; letters lie sorted by the shard they go to.</summary>
internal sealed class Outbox(int shard, int shards, bool keepScores) : IOutbox
{
    private readonly List<Letter>[] _letters = [.. Enumerable.Range(0, shards).Select(_ => new List<Letter>())];
    private readonly int[] _last = new int[shards];
    private readonly PagedBytes _bytes = new();
    private TwinKey _from;
    private IInbox? _answering;
    private bool _maySend;

    public long LetterCount => _letters.Sum(l => (long)l.Count);
    public List<StatedFact> Facts { get; } = [];
    public List<(TwinKey From, int Offset, int Length)> Publications { get; } = [];

    public ReadOnlySpan<byte> Body(int offset, int length) => length == 0 ? default : _bytes[offset, length];

    /// <summary>
    /// Names the speaker of what follows. <paramref name="answering"/> is the inbox whose senders a publication goes
    /// to.
    /// </summary>
    public void Begin(TwinKey from, IInbox? answering, bool maySend) =>
        (_from, _answering, _maySend) = (from, answering, maySend);

    /// <summary>Moves the letters for one shard to the end of a list and lets go of their room here.</summary>
    public void Take(int toShard, List<Letter> into)
    {
        var letters = _letters[toShard];
        if (letters.Count > 0) _last[toShard] = letters.Count;
        into.AddRange(letters);
        TwinHost.Trim(letters);
    }

    /// <summary>How many letters go to a shard.</summary>
    public int CountTo(int toShard) => _letters[toShard].Count;

    private void Post(TwinKey to, int offset, int length)
    {
        var toShard = Shard.Of(to, _letters.Length);
        var letters = _letters[toShard];
        // As many as the last time: growing by doubling would leave as much again to be collected.
        if (letters.Count == 0 && letters.Capacity < _last[toShard]) letters.EnsureCapacity(_last[toShard]);
        letters.Add(new Letter(to, _from, letters.Count, shard, offset, length));
    }

    public void Clear()
    {
        _bytes.Clear();
        foreach (var letters in _letters) letters.Clear();
        Facts.Clear();
        Publications.Clear();
    }

    public void Send(TwinKey to, ReadOnlySpan<byte> message)
    {
        if (!_maySend) throw new InvalidOperationException($"Twin {_from} sends outside the closing of a day.");
        Post(to, _bytes.Keep(message), message.Length);
    }

    public void Publish(ReadOnlySpan<byte> message)
    {
        if (_answering is null) throw new InvalidOperationException($"Twin {_from} publishes without an inbox.");
        var offset = _bytes.Keep(message);
        Publications.Add((_from, offset, message.Length));
        for (var i = 0; i < _answering.Count; i++)
        {
            var to = _answering[i].From;
            if (i == 0 || _answering[i - 1].From != to) Post(to, offset, message.Length);
        }
    }

    public void Fact(FactKind kind, ReadOnlySpan<byte> fact)
    {
        if (kind != FactKind.Score || keepScores)
            Facts.Add(new StatedFact(_from, Facts.Count, kind, _bytes.Keep(fact), fact.Length));
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
