using System.Runtime.CompilerServices;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Ingest.Blocks;

/// <summary>One series of the feed: a meter's channel at one interval.</summary>
public readonly record struct SeriesKey(MeterId Meter, Channel Channel, int IntervalMinutes);

/// <summary>
/// Readings in any order to raw blocks of at most one UTC day. Nothing is dropped: a repeated key closes the open block
/// and opens another, so that admission sees and counts it.
/// </summary>
public sealed class BlockBuilder(BlockSorter sorter)
{
    /// <summary>
    /// Slots of all open blocks together (128 MiB). At the bound all are closed: blocks become shorter, the sorter
    /// joins them again.
    /// </summary>
    public const long MaxOpenSlots = 32 * 1024 * 1024;

    private readonly Dictionary<SeriesKey, int> _index = [];
    private Frame[] _frames = new Frame[64];
    private int _count;
    private readonly List<FeedMeter> _meters = [];
    private readonly ByteWriter _block = new(1024);
    private long _slots;
    private long _sequence;

    private int _day;
    private int _phase;
    private int _slot;
    private int _interval;
    private long _token;
    private long _closed;

    /// <summary>Readings in closed blocks, repeats included: all of them after <see cref="Flush"/>.</summary>
    public long Readings => _closed;

    /// <summary>Number of a series, for <see cref="Add"/> and <see cref="AddAtCursor"/>; valid until
    /// <see cref="Flush"/>.</summary>
    /// <param name="intervalMinutes">1 to 1440, a divisor of 1440.</param>
    public int Series(FeedMeter meter, Channel channel, int intervalMinutes)
    {
        if (intervalMinutes is < 1 or > 1440 || 1440 % intervalMinutes != 0)
            throw new ArgumentOutOfRangeException(nameof(intervalMinutes), intervalMinutes,
                "An interval divides a day.");
        var key = new SeriesKey(meter.Id, channel, intervalMinutes);
        if (_index.TryGetValue(key, out var i)) return i;
        _slots += 1440 / intervalMinutes;
        if (_count == _frames.Length) Array.Resize(ref _frames, _count * 2);
        _frames[_count] = new Frame(meter.Id, channel, intervalMinutes);
        _meters.Add(meter);
        return _index[key] = _count++;
    }

    /// <summary>True when so many series are open that the reader should call <see cref="Flush"/> and ask for new
    /// numbers.</summary>
    public bool IsFull => _slots >= MaxOpenSlots;

    /// <summary>Adds one reading.</summary>
    public void Add(int series, long startMinute, int value, Quality quality, long sourceStamp)
    {
        Seek(startMinute, _frames[series].IntervalMinutes);
        AddAtCursor(series, value, quality, sourceStamp);
    }

    /// <summary>Sets the interval that <see cref="AddAtCursor"/> fills: once a row of a wide file.</summary>
    public void Seek(long startMinute, int intervalMinutes)
    {
        _day = (int)FloorDay(startMinute);
        var offset = (int)(startMinute - _day * 1440L);
        (_slot, _phase) = Math.DivRem(offset, intervalMinutes);
        _interval = intervalMinutes;
        _token = Frame.TokenOf(_day, _phase);
    }

    private static long FloorDay(long minute) => minute >= 0 ? minute / 1440 : -((-minute + 1439) / 1440);

    /// <summary>Adds an actual reading without a stamp at the cursor; the hot path of wide files.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddAtCursor(int series, int value)
    {
        var frame = _frames[series];
        ref var slot = ref frame.Slots[_slot];
        if (frame.PlainToken != _token || slot != ReadingBlock.Missing)
        {
            AddAtCursor(series, value, Quality.Actual, 0);
            return;
        }
        slot = value;
        frame.Count++;
    }

    public void AddAtCursor(int series, int value, Quality quality, long sourceStamp)
    {
        var frame = _frames[series];
        if (frame.IntervalMinutes != _interval)
            throw new InvalidOperationException("The cursor stands at another interval.");
        if (frame.Day != _day || frame.Phase != _phase || frame.Stamp != sourceStamp || frame.Holds(_slot))
        {
            if (frame.Count > 0) Close(series);
            (frame.Day, frame.Phase, frame.Stamp) = (_day, _phase, sourceStamp);
            if (sourceStamp == 0) frame.PlainToken = _token;
        }
        frame.Put(_slot, value, quality);
    }

    /// <summary>Adds another input (a register, an event) in event-time order.</summary>
    public void Add(FeedMeter meter, Input input, UnixTime at)
    {
        _block.Clear();
        input.Write(_block);
        var day = (int)FloorDay(at.Minutes);
        meter.FirstDay = Math.Min(meter.FirstDay, day);
        var rank = (byte)(16 + (byte)input.Kind);
        sorter.Add(new SortKey(day, input.Target.Id, rank, at.Seconds, _sequence++), _block.Written);
    }

    /// <summary>
    /// Adds an input whose place among those of all meters counts: behind the readings of its day, by second, then in
    /// the order of arrival. <paramref name="meter"/>: whom it is about, null when it is about no meter.
    /// </summary>
    public void AddInPlace(FeedMeter? meter, Input input, UnixTime at)
    {
        _block.Clear();
        input.Write(_block);
        var day = (int)FloorDay(at.Minutes);
        if (meter is not null) meter.FirstDay = Math.Min(meter.FirstDay, day);
        sorter.Add(new SortKey(day, ulong.MaxValue, SortKey.InPlace, at.Seconds, _sequence++), _block.Written);
    }

    private void Close(int series)
    {
        var frame = _frames[series];
        var day = frame.Day;
        _meters[series].FirstDay = Math.Min(_meters[series].FirstDay, day);
        _closed += frame.Count;
        _block.Clear();
        frame.Flush(_block);
        sorter.Add(new SortKey(day, frame.Meter.Value, (byte)frame.Channel, 0, _sequence++), _block.Written);
    }

    /// <summary>Closes all open blocks and forgets the series: at the end of a file, or at the bound.</summary>
    public void Flush()
    {
        for (var i = 0; i < _count; i++)
            if (_frames[i].Count > 0) Close(i);
        Array.Clear(_frames);
        _count = 0;
        _meters.Clear();
        _index.Clear();
        _slots = 0;
    }
}
