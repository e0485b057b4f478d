using System.Collections.Concurrent;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Api.Tests;

/// <summary>
/// A fleet in memory with the answers of a real one: append is all or nothing, items keep their order, a repeat is a
/// duplicate, a block of an odd interval is rejected; findings come newest first; series come in whole UTC days. Its
/// gate stands for the fsync.
/// </summary>
internal sealed class FakeFleet : IFleet
{
    public const int OddInterval = 7;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<TwinKey, byte[]> _twins = [];
    private readonly Dictionary<(MeterId, Channel, long Start), (int Value, int Interval)> _readings = [];
    private readonly List<Finding> _findings = [];
    private long _position;

    /// <summary>
    /// Called before each commit with the number of inputs; it may wait, or throw as a full disk does.
    /// </summary>
    public Func<int, Task> Commit { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Called before each look-up of a state.</summary>
    public Func<Task> BeforeState { get; set; } = static () => Task.CompletedTask;

    public ConcurrentQueue<(string Source, int Items)> Appended { get; } = [];
    /// <summary>How often a reader was told that its batch is durable.</summary>
    public int Committed { get; set; }

    public FleetStatus Status { get; set; } = new(true, "fake", 0, null, null, 0, 0, 0, 0, 0, 0, 0, 0, 1, null);
    public int Readings => _readings.Count;
    public FindingQuery? LastQuery { get; private set; }
    public (int From, int To) LastDays { get; private set; }

    public MeterId AddMeter(string name)
    {
        var id = MeterId.FromUtilityId(name);
        Feed(new MeterSeen(id, name, "", 0));
        return id;
    }

    public void AddTwin(TwinKey key) => _twins[key] = StateOf(Factory.Create(key));

    /// <summary>The twin that the input is addressed to applies it, as it is.</summary>
    public void Feed(Input input)
    {
        var key = input.Target;
        var twin = _twins.TryGetValue(key, out var state) ? Factory.Restore(key, state) : Factory.Create(key);
        twin.Apply(input.ToBytes(), new Heard(AccessFindings));
        _twins[key] = StateOf(twin);
    }

    /// <summary>What the twins stated, in order.</summary>
    public List<Finding> AccessFindings { get; } = [];

    /// <summary>What was noted of looks and uses, in order.</summary>
    public List<AccessNoted> Noted { get; } = [];

    /// <summary>Who may, from now on; each is admitted.</summary>
    public async Task Access(IEnumerable<Input> inputs)
    {
        var batch = new InputBatch("test");
        foreach (var input in inputs) batch.Add(input);
        Assert.All((await Append(batch, default)).Items, i => Assert.Equal(AdmissionStatus.Accepted, i.Status));
    }

    private Admission TakeAccess(Input input)
    {
        var key = input.Target;
        var twin = _twins.TryGetValue(key, out var state) ? Factory.Restore(key, state) : Factory.Create(key);
        var admission = twin.Admit(input.ToBytes(), null!, new Nowhere());
        if (admission.Status != AdmissionStatus.Accepted) return admission;
        if (input is AccessNoted noted) Noted.Add(noted);
        Feed(input);
        _position++;
        return admission;
    }

    private sealed class Nowhere : IAccepted
    {
        public void Add(ReadOnlySpan<byte> input, int day, long endMinute, bool late) { }
    }

    private static readonly TwinFactory Factory = new();

    private static byte[] StateOf(TwinState twin)
    {
        var to = new ByteWriter();
        twin.Write(to);
        return to.ToArray();
    }

    private sealed class Heard(List<Finding> findings) : IOutbox
    {
        public void Send(TwinKey to, ReadOnlySpan<byte> message) { }
        public void Publish(ReadOnlySpan<byte> message) { }
        public void Fact(FactKind kind, ReadOnlySpan<byte> fact)
        {
            if (kind == FactKind.Finding) findings.Add(Finding.Read(fact));
        }
    }

    public void Add(Finding finding) => _findings.Add(finding);

    public void AddReading(MeterId meter, Channel channel, UnixTime start, int intervalMinutes, int value) =>
        _readings[(meter, channel, start.Minutes)] = (value, intervalMinutes);

    public async ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel)
    {
        await Commit(batch.Count).WaitAsync(cancel);
        lock (_lock)
        {
            Appended.Enqueue((batch.Source, batch.Count));
            var items = new Admission[batch.Count];
            for (var i = 0; i < items.Length; i++) items[i] = Take(batch[i]);
            return new AppendReceipt(items, _position);
        }
    }

    private Admission Take(ReadOnlySpan<byte> input)
    {
        if (Envelope.Read(input).Kind != InputKind.ReadingBlock)
        {
            if (Envelope.Read(input).Target.Kind == TwinKind.Access) return TakeAccess(Input.Read(input));
            if (Input.Read(input) is MeterSeen seen)
            {
                if (_twins.ContainsKey(seen.Target)) return Admission.Repeat;
                Feed(seen);
            }
            _position++;
            return Admission.Accept;
        }
        var block = ReadingBlock.Read(input);
        if (block.IntervalMinutes == OddInterval) return Admission.Reject("the interval does not divide a day");
        var slots = new int[block.Count];
        block.DecodeValues(slots);
        var fresh = 0;
        for (var i = 0; i < slots.Length; i++)
            if (_readings.TryAdd((block.Meter, block.Channel, block.StartMinute + i * block.IntervalMinutes),
                (slots[i], block.IntervalMinutes))) fresh++;
        if (fresh == 0) return Admission.Repeat;
        _position++;
        return Admission.Accept with { Readings = fresh };
    }

    /// <summary>The state is the same at all times; nothing exists before <see cref="Begin"/>.</summary>
    public async ValueTask<byte[]?> State(TwinKey key, AsOf asOf, CancellationToken cancel)
    {
        await BeforeState().WaitAsync(cancel);
        lock (_lock)
        {
            LastAsOf = asOf;
            if ((asOf.At ?? asOf.KnownAt) is { } time && time.CompareTo(Begin) < 0) return null;
            return _twins.GetValueOrDefault(key);
        }
    }

    public AsOf LastAsOf { get; private set; }

    public static readonly UnixTime Begin = new(1_000_000_000);

    public ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit, CancellationToken cancel)
    {
        lock (_lock)
            return new([.. _twins.Keys.Where(k => k.Kind == kind && k.Id > after).OrderBy(k => k.Id).Take(limit)]);
    }

    /// <summary>What stands in the ledger.</summary>
    public FakeLedger Book { get; } = new();

    public ILedgerSource Ledger => Book;

    public ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel)
    {
        LastQuery = query;
        return new([.. _findings
            .Where(f => query.Subject is null || f.Subject == query.Subject)
            .Where(f => query.Kind is null || f.Kind == query.Kind)
            .Where(f => query.From is not { } from || f.To.CompareTo(from) > 0)
            .Where(f => query.To is not { } to || f.From.CompareTo(to) < 0)
            .Where(f => query.Id is null || f.Id == query.Id)
            .Where(f => query.Least is not { } least || f.Severity >= least)
            .Where(f => query.KnownAt is not { } known || f.DetectedAt.CompareTo(known) <= 0)
            .OrderByDescending(f => f.DetectedAt.Seconds).ThenBy(f => f.Id, StringComparer.Ordinal)
            .Where(f => query.After is not { } a || f.DetectedAt.CompareTo(a.DetectedAt) < 0
                || (f.DetectedAt == a.DetectedAt && string.CompareOrdinal(f.Id, a.Id) > 0)).Take(query.Limit)]);
    }

    /// <summary>What twins published, by twin and day.</summary>
    public SortedDictionary<(TwinKey From, int Day), byte[]> Published { get; } = [];

    public ValueTask<IReadOnlyList<(int Day, byte[] Body)>> Publications(TwinKey from, int fromDay, int toDay,
        UnixTime? knownAt, CancellationToken cancel) =>
        new([.. Published.Where(p => p.Key.From == from && p.Key.Day >= fromDay && p.Key.Day <= toDay)
            .Select(p => (p.Key.Day, p.Value))]);

    public ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay, UnixTime? knownAt,
        DayVisitor visit, CancellationToken cancel)
    {
        LastDays = (fromDay, toDay);
        var days = _readings.Where(r => r.Key.Item1 == meter && r.Key.Item2 == channel)
            .GroupBy(r => ZoneRules.Utc.DayOf(r.Key.Start)).Where(d => d.Key.Number >= fromDay && d.Key.Number <= toDay)
            .OrderBy(d => d.Key.Number);
        foreach (var day in days)
        {
            var interval = day.First().Value.Interval;
            var slots = new int[day.Key.Minutes / interval];
            var qualities = new Quality[slots.Length];
            Array.Fill(slots, ReadingBlock.Missing);
            foreach (var ((_, _, start), (value, _)) in day)
            {
                var slot = (int)(start - day.Key.StartMinute) / interval;
                (slots[slot], qualities[slot]) = (value, Quality.Actual);
            }
            visit(day.Key, interval, slots, qualities);
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask<string> StateHash(CancellationToken cancel) => new("");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
