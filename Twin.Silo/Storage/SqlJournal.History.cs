using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

// The history is the compacted journal: series are read from segments, with late readings, revisions and the unsealed
// tail laid over.
public abstract partial class SqlJournal
{
    public void ReadReadings(MeterId meter, int fromDay, int toDay, long through, JournalVisitor visit)
    {
        // One view of both: sealing moves blocks from the tail to segments meanwhile.
        var (segments, tail) = OneView(() =>
            (SegmentsOf(meter, fromDay, toDay, through), TailOf(meter, fromDay, toDay, through)));
        foreach (var segment in segments)
            segment.Visit(meter.Value, (position, input) =>
            {
                if (position <= through) visit(position, input);
            });
        foreach (var (position, input) in tail) visit(position, input);
    }

    public void Series(MeterId meter, Channel channel, int fromDay, int toDay, long through, DayVisitor visit)
    {
        if (through >= Head)
        {
            Series(meter, channel, fromDay, toDay, visit);
            return;
        }
        var (pieces, segments) = OneView(() => (Unsealed(meter, channel, fromDay, toDay, through),
            SegmentsOf(meter, fromDay, toDay, through)));
        // In the order of days, as the pieces are: a segment has them by channel, and the parts of a day apart.
        var days = new List<(int Day, byte[] Input)>();
        foreach (var segment in segments)
            segment.Visit(meter.Value, (position, input) =>
            {
                var block = ReadingBlock.Read(input);
                if (position <= through && block.Channel == channel && block.Day.Number >= fromDay
                    && block.Day.Number <= toDay) days.Add((block.Day.Number, input.ToArray()));
            });
        var merge = new DayMerge(pieces, visit);
        foreach (var (_, input) in days.OrderBy(d => d.Day)) merge.Take(ReadingBlock.Read(input));
        merge.Finish();
    }

    public void Series(MeterId meter, Channel channel, int fromDay, int toDay, DayVisitor visit)
    {
        // One view of both: sealing moves blocks from the tail to segments meanwhile.
        var (pieces, segments) = OneView(() => (Unsealed(meter, channel, fromDay, toDay, long.MaxValue),
            SegmentsOf(meter, fromDay, toDay, long.MaxValue)));
        var merge = new DayMerge(pieces, visit);
        var reader = new SeriesReader();
        foreach (var segment in segments)
        {
            if (segment.Days == 1)
            {
                segment.Visit(meter.Value, (_, input) =>
                {
                    var block = ReadingBlock.Read(input);
                    if (block.Channel == channel) merge.Take(block);
                });
                continue;
            }
            LongChunk.VisitDays(segment.Body, meter, channel, reader, (day, interval, slots, qualities) =>
            {
                if (day.Number >= fromDay && day.Number <= toDay) merge.Take(day, interval, slots, qualities);
            });
        }
        merge.Finish();
    }

    /// <summary>
    /// Blocks that no segment holds: late ones, revisions, days revised while open, and the tail; by day and position.
    /// </summary>
    private List<(int Day, long Position, byte[] Input)> Unsealed(MeterId meter, Channel channel, int fromDay,
        int toDay, long through)
    {
        var pieces = new List<(int Day, long Position, byte[] Input)>();
        void Take(long position, ReadOnlySpan<byte> input)
        {
            if (position > through || Envelope.Read(input).Kind != InputKind.ReadingBlock) return;
            var block = ReadingBlock.Read(input);
            if (block.Channel == channel && block.Day.Number >= fromDay && block.Day.Number <= toDay)
                pieces.Add((block.Day.Number, position, input.ToArray()));
        }
        foreach (var (position, input) in Reading(c => KeptOf(c, meter.Twin, 0))) Take(position, input);
        foreach (var (position, input) in TailOf(meter, fromDay, toDay, through)) Take(position, input);
        pieces.Sort((a, b) => a.Day != b.Day ? a.Day.CompareTo(b.Day) : a.Position.CompareTo(b.Position));
        return pieces;
    }

    /// <summary>Sealed days in ascending order, unsealed pieces laid over or between them.</summary>
    private sealed class DayMerge(List<(int Day, long Position, byte[] Input)> pieces, DayVisitor visit)
    {
        private readonly DaySlots _slots = new();
        private int _next;

        public void Take(in ReadingBlock block)
        {
            Until(block.Day.Number);
            _slots.Begin(block);
            _slots.Lay(block);
            Over(block.Day.Number);
        }

        public void Take(LocalDay day, int interval, ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities)
        {
            Until(day.Number);
            if (_next == pieces.Count || pieces[_next].Day != day.Number)
            {
                visit(day, interval, slots, qualities);
                return;
            }
            _slots.Begin(day, interval, slots, qualities);
            Over(day.Number);
        }

        public void Finish() => Until(int.MaxValue);

        private void Until(int day)
        {
            while (_next < pieces.Count && pieces[_next].Day < day)
            {
                var own = pieces[_next].Day;
                _slots.Begin(ReadingBlock.Read(pieces[_next].Input));
                Over(own);
            }
        }

        private void Over(int day)
        {
            for (; _next < pieces.Count && pieces[_next].Day == day; _next++)
                _slots.Lay(ReadingBlock.Read(pieces[_next].Input));
            visit(_slots.Day, _slots.IntervalMinutes, _slots.Slots, _slots.Qualities);
        }
    }

    /// <summary>One stored segment.</summary>
    private readonly record struct Segment(int FromDay, int Days, byte[] Body)
    {
        public void Visit(ulong? only, JournalVisitor visit)
        {
            if (Days == 1) SegmentChunk.Visit(Body, only, visit);
            else LongChunk.Visit(Body, FromDay, only, visit);
        }
    }

    /// <summary>Segments whose digest was found right; at the bound all are checked anew.</summary>
    private const int MaxChecked = 1 << 20;

    private readonly HashSet<long> _checked = [];

    /// <summary>
    /// A segment is not changed once it is written: its digest is checked when it is first read, and by
    /// <see cref="CheckDigests"/>.
    /// </summary>
    private void CheckOnce(byte[] body, System.Data.Common.DbDataReader row, long id)
    {
        lock (_checked)
            if (_checked.Contains(id)) return;
        CheckDigest(body, row.Blob(3), $"segment row {id}");
        lock (_checked)
        {
            if (_checked.Count >= MaxChecked) _checked.Clear();
            _checked.Add(id);
        }
    }

    private List<Segment> SegmentsOf(MeterId meter, int fromDay, int toDay, long through) => Reading(c =>
    {
        using var select = c.Prepare("SELECT from_day, days, body, digest, id FROM segment WHERE days IN (1, 14) AND "
            + "from_day>=@a AND from_day<=@b AND first<=@m AND last>=@m AND min_position<=@p"
            // A window that was sealed in parts has a segment for each, the earlier days first.
            + " ORDER BY from_day, id", "@a", "@b", "@m", "@p")
                .With(fromDay == int.MinValue ? fromDay : fromDay - SegmentDays + 1, toDay,
                    SqlValues.Signed(meter.Value), through);
        using var reader = select.ExecuteReader();
        var found = new List<Segment>();
        while (reader.Read())
        {
            var segment = new Segment(reader.GetInt32(0), reader.GetInt32(1), reader.Blob(2));
            if (segment.FromDay + segment.Days <= fromDay) continue;
            CheckOnce(segment.Body, reader, reader.GetInt64(4));
            found.Add(segment);
        }
        return found;
    });
}
