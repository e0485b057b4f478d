using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Engine;

/// <summary>
/// Where the twins of an engine live: in the shards of this process, or in grains on many silos. The
/// <see cref="Sequencer"/>, one thread, is the only caller of what changes twins; its results do not depend on where
/// they are. Knows kinds, ids and bytes; knows nothing about meters.
/// </summary>
internal interface ITwinPlane : IDisposable
{
    /// <summary>Compute partitions: shards or silos.</summary>
    int Partitions { get; }

    /// <summary>Twins of a kind; of all kinds when null.</summary>
    long Count(TwinKind? kind);

    /// <summary>
    /// True when a step may begin only after all before it is committed: the twins of other processes look into the
    /// journal for themselves. <see cref="Settled"/> tells them so.
    /// </summary>
    bool NeedsSettled { get; }

    /// <summary>All that was handed to the journal so far is committed.</summary>
    void Settled();

    /// <summary>
    /// Admits and applies the items of a step; hands what was accepted to <paramref name="accepted"/> in item order,
    /// and what twins stated, sorted by twin, to <paramref name="into"/>.
    /// </summary>
    void Admit(Step step, AcceptedVisitor accepted, Consequences into);

    /// <summary>Applies journalled inputs [from, to) of a batch, in order, without judging them at the door.</summary>
    void Replay(InputBatch batch, int from, int to, Consequences into);

    /// <summary>True when some twin waits for a sweep.</summary>
    bool HasWaiting { get; }

    /// <summary>Closes a local day: supersteps until nobody sends.</summary>
    void CloseDay(int day, Consequences into);

    /// <summary>Brings a sweep to the twins that wait, and delivers what they say.</summary>
    void Sweep(byte[] input, Consequences into);

    /// <summary>
    /// A closing (<paramref name="day"/>) or a sweep (null) has its position: adds to the batch what is to be kept of
    /// the twins in the same transaction.
    /// </summary>
    void Keep(int? day, long position, JournalBatch batch);
}

/// <summary>Items [From, To) of a batch, to be judged as if at once.</summary>
/// <param name="Batch">The whole batch.</param>
/// <param name="From">First item.</param>
/// <param name="To">Behind the last item.</param>
/// <param name="Results">
/// The verdicts, one an item of the batch; an item that already has another than accepted is passed over.
/// </param>
/// <param name="Keys">Content keys, for items of kinds that are keyed by content.</param>
/// <param name="Recall">Closed days, for twins of this process.</param>
/// <param name="WasTold">Whether the journal has an item keyed by its content; called from all shards.</param>
internal sealed record Step(InputBatch Batch, int From, int To, Admission[] Results, ContentKey[] Keys,
    IRecall Recall, Func<int, bool> WasTold);

/// <summary>Sees an accepted input, valid during the call only.</summary>
internal delegate void AcceptedVisitor(ReadOnlySpan<byte> input, AcceptedInput where);

/// <summary>Facts and publications in a fixed order, for whoever stores or watches them.</summary>
public sealed class Consequences
{
    public List<byte[]> Findings { get; } = [];
    public List<byte[]> Scores { get; } = [];
    public List<byte[]> Ledger { get; } = [];
    public List<(TwinKey From, int Day, byte[] Body)> Publications { get; } = [];

    internal void Add(FactKind kind, byte[] body) => (kind switch
    {
        FactKind.Finding => Findings,
        FactKind.Ledger => Ledger,
        _ => Scores,
    }).Add(body);

    public void Clear()
    {
        Findings.Clear();
        Scores.Clear();
        Ledger.Clear();
        Publications.Clear();
    }
}
