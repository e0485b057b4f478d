using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Tests.Engine;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Hostile;

/// <summary>
/// Nothing that the door takes stops the engine, whatever its values: an input that stops it is journalled, or sent
/// again by its source, and stops it for good.
/// </summary>
public sealed class SecurityFuzzTests(ITestOutputHelper output) : IDisposable
{
    private const int Steps = 120, ItemsAStep = 40;

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>Seeds that stopped the engine before it was mended.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Well_formed_lies_stop_nothing_and_a_rebuild_agrees(int seed)
    {
        output.WriteLine($"seed {seed}");
        var path = _directory.Sub("data" + seed);
        var inputs = new HostileInputs((ulong)seed);
        string hash;
        var kinds = new HashSet<InputKind>();
        await using (var fleet = Feed.Open(path))
        {
            await fleet.Send(Feed.Batch("pki", [.. inputs.Beginning()]));
            for (var step = 0; step < Steps; step++)
            {
                var batch = new InputBatch("hostile");
                for (var i = 0; i < ItemsAStep; i++) batch.Add(inputs.Next());
                Note(await Receipt(fleet, batch, seed, step), batch, kinds);
                await Receipt(fleet, step % 4 == 3 ? inputs.Sweep() : Day(step), seed, step);
            }
            Assert.True(fleet.Status.IsReady, $"seed {seed}");
            Assert.True(fleet.Status.ClosedThroughDay >= Feed.FirstDay + Steps / 2, $"seed {seed}");
            hash = await fleet.Hash();
        }
        Assert.Subset(kinds, Kinds);
        await using (var fleet = Feed.Open(path, shards: 5)) Assert.Equal(hash, await fleet.Hash());
        Assert.Empty(Feed.VerifySound(path).Differences);
    }

    /// <summary>Kinds of which at least one must have been accepted, or the test proves nothing of them.</summary>
    private static readonly HashSet<InputKind> Kinds =
    [
        .. Enum.GetValues<InputKind>().Where(k => k is >= InputKind.ReadingBlock and <= InputKind.Reaction
            or (>= InputKind.MeterRelation and <= InputKind.CheckpointIssued)),
    ];

    /// <summary>An honest meter whose readings close days.</summary>
    private static InputBatch Day(int step) => Feed.Days("honest", 1, step, step + 1);

    private static void Note(AppendReceipt receipt, InputBatch batch, HashSet<InputKind> kinds)
    {
        for (var i = 0; i < batch.Count; i++)
            if (receipt.Items[i].Status == AdmissionStatus.Accepted) kinds.Add(Envelope.Read(batch[i]).Kind);
    }

    private static async Task<AppendReceipt> Receipt(EmbeddedFleet fleet, InputBatch batch, int seed, int step)
    {
        try
        {
            return await fleet.Send(batch);
        }
        catch (StorageUnavailableException e)
        {
            Assert.Fail($"seed {seed}, step {step}: {e.Message} {e.InnerException}");
            throw;
        }
    }
}
