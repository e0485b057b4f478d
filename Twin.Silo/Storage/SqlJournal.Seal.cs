using System.Runtime.InteropServices;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

// Sealing: readings of closed days leave the arrival-ordered tail for segments sorted by meter, first one day each,
// then 14 days each. A block's place in the total order goes with it. Pieces of one meter-day become one block at the
// place of the last piece: nothing that a twin keeps depends on when within its open time a reading came. A meter-day
// that was revised while open keeps its pieces apart (table kept), because their order decides. Every step is one
// transaction: a crash leaves the step done or not done.
public abstract partial class SqlJournal
{
    /// <summary>Local days in a long segment; windows begin at multiples of it.</summary>
    internal const int SegmentDays = 14;

    public void Compact(int closedThrough, bool everything)
    {
        lock (WriteGate)
        {
            Write(s => SealTail(s, closedThrough));
            List<int> windows = [];
            Write(s =>
            {
                MergeFrequent(s);
                windows = FullWindows(s, closedThrough, everything);
            });
            foreach (var from in windows) Write(s => MergeWindow(s, from));
            if (everything) GiveBack(erased: false);
        }
    }

    private static void SealTail(SqlSession session, int closedThrough)
    {
        var pieces = new List<Piece>();
        var revised = Revised(session, closedThrough);
        var rows = TailRows(session, closedThrough);
        for (var row = 0; row < rows.Count; row++)
            TakePieces(session, rows[row].Last, rows[row].Before, rows[row].Items, row, closedThrough, pieces);
        if (pieces.Count == 0) return;
        pieces.Sort();
        WriteDays(session, CollectionsMarshal.AsSpan(pieces), rows, revised);
    }

    private static List<(long Last, long Before, byte[] Items)> TailRows(SqlSession session, int closedThrough)
    {
        using var select = session.Prepare(
            "SELECT last, before, items, digest FROM batch WHERE min_day<=@d ORDER BY last", "@d").With(closedThrough);
        using var reader = select.ExecuteReader();
        var rows = new List<(long, long, byte[])>();
        while (reader.Read())
        {
            var row = (reader.GetInt64(0), reader.GetInt64(1), reader.Blob(2));
            CheckDigest(row.Item3, reader.Blob(3), $"batch that ends at position {row.Item1}");
            rows.Add(row);
        }
        return rows;
    }

    /// <summary>Meter-days with a revision that came while the day was open.</summary>
    private static HashSet<(ulong, Channel, int)> Revised(SqlSession session, int closedThrough)
    {
        var found = new HashSet<(ulong, Channel, int)>();
        var from = (long)(session.Scalar("SELECT COALESCE(MIN(before), 0) FROM batch") ?? 0L);
        using var select = session.Prepare("SELECT position, input FROM kept WHERE position>@p AND kind=1", "@p")
            .With(from);
        using var reader = select.ExecuteReader();
        while (reader.Read())
        {
            var input = reader.Blob(1);
            if (Envelope.Read(input).Kind != InputKind.ReadingBlock) continue;
            var block = ReadingBlock.Read(input);
            if (block.IsRevision && !block.IsLate && block.Day.Number <= closedThrough)
                found.Add((block.Meter.Value, block.Channel, block.Day.Number));
        }
        return found;
    }

    /// <summary>Takes the blocks of closed days out of a tail row; what is left stays, under the same key.</summary>
    private static void TakePieces(SqlSession session, long last, long before, byte[] items, int row,
        int closedThrough, List<Piece> pieces)
    {
        var rest = new ByteWriter(1024);
        var restLast = before;
        int min = int.MaxValue, max = int.MinValue;
        JournalBatch.Visit(items, before, (position, input) =>
        {
            var block = ReadingBlock.Read(input);
            if (block.Day.Number <= closedThrough)
            {
                // The input is a slice of the row; where it begins is all that is kept of it.
                if (!items.AsSpan().Overlaps(input, out var offset))
                    throw new InvalidOperationException("A visited item lies outside its row.");
                pieces.Add(new Piece(block.Meter.Value, block.Channel, block.Day.Number, position, row, offset,
                    input.Length));
                return;
            }
            JournalBatch.AddFramed(rest, ref restLast, position, input);
            (min, max) = (Math.Min(min, block.Day.Number), Math.Max(max, block.Day.Number));
        });
        if (rest.Length == items.Length) return;
        if (rest.Length > 0)
        {
            InsertBatch(session, last, before, min, max, rest.ToArray());
            return;
        }
        using var delete = session.Prepare("DELETE FROM batch WHERE last=@l", "@l").With(last);
        delete.ExecuteNonQuery();
    }

    private static void WriteDays(SqlSession session, Span<Piece> pieces,
        List<(long Last, long Before, byte[] Items)> rows, HashSet<(ulong, Channel, int)> revised)
    {
        ReadOnlySpan<byte> Bytes(in Piece p) => rows[p.Row].Items.AsSpan(p.Offset, p.Length);
        var chunk = new ChunkBuilder(session, 1);
        var slots = new DaySlots();
        var merged = new ByteWriter(1024);
        for (var i = 0; i < pieces.Length;)
        {
            var end = i + 1;
            while (end < pieces.Length && pieces[end].SameSeries(pieces[i])) end++;
            var group = pieces[i..end];
            i = end;
            var first = group[0];
            if (revised.Contains((first.Meter, first.Channel, first.Day)))
            {
                foreach (var p in group)
                    InsertKept(session, new TwinKey(TwinKind.Meter, p.Meter), p.Position, Bytes(p).ToArray());
                continue;
            }
            if (group.Length == 1)
            {
                chunk.AddDay(first.Day, first.Meter, first.Position, Bytes(first));
                continue;
            }
            foreach (var p in group)
            {
                var block = ReadingBlock.Read(Bytes(p));
                if (p == first) slots.Begin(block);
                slots.Lay(block);
            }
            merged.Clear();
            slots.Write(merged, new MeterId(first.Meter), first.Channel);
            chunk.AddDay(first.Day, first.Meter, group[^1].Position, merged.Written);
        }
        chunk.Flush();
    }

    /// <summary>First days of windows that can become long segments: all of their days have closed.</summary>
    private static List<int> FullWindows(SqlSession session, int closedThrough, bool everything)
    {
        using var select = session.Prepare("SELECT DISTINCT from_day FROM segment WHERE days=1");
        using var reader = select.ExecuteReader();
        var windows = new SortedSet<int>();
        while (reader.Read())
        {
            var from = WindowOf(reader.GetInt32(0));
            if (everything || from + SegmentDays - 1 <= closedThrough) windows.Add(from);
        }
        return [.. windows];
    }

    internal static int WindowOf(int day) =>
        (day >= 0 ? day / SegmentDays : -((-day + SegmentDays - 1) / SegmentDays)) * SegmentDays;

    private static void CheckDigest(byte[] body, byte[] digest, string what)
    {
        if (!SqlValues.Digest(body).AsSpan(0, digest.Length).SequenceEqual(digest))
            throw Sql.Damaged($"the digest of the {what} does not match", null);
    }

    /// <summary>Collects sorted blocks into chunks and stores each as a row.</summary>
    private sealed class ChunkBuilder(SqlSession session, int days)
    {
        private readonly ByteWriter _body = new(SegmentChunk.TargetBytes * 2);
        private int _fromDay;
        private ulong _firstId, _lastId;
        private long _lastPosition, _min, _max;

        public ByteWriter Body => _body;

        public void AddDay(int day, ulong meter, long position, ReadOnlySpan<byte> input)
        {
            Begin(day, meter, position, position);
            SegmentChunk.Add(_body, ref _lastId, ref _lastPosition, position, input);
        }

        /// <summary>
        /// Makes room for an entry of a meter; true when a new chunk begins, because the last is full or of another
        /// period.
        /// </summary>
        public bool Begin(int fromDay, ulong meter, long min, long max)
        {
            if (_body.Length > 0 && (fromDay != _fromDay
                || (_body.Length >= SegmentChunk.TargetBytes && meter != _lastId))) Flush();
            var isNew = _body.Length == 0;
            if (isNew) (_fromDay, _firstId, _lastId, _lastPosition, _min, _max) = (fromDay, meter, 0, 0, min, max);
            (_min, _max) = (Math.Min(_min, min), Math.Max(_max, max));
            return isNew;
        }

        /// <summary>Id of the entry before; an entry writes its id as the difference to that.</summary>
        public ulong TakeIdDelta(ulong meter)
        {
            var delta = meter - _lastId;
            _lastId = meter;
            return delta;
        }

        public void Flush()
        {
            if (_body.Length == 0) return;
            var body = _body.ToArray();
            session.Insert(JournalTable.Segment, _fromDay, days, SqlValues.Signed(_firstId),
                SqlValues.Signed(_lastId), _min, _max, body, SqlValues.Digest(body));
            _body.Clear();
        }
    }
}
