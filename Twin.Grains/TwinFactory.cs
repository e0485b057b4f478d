using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

/// <summary>Makes the twins of this version.</summary>
public sealed class TwinFactory : ITwinFactory
{
    public int JudgingVersion => 2;

    /// <exception cref="InvalidDataException">The kind is not known to this version.</exception>
    public TwinState Create(TwinKey key) => key.Kind switch
    {
        TwinKind.Meter => new MeterTwin(key.Id),
        TwinKind.Feeder => new FeederTwin(key.Id),
        TwinKind.Cohort => new CohortTwin(key.Id),
        TwinKind.Fleet => new FleetTwin(key.Id),
        _ => throw Unknown(key),
    };

    /// <exception cref="InvalidDataException">Damaged, written by a newer version, or of a kind that is not
    /// known.</exception>
    public TwinState Restore(TwinKey key, ReadOnlySpan<byte> state) => key.Kind switch
    {
        TwinKind.Meter => MeterTwin.Restore(key.Id, state),
        TwinKind.Feeder => FeederTwin.Restore(key.Id, state),
        TwinKind.Cohort => CohortTwin.Restore(key.Id, state),
        TwinKind.Fleet => FleetTwin.Restore(key.Id, state),
        _ => throw Unknown(key),
    };

    private static InvalidDataException Unknown(TwinKey key) =>
        new($"A twin of kind {(byte)key.Kind} is not known to this version of MeterTwin. Use a newer one.");
}

/// <summary>The twin of the fleet: time and judging versions pass it by, and it keeps nothing yet.</summary>
public sealed class FleetTwin(ulong id) : TwinState(id)
{
    private const byte StateVersion = 1;

    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        var kind = Envelope.Read(input).Kind;
        if (kind is not (InputKind.Tick or InputKind.SourceEnded or InputKind.JudgingVersion))
            return Admission.Reject($"fleet: an input of kind {kind} does not come through this door");
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox) => _ = Envelope.Read(input);

    public override void Receive(IInbox inbox, IOutbox outbox) { }

    public override void Write(ByteWriter to) => to.Byte(StateVersion);

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static FleetTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        var version = r.Byte();
        return version == StateVersion ? new FleetTwin(id)
            : throw r.Bad($"the fleet's state has version {version}, this MeterTwin knows {StateVersion}");
    }
}
