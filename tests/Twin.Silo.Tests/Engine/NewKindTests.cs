using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;

namespace Twin.Silo.Tests.Engine;

/// <summary>
/// Twins of kinds that the engine has never heard of live in it: closings, sweeps, letters, restarts.
/// </summary>
public sealed class NewKindTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    internal const int Lamps = 40, Days = 9;

    internal static async Task<(string Hash, List<string> Findings)> Run(Func<IFleet> open)
    {
        var fleet = open();
        var n = 0;
        foreach (var batch in LampFactory.Days(Lamps, Days))
        {
            var receipt = await fleet.Send(batch);
            // Behind a closing comes a sweep of the engine's own: after it nobody may wait for the host's.
            Assert.All(receipt.Items, i => Assert.NotEqual(AdmissionStatus.Rejected, i.Status));
            // Between lamps' words and the sweep that brings them on, and behind a sweep.
            if (++n is not (7 or 12)) continue;
            await fleet.DisposeAsync();
            fleet = open();
        }
        Assert.Equal(Feed.FirstDay + Days - 1, fleet.Status.ClosedThroughDay);
        Assert.True((await fleet.Keys(LampFactory.Lamp, 0, 1000, default)).Count > Lamps);
        Assert.Equal(5, (await fleet.Keys(LampFactory.Street, 0, 1000, default)).Count);
        Assert.Single(await fleet.Keys(TwinKind.Feeder, 0, 1000, default));
        Assert.NotNull(await fleet.State(new TwinKey(LampFactory.Lamp, 11), null, default));
        var result = (await fleet.Hash(), await fleet.FindingIds());
        Assert.NotEmpty(result.Item2);
        await fleet.DisposeAsync();
        return result;
    }

    internal static Task<(string Hash, List<string> Findings)> RunEmbedded(string path, int shards) =>
        Run(() => EmbeddedFleet.Open(new EmbeddedOptions { DataPath = path, Shards = shards }, new LampFactory(),
            null));

    [Fact]
    public async Task A_kind_of_the_tests_own_lives_in_the_embedded_engine()
    {
        var one = await RunEmbedded(_directory.Sub("one"), 1);
        var five = await RunEmbedded(_directory.Sub("five"), 5);
        Assert.Equal(one.Hash, five.Hash);
        Assert.Equal(one.Findings, five.Findings);
        Assert.Empty(Verifier.Run(_directory.Sub("five"), 3, new LampFactory(), _ => { }).Differences);
    }
}
