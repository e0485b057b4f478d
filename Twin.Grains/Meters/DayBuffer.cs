using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

/// <summary>
/// One day of one channel, decoded: values, qualities and source stamps by slot. Scratch, one a thread.
/// </summary>
internal sealed class DayBuffer
{
    private readonly int[] _values = new int[LocalDay.MaxMinutes];
    private readonly Quality[] _qualities = new Quality[LocalDay.MaxMinutes];
    private readonly long[] _stamps = new long[LocalDay.MaxMinutes];
    private int _count;

    public Span<int> Values => _values.AsSpan(0, _count);
    public Span<Quality> Qualities => _qualities.AsSpan(0, _count);
    public Span<long> Stamps => _stamps.AsSpan(0, _count);

    /// <summary>Empties the buffer to so many slots, none of them read.</summary>
    public void Reset(int slots)
    {
        _count = slots;
        Values.Fill(ReadingBlock.Missing);
        Qualities.Clear();
        Stamps.Clear();
    }

    /// <exception cref="InvalidDataException">The stored readings are damaged.</exception>
    public void Load(in OpenDay head, ReadOnlySpan<byte> readings)
    {
        Reset(head.Slots);
        var r = new ByteReader(readings);
        var presence = head.Has(OpenDayFlags.Gaps) ? r.Bytes((_count + 7) / 8) : default;
        if (head.Has(OpenDayFlags.Qualities)) LoadQualities(ref r);
        else Qualities.Fill(Quality.Actual);
        if (head.Has(OpenDayFlags.Stamps)) LoadStamps(ref r);
        if (presence.IsEmpty)
        {
            ValueCodec.Decode(ref r, Values);
        }
        else
        {
            LoadPresent(ref r, presence);
        }
        if (!r.AtEnd) throw r.Bad("bytes are left behind the readings of an open day");
    }

    private void LoadPresent(ref ByteReader r, ReadOnlySpan<byte> presence)
    {
        var present = 0;
        for (var i = 0; i < _count; i++) present += (presence[i >> 3] >> (i & 7)) & 1;
        Span<int> packed = stackalloc int[present];
        ValueCodec.Decode(ref r, packed);
        for (int i = 0, next = 0; i < _count; i++)
        {
            if (((presence[i >> 3] >> (i & 7)) & 1) != 0) _values[i] = packed[next++];
            else _qualities[i] = Quality.Missing;
        }
    }

    private void LoadQualities(ref ByteReader r)
    {
        for (var i = 0; i < _count;)
        {
            var run = r.Count(_count - i);
            var quality = (Quality)r.Byte();
            if (run == 0 || quality > Quality.Actual) throw r.Bad("a quality run is damaged");
            Qualities.Slice(i, run).Fill(quality);
            i += run;
        }
    }

    private void LoadStamps(ref ByteReader r)
    {
        for (var i = 0; i < _count;)
        {
            var run = r.Count(_count - i);
            if (run == 0) throw r.Bad("a stamp run is empty");
            Stamps.Slice(i, run).Fill(r.VarInt());
            i += run;
        }
    }

    /// <summary>
    /// Appends the readings; the same readings always give the same bytes. Returns the flags that say how.
    /// </summary>
    public OpenDayFlags Store(ByteWriter to)
    {
        var flags = OpenDayFlags.None;
        for (var i = 0; i < _count; i++)
        {
            if (_values[i] == ReadingBlock.Missing) flags |= OpenDayFlags.Gaps;
            else if (_qualities[i] != Quality.Actual) flags |= OpenDayFlags.Qualities;
            if (_stamps[i] != 0) flags |= OpenDayFlags.Stamps;
        }
        if ((flags & OpenDayFlags.Gaps) != 0) StorePresence(to);
        if ((flags & OpenDayFlags.Qualities) != 0) StoreQualities(to);
        if ((flags & OpenDayFlags.Stamps) != 0) StoreStamps(to);
        Span<int> packed = stackalloc int[_count];
        var n = 0;
        foreach (var v in Values)
            if (v != ReadingBlock.Missing) packed[n++] = v;
        ValueCodec.Encode(packed[..n], to);
        return flags;
    }

    private void StorePresence(ByteWriter to)
    {
        for (var i = 0; i < _count; i += 8)
        {
            byte bits = 0;
            for (var k = i; k < Math.Min(i + 8, _count); k++)
                if (_values[k] != ReadingBlock.Missing) bits |= (byte)(1 << (k - i));
            to.Byte(bits);
        }
    }

    private void StoreQualities(ByteWriter to)
    {
        for (var i = 0; i < _count;)
        {
            var end = i + 1;
            while (end < _count && _qualities[end] == _qualities[i]) end++;
            to.VarUInt((ulong)(end - i));
            to.Byte((byte)_qualities[i]);
            i = end;
        }
    }

    private void StoreStamps(ByteWriter to)
    {
        for (var i = 0; i < _count;)
        {
            var end = i + 1;
            while (end < _count && _stamps[end] == _stamps[i]) end++;
            to.VarUInt((ulong)(end - i));
            to.VarInt(_stamps[i]);
            i = end;
        }
    }
}
