using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Twin.Grains;

namespace Twin.Silo.Storage;

/// <summary>
/// The embedded journal: one SQLite file in write-ahead mode, every commit synced. Reads use connections of their own,
/// one a thread.
/// </summary>
public sealed class SqliteJournal : SqlJournal
{
    private readonly string _file;
    private readonly SqliteConnection _write;
    private readonly SqliteSession _writing;

    /// <summary>Readers at once; a further one waits for one of them to end.</summary>
    private const int MaxReaders = 8;

    private readonly SemaphoreSlim _readers = new(MaxReaders);
    private readonly ConcurrentBag<Reader> _idle = [];

    /// <summary>The reader of this thread, while it reads; reads inside reads use it, too.</summary>
    private readonly ThreadLocal<Reader?> _mine = new();

    private sealed class Reader(SqliteConnection connection)
    {
        public SqliteConnection Connection { get; } = connection;
        public SqliteSession Session { get; } = new(connection);

        /// <summary>True inside a view, which reads inside it share.</summary>
        public bool InView;

        public void Dispose()
        {
            Session.Dispose();
            Connection.Dispose();
        }
    }

    public SqliteJournal(string file)
    {
        _file = file;
        _write = Sql.Open(file, readOnly: false);
        try
        {
            // The order matters: page size and vacuum mode hold only when set before the first table.
            _write.Run("PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
                + "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-32768;"
                + "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON;"
                // Deleted readings leave nothing behind in pages that stay in use; pages that fall free go with the
                // vacuum of an erasure.
                + "PRAGMA secure_delete=FAST;");
            _write.Run(Sql.Schema);
            _write.Run("INSERT OR IGNORE INTO head VALUES(1, 0, 0, x'', 0)");
            _write.Run("INSERT OR IGNORE INTO ledgerhead VALUES(1, 0, zeroblob(32), 0)");
            _writing = new SqliteSession(_write);
            Sql.InTransaction(_write, "BEGIN IMMEDIATE", () => FillFindTables(_writing));
            Refresh();
        }
        catch (SqliteException e)
        {
            foreach (var reader in _idle) reader.Dispose();
            _write.Dispose();
            throw Sql.Damaged($"{file} cannot be opened ({e.Message})", e);
        }
    }

    private string Folder => Path.GetDirectoryName(_file)!;

    /// <summary>Limits the file, as a full disk would: for tests of what happens then.</summary>
    internal void LimitPages(long pages)
    {
        lock (WriteGate) _write.Run($"PRAGMA max_page_count={pages}");
    }

    internal long PageCount
    {
        get
        {
            // A connection is for one thread at a time, and the journal's thread may be sealing.
            lock (WriteGate) return (long)_write.Scalar("PRAGMA page_count")!;
        }
    }

    private protected override void Write(Action<SqlSession> work, JournalBatch? batch) => Guarded(() =>
        Sql.InTransaction(_write, "BEGIN IMMEDIATE", () => work(_writing)));

    /// <summary>One file has one writer at a time.</summary>
    private protected override void Note(Action<SqlSession> work)
    {
        lock (WriteGate) Write(work, null);
    }

    private void Guarded(Action work)
    {
        try
        {
            work();
        }
        catch (SqliteException e) when (Sql.AsUnavailable(e, Folder) is { } unavailable)
        {
            throw unavailable;
        }
    }

    private protected override T Reading<T>(Func<SqlSession, T> read) => WithReader(reader =>
    {
        if (reader.InView) return read(reader.Session);
        T? result = default;
        reader.InView = true;
        try
        {
            Sql.InTransaction(reader.Connection, "BEGIN", () => result = read(reader.Session));
        }
        finally
        {
            reader.InView = false;
        }
        return result!;
    });

    /// <summary>One statement is its own transaction.</summary>
    private protected override T Once<T>(Func<SqlSession, T> read) => WithReader(reader => read(reader.Session));

    private T WithReader<T>(Func<Reader, T> read)
    {
        if (_mine.Value is { } mine) return read(mine);
        _readers.Wait();
        try
        {
            var reader = _idle.TryTake(out var idle) ? idle : OpenReader();
            _mine.Value = reader;
            try
            {
                return read(reader);
            }
            finally
            {
                _mine.Value = null;
                _idle.Add(reader);
            }
        }
        finally
        {
            _readers.Release();
        }
    }

    private Reader OpenReader()
    {
        var connection = Sql.Open(_file, readOnly: true);
        connection.Run("PRAGMA cache_size=-4096; PRAGMA mmap_size=1073741824;");
        return new Reader(connection);
    }

    private protected override void Apart(Action<SqlSession> read)
    {
        using var connection = Sql.Open(_file, readOnly: true);
        connection.Run("PRAGMA cache_size=-16384");
        using var session = new SqliteSession(connection);
        Sql.InTransaction(connection, "BEGIN", () => read(session));
    }

    private protected override List<string> CheckStore()
    {
        using var connection = Sql.Open(_file, readOnly: true);
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA integrity_check(10)";
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

    private protected override long StoredBytes()
    {
        var bytes = (long)_write.Scalar("PRAGMA page_count")! * (long)_write.Scalar("PRAGMA page_size")!;
        var wal = new FileInfo(_file + "-wal");
        return bytes + (wal.Exists ? wal.Length : 0);
    }

    private protected override void PrepareToErase() => _write.Run("PRAGMA secure_delete=ON");

    /// <summary>Gives free pages and the write-ahead log back to the disk.</summary>
    private protected override void GiveBack(bool erased) => Guarded(() =>
    {
        _write.Run("PRAGMA wal_checkpoint(TRUNCATE)");
        _write.Run("PRAGMA incremental_vacuum");
        _write.Run("PRAGMA wal_checkpoint(TRUNCATE)");
        if (erased) _write.Run("PRAGMA secure_delete=FAST");
    });

    /// <summary>A consistent copy of a journal that may be in use; returns its last position.</summary>
    public static long Copy(string file, string target)
    {
        using var source = Sql.Open(file, readOnly: true);
        using var copy = Sql.Open(target, readOnly: false);
        source.BackupDatabase(copy);
        copy.Run("PRAGMA journal_mode=DELETE");
        return (long)copy.Scalar("SELECT position FROM head")!;
    }

    public override void Dispose()
    {
        _writing.Dispose();
        while (_idle.TryTake(out var reader)) reader.Dispose();
        _write.Dispose();
        _readers.Dispose();
        _mine.Dispose();
    }
}
