using Twin.Hardware;

namespace Twin.Grains;

/// <summary>Makes the twins of this version.</summary>
public sealed class TwinFactory : ITwinFactory
{
    public int JudgingVersion => 3;

    /// <exception cref="InvalidDataException">The kind is not known to this version.</exception>
    public TwinState Create(TwinKey key) => key.Kind switch
    {
        TwinKind.Meter => new MeterTwin(key.Id),
        TwinKind.Feeder => new FeederTwin(key.Id),
        TwinKind.Cohort => new CohortTwin(key.Id),
        TwinKind.Fleet => new FleetTwin(key.Id),
        TwinKind.Concentrator => new ConcentratorTwin(key.Id),
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
        _ => throw Unknown(key),
    };

    private static InvalidDataException Unknown(TwinKey key) =>
        new($"A twin of kind {(byte)key.Kind} is not known to this version of MeterTwin. Use a newer one.");
}
