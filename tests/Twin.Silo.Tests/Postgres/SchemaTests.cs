using Twin.Grains;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Tests.Postgres;

/// <summary>How a database is opened, and what is refused.</summary>
[Collection(ServerCollection.Name)]
public sealed class SchemaTests(PrivateServer server)
{
    [PostgresFact]
    public void Silos_that_start_at_once_make_one_schema()
    {
        var database = server.NewDatabase();
        var journals = new PostgresJournal[8];
        Parallel.For(0, journals.Length, new ParallelOptions { MaxDegreeOfParallelism = journals.Length },
            i => journals[i] = new PostgresJournal(database));
        journals[3].Append(Batches.Event(1, 1));
        Assert.Equal([0L, 0, 0, 1, 0, 0, 0, 0], journals.Select(j => j.Position));
        foreach (var journal in journals) journal.Dispose();
    }

    [PostgresFact]
    public void Applying_the_schema_again_changes_nothing()
    {
        var database = server.NewDatabase();
        using var journal = new PostgresJournal(database);
        journal.Append(Batches.Event(1, 1));
        PrivateServer.Execute(database, $"BEGIN; {PostgresSchema.Text()}; COMMIT");
        using var again = new PostgresJournal(database);
        Assert.Equal(1, again.Position);
    }

    [PostgresFact]
    public void A_newer_schema_is_refused()
    {
        var database = server.NewDatabase();
        new PostgresJournal(database).Dispose();
        PrivateServer.Execute(database, "UPDATE metertwin.meta SET value=value+1 WHERE key='schema'");
        var error = Assert.Throws<DataDirectoryException>(() => new PostgresJournal(database));
        Assert.Contains($"version {PostgresJournal.SchemaVersion + 1}", error.Message, StringComparison.Ordinal);
        PrivateServer.Execute(database, "DELETE FROM metertwin.meta");
        error = Assert.Throws<DataDirectoryException>(() => new PostgresJournal(database));
        Assert.Contains("names no version", error.Message, StringComparison.Ordinal);
    }

    [PostgresFact]
    public void A_user_that_may_not_make_it_is_told_who_may()
    {
        var database = server.NewDatabase();
        PrivateServer.Execute(database, "CREATE ROLE guest LOGIN");
        var error = Assert.Throws<DataDirectoryException>(() =>
            new PostgresJournal(database.Replace("Username=postgres", "Username=guest", StringComparison.Ordinal)));
        Assert.Contains("administrator", error.Message, StringComparison.Ordinal);
    }

    [PostgresFact]
    public void What_cannot_be_reached_is_unavailable_and_says_what_to_do()
    {
        var error = Assert.Throws<StorageUnavailableException>(() => new PostgresJournal(server.To("nowhere")));
        Assert.Contains("no such database. Nothing acknowledged is lost; create it", error.Message,
            StringComparison.Ordinal);
        error = Assert.Throws<StorageUnavailableException>(() =>
            new PostgresJournal("Host=/nonexistent;Username=u;Password=sesame;Database=d"));
        Assert.Contains("check server and network", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sesame", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_connection_string_is_not_quoted()
    {
        foreach (var text in (string[])["Host=a;Pasword=sesame", "sesame", "Host=a;Port=sesame"])
        {
            var error = Assert.Throws<DataDirectoryException>(() => new PostgresJournal(text));
            Assert.DoesNotContain("sesame", error.ToString(), StringComparison.Ordinal);
        }
    }

    [PostgresFact]
    public void A_damaged_row_is_found()
    {
        var database = server.NewDatabase();
        using var journal = new PostgresJournal(database);
        journal.Append(Batches.Event(1, 1));
        journal.Append(Batches.Event(2, 1));
        PrivateServer.Execute(database, "UPDATE metertwin.kept SET input=input||'\\x00' WHERE position=2");
        Assert.Equal(["table kept, row 2: the stored digest does not match its bytes"], journal.CheckDigests());
        Assert.Throws<DataDirectoryException>(() => journal.Read(0, (_, _) => { }));
    }
}
