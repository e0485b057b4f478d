using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Tests.Orleans;

/// <summary>
/// Counts what twins are given to do, wherever they live: instants inside steps and closings have numbers.
/// </summary>
internal sealed class TwinClock
{
    private long _now, _at = long.MaxValue;
    private TaskCompletionSource _struck = new();

    public long Now => Interlocked.Read(ref _now);

    /// <summary>Completes when so many more have been counted, or <see cref="Strike"/> is called.</summary>
    public Task After(long more)
    {
        _struck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _at, Now + more);
        return _struck.Task;
    }

    public void Strike() => _struck.TrySetResult();

    public void Tick()
    {
        if (Interlocked.Increment(ref _now) < Interlocked.Read(ref _at)) return;
        Interlocked.Exchange(ref _at, long.MaxValue);
        Strike();
    }
}

/// <summary>Twins that judge by a version given here, and that a clock counts.</summary>
internal sealed class WatchedTwins(ITwinFactory inner, int version, TwinClock clock) : ITwinFactory
{
    public int JudgingVersion => version;
    public bool HearsClosings(TwinKind kind) => inner.HearsClosings(kind);
    public TwinKey? Beside(ReadOnlySpan<byte> input) => inner.Beside(input);
    public TwinState Create(TwinKey key) => new Watched(inner.Create(key), clock);
    public TwinState Restore(TwinKey key, ReadOnlySpan<byte> state) => new Watched(inner.Restore(key, state), clock);

    private sealed class Watched(TwinState inner, TwinClock clock) : TwinState(inner.Id)
    {
        public override bool Waits => inner.Waits;

        public override bool IsSurelyNew(ReadOnlySpan<byte> input) => inner.IsSurelyNew(input);

        public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
        {
            clock.Tick();
            return inner.Admit(input, recall, accepted);
        }

        public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
        {
            clock.Tick();
            inner.Apply(input, outbox);
        }

        public override void Receive(IInbox inbox, IOutbox outbox)
        {
            clock.Tick();
            inner.Receive(inbox, outbox);
        }

        public override void Write(ByteWriter to) => inner.Write(to);
    }
}
