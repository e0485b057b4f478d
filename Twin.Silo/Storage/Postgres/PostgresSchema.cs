using System.Data;
using Npgsql;
using Twin.Grains;

namespace Twin.Silo.Storage.Postgres;

/// <summary>The tables, made when they are missing; a newer schema is refused (DESIGN, invariant 8).</summary>
internal static class PostgresSchema
{
    /// <summary>deploy/postgres/metertwin.sql, embedded.</summary>
    private const string Resource = "metertwin.sql";

    public static void Require(PostgresServer server, int oldestServer, int version)
    {
        using var session = new PostgresSession(server.Open(), IsolationLevel.ReadCommitted);
        if (session.Connection.PostgreSqlVersion.Major < oldestServer)
            throw new DataDirectoryException($"PostgreSQL at {server.Place} is version "
                + $"{session.Connection.PostgreSqlVersion}; MeterTwin needs {oldestServer} or newer.", null);
        if (session.Scalar("SELECT 1 FROM pg_tables WHERE schemaname='metertwin' AND tablename='meta'") is null)
            Apply(session, server.Place);
        var stored = (long?)session.Scalar("SELECT value FROM meta WHERE key='schema'")
            ?? throw new DataDirectoryException($"Schema 'metertwin' at {server.Place} names no version. It is not of "
                + "MeterTwin, or damaged: give another database, or restore a backup.", null);
        if (stored > version)
            throw new DataDirectoryException($"Schema 'metertwin' at {server.Place} has version {stored}; this program "
                + $"reads up to {version}. Use the program that wrote it, or a newer one.", null);
        if (stored < version)
        {
            Apply(session, server.Place);
            SqlJournal.FillFindTables(session);
            // The last rows are sent before the next statement.
            session.Scalar("SELECT 1");
        }
        session.Commit();
    }

    private static void Apply(PostgresSession session, string place)
    {
        try
        {
            session.Run(Text());
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new DataDirectoryException($"The user may not make schema 'metertwin' at {place} ({e.MessageText}). "
                + "Have an administrator apply deploy/postgres/metertwin.sql and grant its tables.", e);
        }
    }

    public static string Text()
    {
        using var stream = typeof(PostgresSchema).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"Resource {Resource} is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
