using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Guards;

/// <summary>The budgets of one feeder, one region or the fleet.</summary>
public sealed class GuardTwin(ulong id) : TwinState(id)
{
    private const byte StateVersion = 1;

    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted) =>
        Admission.Reject($"guard {Id:x16}: an input of kind {Envelope.Read(input).Kind} does not come through this door");

    public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
    {
    }

    public override void Receive(IInbox inbox, IOutbox outbox)
    {
    }

    public override void Write(ByteWriter to) => to.Byte(StateVersion);

    public static GuardTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        var version = r.Byte();
        return version == StateVersion ? new GuardTwin(id)
            : throw r.Bad($"a guard's state has version {version}, this MeterTwin knows {StateVersion}");
    }
}
