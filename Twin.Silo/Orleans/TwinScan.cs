using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Orleans;

/// <summary>
/// What the store says at the beginning of an epoch: which twins there are, where each is at home, and what was
/// journalled after their rows. Sequencer and silos read the same and come to the same.
/// </summary>
internal sealed class TwinScan
{
    public readonly record struct Head(ulong Place, long Position, bool Waits, bool HasRow);

    /// <summary>Twins of the silo, or all.</summary>
    public Dictionary<TwinKey, Head> Heads { get; } = [];

    /// <summary>
    /// Inputs behind the rows, in order of the journal. Bounded by what is journalled between two flushes.
    /// </summary>
    public Dictionary<TwinKey, List<(long Position, byte[] Input)>> Tail { get; } = [];

    /// <param name="store">The store, which nobody changes meanwhile: the epoch has been claimed.</param>
    /// <param name="factory">Tells who lives beside whom.</param>
    /// <param name="homes">The silos of the epoch.</param>
    /// <param name="me">A silo, whose twins are read; null for the places of all, without their inputs.</param>
    public static TwinScan Read(ClusterStore store, ITwinFactory factory, Homes homes, int? me)
    {
        var scan = new TwinScan();
        var heads = scan.Heads;
        store.VisitTwinHeads((key, place, position, waits) =>
            heads[key] = new Head(factory.HearsClosings(key.Kind) ? place : Homes.PlaceOf(key), position, waits, true));
        store.Journal.Read(store.FlushedThrough(), (position, input) =>
        {
            var key = Envelope.Read(input).Target;
            if (key.Id == TwinKey.Everyone) return;
            if (!heads.TryGetValue(key, out var head))
                heads[key] = head = new Head(Place(factory, key, input) ?? Homes.PlaceOf(key), 0, false, false);
            else if (!head.HasRow && head.Place == Homes.PlaceOf(key) && Place(factory, key, input) is { } place)
                heads[key] = head with { Place = place };
            if (me is null || position <= head.Position) return;
            if (!scan.Tail.TryGetValue(key, out var inputs)) scan.Tail[key] = inputs = [];
            inputs.Add((position, input.ToArray()));
        });
        if (me is not { } silo) return scan;
        foreach (var (key, head) in heads)
        {
            if (homes.Of(head.Place) == silo) continue;
            heads.Remove(key);
            scan.Tail.Remove(key);
        }
        return scan;
    }

    /// <summary>The place that an input gives a twin; null when it does not tell.</summary>
    public static ulong? Place(ITwinFactory factory, TwinKey key, ReadOnlySpan<byte> input) =>
        factory.HearsClosings(key.Kind) && factory.Beside(input) is { } other ? Homes.PlaceOf(other) : null;
}
