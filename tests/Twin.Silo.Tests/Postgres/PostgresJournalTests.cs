using Twin.Grains;
using Twin.Silo.Storage.Postgres;
using Twin.Silo.Tests.Postgres;

namespace Twin.Silo.Tests.Contracts;

/// <summary>The contract of all journals, in PostgreSQL.</summary>
[Collection(ServerCollection.Name)]
public sealed class PostgresJournalTests(PrivateServer server) : JournalContract
{
    private string? _database;

    protected override IJournal Open() => new PostgresJournal(_database ??= server.NewDatabase());

    protected override void Damage(string sql) =>
        PrivateServer.Execute(_database!, "SET search_path TO metertwin; SET synchronous_commit=off; " + sql);

    protected override string Literal(byte[] bytes) => $"'\\x{Convert.ToHexString(bytes)}'::bytea";
}
