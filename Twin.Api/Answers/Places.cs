using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>Where subjects are, as far as twins know.</summary>
internal static class Places
{
    /// <summary>What the case of a subject on a desk knows of it; null without a case.</summary>
    public static async Task<SubjectContext?> Of(IFleet fleet, TwinKey subject, Desk desk, CancellationToken cancel)
    {
        var key = CaseKey.Of(subject, desk);
        return await fleet.State(key, null, cancel) is { } state ? CaseView.From(key, state).Context : null;
    }

    /// <summary>The region of a meter by its registry, of anything else by its cases; empty when not known.</summary>
    public static async Task<string> RegionOf(IFleet fleet, TwinKey subject, CancellationToken cancel)
    {
        if (subject.Kind == TwinKind.Meter && await fleet.State(subject, null, cancel) is { } state)
            return MeterView.From(subject, state).Relation?.Region ?? "";
        return fleet.Ledger.Find(new CaseQuery(null, null, null, subject, true, 1)) is [var row] ? row.Region : "";
    }
}
