using Microsoft.Data.Sqlite;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Storage;

/// <summary>
/// The embedded journal: one SQLite file in write-ahead mode, every commit synced. One thread appends and compacts;
/// reads use a connection of their own and see whole commits only.
/// </summary>
public sealed partial class SqliteJournal : IJournal
{
    private readonly string _file;
    private readonly SqliteConnection _write;
    private readonly SqliteConnection _read;
    private readonly Lock _readGate = new();
    private readonly Lock _writeGate = new();
    private readonly SqliteCommand _insertBatch, _insertKept, _insertSegment, _insertPublication, _insertClosed,
        _insertContent, _insertFinding, _insertCheckpoint, _insertFrequent, _setHead;
    private readonly SqliteCommand _publicationSelect, _contentSelect;
    private long _readings;

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
            (Position, _readings, Marks, JudgingVersion) = ReadHead();
        }
        catch (SqliteException e)
        {
            _write.Dispose();
            throw Sql.Damaged($"{file} cannot be opened ({e.Message})", e);
        }
        _read = Sql.Open(file, readOnly: true);
        _read.Run("PRAGMA cache_size=-16384; PRAGMA mmap_size=1073741824;");
        _publicationSelect = _read.Prepare("SELECT body FROM publication WHERE kind=$k AND twin=$t AND day=$d", "$k",
            "$t", "$d");
        _contentSelect = _read.Prepare("SELECT 1 FROM content WHERE key=$k", "$k");
        _insertBatch = _write.Prepare("INSERT OR REPLACE INTO batch VALUES($last,$before,$min,$max,$items,$digest)",
            "$last", "$before", "$min", "$max", "$items", "$digest");
        _insertKept = _write.Prepare("INSERT INTO kept VALUES($p,$k,$t,$i,$d)", "$p", "$k", "$t", "$i", "$d");
        _insertSegment = _write.Prepare(
            "INSERT INTO segment(from_day,days,first,last,min_position,max_position,body,digest) "
            + "VALUES($f,$n,$a,$b,$min,$max,$body,$d)",
            "$f", "$n", "$a", "$b", "$min", "$max", "$body", "$d");
        _insertFrequent = _write.Prepare(
            "INSERT INTO frequent(level,run,first,last,min_position,max_position,body,digest) "
            + "VALUES($l,$r,$a,$b,$min,$max,$body,$d)",
            "$l", "$r", "$a", "$b", "$min", "$max", "$body", "$d");
        _insertPublication = _write.Prepare("INSERT OR REPLACE INTO publication VALUES($k,$t,$d,$b)", "$k", "$t", "$d",
            "$b");
        _insertClosed = _write.Prepare("INSERT OR REPLACE INTO closed VALUES($d,$p)", "$d", "$p");
        _insertContent = _write.Prepare("INSERT OR IGNORE INTO content VALUES($k)", "$k");
        _insertFinding = _write.Prepare("INSERT OR REPLACE INTO finding VALUES($i,$k,$t,$f,$from,$at,$p,$b)", "$i",
            "$k", "$t", "$f", "$from", "$at", "$p", "$b");
        _insertCheckpoint = _write.Prepare("INSERT OR REPLACE INTO checkpoint VALUES($k,$t,$d,$p,$j,$s)", "$k", "$t",
            "$d", "$p", "$j", "$s");
        _setHead = _write.Prepare("UPDATE head SET position=$p, readings=$r, marks=$m, judging=$j", "$p", "$r", "$m",
            "$j");
    }

    public long Position { get; private set; }
    public byte[] Marks { get; private set; }
    public int JudgingVersion { get; private set; }
    private string Folder => Path.GetDirectoryName(_file)!;

    private (long, long, byte[], int) ReadHead()
    {
        using var command = _write.CreateCommand();
        command.CommandText = "SELECT position, readings, marks, judging FROM head";
        using var reader = command.ExecuteReader();
        if (!reader.Read()) throw Sql.Damaged("table 'head' is empty", null);
        return (reader.GetInt64(0), reader.GetInt64(1), reader.Blob(2), reader.GetInt32(3));
    }

    /// <summary>Limits the file, as a full disk would: for tests of what happens then.</summary>
    internal void LimitPages(long pages)
    {
        lock (_writeGate) _write.Run($"PRAGMA max_page_count={pages}");
    }

    internal long PageCount => (long)_write.Scalar("PRAGMA page_count")!;

    public void Append(JournalBatch batch)
    {
        if (batch.FirstPosition != Position + 1)
            throw new InvalidOperationException(
                $"A batch begins at {batch.FirstPosition}, the journal ends at {Position}.");
        lock (_writeGate)
        {
            Guarded(() => Store(batch));
            Position = batch.LastPosition;
            _readings += batch.Readings;
            Marks = batch.Marks;
            JudgingVersion = batch.JudgingVersion ?? JudgingVersion;
        }
    }

    private void Guarded(Action work)
    {
        try
        {
            Sql.InTransaction(_write, "BEGIN IMMEDIATE", work);
        }
        catch (SqliteException e) when (Sql.AsUnavailable(e, Folder) is { } unavailable)
        {
            throw unavailable;
        }
    }

    private void Store(JournalBatch batch)
    {
        if (!batch.Items.IsEmpty)
            InsertBatch(batch.LastPosition, batch.FirstPosition - 1, batch.MinDay, batch.MaxDay, batch.Items.ToArray());
        foreach (var (key, position, input) in batch.Kept) InsertKept(key, position, input);
        StoreFrequent(batch);
        foreach (var (from, day, body) in batch.Publications)
            _insertPublication.With((int)from.Kind, Sql.Signed(from.Id), day, body).ExecuteNonQuery();
        foreach (var (day, position) in batch.Closed) _insertClosed.With(day, position).ExecuteNonQuery();
        foreach (var c in batch.Checkpoints)
            _insertCheckpoint.With((int)c.Key.Kind, Sql.Signed(c.Key.Id), c.Day, c.Position, batch.JudgingVersion
                ?? JudgingVersion, c.State).ExecuteNonQuery();
        // In the order of their tree, so that neighbours find their page at hand.
        batch.Contents.Sort(static (a, b) => a.Value.CompareTo(b.Value));
        foreach (var key in batch.Contents) _insertContent.With(key.ToBytes()).ExecuteNonQuery();
        foreach (var body in batch.Findings)
        {
            var f = Finding.Read(body);
            _insertFinding.With(f.Id, (int)f.Subject.Kind, Sql.Signed(f.Subject.Id), (int)f.Kind, f.From.Seconds,
                f.DetectedAt.Seconds,
                batch.LastPosition, body).ExecuteNonQuery();
        }
        _setHead.With(batch.LastPosition, _readings + batch.Readings, batch.Marks,
            batch.JudgingVersion ?? JudgingVersion).ExecuteNonQuery();
        foreach (var (_, position, input) in batch.Kept)
            if (Envelope.Read(input).Kind == InputKind.Erasure) _write.Run($"INSERT INTO erasing VALUES({position})");
    }

    private void InsertBatch(long last, long before, int minDay, int maxDay, byte[] items) =>
        _insertBatch.With(last, before, minDay, maxDay, items, Sql.Digest(items)).ExecuteNonQuery();

    private void InsertKept(TwinKey key, long position, byte[] input) =>
        _insertKept.With(position, (int)key.Kind, Sql.Signed(key.Id), input, Sql.Digest(input)[..8]).ExecuteNonQuery();

    public JournalSize Size()
    {
        lock (_writeGate)
        {
            var bytes = (long)_write.Scalar("PRAGMA page_count")! * (long)_write.Scalar("PRAGMA page_size")!;
            var wal = new FileInfo(_file + "-wal");
            return new JournalSize(bytes + (wal.Exists ? wal.Length : 0), _readings);
        }
    }

    /// <summary>A consistent copy of a journal that may be in use; returns its last position.</summary>
    public static long Copy(string file, string target)
    {
        using var source = Sql.Open(file, readOnly: true);
        using var copy = Sql.Open(target, readOnly: false);
        source.BackupDatabase(copy);
        copy.Run("PRAGMA journal_mode=DELETE");
        return (long)copy.Scalar("SELECT position FROM head")!;
    }

    public void Dispose()
    {
        foreach (var c in (SqliteCommand[])
            [_insertBatch, _insertKept, _insertSegment, _insertPublication, _insertClosed, _insertContent,
                _insertFinding, _insertCheckpoint, _insertFrequent, _setHead, _publicationSelect,
                _contentSelect]) c.Dispose();
        _read.Dispose();
        _write.Dispose();
    }
}
