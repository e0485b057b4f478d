using System.Buffers.Binary;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

/// <summary>How the readings of an open day are stored, and how far the day has come.</summary>
[Flags]
internal enum OpenDayFlags : byte
{
    None = 0,
    /// <summary>A presence bitmap comes first: the day is not complete.</summary>
    Gaps = 1,
    /// <summary>Quality runs follow: not every reading is <see cref="Quality.Actual"/>.</summary>
    Qualities = 2,
    /// <summary>Runs of source stamps follow: at least one reading carries a stamp.</summary>
    Stamps = 4,
    All = Gaps | Qualities | Stamps,
}

/// <summary>The head of one open day: 16 bytes.</summary>
internal readonly record struct OpenDay(Channel Channel, OpenDayFlags Flags, LocalDay Day, int IntervalMinutes)
{
    public int Slots => Day.Minutes / IntervalMinutes;
    public bool Has(OpenDayFlags flag) => (Flags & flag) != 0;
}

/// <summary>
/// All days of one twin that have not closed, in one array: a day costs its head and about 50 bytes of readings; an
/// object a day would cost as much again. Sorted by day, then channel, so that one
/// content has one encoding.
/// Edited in place with a little slack, so that a full garbage collection finds no trail of replaced arrays.
/// </summary>
internal struct OpenDays
{
    private const int HeadLength = 16;
    private const int Slack = 16;

    /// <summary>
    /// Most bytes that open days may take; <see cref="MeterTwin.MaxOpenDays"/> a channel keeps far below.
    /// </summary>
    private const int MaxBytes = 16 * 1024 * 1024;

    private byte[]? _bytes;
    private int _used;

    public readonly int Used => _used;
    public readonly ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _used);

    /// <summary>The offset of the day, or of the place where it belongs.</summary>
    public readonly bool TryFind(Channel channel, int day, out int at)
    {
        for (at = 0; at < _used; at = Next(at))
        {
            var number = BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(at + 2));
            if (number < day || (number == day && _bytes![at] < (byte)channel)) continue;
            return number == day && _bytes![at] == (byte)channel;
        }
        return false;
    }

    public readonly int Next(int at) => at + HeadLength + ReadingsLength(at);

    public readonly OpenDay this[int at]
    {
        get
        {
            var s = _bytes.AsSpan(at, HeadLength);
            var day = new LocalDay(BinaryPrimitives.ReadInt32LittleEndian(s[2..]),
                BinaryPrimitives.ReadInt32LittleEndian(s[6..]),
                BinaryPrimitives.ReadUInt16LittleEndian(s[10..]));
            return new OpenDay((Channel)s[0], (OpenDayFlags)s[1], day,
                BinaryPrimitives.ReadUInt16LittleEndian(s[12..]));
        }
    }

    public readonly ReadOnlySpan<byte> Readings(int at) => _bytes.AsSpan(at + HeadLength, ReadingsLength(at));

    public readonly int Count(Channel channel)
    {
        var n = 0;
        for (var at = 0; at < _used; at = Next(at)) n += _bytes![at] == (byte)channel ? 1 : 0;
        return n;
    }

    /// <summary>
    /// Writes a day at an offset that <see cref="TryFind"/> gave; the spans must not lie in this array.
    /// </summary>
    public void Put(int at, bool exists, in OpenDay head, ReadOnlySpan<byte> readings)
    {
        var length = HeadLength + readings.Length;
        Resize(at, exists ? Next(at) - at : 0, length);
        var s = _bytes.AsSpan(at, length);
        (s[0], s[1]) = ((byte)head.Channel, (byte)head.Flags);
        BinaryPrimitives.WriteInt32LittleEndian(s[2..], head.Day.Number);
        BinaryPrimitives.WriteInt32LittleEndian(s[6..], checked((int)head.Day.StartMinute));
        BinaryPrimitives.WriteUInt16LittleEndian(s[10..], checked((ushort)head.Day.Minutes));
        BinaryPrimitives.WriteUInt16LittleEndian(s[12..], checked((ushort)head.IntervalMinutes));
        BinaryPrimitives.WriteUInt16LittleEndian(s[14..], checked((ushort)readings.Length));
        readings.CopyTo(s[HeadLength..]);
    }

    public void Remove(int at)
    {
        Resize(at, Next(at) - at, 0);
        if (_used == 0) _bytes = null;
    }

    public readonly void Write(ByteWriter to) => to.Blob(Bytes);

    /// <exception cref="InvalidDataException">Damaged: a record does not fit, is out of order or has bounds no day
    /// has.</exception>
    public static OpenDays Read(ref ByteReader from)
    {
        var bytes = from.Bytes(from.Count(Math.Min(MaxBytes, from.Left)));
        var days = new OpenDays { _bytes = bytes.IsEmpty ? null : bytes.ToArray(), _used = bytes.Length };
        var (lastDay, lastChannel) = (int.MinValue, 0);
        for (var at = 0; at < days._used; at = days.Next(at))
        {
            if (days._used - at < HeadLength || days.Next(at) > days._used) throw from.Bad("an open day is cut off");
            var head = days[at];
            var inOrder = head.Day.Number > lastDay || (head.Day.Number == lastDay && (int)head.Channel > lastChannel);
            var possible = head.Channel is >= Channel.Import and <= Channel.Water && head.Flags <= OpenDayFlags.All
                && head.Day.Minutes is > 0 and <= LocalDay.MaxMinutes
                && head.IntervalMinutes > 0 && head.Day.Minutes % head.IntervalMinutes == 0;
            if (!inOrder || !possible) throw from.Bad("an open day is out of order or out of bounds");
            (lastDay, lastChannel) = (head.Day.Number, (int)head.Channel);
        }
        return days;
    }

    private readonly int ReadingsLength(int at) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(at + 14));

    private void Resize(int at, int oldLength, int newLength)
    {
        var used = _used - oldLength + newLength;
        if (used > MaxBytes) throw new InvalidDataException($"Open days take more than {MaxBytes} bytes.");
        var target = _bytes;
        if (target is null || used > target.Length || used < target.Length / 4)
        {
            target = new byte[used + Slack];
            _bytes.AsSpan(0, at).CopyTo(target);
        }
        _bytes.AsSpan(at + oldLength, _used - at - oldLength).CopyTo(target.AsSpan(at + newLength));
        (_bytes, _used) = (target, used);
    }
}
