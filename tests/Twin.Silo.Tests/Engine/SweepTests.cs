using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Embedded;

namespace Twin.Silo.Tests.Engine;

/// <summary>
/// What twins have for each other waits for a sweep, in their state: over restarts, on any number of shards.
/// </summary>
public sealed class SweepTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private EmbeddedFleet Open(string name, int shards, bool snapshot = true) => EmbeddedFleet.Open(new EmbeddedOptions
    {
        DataPath = _directory.Sub(name), Shards = shards, SnapshotOnClose = snapshot,
    }, new GossipFactory(), _ => { });

    private static InputBatch Words(int from, int to)
    {
        var batch = new InputBatch("a");
        for (var i = from; i < to; i++) batch.Add(GossipFactory.Word((ulong)(i % 50 + 1), i));
        return batch;
    }

    private static InputBatch Sweep(int at) => Feed.Batch("host", new Sweep(new UnixTime(at)));

    private static async Task<int> Heard(IFleet fleet) =>
        (await fleet.Findings(new FindingQuery(null, null, null, null, 100), default)).Count;

    [Fact]
    public async Task What_waits_is_delivered_by_the_next_sweep_and_not_before()
    {
        await using var fleet = Open("d", 3);
        await fleet.Send(Words(0, 20));
        Assert.Equal(0, await Heard(fleet));
        Assert.Equal(AdmissionStatus.Accepted, (await fleet.Send(Sweep(60))).Items[0].Status);
        Assert.Equal(1, await Heard(fleet));
        Assert.Equal(AdmissionStatus.Duplicate, (await fleet.Send(Sweep(120))).Items[0].Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_waits_survives_a_restart(bool snapshot)
    {
        await using (var fleet = Open("d", 2, snapshot)) await fleet.Send(Words(0, 20));
        await using (var fleet = Open("d", 5, snapshot))
        {
            await fleet.Send(Sweep(60));
            Assert.Equal(1, await Heard(fleet));
        }
        Assert.Empty(Verifier.Run(_directory.Sub("d"), 3, new GossipFactory(), _ => { }).Differences);
    }

    [Fact]
    public async Task Shards_batches_and_restarts_change_nothing()
    {
        var hashes = new List<string>();
        foreach (var (shards, step, reopen) in ((int, int, bool)[])[(1, 100, false), (8, 7, false), (3, 20, true)])
        {
            var name = $"d{shards}";
            var fleet = Open(name, shards);
            for (var from = 0; from < 200; from += 100)
            {
                for (var i = from; i < from + 100; i += step)
                    await fleet.Send(Words(i, Math.Min(i + step, from + 100)));
                if (reopen)
                {
                    await fleet.DisposeAsync();
                    fleet = Open(name, shards + 1, snapshot: false);
                }
                await fleet.Send(Sweep(from + 60));
            }
            hashes.Add(await fleet.StateHash(default));
            await fleet.DisposeAsync();
        }
        Assert.Single(hashes.Distinct());
    }

    [Fact]
    public async Task A_twin_that_publishes_in_a_sweep_stops_the_engine()
    {
        await using var fleet = Open("d", 1);
        await fleet.Send(Feed.Batch("a", GossipFactory.Word(1, GossipFactory.Forbidden)));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => fleet.Send(Sweep(60)));
    }
}

/// <summary>Meters that keep words until a sweep; one listener that hears them all and says so.</summary>
internal sealed class GossipFactory : ITwinFactory
{
    /// <summary>A word on which the listener does what no twin may.</summary>
    public const int Forbidden = -1;

    public int JudgingVersion => 1;
    public bool HearsClosings(TwinKind kind) => kind == TwinKind.Meter;
    public TwinKey? Beside(ReadOnlySpan<byte> input) => null;
    public TwinState Create(TwinKey key) => new GossipTwin(key, 0, 0, 0);

    public TwinState Restore(TwinKey key, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        return new GossipTwin(key, r.VarInt(), r.UInt64(), r.VarInt());
    }

    public static byte[] Word(ulong id, int word)
    {
        var to = new ByteWriter();
        new Envelope(InputKind.FrameReceived, new TwinKey(TwinKind.Meter, id)).Write(to);
        to.VarInt(0);
        to.VarInt(word);
        return to.ToArray();
    }

    private sealed class GossipTwin(TwinKey key, long kept, ulong digest, long words) : TwinState(key.Id)
    {
        private ulong _digest = digest;
        private long _kept = kept, _words = words;

        public override bool Waits => _words > 0;

        public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
        {
            accepted.Add(input, int.MinValue, long.MinValue, false);
            return Admission.Accept;
        }

        public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
        {
            var r = new ByteReader(Envelope.Payload(input));
            r.VarInt();
            if (Envelope.Read(input).Kind == InputKind.FrameReceived)
            {
                (_kept, _words) = (_kept * 3 % 1_000_003 + r.VarInt(), _words + 1);
                return;
            }
            var body = new ByteWriter();
            body.VarInt(_kept);
            outbox.Send(FleetPartition.Whole, body.Written);
            _words = 0;
        }

        public override void Receive(IInbox inbox, IOutbox outbox)
        {
            for (var i = 0; i < inbox.Count; i++)
            {
                var word = new ByteReader(inbox[i].Body).VarInt();
                _digest = StableHash.Mix(unchecked(_digest * 31 + inbox[i].From.Id + (ulong)word));
                if (word == Forbidden) outbox.Publish([1]);
            }
            var body = new ByteWriter();
            new Finding(key, "listener", FindingKind.EventFlood, new UnixTime((long)(_digest % 1000)), new UnixTime(2),
                new UnixTime(3), 1, Severity.Low, 1, "gossip", 1, "", "Words were heard.", [], []).Write(body);
            outbox.Fact(FactKind.Finding, body.Written);
        }

        public override void Write(ByteWriter to)
        {
            to.VarInt(_kept);
            to.UInt64(_digest);
            to.VarInt(_words);
        }
    }
}
