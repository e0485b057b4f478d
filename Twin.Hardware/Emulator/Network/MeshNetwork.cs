namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// Concentrators, the meters' modems below them, and the backhaul above: opaque frames both ways, by events in time
/// order. A frame goes hop by hop over neighbours, is sent again when a hop loses it, takes another way when a
/// neighbour does not answer, and waits when there is no way; concentrators store what the backhaul does not take. One
/// seed gives one run. Every queue is bounded by <see cref="MeshOptions"/>; what does not fit is lost and counted.
/// </summary>
public sealed partial class MeshNetwork
{
    /// <summary>Men in the middle at one time.</summary>
    public const int MaxTaps = 32;

    private enum Happening : byte { Move, Power, Backhaul }

    private readonly record struct Event(Happening What, MeshPacket? Packet, int Place, bool On);

    private readonly PriorityQueue<Event, (long At, long Order)> _events = new();
    private readonly MeshTree _tree;
    private readonly MeshConcentrator[] _concentrators;
    private readonly int[] _concentratorOf;
    private readonly MeterId[] _ids;
    private readonly string[] _names;
    private readonly bool[] _powered;
    private readonly int[] _underWay, _retries;
    private readonly long[] _busyUntilMs;
    private readonly List<MeshTap> _taps = [];
    private readonly DownlinkRule[] _rules;
    private long _order, _nowMs;

    /// <param name="meters">One id a meter; a meter's number is its place here.</param>
    /// <param name="concentratorOf">For each meter the number of its concentrator.</param>
    /// <param name="names">One name a concentrator.</param>
    /// <exception cref="ArgumentException">An option is out of range, or a number names no concentrator.</exception>
    public MeshNetwork(MeshOptions options, ulong seed, IReadOnlyList<MeterId> meters,
        IReadOnlyList<int> concentratorOf, IReadOnlyList<string> names)
    {
        options.Validate();
        if (meters.Count != concentratorOf.Count || concentratorOf.Any(c => c < 0 || c >= names.Count))
            throw new ArgumentException("The mesh cannot be made: each meter needs the number of a concentrator.");
        Options = options;
        _ids = [.. meters];
        _concentratorOf = [.. concentratorOf];
        _names = [.. names];
        _tree = new MeshTree(concentratorOf, options.MaxDepth, SplitMix64.For(seed, "mesh-tree").NextUInt64());
        var traffic = SplitMix64.For(seed, "mesh-traffic").NextUInt64();
        _concentrators = [.. Enumerable.Range(0, names.Count)
            .Select(c => new MeshConcentrator(c, options, Totals, traffic))];
        _powered = new bool[meters.Count];
        _powered.AsSpan().Fill(true);
        _underWay = new int[meters.Count];
        _retries = new int[meters.Count];
        _busyUntilMs = new long[meters.Count];
        _rules = new DownlinkRule[meters.Count];
    }

    public MeshOptions Options { get; }
    public MeshTotals Totals { get; } = new();
    public int Meters => _ids.Length;
    public int Concentrators => _names.Length;

    /// <summary>Hops from the meter to its concentrator.</summary>
    public int Depth(int meter) => _tree.Depth[meter];

    /// <summary>The neighbour that relays for the meter now; null when the concentrator hears it directly.</summary>
    public int? Relay(int meter) => _tree.Parent(meter) is >= 0 and var parent ? parent : null;

    /// <summary>Meters whose frames now pass this meter's modem, itself included.</summary>
    public IReadOnlyList<int> Through(int meter) => [.. _tree.Below(meter)];

    /// <summary>From now on all that need a relay go over this meter, which hears the concentrator itself.</summary>
    public void Attract(int meter) => _tree.Attract(meter);

    public bool HasPower(int meter) => _powered[meter];

    /// <summary>Transmissions that the meter's modem repeated since it was last asked.</summary>
    public int TakeRetries(int meter)
    {
        var retries = _retries[meter];
        _retries[meter] = 0;
        return retries;
    }

    /// <summary>The meter gives a frame to its modem.</summary>
    public void SendUp(int meter, byte[] frame, long atMs) =>
        Send(new MeshPacket(frame, FrameDirection.FromMeter, meter, atMs) { Node = meter }, atMs);

    /// <summary>The head-end sends a frame to a meter; recovery passes whatever the concentrator bars.</summary>
    public void SendDown(int meter, byte[] frame, long atMs, bool isRecovery = false) =>
        Send(new MeshPacket(frame, FrameDirection.ToMeter, meter, atMs)
        {
            Node = MeshPacket.AtHeadEnd,
            Passes = isRecovery ? DownlinkRule.RecoveryOnly : DownlinkRule.OwnOnly,
        }, atMs);

    /// <summary>What the meter's concentrator lets down to it from now on.</summary>
    public void SetRule(int meter, DownlinkRule rule) => _rules[meter] = rule;

    public DownlinkRule RuleOf(int meter) => _rules[meter];

    /// <summary>
    /// From now on the meter is to relay for no other; those that went over it take another neighbour. How many have
    /// none: they stay with it, since a meter that nobody can ask any more is worse off.
    /// </summary>
    public int Shun(int meter) => _tree.Shun(meter, _powered);

    /// <summary>The meter may relay again; routes come back to it when they next change.</summary>
    public void Trust(int meter) => _tree.Trust(meter);

    /// <summary>A modem loses or regains power at a time to come; what it holds is lost.</summary>
    public void SetPower(int meter, bool on, long atMs) =>
        Post(new Event(Happening.Power, null, meter, on), atMs);

    /// <summary>A backhaul goes down or comes back at a time to come.</summary>
    public void SetBackhaul(int concentrator, bool up, long atMs) =>
        Post(new Event(Happening.Backhaul, null, concentrator, up), atMs);

    public bool IsUp(int concentrator) => _concentrators[concentrator].IsUp;

    /// <summary>Frames that the concentrator stores for the head-end now.</summary>
    public int Stored(int concentrator) => _concentrators[concentrator].StoredUp.Count;

    /// <summary>Puts a man in the middle on a link.</summary>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxTaps"/> already.</exception>
    public void Add(MeshTap tap)
    {
        tap.Validate();
        if (_taps.Count >= MaxTaps) throw new InvalidOperationException($"A mesh has at most {MaxTaps} taps.");
        _taps.Add(tap);
    }

    /// <summary>
    /// Bytes that a man in the middle sends from his link: captured ones are a replay, others made up. Up, they go on
    /// from there; down, the concentrator takes them for the head-end's. No tap on that link sees them again.
    /// </summary>
    public void Inject(MeshLink link, FrameDirection direction, int meter, byte[] frame, long atMs)
    {
        var below = !link.IsBackhaul && direction == FrameDirection.FromMeter;
        var passed = 0u;
        for (var i = 0; i < _taps.Count; i++)
            if (_taps[i].Link == link) passed |= 1u << i;
        Totals.Injected++;
        Enter(new MeshPacket(frame, direction, meter, atMs)
        {
            Node = below ? link.Meter : MeshPacket.AtConcentrator, Tapped = passed,
        }, atMs);
    }

    /// <summary>The concentrator's account since the last one.</summary>
    public ConcentratorReport Report(int concentrator, UnixTime at, int seconds) =>
        _concentrators[concentrator].Report(_names[concentrator], at, seconds, m => _ids[m], _tree.Parent);

    /// <summary>
    /// The next frame that ends its way before the given time, in time order. What it sets off (an answer, power, a
    /// replay) may be sent at its time before the next is asked for.
    /// </summary>
    public bool TryNext(long untilMs, out MeshArrival arrival)
    {
        arrival = default;
        while (_events.TryPeek(out _, out var when) && when.At < untilMs)
        {
            var next = _events.Dequeue();
            _nowMs = when.At;
            if (next.What == Happening.Power) _powered[next.Place] = next.On;
            else if (next.What == Happening.Backhaul) Switch(_concentrators[next.Place], next.On);
            else if (Move(next.Packet!, when.At) is { } arrived)
            {
                arrival = arrived;
                return true;
            }
        }
        _nowMs = Math.Max(_nowMs, untilMs);
        return false;
    }

    private void Post(in Event what, long atMs) => _events.Enqueue(what, (Math.Max(atMs, _nowMs), _order++));

    private void Send(MeshPacket packet, long atMs)
    {
        var draw = DrawOf(packet);
        Totals.Sent++;
        var twice = draw.NextDouble() < Options.DuplicateShare;
        var held = draw.NextDouble() < Options.ReorderShare ? 1_000L * (1 + draw.Next(Options.ReorderSeconds)) : 0;
        if (held > 0) Totals.HeldBack++;
        if (twice)
        {
            Totals.Copied++;
            Enter(packet.Copy(), atMs + 1_000L * (1 + draw.Next(Options.ReorderSeconds)));
        }
        Enter(packet, atMs + held);
    }

    private void Enter(MeshPacket packet, long atMs)
    {
        Totals.UnderWay++;
        _underWay[packet.Meter]++;
        if (_underWay[packet.Meter] > Options.MaxUnderWay) Lose(packet, MeshLoss.ModemFull);
        else Post(new Event(Happening.Move, packet, 0, false), atMs);
    }

    private void Lose(MeshPacket packet, MeshLoss reason)
    {
        _underWay[packet.Meter]--;
        Totals.Lose(reason);
        if (packet.Direction == FrameDirection.FromMeter && !packet.IsCopy)
            _concentrators[_concentratorOf[packet.Meter]].Miss(packet.Meter);
    }

    private SplitMix64 DrawOf(MeshPacket packet) => _concentrators[_concentratorOf[packet.Meter]].Draw;

    private void Switch(MeshConcentrator concentrator, bool up)
    {
        concentrator.IsUp = up;
        if (!up) return;
        var at = _nowMs;
        foreach (var store in (ReadOnlySpan<Queue<MeshPacket>>)[concentrator.StoredUp, concentrator.StoredDown])
            while (store.TryDequeue(out var packet))
                Post(new Event(Happening.Move, packet, 0, false), at += Options.DrainMs);
    }
}
