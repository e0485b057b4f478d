using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

/// <summary>
/// The body of a sealed segment of 14 days: series sorted by meter and channel. A day's journal position is coded
/// against that of the meter before, which is one less in a typical feed.
/// </summary>
internal static class LongChunk
{
    /// <summary>Writes series one behind another.</summary>
    public sealed class Writer(int fromDay)
    {
        private readonly SeriesWriter _series = new();
        private readonly long[] _base = new long[SqlJournal.SegmentDays];
        private readonly ByteWriter _scratch = new(2048);
        private readonly DaySlots _slots = new();

        /// <summary>Begins another chunk: positions are coded afresh.</summary>
        public void Restart() => Array.Clear(_base);

        /// <summary>
        /// Appends one series: blocks of one meter and channel in ascending order of day, with their positions.
        /// </summary>
        public void Add(ByteWriter body, ulong idDelta, Channel channel, List<(long Position, byte[] Input)> days)
        {
            _series.Clear();
            var lastDay = int.MinValue;
            foreach (var (position, input) in days)
            {
                var block = ReadingBlock.Read(input);
                if (block.Day.Number == lastDay)
                {
                    // A second block of the day: a series of its own behind this one.
                    Flush(body, ref idDelta, channel);
                }
                lastDay = block.Day.Number;
                _slots.Begin(block);
                _slots.Lay(block);
                ref var basis = ref _base[lastDay - fromDay];
                _series.Add(block.Day, block.IntervalMinutes, position, basis, _slots.Slots, _slots.Qualities);
                basis = position;
            }
            Flush(body, ref idDelta, channel);
        }

        private void Flush(ByteWriter body, ref ulong idDelta, Channel channel)
        {
            if (_series.Days == 0) return;
            _scratch.Clear();
            _series.Write(_scratch);
            body.VarUInt(idDelta);
            body.Byte((byte)channel);
            body.Blob(_scratch.Written);
            idDelta = 0;
            _series.Clear();
        }
    }

    /// <summary>Visits blocks as journalled; only those of one meter when given.</summary>
    public static void Visit(ReadOnlySpan<byte> body, int fromDay, ulong? only, JournalVisitor visit)
    {
        var r = new ByteReader(body);
        var scratch = new ByteWriter(1024);
        var series = new SeriesReader();
        var bases = new long[SqlJournal.SegmentDays];
        ulong id = 0;
        while (!r.AtEnd)
        {
            id = unchecked(id + r.VarUInt());
            var channel = (Channel)r.Byte();
            var bytes = r.Blob();
            if (id > only) return;
            series.Open(bytes);
            for (var i = 0; i < series.Days.Length; i++)
            {
                var day = series.Days[i];
                if (day.Day.Number < fromDay || day.Day.Number - fromDay >= bases.Length)
                    throw r.Bad($"the day {day.Day.Date} is not of this segment");
                ref var basis = ref bases[day.Day.Number - fromDay];
                basis = day.Position(basis);
                if (only is not null && id != only) continue;
                scratch.Clear();
                DaySlots.Write(scratch, new MeterId(id), channel, day.Day, day.IntervalMinutes, series.Slots(i),
                    series.Qualities(i));
                visit(basis, scratch.Written);
            }
        }
    }

    /// <summary>Visits the days of one meter and channel; other series are skipped unread.</summary>
    public static void VisitDays(ReadOnlySpan<byte> body, MeterId meter, Channel channel, SeriesReader series,
        DayVisitor visit)
    {
        var r = new ByteReader(body);
        ulong id = 0;
        while (!r.AtEnd)
        {
            id = unchecked(id + r.VarUInt());
            var found = (Channel)r.Byte();
            var bytes = r.Blob();
            if (id > meter.Value) return;
            if (id != meter.Value || found != channel) continue;
            series.Open(bytes);
            for (var i = 0; i < series.Days.Length; i++)
                visit(series.Days[i].Day, series.Days[i].IntervalMinutes, series.Slots(i), series.Qualities(i));
        }
    }

    /// <summary>The body without the blocks that the condition names; empty when none is left.</summary>
    public static byte[] Without(ReadOnlySpan<byte> body, int fromDay, Func<ReadOnlySpan<byte>, bool> goes)
    {
        var rest = new ByteWriter(body.Length);
        var writer = new Writer(fromDay);
        var series = new List<(long Position, byte[] Input)>();
        (ulong Id, Channel Channel)? open = null;
        ulong lastId = 0;
        void Flush()
        {
            if (series.Count > 0 && open is { } o)
            {
                writer.Add(rest, o.Id - lastId, o.Channel, series);
                lastId = o.Id;
            }
            series.Clear();
        }
        Visit(body, fromDay, null, (position, input) =>
        {
            var block = ReadingBlock.Read(input);
            var key = (block.Meter.Value, block.Channel);
            if (open != key) Flush();
            open = key;
            if (!goes(input)) series.Add((position, input.ToArray()));
        });
        Flush();
        return rest.ToArray();
    }
}
