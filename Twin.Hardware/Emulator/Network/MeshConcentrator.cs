namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// One concentrator: what it stores while the backhaul is down, and what it counts for its next report.
/// </summary>
internal sealed class MeshConcentrator(int number, MeshOptions options, MeshTotals totals, ulong seed)
{
    /// <summary>Latencies kept for the median of a report; later ones replace them in turn.</summary>
    private const int MaxLatencies = 1_024;

    private sealed class Count
    {
        public int Heard, Lost, Duplicates;
    }

    private readonly SortedDictionary<int, Count> _counts = [];
    private readonly List<int> _latencies = [];
    private int _latencyAt;

    public int Number => number;

    /// <summary>A generator of its own: what happens at one concentrator changes nothing at another.</summary>
    public SplitMix64 Draw { get; } = new(StableHash.Mix(unchecked(seed + (ulong)number * 0xD6E8FEB86659FD93UL)));

    public bool IsUp { get; set; } = true;

    /// <summary>Frames for the head-end, and at the head-end for the meters, while the backhaul is down.</summary>
    public Queue<MeshPacket> StoredUp { get; } = [];
    public Queue<MeshPacket> StoredDown { get; } = [];

    private readonly long[] _lastMs = new long[2];

    /// <summary>When a frame is over the backhaul, which keeps the order of each direction.</summary>
    public long Passes(FrameDirection direction, long atMs, long tookMs) =>
        _lastMs[(int)direction] = Math.Max(_lastMs[(int)direction] + 1, atMs + tookMs);

    /// <summary>Keeps a frame; when the store is full the oldest goes and is counted.</summary>
    public MeshPacket? Store(MeshPacket packet)
    {
        var store = packet.Direction == FrameDirection.FromMeter ? StoredUp : StoredDown;
        var lost = store.Count >= options.MaxStored ? store.Dequeue() : null;
        store.Enqueue(packet);
        totals.PeakStored = Math.Max(totals.PeakStored, store.Count);
        return lost;
    }

    public void Hear(MeshPacket packet, long atMs)
    {
        var count = CountOf(packet.Meter);
        if (packet.IsCopy) count.Duplicates++;
        else count.Heard++;
        var latency = (int)Math.Min(atMs - packet.SentMs, int.MaxValue);
        if (_latencies.Count < MaxLatencies) _latencies.Add(latency);
        else _latencies[_latencyAt++ % MaxLatencies] = latency;
    }

    /// <summary>A frame of the meter that never came: the concentrator sees the gap in the link's numbering.</summary>
    public void Miss(int meter) => CountOf(meter).Lost++;

    private Count CountOf(int meter) =>
        _counts.TryGetValue(meter, out var count) ? count : _counts[meter] = new Count();

    /// <summary>The account since the last one, in meter order; counters start again.</summary>
    public ConcentratorReport Report(string name, UnixTime at, int seconds, Func<int, MeterId> idOf,
        Func<int, int> parentOf)
    {
        var routes = new List<Route>(_counts.Count);
        foreach (var (meter, count) in _counts.Take(ConcentratorReport.MaxRoutes))
        {
            var via = parentOf(meter);
            routes.Add(new Route(idOf(meter), via < 0 ? default : idOf(via), Capped(count.Heard), Capped(count.Lost),
                Capped(count.Duplicates)));
        }
        _latencies.Sort();
        var median = _latencies.Count == 0 ? 0 : _latencies[_latencies.Count / 2];
        _counts.Clear();
        _latencies.Clear();
        _latencyAt = 0;
        return new ConcentratorReport(TwinKey.Named(TwinKind.Concentrator, name), name, at, seconds, median,
            [.. routes]);
    }

    private static ushort Capped(int count) => (ushort)Math.Min(count, ushort.MaxValue);
}
