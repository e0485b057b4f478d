using System.IO.Compression;
using Twin.Grains;
using Twin.Hardware.Attacks;
using Twin.Hardware.Emulator.Network;
using Twin.Ingest.Feed;
using Twin.Silo.Tests.Postgres;
using Twin.Silo.Attacks;
using Twin.Silo.Embedded;
using Twin.Silo.Emulation;
using Twin.Silo.Orleans;
using Twin.Silo.Storage;
using Twin.Silo.Tests.Crash;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Orleans;

/// <summary>What the embedded engine made of recorded and emulated fleets, three silos make of them too.</summary>
[Collection(ServerCollection.Name)]
public sealed class RecordedTests(ITestOutputHelper output, PrivateServer server) : IDisposable
{
    private const int Silos = 3;
    private static readonly AttackFleet Small = new(24, 1);
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private EmbeddedFleet Embedded() => EmbeddedFleet.Open(
        new EmbeddedOptions { DataPath = _directory.Sub("data"), Shards = 2 }, new TwinFactory(), null);

    private static Task<TwinCluster> Cluster(string database) =>
        TwinCluster.Start(Silos, new EngineOptions { Database = database }, _ => new TwinFactory());

    [PostgresFact]
    public Task A_part_of_the_recorded_homes_is_the_same_in_three_silos() => Edrp(60, 60);

    [PostgresFact]
    [Trait("Category", "Long")]
    public async Task All_recorded_homes_are_the_same_in_three_silos()
    {
        if (KillTests.IsLong) await Edrp(int.MaxValue, int.MaxValue);
        else output.WriteLine("Not run: it takes METERTWIN_LONG=1.");
    }

    private async Task Edrp(int homes, int days)
    {
        if (Repository.Recorded("edrp/edrp_dev.csv.gz") is not { } recorded)
        {
            output.WriteLine("Not run: the recorded set edrp is not at hand.");
            return;
        }
        var file = Cut(recorded, homes, days);
        Likeness expected;
        await using (var embedded = Embedded())
        {
            await Replayer.Run(embedded, new FeedOptions { Paths = [file] }, default);
            expected = await Likeness.Of(embedded);
        }
        output.WriteLine($"{expected.Readings} readings, {expected.Findings.Count} findings, {expected.Hash}");
        Assert.NotEmpty(expected.Findings);
        var database = server.NewDatabase();
        await using (var cluster = await Cluster(database))
        {
            await Replayer.Run(cluster, new FeedOptions { Paths = [file] }, default);
            expected.RequireSame(await Likeness.Of(cluster, database));
            Assert.Equal(Silos, (await cluster.Homes(Hardware.TwinKind.Meter)).Count);
        }
        Likeness.Verify(database, new TwinFactory(), expected.Hash);
        await RequireSameByImport(expected);
    }

    private string Cut(string recorded, int homes, int days)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(recorded), CompressionMode.Decompress));
        var path = _directory.Sub("edrp.csv");
        using var writer = new StreamWriter(path);
        for (var row = 0; row / 48 <= days && reader.ReadLine() is { } line; row++)
        {
            var cells = line.Split(',');
            // Every tenth home falls silent at two thirds of the time: something to be found.
            for (var home = 1; row > Math.Min(days, 92) * 32 && home < cells.Length; home += 10) cells[home] = "0";
            writer.WriteLine(string.Join(',', cells.Take(homes == int.MaxValue ? cells.Length : homes + 1)));
        }
        return path;
    }

    /// <summary>The journal in the embedded engine's directory, taken in by an empty cluster.</summary>
    private async Task RequireSameByImport(Likeness expected)
    {
        var database = server.NewDatabase();
        string hash;
        await using (var cluster = await Cluster(database))
        {
            using (var directory = DataDirectory.Open(_directory.Sub("data"), mustExist: true))
            using (var journal = new SqliteJournal(directory.JournalFile))
            {
                long reached = 0;
                await cluster.Fleet.Import(journal, position => reached = position, default);
                Assert.Equal(journal.Position, reached);
            }
            var got = await Likeness.Of(cluster, database);
            expected.RequireSameFacts(got);
            hash = got.Hash;
        }
        Likeness.Verify(database, new TwinFactory(), hash);
    }

    [PostgresTheory]
    [InlineData("L11")]
    [InlineData("T06")]
    public async Task A_fleet_under_attack_recorded_by_the_embedded_engine_is_the_same_in_three_silos(string id)
    {
        var expected = await Attacked(Catalogue.Find(id)!);
        Assert.NotEmpty(expected.Findings);
        await RequireSameByImport(expected);
    }

    [PostgresFact]
    [Trait("Category", "Long")]
    public async Task Every_attack_of_the_catalogue_is_the_same_in_three_silos()
    {
        if (!KillTests.IsLong)
        {
            output.WriteLine("Not run: it takes METERTWIN_LONG=1.");
            return;
        }
        foreach (var attack in Catalogue.All)
        {
            var expected = await Attacked(attack);
            output.WriteLine($"{attack.Id}: {expected.Position} inputs, {expected.Findings.Count} findings");
            await RequireSameByImport(expected);
            Directory.Delete(_directory.Sub("data"), recursive: true);
        }
    }

    private async Task<Likeness> Attacked(Attack attack)
    {
        using var emulated = new EmulatedFleet(Small.OptionsFor(attack.Scene));
        await using var embedded = Embedded();
        await AttackRun.Play(attack, emulated, new FleetRun(emulated, embedded), default);
        return await Likeness.Of(embedded);
    }
}
