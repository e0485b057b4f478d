using Twin.Grains.Access;
using Twin.Grains.Cases;
using Twin.Grains.Guards;
using Twin.Grains.Learned;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Grains;

/// <summary>Makes the twins of this version.</summary>
public sealed class TwinFactory : ITwinFactory
{
    public int JudgingVersion => 4;

    public bool HearsClosings(TwinKind kind) => kind == TwinKind.Meter;

    public TwinKey? Beside(ReadOnlySpan<byte> input) =>
        Envelope.Read(input).Kind == InputKind.MeterRelation
            && Input.Read(input) is MeterRelation { Feeder.Length: > 0 } relation
            ? TwinKey.Named(TwinKind.Feeder, relation.Feeder) : null;

    /// <exception cref="InvalidDataException">The kind is not known to this version.</exception>
    public TwinState Create(TwinKey key) => key.Kind switch
    {
        TwinKind.Meter => new MeterTwin(key.Id),
        TwinKind.Feeder => new FeederTwin(key.Id),
        TwinKind.Cohort => new CohortTwin(key.Id),
        TwinKind.Fleet => new FleetTwin(key.Id),
        TwinKind.Concentrator => new ConcentratorTwin(key.Id),
        TwinKind.Case => new CaseTwin(key.Id),
        TwinKind.Desk => new DeskTwin(key.Id),
        TwinKind.Guard => new GuardTwin(key.Id),
        TwinKind.Policy => new PolicyTwin(key.Id),
        TwinKind.Access => new AccessTwin(key.Id),
        TwinKind.Models => new ModelsTwin(key.Id),
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
        TwinKind.Concentrator => ConcentratorTwin.Restore(key.Id, state),
        TwinKind.Case => CaseTwin.Restore(key.Id, state),
        TwinKind.Desk => DeskTwin.Restore(key.Id, state),
        TwinKind.Guard => GuardTwin.Restore(key.Id, state),
        TwinKind.Policy => PolicyTwin.Restore(key.Id, state),
        TwinKind.Access => AccessTwin.Restore(key.Id, state),
        TwinKind.Models => ModelsTwin.Restore(key.Id, state),
        _ => throw Unknown(key),
    };

    private static InvalidDataException Unknown(TwinKey key) =>
        new($"A twin of kind {(byte)key.Kind} is not known to this version of MeterTwin. Use a newer one.");
}
