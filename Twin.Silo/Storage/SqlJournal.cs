using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Storage;

/// <summary>
/// The journal over tables of a database: what is stored, sealed, read back and erased is written once, in SQL that
/// SQLite and PostgreSQL share. What differs (connections, transactions, bulk rows, forgetting) is in the derived
/// class and its <see cref="SqlSession"/>. One thread appends and compacts; reads see whole commits only.
/// </summary>
public abstract partial class SqlJournal : IJournal
{
    /// <summary>Held while something is written: one writer at a time.</summary>
    private protected readonly Lock WriteGate = new();

    private long _readings;

    public long Position { get; private set; }
    public byte[] Marks { get; private set; } = [];
    public int JudgingVersion { get; private set; }

    /// <summary>
    /// Runs work in one transaction, synced before it returns. The work may be run again when it is known that nothing
    /// of it was committed.
    /// </summary>
    /// <param name="batch">What the work appends; null for upkeep.</param>
    private protected abstract void Write(Action<SqlSession> work, JournalBatch? batch = null);

    /// <summary>Reads in one consistent view; reads inside a read share its view.</summary>
    private protected abstract T Reading<T>(Func<SqlSession, T> read);

    /// <summary>Runs a read of one statement, in the view that is open, or in none.</summary>
    private protected abstract T Once<T>(Func<SqlSession, T> read);

    /// <summary>Runs a long read in a view and on a connection of its own: others go on reading.</summary>
    private protected abstract void Apart(Action<SqlSession> read);

    /// <summary>What the database itself finds wrong; rows can be read when there is nothing.</summary>
    private protected abstract List<string> CheckStore();

    private protected abstract long StoredBytes();

    /// <summary>Before an erasure: have what is deleted overwritten, where the database can.</summary>
    private protected virtual void PrepareToErase()
    {
    }

    /// <summary>Gives free space back; after an erasure, so that nothing of it stays readable.</summary>
    private protected abstract void GiveBack(bool erased);

    /// <summary>Fails when the journal does not end where this process thinks it ends.</summary>
    private protected virtual void RequireEnd(SqlSession session)
    {
    }

    /// <summary>True when an attempt at this very batch, whose answer was lost, is found committed.</summary>
    private protected virtual bool WasCommitted(JournalBatch batch) => false;

    public abstract void Dispose();

    public void Append(JournalBatch batch) => Append(batch, null);

    /// <summary>Commits a batch, and in the same transaction what comes first.</summary>
    private protected void Append(JournalBatch batch, Action<SqlSession>? first)
    {
        lock (WriteGate)
        {
            if (WasCommitted(batch)) return;
            if (batch.FirstPosition != Position + 1)
                throw new InvalidOperationException(
                    $"A batch begins at {batch.FirstPosition}, the journal ends at {Position}.");
            Write(s =>
            {
                first?.Invoke(s);
                RequireEnd(s);
                if (!batch.IsEmpty) Store(s, batch);
            }, batch);
            Took(batch);
        }
    }

    /// <summary>What memory knows of the journal after a batch was committed.</summary>
    private protected void Took(JournalBatch batch)
    {
        if (batch.IsEmpty) return;
        Position = batch.LastPosition;
        _readings += batch.Readings;
        if (_stored is { } stored && ReferenceEquals(stored.Batch, batch)) _end = stored.End;
        Marks = batch.Marks;
        JudgingVersion = batch.JudgingVersion ?? JudgingVersion;
    }

    /// <summary>Takes position, watermark and versions from the database.</summary>
    private protected void Refresh() => Reading(session =>
    {
        _end = ReadEnd(session);
        _stored = null;
        using var command = session.Prepare("SELECT position, readings, marks, judging FROM head");
        using var reader = command.ExecuteReader();
        if (!reader.Read()) throw Sql.Damaged("table 'head' is empty", null);
        (Position, _readings, Marks, JudgingVersion) =
            (reader.GetInt64(0), reader.GetInt64(1), reader.Blob(2), reader.GetInt32(3));
        return 0;
    });

    private void Store(SqlSession to, JournalBatch batch)
    {
        if (!batch.Items.IsEmpty)
            InsertBatch(to, batch.LastPosition, batch.FirstPosition - 1, batch.MinDay, batch.MaxDay,
                batch.Items.ToArray());
        foreach (var (key, position, input) in batch.Kept) InsertKept(to, key, position, input);
        StoreFrequent(to, batch);
        foreach (var (from, day, body) in batch.Publications)
            to.Insert(JournalTable.Publication, (int)from.Kind, SqlValues.Signed(from.Id), day, body);
        foreach (var (day, position) in batch.Closed) to.Insert(JournalTable.Closed, day, position);
        var judging = batch.JudgingVersion ?? JudgingVersion;
        foreach (var c in batch.Checkpoints)
            to.Insert(JournalTable.Checkpoint, (int)c.Key.Kind, SqlValues.Signed(c.Key.Id), c.Day, c.Position, judging,
                c.State);
        // In the order of their tree, so that neighbours find their page at hand.
        batch.Contents.Sort(static (a, b) => a.Value.CompareTo(b.Value));
        foreach (var key in batch.Contents) to.Insert(JournalTable.Content, key.ToBytes());
        for (var i = 0; i < batch.Findings.Count; i++)
        {
            var f = Finding.Read(batch.Findings[i]);
            to.Insert(JournalTable.Finding, f.Id, (int)f.Subject.Kind, SqlValues.Signed(f.Subject.Id), (int)f.Kind,
                f.From.Seconds, f.DetectedAt.Seconds, i < batch.FoundAt.Count ? batch.FoundAt[i] : batch.LastPosition,
                batch.Findings[i]);
        }
        StoreLedger(to, batch);
        foreach (var (_, position, input) in batch.Kept)
            if (Envelope.Read(input).Kind == InputKind.Erasure) to.Insert(JournalTable.Erasing, position);
        to.Ready("UPDATE head SET position=@p, readings=readings+@r, marks=@m, judging=@j", "@p", "@r", "@m", "@j")
            .With(batch.LastPosition, batch.Readings, batch.Marks, judging).ExecuteNonQuery();
    }

    private static void InsertBatch(SqlSession to, long last, long before, int minDay, int maxDay, byte[] items) =>
        to.Insert(JournalTable.Batch, last, before, minDay, maxDay, items, SqlValues.Digest(items));

    private static void InsertKept(SqlSession to, TwinKey key, long position, byte[] input) =>
        to.Insert(JournalTable.Kept, position, (int)key.Kind, SqlValues.Signed(key.Id), input,
            SqlValues.Digest(input)[..8]);

    public JournalSize Size()
    {
        lock (WriteGate) return new JournalSize(StoredBytes(), _readings);
    }
}
