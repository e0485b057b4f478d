using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

/// <summary>
/// The body of a sealed segment of one day: blocks sorted by meter and channel, each with its journal position. About
/// <see cref="TargetBytes"/> a chunk: small enough to read one meter quickly, large enough that a page of slack at its
/// end costs little.
/// </summary>
internal static class SegmentChunk
{
    public const int TargetBytes = 32 * 1024;

    public static void Add(ByteWriter body, ref ulong lastId, ref long lastPosition, long position,
        ReadOnlySpan<byte> input)
    {
        var id = Envelope.Read(input).Target.Id;
        body.VarUInt(id - lastId);
        body.VarInt(position - lastPosition);
        body.Blob(Envelope.Payload(input));
        (lastId, lastPosition) = (id, position);
    }

    /// <summary>Visits blocks as journalled; only those of one meter when <paramref name="only"/> is given.</summary>
    public static void Visit(ReadOnlySpan<byte> body, ulong? only, JournalVisitor visit)
    {
        var r = new ByteReader(body);
        var scratch = new ByteWriter(512);
        ulong id = 0;
        long position = 0;
        while (!r.AtEnd)
        {
            id = unchecked(id + r.VarUInt());
            position = unchecked(position + r.VarInt());
            var payload = r.Blob();
            if (only is { } wanted)
            {
                if (id > wanted) return;
                if (id < wanted) continue;
            }
            scratch.Clear();
            new Envelope(InputKind.ReadingBlock, new TwinKey(TwinKind.Meter, id)).Write(scratch);
            scratch.Bytes(payload);
            visit(position, scratch.Written);
        }
    }
}

/// <summary>One reading block on its way into a segment: where it lies in the rows of the tail.</summary>
internal readonly record struct Piece(ulong Meter, Channel Channel, int Day, long Position, int Row, int Offset,
    int Length) : IComparable<Piece>
{
    public int CompareTo(Piece other)
    {
        if (Day != other.Day) return Day.CompareTo(other.Day);
        if (Meter != other.Meter) return Meter.CompareTo(other.Meter);
        return Channel != other.Channel ? Channel.CompareTo(other.Channel) : Position.CompareTo(other.Position);
    }

    public bool SameSeries(in Piece other) => Meter == other.Meter && Channel == other.Channel && Day == other.Day;
}

/// <summary>A local day being put together from blocks: slots over the whole day.</summary>
internal sealed class DaySlots
{
    private readonly int[] _slots = new int[LocalDay.MaxMinutes];
    private readonly Quality[] _qualities = new Quality[LocalDay.MaxMinutes];
    private readonly int[] _values = new int[ValueCodec.MaxValues];
    private readonly Quality[] _marks = new Quality[ValueCodec.MaxValues];

    public LocalDay Day { get; private set; }
    public int IntervalMinutes { get; private set; }
    public int Count { get; private set; }
    public Span<int> Slots => _slots.AsSpan(0, Count);
    public Span<Quality> Qualities => _qualities.AsSpan(0, Count);

    public void Begin(in ReadingBlock block)
    {
        (Day, IntervalMinutes, Count) = (block.Day, block.IntervalMinutes, block.Day.Minutes / block.IntervalMinutes);
        Slots.Fill(ReadingBlock.Missing);
        Qualities.Clear();
    }

    public void Begin(LocalDay day, int intervalMinutes, ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities)
    {
        (Day, IntervalMinutes, Count) = (day, intervalMinutes, slots.Length);
        slots.CopyTo(Slots);
        qualities.CopyTo(Qualities);
    }

    /// <summary>Lays a block over the day; values already there are replaced, gaps of the block leave them.</summary>
    public void Lay(in ReadingBlock block)
    {
        block.DecodeValues(_values.AsSpan(0, block.Count));
        block.DecodeQualities(_marks.AsSpan(0, block.Count));
        var first = block.FirstSlot;
        for (var i = 0; i < block.Count && first + i < Count; i++)
        {
            if (_values[i] == ReadingBlock.Missing) continue;
            _slots[first + i] = _values[i];
            _qualities[first + i] = _marks[i];
        }
    }

    /// <summary>Appends the day as one block.</summary>
    public void Write(ByteWriter to, MeterId meter, Channel channel) =>
        Write(to, meter, channel, Day, IntervalMinutes, Slots, Qualities);

    /// <summary>Appends one block from the first to the last reading of a day.</summary>
    public static void Write(ByteWriter to, MeterId meter, Channel channel, LocalDay day, int intervalMinutes,
        ReadOnlySpan<int> slots,
        ReadOnlySpan<Quality> qualities)
    {
        var first = Math.Max(0, slots.IndexOfAnyExcept(ReadingBlock.Missing));
        var last = Math.Max(first, slots.LastIndexOfAnyExcept(ReadingBlock.Missing));
        var head = new ReadingBlock
        {
            Meter = meter, Channel = channel, IntervalMinutes = intervalMinutes, Day = day, IsAdmitted = true,
            StartMinute = day.StartMinute + (long)first * intervalMinutes,
        };
        ReadingBlock.Write(to, head, slots[first..(last + 1)], qualities[first..(last + 1)]);
    }
}
