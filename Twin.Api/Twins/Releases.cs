using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>Reads the 64 partitions of the fleet's registry.</summary>
internal static class Releases
{
    /// <summary>Every registered image, by part, model, version.</summary>
    public static async ValueTask<List<ReleaseView>> All(IFleet fleet, CancellationToken cancel)
    {
        var all = new List<ReleaseView>();
        await foreach (var partition in Partitions(fleet, cancel)) all.AddRange(partition.Releases);
        return [.. all.OrderBy(r => r.Part).ThenBy(r => r.Model, StringComparer.Ordinal).ThenBy(r => r.Version)
            .ThenBy(r => r.Image, StringComparer.Ordinal)];
    }

    /// <summary>Every campaign, the one that moved last first.</summary>
    public static async ValueTask<List<CampaignProgress>> Campaigns(IFleet fleet, CancellationToken cancel)
    {
        var all = new List<CampaignProgress>();
        await foreach (var partition in Partitions(fleet, cancel)) all.AddRange(partition.Campaigns);
        return [.. all.OrderByDescending(c => c.LastAt.Seconds).ThenBy(c => c.Name, StringComparer.Ordinal)];
    }

    private static async IAsyncEnumerable<FleetHoldings> Partitions(IFleet fleet,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        for (ulong id = 1; id <= FleetPartition.Count; id++)
        {
            var key = new TwinKey(TwinKind.Fleet, id);
            if (await fleet.State(key, AsOf.Now, cancel) is { } state) yield return FleetHoldings.From(key, state);
        }
    }
}
