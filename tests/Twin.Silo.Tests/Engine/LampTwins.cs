using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Tests.Engine;

/// <summary>
/// A kind of twin that no room has heard of: street lamps. They count hours, tell their street in a sweep and their
/// neighbour when a day closes; neighbours and streets answer. Streets are of another unheard-of kind; the whole town
/// is a twin of a known one.
/// </summary>
internal sealed class LampFactory : ITwinFactory
{
    public const TwinKind Lamp = (TwinKind)77, Street = (TwinKind)78;
    private const int Streets = 5;

    public int JudgingVersion => 1;
    public bool HearsClosings(TwinKind kind) => kind == Lamp;
    public TwinKey? Beside(ReadOnlySpan<byte> input) => null;
    public TwinState Create(TwinKey key) => new LampTwin(key);

    public TwinState Restore(TwinKey key, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        return new LampTwin(key) { Hours = r.VarInt(), Digest = r.UInt64(), Untold = r.VarInt() };
    }

    public static byte[] Burnt(ulong lamp, int day, int hours)
    {
        var to = new ByteWriter();
        new Envelope(InputKind.FrameReceived, new TwinKey(Lamp, lamp)).Write(to);
        to.VarInt(day);
        to.VarInt(hours);
        return to.ToArray();
    }

    /// <summary>What a town's lamps say of a day, and a sweep.</summary>
    public static IEnumerable<InputBatch> Days(int lamps, int days)
    {
        for (var day = 0; day < days; day++)
        {
            var batch = new InputBatch("town");
            for (var lamp = 1; lamp <= lamps; lamp++)
                if ((lamp + day) % 7 != 0)
                    batch.Add(Burnt((ulong)lamp * 11, Feed.FirstDay + day, 1 + (lamp * day) % 12));
            yield return batch;
            yield return Feed.Batch("host", new Sweep(new UnixTime((Feed.FirstDay + day) * 86_400L)));
        }
        yield return Feed.Batch("town", new SourceEnded("town"));
    }

    private sealed class LampTwin(TwinKey key) : TwinState(key.Id)
    {
        public long Hours, Untold;
        public ulong Digest;

        public override bool Waits => Untold > 0;

        public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
        {
            var envelope = Envelope.Read(input);
            if (key.Kind != Lamp || envelope.Kind != InputKind.FrameReceived)
                return Admission.Reject("only lamps are told anything, and only their hours");
            var day = new ByteReader(Envelope.Payload(input)).Int();
            accepted.Add(input, day, (day + 1L) * 1440, false);
            return Admission.Accept;
        }

        public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
        {
            var r = new ByteReader(Envelope.Payload(input));
            switch (Envelope.Read(input).Kind)
            {
                case InputKind.FrameReceived:
                    r.VarInt();
                    var hours = r.VarInt();
                    (Hours, Untold) = (Hours + hours, Untold + hours);
                    break;
                case InputKind.Sweep:
                    Say(outbox, new TwinKey(Street, Id % Streets + 1), Untold);
                    Untold = 0;
                    break;
                default:
                    // Some neighbours are twins, some are born by this.
                    Say(outbox, new TwinKey(Lamp, Id + (Id % 2 == 0 ? 11u : 22u)), Hours);
                    break;
            }
        }

        private static void Say(IOutbox outbox, TwinKey to, long hours)
        {
            var body = new ByteWriter();
            body.VarInt(hours);
            outbox.Send(to, body.Written);
        }

        public override void Receive(IInbox inbox, IOutbox outbox)
        {
            var isAsked = false;
            for (var i = 0; i < inbox.Count; i++)
            {
                var hours = new ByteReader(inbox[i].Body).VarInt();
                Digest = StableHash.Mix(unchecked(Digest * 31 + inbox[i].From.Id + (ulong)hours));
                isAsked |= key.Kind == Lamp && hours >= 0;
            }
            // Below zero: an answer, which is not answered.
            if (isAsked) Answer(outbox);
            else if (key.Kind == Street) Tell(outbox);
        }

        private void Answer(IOutbox outbox)
        {
            var body = new ByteWriter();
            body.VarInt(-1 - Hours);
            outbox.Publish(body.Written);
        }

        private void Tell(IOutbox outbox)
        {
            Say(outbox, new TwinKey(TwinKind.Feeder, 1), (long)(Digest % 1000));
            var at = new UnixTime((long)(Digest % 1_000_000));
            var body = new ByteWriter();
            new Finding(key, key.ToString(), FindingKind.LevelShift, at, at, at, 1, Severity.Low, 0.5, "lamp", 1, "",
                "A street was lit.", [], []).Write(body);
            outbox.Fact(FactKind.Finding, body.Written);
        }

        public override void Write(ByteWriter to)
        {
            to.VarInt(Hours);
            to.UInt64(Digest);
            to.VarInt(Untold);
        }
    }
}
