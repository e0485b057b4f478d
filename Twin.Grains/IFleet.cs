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
    /// The canonical state of a twin, now or as of an event time on what is known now; null when there is none.
    /// </summary>
    ValueTask<byte[]?> State(TwinKey key, UnixTime? at, CancellationToken cancel);

    /// <summary>Keys of a kind in id order, after the given id, at most <paramref name="limit"/>.</summary>
    ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit, CancellationToken cancel);

    /// <summary>Findings, newest <c>DetectedAt</c> first.</summary>
    ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel);

    /// <summary>
    /// Stored readings of a meter and channel, whole local days in ascending order, each handed to
    /// <paramref name="visit"/>.
    /// </summary>
    ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay, DayVisitor visit,
        CancellationToken cancel);

    /// <summary>
    /// SHA-256 over the canonical encoding of all twins and findings by id (DESIGN, invariant 3), in hexadecimal.
    /// </summary>
    ValueTask<string> StateHash(CancellationToken cancel);

    /// <summary>What was found, decided and done: the ledger and its cases.</summary>
    Ledger.ILedgerSource Ledger { get; }

    /// <summary>Counters and health, cheap enough for every scrape.</summary>
    FleetStatus Status { get; }
}

/// <summary>One stored local day; spans are valid during the call only.</summary>
public delegate void DayVisitor(LocalDay day, int intervalMinutes, ReadOnlySpan<int> slots,
    ReadOnlySpan<Quality> qualities);

/// <summary>Which findings; null or default means any. <paramref name="Limit"/> is at most 10,000.</summary>
public sealed record FindingQuery(TwinKey? Subject, FindingKind? Kind, UnixTime? From, UnixTime? To, int Limit)
{
    /// <summary>The one of that id, 16 hexadecimal digits.</summary>
    public string? Id { get; init; }
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
