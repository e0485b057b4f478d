using Npgsql;
using NpgsqlTypes;

namespace Twin.Silo.Storage.Postgres;

/// <summary>States of many twins on their way into table twin: copied into a temporary table, then laid over.</summary>
internal static class TwinRows
{
    /// <summary>The connection keeps the table, empty between transactions.</summary>
    private const string Make =
        "CREATE TEMP TABLE IF NOT EXISTS twin_coming(LIKE twin INCLUDING STORAGE) ON COMMIT DELETE ROWS";

    /// <summary>An older state than is stored is passed over.</summary>
    private const string Over = " ON CONFLICT (kind, id) DO UPDATE SET home=excluded.home, position=excluded.position, "
        + "waits=excluded.waits, state=excluded.state WHERE twin.position <= excluded.position";

    private const string Columns = "kind, id, home, position, waits, state";

    /// <summary>One state, when the journal holds all that it has applied.</summary>
    public const string SaveOne = $"INSERT INTO twin({Columns}) SELECT $1, $2, $3, $4, $5, $6 FROM head WHERE "
        + $"head.position >= $4{Over}";

    /// <summary>Stores states; each twin at most once.</summary>
    public static void Store(NpgsqlConnection connection, IReadOnlyList<TwinRow> rows)
    {
        Run(connection, Make);
        using (var copy = connection.BeginBinaryImport($"COPY twin_coming({Columns}) FROM STDIN (FORMAT BINARY)"))
        {
            foreach (var row in rows)
            {
                copy.StartRow();
                copy.Write((long)row.Key.Kind, NpgsqlDbType.Bigint);
                copy.Write(SqlValues.Signed(row.Key.Id), NpgsqlDbType.Bigint);
                copy.Write(SqlValues.Signed(row.Home), NpgsqlDbType.Bigint);
                copy.Write(row.Position, NpgsqlDbType.Bigint);
                copy.Write(row.Waits, NpgsqlDbType.Boolean);
                copy.Write(row.State, NpgsqlDbType.Bytea);
            }
            copy.Complete();
        }
        // In the order of the key, so that neighbours find their page at hand.
        Run(connection, $"INSERT INTO twin({Columns}) SELECT {Columns} FROM twin_coming ORDER BY kind, id{Over}");
    }

    private static void Run(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
