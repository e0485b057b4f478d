using Orleans;
using Orleans.Concurrency;
using Orleans.Placement;
using Orleans.Runtime;
using Twin.Hardware;

namespace Twin.Grains.Orleans;

/// <summary>A twin in a grain, named by <see cref="KeyCode.Name"/>. Only the gate of its silo calls it.</summary>
[Alias("metertwin.twin")]
public interface ITwinGrain : IGrainWithStringKey
{
    /// <summary>
    /// Carries out an order, given as a slice of bytes that nobody changes any more. <paramref name="epoch"/>: a grain
    /// of an earlier epoch loads its twin again, unless its silo vouches for it; a caller of an earlier one is refused.
    /// </summary>
    [Alias("do"), ResponseTimeout("00:05:00")]
    ValueTask<Immutable<byte[]>> Do(TwinOrder order, long epoch, Immutable<byte[]> bytes, int offset, int length);
}

[Alias("metertwin.meter")]
public interface IMeterGrain : ITwinGrain;

[Alias("metertwin.feeder")]
public interface IFeederGrain : ITwinGrain;

[Alias("metertwin.concentrator")]
public interface IConcentratorGrain : ITwinGrain;

[Alias("metertwin.cohort")]
public interface ICohortGrain : ITwinGrain;

[Alias("metertwin.fleet")]
public interface IFleetGrain : ITwinGrain;

/// <summary>Twins of kinds that came later: they need no code here.</summary>
[Alias("metertwin.other")]
public interface IOtherTwinGrain : ITwinGrain;

/// <summary>
/// Hosts a <see cref="TwinCell"/>. Placed where it is called first: on the silo of the gate that is home to it.
/// </summary>
[PreferLocalPlacement]
public abstract class TwinGrain(ITwinShelf shelf) : Grain, ITwinGrain
{
    private static readonly Immutable<byte[]> Nothing = new([]);
    private TwinCell? _cell;
    private long _epoch;

    public ValueTask<Immutable<byte[]>> Do(TwinOrder order, long epoch, Immutable<byte[]> bytes, int offset,
        int length)
    {
        var key = KeyCode.Parse(this.GetPrimaryKeyString());
        if (order == TwinOrder.Leave)
        {
            _cell = null;
            DeactivateOnIdle();
            shelf.Leaves(GrainContext.Deactivated);
            return ValueTask.FromResult(Nothing);
        }
        if (epoch < _epoch)
            throw new OtherEpochException($"Twin {key} is in epoch {_epoch}; an order of epoch {epoch} came too late.");
        try
        {
            if (_cell is null || (epoch != _epoch && !shelf.Vouches(key, epoch))) _cell = shelf.Load(key, epoch);
        }
        catch (OtherEpochException)
        {
            // Left over from an earlier epoch, on a silo that has lost the twin: the next call begins it in its place.
            DeactivateOnIdle();
            throw;
        }
        _epoch = epoch;
        if (order == TwinOrder.Read) return ValueTask.FromResult(new Immutable<byte[]>(_cell.State() ?? []));
        return ValueTask.FromResult(new Immutable<byte[]>(
            _cell.Do(order, bytes.Value.AsSpan(offset, length), shelf.Recall, shelf.KeepScores)));
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_cell is not null) shelf.PutBack(KeyCode.Parse(this.GetPrimaryKeyString()), _epoch, _cell);
        return Task.CompletedTask;
    }
}

public sealed class MeterGrain(ITwinShelf shelf) : TwinGrain(shelf), IMeterGrain;

public sealed class FeederGrain(ITwinShelf shelf) : TwinGrain(shelf), IFeederGrain;

public sealed class ConcentratorGrain(ITwinShelf shelf) : TwinGrain(shelf), IConcentratorGrain;

public sealed class CohortGrain(ITwinShelf shelf) : TwinGrain(shelf), ICohortGrain;

public sealed class FleetGrain(ITwinShelf shelf) : TwinGrain(shelf), IFleetGrain;

public sealed class OtherTwinGrain(ITwinShelf shelf) : TwinGrain(shelf), IOtherTwinGrain;

/// <summary>Where grains of a silo get their twins from and leave them when they are collected.</summary>
public interface ITwinShelf
{
    /// <summary>The twin where the journal stands, for a grain that begins.</summary>
    /// <exception cref="OtherEpochException">The silo is in another epoch, or not home to the twin.</exception>
    TwinCell Load(TwinKey key, long epoch);

    /// <summary>True when what a grain has since an earlier epoch is all committed: it need not load again.</summary>
    bool Vouches(TwinKey key, long epoch);

    /// <summary>A grain ends; what it had and the store has not is kept in the silo's memory.</summary>
    void PutBack(TwinKey key, long epoch, TwinCell cell);

    /// <summary>A grain that was told to leave goes; the task completes when it has gone.</summary>
    void Leaves(Task gone);

    IRecall Recall { get; }

    bool KeepScores { get; }
}

/// <summary>Finds the grain of a twin.</summary>
public static class TwinGrainFinder
{
    public static ITwinGrain Twin(this IGrainFactory grains, TwinKey key) => key.Kind switch
    {
        TwinKind.Meter => grains.GetGrain<IMeterGrain>(KeyCode.Name(key)),
        TwinKind.Feeder => grains.GetGrain<IFeederGrain>(KeyCode.Name(key)),
        TwinKind.Concentrator => grains.GetGrain<IConcentratorGrain>(KeyCode.Name(key)),
        TwinKind.Cohort => grains.GetGrain<ICohortGrain>(KeyCode.Name(key)),
        TwinKind.Fleet => grains.GetGrain<IFleetGrain>(KeyCode.Name(key)),
        _ => grains.GetGrain<IOtherTwinGrain>(KeyCode.Name(key)),
    };
}

/// <summary>Somebody acts for an epoch that is over; what it did is not committed.</summary>
[GenerateSerializer]
[Alias("metertwin.stale")]
public sealed class OtherEpochException(string message) : Exception(message);
