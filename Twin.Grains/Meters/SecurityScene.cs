using Twin.Hardware;

namespace Twin.Grains.Meters;

/// <summary>What security state may look at and speak through while one input applies.</summary>
internal readonly ref struct SecurityScene(MeterTwin twin, IOutbox outbox, ReadOnlySpan<ContextSpan> contexts)
{
    private readonly MeterTwin _twin = twin;
    public readonly IOutbox Outbox = outbox;
    public readonly ReadOnlySpan<ContextSpan> Contexts = contexts;

    public MeterId Meter => _twin.Meter;
    public string Name => _twin.Name;
    public SupplyRecord? Supply => _twin.Supply();

    /// <summary>Where the registry has the meter at that time; empty when it does not say.</summary>
    public string UsagePointAt(UnixTime at) => _twin.RelationAt(at)?.UsagePoint ?? "";

    /// <summary>The registry's row of that time; null when there is none.</summary>
    public MeterRelation? RelationAt(UnixTime at) => _twin.RelationAt(at);

    /// <summary>The model by the registry; empty when it does not say.</summary>
    public string ModelAt(UnixTime at) => _twin.RelationAt(at)?.Model ?? "";
}
