using Microsoft.Data.Sqlite;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

// Reading back: the total order over tail, kept inputs and segments; findings, publications, digests.
public sealed partial class SqliteJournal
{
    /// <summary>
    /// Runs a read on the reading connection, inside one transaction: a consistent view while commits go on. Reads
    /// inside a read share its view.
    /// </summary>
    private T Reading<T>(Func<SqliteConnection, T> read)
    {
        lock (_readGate)
        {
            if (_inView) return read(_read);
            T? result = default;
            _inView = true;
            try
            {
                Sql.InTransaction(_read, "BEGIN", () => result = read(_read));
            }
            finally
            {
                _inView = false;
            }
            return result!;
        }
    }

    /// <summary>Guarded by the read gate, which its holder may take again.</summary>
    private bool _inView;

    public T OneView<T>(Func<T> read) => Reading(_ => read());

    public void Read(long after, JournalVisitor visit)
    {
        // A connection of its own: a rebuild takes long, and others go on reading.
        using var connection = Sql.Open(_file, readOnly: true);
        connection.Run("PRAGMA cache_size=-16384");
        Sql.InTransaction(connection, "BEGIN", () =>
        {
            using var merge = new JournalMerge(connection, after);
            merge.Run(visit);
        });
    }

    /// <summary>One statement is its own transaction; it is asked for often, so it stays prepared.</summary>
    public bool HasContent(ContentKey key)
    {
        lock (_readGate) return _contentSelect.With(key.ToBytes()).ExecuteScalar() is not null;
    }

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

    private static List<(long Position, byte[] Input)> KeptOf(SqliteConnection c, TwinKey key, long after)
    {
        using var select = c.Prepare("SELECT position, input FROM kept WHERE twin=$t AND kind=$k AND position>$a "
            + "AND twin <> -9223372036854775808", "$t", "$k", "$a").With(Sql.Signed(key.Id), (int)key.Kind, after);
        return Rows(select);
    }

    public void ReadFleetWide(long after, JournalVisitor visit)
    {
        var found = Reading(c =>
        {
            using var select = c.Prepare("SELECT position, input FROM kept WHERE twin=-9223372036854775808 AND kind=5 "
                + "AND position>$a ORDER BY position", "$a").With(after);
            return Rows(select);
        });
        foreach (var (position, input) in found) visit(position, input);
    }

    private static List<(long Position, byte[] Input)> Rows(SqliteCommand select)
    {
        using var reader = select.ExecuteReader();
        var found = new List<(long, byte[])>();
        while (reader.Read()) found.Add((reader.GetInt64(0), reader.Blob(1)));
        return found;
    }

    public byte[]? Publication(TwinKey from, int day)
    {
        lock (_readGate)
            return (byte[]?)_publicationSelect.With((int)from.Kind, Sql.Signed(from.Id), day).ExecuteScalar();
    }

    public TwinCheckpoint? Checkpoint(TwinKey key, int throughDay) => Reading(c =>
    {
        using var select = c.Prepare("SELECT day, position, state FROM checkpoint WHERE kind=$k AND twin=$t AND "
            + "day<=$d AND judging=$j ORDER BY day DESC LIMIT 1",
            "$k", "$t", "$d", "$j").With((int)key.Kind, Sql.Signed(key.Id), throughDay, JudgingVersion);
        using var reader = select.ExecuteReader();
        return reader.Read() ? new TwinCheckpoint(key, reader.GetInt32(0), reader.GetInt64(1), reader.Blob(2)) : null;
    });

    public IReadOnlyList<(int Day, long Position)> ClosedDays(long after) => Reading(c =>
    {
        using var select = c.Prepare("SELECT day, position FROM closed WHERE position>$a ORDER BY position", "$a")
            .With(after);
        using var reader = select.ExecuteReader();
        var found = new List<(int, long)>();
        while (reader.Read()) found.Add((reader.GetInt32(0), reader.GetInt64(1)));
        return found;
    });

    public IReadOnlyList<Finding> Findings(FindingQuery query) => Reading(c =>
    {
        using var select = c.CreateCommand();
        var where = new List<string>();
        void Add(string condition, string name, object value)
        {
            where.Add(condition);
            select.Parameters.AddWithValue(name, value);
        }
        if (query.Subject is { } s)
        {
            Add("twin=$t", "$t", Sql.Signed(s.Id));
            Add("kind=$k", "$k", (int)s.Kind);
        }
        if (query.Id is { } id) Add("id=$id", "$id", id);
        if (query.Kind is { } kind) Add("finding=$f", "$f", (int)kind);
        if (query.From is { } from) Add("detected_s>=$from", "$from", from.Seconds);
        if (query.To is { } to) Add("detected_s<$to", "$to", to.Seconds);
        select.CommandText = "SELECT body FROM finding"
            + (where.Count > 0 ? " WHERE " + string.Join(" AND ", where) : "")
            + " ORDER BY detected_s DESC, id LIMIT $n";
        select.Parameters.AddWithValue("$n", Math.Clamp(query.Limit, 0, 10_000));
        using var reader = select.ExecuteReader();
        var found = new List<Finding>();
        while (reader.Read()) found.Add(Finding.Read(reader.Blob(0)));
        return found;
    });

    internal long FindingCount() => Reading(c => (long)c.Scalar("SELECT COUNT(*) FROM finding")!);

    public void VisitFindings(Action<byte[]> visit) => Reading(c =>
    {
        using var select = c.Prepare("SELECT body FROM finding ORDER BY id");
        using var reader = select.ExecuteReader();
        while (reader.Read()) visit(reader.Blob(0));
        return 0;
    });

    /// <summary>Findings stored with batches that end after a position.</summary>
    internal void VisitFindingsAfter(long position, Action<string, byte[]> visit) => Reading(c =>
    {
        using var select = c.Prepare("SELECT id, body FROM finding WHERE position>$p ORDER BY id", "$p").With(position);
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
            found.Add(new Tombstone(reader.IsDBNull(0) ? null : new MeterId(Sql.Unsigned(reader.GetInt64(0))),
                reader.GetInt32(1),
                reader.GetInt64(2), reader.GetInt64(3), reader.GetString(4)));
        }
        return found;
    });

    public IEnumerable<string> CheckDigests()
    {
        using var connection = Sql.Open(_file, readOnly: true);
        var pages = Check(connection, "PRAGMA integrity_check(10)");
        foreach (var problem in pages) yield return problem;
        // Rows cannot be read through damaged pages.
        if (pages.Count > 0) yield break;
        (string Table, string Key, string Body)[] tables =
            [("batch", "last", "items"), ("kept", "position", "input"), ("segment", "id", "body"),
            ("frequent", "id", "body")];
        foreach (var (table, key, body) in tables)
        {
            using var select = connection.Prepare($"SELECT {key}, {body}, digest FROM {table}");
            using var reader = select.ExecuteReader();
            while (reader.Read())
            {
                var digest = reader.Blob(2);
                if (!Sql.Digest(reader.Blob(1)).AsSpan(0, digest.Length).SequenceEqual(digest))
                    yield return $"table {table}, row {reader.GetInt64(0)}: the stored digest does not match its bytes";
            }
        }
    }

    private static List<string> Check(SqliteConnection connection, string pragma)
    {
        using var command = connection.CreateCommand();
        command.CommandText = pragma;
        var found = new List<string>();
        try
        {
            using var reader = command.ExecuteReader();
            while (reader.Read())
                if (reader.GetString(0) != "ok") found.Add($"SQLite: {reader.GetString(0)}");
        }
        catch (SqliteException e)
        {
            found.Add($"SQLite: {e.Message}");
        }
        return found;
    }
}
