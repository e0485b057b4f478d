using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Tests.Engine;

/// <summary>
/// Twins that have nothing to do with meters, from inputs that no room knows. When a day closes each speaker writes to
/// a listener; the listener folds its mail and answers all; the speakers then write to a second listener, which answers
/// too: four rounds.
/// </summary>
internal sealed class ToyFactory : ITwinFactory
{
    public int JudgingVersion { get; init; } = 1;
    public bool HearsClosings(TwinKind kind) => kind == TwinKind.Meter;
    public TwinKey? Beside(ReadOnlySpan<byte> input) => null;
    public TwinState Create(TwinKey key) => new ToyTwin(key);
    public TwinState Restore(TwinKey key, ReadOnlySpan<byte> state) => new ToyTwin(key, state);

    /// <summary>
    /// An input with a kind whose payload nobody but the toy reads. A negative value makes a twin that talks to itself
    /// for ever.
    /// </summary>
    public static byte[] Say(ulong id, int day, int value)
    {
        var to = new ByteWriter();
        new Envelope(InputKind.FrameReceived, new TwinKey(TwinKind.Meter, id)).Write(to);
        to.VarInt(day);
        to.VarInt(value);
        return to.ToArray();
    }
}

internal sealed class ToyTwin : TwinState
{
    private const int Listeners = 3;
    private readonly TwinKey _key;
    private ulong _digest;
    private long _sum;

    public ToyTwin(TwinKey key) : base(key.Id) => _key = key;

    public ToyTwin(TwinKey key, ReadOnlySpan<byte> state) : this(key)
    {
        var r = new ByteReader(state);
        (_digest, _sum) = (r.UInt64(), r.VarInt());
    }

    public override void Write(ByteWriter to)
    {
        to.UInt64(_digest);
        to.VarInt(_sum);
    }

    private void Mix(ulong value) => _digest = StableHash.Mix(unchecked(_digest * 31 + value));

    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        if (Envelope.Read(input).Kind != InputKind.FrameReceived)
            return Admission.Reject("toys take one kind of input only");
        var r = new ByteReader(Envelope.Payload(input));
        var day = r.Int();
        accepted.Add(input, day, (day + 1L) * 1440, false);
        return Admission.Accept;
    }

    public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        var r = new ByteReader(Envelope.Payload(input));
        var day = r.Int();
        if (Envelope.Read(input).Kind == InputKind.FrameReceived)
        {
            _sum += r.VarInt();
            Mix((ulong)day);
            return;
        }
        Write(outbox, _sum < 0 ? _key : new TwinKey(TwinKind.Cohort, Id % Listeners + 1));
    }

    private void Write(IOutbox outbox, TwinKey to)
    {
        var body = new ByteWriter();
        body.VarInt(_sum);
        body.UInt64(_digest);
        outbox.Send(to, body.Written);
    }

    public override void Receive(IInbox inbox, IOutbox outbox)
    {
        var listenerSpoke = TwinKind.Meter;
        for (var i = 0; i < inbox.Count; i++)
        {
            var r = new ByteReader(inbox[i].Body);
            Mix(inbox[i].From.Id);
            Mix(unchecked((ulong)r.VarInt()));
            Mix(r.UInt64());
            listenerSpoke = inbox[i].From.Kind;
        }
        if (_sum < 0) Write(outbox, _key);
        else if (_key.Kind != TwinKind.Meter) Answer(inbox, outbox);
        else if (listenerSpoke == TwinKind.Cohort) Write(outbox, new TwinKey(TwinKind.Feeder, Id % 2 + 1));
    }

    private void Answer(IInbox inbox, IOutbox outbox)
    {
        var body = new ByteWriter();
        body.VarInt(inbox.Count);
        body.UInt64(_digest);
        outbox.Publish(body.Written);
        var at = new UnixTime((long)(_digest % 1_000_000));
        body.Clear();
        new Finding(_key, _key.ToString(), FindingKind.LevelShift, at, at, at, 1, Severity.Low, 0.5, "toy", 1, "",
            "A toy spoke.", [], []).Write(body);
        outbox.Fact(FactKind.Finding, body.Written);
    }
}
