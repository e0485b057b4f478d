using System.Data.Common;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

// Frequent inputs of meters (Input.IsFrequent): a commit stores those of its batch as a *run*, rows sorted by meter.
// When days close, the young runs become one, so that a meter's inputs lie in one row a run. What runs cover never
// changes, only how they are cut: the total order is put together from positions.
public abstract partial class SqlJournal
{
    /// <summary>Level of the runs that commits write, and of what they become.</summary>
    private const int Young = 0, Merged = 1;

    private static void StoreFrequent(SqlSession session, JournalBatch batch)
    {
        if (batch.Frequent.Count == 0) return;
        batch.Frequent.Sort((a, b) => a.Meter != b.Meter ? a.Meter.CompareTo(b.Meter)
            : a.Position.CompareTo(b.Position));
        var run = new RunBuilder(session, Young, batch.LastPosition);
        foreach (var (meter, position, offset, length) in batch.Frequent)
            run.Add(meter, position, batch.FrequentBytes.Slice(offset, length));
        run.Flush();
    }

    /// <summary>Young runs become one: a merge in memory of a row from each.</summary>
    private static void MergeFrequent(SqlSession session)
    {
        List<long> runs = [];
        using (var select = session.Prepare($"SELECT DISTINCT run FROM frequent WHERE level={Young} ORDER BY run"))
        using (var reader = select.ExecuteReader())
            while (reader.Read()) runs.Add(reader.GetInt64(0));
        if (runs.Count == 0) return;
        var queue = new PriorityQueue<RunCursor, (ulong, long)>();
        var cursors = new List<RunCursor>();
        try
        {
            foreach (var run in runs)
            {
                var cursor = new RunCursor(session, run);
                cursors.Add(cursor);
                if (cursor.Current is { } c) queue.Enqueue(cursor, (c.Meter, c.Position));
            }
            var merged = new RunBuilder(session, Merged, runs[^1]);
            while (queue.TryDequeue(out var cursor, out _))
            {
                var now = cursor.Current!.Value;
                merged.Add(now.Meter, now.Position, now.Input);
                cursor.MoveNext();
                if (cursor.Current is { } next) queue.Enqueue(cursor, (next.Meter, next.Position));
            }
            merged.Flush();
        }
        finally
        {
            foreach (var c in cursors) c.Dispose();
        }
        using var delete = session.Prepare($"DELETE FROM frequent WHERE level={Young} AND run<=@r", "@r")
            .With(runs[^1]);
        delete.ExecuteNonQuery();
    }

    /// <summary>Bounds of a search for one old input: runs looked at, and rows of them decoded.</summary>
    private const int MaxRunsSearched = 4_096, MaxRowsSearched = 128;

    /// <summary>Names of runs that a search has at hand.</summary>
    private const int RunsAtOnce = 64;

    public void ReadNewestFrequent(MeterId meter, JournalScan visit) => Reading(c =>
    {
        var more = true;
        ReadFrequent(c, meter.Value, 0, MaxRunsSearched, MaxRowsSearched, () => more, (position, input) =>
            more = more && visit(position, input));
        return 0;
    });

    /// <summary>Frequent inputs of one meter after a position; newest runs first, in no order within.</summary>
    private static void ReadFrequent(SqlSession c, ulong meter, long after, int maxRuns, int maxRows, Func<bool> goesOn,
        JournalVisitor visit)
    {
        using var runs = c.Stream(c.Prepare("SELECT DISTINCT level, run FROM frequent WHERE run>@a ORDER BY "
            + "run DESC", "@a").With(after), RunsAtOnce);
        // A run is sorted, and only one row of it can hold the meter: the last that begins at or before it.
        using var find = c.Prepare("SELECT body, last, digest, id FROM frequent WHERE level=@l AND run=@r AND "
            + "first<=@m ORDER BY first DESC LIMIT 1", "@l", "@r", "@m");
        while (maxRuns-- > 0 && maxRows > 0 && goesOn() && runs.Read())
        {
            find.With(runs.Int64(0), runs.Int64(1), SqlValues.Signed(meter));
            if (RowOf(find, SqlValues.Signed(meter)) is not { } body) continue;
            maxRows--;
            FrequentChunk.Visit(body, meter, (position, input) =>
            {
                if (position > after) visit(position, input);
            });
        }
    }

    /// <summary>The row found, when it reaches as far as the meter.</summary>
    private static byte[]? RowOf(DbCommand find, long meter)
    {
        using var row = find.ExecuteReader();
        if (!row.Read() || row.GetInt64(1) < meter) return null;
        var body = row.Blob(0);
        CheckDigest(body, row.Blob(2), $"frequent row {row.GetInt64(3)}");
        return body;
    }

    /// <summary>Collects sorted inputs into rows of about <see cref="SegmentChunk.TargetBytes"/>.</summary>
    private sealed class RunBuilder(SqlSession session, int level, long run)
    {
        private readonly ByteWriter _body = new(SegmentChunk.TargetBytes + 4096);
        private ulong _firstId, _lastId;
        private long _lastPosition, _min, _max;

        public void Add(ulong meter, long position, ReadOnlySpan<byte> input)
        {
            if (_body.Length >= SegmentChunk.TargetBytes && meter != _lastId) Flush();
            if (_body.Length == 0) (_firstId, _lastId, _lastPosition, _min, _max) = (meter, 0, 0, position, position);
            (_min, _max) = (Math.Min(_min, position), Math.Max(_max, position));
            FrequentChunk.Add(_body, ref _lastId, ref _lastPosition, position, input);
        }

        public void Flush()
        {
            if (_body.Length == 0) return;
            var body = _body.ToArray();
            session.Insert(JournalTable.Frequent, level, run, SqlValues.Signed(_firstId), SqlValues.Signed(_lastId),
                _min, _max, body, SqlValues.Digest(body));
            _body.Clear();
        }
    }

    /// <summary>The inputs of one run in meter and position order, row by row.</summary>
    private sealed class RunCursor : IDisposable
    {
        private readonly RowStream _rows;
        private readonly Queue<(ulong Meter, long Position, byte[] Input)> _row = new();

        public RunCursor(SqlSession session, long run)
        {
            _rows = session.Stream(session.Prepare($"SELECT body, digest, id FROM frequent WHERE "
                + $"level={Young} AND run=@r ORDER BY first", "@r").With(run), rowsAtOnce: 1);
            MoveNext();
        }

        public (ulong Meter, long Position, byte[] Input)? Current { get; private set; }

        public void MoveNext()
        {
            while (_row.Count == 0)
            {
                if (!_rows.Read())
                {
                    Current = null;
                    return;
                }
                var body = _rows.Blob(0);
                CheckDigest(body, _rows.Blob(1), $"frequent row {_rows.Int64(2)}");
                FrequentChunk.Visit(body, null, (position, input) =>
                    _row.Enqueue((Envelope.Read(input).Target.Id, position, input.ToArray())));
            }
            Current = _row.Dequeue();
        }

        public void Dispose() => _rows.Dispose();
    }
}
