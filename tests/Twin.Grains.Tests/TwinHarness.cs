using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Tests;

/// <summary>
/// The smallest engine: twins in a sorted dictionary, one thread, no journal but a list. It keeps the stored readings
/// as the history would, so that late data are compared with them.
/// </summary>
internal sealed class TwinHarness : IRecall
{
    private readonly SortedDictionary<TwinKey, TwinState> _twins = [];
    private readonly Dictionary<(MeterId, Channel, int Day, int Interval),
        (int[] Values, Quality[] Qualities)> _history = [];

    public ITwinFactory Factory { get; init; } = new TwinFactory();

    /// <summary>False where memory is measured: journal, history, facts and mail are then not kept.</summary>
    public bool Keeps { get; init; } = true;
    public List<byte[]> Journal { get; } = [];
    public List<Finding> Findings { get; } = [];
    public List<DayScore> Scores { get; } = [];
    public List<LedgerEntry> Ledger { get; } = [];
    public List<(TwinKey From, TwinKey To, byte[] Body)> Sent { get; } = [];

    /// <summary>Offsets of sealable blocks and the rest, as the last <see cref="Append"/> journalled them.</summary>
    public List<(byte[] Input, int Day, long EndMinute, bool Sealable)> LastAccepted { get; } = [];

    public IEnumerable<TwinKey> Keys => _twins.Keys;

    public TwinState this[TwinKey key]
    {
        get
        {
            if (!_twins.TryGetValue(key, out var twin)) _twins[key] = twin = Factory.Create(key);
            return twin;
        }
        set => _twins[key] = value;
    }

    /// <summary>Writes a twin and reads it back in its place.</summary>
    public void Restart(TwinKey key) => this[key] = Factory.Restore(key, State(key));

    public void Remove(TwinKey key) => _twins.Remove(key);

    public byte[] State(TwinKey key)
    {
        var w = new ByteWriter();
        this[key].Write(w);
        return w.ToArray();
    }

    /// <summary>States of all twins one behind another, each behind its key.</summary>
    public byte[] AllStates()
    {
        var w = new ByteWriter();
        foreach (var (key, twin) in _twins)
        {
            w.Text(key.ToString());
            twin.Write(w);
        }
        return w.ToArray();
    }

    public Admission Append(Input input) => Append(input.ToBytes());

    public Admission Append(byte[] input)
    {
        var key = Envelope.Read(input).Target;
        LastAccepted.Clear();
        var admission = this[key].Admit(input, this, new Door(LastAccepted));
        foreach (var (accepted, day, _, _) in LastAccepted)
        {
            if (Keeps) Journal.Add(accepted);
            if (Keeps && day != int.MinValue) Keep(accepted);
            var outbox = new Outbox(this, key, []);
            this[key].Apply(accepted, outbox);
            Assert.Empty(outbox.Mails);
        }
        return admission;
    }

    /// <summary>Closes a day for all meters there are: supersteps until nobody sends.</summary>
    public void Close(int day)
    {
        var input = new DayClosed(day).ToBytes();
        if (Keeps) Journal.Add(input);
        var mails = new List<(TwinKey From, TwinKey To, byte[] Body)>();
        foreach (var (key, twin) in _twins.ToArray())
            if (key.Kind == TwinKind.Meter) twin.Apply(input, new Outbox(this, key, mails));
        Round(mails);
    }

    /// <summary>A sweep: twins that wait apply it and may send; then rounds as when a day closes.</summary>
    public void Sweep(UnixTime at)
    {
        var input = new Sweep(at).ToBytes();
        if (Keeps) Journal.Add(input);
        var mails = new List<(TwinKey From, TwinKey To, byte[] Body)>();
        foreach (var (key, twin) in _twins.ToArray())
            if (twin.Waits) twin.Apply(input, new Outbox(this, key, mails));
        Round(mails);
    }

    /// <summary>Brings letters to their twins as a sweep would.</summary>
    public void Post(IEnumerable<(TwinKey From, FleetLetter Letter)> letters)
    {
        var mails = new List<(TwinKey From, TwinKey To, byte[] Body)>();
        foreach (var (from, letter) in letters)
        {
            var w = new ByteWriter();
            letter.Write(w);
            mails.Add((from, letter.To, w.ToArray()));
        }
        Round(mails);
    }

    /// <summary>Brings messages to their twins, and what follows.</summary>
    public void Deliver(params (TwinKey From, TwinKey To, byte[] Body)[] mails) => Round([.. mails]);

    private void Round(List<(TwinKey From, TwinKey To, byte[] Body)> mails)
    {
        for (var round = 0; mails.Count > 0; round++)
        {
            Assert.True(round < 16, "Twins go on sending: the supersteps of a day must end.");
            if (Keeps) Sent.AddRange(mails);
            mails = Deliver(mails);
        }
    }

    /// <summary>Applies a journal to fresh twins, without a door.</summary>
    public static TwinHarness Replay(IEnumerable<byte[]> journal)
    {
        var harness = new TwinHarness();
        foreach (var input in journal)
        {
            var envelope = Envelope.Read(input);
            if (envelope.Kind == InputKind.DayClosed) harness.Close(((DayClosed)Input.Read(input)).Day);
            else if (envelope.Kind == InputKind.Sweep) harness.Sweep(((Sweep)Input.Read(input)).At);
            else harness[envelope.Target].Apply(input, new Outbox(harness, envelope.Target, []));
        }
        return harness;
    }

    private List<(TwinKey From, TwinKey To, byte[] Body)> Deliver(List<(TwinKey From, TwinKey To, byte[] Body)> mails)
    {
        var next = new List<(TwinKey From, TwinKey To, byte[] Body)>();
        foreach (var group in mails.GroupBy(m => m.To).OrderBy(g => g.Key))
        {
            var sorted = group.OrderBy(m => m.From).ToArray();
            var outbox = new Outbox(this, group.Key, next) { Senders = [.. sorted.Select(m => m.From)] };
            this[group.Key].Receive(new Inbox(sorted), outbox);
        }
        return next;
    }

    private void Keep(byte[] accepted)
    {
        var b = ReadingBlock.Read(accepted);
        var key = (b.Meter, b.Channel, b.Day.Number, b.IntervalMinutes);
        if (!_history.TryGetValue(key, out var day))
        {
            var slots = b.Day.Minutes / b.IntervalMinutes;
            _history[key] = day = (new int[slots], new Quality[slots]);
            day.Values.AsSpan().Fill(ReadingBlock.Missing);
        }
        var values = new int[b.Count];
        var qualities = new Quality[b.Count];
        b.DecodeValues(values);
        b.DecodeQualities(qualities);
        for (var i = 0; i < b.Count; i++)
            if (values[i] != ReadingBlock.Missing) (day.Values[b.FirstSlot + i], day.Qualities[b.FirstSlot + i]) =
                (values[i], qualities[i]);
    }

    public bool TryReadDay(MeterId meter, Channel channel, LocalDay day, int intervalMinutes, Span<int> slots,
        Span<Quality> qualities)
    {
        if (!_history.TryGetValue((meter, channel, day.Number, intervalMinutes), out var stored)) return false;
        stored.Values.CopyTo(slots);
        stored.Qualities.CopyTo(qualities);
        return true;
    }

    public int IntervalOf(MeterId meter, Channel channel, LocalDay day) => _history.Keys
        .FirstOrDefault(k => (k.Item1, k.Item2, k.Item3) == (meter, channel, day.Number)).Item4;

    public bool TryFindFrame(MeterId meter, KeySlot key, FrameDirection direction, uint counter, out ulong digest)
    {
        foreach (var input in Enumerable.Reverse(Journal))
        {
            if (Envelope.Read(input) is not { Kind: InputKind.FrameReceived } e || e.Target != meter.Twin) continue;
            var frame = (FrameReceived)Input.Read(input);
            digest = frame.BytesDigest;
            if ((frame.Key, frame.Direction, frame.Counter) == (key, direction, counter)) return true;
        }
        digest = 0;
        return false;
    }

    /// <summary>A sweep as the engine runs it: only twins that wait get it, and they may send.</summary>
    public List<FleetLetter> SweptLetters(UnixTime at)
    {
        var input = new Sweep(at).ToBytes();
        var mails = new List<(TwinKey From, TwinKey To, byte[] Body)>();
        foreach (var (key, twin) in _twins.ToArray())
        {
            if (!twin.Waits) continue;
            if (Keeps) Journal.Add(input);
            twin.Apply(input, new Outbox(this, key, mails));
        }
        return [.. mails.Where(m => m.To.Kind != TwinKind.Case).Select(m => Letter(m.Body))];
    }

    private static FleetLetter Letter(byte[] body)
    {
        var r = new ByteReader(body);
        return FleetLetter.Read(ref r);
    }

    private sealed class Door(List<(byte[] Input, int Day, long EndMinute, bool Sealable)> list) : IAccepted
    {
        public void Add(ReadOnlySpan<byte> input, int day, long endMinute, bool sealable) =>
            list.Add((input.ToArray(), day, endMinute, sealable));
    }

    private sealed class Inbox((TwinKey From, TwinKey To, byte[] Body)[] mails) : IInbox
    {
        public int Count => mails.Length;
        public Mail this[int index] => new(mails[index].From, mails[index].Body);
    }

    public sealed class Outbox(TwinHarness harness, TwinKey self, List<(TwinKey From, TwinKey To, byte[] Body)> mails)
        : IOutbox
    {
        public List<(TwinKey From, TwinKey To, byte[] Body)> Mails => mails;
        public TwinKey[] Senders { get; init; } = [];

        public void Send(TwinKey to, ReadOnlySpan<byte> message) => mails.Add((self, to, message.ToArray()));

        public void Publish(ReadOnlySpan<byte> message)
        {
            foreach (var to in Senders) mails.Add((self, to, message.ToArray()));
        }

        public void Fact(FactKind kind, ReadOnlySpan<byte> fact)
        {
            if (!harness.Keeps) return;
            if (kind == FactKind.Finding) harness.Findings.Add(Finding.Read(fact));
            else if (kind == FactKind.Ledger) harness.Ledger.Add(LedgerEntry.Read(fact));
            else harness.Scores.Add(DayScore.Read(fact));
        }
    }
}

/// <summary>Readings to feed: one meter, whole values that tell their slot.</summary>
internal static class Sample
{
    public static readonly MeterId Meter = MeterId.FromUtilityId("M-1");

    /// <summary>2024-01-01, a Monday.</summary>
    public const int Day0 = 19723;

    public static int Value(int day, int slot) => 100 + (day % 50) + slot;

    public static int[] Values(int day, int slots = 48) => [.. Enumerable.Range(0, slots).Select(i => Value(day, i))];

    public static byte[] Raw(long startMinute, int[] values, int interval = 30, Quality[]? qualities = null,
        long stamp = 0,
        Channel channel = Channel.Import, MeterId? meter = null)
    {
        var w = new ByteWriter();
        ReadingBlock.WriteRaw(w, meter ?? Meter, channel, interval, startMinute, values, qualities, stamp);
        return w.ToArray();
    }

    /// <summary>A whole UTC day.</summary>
    public static byte[] UtcDay(int day, MeterId? meter = null) => Raw(day * 1440L, Values(day), meter: meter);

    public static MeterRelation Relation(MeterId meter, string feeder = "F1", int from = int.MinValue,
        int to = int.MaxValue,
        string firmware = "1.0") => new(meter, "", MeterRole.Customer, feeder, "ZX", firmware, "L7", "", "UP1", "L1",
            "", "", "",
            CustomerCategory.Ordinary, from, to);
}
