using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Ingest.Blocks;

/// <summary>
/// Joins the blocks of one meter, channel and UTC day that a sorted stream brings one behind another, so that the
/// result does not depend on how rows were arranged: the first occurrence of every key goes to the first block, the
/// second to the second, and so on. Also counts, series by series, what is missing between the first and the last
/// interval.
/// </summary>
public sealed class BlockMerger(SortedRun source)
{
    /// <summary>Occurrences of one key that are kept apart; at the bound those so far are given out and it starts
    /// afresh.</summary>
    public const int MaxLayers = 32;

    private readonly List<Frame> _frames = [];
    private readonly Queue<byte[]> _ready = new();
    private readonly Dictionary<SeriesKey, Extent> _extents = [];

    // Minutes of the day that hold a reading, by interval: a second value for one is no further reading.
    private readonly Dictionary<int, bool[]> _marks = [];
    private readonly ByteWriter _bytes = new(1024);
    private readonly int[] _slots = new int[ValueCodec.MaxValues];
    private readonly Quality[] _qualities = new Quality[ValueCodec.MaxValues];
    private byte[]? _pending;
    private SortKey _pendingKey;
    private bool _started;
    private bool _more;

    private record struct Extent(long First, long Last, long Slots);

    public SortKey Key { get; private set; }
    public ReadOnlySpan<byte> Payload => _current;
    private byte[] _current = [];

    /// <summary>Intervals between each series' first and last that no reading filled.</summary>
    public long Missing => _extents.Sum(static e => (e.Value.Last - e.Value.First) / e.Key.IntervalMinutes
        + 1 - e.Value.Slots);

    public bool Next()
    {
        if (!_started)
        {
            _started = true;
            _more = source.Next();
        }
        while (_ready.Count == 0)
        {
            if (!_more) return false;
            ReadGroup();
        }
        _current = _ready.Dequeue();
        return true;
    }

    private void ReadGroup()
    {
        Key = source.Key;
        if (Key.Rank > (byte)Channel.Water)
        {
            _ready.Enqueue(source.Payload.ToArray());
            _more = source.Next();
            return;
        }
        _pendingKey = Key;
        _pending = source.Payload.ToArray();
        _more = source.Next();
        if (!_more || !SameGroup(source.Key))
        {
            var only = ReadingBlock.Read(_pending);
            var last = only.EndMinute - only.IntervalMinutes;
            Extend(new SeriesKey(only.Meter, only.Channel, only.IntervalMinutes), only.StartMinute, last,
                only.PresentCount);
            _ready.Enqueue(_pending);
            return;
        }
        Spread(_pending);
        do
        {
            Spread(source.Payload);
            _more = source.Next();
        } while (_more && SameGroup(source.Key));
        Release();
        foreach (var marks in _marks.Values) marks.AsSpan().Clear();
    }

    private bool SameGroup(in SortKey k) => k.Day == _pendingKey.Day && k.Meter == _pendingKey.Meter
        && k.Rank == _pendingKey.Rank;

    private void Spread(ReadOnlySpan<byte> input)
    {
        var block = ReadingBlock.Read(input);
        block.DecodeValues(_slots);
        block.DecodeQualities(_qualities);
        var phase = (int)((block.StartMinute - _pendingKey.Day * 1440L) % block.IntervalMinutes);
        var first = (int)((block.StartMinute - _pendingKey.Day * 1440L) / block.IntervalMinutes);
        if (!_marks.TryGetValue(block.IntervalMinutes, out var marks))
            _marks[block.IntervalMinutes] = marks = new bool[1440];
        var key = new SeriesKey(block.Meter, block.Channel, block.IntervalMinutes);
        for (var i = 0; i < block.Count; i++)
        {
            if (_slots[i] == ReadingBlock.Missing) continue;
            FrameFor(block, phase, first + i).Put(first + i, _slots[i], _qualities[i]);
            var start = block.StartMinute + (long)i * block.IntervalMinutes;
            Extend(key, start, start, marks[start - _pendingKey.Day * 1440L] ? 0 : 1);
            marks[start - _pendingKey.Day * 1440L] = true;
        }
    }

    private Frame FrameFor(in ReadingBlock block, int phase, int slot)
    {
        var layers = 0;
        foreach (var f in _frames)
        {
            var same = f.IntervalMinutes == block.IntervalMinutes && f.Phase == phase && f.Stamp == block.SourceStamp;
            if (!same) continue;
            if (!f.Holds(slot)) return f;
            layers++;
        }
        if (layers >= MaxLayers) Release();
        var frame = new Frame(block.Meter, block.Channel, block.IntervalMinutes)
        {
            Day = _pendingKey.Day,
            Phase = phase,
            Stamp = block.SourceStamp,
        };
        _frames.Add(frame);
        return frame;
    }

    private void Release()
    {
        foreach (var frame in _frames)
        {
            _bytes.Clear();
            frame.Flush(_bytes);
            _ready.Enqueue(_bytes.ToArray());
        }
        _frames.Clear();
    }

    private void Extend(in SeriesKey key, long first, long last, int slots) =>
        _extents[key] = _extents.TryGetValue(key, out var e)
        ? new Extent(Math.Min(e.First, first), Math.Max(e.Last, last), e.Slots + slots)
        : new Extent(first, last, slots);
}
