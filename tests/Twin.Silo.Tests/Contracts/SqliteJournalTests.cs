using Twin.Grains;
using Twin.Silo.Storage;

namespace Twin.Silo.Tests.Contracts;

public sealed class SqliteJournalTests : JournalContract
{
    protected override IJournal Open() => new SqliteJournal(Directory.Sub("journal.db"));

    protected override void Damage(string sql)
    {
        using var connection = Sql.Open(Directory.Sub("journal.db"), readOnly: false);
        connection.Run("PRAGMA synchronous=OFF");
        connection.Run("BEGIN; " + sql + "; COMMIT");
    }

    protected override string Literal(byte[] bytes) => $"x'{Convert.ToHexString(bytes)}'";
}
