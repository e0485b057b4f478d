using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Engine;

/// <summary>
/// Inputs that come with every frame lie together by meter; the total order and one meter's share stay.
/// </summary>
public sealed class FrequentTests(ITestOutputHelper output) : IDisposable
{
    private const int Meters = 40;
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static FrameReceived Frame(ulong meter, uint counter) => new(new TwinKey(TwinKind.Meter, meter),
        new UnixTime(1_700_000_000 + counter), KeySlot.EncryptionUnicast, FrameDirection.FromMeter, counter,
        StableHash.Mix(counter), 300, FrameService.DataNotification);

    [Fact]
    public void The_order_and_each_meters_share_survive_merging_and_reopening()
    {
        var seed = Crash.KillTests.Seed(output);
        var random = new SplitMix64(seed);
        var all = new List<(long Position, byte[] Input)>();
        for (var round = 0; round < 30; round++)
        {
            using var journal = new SqliteJournal(_directory.Sub("j.db"));
            var batch = new JournalBatch(journal.Position + 1);
            for (var n = random.Next(300); n >= 0; n--)
            {
                Input input = random.Next(20) == 0 ? new Sweep(new UnixTime(n))
                    : random.Next(10) == 0 ? new NonceIssued(new TwinKey(TwinKind.Meter, 7), new UnixTime(n), 1)
                    : Frame(random.NextUInt64() >> random.Next(64) | 1, (uint)random.Next(1 << 20));
                if (random.Next(3) == 0) input = Frame((ulong)random.Next(Meters) + 1, (uint)n);
                var bytes = input.ToBytes();
                all.Add((batch.Add(bytes, int.MinValue, false), bytes));
            }
            journal.Append(batch);
            if (random.Next(4) == 0) journal.Compact(int.MinValue, everything: random.Next(2) == 0);
            Check(journal, all, random.Next((int)journal.Position));
        }
    }

    private static void Check(SqliteJournal journal, List<(long Position, byte[] Input)> all, long after)
    {
        var read = new List<(long Position, string Hex)>();
        journal.Read(after, (p, input) => read.Add((p, Convert.ToHexStringLower(input))));
        Assert.Equal(all.Where(a => a.Position > after).Select(a => (a.Position, Convert.ToHexStringLower(a.Input))),
            read);
        for (ulong meter = 1; meter <= 9; meter++)
        {
            var key = new TwinKey(TwinKind.Meter, meter);
            var own = new List<long>();
            journal.ReadAddressed(key, after, (p, input) =>
            {
                Assert.Equal(key, Envelope.Read(input).Target);
                own.Add(p);
            });
            Assert.Equal(all.Where(a => a.Position > after && Envelope.Read(a.Input).Target == key)
                .Select(a => a.Position), own);
        }
        Assert.Empty(journal.CheckDigests());
    }

    [Fact]
    public async Task An_older_format_is_upgraded_after_a_backup()
    {
        var path = _directory.Sub("d");
        string hash;
        await using (var fleet = Feed.Open(path))
        {
            await fleet.Send(Feed.Days("a", 3, 0, 5));
            hash = await fleet.Hash();
        }
        using (var sql = Sql.Open(Path.Combine(path, "journal.db"), readOnly: false))
            sql.Run("DROP TABLE frequent; DROP INDEX kept_fleet; DROP TABLE ledger; DROP TABLE casefile;"
                + "DROP TABLE seal; DROP TABLE cursor;");
        File.WriteAllText(Path.Combine(path, "format"), "metertwin-data 1\n");
        await using (var fleet = Feed.Open(path)) Assert.Equal(hash, await fleet.Hash());
        Assert.Equal("metertwin-data 4\n", File.ReadAllText(Path.Combine(path, "format")));
        Assert.Equal("metertwin-data 1\n", File.ReadAllText(Path.Combine(path, "backup-format-1", "format")));
        Feed.VerifySound(path);
    }
}
