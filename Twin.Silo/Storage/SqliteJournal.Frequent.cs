using Microsoft.Data.Sqlite;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

// Frequent inputs of meters (Input.IsFrequent): a commit stores those of its batch as a *run*, rows sorted by meter.
// When days close, the young runs become one, so that a meter's inputs lie in one row a run. What runs cover never
// changes, only how they are cut: the total order is put together from positions.
public sealed partial class SqliteJournal
{
    /// <summary>Level of the runs that commits write, and of what they become.</summary>
    private const int Young = 0, Merged = 1;

    private void StoreFrequent(JournalBatch batch)
    {
        if (batch.Frequent.Count == 0) return;
        batch.Frequent.Sort((a, b) => a.Meter != b.Meter ? a.Meter.CompareTo(b.Meter)
            : a.Position.CompareTo(b.Position));
        var run = new RunBuilder(this, Young, batch.LastPosition);
        foreach (var (meter, position, offset, length) in batch.Frequent)
            run.Add(meter, position, batch.FrequentBytes.Slice(offset, length));
        run.Flush();
    }

    /// <summary>Young runs become one: a merge in memory of a row from each.</summary>
    private void MergeFrequent()
    {
        List<long> runs = [];
        using (var select = _write.Prepare($"SELECT DISTINCT run FROM frequent WHERE level={Young} ORDER BY run"))
        using (var reader = select.ExecuteReader())
            while (reader.Read()) runs.Add(reader.GetInt64(0));
        if (runs.Count == 0) return;
        var queue = new PriorityQueue<RunCursor, (ulong, long)>();
        var cursors = new List<RunCursor>();
        try
        {
            foreach (var run in runs)
            {
                var cursor = new RunCursor(_write, run);
                cursors.Add(cursor);
                if (cursor.Current is { } c) queue.Enqueue(cursor, (c.Meter, c.Position));
            }
            var merged = new RunBuilder(this, Merged, runs[^1]);
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
        using var delete = _write.Prepare($"DELETE FROM frequent WHERE level={Young} AND run<=$r", "$r")
            .With(runs[^1]);
        delete.ExecuteNonQuery();
    }

    /// <summary>Bounds of a search for one old input: runs looked at, and rows of them decoded.</summary>
    private const int MaxRunsSearched = 4_096, MaxRowsSearched = 128;

    public void ReadNewestFrequent(MeterId meter, JournalScan visit) => Reading(c =>
    {
        var more = true;
        ReadFrequent(c, meter.Value, 0, MaxRunsSearched, MaxRowsSearched, () => more, (position, input) =>
            more = more && visit(position, input));
        return 0;
    });

    /// <summary>Frequent inputs of one meter after a position; newest runs first, in no order within.</summary>
    private void ReadFrequent(SqliteConnection c, ulong meter, long after, int maxRuns, int maxRows, Func<bool> goesOn,
        JournalVisitor visit)
    {
        using var runs = c.Prepare("SELECT DISTINCT level, run FROM frequent WHERE run>$a ORDER BY run DESC", "$a")
            .With(after);
        // A run is sorted, and only one row of it can hold the meter: the last that begins at or before it.
        using var find = c.Prepare("SELECT body, last, digest, id FROM frequent WHERE level=$l AND run=$r AND "
            + "first<=$m ORDER BY first DESC LIMIT 1", "$l", "$r", "$m");
        using var reader = runs.ExecuteReader();
        while (maxRuns-- > 0 && maxRows > 0 && goesOn() && reader.Read())
        {
            find.With(reader.GetInt32(0), reader.GetInt64(1), Sql.Signed(meter));
            using var row = find.ExecuteReader();
            if (!row.Read() || row.GetInt64(1) < Sql.Signed(meter)) continue;
            maxRows--;
            var body = row.Blob(0);
            CheckDigest(body, row.Blob(2), $"frequent row {row.GetInt64(3)}");
            FrequentChunk.Visit(body, meter, (position, input) =>
            {
                if (position > after) visit(position, input);
            });
        }
    }

    /// <summary>Collects sorted inputs into rows of about <see cref="SegmentChunk.TargetBytes"/>.</summary>
    private sealed class RunBuilder(SqliteJournal journal, int level, long run)
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
            journal._insertFrequent.With(level, run, Sql.Signed(_firstId), Sql.Signed(_lastId), _min, _max, body,
                Sql.Digest(body)).ExecuteNonQuery();
            _body.Clear();
        }
    }

    /// <summary>The inputs of one run in meter and position order, row by row.</summary>
    private sealed class RunCursor : IDisposable
    {
        private readonly SqliteCommand _select;
        private readonly SqliteDataReader _reader;
        private readonly Queue<(ulong Meter, long Position, byte[] Input)> _row = new();

        public RunCursor(SqliteConnection connection, long run)
        {
            _select = connection.Prepare($"SELECT body, digest, id FROM frequent WHERE level={Young} AND run=$r ORDER "
                + "BY first", "$r").With(run);
            _reader = _select.ExecuteReader();
            MoveNext();
        }

        public (ulong Meter, long Position, byte[] Input)? Current { get; private set; }

        public void MoveNext()
        {
            while (_row.Count == 0)
            {
                if (!_reader.Read())
                {
                    Current = null;
                    return;
                }
                var body = _reader.Blob(0);
                CheckDigest(body, _reader.Blob(1), $"frequent row {_reader.GetInt64(2)}");
                FrequentChunk.Visit(body, null, (position, input) =>
                    _row.Enqueue((Envelope.Read(input).Target.Id, position, input.ToArray())));
            }
            Current = _row.Dequeue();
        }

        public void Dispose()
        {
            _reader.Dispose();
            _select.Dispose();
        }
    }
}
