using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Twin.Silo.Storage;

/// <summary>A connection to a SQLite file: statements run side by side, and a row is stored as it is given.</summary>
internal sealed class SqliteSession(SqliteConnection connection) : SqlSession
{
    private readonly SqliteCommand?[] _inserts = new SqliteCommand?[JournalTable.Count];

    public override DbCommand Prepare(string sql, params string[] parameters) => connection.Prepare(sql, parameters);

    public override string Holds(string column, string parameter) => $"instr({column},{parameter})>0";

    public override RowStream Stream(DbCommand select, int rowsAtOnce) => new Rows(select);

    public override void Insert(JournalTable table, params ReadOnlySpan<object> values)
    {
        var insert = _inserts[table.Number] ??= MakeInsert(table);
        insert.With(values).ExecuteNonQuery();
    }

    private SqliteCommand MakeInsert(JournalTable table)
    {
        var verb = table.OnRepeat switch
        {
            OnRepeat.Replace => "INSERT OR REPLACE",
            OnRepeat.Keep => "INSERT OR IGNORE",
            _ => "INSERT",
        };
        string[] names = [.. table.Columns.Select(c => "@" + c.Name)];
        return connection.Prepare(
            $"{verb} INTO {table.Name}({table.Names()}) VALUES({string.Join(',', names)})", names);
    }

    public override void Dispose()
    {
        foreach (var insert in _inserts) insert?.Dispose();
        base.Dispose();
    }

    private sealed class Rows(DbCommand select) : RowStream
    {
        private readonly DbDataReader _reader = select.ExecuteReader();

        public override bool Read() => _reader.Read();
        public override long Int64(int column) => _reader.GetInt64(column);
        public override byte[] Blob(int column) => _reader.Blob(column);

        public override void Dispose()
        {
            _reader.Dispose();
            select.Dispose();
        }
    }
}
