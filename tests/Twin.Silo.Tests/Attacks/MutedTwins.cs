using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Tests.Attacks;

/// <summary>Twins with one detector switched off: findings of a kind never leave them.</summary>
internal sealed class MutedTwins(ITwinFactory inner, FindingKind muted) : ITwinFactory
{
    public int JudgingVersion => inner.JudgingVersion;
    public bool HearsClosings(TwinKind kind) => inner.HearsClosings(kind);
    public TwinKey? Beside(ReadOnlySpan<byte> input) => inner.Beside(input);

    public TwinState Create(TwinKey key) => new Muted(inner.Create(key), muted);

    public TwinState Restore(TwinKey key, ReadOnlySpan<byte> state) => new Muted(inner.Restore(key, state), muted);

    private sealed class Muted(TwinState inner, FindingKind muted) : TwinState(inner.Id)
    {
        public override bool Waits => inner.Waits;

        public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted) =>
            inner.Admit(input, recall, accepted);

        public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox) =>
            inner.Apply(input, new Sieve(outbox, muted));

        public override void Receive(IInbox inbox, IOutbox outbox) => inner.Receive(inbox, new Sieve(outbox, muted));

        public override void Write(ByteWriter to) => inner.Write(to);
    }

    private sealed class Sieve(IOutbox inner, FindingKind muted) : IOutbox
    {
        public void Send(TwinKey to, ReadOnlySpan<byte> message) => inner.Send(to, message);

        public void Publish(ReadOnlySpan<byte> message) => inner.Publish(message);

        public void Fact(FactKind kind, ReadOnlySpan<byte> fact)
        {
            if (kind != FactKind.Finding || Finding.Read(fact).Kind != muted) inner.Fact(kind, fact);
        }
    }
}
