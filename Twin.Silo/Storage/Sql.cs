using Microsoft.Data.Sqlite;
using Twin.Grains;

namespace Twin.Silo.Storage;

/// <summary>The journal's tables in SQLite, and small things around its driver.</summary>
internal static class Sql
{
    /// <summary>
    /// batch: sealable readings as they came. kept: every other input. frequent: what comes with
    /// every frame of a meter, in runs sorted by meter. segment: sealed readings of 1 or 14 days, sorted
    /// by meter. head: what the last commit made true. erasing: erasures journalled and not yet carried out.
    /// ledger: entries in their chain; casefile: the newest state of each case; casefind: by what people look for
    /// cases; reply: the newest state of each response; seal: signatures over the ledger; ledgerhead: where both end;
    /// cursor: how far its readers have come. Ids are stored with the top bit flipped, so that signed order is unsigned
    /// order.
    /// </summary>
    public const string Schema = """
        CREATE TABLE IF NOT EXISTS head(id INTEGER PRIMARY KEY CHECK(id=1), position INTEGER NOT NULL,
            readings INTEGER NOT NULL, marks BLOB NOT NULL, judging INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS batch(last INTEGER PRIMARY KEY, before INTEGER NOT NULL,
            min_day INTEGER NOT NULL, max_day INTEGER NOT NULL, items BLOB NOT NULL, digest BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS batch_days ON batch(max_day, min_day, last, before);
        CREATE TABLE IF NOT EXISTS kept(position INTEGER PRIMARY KEY, kind INTEGER NOT NULL, twin INTEGER NOT NULL,
            input BLOB NOT NULL, digest BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS kept_twin ON kept(twin, kind, position) WHERE twin <> -9223372036854775808;
        CREATE INDEX IF NOT EXISTS kept_fleet ON kept(position) WHERE twin = -9223372036854775808 AND kind = 5;
        CREATE TABLE IF NOT EXISTS frequent(id INTEGER PRIMARY KEY, level INTEGER NOT NULL, run INTEGER NOT NULL,
            first INTEGER NOT NULL, last INTEGER NOT NULL, min_position INTEGER NOT NULL,
            max_position INTEGER NOT NULL, body BLOB NOT NULL, digest BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS frequent_key ON frequent(level, run, first);
        CREATE INDEX IF NOT EXISTS frequent_run ON frequent(run);
        CREATE TABLE IF NOT EXISTS segment(id INTEGER PRIMARY KEY, from_day INTEGER NOT NULL, days INTEGER NOT NULL,
            first INTEGER NOT NULL, last INTEGER NOT NULL, min_position INTEGER NOT NULL,
            max_position INTEGER NOT NULL, body BLOB NOT NULL, digest BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS segment_key ON segment(days, from_day, first, last);
        CREATE TABLE IF NOT EXISTS publication(kind INTEGER NOT NULL, twin INTEGER NOT NULL, day INTEGER NOT NULL,
            body BLOB NOT NULL, PRIMARY KEY(kind, twin, day)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS closed(day INTEGER PRIMARY KEY, position INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS checkpoint(kind INTEGER NOT NULL, twin INTEGER NOT NULL, day INTEGER NOT NULL,
            position INTEGER NOT NULL, judging INTEGER NOT NULL, state BLOB NOT NULL,
            PRIMARY KEY(kind, twin, day)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS content(key BLOB PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS finding(id TEXT PRIMARY KEY, kind INTEGER NOT NULL, twin INTEGER NOT NULL,
            finding INTEGER NOT NULL, from_s INTEGER NOT NULL, detected_s INTEGER NOT NULL,
            position INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS finding_when ON finding(detected_s);
        CREATE INDEX IF NOT EXISTS finding_twin ON finding(twin, detected_s);
        CREATE TABLE IF NOT EXISTS erasing(position INTEGER PRIMARY KEY);
        CREATE TABLE IF NOT EXISTS tombstone(id INTEGER PRIMARY KEY, meter INTEGER, before_day INTEGER NOT NULL,
            position INTEGER NOT NULL, readings INTEGER NOT NULL, digest TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS ledger(number INTEGER PRIMARY KEY, position INTEGER NOT NULL, kind INTEGER NOT NULL,
            case_kind INTEGER NOT NULL, case_id INTEGER NOT NULL, at_s INTEGER NOT NULL, body BLOB NOT NULL,
            hash BLOB NOT NULL, digest BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS ledger_case ON ledger(case_id, number);
        CREATE TABLE IF NOT EXISTS casefile(id INTEGER NOT NULL, number INTEGER NOT NULL,
            subject_kind INTEGER NOT NULL, subject INTEGER NOT NULL, desk INTEGER NOT NULL, state INTEGER NOT NULL,
            handling INTEGER NOT NULL, queued INTEGER NOT NULL, changed_s INTEGER NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY(id, number)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS casefile_changed ON casefile(changed_s);
        CREATE INDEX IF NOT EXISTS casefile_subject ON casefile(subject);
        CREATE TABLE IF NOT EXISTS casefind(id INTEGER NOT NULL, number INTEGER NOT NULL, changed_s INTEGER NOT NULL,
            opened_s INTEGER NOT NULL, queued INTEGER NOT NULL, desk INTEGER NOT NULL, state INTEGER NOT NULL,
            handling INTEGER NOT NULL, disposition INTEGER NOT NULL, severity INTEGER NOT NULL,
            subject_kind INTEGER NOT NULL, subject INTEGER NOT NULL, region TEXT NOT NULL, feeder TEXT NOT NULL,
            assignee TEXT NOT NULL, kinds TEXT NOT NULL, words TEXT NOT NULL, PRIMARY KEY(id, number)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS casefind_changed ON casefind(changed_s DESC, id, number, queued, desk, state,
            handling, disposition, severity, subject_kind, subject, opened_s, region, feeder, assignee, kinds, words);
        CREATE INDEX IF NOT EXISTS casefind_severity ON casefind(severity DESC, changed_s DESC, id, number)
            WHERE queued=1;
        CREATE INDEX IF NOT EXISTS casefind_subject ON casefind(subject);
        CREATE INDEX IF NOT EXISTS ledger_changes ON ledger(case_id, at_s, number) WHERE kind=3;
        CREATE TABLE IF NOT EXISTS reply(id INTEGER NOT NULL, number INTEGER NOT NULL, state INTEGER NOT NULL,
            waits INTEGER NOT NULL, subject_kind INTEGER NOT NULL, subject INTEGER NOT NULL,
            proposed_s INTEGER NOT NULL, region TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY(id, number))
            WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS reply_proposed ON reply(proposed_s DESC, id, number);
        CREATE INDEX IF NOT EXISTS reply_subject ON reply(subject);
        CREATE INDEX IF NOT EXISTS reply_waits ON reply(proposed_s DESC, id, number) WHERE waits=1;
        CREATE TABLE IF NOT EXISTS seal(number INTEGER PRIMARY KEY, ordinal INTEGER NOT NULL, at_s INTEGER NOT NULL,
            key BLOB NOT NULL, signature BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS ledgerhead(id INTEGER PRIMARY KEY CHECK(id=1), number INTEGER NOT NULL,
            hash BLOB NOT NULL, seals INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS cursor(reader TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
        """;

    public static byte[] Digest(ReadOnlySpan<byte> bytes) => SqlValues.Digest(bytes);

    public static SqliteConnection Open(string file, bool readOnly)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Mode = readOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            DefaultTimeout = 30,
        }.ConnectionString);
        connection.Open();
        return connection;
    }

    public static void Run(this SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>
    /// Runs work between BEGIN and COMMIT. Plain statements: the driver's transaction objects would have to be set on
    /// every prepared command.
    /// </summary>
    public static void InTransaction(SqliteConnection connection, string begin, Action work)
    {
        connection.Run(begin);
        try
        {
            work();
            connection.Run("COMMIT");
        }
        catch
        {
            // SQLite may have rolled back on its own, as it does when the disk is full.
            if (SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0) connection.Run("ROLLBACK");
            throw;
        }
    }

    public static object? Scalar(this SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    public static SqliteCommand Prepare(this SqliteConnection connection, string sql, params string[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var name in parameters) command.Parameters.Add(new SqliteParameter { ParameterName = name });
        return command;
    }

    /// <summary>
    /// Full disk and failing disk become one clear error; everything else is a defect and stays as it is.
    /// </summary>
    public static StorageUnavailableException? AsUnavailable(SqliteException e, string directory) =>
        e.SqliteErrorCode switch
        {
            13 => new StorageUnavailableException(
                $"No space left for the journal in {directory}. Nothing acknowledged is lost; free space and send the "
                    + $"batch again.", e),
            10 or 8 or 23 => new StorageUnavailableException(
                $"The journal in {directory} cannot be written ({e.Message}). Nothing acknowledged is lost; check the "
                    + $"disk and send the batch again.", e),
            _ => null,
        };

    public static DataDirectoryException Damaged(string what, Exception? inner) =>
        new($"The journal is damaged: {what}. Stop, keep this directory, and restore the newest backup ('metertwin "
            + $"restore').", inner);
}
