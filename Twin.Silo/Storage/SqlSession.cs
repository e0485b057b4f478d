using System.Data.Common;
using System.Security.Cryptography;

namespace Twin.Silo.Storage;

/// <summary>
/// One connection to the journal's tables, for one thread, inside one transaction: all that its statements need to
/// know of the database. While a reader of a prepared command is open nothing else runs on the session; rows among
/// which other statements run are read as a <see cref="RowStream"/>.
/// </summary>
internal abstract class SqlSession : IDisposable
{
    /// <summary>A command with its parameters ("@name"), without values yet.</summary>
    public abstract DbCommand Prepare(string sql, params string[] parameters);

    /// <summary>As <see cref="Prepare"/>, for what is asked often: the session keeps it, the caller does not dispose
    /// it.</summary>
    public virtual DbCommand Ready(string sql, params string[] parameters)
    {
        if (!_ready.TryGetValue(sql, out var command)) _ready[sql] = command = Prepare(sql, parameters);
        return command;
    }

    private readonly Dictionary<string, DbCommand> _ready = [];

    /// <summary>
    /// Rows that may be read while other statements run on the session, as of now.
    /// </summary>
    /// <param name="rowsAtOnce">Rows held in memory where a database must fetch ahead.</param>
    public abstract RowStream Stream(DbCommand select, int rowsAtOnce);

    /// <summary>
    /// Adds a row. It may be stored later, together with others: before the next statement that is prepared, and at the
    /// latest with the transaction.
    /// </summary>
    public abstract void Insert(JournalTable table, params ReadOnlySpan<object> values);

    /// <summary>The condition that a text column holds a text.</summary>
    public abstract string Holds(string column, string parameter);

    public void Run(string sql)
    {
        using var command = Prepare(sql);
        command.ExecuteNonQuery();
    }

    public object? Scalar(string sql)
    {
        using var command = Prepare(sql);
        return command.ExecuteScalar();
    }

    public virtual void Dispose()
    {
        foreach (var command in _ready.Values) command.Dispose();
    }
}

/// <summary>Rows of a select, one after the other; it disposes the select.</summary>
internal abstract class RowStream : IDisposable
{
    public abstract bool Read();
    public abstract long Int64(int column);
    public abstract byte[] Blob(int column);
    public int Int32(int column) => checked((int)Int64(column));
    public abstract void Dispose();
}

/// <summary>Small things that the statements of every database share.</summary>
internal static class SqlValues
{
    /// <summary>An id with the top bit flipped, so that signed order is unsigned order.</summary>
    public static long Signed(ulong id) => unchecked((long)(id ^ (1UL << 63)));

    public static ulong Unsigned(long id) => unchecked((ulong)id) ^ (1UL << 63);

    /// <summary>First 16 bytes of SHA-256.</summary>
    public static byte[] Digest(ReadOnlySpan<byte> bytes)
    {
        Span<byte> full = stackalloc byte[32];
        SHA256.HashData(bytes, full);
        return full[..16].ToArray();
    }

    public static DbCommand With(this DbCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i];
        return command;
    }

    public static byte[] Blob(this DbDataReader reader, int column) => reader.GetFieldValue<byte[]>(column);
}
