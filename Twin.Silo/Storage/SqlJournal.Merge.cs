using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

// Fourteen one-day segments become one long segment: a merge of sorted chunks, in memory one chunk a day.
public abstract partial class SqlJournal
{
    private static void MergeWindow(SqlSession session, int from)
    {
        var cursors = new List<DayCursor>();
        try
        {
            var first = new List<int>();
            using (var days = session.Prepare("SELECT DISTINCT from_day FROM segment WHERE days=1 AND from_day>=@a AND "
                + "from_day<@b ORDER BY from_day", "@a", "@b")
                .With(from, from + SegmentDays))
            using (var reader = days.ExecuteReader())
                while (reader.Read()) first.Add(reader.GetInt32(0));
            foreach (var day in first) cursors.Add(new DayCursor(session, day));
            WriteLong(session, from, cursors);
        }
        finally
        {
            foreach (var c in cursors) c.Dispose();
        }
        using var delete = session.Prepare("DELETE FROM segment WHERE days=1 AND from_day>=@a AND from_day<@b", "@a",
            "@b").With(from, from + SegmentDays);
        delete.ExecuteNonQuery();
    }

    private static void WriteLong(SqlSession session, int from, List<DayCursor> cursors)
    {
        var chunk = new ChunkBuilder(session, SegmentDays);
        var series = new List<(long Position, byte[] Input)>();
        var writer = new LongChunk.Writer(from);
        while (true)
        {
            (ulong Meter, Channel Channel)? key = null;
            foreach (var c in cursors)
                if (c.Current is { } now && (key is null || Compare((now.Meter, now.Channel), key.Value) < 0))
                    key = (now.Meter, now.Channel);
            if (key is not { } next) break;
            series.Clear();
            long min = long.MaxValue, max = 0;
            foreach (var c in cursors)
            {
                while (c.Current is { } now && (now.Meter, now.Channel) == next)
                {
                    series.Add((now.Position, now.Input));
                    (min, max) = (Math.Min(min, now.Position), Math.Max(max, now.Position));
                    c.MoveNext();
                }
            }
            if (chunk.Begin(from, next.Meter, min, max)) writer.Restart();
            writer.Add(chunk.Body, chunk.TakeIdDelta(next.Meter), next.Channel, series);
        }
        chunk.Flush();
    }

    private static int Compare((ulong Meter, Channel Channel) a, (ulong Meter, Channel Channel) b) =>
        a.Meter != b.Meter ? a.Meter.CompareTo(b.Meter) : a.Channel.CompareTo(b.Channel);

    /// <summary>The blocks of one day in meter and channel order, chunk by chunk.</summary>
    private sealed class DayCursor : IDisposable
    {
        /// <summary>Chunks of a day held in memory, for each of up to <see cref="SegmentDays"/> days.</summary>
        private const int ChunksAtOnce = 4;

        private readonly RowStream _rows;
        private readonly Queue<(ulong Meter, Channel Channel, long Position, byte[] Input)> _chunk = new();

        public DayCursor(SqlSession session, int day)
        {
            _rows = session.Stream(session.Prepare("SELECT body, digest, id FROM segment WHERE days=1 AND "
                + "from_day=@d ORDER BY first, last", "@d").With(day), ChunksAtOnce);
            MoveNext();
        }

        public (ulong Meter, Channel Channel, long Position, byte[] Input)? Current { get; private set; }

        public void MoveNext()
        {
            while (_chunk.Count == 0)
            {
                if (!_rows.Read())
                {
                    Current = null;
                    return;
                }
                var body = _rows.Blob(0);
                CheckDigest(body, _rows.Blob(1), $"segment row {_rows.Int64(2)}");
                SegmentChunk.Visit(body, null, (position, input) =>
                {
                    var block = ReadingBlock.Read(input);
                    _chunk.Enqueue((block.Meter.Value, block.Channel, position, input.ToArray()));
                });
            }
            Current = _chunk.Dequeue();
        }

        public void Dispose() => _rows.Dispose();
    }
}
