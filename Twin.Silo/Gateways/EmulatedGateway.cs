using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Hardware.Emulator.Network;

namespace Twin.Silo.Gateways;

/// <summary>
/// Carries orders out on an emulated fleet: at its head-end, at its concentrators, at its meters' disconnectors. What
/// an order for a place means is done on the meters there; a cohort is its meters by model, firmware and lot.
/// </summary>
public sealed class EmulatedGateway(EmulatedFleet emulated) : IResponseGateway
{
    private readonly Dictionary<string, ResponseRecord> _underWay = [];
    private readonly Dictionary<TwinKey, int[]> _metersOf = Places(emulated);

    public string Name => "emulated head-end";

    public FleetEnforcement Enforcement { get; } = new(emulated);

    public ValueTask<ResponseOutcome> Give(ResponseRecord order, CancellationToken cancel)
    {
        if (!_metersOf.TryGetValue(order.Subject, out var meters))
            return ValueTask.FromResult(Outcome(order, ResponseResult.Refused,
                $"no meter is known as {order.Subject}"));
        var key = order.IdempotencyKey;
        var start = order.IsUndo
            ? Enforcement.Undo((order with { IsUndo = false }).IdempotencyKey, key, meters, order.Rung, order.UndoBy)
            : Enforcement.Do(key, meters, order.Rung, order.Order);
        if (start == EnforcementStart.UnderWay) _underWay[key] = order;
        return ValueTask.FromResult(Outcome(order, start switch
        {
            EnforcementStart.Done => ResponseResult.Done,
            EnforcementStart.UnderWay => ResponseResult.Accepted,
            _ => ResponseResult.Refused,
        }, start == EnforcementStart.Refused ? "the queue is full, or it failed before" : ""));
    }

    public ValueTask<IReadOnlyList<ResponseOutcome>> Take(CancellationToken cancel)
    {
        var outcomes = new List<ResponseOutcome>();
        foreach (var ended in Enforcement.TakeEnded())
            if (_underWay.Remove(ended.Key, out var order))
                outcomes.Add(Outcome(order, ended.Done ? ResponseResult.Done : ResponseResult.Failed, ended.Code));
        return ValueTask.FromResult<IReadOnlyList<ResponseOutcome>>(outcomes);
    }

    private ResponseOutcome Outcome(ResponseRecord order, ResponseResult result, string code) =>
        new(order.Case, emulated.Now, order.Number, order.IsUndo, result, Name, code);

    private static Dictionary<TwinKey, int[]> Places(EmulatedFleet emulated)
    {
        var places = new Dictionary<TwinKey, List<int>>();
        void Add(TwinKey key, int meter)
        {
            if (!places.TryGetValue(key, out var meters)) places[key] = meters = [];
            meters.Add(meter);
        }
        foreach (var meter in emulated.Meters)
        {
            var relation = emulated.Plan.Relation(meter.Plan);
            Add(meter.Id.Twin, meter.Index);
            Add(TwinKey.Named(TwinKind.Feeder, relation.Feeder), meter.Index);
            Add(TwinKey.Named(TwinKind.Concentrator, relation.Concentrator), meter.Index);
            Add(TwinKey.Named(TwinKind.Cohort, relation.CohortName), meter.Index);
            for (ulong partition = 1; partition <= FleetPartition.Count; partition++)
                Add(new TwinKey(TwinKind.Fleet, partition), meter.Index);
        }
        return places.ToDictionary(p => p.Key, p => p.Value.Distinct().ToArray());
    }
}
