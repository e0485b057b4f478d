using System.Data.Common;
using Twin.Grains;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

/// <summary>
/// The total order, put together again from tail rows, kept inputs and segments. A chunk is opened when the order
/// reaches the earliest position in it; what is held in memory is the chunks whose positions overlap.
/// </summary>
internal sealed class JournalMerge : IDisposable
{
    /// <summary>Rows that are held in memory where a database fetches ahead.</summary>
    private const int KeptAtOnce = 256, PlacesAtOnce = 1_024;

    private readonly long _after;
    private readonly RowStream _batches, _kepts, _chunks;
    private readonly DbCommand _segmentBody, _frequentBody;
    private readonly PriorityQueue<Source, long> _sources = new();
    private bool _moreBatches, _moreKepts, _moreChunks;

    /// <summary>Decoded items of one row, in position order.</summary>
    private sealed class Source
    {
        public readonly ByteWriter Bytes = new(1024);
        public readonly List<(long Position, int Offset, int Length)> Items = [];
        public int Next;
        public long Position => Items[Next].Position;
    }

    public JournalMerge(SqlSession session, long after)
    {
        _after = after;
        _batches = session.Stream(session.Prepare("SELECT before, items, digest, last FROM batch WHERE last>@a "
            + "ORDER BY last", "@a").With(after), rowsAtOnce: 1);
        _kepts = session.Stream(session.Prepare("SELECT position, input, digest FROM kept WHERE position>@a "
            + "ORDER BY position", "@a").With(after), KeptAtOnce);
        // Places only: the bodies of a long history would not fit into the sort.
        _chunks = session.Stream(session.Prepare("SELECT min_position, id, days, from_day FROM segment WHERE "
            + "max_position>@a UNION ALL SELECT min_position, id, 0, 0 FROM frequent WHERE max_position>@a ORDER BY 1",
            "@a").With(after), PlacesAtOnce);
        _segmentBody = session.Prepare("SELECT body, digest FROM segment WHERE id=@i", "@i");
        _frequentBody = session.Prepare("SELECT body, digest FROM frequent WHERE id=@i", "@i");
        (_moreBatches, _moreKepts, _moreChunks) = (_batches.Read(), _kepts.Read(), _chunks.Read());
    }

    public void Run(JournalScan visit)
    {
        for (var goesOn = true; goesOn;)
        {
            var next = _sources.Count > 0 ? _sources.Peek().Position : long.MaxValue;
            if (_moreChunks && _chunks.Int64(0) <= next) OpenChunk();
            else if (_moreBatches && _batches.Int64(0) < next) OpenBatch();
            else if (_moreKepts && _kepts.Int64(0) < next) goesOn = VisitKept(visit);
            else if (_sources.Count > 0) goesOn = VisitSource(visit);
            else return;
        }
    }

    private void OpenChunk()
    {
        var (id, days) = (_chunks.Int64(1), _chunks.Int32(2));
        var body = BodyOf(days == 0 ? _frequentBody : _segmentBody, id, days == 0 ? "frequent" : "segment");
        var source = new Source();
        if (days == 0) FrequentChunk.Visit(body, null, (p, input) => Take(source, p, input));
        else if (days == 1) SegmentChunk.Visit(body, null, (p, input) => Take(source, p, input));
        else LongChunk.Visit(body, _chunks.Int32(3), null, (p, input) => Take(source, p, input));
        source.Items.Sort();
        Enqueue(source);
        _moreChunks = _chunks.Read();
    }

    private static byte[] BodyOf(DbCommand select, long id, string table)
    {
        using var row = select.With(id).ExecuteReader();
        if (!row.Read()) throw Sql.Damaged($"{table} row {id} is gone", null);
        return Checked(row.Blob(0), row.Blob(1), $"{table} row {id}");
    }

    private void OpenBatch()
    {
        var source = new Source();
        var items = Checked(_batches.Blob(1), _batches.Blob(2), $"batch that ends at position {_batches.Int64(3)}");
        JournalBatch.Visit(items, _batches.Int64(0), (p, input) => Take(source, p, input));
        Enqueue(source);
        _moreBatches = _batches.Read();
    }

    private void Take(Source source, long position, ReadOnlySpan<byte> input)
    {
        if (position <= _after) return;
        source.Items.Add((position, source.Bytes.Length, input.Length));
        source.Bytes.Bytes(input);
    }

    private void Enqueue(Source source)
    {
        if (source.Items.Count > 0) _sources.Enqueue(source, source.Position);
    }

    private bool VisitKept(JournalScan visit)
    {
        var position = _kepts.Int64(0);
        var goesOn = visit(position, Checked(_kepts.Blob(1), _kepts.Blob(2), $"input at position {position}"));
        _moreKepts = _kepts.Read();
        return goesOn;
    }

    /// <summary>Visits items of the foremost source as long as nothing else comes before them.</summary>
    private bool VisitSource(JournalScan visit)
    {
        var source = _sources.Dequeue();
        var bound = _sources.Count > 0 ? _sources.Peek().Position : long.MaxValue;
        if (_moreChunks) bound = Math.Min(bound, _chunks.Int64(0));
        if (_moreBatches) bound = Math.Min(bound, _batches.Int64(0) + 1);
        if (_moreKepts) bound = Math.Min(bound, _kepts.Int64(0));
        do
        {
            var (position, offset, length) = source.Items[source.Next++];
            if (!visit(position, source.Bytes.Written.Slice(offset, length))) return false;
        }
        while (source.Next < source.Items.Count && source.Position < bound);
        if (source.Next < source.Items.Count) _sources.Enqueue(source, source.Position);
        return true;
    }

    private static byte[] Checked(byte[] bytes, byte[] digest, string what) =>
        SqlValues.Digest(bytes).AsSpan(0, digest.Length).SequenceEqual(digest)
            ? bytes : throw Sql.Damaged($"the digest of the {what} does not match", null);

    public void Dispose()
    {
        _batches.Dispose();
        _kepts.Dispose();
        _chunks.Dispose();
        _segmentBody.Dispose();
        _frequentBody.Dispose();
    }
}
