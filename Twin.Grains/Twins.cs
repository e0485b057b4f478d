using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

// The contract between an engine and the twins it hosts. An engine knows kinds, ids and bytes; it knows nothing about
// meters.
//
// A twin is a pure state machine. Inputs come in journal order; at a DayClosed the engine runs supersteps (Valiant's
// BSP): every addressed twin applies it and may send; then, round by round until nobody sends, each receiver gets its
// whole inbox at once, sorted by sender. So a result never depends on shards, threads or batches.

/// <summary>How an input fares at the door. Only <see cref="Accepted"/> ones reach the journal.</summary>
public enum AdmissionStatus : byte { Accepted = 0, Duplicate = 1, Rejected = 2 }

/// <summary>
/// The verdict on one input, with the counts of readings in it. <paramref name="Reason"/> is empty unless rejected.
/// </summary>
public readonly record struct Admission(AdmissionStatus Status, int Readings, int Duplicates, int Revisions, int Late,
    string Reason)
{
    public static Admission Accept => new(AdmissionStatus.Accepted, 0, 0, 0, 0, "");
    public static Admission Repeat => new(AdmissionStatus.Duplicate, 0, 0, 0, 0, "");
    public static Admission Reject(string reason) => new(AdmissionStatus.Rejected, 0, 0, 0, 0, reason);

    public void Write(ByteWriter to)
    {
        to.Byte((byte)Status);
        foreach (var count in (ReadOnlySpan<int>)[Readings, Duplicates, Revisions, Late]) to.VarUInt((ulong)count);
        to.Text(Reason);
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static Admission Read(ref ByteReader r) => new((AdmissionStatus)r.Byte(0, (byte)AdmissionStatus.Rejected),
        r.Count(int.MaxValue), r.Count(int.MaxValue), r.Count(int.MaxValue), r.Count(int.MaxValue), r.Text());
}

/// <summary>
/// What the history holds of a closed day: asked at the door only, never by a twin that applies an input.
/// </summary>
public interface IRecall
{
    /// <summary>
    /// Fills slots (length: day minutes / interval) with the stored values of that local day,
    /// <see cref="ReadingBlock.Missing"/> where there is none. False when nothing is stored, or it is stored at another
    /// interval.
    /// </summary>
    bool TryReadDay(MeterId meter, Channel channel, LocalDay day, int intervalMinutes, Span<int> slots,
        Span<Quality> qualities);

    /// <summary>Interval length at which that local day is stored; 0 when nothing is.</summary>
    int IntervalOf(MeterId meter, Channel channel, LocalDay day);

    /// <summary>
    /// The digest of a frame of that key, direction and counter, if one is among the meter's newest. How far back is
    /// looked is bounded, so that a sender of old frames cannot make the door slow.
    /// </summary>
    bool TryFindFrame(MeterId meter, KeySlot key, FrameDirection direction, uint counter, out ulong digest);
}

/// <summary>Facts that a twin states: stored or streamed by the engine, never read back by a twin.</summary>
public enum FactKind : byte
{
    /// <summary>A <see cref="Finding"/>.</summary>
    Finding = 1,
    /// <summary>A <see cref="DayScore"/>.</summary>
    Score = 2,
    /// <summary>A <see cref="Ledger.LedgerEntry"/>.</summary>
    Ledger = 3,
}

/// <summary>Where a twin puts what it says. Spans are copied.</summary>
public interface IOutbox
{
    /// <summary>
    /// To one twin, delivered in the next round. Allowed only while a day closes or a sweep runs.
    /// </summary>
    void Send(TwinKey to, ReadOnlySpan<byte> message);

    /// <summary>
    /// To every twin that sent to this one in the round just received; kept by the engine, so that one member's past
    /// can be rebuilt alone.
    /// </summary>
    void Publish(ReadOnlySpan<byte> message);

    void Fact(FactKind kind, ReadOnlySpan<byte> fact);
}

/// <summary>One message of an inbox.</summary>
public readonly ref struct Mail(TwinKey from, ReadOnlySpan<byte> body)
{
    public readonly TwinKey From = from;
    public readonly ReadOnlySpan<byte> Body = body;
}

/// <summary>All that was sent to one twin in one round, sorted by sender.</summary>
public interface IInbox
{
    int Count { get; }
    Mail this[int index] { get; }
}

/// <summary>
/// A twin: a pure state machine under a key. Not thread-safe; the engine calls it from one thread at a time.
/// </summary>
public abstract class TwinState(ulong id)
{
    public ulong Id { get; } = id;

    /// <summary>
    /// Judges an input at the door and writes what is to be journalled: nothing, the input itself, or what is left of
    /// it after duplicates are gone (one or several inputs, each through <paramref name="accepted"/>). Does not change
    /// the twin.
    /// </summary>
    public abstract Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted);

    /// <summary>Applies a journalled input.</summary>
    public abstract void Apply(ReadOnlySpan<byte> input, IOutbox outbox);

    /// <summary>
    /// True while the twin keeps something that others should hear: the engine brings it the next <see cref="Sweep"/>,
    /// and it may send then. A function of the state alone, so that it survives a restart.
    /// </summary>
    public virtual bool Waits => false;

    /// <summary>
    /// True when the state alone tells that this input was never journalled: an input of a kind that comes often need
    /// not be looked for in the journal then (<see cref="Input.KeyedByContent"/>). False where it cannot tell.
    /// </summary>
    /// <exception cref="InvalidDataException">The input is damaged.</exception>
    public virtual bool IsSurelyNew(ReadOnlySpan<byte> input) => false;

    /// <summary>Receives one round's mail.</summary>
    public abstract void Receive(IInbox inbox, IOutbox outbox);

    /// <summary>Appends the canonical encoding of the state; <see cref="ITwinFactory.Restore"/> reads it.</summary>
    public abstract void Write(ByteWriter to);
}

/// <summary>Takes the inputs that a twin accepted, in order.</summary>
public interface IAccepted
{
    /// <summary>
    /// A journalled input. For readings, <paramref name="day"/> is the local day and <paramref name="endMinute"/> the
    /// end of the last interval (the source's event time); <paramref name="sealable"/> when it may be merged with its
    /// day-mates in a sealed segment. For other inputs: <c>int.MinValue</c>, <c>long.MinValue</c>, false.
    /// </summary>
    void Add(ReadOnlySpan<byte> input, int day, long endMinute, bool sealable);
}

/// <summary>Makes twins; the engine's only knowledge of kinds.</summary>
public interface ITwinFactory
{
    /// <summary>
    /// Generation of detectors and of state encoding; raising it begins a new epoch (DESIGN, invariant 3).
    /// </summary>
    int JudgingVersion { get; }

    /// <summary>
    /// True for a kind whose twins hear each <see cref="DayClosed"/>: the others are spoken to by these, or not at all.
    /// The past of such a twin can be rebuilt from its own inputs and the answers it got.
    /// </summary>
    bool HearsClosings(TwinKind kind);

    /// <summary>
    /// The twin that the addressed one will mostly talk to, when this input tells: an engine on several machines keeps
    /// the two together. Null when it does not tell. Changes no result.
    /// </summary>
    TwinKey? Beside(ReadOnlySpan<byte> input);

    TwinState Create(TwinKey key);
    TwinState Restore(TwinKey key, ReadOnlySpan<byte> state);
}

/// <summary>
/// The fused anomaly score of a meter's day, as it stood when the day closed. Higher is more anomalous.
/// </summary>
public readonly record struct DayScore(MeterId Meter, string Name, int Day, double Score, string Top)
{
    public void Write(ByteWriter to)
    {
        to.UInt64(Meter.Value);
        to.Text(Name);
        to.VarInt(Day);
        to.Double(Score);
        to.Text(Top);
    }

    public static DayScore Read(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        return new DayScore(new MeterId(r.UInt64()), r.Text(), checked((int)r.VarInt()), r.Double(), r.Text());
    }
}
