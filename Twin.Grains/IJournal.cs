using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

/// <summary>
/// The one durable, totally ordered record of every input, and with it the history: DESIGN "Storage". Positions begin
/// at 1. The engine's second contract; every implementation passes the same suite.
/// </summary>
public interface IJournal : Ledger.ILedgerSource, IDisposable
{
    /// <summary>Position of the last input that was committed here, or was there when it was opened; 0 when empty.
    /// </summary>
    long Position { get; }

    /// <summary>Position of the last committed input, whoever committed it: in a cluster another process writes.
    /// </summary>
    long Head { get; }

    /// <summary>The <see cref="Watermark"/> as committed with the last batch; empty before the first.</summary>
    byte[] Marks { get; }

    /// <summary>Judging version in force; 0 before the first.</summary>
    int JudgingVersion { get; }

    /// <summary>
    /// Commits a batch with all that follows from it, in one transaction, synced to disk before it returns.
    /// </summary>
    /// <exception cref="StorageUnavailableException">Nothing of the batch was committed.</exception>
    void Append(JournalBatch batch);

    /// <summary>
    /// Visits every input after a position, in ascending order. Sealed readings of a day come as one block at the place
    /// of the last.
    /// </summary>
    /// <exception cref="DataDirectoryException">A stored record is damaged.</exception>
    void Read(long after, JournalVisitor visit);

    /// <summary>The same until the visitor says false.</summary>
    /// <exception cref="DataDirectoryException">A stored record is damaged.</exception>
    void ReadUntil(long after, JournalScan visit);

    /// <summary>
    /// True when an input of the same bytes was journalled, at any age (<see cref="Input.KeyedByContent"/> kinds).
    /// </summary>
    bool HasContent(ContentKey key);

    /// <summary>
    /// Inputs addressed to one twin after a position that are not sealed readings, in ascending order.
    /// </summary>
    void ReadAddressed(TwinKey key, long after, JournalVisitor visit);

    /// <summary>
    /// Frequent inputs (<see cref="Input.IsFrequent"/>) of one meter, the newest runs first, until the visitor says
    /// false or a bound of work is met that a hostile sender cannot raise.
    /// </summary>
    void ReadNewestFrequent(MeterId meter, JournalScan visit);

    /// <summary>Inputs to the fleet as a whole after a position: ticks, sweeps, ends of sources; ascending.</summary>
    void ReadFleetWide(long after, JournalVisitor visit);

    /// <summary>
    /// Position of the first word of time after a time: a tick, a sweep, the closing of a day (which tells the end of
    /// that day, UTC). Null when there is none. What lies before it was known at that time.
    /// </summary>
    long? FirstClockAfter(UnixTime time);

    /// <summary>The first sweep between two positions, both exclusive; null when there is none.</summary>
    (long Position, byte[] Input)? NextSweep(long after, long before);

    /// <summary>What a twin published when a day closed; null when nothing.</summary>
    byte[]? Publication(TwinKey from, int day);

    /// <summary>What a twin published when days of a range closed, ascending.</summary>
    IReadOnlyList<(int Day, byte[] Body)> Publications(TwinKey from, int fromDay, int toDay);

    /// <summary>Positions after <paramref name="after"/> at which days closed, ascending.</summary>
    IReadOnlyList<(int Day, long Position)> ClosedDays(long after);

    /// <summary>Runs several reads on one state of the journal, whatever commits or is sealed meanwhile.</summary>
    T OneView<T>(Func<T> read);

    /// <summary>
    /// The newest checkpoint of a twin that was made when a day up to this one closed; null when there is none.
    /// </summary>
    TwinCheckpoint? Checkpoint(TwinKey key, int throughDay);

    IReadOnlyList<Finding> Findings(FindingQuery query);

    /// <summary>All findings in id order.</summary>
    void VisitFindings(Action<byte[]> visit);

    /// <summary>
    /// Stored readings, merged with late ones and revisions, ascending by day; unsealed days of the tail included.
    /// </summary>
    void Series(MeterId meter, Channel channel, int fromDay, int toDay, DayVisitor visit);

    /// <summary>
    /// The same from inputs up to a position. A day that came in several parts is in a sealed segment at the position
    /// of the last of them, and is there from then on.
    /// </summary>
    void Series(MeterId meter, Channel channel, int fromDay, int toDay, long through, DayVisitor visit);

    /// <summary>
    /// Reading blocks of one meter on days of a range and up to a position, sealed or still in the tail, as journalled;
    /// in no particular order.
    /// </summary>
    void ReadReadings(MeterId meter, int fromDay, int toDay, long through, JournalVisitor visit);

    /// <summary>
    /// Moves readings of closed days from the arrival-ordered tail into sealed segments. Safe at any time; nothing is
    /// lost by a crash.
    /// </summary>
    void Compact(int closedThrough, bool everything);

    /// <summary>
    /// Rewrites what holds readings of a meter before a day and leaves a tombstone with the digest of what was there.
    /// </summary>
    void Erase(MeterId meter, int beforeDay, long position);

    /// <summary>
    /// Deletes sealed readings of whole periods that ended before a day, for all meters; leaves tombstones.
    /// </summary>
    void Retain(int fromDay, long position);

    IReadOnlyList<Tombstone> Tombstones();

    /// <summary>Checks every stored digest; yields one sentence a problem.</summary>
    IEnumerable<string> CheckDigests();

    JournalSize Size();

    /// <summary>
    /// Seals the ledger up to its last entry when that is not sealed yet; null when there is nothing to seal.
    /// </summary>
    /// <param name="sign">Makes a seal of the end and the event time of its entry.</param>
    /// <exception cref="StorageUnavailableException">The seal was not stored.</exception>
    Ledger.LedgerSeal? SealLedger(Func<Ledger.LedgerChain, UnixTime, Ledger.LedgerSeal> sign);

    /// <summary>Checks chain, seals and what is derived from entries; one sentence a problem, entry named.</summary>
    IEnumerable<string> CheckLedger(Action<Ledger.StoredEntry> visit);
}

/// <summary>One journalled input.</summary>
public delegate void JournalVisitor(long position, ReadOnlySpan<byte> input);

/// <summary>One journalled input; false ends the reading.</summary>
public delegate bool JournalScan(long position, ReadOnlySpan<byte> input);

/// <summary>First 16 bytes of a SHA-256: of an input, or of other bytes that are told apart by what they are.</summary>
public readonly record struct ContentKey(UInt128 Value)
{
    public static ContentKey Of(ReadOnlySpan<byte> input)
    {
        Span<byte> digest = stackalloc byte[32];
        System.Security.Cryptography.SHA256.HashData(input, digest);
        return new ContentKey(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(digest));
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, Value);
        return bytes;
    }
}

/// <summary>A twin's state as it was when a day had closed: where the rebuilding of its past may begin.</summary>
public sealed record TwinCheckpoint(TwinKey Key, int Day, long Position, byte[] State);

/// <summary>What is left of erased readings: how many, and the digest of what was there.</summary>
public sealed record Tombstone(MeterId? Meter, int BeforeDay, long Position, long Readings, string Digest);

/// <summary>Bytes on disk, and how many interval readings they hold.</summary>
public readonly record struct JournalSize(long Bytes, long Readings);

/// <summary>Inputs and their consequences that commit together.</summary>
public sealed class JournalBatch(long firstPosition)
{
    private readonly ByteWriter _items = new(64 * 1024), _frequent = new(1024);
    private long _lastWritten = firstPosition - 1;

    public long FirstPosition { get; } = firstPosition;
    public int Count { get; private set; }
    public long LastPosition => FirstPosition + Count - 1;
    public bool IsEmpty => Count == 0;

    /// <summary>Readings that may be sealed later, framed: position delta, length, bytes.</summary>
    public ReadOnlyMemory<byte> Items => _items.WrittenMemory;

    /// <summary>Every other input, each under its own position and address.</summary>
    public List<(TwinKey Key, long Position, byte[] Input)> Kept { get; } = [];

    /// <summary>
    /// Frequent inputs of meters (<see cref="Input.IsFrequent"/>): where each lies in <see cref="FrequentBytes"/>.
    /// </summary>
    public List<(ulong Meter, long Position, int Offset, int Length)> Frequent { get; } = [];
    public ReadOnlySpan<byte> FrequentBytes => _frequent.Written;

    /// <summary>Days of the sealable readings; min above max when there are none.</summary>
    public int MinDay { get; private set; } = int.MaxValue;
    public int MaxDay { get; private set; } = int.MinValue;

    /// <summary>Interval readings newly stored by this batch.</summary>
    public long Readings { get; set; }

    public List<ContentKey> Contents { get; } = [];
    public List<byte[]> Findings { get; } = [];

    /// <summary>
    /// After which input each finding was stated, in the order of <see cref="Findings"/>; where it ends, the last input
    /// of the batch counts.
    /// </summary>
    public List<long> FoundAt { get; } = [];

    /// <summary>Entries for the ledger, in the order in which they follow each other there.</summary>
    public List<byte[]> Ledger { get; } = [];
    public List<(TwinKey From, int Day, byte[] Body)> Publications { get; } = [];
    public List<(int Day, long Position)> Closed { get; } = [];
    public List<TwinCheckpoint> Checkpoints { get; } = [];
    public byte[] Marks { get; set; } = [];

    /// <summary>
    /// The answer to the append that ends with this batch, under the name that its sender gave it; null where senders
    /// give none. A journal that many reach keeps the newest, so that an append sent again is answered, not applied.
    /// </summary>
    public (Guid Append, byte[] Answer)? Receipt { get; set; }

    /// <summary>Judging version from this batch on; null: unchanged.</summary>
    public int? JudgingVersion { get; set; }

    /// <summary>Adds an input at the next position and returns that.</summary>
    public long Add(ReadOnlySpan<byte> input, int day, bool sealable)
    {
        var position = FirstPosition + Count++;
        if (!sealable)
        {
            var envelope = Envelope.Read(input);
            if (Input.IsFrequent(envelope))
            {
                Frequent.Add((envelope.Target.Id, position, _frequent.Length, input.Length));
                _frequent.Bytes(input);
            }
            else Kept.Add((envelope.Target, position, input.ToArray()));
            return position;
        }
        AddFramed(_items, ref _lastWritten, position, input);
        MinDay = Math.Min(MinDay, day);
        MaxDay = Math.Max(MaxDay, day);
        return position;
    }

    /// <summary>Appends one framed item; <paramref name="last"/> is the position before it.</summary>
    public static void AddFramed(ByteWriter to, ref long last, long position, ReadOnlySpan<byte> input)
    {
        to.VarUInt((ulong)(position - last));
        to.Blob(input);
        last = position;
    }

    /// <summary>Visits framed items; <paramref name="before"/> is the position before the first.</summary>
    public static void Visit(ReadOnlySpan<byte> items, long before, JournalVisitor visit)
    {
        var r = new ByteReader(items);
        while (!r.AtEnd)
        {
            before = checked(before + (long)r.VarUInt());
            visit(before, r.Blob());
        }
    }
}
