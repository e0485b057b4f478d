using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;

namespace Twin.Silo.Tests.Engine;

/// <summary>Frames behind the counters' window are looked up in the journal.</summary>
public sealed class FrameHistoryTests : IDisposable
{
    private static readonly MeterId Meter = new(0x4D54573030303031);
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static FrameReceived Frame(uint counter, ulong digest) => new(Meter.Twin,
        new UnixTime(1_700_000_000 + counter), KeySlot.EncryptionUnicast, FrameDirection.FromMeter, counter, digest,
        100, FrameService.DataNotification);

    private static async Task<Admission> Send(EmbeddedFleet fleet, params FrameReceived[] frames)
    {
        var batch = new InputBatch("t");
        foreach (var frame in frames) batch.Add(frame.ToBytes());
        return (await fleet.Append(batch, CancellationToken.None)).Items[^1];
    }

    [Fact]
    public async Task An_old_frame_is_a_repeat_after_a_restart_and_another_one_of_its_counter_is_not()
    {
        var options = new EmbeddedOptions { DataPath = _directory.Sub("data") };
        await using (var fleet = EmbeddedFleet.Open(options, new TwinFactory(), null))
            await Send(fleet, [.. Enumerable.Range(1, 100).Select(i => Frame((uint)i, (ulong)i << 32))]);
        await using var again = EmbeddedFleet.Open(options, new TwinFactory(), null);
        Assert.Equal(AdmissionStatus.Duplicate, (await Send(again, Frame(3, 3ul << 32))).Status);
        Assert.Equal(AdmissionStatus.Accepted, (await Send(again, Frame(4, 99ul << 32))).Status);
        var found = await again.Findings(new FindingQuery(Meter.Twin, null, null, null, 10), CancellationToken.None);
        Assert.Equal(FindingKind.CounterRegression, Assert.Single(found).Kind);
    }
}
