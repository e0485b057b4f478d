using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Cases;

/// <summary>The queue of a desk: its budget, and what of it is one storm.</summary>
public sealed class DeskTwin(ulong id) : TwinState(id)
{
    private const byte StateVersion = 1;

    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted) =>
        Admission.Reject($"desk {Id:x16}: an input of kind {Envelope.Read(input).Kind} does not come through this door");

    public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
    {
    }

    public override void Receive(IInbox inbox, IOutbox outbox)
    {
    }

    public override void Write(ByteWriter to) => to.Byte(StateVersion);

    public static DeskTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        var version = r.Byte();
        return version == StateVersion ? new DeskTwin(id)
            : throw r.Bad($"a desk's state has version {version}, this MeterTwin knows {StateVersion}");
    }
}
