using System.Data;
using Npgsql;
using NpgsqlTypes;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Storage.Postgres;

/// <summary>The newest stored state of a twin.</summary>
/// <param name="Home">Where its grain is placed, as the caller numbers places.</param>
/// <param name="Position">Journal position up to which the state has applied its inputs.</param>
/// <param name="Waits">It has something to send at the next sweep.</param>
public readonly record struct TwinRow(TwinKey Key, ulong Home, long Position, bool Waits, ReadOnlyMemory<byte> State);

/// <summary>What commits together with a batch in a cluster.</summary>
/// <param name="Epoch">That the writer claimed; another one in force refuses the commit.</param>
/// <param name="Twins">Whose states go with it.</param>
/// <param name="Receipts">Answers to appends, by their ids.</param>
public sealed record ClusterCommit(long Epoch, IReadOnlyList<TwinRow> Twins,
    IReadOnlyList<(Guid Append, byte[] Answer)> Receipts)
{
    /// <summary>
    /// With this commit the states of all twins are stored as they are at a position; null: not so.
    /// </summary>
    public long? FlushedThrough { get; init; }
}

/// <summary>Another sequencer has begun a newer epoch. Nothing was stored; the older one must stop.</summary>
public sealed class StaleEpochException(long given, long inForce) : Exception(
    $"Epoch {given} is over: epoch {inForce} is in force. Another sequencer writes; this one must stop.")
{
    public long Given { get; } = given;
    public long InForce { get; } = inForce;
}

/// <summary>A twin's place without its state.</summary>
public delegate void TwinHeadVisitor(TwinKey key, ulong home, long position, bool waits);

/// <summary>
/// What a cluster keeps beside the journal, in its database: epochs, states of twins, receipts. Safe from several
/// threads.
/// </summary>
public sealed class ClusterStore(PostgresJournal journal)
{
    /// <summary>The newest receipts, which are kept.</summary>
    public const int MaxReceipts = 10_000;

    /// <summary>
    /// Begins an epoch and returns its number. When it returns, whatever an older one has committed is known to the
    /// journal, and nothing more of it can be.
    /// </summary>
    public long ClaimEpoch(int judgingVersion)
    {
        var epoch = One(c =>
        {
            using var claim = Command(c, "UPDATE engine SET epoch=epoch+1, judging=$1 RETURNING epoch",
                (long)judgingVersion);
            return (long)claim.ExecuteScalar()!;
        });
        journal.TakeOver();
        return epoch;
    }

    public PostgresJournal Journal => journal;

    /// <summary>
    /// Where the states of all twins were last stored: only inputs behind it have to be applied again.
    /// </summary>
    public long FlushedThrough() => One(c => (long)Command(c, "SELECT flushed FROM engine").ExecuteScalar()!);

    public long EpochInForce() => One(c => (long)Command(c, "SELECT epoch FROM engine").ExecuteScalar()!);

    /// <summary>
    /// Commits a batch with states and receipts in one transaction; the batch may be empty. After
    /// <see cref="StorageUnavailableException"/> the same batch object may be given again, and is stored once.
    /// </summary>
    /// <exception cref="StaleEpochException">Nothing was committed.</exception>
    public void Append(JournalBatch batch, ClusterCommit commit) => journal.Append(batch, session =>
    {
        RequireEpoch(session.Connection, commit.Epoch);
        foreach (var row in commit.Twins)
            if (row.Position > batch.LastPosition)
                throw new InvalidOperationException($"The state of {row.Key} is at {row.Position}, and the journal "
                    + $"will end at {batch.LastPosition}: it holds what is not committed.");
        if (commit.Twins.Count > 0) TwinRows.Store(session.Connection, commit.Twins);
        if (commit.FlushedThrough is { } through)
            Command(session.Connection, "UPDATE engine SET flushed=$1", through).ExecuteNonQuery();
        if (commit.Receipts.Count > 0) StoreReceipts(session.Connection, commit.Receipts);
    });

    /// <summary>Locks the epoch until the transaction ends: a claim waits for it.</summary>
    private static void RequireEpoch(NpgsqlConnection connection, long epoch)
    {
        var inForce = (long)Command(connection, "SELECT epoch FROM engine FOR SHARE").ExecuteScalar()!;
        if (inForce != epoch) throw new StaleEpochException(epoch, inForce);
    }

    /// <summary>
    /// Stores one state at once; an older one than is stored is passed over. Not synced by itself: every later commit
    /// syncs it, and until then its inputs are in the journal.
    /// </summary>
    /// <exception cref="StaleEpochException">Nothing was stored.</exception>
    public void SaveTwin(long epoch, TwinRow row) => journal.Server.Try(() =>
    {
        using var session = new PostgresSession(journal.Server.Open(), IsolationLevel.ReadCommitted);
        session.Run("SET LOCAL synchronous_commit=off");
        RequireEpoch(session.Connection, epoch);
        using var save = Command(session.Connection, TwinRows.SaveOne, (long)row.Key.Kind,
            SqlValues.Signed(row.Key.Id), SqlValues.Signed(row.Home), row.Position, row.Waits, row.State);
        if (save.ExecuteNonQuery() == 0) RequireCommitted(session.Connection, row);
        session.Commit();
    });

    private static void RequireCommitted(NpgsqlConnection connection, TwinRow row)
    {
        var end = (long)Command(connection, "SELECT position FROM head").ExecuteScalar()!;
        if (row.Position > end)
            throw new InvalidOperationException($"The state of {row.Key} is at {row.Position}, and the journal ends at "
                + $"{end}: it holds what is not committed.");
    }

    public TwinRow? LoadTwin(TwinKey key) => One<TwinRow?>(c =>
    {
        using var select = Command(c, "SELECT home, position, waits, state FROM twin WHERE kind=$1 AND id=$2",
            (long)key.Kind, SqlValues.Signed(key.Id));
        using var reader = select.ExecuteReader();
        return reader.Read() ? new TwinRow(key, SqlValues.Unsigned(reader.GetInt64(0)), reader.GetInt64(1),
            reader.GetBoolean(2), reader.GetFieldValue<byte[]>(3)) : null;
    });

    /// <summary>Stored states of these twins, in no order, in one round trip; those not stored are left out.</summary>
    public IReadOnlyList<TwinRow> LoadTwins(IReadOnlyList<TwinKey> keys) => One<IReadOnlyList<TwinRow>>(c =>
    {
        using var select = Command(c, "SELECT kind, id, home, position, waits, state FROM twin JOIN "
            + "unnest($1::bigint[], $2::bigint[]) AS k(k, i) ON kind=k AND id=i",
            keys.Select(k => (long)k.Kind).ToArray(), keys.Select(k => SqlValues.Signed(k.Id)).ToArray());
        using var reader = select.ExecuteReader();
        var rows = new List<TwinRow>(keys.Count);
        while (reader.Read())
            rows.Add(new TwinRow(KeyOf(reader), SqlValues.Unsigned(reader.GetInt64(2)), reader.GetInt64(3),
                reader.GetBoolean(4), reader.GetFieldValue<byte[]>(5)));
        return rows;
    });

    /// <summary>All stored twins in key order, without their states, on one state of the database.</summary>
    public void VisitTwinHeads(TwinHeadVisitor visit) => Visit(
        "SELECT kind, id, home, position, waits FROM twin ORDER BY kind, id", r => visit(KeyOf(r),
            SqlValues.Unsigned(r.GetInt64(2)), r.GetInt64(3), r.GetBoolean(4)));

    /// <summary>All stored twins in key order, on one state of the database.</summary>
    public void VisitTwins(Action<TwinRow> visit) => Visit(
        "SELECT kind, id, home, position, waits, state FROM twin ORDER BY kind, id", r => visit(new TwinRow(KeyOf(r),
            SqlValues.Unsigned(r.GetInt64(2)), r.GetInt64(3), r.GetBoolean(4), r.GetFieldValue<byte[]>(5))));

    private static TwinKey KeyOf(NpgsqlDataReader r) =>
        new((TwinKind)checked((byte)r.GetInt64(0)), SqlValues.Unsigned(r.GetInt64(1)));

    /// <summary>The rows come as they are read: a failure half way reaches the caller.</summary>
    private void Visit(string sql, Action<NpgsqlDataReader> visit) => journal.Server.Named(() =>
    {
        using var connection = journal.Server.Try(journal.Server.Open);
        using var select = Command(connection, sql);
        using var reader = select.ExecuteReader();
        while (reader.Read()) visit(reader);
        return 0;
    });

    /// <summary>The answer to an append, when it is among the newest; null otherwise.</summary>
    public byte[]? Receipt(Guid append) => One(c =>
        (byte[]?)Command(c, "SELECT answer FROM receipt WHERE append=$1", append).ExecuteScalar());

    /// <summary>Which of these inputs were journalled, at any age; one round trip.</summary>
    public HashSet<ContentKey> HasContents(IReadOnlyList<ContentKey> keys) => One(c =>
    {
        var found = new HashSet<ContentKey>();
        if (keys.Count == 0) return found;
        using var select = Command(c, "SELECT key FROM content WHERE key=ANY($1)",
            ArrayOf(NpgsqlDbType.Bytea, keys.Select(k => k.ToBytes()).ToArray()));
        using var reader = select.ExecuteReader();
        while (reader.Read())
            found.Add(new ContentKey(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(
                reader.GetFieldValue<byte[]>(0))));
        return found;
    });

    /// <summary>Numbered without gaps, because writers come one after the other: so the oldest are known.</summary>
    private static void StoreReceipts(NpgsqlConnection connection, IReadOnlyList<(Guid Append, byte[] Answer)> receipts)
    {
        using var batch = new NpgsqlBatch(connection);
        var insert = new NpgsqlBatchCommand("INSERT INTO receipt SELECT coalesce((SELECT max(number) FROM receipt), 0) "
            + "+ n, append, answer FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY AS r(append, answer, n)");
        insert.Parameters.Add(ArrayOf(NpgsqlDbType.Uuid, receipts.Select(r => r.Append).ToArray()));
        insert.Parameters.Add(ArrayOf(NpgsqlDbType.Bytea, receipts.Select(r => r.Answer).ToArray()));
        batch.BatchCommands.Add(insert);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $"DELETE FROM receipt WHERE number <= (SELECT max(number) FROM receipt) - {MaxReceipts}"));
        try
        {
            batch.ExecuteNonQuery();
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new InvalidOperationException("An append of this commit was committed before: answer it by its "
                + "receipt, do not apply it again.", e);
        }
    }

    private T One<T>(Func<NpgsqlConnection, T> ask) => journal.Server.Try(() =>
    {
        using var connection = journal.Server.Open();
        return ask(connection);
    });

    /// <summary>The type is said: bytes[][] would be taken for bytes.</summary>
    private static NpgsqlParameter ArrayOf(NpgsqlDbType type, object values) =>
        new() { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values };

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        // Once a connection: these are few, and asked often.
        command.Prepare();
        return command;
    }
}
