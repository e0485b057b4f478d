using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage;
using Twin.Silo.Storage.Postgres;
using Twin.Silo.Tests;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Postgres;

/// <summary>Whatever is done to both journals, both say the same.</summary>
[Collection(ServerCollection.Name)]
public sealed class SameAsSqliteTests(PrivateServer server, ITestOutputHelper output) : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [PostgresFact]
    public void Random_work_leaves_the_same_journal()
    {
        var random = new SplitMix64(RunSeed.Of(output));
        var database = server.NewDatabase();
        using var sqlite = new SqliteJournal(_directory.Sub("journal.db"));
        var postgres = new PostgresJournal(database);
        for (var round = 0; round < 45; round++)
        {
            var (day, seed) = (Batches.FirstDay + round, random.NextUInt64());
            foreach (var journal in (SqlJournal[])[sqlite, postgres])
                journal.Append(Batches.Mixed(journal.Position + 1, new SplitMix64(seed), day));
            Upkeep(sqlite, postgres, random.Next(12), random.Next(12) + 1, day);
            if (round % 9 != 8) continue;
            var after = random.Next((int)sqlite.Position);
            Assert.Equal(Told(sqlite, after), Told(postgres, after));
            Assert.Equal(Told(sqlite, 0), Told(postgres, 0));
            postgres.Dispose();
            postgres = new PostgresJournal(database);
        }
        postgres.Dispose();
    }

    private static void Upkeep(SqlJournal sqlite, SqlJournal postgres, int what, int meter, int day)
    {
        foreach (var journal in (SqlJournal[])[sqlite, postgres])
        {
            if (what < 5) journal.Compact(day - 3, everything: what == 0);
            else if (what == 6) journal.Erase(new MeterId((ulong)meter), day - 5, journal.Position);
            else if (what == 7) journal.Retain(SqlJournal.WindowOf(day - 10), journal.Position);
        }
    }

    /// <summary>All that a journal says, in words.</summary>
    private static List<string> Told(SqlJournal journal, long after)
    {
        var told = new List<string>
        {
            $"{journal.Position} {journal.Size().Readings} {Convert.ToHexString(journal.Marks)} "
                + $"{journal.JudgingVersion} {journal.FindingCount()} {journal.HasSealedBefore(Batches.FirstDay + 20)}",
        };
        void Tell(string what, long position, ReadOnlySpan<byte> input) =>
            told.Add($"{what} {position} {Convert.ToHexString(input)}");
        journal.Read(after, (p, input) => Tell("all", p, input));
        journal.ReadFleetWide(after, (p, input) => Tell("fleet", p, input));
        told.AddRange(journal.ClosedDays(after).Select(c => $"closed {c}"));
        told.AddRange(journal.Tombstones().Select(t => t.ToString()));
        told.AddRange(journal.CheckDigests());
        journal.VisitFindings(body => Tell("finding", 0, body));
        foreach (var limit in (int[])[3, 100])
            told.AddRange(journal.Findings(new FindingQuery(null, FindingKind.Spike, new UnixTime(2), null, limit))
                .Select(f => f.Id));
        for (ulong m = 0; m <= 13; m++) TellMeter(journal, new MeterId(m), after, told);
        return told;
    }

    private static void TellMeter(SqlJournal journal, MeterId meter, long after, List<string> told)
    {
        journal.ReadAddressed(meter.Twin, after, (p, i) => told.Add($"{meter} {p} {Convert.ToHexString(i)}"));
        var budget = 40;
        journal.ReadNewestFrequent(meter, (p, i) =>
        {
            told.Add($"{meter} newest {p} {Convert.ToHexString(i)}");
            return --budget > 0;
        });
        var readings = new List<string>();
        journal.ReadReadings(meter, Batches.FirstDay + 7, int.MaxValue, long.MaxValue,
            (p, i) => readings.Add($"{p} {Convert.ToHexString(i)}"));
        told.AddRange(readings.Order(StringComparer.Ordinal));
        journal.Series(meter, Channel.Import, Batches.FirstDay + 5, int.MaxValue, (day, interval, slots, _) =>
            told.Add($"{meter} {day.Number} {interval} {string.Join(' ', slots.ToArray())}"));
        var checkpoint = journal.Checkpoint(meter.Twin, Batches.FirstDay + 30);
        told.Add($"{checkpoint?.Day} {checkpoint?.Position} {Convert.ToHexString(checkpoint?.State ?? [])}");
        for (var day = Batches.FirstDay; day < Batches.FirstDay + 45; day += 9)
            told.Add(Convert.ToHexString(journal.Publication(new TwinKey(TwinKind.Feeder, meter.Value), day) ?? []));
    }
}
