using Orleans.TestingHost;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Tests.Postgres;
using Twin.Silo.Embedded;
using Twin.Silo.Orleans;
using Twin.Silo.Storage.Postgres;
using Twin.Silo.Tests.Crash;
using Twin.Silo.Tests.Engine;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Orleans;

/// <summary>
/// Silos die at random instants of ingestion. Instants are counted in what twins are given to do, so that they lie
/// inside steps and closings; METERTWIN_SEED repeats a run as far as threads do.
/// </summary>
[Collection(ServerCollection.Name)]
public sealed class SiloLossTests(ITestOutputHelper output, PrivateServer server) : IDisposable
{
    private const int Silos = 3;
    private const int Homes = 30;
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [PostgresFact]
    public Task Three_silos_killed_at_random_instants_lose_nothing_and_apply_nothing_twice() => Kill(3, 24);

    [PostgresFact]
    [Trait("Category", "Long")]
    public async Task Ten_silos_killed_at_random_instants_lose_nothing_and_apply_nothing_twice()
    {
        if (KillTests.IsLong) await Kill(10, 60);
        else output.WriteLine("Not run: it takes METERTWIN_LONG=1.");
    }

    private async Task Kill(int kills, int days)
    {
        var seed = KillTests.Seed(output);
        var random = new SplitMix64(seed);
        var batches = Batches(seed, days);
        var clock = new TwinClock();
        var (expected, inputs, work) = await Undisturbed(batches, clock);
        var database = server.NewDatabase();
        Likeness got;
        await using (var cluster = await TwinCluster.Start(Silos, new EngineOptions { Database = database },
            _ => new WatchedTwins(new TwinFactory(), 1, clock)))
        {
            await RunWithKills(cluster, batches, kills, work / kills, clock, random);
            got = await Likeness.Of(cluster, database);
            Assert.Equal(Silos, cluster.Addresses.Length);
        }
        using (var journal = new PostgresJournal(database)) Assert.Equal(inputs, Inputs(journal));
        expected.RequireSame(got);
        Likeness.Verify(database, new TwinFactory(), expected.Hash);
    }

    private static List<InputBatch> Batches(ulong seed, int days)
    {
        var world = Feed.World(seed, Homes, days, out var fleet);
        var batches = new List<InputBatch> { fleet };
        foreach (var day in world)
            foreach (var part in day.Chunk(1 + day.Count / 2)) batches.Add(Feed.Batch("world", part));
        batches.Add(Feed.Batch("world", new SourceEnded("world")));
        return batches;
    }

    private async Task<(Likeness, List<string> Inputs, long Work)> Undisturbed(List<InputBatch> batches,
        TwinClock clock)
    {
        await using var embedded = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = _directory.Sub("data") },
            new WatchedTwins(new TwinFactory(), 1, clock), null);
        foreach (var batch in batches) await embedded.Send(batch);
        return (await Likeness.Of(embedded), Inputs(embedded.Journal), clock.Now);
    }

    /// <summary>
    /// The run has as many parts as kills; a part ends when its kill is done and three silos run again.
    /// </summary>
    private async Task RunWithKills(TwinCluster cluster, List<InputBatch> batches, int kills, long workOfPart,
        TwinClock clock, SplitMix64 random)
    {
        var sender = new Sender(cluster);
        for (var part = 0; part < kills; part++)
        {
            var (from, to) = (part * batches.Count / kills, (part + 1) * batches.Count / kills);
            var isSequencers = part % 2 == 0;
            var (after, other) = (1 + random.Next((int)(workOfPart * 3 / 4)), random.Next(Silos));
            var instant = clock.After(after);
            var sent = 0;
            var killing = Task.Run(async () =>
            {
                await instant;
                var victim = isSequencers ? cluster.SequencersSilo() : null;
                victim ??= cluster.Silos.Silos[other % cluster.Silos.Silos.Count];
                output.WriteLine($"kill {part}: after {after} of about {workOfPart}, in append "
                    + $"{Volatile.Read(ref sent)} of {to - from}, "
                    + $"{(isSequencers ? "the sequencer's silo" : "silo")} {victim.SiloAddress}");
                await cluster.Kill(victim);
                sender.Died(victim);
                await cluster.Add();
            });
            for (var i = from; i < to; i++)
            {
                Volatile.Write(ref sent, i - from);
                var receipt = await sender.Send(batches[i]);
                Assert.DoesNotContain(receipt.Items, a => a.Status == AdmissionStatus.Rejected);
            }
            clock.Strike();
            await killing;
        }
    }

    /// <summary>Every input with its position: what was acknowledged, once, in its order.</summary>
    private static List<string> Inputs(IJournal journal)
    {
        var inputs = new List<string>();
        journal.Read(0, (position, input) => inputs.Add($"{position} {Convert.ToHexString(input)}"));
        Assert.Equal(inputs.Count, inputs.Distinct().Count());
        return inputs;
    }

    /// <summary>
    /// Sends through the door of a silo, and through another's when that one died with the append: what became of it
    /// is not known, and it is sent again.
    /// </summary>
    private sealed class Sender(TwinCluster cluster)
    {
        private OrleansFleet? _door;
        private InProcessSiloHandle? _silo;
        private TaskCompletionSource _died = new();

        public void Died(InProcessSiloHandle silo)
        {
            if (ReferenceEquals(Volatile.Read(ref _silo), silo)) _died.TrySetResult();
        }

        public async Task<AppendReceipt> Send(InputBatch batch)
        {
            AppendReceipt? receipt = null;
            await Patience.Until("the append is acknowledged", async () =>
            {
                if (_door is null || _died.Task.IsCompleted)
                {
                    _died = new TaskCompletionSource();
                    Volatile.Write(ref _silo, cluster.Silos.Silos[^1]);
                    _door = await cluster.Door(_silo!);
                }
                var append = _door.Append(batch, default).AsTask();
                await Task.WhenAny(append, _died.Task);
                if (append.IsCompletedSuccessfully) receipt = await append;
                return receipt is not null;
            });
            return receipt!;
        }
    }
}
