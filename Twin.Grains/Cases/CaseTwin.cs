using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Cases;

/// <summary>The twin of the cases of one subject on one desk, or of a group.</summary>
public sealed class CaseTwin(ulong id) : TwinState(id)
{
    private const byte StateVersion = 1;

    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted) =>
        Admission.Reject($"case {Id:x16}: an input of kind {Envelope.Read(input).Kind} does not come through this door");

    public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
    {
    }

    public override void Receive(IInbox inbox, IOutbox outbox)
    {
    }

    public override void Write(ByteWriter to) => to.Byte(StateVersion);

    public static CaseTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        var version = r.Byte();
        return version == StateVersion ? new CaseTwin(id)
            : throw r.Bad($"a case's state has version {version}, this MeterTwin knows {StateVersion}");
    }
}
