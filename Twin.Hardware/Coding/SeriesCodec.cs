namespace Twin.Hardware.Coding;

/// <summary>
/// One local day of a sealed series. Its slots number day minutes / interval minutes, whatever part of them is filled.
/// <paramref name="PositionDelta"/> is the journal position less the base position of that day;
/// <paramref name="FirstSlot"/> is where its slots begin among those of all days of the series.
/// </summary>
public readonly record struct SealedDay(LocalDay Day, int IntervalMinutes, long PositionDelta, int FirstSlot)
{
    /// <summary>Number of slots, gaps included.</summary>
    public int Count => Day.Minutes / IntervalMinutes;

    /// <summary>The day's journal position, given the base that the writer was given.</summary>
    public long Position(long basePosition) => unchecked(basePosition + PositionDelta);

    /// <summary>
    /// Instant of local midnight less that of midnight UTC of the same date: minutes, negative east of Greenwich.
    /// </summary>
    internal long OffsetMinutes => Day.StartMinute - Day.Number * 1440L;
}

/// <summary>
/// The sealed form of consecutive local days of one meter and channel: bounds and layout shared by writer and reader.
/// </summary>
/// <remarks>
/// Head: a byte of flags and number of days; interval, first day number, its offset, its position delta. Then, each
/// only where a flag says so: the days' shapes, the position deltas' changes, gaps and qualities. Then the values: all
/// days under <see cref="ContextCode"/>, or day by day under <see cref="ValueCodec"/>, whichever is shorter. The caller
/// frames the whole.
/// </remarks>
public static class SeriesCodec
{
    /// <summary>The most days of one series.</summary>
    public const int MaxDays = 16;

    /// <summary>The most slots of one day.</summary>
    public const int MaxSlots = LocalDay.MaxMinutes;

    /// <summary>
    /// Local midnight lies within ±26 h of midnight UTC of the same date (zones span ±14 h; the rest is margin).
    /// </summary>
    internal const int MaxOffsetMinutes = 26 * 60;

    /// <summary>Low 4 bits: number of days less one.</summary>
    internal const int CountMask = 15;

    [Flags]
    internal enum Form : byte
    {
        None = 0,
        /// <summary>Days follow one another, each of 1,440 minutes, with one interval and one offset.</summary>
        Regular = 16,
        /// <summary>All position deltas are equal.</summary>
        EvenPositions = 32,
        /// <summary>No gaps, and every quality is actual.</summary>
        Whole = 64,
        /// <summary>Values under <see cref="ContextCode"/>.</summary>
        Joint = 128,
    }

    /// <summary>
    /// What differs in the shape of a day from the day before; 0 for a next day of the same shape and 1,440 minutes.
    /// </summary>
    [Flags]
    internal enum Change : byte { None = 0, Number = 1, Minutes = 2, Interval = 4, Offset = 8 }
}

/// <summary>Collects days and writes them as one series. Reusable; not for several threads at once.</summary>
public sealed class SeriesWriter
{
    private readonly List<SealedDay> _days = new(SeriesCodec.MaxDays);
    private readonly ByteWriter _joint = new(1024);
    private readonly ByteWriter _daily = new(1024);
    private int[] _slots = new int[1024];
    private Quality[] _qualities = new Quality[1024];
    private uint[] _distances = new uint[1024];
    private int _count;
    private bool _whole = true;

    public int Days => _days.Count;

    /// <summary>
    /// True when the next day needs a series of its own: <see cref="SeriesCodec.MaxDays"/> is reached.
    /// </summary>
    public bool IsFull => _days.Count == SeriesCodec.MaxDays;

    public void Clear()
    {
        _days.Clear();
        _count = 0;
        _whole = true;
    }

    /// <summary>
    /// Adds one day, later than the last. <paramref name="slots"/> has day minutes / interval minutes values,
    /// <see cref="ReadingBlock.Missing"/> at gaps; <paramref name="qualities"/> may be empty: all actual. A slot whose
    /// quality is <see cref="Quality.Missing"/> is a gap, whatever its value. <paramref name="basePosition"/> is any
    /// value that the reader will know as well, near the position.
    /// </summary>
    /// <exception cref="ArgumentException">The day is out of order or its shape out of bounds.</exception>
    public void Add(LocalDay day, int intervalMinutes, long position, long basePosition, ReadOnlySpan<int> slots,
        ReadOnlySpan<Quality> qualities)
    {
        if (IsFull)
            throw new InvalidOperationException(
                $"A series holds {SeriesCodec.MaxDays} days at most: write it and clear.");
        var added = new SealedDay(day, intervalMinutes, unchecked(position - basePosition), _count);
        if (SeriesReader.Fault(added, _days.Count == 0 ? null : _days[^1]) is { } fault)
            throw new ArgumentException(fault, nameof(day));
        if (slots.Length != added.Count)
            throw new ArgumentException($"{day.Date} has {added.Count} slots, not {slots.Length}.", nameof(slots));
        if (!qualities.IsEmpty && qualities.Length != slots.Length)
            throw new ArgumentException($"{slots.Length} slots have {qualities.Length} qualities.", nameof(qualities));
        Reserve(_count + slots.Length);
        for (var i = 0; i < slots.Length; i++)
        {
            var quality = slots[i] == ReadingBlock.Missing ? Quality.Missing
                : qualities.IsEmpty ? Quality.Actual : qualities[i];
            _slots[_count + i] = quality == Quality.Missing ? ReadingBlock.Missing : slots[i];
            _qualities[_count + i] = quality;
            _whole &= quality == Quality.Actual;
        }
        _count += slots.Length;
        _days.Add(added);
    }

    private void Reserve(int count)
    {
        if (count <= _slots.Length) return;
        var size = Math.Min(SeriesCodec.MaxDays * SeriesCodec.MaxSlots, Math.Max(count, _slots.Length * 2));
        Array.Resize(ref _slots, size);
        Array.Resize(ref _qualities, size);
        Array.Resize(ref _distances, size);
    }

    /// <summary>
    /// Appends the series. The same days give the same bytes. The writer keeps its days until <see cref="Clear"/>.
    /// </summary>
    public void Write(ByteWriter to)
    {
        if (_days.Count == 0) throw new InvalidOperationException("A series has at least one day.");
        _joint.Clear();
        _daily.Clear();
        WriteJoint(_joint);
        WriteDaily(_daily);
        var joint = _joint.Length <= _daily.Length;
        var form = (_whole ? SeriesCodec.Form.Whole : 0) | (joint ? SeriesCodec.Form.Joint : 0)
            | (IsRegular() ? SeriesCodec.Form.Regular : 0)
            | (_days.TrueForAll(d => d.PositionDelta == _days[0].PositionDelta) ? SeriesCodec.Form.EvenPositions : 0);
        to.Byte((byte)((int)form | (_days.Count - 1)));
        to.VarUInt((ulong)_days[0].IntervalMinutes);
        to.VarInt(_days[0].Day.Number);
        to.VarInt(_days[0].OffsetMinutes);
        to.VarInt(_days[0].PositionDelta);
        if ((form & SeriesCodec.Form.Regular) == 0) WriteShapes(to);
        if ((form & SeriesCodec.Form.EvenPositions) == 0)
            for (var i = 1; i < _days.Count; i++)
                to.VarInt(unchecked(_days[i].PositionDelta - _days[i - 1].PositionDelta));
        if (!_whole) WriteQualities(to);
        to.Bytes((joint ? _joint : _daily).Written);
    }

    private bool IsRegular()
    {
        for (var i = 0; i < _days.Count; i++)
        {
            var (first, day) = (_days[0], _days[i]);
            if (day.Day.Minutes != 1440 || day.Day.Number != first.Day.Number + i
                || day.IntervalMinutes != first.IntervalMinutes || day.OffsetMinutes != first.OffsetMinutes)
                return false;
        }
        return true;
    }

    private void WriteShapes(ByteWriter to)
    {
        for (var i = 0; i < _days.Count; i++)
        {
            var day = _days[i];
            var before = i == 0 ? day : _days[i - 1];
            var skipped = i == 0 ? 0 : day.Day.Number - before.Day.Number - 1;
            var change = (skipped > 0 ? SeriesCodec.Change.Number : 0)
                | (day.Day.Minutes != 1440 ? SeriesCodec.Change.Minutes : 0)
                | (day.IntervalMinutes != before.IntervalMinutes ? SeriesCodec.Change.Interval : 0)
                | (day.OffsetMinutes != before.OffsetMinutes ? SeriesCodec.Change.Offset : 0);
            to.Byte((byte)change);
            if ((change & SeriesCodec.Change.Number) != 0) to.VarUInt((ulong)skipped);
            if ((change & SeriesCodec.Change.Minutes) != 0) to.VarUInt((ulong)day.Day.Minutes);
            if ((change & SeriesCodec.Change.Interval) != 0) to.VarUInt((ulong)day.IntervalMinutes);
            if ((change & SeriesCodec.Change.Offset) != 0) to.VarInt(day.OffsetMinutes);
        }
    }

    /// <summary>Runs over all days: length times 8 plus quality, LEB128: one byte for up to 15 slots.</summary>
    private void WriteQualities(ByteWriter to)
    {
        for (var i = 0; i < _count;)
        {
            var end = i + 1;
            while (end < _count && _qualities[end] == _qualities[i]) end++;
            to.VarUInt((ulong)(end - i) << 3 | (byte)_qualities[i]);
            i = end;
        }
    }

    private void WriteJoint(ByteWriter to)
    {
        var least = int.MaxValue;
        var present = 0;
        foreach (var v in _slots.AsSpan(0, _count))
        {
            if (v == ReadingBlock.Missing) continue;
            least = Math.Min(least, v);
            present++;
        }
        if (present == 0) return;
        to.VarInt(least);
        var bits = new BitWriter(to.GetSpan(present * 6 + 16));
        var past = default(ContextCode.Past);
        var dayBefore = ReadOnlySpan<uint>.Empty;
        foreach (var day in _days)
        {
            var distances = _distances.AsSpan(day.FirstSlot, day.Count);
            var slots = _slots.AsSpan(day.FirstSlot, day.Count);
            ContextCode.EncodeDay(slots, least, dayBefore, distances, ref past, ref bits);
            dayBefore = distances;
        }
        to.Advance(bits.Length);
    }

    private void WriteDaily(ByteWriter to)
    {
        Span<int> packed = stackalloc int[SeriesCodec.MaxSlots];
        foreach (var day in _days)
        {
            var n = 0;
            foreach (var v in _slots.AsSpan(day.FirstSlot, day.Count))
                if (v != ReadingBlock.Missing) packed[n++] = v;
            ValueCodec.Encode(packed[..n], to);
        }
    }
}
