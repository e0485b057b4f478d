using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Storage;

// The history is the compacted journal: series are read from segments, with late readings, revisions and the unsealed tail laid over.
public sealed partial class SqliteJournal
{
    public void ReadReadings(MeterId meter, JournalVisitor visit)
    {
        foreach (var (days, body) in SegmentsOf(meter, int.MinValue, int.MaxValue))
        {
            if (days == 1) SegmentChunk.Visit(body, meter.Value, visit);
            else LongChunk.Visit(body, meter.Value, visit);
        }
        foreach (var (before, items) in TailOf(int.MinValue, int.MaxValue))
        {
            JournalBatch.Visit(items, before, (position, input) =>
            {
                if (Envelope.Read(input).Target.Id == meter.Value) visit(position, input);
            });
        }
    }

    public void Series(MeterId meter, Channel channel, int fromDay, int toDay, DayVisitor visit)
    {
        var pieces = new List<(int Day, long Position, byte[] Input)>();
        void Take(long position, ReadOnlySpan<byte> input)
        {
            if (Envelope.Read(input).Kind != InputKind.ReadingBlock) return;
            var block = ReadingBlock.Read(input);
            if (block.Channel == channel && block.Day.Number >= fromDay && block.Day.Number <= toDay)
                pieces.Add((block.Day.Number, position, input.ToArray()));
        }
        foreach (var (days, body) in SegmentsOf(meter, fromDay, toDay))
        {
            if (days == 1) SegmentChunk.Visit(body, meter.Value, Take);
            else LongChunk.Visit(body, meter.Value, Take);
        }
        ReadAddressed(meter.Twin, Take);
        foreach (var (before, items) in TailOf(fromDay, toDay))
        {
            JournalBatch.Visit(items, before, (position, input) =>
            {
                if (Envelope.Read(input).Target.Id == meter.Value) Take(position, input);
            });
        }
        pieces.Sort((a, b) => a.Day != b.Day ? a.Day.CompareTo(b.Day) : a.Position.CompareTo(b.Position));
        LayDays(pieces, visit);
    }

    private static void LayDays(List<(int Day, long Position, byte[] Input)> pieces, DayVisitor visit)
    {
        var slots = new DaySlots();
        for (var i = 0; i < pieces.Count;)
        {
            var day = pieces[i].Day;
            slots.Begin(ReadingBlock.Read(pieces[i].Input));
            for (; i < pieces.Count && pieces[i].Day == day; i++) slots.Lay(ReadingBlock.Read(pieces[i].Input));
            visit(slots.Day, slots.IntervalMinutes, slots.Slots, slots.Qualities);
        }
    }

    private List<(int Days, byte[] Body)> SegmentsOf(MeterId meter, int fromDay, int toDay) => Reading(c =>
    {
        using var select = c.Prepare("SELECT days, body, digest, id FROM segment WHERE days IN (1, 14) AND from_day>=$a AND from_day<=$b AND first<=$m AND last>=$m"
            + " ORDER BY from_day", "$a", "$b", "$m").With(fromDay == int.MinValue ? fromDay : fromDay - SegmentDays + 1, toDay, Sql.Signed(meter.Value));
        using var reader = select.ExecuteReader();
        var found = new List<(int, byte[])>();
        while (reader.Read())
        {
            var body = reader.Blob(1);
            CheckDigest(body, reader.Blob(2), $"segment row {reader.GetInt64(3)}");
            found.Add((reader.GetInt32(0), body));
        }
        return found;
    });

    private List<(long Before, byte[] Items)> TailOf(int fromDay, int toDay) => Reading(c =>
    {
        using var select = c.Prepare("SELECT before, items FROM batch WHERE max_day>=$a AND min_day<=$b ORDER BY last", "$a", "$b").With(fromDay, toDay);
        using var reader = select.ExecuteReader();
        var found = new List<(long, byte[])>();
        while (reader.Read()) found.Add((reader.GetInt64(0), reader.Blob(1)));
        return found;
    });
}
