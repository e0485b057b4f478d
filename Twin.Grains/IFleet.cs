using Twin.Hardware;

namespace Twin.Grains;

/// <summary>
/// The one door for everybody else: ingest, API, command line. Asynchronous and batched; everything that changes a twin
/// is an input appended here, and an answer comes only after the journal has committed (DESIGN, invariant 1).
/// </summary>
public interface IFleet : IAsyncDisposable
{
    /// <summary>
    /// Appends inputs of one source, in order. Completes after the commit; then every item is durable, a duplicate of
    /// something durable, or rejected with its reason.
    /// </summary>
    /// <exception cref="StorageUnavailableException">Nothing of the batch is acknowledged; send it again
    /// later.</exception>
    ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel);

    /// <summary>
    /// The canonical state of a twin; null when there is none, or was none then.
    /// </summary>
    /// <exception cref="PastNotKeptException">The past of a twin of this kind cannot be rebuilt.</exception>
    ValueTask<byte[]?> State(TwinKey key, AsOf asOf, CancellationToken cancel);

    /// <summary>Keys of a kind in id order, after the given id, at most <paramref name="limit"/>.</summary>
    ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit, CancellationToken cancel);

    /// <summary>Findings, newest <c>DetectedAt</c> first.</summary>
    ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel);

    /// <summary>
    /// Stored readings of a meter and channel, whole local days in ascending order, each handed to
    /// <paramref name="visit"/>; as they were known at a time, when one is given.
    /// </summary>
    ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay, UnixTime? knownAt, DayVisitor visit,
        CancellationToken cancel);

    /// <summary>What a twin published when the days of a range closed, ascending.</summary>
    ValueTask<IReadOnlyList<(int Day, byte[] Body)>> Publications(TwinKey from, int fromDay, int toDay,
        UnixTime? knownAt, CancellationToken cancel);

    /// <summary>
    /// SHA-256 over the canonical encoding of all twins and findings by id (DESIGN, invariant 3), in hexadecimal.
    /// </summary>
    ValueTask<string> StateHash(CancellationToken cancel);

    /// <summary>What was found, decided and done: the ledger and its cases.</summary>
    Ledger.ILedgerSource Ledger { get; }

    /// <summary>Counters and health, cheap enough for every scrape.</summary>
    FleetStatus Status { get; }
}

/// <summary>
/// As of when a question is asked. <paramref name="At"/>: event time; only what happened up to then, on what is known
/// now, late readings and revisions included. <paramref name="KnownAt"/>: only what was known then, which is the
/// inputs before the first journalled word of time (tick, sweep, closing of a day) that lies after it. Both may be
/// given: what had happened by the one, as it was known at the other.
/// </summary>
public readonly record struct AsOf(UnixTime? At, UnixTime? KnownAt)
{
    /// <summary>Everything that is known.</summary>
    public static AsOf Now => default;
    public bool IsNow => At is null && KnownAt is null;
}

/// <summary>The usual questions: about the present.</summary>
public static class FleetReads
{
    /// <summary>The state now, or as of an event time on what is known now.</summary>
    public static ValueTask<byte[]?> State(this IFleet fleet, TwinKey key, UnixTime? at, CancellationToken cancel) =>
        fleet.State(key, new AsOf(at, null), cancel);

    /// <summary>Readings as they are known now.</summary>
    public static ValueTask Series(this IFleet fleet, MeterId meter, Channel channel, int fromDay, int toDay,
        DayVisitor visit, CancellationToken cancel) =>
        fleet.Series(meter, channel, fromDay, toDay, null, visit, cancel);
}

/// <summary>The past of this twin was not kept. The message says which, and what to ask instead.</summary>
public sealed class PastNotKeptException(string message) : Exception(message);

/// <summary>One stored local day; spans are valid during the call only.</summary>
public delegate void DayVisitor(LocalDay day, int intervalMinutes, ReadOnlySpan<int> slots,
    ReadOnlySpan<Quality> qualities);

/// <summary>Which findings; null or default means any. <paramref name="Limit"/> is at most 10,000.</summary>
public sealed record FindingQuery(TwinKey? Subject, FindingKind? Kind, UnixTime? From, UnixTime? To, int Limit)
{
    /// <summary>The one of that id, 16 hexadecimal digits.</summary>
    public string? Id { get; init; }

    /// <summary>This severe, or more.</summary>
    public Severity? Least { get; init; }

    /// <summary>Those that follow this one in the order of the answer.</summary>
    public (UnixTime DetectedAt, string Id)? After { get; init; }

    /// <summary>What had been stated by then; see <see cref="AsOf"/>.</summary>
    public UnixTime? KnownAt { get; init; }

    /// <summary>Stated by inputs up to this position: what an engine makes of <see cref="KnownAt"/>.</summary>
    public long? Through { get; init; }
}

/// <summary>Inputs of one source, encoded one behind another.</summary>
public sealed class InputBatch(string source)
{
    /// <summary>Bounds of one batch; a larger one is refused.</summary>
    public const int MaxItems = 65_536;
    public const int MaxBytes = 32 * 1024 * 1024;

    private readonly Twin.Hardware.Coding.ByteWriter _bytes = new(4096);
    private readonly List<int> _ends = [];

    public string Source { get; } = source;
    public int Count => _ends.Count;
    public int ByteCount => _bytes.Length;
    public bool IsFull => Count >= MaxItems || ByteCount >= MaxBytes - 65_536;
    public ReadOnlySpan<byte> this[int index] => _bytes.Written[(index == 0 ? 0 : _ends[index - 1]).._ends[index]];

    public void Add(Input input)
    {
        input.Write(_bytes);
        _ends.Add(_bytes.Length);
    }

    public void Add(ReadOnlySpan<byte> input)
    {
        _bytes.Bytes(input);
        _ends.Add(_bytes.Length);
    }

    public void Clear()
    {
        _bytes.Clear();
        _ends.Clear();
    }
}

/// <summary>
/// The answer to <see cref="IFleet.Append"/>: one admission an item, and the journal position after the commit.
/// </summary>
public sealed record AppendReceipt(Admission[] Items, long Position)
{
    private const byte Version = 1;

    public byte[] ToBytes()
    {
        var to = new Twin.Hardware.Coding.ByteWriter(Items.Length * 8 + 16);
        to.Byte(Version);
        to.VarInt(Position);
        to.VarUInt((ulong)Items.Length);
        foreach (var a in Items) a.Write(to);
        return to.ToArray();
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static AppendReceipt Read(ReadOnlySpan<byte> bytes)
    {
        var r = new Twin.Hardware.Coding.ByteReader(bytes);
        if (r.Byte() is not Version and var version)
            throw r.Bad($"a receipt has version {version}, this MeterTwin knows {Version}");
        var position = r.VarInt();
        var items = new Admission[r.Count(InputBatch.MaxItems)];
        for (var i = 0; i < items.Length; i++) items[i] = Admission.Read(ref r);
        return new AppendReceipt(items, position);
    }

    public AppendTotals Totals()
    {
        var t = default(AppendTotals);
        foreach (var i in Items)
        {
            t = new AppendTotals(t.Readings + i.Readings, t.Duplicates + i.Duplicates, t.Revisions + i.Revisions,
                t.Late + i.Late,
                t.RejectedItems + (i.Status == AdmissionStatus.Rejected ? 1 : 0));
        }
        return t;
    }
}

public readonly record struct AppendTotals(long Readings, long Duplicates, long Revisions, long Late,
    long RejectedItems);

/// <summary>The journal could not commit. The message says why and what to do.</summary>
public sealed class StorageUnavailableException(string message, Exception? inner) : Exception(message, inner);

/// <summary>A data directory that cannot be used. The message names it, and the remedy.</summary>
public sealed class DataDirectoryException(string message, Exception? inner) : Exception(message, inner);

/// <summary>Counters since the start of the process, and where the journal stands.</summary>
public sealed record FleetStatus(bool IsReady, string Engine, long Position, UnixTime? Watermark, int? ClosedThroughDay,
    long Meters, long Twins, long Readings, long Duplicates, long Revisions, long Late, long Rejected, long Findings,
    int Shards, string? StorageError);
