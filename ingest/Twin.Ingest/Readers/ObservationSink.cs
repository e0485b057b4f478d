using System.Collections.Concurrent;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Ingest.Blocks;
using Twin.Ingest.Text;

namespace Twin.Ingest.Readers;

/// <summary>Where parsed observations go. Every call is one observation that has been checked.</summary>
public abstract class ObservationSink
{
    /// <summary>Offset of the time stamp in minutes; 0 when it is UTC.</summary>
    public int OffsetMinutes { get; set; }

    /// <summary>True when the name can be a meter's; tells why not otherwise.</summary>
    public abstract string? Check(string meter);

    /// <summary>Null when something may end or happen at that time; tells why not otherwise.</summary>
    public virtual string? Check(UnixTime end) => null;
    public abstract void Readings(string meter, Channel channel, int intervalMinutes, long startMinute,
        ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities, long sourceStamp);
    public abstract void Register(string meter, Channel channel, UnixTime at, long value);
    public abstract void Event(string meter, UnixTime at, string profile, string code, string detail);
    /// <summary>
    /// Any other input with an event time. <paramref name="meter"/>: the name of the meter that it is about, empty when
    /// it is about none.
    /// </summary>
    public abstract void Other(string meter, Input input, UnixTime at);
    public abstract void CountRounded();
}

/// <summary>Observations of a file, on their way to be sorted.</summary>
internal sealed class FeedSink(RowContext context) : ObservationSink
{
    /// <summary>
    /// True while registers and events belong to authenticated frames: then they keep their place behind them.
    /// </summary>
    public bool KeepsPlace { get; set; }

    /// <summary>The zone that the caller declared for all meters; null: each stamp's own offset counts.</summary>
    public string? Zone { get; init; }

    public override string? Check(string meter) => context.Meters.Find(context.File, meter) is null
        ? $"the meter id is empty or longer than {MeterTable.MaxNameBytes} bytes" : null;

    private FeedMeter Meter(string name, long minute)
    {
        var meter = context.Meters.Find(context.File, name)!;
        if (Zone is not null) meter.Declare(Zone, 3, 0);
        else if (OffsetMinutes != 0) meter.Declare(RowClock.OffsetName(OffsetMinutes), 1, minute);
        return meter;
    }

    public override void Readings(string meter, Channel channel, int intervalMinutes, long startMinute,
        ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities, long sourceStamp)
    {
        if (context.Builder.IsFull) context.Builder.Flush();
        var series = context.Builder.Series(Meter(meter, startMinute), channel, intervalMinutes);
        for (var i = 0; i < slots.Length; i++)
        {
            if (slots[i] == ReadingBlock.Missing) context.MissingTokens++;
            else
            {
                var quality = qualities.IsEmpty ? Quality.Actual : qualities[i];
                context.Builder.Add(series, startMinute + (long)i * intervalMinutes, slots[i], quality, sourceStamp);
            }
        }
    }

    public override void Register(string meter, Channel channel, UnixTime at, long value)
    {
        var m = Meter(meter, at.Minutes);
        Add(m, new RegisterSnapshot(m.Id, channel, at, value), at);
    }

    public override void Event(string meter, UnixTime at, string profile, string code, string detail)
    {
        var m = Meter(meter, at.Minutes);
        Add(m, new DeviceEvent(m.Id, at, profile, code, detail), at);
    }

    private void Add(FeedMeter meter, Input input, UnixTime at)
    {
        if (KeepsPlace) context.Builder.AddInPlace(meter, input, at);
        else context.Builder.Add(meter, input, at);
    }

    public override void Other(string meter, Input input, UnixTime at) =>
        context.Builder.AddInPlace(meter.Length == 0 ? null : Meter(meter, at.Minutes), input, at);

    public override void CountRounded() => context.Rounded++;
}

/// <summary>
/// Meters whose name the fleet has been told; shared by all requests. Bound: <see cref="MeterTable.MaxMeters"/>; at the
/// bound it starts afresh and names are told again, which the fleet takes as duplicates.
/// </summary>
public sealed class AnnouncedMeters
{
    private readonly ConcurrentDictionary<MeterId, string> _names = [];

    internal string? NameOf(MeterId id) => _names.GetValueOrDefault(id);

    internal void Add(MeterId id, string name)
    {
        if (_names.Count >= MeterTable.MaxMeters) _names.Clear();
        _names[id] = name;
    }
}

/// <summary>
/// NDJSON lines to one batch, for live sources. A line that is refused adds nothing; every line knows its items in the
/// batch, so that each can be acknowledged. Not thread-safe; <see cref="AnnouncedMeters"/> is.
/// </summary>
/// <param name="batch">Takes the inputs.</param>
/// <param name="announced">Meters known to the fleet.</param>
/// <param name="latest">
/// The last time that a live source can speak of; null when any time may come. One stamp beyond it would move the
/// watermark there and close every day before for all meters.
/// </param>
public sealed class ObservationBatch(InputBatch batch, AnnouncedMeters announced, UnixTime? latest = null)
    : ObservationSink
{
    private readonly Dictionary<MeterId, string> _new = [];
    private readonly List<Range> _lines = [];
    private readonly ByteWriter _block = new(1024);
    private int _first;

    public InputBatch Batch { get; } = batch;

    /// <summary>Items of each line given to <see cref="Add"/>; empty for a refused line.</summary>
    public IReadOnlyList<Range> Lines => _lines;

    /// <summary>Values that were finer than the stored unit.</summary>
    public long Rounded { get; private set; }

    /// <summary>Adds a line; null, or why it is refused.</summary>
    public ObservationError? Add(ReadOnlySpan<byte> line)
    {
        _first = Batch.Count;
        var error = Batch.IsFull ? new ObservationError(1, "", "the batch is full; send it and begin another")
            : NdjsonObservations.Parse(line, this);
        _lines.Add(error is null ? _first..Batch.Count : _first.._first);
        return error;
    }

    /// <summary>To be called after the batch was committed: the names in it need not be told again.</summary>
    public void Committed()
    {
        foreach (var (id, name) in _new) announced.Add(id, name);
        _new.Clear();
    }

    public override string? Check(string meter)
    {
        var name = meter.Trim();
        if (name.Length is 0 or > MeterTable.MaxNameBytes)
            return $"the meter id is empty or longer than {MeterTable.MaxNameBytes} characters";
        var id = MeterId.ParseOrMap(name);
        name = NameOf(id, name);
        var known = Known(id) ?? "";
        return known.Length == 0 || name.Length == 0 || known == name ? null
            : $"meters '{known}' and '{name}' have the same id {id}; rename one";
    }

    public override string? Check(UnixTime end) => latest is not { } last || end.CompareTo(last) <= 0 ? null
        : $"lies at {end}, more than a day ahead of the service's clock; correct the clock of the source";

    private string? Known(MeterId id) => announced.NameOf(id) ?? _new.GetValueOrDefault(id);

    /// <summary>
    /// The utility's name; empty where the text is the id itself, which is no name: the meter may have another one.
    /// </summary>
    private static string NameOf(MeterId id, string text) =>
        text.Length != 16 || id == MeterId.FromUtilityId(text) ? text : "";

    private MeterId Meter(string text)
    {
        var id = MeterId.ParseOrMap(text.Trim());
        var name = NameOf(id, text.Trim());
        if (Known(id) is { } known && (known == name || name.Length == 0)) return id;
        _new[id] = name;
        Batch.Add(new MeterSeen(id, name, OffsetMinutes == 0 ? "" : RowClock.OffsetName(OffsetMinutes),
            (byte)(OffsetMinutes == 0 ? 0 : 1)));
        if (_first == Batch.Count - 1) _first++;
        return id;
    }

    public override void Readings(string meter, Channel channel, int intervalMinutes, long startMinute,
        ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities, long sourceStamp)
    {
        var id = Meter(meter);
        _block.Clear();
        ReadingBlock.WriteRaw(_block, id, channel, intervalMinutes, startMinute, slots, qualities, sourceStamp);
        Batch.Add(_block.Written);
    }

    public override void Register(string meter, Channel channel, UnixTime at, long value) =>
        Batch.Add(new RegisterSnapshot(Meter(meter), channel, at, value));

    public override void Event(string meter, UnixTime at, string profile, string code, string detail) =>
        Batch.Add(new DeviceEvent(Meter(meter), at, profile, code, detail));

    public override void Other(string meter, Input input, UnixTime at)
    {
        if (meter.Length > 0) Meter(meter);
        Batch.Add(input);
    }

    public override void CountRounded() => Rounded++;
}
