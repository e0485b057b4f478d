using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Ingest.Blocks;

/// <summary>
/// The readings of one meter, channel and interval within one UTC day, before they are encoded: slot 0 begins
/// <see cref="Phase"/> minutes after midnight UTC. The order in which slots are filled leaves no trace.
/// </summary>
internal sealed class Frame(MeterId meter, Channel channel, int intervalMinutes)
{
    public readonly MeterId Meter = meter;
    public readonly Channel Channel = channel;
    public readonly int IntervalMinutes = intervalMinutes;
    public readonly int[] Slots = NewSlots(1440 / intervalMinutes);
    private Quality[]? _qualities;

    public int Day = int.MinValue;
    public int Phase;
    public long Stamp;
    public int Count;

    /// <summary>
    /// Day and phase in one number while the frame takes plain readings (no stamp, all actual); else
    /// <see cref="NotPlain"/>. One comparison on the hot path instead of five.
    /// </summary>
    public long PlainToken = NotPlain;
    public const long NotPlain = long.MinValue;

    public static long TokenOf(int day, int phase) => day * 1440L + phase;

    private static int[] NewSlots(int count)
    {
        var slots = new int[count];
        slots.AsSpan().Fill(ReadingBlock.Missing);
        return slots;
    }

    public bool Holds(int slot) => Slots[slot] != ReadingBlock.Missing;

    public void Put(int slot, int value, Quality quality)
    {
        Slots[slot] = value;
        Count++;
        if (_qualities is null)
        {
            if (quality == Quality.Actual) return;
            PlainToken = NotPlain;
            _qualities = new Quality[Slots.Length];
            _qualities.AsSpan().Fill(Quality.Actual);
        }
        _qualities[slot] = quality;
    }

    /// <summary>Appends the block without leading and trailing gaps, and empties the frame.</summary>
    public void Flush(ByteWriter to)
    {
        int first = 0, last = Slots.Length - 1;
        while (Slots[first] == ReadingBlock.Missing) first++;
        while (Slots[last] == ReadingBlock.Missing) last--;
        var start = Day * 1440L + Phase + (long)first * IntervalMinutes;
        var length = last - first + 1;
        var qualities = _qualities is null ? default : _qualities.AsSpan(first, length);
        ReadingBlock.WriteRaw(to, Meter, Channel, IntervalMinutes, start, Slots.AsSpan(first, length), qualities,
            Stamp);
        Slots.AsSpan().Fill(ReadingBlock.Missing);
        _qualities = null;
        (Count, Day, PlainToken) = (0, int.MinValue, NotPlain);
    }
}
