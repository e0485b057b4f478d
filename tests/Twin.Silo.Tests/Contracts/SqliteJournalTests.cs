using Twin.Grains;
using Twin.Silo.Storage;

namespace Twin.Silo.Tests.Contracts;

public sealed class SqliteJournalTests : JournalContract
{
    protected override IJournal Open() => new SqliteJournal(Directory.Sub("journal.db"));
}
