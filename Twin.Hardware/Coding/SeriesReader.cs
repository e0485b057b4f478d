using System.Runtime.InteropServices;

namespace Twin.Hardware.Coding;

/// <summary>
/// Reads a sealed series: the days at once, the values only when asked for. Reusable; not for several threads at once.
/// </summary>
public sealed class SeriesReader
{
    private readonly List<SealedDay> _days = new(SeriesCodec.MaxDays);
    private int[] _slots = new int[1024];
    private Quality[] _qualities = new Quality[1024];
    private uint[] _distances = new uint[1024];
    private int _count;
    private int _present;
    private SeriesCodec.Form _form;
    private byte[] _values = new byte[1024];
    private int _valueBytes;
    private bool _decoded;

    /// <summary>The days of the open series, in order.</summary>
    public ReadOnlySpan<SealedDay> Days => CollectionsMarshal.AsSpan(_days);

    /// <summary>True when there are no gaps and every quality is actual.</summary>
    public bool IsWhole => (_form & SeriesCodec.Form.Whole) != 0;

    /// <summary>Number of readings, gaps not counted.</summary>
    public int PresentCount => _present;

    /// <summary>
    /// Reads the head of one series, which must be all of <paramref name="series"/>; the values stay encoded.
    /// </summary>
    /// <exception cref="InvalidDataException">Damaged. The reader then holds no days.</exception>
    public void Open(ReadOnlySpan<byte> series)
    {
        _days.Clear();
        _decoded = false;
        var r = new ByteReader(series);
        try
        {
            ReadHead(ref r);
        }
        catch (InvalidDataException)
        {
            _days.Clear();
            throw;
        }
        _valueBytes = r.Left;
        if (_values.Length < r.Left) _values = new byte[Math.Max(r.Left, _values.Length * 2)];
        r.Rest.CopyTo(_values);
    }

    private void ReadHead(ref ByteReader r)
    {
        var head = r.Byte();
        _form = (SeriesCodec.Form)(head & ~SeriesCodec.CountMask);
        var days = (head & SeriesCodec.CountMask) + 1;
        var interval = r.Count(1440);
        var number = r.Int();
        var offset = r.VarInt();
        var delta = r.VarInt();
        _count = 0;
        for (var i = 0; i < days; i++)
        {
            var minutes = 1440;
            if (i > 0) number = number < LocalDay.MaxNumber ? number + 1 : throw r.Bad("a day number is out of range");
            if ((_form & SeriesCodec.Form.Regular) == 0)
                ReadShape(ref r, ref number, ref minutes, ref interval, ref offset);
            if (offset is < -SeriesCodec.MaxOffsetMinutes or > SeriesCodec.MaxOffsetMinutes)
                throw r.Bad("a day's offset is out of range");
            var day = new SealedDay(new LocalDay(number, number * 1440L + offset, minutes), interval, delta, _count);
            if (Fault(day, i == 0 ? null : _days[^1]) is { } fault) throw r.Bad(fault);
            _count += day.Count;
            _days.Add(day);
        }
        if ((_form & SeriesCodec.Form.EvenPositions) == 0) ReadPositions(ref r);
        _present = _count;
        Reserve();
        if (!IsWhole) ReadQualities(ref r);
    }

    private static void ReadShape(ref ByteReader r, ref int number, ref int minutes, ref int interval, ref long offset)
    {
        var change = (SeriesCodec.Change)r.Byte();
        if (change > (SeriesCodec.Change)15) throw r.Bad($"{(byte)change} is no change of a day's shape");
        if ((change & SeriesCodec.Change.Number) != 0)
        {
            var skipped = r.Count(LocalDay.MaxNumber - LocalDay.MinNumber);
            number = number <= LocalDay.MaxNumber - skipped
                ? number + skipped : throw r.Bad("a day number is out of range");
        }
        if ((change & SeriesCodec.Change.Minutes) != 0) minutes = r.Count(LocalDay.MaxMinutes);
        if ((change & SeriesCodec.Change.Interval) != 0) interval = r.Count(1440);
        if ((change & SeriesCodec.Change.Offset) != 0) offset = r.VarInt();
    }

    private void ReadPositions(ref ByteReader r)
    {
        for (var i = 1; i < _days.Count; i++)
            _days[i] = _days[i] with { PositionDelta = unchecked(_days[i - 1].PositionDelta + r.VarInt()) };
    }

    private void Reserve()
    {
        if (_count <= _slots.Length) return;
        _slots = new int[_count];
        _qualities = new Quality[_count];
        _distances = new uint[_count];
    }

    private void ReadQualities(ref ByteReader r)
    {
        for (var i = 0; i < _count;)
        {
            var run = r.Count((_count - i) << 3 | (int)Quality.Actual);
            var (length, quality) = (run >> 3, (Quality)(run & 7));
            if (length == 0 || quality > Quality.Actual) throw r.Bad($"{run} is no run of qualities");
            _qualities.AsSpan(i, length).Fill(quality);
            if (quality == Quality.Missing) _present -= length;
            i += length;
        }
    }

    /// <summary>What is wrong with a day behind another, or null.</summary>
    internal static string? Fault(in SealedDay day, SealedDay? before)
    {
        if (day.Day.Number is < LocalDay.MinNumber or > LocalDay.MaxNumber)
            return $"day number {day.Day.Number} is out of range";
        if (before is { } b && b.Day.Number >= day.Day.Number)
            return $"the day {day.Day.Date} does not come after {b.Day.Date}";
        if (day.Day.Minutes is < 1 or > LocalDay.MaxMinutes) return $"a day has {day.Day.Minutes} minutes";
        if (day.IntervalMinutes < 1 || day.IntervalMinutes > day.Day.Minutes)
            return $"an interval has {day.IntervalMinutes} minutes";
        return day.OffsetMinutes is < -SeriesCodec.MaxOffsetMinutes or > SeriesCodec.MaxOffsetMinutes
            ? $"the day {day.Day.Date} begins {day.OffsetMinutes} minutes from midnight UTC" : null;
    }

    /// <summary>
    /// The slots of a day, <see cref="ReadingBlock.Missing"/> at gaps. The first call decodes all days. Valid until the
    /// next Open.
    /// </summary>
    /// <exception cref="InvalidDataException">The values are damaged.</exception>
    public ReadOnlySpan<int> Slots(int index)
    {
        var day = _days[index];
        if (!_decoded) Decode();
        return _slots.AsSpan(day.FirstSlot, day.Count);
    }

    /// <summary>The qualities of a day, <see cref="Quality.Missing"/> at gaps. Valid until the next Open.</summary>
    public ReadOnlySpan<Quality> Qualities(int index)
    {
        var day = _days[index];
        var qualities = _qualities.AsSpan(day.FirstSlot, day.Count);
        if (IsWhole) qualities.Fill(Quality.Actual);
        return qualities;
    }

    private void Decode()
    {
        var r = new ByteReader(_values.AsSpan(0, _valueBytes));
        var slots = _slots.AsSpan(0, _count);
        if (IsWhole) slots.Clear();
        else for (var i = 0; i < _count; i++) slots[i] = _qualities[i] == Quality.Missing ? ReadingBlock.Missing : 0;
        if ((_form & SeriesCodec.Form.Joint) == 0) DecodeDaily(ref r, slots);
        else if (_present > 0) DecodeJoint(ref r, slots);
        if (!r.AtEnd) throw r.Bad("there is more behind the values");
        _decoded = true;
    }

    private void DecodeJoint(ref ByteReader r, Span<int> slots)
    {
        var least = r.Int();
        if (least == ReadingBlock.Missing) throw r.Bad("a reading is out of range");
        var bits = new BitReader(r.Rest);
        var past = default(ContextCode.Past);
        var dayBefore = ReadOnlySpan<uint>.Empty;
        foreach (var day in _days)
        {
            var distances = _distances.AsSpan(day.FirstSlot, day.Count);
            var own = slots.Slice(day.FirstSlot, day.Count);
            if (!ContextCode.DecodeDay(own, least, dayBefore, distances, ref past, ref bits))
                throw r.Bad($"a reading of {day.Day.Date} is out of range");
            dayBefore = distances;
        }
        bits.Finish(ref r);
    }

    private void DecodeDaily(ref ByteReader r, Span<int> slots)
    {
        Span<int> packed = stackalloc int[SeriesCodec.MaxSlots];
        foreach (var day in _days)
        {
            var own = slots.Slice(day.FirstSlot, day.Count);
            var present = IsWhole ? own.Length : own.Length - own.Count(ReadingBlock.Missing);
            ValueCodec.Decode(ref r, packed[..present]);
            var next = 0;
            foreach (ref var slot in own)
                if (slot != ReadingBlock.Missing) slot = packed[next++];
        }
    }
}
