using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Policies;

/// <summary>The policy in force, with its suppressions, planned work and the freeze.</summary>
public sealed class PolicyTwin(ulong id) : TwinState(id)
{
    private const byte StateVersion = 1;

    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted) =>
        Admission.Reject($"policy {Id:x16}: an input of kind {Envelope.Read(input).Kind} does not come through this door");

    public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
    {
    }

    public override void Receive(IInbox inbox, IOutbox outbox)
    {
    }

    public override void Write(ByteWriter to) => to.Byte(StateVersion);

    public static PolicyTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        var version = r.Byte();
        return version == StateVersion ? new PolicyTwin(id)
            : throw r.Bad($"a policy's state has version {version}, this MeterTwin knows {StateVersion}");
    }
}
