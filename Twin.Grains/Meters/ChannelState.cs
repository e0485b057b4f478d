using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

/// <summary>
/// Lifetime figures of one channel. All of them follow from the set of stored readings, so arrival order leaves no
/// trace.
/// </summary>
internal struct ChannelState
{
    public Channel Channel;

    /// <summary>Interval length of the latest reading.</summary>
    public ushort IntervalMinutes;

    /// <summary>
    /// Begin of the first and end of the last reading, minutes since 1970; before one came, the widest bounds.
    /// </summary>
    public int FirstMinute, LastMinute;

    /// <summary>
    /// Stored readings, those of them that came after their day had closed, and the minutes they cover.
    /// </summary>
    public int Stored, Late, StoredMinutes;

    /// <summary>Sum of the stored readings, in the channel's unit.</summary>
    public long Sum;

    /// <summary>Readings expected between first and last, minus stored, at the present interval length.</summary>
    public readonly int Missing =>
        Stored == 0 ? 0 : Math.Max(0, LastMinute - FirstMinute - StoredMinutes) / IntervalMinutes;

    public static ChannelState Of(Channel channel) =>
        new() { Channel = channel, FirstMinute = int.MaxValue, LastMinute = int.MinValue };

    public void Cover(long start, long end, int intervalMinutes)
    {
        if (start < FirstMinute) FirstMinute = checked((int)start);
        if (end <= LastMinute) return;
        (LastMinute, IntervalMinutes) = (checked((int)end), checked((ushort)intervalMinutes));
    }

    public void Count(int readings, long sum, int intervalMinutes)
    {
        Stored += readings;
        StoredMinutes += readings * intervalMinutes;
        Sum += sum;
    }

    /// <summary>Readings lie within ±950 years around 1970; see <see cref="ReadingBlock"/>.</summary>
    private const int MaxMinute = 510_000_000;

    public readonly void Write(ByteWriter to)
    {
        to.Byte((byte)Channel);
        to.VarUInt(IntervalMinutes);
        to.VarInt(FirstMinute);
        to.VarInt(LastMinute);
        to.VarUInt((ulong)Stored);
        to.VarUInt((ulong)Late);
        to.VarUInt((ulong)StoredMinutes);
        to.VarInt(Sum);
    }

    public static ChannelState Read(ref ByteReader r)
    {
        var c = new ChannelState { Channel = (Channel)r.Byte(), IntervalMinutes = (ushort)r.Count(1440) };
        if (c.Channel is < Channel.Import or > Channel.Water) throw r.Bad("a channel state names no channel");
        c.FirstMinute = checked((int)r.VarInt());
        c.LastMinute = checked((int)r.VarInt());
        c.Stored = r.Count(int.MaxValue);
        c.Late = r.Count(int.MaxValue);
        c.StoredMinutes = r.Count(int.MaxValue);
        c.Sum = r.VarInt();
        var possible = c.Stored == 0 || (c.IntervalMinutes > 0 && c.FirstMinute < c.LastMinute
            && c.FirstMinute > -MaxMinute && c.LastMinute < MaxMinute);
        if (!possible) throw r.Bad("a channel has readings but no interval, or they lie nowhere");
        return c;
    }
}
