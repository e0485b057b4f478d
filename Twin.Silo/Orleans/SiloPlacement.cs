using Orleans;
using Orleans.Concurrency;
using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Twin.Silo.Orleans;

/// <summary>Puts a grain on the silo whose address is its name.</summary>
[Serializable, GenerateSerializer, Immutable, Alias("metertwin.silo-placement")]
internal sealed class SiloPlacementStrategy : PlacementStrategy;

[AttributeUsage(AttributeTargets.Class)]
internal sealed class SiloPlacementAttribute() : PlacementAttribute(new SiloPlacementStrategy());

internal sealed class SiloPlacementDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target,
        IPlacementContext context)
    {
        var name = target.GrainIdentity.Key.ToString();
        foreach (var silo in context.GetCompatibleSilos(target))
            if (silo.ToParsableString() == name) return Task.FromResult(silo);
        throw new SiloUnavailableException($"Silo {name} is not, or no longer, a member of the cluster.");
    }
}
