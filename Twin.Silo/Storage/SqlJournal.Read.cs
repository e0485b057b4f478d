using System.Data.Common;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

// Reading back: the total order over tail, kept inputs and segments; findings, publications, digests.
public abstract partial class SqlJournal
{
    public T OneView<T>(Func<T> read) => Reading(_ => read());

    public void Read(long after, JournalVisitor visit) => ReadUntil(after, (position, input) =>
    {
        visit(position, input);
        return true;
    });

    public void ReadUntil(long after, JournalScan visit) => Apart(session =>
    {
        using var merge = new JournalMerge(session, after);
        merge.Run(visit);
    });

    public bool HasContent(ContentKey key) => Once(s =>
        s.Ready("SELECT 1 FROM content WHERE key=@k", "@k").With(key.ToBytes()).ExecuteScalar() is not null);

    public byte[]? Publication(TwinKey from, int day) => Once(s => (byte[]?)s.Ready(
        "SELECT body FROM publication WHERE kind=@k AND twin=@t AND day=@d", "@k", "@t", "@d")
        .With((int)from.Kind, SqlValues.Signed(from.Id), day).ExecuteScalar());

    public IReadOnlyList<(int Day, byte[] Body)> Publications(TwinKey from, int fromDay, int toDay) => Reading(c =>
    {
        using var select = c.Prepare("SELECT day, body FROM publication WHERE kind=@k AND twin=@t AND day>=@a AND "
            + "day<=@b ORDER BY day", "@k", "@t", "@a", "@b")
            .With((int)from.Kind, SqlValues.Signed(from.Id), fromDay, toDay);
        using var reader = select.ExecuteReader();
        var found = new List<(int, byte[])>();
        while (reader.Read()) found.Add((reader.GetInt32(0), reader.Blob(1)));
        return found;
    });

    public void ReadAddressed(TwinKey key, long after, JournalVisitor visit)
    {
        var found = Reading(c =>
        {
            var rows = KeptOf(c, key, after);
            if (key.Kind == TwinKind.Meter)
                ReadFrequent(c, key.Id, after, int.MaxValue, int.MaxValue, () => true,
                    (position, input) => rows.Add((position, input.ToArray())));
            return rows;
        });
        found.Sort((a, b) => a.Position.CompareTo(b.Position));
        foreach (var (position, input) in found) visit(position, input);
    }

    private static List<(long Position, byte[] Input)> KeptOf(SqlSession c, TwinKey key, long after)
    {
        using var select = c.Prepare("SELECT position, input FROM kept WHERE twin=@t AND kind=@k AND position>@a "
            + "AND twin <> -9223372036854775808", "@t", "@k", "@a")
            .With(SqlValues.Signed(key.Id), (int)key.Kind, after);
        return Rows(select);
    }

    public void ReadFleetWide(long after, JournalVisitor visit)
    {
        var found = Reading(c =>
        {
            using var select = c.Prepare("SELECT position, input FROM kept WHERE twin=-9223372036854775808 AND kind=5 "
                + "AND position>@a ORDER BY position", "@a").With(after);
            return Rows(select);
        });
        foreach (var (position, input) in found) visit(position, input);
    }

    private static List<(long Position, byte[] Input)> Rows(DbCommand select)
    {
        using var reader = select.ExecuteReader();
        var found = new List<(long, byte[])>();
        while (reader.Read()) found.Add((reader.GetInt64(0), reader.Blob(1)));
        return found;
    }

    public TwinCheckpoint? Checkpoint(TwinKey key, int throughDay) => Reading(c =>
    {
        using var select = c.Prepare("SELECT day, position, state FROM checkpoint WHERE kind=@k AND twin=@t AND "
            + "day<=@d AND judging=(SELECT judging FROM head) ORDER BY day DESC LIMIT 1",
            "@k", "@t", "@d").With((int)key.Kind, SqlValues.Signed(key.Id), throughDay);
        using var reader = select.ExecuteReader();
        return reader.Read() ? new TwinCheckpoint(key, reader.GetInt32(0), reader.GetInt64(1), reader.Blob(2)) : null;
    });

    public IReadOnlyList<(int Day, long Position)> ClosedDays(long after) => Reading(c =>
    {
        using var select = c.Prepare("SELECT day, position FROM closed WHERE position>@a ORDER BY position", "@a")
            .With(after);
        using var reader = select.ExecuteReader();
        var found = new List<(int, long)>();
        while (reader.Read()) found.Add((reader.GetInt32(0), reader.GetInt64(1)));
        return found;
    });

    public IReadOnlyList<Finding> Findings(FindingQuery query) => Reading(c =>
    {
        var (where, names, values) = (new List<string>(), new List<string>(), new List<object>());
        void Add(string condition, string name, object value)
        {
            where.Add(condition);
            names.Add(name);
            values.Add(value);
        }
        if (query.Subject is { } s)
        {
            Add("twin=@t", "@t", SqlValues.Signed(s.Id));
            Add("kind=@k", "@k", (int)s.Kind);
        }
        if (query.Id is { } id) Add("id=@id", "@id", id);
        if (query.Kind is { } kind) Add("finding=@f", "@f", (int)kind);
        if (query.From is { } from) Add("detected_s>=@from", "@from", from.Seconds);
        if (query.To is { } to) Add("detected_s<@to", "@to", to.Seconds);
        if (query.Through is { } through) Add("position<=@p", "@p", through);
        if (query.After is { } after)
        {
            Add("detected_s<=@after", "@after", after.DetectedAt.Seconds);
            Add("(detected_s<@after OR id>@last)", "@last", after.Id);
        }
        var limit = Math.Clamp(query.Limit, 0, 10_000);
        names.Add("@n");
        // How severe one is stands in its body alone.
        values.Add(query.Least is null ? limit : int.MaxValue);
        using var select = c.Prepare("SELECT body FROM finding"
            + (where.Count > 0 ? " WHERE " + string.Join(" AND ", where) : "")
            + " ORDER BY detected_s DESC, id LIMIT @n", [.. names]).With([.. values]);
        using var rows = select.ExecuteReader();
        var found = new List<Finding>();
        while (found.Count < limit && rows.Read())
        {
            var finding = Finding.Read(rows.Blob(0));
            if (query.Least is not { } least || finding.Severity >= least) found.Add(finding);
        }
        return found;
    });

    internal long FindingCount() => Reading(c => (long)c.Scalar("SELECT COUNT(*) FROM finding")!);

    /// <summary>Findings, or rows to be checked, held in memory at once.</summary>
    private const int RowsAtOnce = 64;

    public void VisitFindings(Action<byte[]> visit) => Reading(c =>
    {
        using var rows = c.Stream(c.Prepare("SELECT body FROM finding ORDER BY id"), RowsAtOnce);
        while (rows.Read()) visit(rows.Blob(0));
        return 0;
    });

    /// <summary>Findings stored with batches that end after a position.</summary>
    internal void VisitFindingsAfter(long position, Action<string, byte[]> visit) => Reading(c =>
    {
        using var select = c.Prepare("SELECT id, body FROM finding WHERE position>@p ORDER BY id", "@p").With(position);
        using var reader = select.ExecuteReader();
        while (reader.Read()) visit(reader.GetString(0), reader.Blob(1));
        return 0;
    });

    public IReadOnlyList<Tombstone> Tombstones() => Reading(c =>
    {
        using var select = c.Prepare("SELECT meter, before_day, position, readings, digest FROM tombstone ORDER BY id");
        using var reader = select.ExecuteReader();
        var found = new List<Tombstone>();
        while (reader.Read())
        {
            found.Add(new Tombstone(reader.IsDBNull(0) ? null : new MeterId(SqlValues.Unsigned(reader.GetInt64(0))),
                reader.GetInt32(1),
                reader.GetInt64(2), reader.GetInt64(3), reader.GetString(4)));
        }
        return found;
    });

    public IEnumerable<string> CheckDigests()
    {
        var problems = CheckStore();
        foreach (var problem in problems) yield return problem;
        // Rows cannot be read through damaged pages.
        if (problems.Count > 0) yield break;
        (string Table, string Key, string Body)[] tables =
            [("batch", "last", "items"), ("kept", "position", "input"), ("segment", "id", "body"),
            ("frequent", "id", "body")];
        foreach (var (table, key, body) in tables)
            foreach (var row in Unsound(table, key, body))
                yield return $"table {table}, row {row}: the stored digest does not match its bytes";
    }

    /// <summary>Keys of the rows of a table whose digest does not match.</summary>
    private List<long> Unsound(string table, string key, string body)
    {
        var found = new List<long>();
        Apart(session =>
        {
            using var select = session.Prepare($"SELECT {key}, {body}, digest FROM {table}");
            using var reader = select.ExecuteReader();
            while (reader.Read())
            {
                var digest = reader.Blob(2);
                if (!SqlValues.Digest(reader.Blob(1)).AsSpan(0, digest.Length).SequenceEqual(digest))
                    found.Add(reader.GetInt64(0));
            }
        });
        return found;
    }
}
