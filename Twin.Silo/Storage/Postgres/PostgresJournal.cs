using System.Data;
using System.Security.Cryptography;
using Npgsql;
using Twin.Grains;

namespace Twin.Silo.Storage.Postgres;

/// <summary>
/// The journal in PostgreSQL, for a cluster: the same tables and the same total order as the embedded one. One engine
/// writes at a time, which holds the row of table head while it does; all may read. What a write leaves open because
/// its answer was lost is settled by that row's token before anything else is written.
/// </summary>
public sealed class PostgresJournal : SqlJournal
{
    /// <summary>Of deploy/postgres/metertwin.sql.</summary>
    public const int SchemaVersion = 2;

    private const int OldestServer = 15;
    private readonly PostgresServer _server;

    /// <summary>The view that a thread's reads share.</summary>
    private readonly ThreadLocal<PostgresSession?> _view = new();

    /// <summary>A write of which nobody knows yet whether it was committed.</summary>
    private (byte[] Token, JournalBatch? Batch)? _open;

    /// <summary>Opens the journal; makes its tables when there are none.</summary>
    /// <param name="connectionString">As Npgsql reads it; schema and timeouts are set here.</param>
    /// <exception cref="DataDirectoryException">The schema is newer, may not be made, or the server is too old.
    /// </exception>
    /// <exception cref="StorageUnavailableException">The server is not there.</exception>
    public PostgresJournal(string connectionString)
    {
        _server = new PostgresServer(connectionString);
        try
        {
            _server.Try(() => PostgresSchema.Require(_server, OldestServer, SchemaVersion));
            Refresh();
        }
        catch
        {
            _server.Dispose();
            throw;
        }
    }

    internal PostgresServer Server => _server;

    /// <summary>Takes position, watermark and versions as other engines left them.</summary>
    internal void TakeOver()
    {
        lock (WriteGate)
        {
            _open = null;
            Refresh();
        }
    }

    internal void Append(JournalBatch batch, Action<PostgresSession> first) =>
        base.Append(batch, s => first((PostgresSession)s));

    private protected override void RequireEnd(SqlSession session)
    {
        var end = ((PostgresSession)session).HeadPosition;
        if (end != Position)
            throw new InvalidOperationException($"The journal at {_server.Place} ends at {end}, and this engine knows "
                + $"it to {Position}: another engine has written to it. Only one may; stop this one.");
    }

    private protected override bool WasCommitted(JournalBatch batch) => ReferenceEquals(Settle(), batch);

    /// <summary>
    /// Learns what became of the write whose answer was lost; the batch that is found committed by that.
    /// </summary>
    private JournalBatch? Settle()
    {
        if (_open is not { } open) return null;
        var committed = _server.Try(() => IsCommitted(open.Token));
        _open = null;
        if (!committed || open.Batch is not { } batch) return null;
        Took(batch);
        return batch;
    }

    private protected override void Write(Action<SqlSession> work, JournalBatch? batch)
    {
        Settle();
        byte[]? sent = null;
        try
        {
            _server.Try(() =>
            {
                if (sent is not null)
                {
                    var committed = IsCommitted(sent);
                    sent = null;
                    if (committed) return;
                }
                using var session = BeginWrite();
                work(session);
                var token = RandomNumberGenerator.GetBytes(16);
                session.Finish(token);
                sent = token;
                session.Commit();
                sent = null;
            });
        }
        catch when (sent is not null)
        {
            _open = (sent, batch);
            throw;
        }
    }

    /// <summary>
    /// Locks the head: other writers wait, and what a writer whose connection broke had sent is over, one way or the
    /// other, when the lock is given.
    /// </summary>
    private PostgresSession BeginWrite()
    {
        var session = new PostgresSession(_server.Open(), IsolationLevel.ReadCommitted);
        try
        {
            session.Run("SET LOCAL synchronous_commit=on; SET LOCAL idle_in_transaction_session_timeout='60s'");
            session.HeadPosition = (long)session.Scalar("SELECT position FROM head FOR UPDATE")!;
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private bool IsCommitted(byte[] token)
    {
        using var session = new PostgresSession(_server.Open(), IsolationLevel.ReadCommitted);
        return ((byte[])session.Scalar("SELECT token FROM head FOR UPDATE")!).AsSpan().SequenceEqual(token);
    }

    /// <summary>
    /// One statement, committed by itself: the token of the head, by which the writer finds a lost answer, stays. Sent
    /// again when its answer is lost, it says the same.
    /// </summary>
    private protected override void Note(Action<SqlSession> work) => _server.Try(() =>
    {
        using var session = new PostgresSession(_server.Open(), null);
        work(session);
        return 0;
    });

    private protected override T Reading<T>(Func<SqlSession, T> read)
    {
        if (_view.Value is { } open) return read(open);
        using var session = _server.Try(BeginView);
        _view.Value = session;
        try
        {
            return _server.Named(() => read(session));
        }
        finally
        {
            _view.Value = null;
        }
    }

    private protected override T Once<T>(Func<SqlSession, T> read)
    {
        if (_view.Value is { } open) return read(open);
        return _server.Try(() =>
        {
            using var session = new PostgresSession(_server.Open(), null);
            return read(session);
        });
    }

    private protected override void Apart(Action<SqlSession> read)
    {
        using var session = _server.Try(BeginView);
        _server.Named(() =>
        {
            read(session);
            return 0;
        });
    }

    /// <summary>Repeatable read; the statement fixes what the view sees, and finds a broken connection.</summary>
    private PostgresSession BeginView()
    {
        var session = new PostgresSession(_server.Open(), IsolationLevel.RepeatableRead);
        try
        {
            session.Run("SET TRANSACTION READ ONLY; SELECT position FROM head");
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Pages are the server's: it checks them itself when the cluster was made with checksums.</summary>
    private protected override List<string> CheckStore() => [];

    private protected override long StoredBytes() => Once(s => (long)s.Scalar(
        "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class WHERE relkind='r' AND "
        + "relnamespace='metertwin'::regnamespace")!);

    /// <summary>
    /// The server reuses space by itself. After an erasure no version of a row that was rewritten stays reachable; its
    /// bytes are overwritten when the space is used again.
    /// </summary>
    private protected override void GiveBack(bool erased)
    {
        if (erased) Once(s => s.Scalar("VACUUM batch, kept, segment, checkpoint"));
    }

    public override void Dispose()
    {
        _server.Dispose();
        _view.Dispose();
    }
}
