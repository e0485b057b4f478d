using System.Data;
using System.Data.Common;
using Npgsql;

namespace Twin.Silo.Storage.Postgres;

/// <summary>
/// A pooled connection, in a transaction or for single statements. Rows are gathered and sent together, a statement a
/// table; rows that are read among other statements come from a cursor of the server.
/// </summary>
internal sealed class PostgresSession : SqlSession
{
    /// <summary>Bytes of rows gathered; beyond they are sent.</summary>
    private const long MaxGathered = 4 << 20;

    private readonly NpgsqlTransaction? _transaction;
    private readonly RowGather?[] _gathered = new RowGather?[JournalTable.Count];
    private long _gatheredBytes;
    private int _cursors;

    /// <param name="connection">The session disposes it.</param>
    /// <param name="isolation">Null: every statement is its own transaction.</param>
    public PostgresSession(NpgsqlConnection connection, IsolationLevel? isolation)
    {
        Connection = connection;
        _transaction = isolation is { } level ? connection.BeginTransaction(level) : null;
    }

    public NpgsqlConnection Connection { get; }

    /// <summary>Position that the locked row of table head named when a write began.</summary>
    public long HeadPosition { get; set; }

    public override DbCommand Prepare(string sql, params string[] parameters)
    {
        Flush();
        var command = new NpgsqlCommand(sql, Connection);
        foreach (var name in parameters) command.Parameters.Add(new NpgsqlParameter { ParameterName = name });
        return command;
    }

    public override DbCommand Ready(string sql, params string[] parameters)
    {
        Flush();
        return base.Ready(sql, parameters);
    }

    public override string Holds(string column, string parameter) => $"strpos({column},{parameter})>0";

    public override RowStream Stream(DbCommand select, int rowsAtOnce)
    {
        Flush();
        return new Cursor(Connection, $"c{++_cursors}", (NpgsqlCommand)select, rowsAtOnce);
    }

    public override void Insert(JournalTable table, params ReadOnlySpan<object> values)
    {
        _gatheredBytes += (_gathered[table.Number] ??= new RowGather(table)).Add(values);
        if (_gatheredBytes > MaxGathered) Flush();
    }

    /// <summary>Sends what was gathered, in one round trip.</summary>
    private void Flush()
    {
        if (_gatheredBytes == 0) return;
        using var batch = new NpgsqlBatch(Connection);
        foreach (var rows in _gathered)
            if (rows?.Take() is { } command) batch.BatchCommands.Add(command);
        batch.ExecuteNonQuery();
        _gatheredBytes = 0;
    }

    /// <summary>Sends the last rows and marks the transaction; what fails here was not committed.</summary>
    public void Finish(byte[] token)
    {
        Flush();
        Prepare("UPDATE head SET token=@t", "@t").With(token).ExecuteNonQuery();
    }

    /// <summary>Commits. When it fails without the server's word, the outcome is open.</summary>
    public void Commit() => _transaction!.Commit();

    public override void Dispose()
    {
        base.Dispose();
        try
        {
            _transaction?.Dispose();
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            // The connection broke: the server rolls back by itself, and the error is on its way already.
        }
        Connection.Dispose();
    }

    /// <summary>A cursor of the server: a few rows in memory, other statements between.</summary>
    private sealed class Cursor : RowStream
    {
        private readonly NpgsqlConnection _connection;
        private readonly string _name;
        private readonly NpgsqlCommand _fetch;
        private readonly Queue<object[]> _rows = new();
        private object[] _current = [];
        private bool _atEnd;

        public Cursor(NpgsqlConnection connection, string name, NpgsqlCommand select, int rowsAtOnce)
        {
            (_connection, _name) = (connection, name);
            select.CommandText = $"DECLARE {name} NO SCROLL CURSOR FOR {select.CommandText}";
            using (select) select.ExecuteNonQuery();
            _fetch = new NpgsqlCommand($"FETCH {rowsAtOnce} FROM {name}", connection);
        }

        public override bool Read()
        {
            if (_rows.Count == 0 && !_atEnd) Fetch();
            if (_rows.Count == 0) return false;
            _current = _rows.Dequeue();
            return true;
        }

        private void Fetch()
        {
            using var reader = _fetch.ExecuteReader();
            while (reader.Read())
            {
                var row = new object[reader.FieldCount];
                reader.GetValues(row);
                _rows.Enqueue(row);
            }
            _atEnd = _rows.Count == 0;
        }

        public override long Int64(int column) => (long)_current[column];
        public override byte[] Blob(int column) => (byte[])_current[column];

        public override void Dispose()
        {
            _fetch.Dispose();
            if (_connection.FullState != ConnectionState.Open) return;
            try
            {
                using var close = new NpgsqlCommand($"CLOSE {_name}", _connection);
                close.ExecuteNonQuery();
            }
            catch (NpgsqlException)
            {
                // After an error the transaction is over, and the cursor with it.
            }
        }
    }
}
