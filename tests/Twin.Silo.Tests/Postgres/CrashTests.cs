using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage.Postgres;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Postgres;

/// <summary>The server dies in the middle of appends, and comes again.</summary>
public sealed class CrashTests(ITestOutputHelper output) : IDisposable
{
    private const int Crashes = 4, Batches = 60;
    private readonly PrivateServer _server = new();

    public void Dispose() => _server.Dispose();

    [PostgresFact]
    public void Nothing_acknowledged_is_lost_and_nothing_is_stored_twice()
    {
        var random = new SplitMix64(RunSeed.Of(output));
        var database = _server.NewDatabase();
        var sent = new List<string>();
        long acknowledged = 0;
        using (var journal = new PostgresJournal(database))
        {
            var refused = 0;
            for (var crash = 0; crash < Crashes; crash++)
            {
                var at = acknowledged + 1 + random.Next(Batches);
                using var reached = new ManualResetEventSlim();
                var power = new Thread(() =>
                {
                    reached.Wait();
                    _server.Crash();
                    _server.Start();
                });
                power.Start();
                do
                {
                    if (acknowledged >= at) reached.Set();
                    var batch = Postgres.Batches.Event(journal.Position + 1, random.NextUInt64() | 1);
                    sent.Add($"{batch.FirstPosition} {Convert.ToHexString(batch.Kept[0].Input)}");
                    refused += Append(journal, batch);
                    acknowledged = journal.Position;
                    Assert.Equal(batch.LastPosition, acknowledged);
                }
                while (power.IsAlive);
                power.Join();
            }
            output.WriteLine($"{acknowledged} batches, {refused} refusals");
        }
        using var again = new PostgresJournal(database);
        var all = new List<string>();
        again.Read(0, (p, input) => all.Add($"{p} {Convert.ToHexString(input)}"));
        Assert.Equal(sent, all);
        Assert.Equal(acknowledged, again.Position);
        Assert.Empty(again.CheckDigests());
    }

    private static int Append(PostgresJournal journal, JournalBatch batch)
    {
        var refused = 0;
        LostAnswerTests.Patiently(() =>
        {
            refused++;
            journal.Append(batch);
        });
        return refused - 1;
    }
}
