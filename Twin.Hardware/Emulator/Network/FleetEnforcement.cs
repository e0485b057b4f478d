using System.Globalization;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Emulator.Network;

/// <summary>What became of an order at once.</summary>
public enum EnforcementStart : byte
{
    /// <summary>In force.</summary>
    Done = 1,
    /// <summary>Under way: its end comes with <see cref="FleetEnforcement.TakeEnded"/>.</summary>
    UnderWay = 2,
    /// <summary>A queue of the head-end is full.</summary>
    Refused = 3,
}

/// <summary>
/// Holds responses up in an emulated fleet, where the suspect meter has no say: at the head-end, at the concentrator,
/// at the metrology core behind the disconnector. Each order has a key; one that comes again changes nothing. Two that
/// hold the same up on one meter are counted, and lifting one leaves the other.
/// </summary>
public sealed class FleetEnforcement(EmulatedFleet fleet)
{
    /// <summary>Keys that are remembered; at the bound the oldest is forgotten and would be done again.</summary>
    public const int MaxKeys = 200_000;

    /// <summary>Threshold of a limited supply, W: a refrigerator, light, a boiler's pump.</summary>
    public const uint LimitedWatts = 1_500;

    /// <summary>A threshold of 0 W limits nothing; that is how meters of the fleet are born.</summary>
    private const uint NoLimitWatts = 0;

    private sealed class Order
    {
        public int Left;
        public bool Failed;
        public string Code = "";
    }

    private readonly SortedDictionary<(int Meter, ResponseRung Rung), SortedSet<string>> _held = [];
    private readonly Dictionary<string, Order> _orders = [];
    private readonly Queue<string> _keys = [];
    private readonly List<EndedOrder> _ended = [];

    /// <summary>Meters that go on over a shunned relay for want of another, by the relay.</summary>
    public IReadOnlyDictionary<int, int> LeftBehind => _leftBehind;
    private readonly SortedDictionary<int, int> _leftBehind = [];

    /// <summary>True while such a response holds the meter.</summary>
    public bool Holds(int meter, ResponseRung rung) => _held.ContainsKey((meter, rung));

    /// <summary>
    /// Does a response on meters under its key; <paramref name="order"/>: the work order that it quotes, empty for one
    /// of its own.
    /// </summary>
    public EnforcementStart Do(string key, IReadOnlyList<int> meters, ResponseRung rung, string order) =>
        Run(key, meters, meter => Begin(key, meter, rung, order));

    /// <summary>
    /// Takes back what <paramref name="key"/> did. <paramref name="by"/>: the command that undoes what was one, such
    /// as a reconnection; it is under way then, under <paramref name="undoKey"/>.
    /// </summary>
    public EnforcementStart Undo(string key, string undoKey, IReadOnlyList<int> meters, ResponseRung rung,
        ResponseRung? by) => Run(undoKey, meters, meter =>
    {
        if (!Lift(key, meter, rung)) return EnforcementStart.Done;
        return (rung, by) switch
        {
            (ResponseRung.LimitLoad, _) => Send(undoKey, meter, MeterCommands.SetThreshold(false, NoLimitWatts),
                CommandKind.SetLimiter, ""),
            (_, ResponseRung.Reconnect) => Send(undoKey, meter, MeterCommands.Reconnect(), CommandKind.Reconnect, ""),
            (_, ResponseRung.Disconnect) =>
                Send(undoKey, meter, MeterCommands.Disconnect(), CommandKind.Disconnect, ""),
            _ => EnforcementStart.Done,
        };
    });

    /// <summary>Orders that ended since last asked.</summary>
    public IReadOnlyList<EndedOrder> TakeEnded()
    {
        var single = new List<EndedOrder>();
        fleet.HeadEnd.TakeEnded(single);
        foreach (var end in single)
        {
            if (!_orders.TryGetValue(end.Key, out var order) || order.Left == 0) continue;
            order.Left--;
            if (!end.Done) (order.Failed, order.Code) = (true, end.Code);
            if (order.Left == 0) _ended.Add(new EndedOrder(end.Key, !order.Failed, order.Code, end.At));
        }
        EndedOrder[] ended = [.. _ended];
        _ended.Clear();
        return ended;
    }

    private EnforcementStart Run(string key, IReadOnlyList<int> meters, Func<int, EnforcementStart> one)
    {
        if (_orders.TryGetValue(key, out var known))
            return known.Left > 0 ? EnforcementStart.UnderWay
                : known.Failed ? EnforcementStart.Refused : EnforcementStart.Done;
        var order = _orders[key] = new Order();
        _keys.Enqueue(key);
        if (_keys.Count > MaxKeys) _orders.Remove(_keys.Dequeue());
        var refused = 0;
        foreach (var meter in meters)
        {
            var start = one(meter);
            if (start == EnforcementStart.UnderWay) order.Left++;
            else if (start == EnforcementStart.Refused) refused++;
        }
        if (refused > 0)
            (order.Failed, order.Code) = (true, string.Create(CultureInfo.InvariantCulture,
                $"{refused} of {meters.Count} meters have a full queue"));
        return order.Left > 0 ? EnforcementStart.UnderWay : refused > 0 ? EnforcementStart.Refused
            : EnforcementStart.Done;
    }

    private EnforcementStart Begin(string key, int meter, ResponseRung rung, string order)
    {
        var (headEnd, now) = (fleet.HeadEnd, fleet.Now);
        switch (rung)
        {
            case ResponseRung.Reattest:
                return headEnd.Challenge(meter, now, key) ? EnforcementStart.UnderWay : EnforcementStart.Refused;
            case ResponseRung.RotateKeys:
                return headEnd.Renew(meter, now, key) ? EnforcementStart.UnderWay : EnforcementStart.Refused;
            case ResponseRung.Disconnect:
                return Send(key, meter, MeterCommands.Disconnect(), CommandKind.Disconnect, order);
            case ResponseRung.Reconnect:
                return Send(key, meter, MeterCommands.Reconnect(), CommandKind.Reconnect, order);
            case ResponseRung.LimitLoad:
                Hold(key, meter, rung);
                return Send(key, meter, MeterCommands.SetThreshold(false, LimitedWatts), CommandKind.SetLimiter, order);
            case ResponseRung.RaiseSampling or ResponseRung.BlockWrites or ResponseRung.IsolateCommunications:
                Hold(key, meter, rung);
                Enforce(meter);
                return EnforcementStart.Done;
            default:
                return EnforcementStart.Done;
        }
    }

    private EnforcementStart Send(string key, int meter, byte[] command, CommandKind kind, string order) =>
        fleet.HeadEnd.Command(meter, fleet.Now, key, order, command, kind) ? EnforcementStart.UnderWay
            : EnforcementStart.Refused;

    private void Hold(string key, int meter, ResponseRung rung)
    {
        if (!_held.TryGetValue((meter, rung), out var keys)) _held[(meter, rung)] = keys = [];
        keys.Add(key);
    }

    /// <summary>True when nothing holds it on the meter any more.</summary>
    private bool Lift(string key, int meter, ResponseRung rung)
    {
        if (!_held.TryGetValue((meter, rung), out var keys)) return true;
        keys.Remove(key);
        if (keys.Count > 0) return false;
        _held.Remove((meter, rung));
        Enforce(meter);
        return true;
    }

    /// <summary>Sets head-end, concentrator and routes as what is held on the meter wants them.</summary>
    private void Enforce(int meter)
    {
        var isolated = Holds(meter, ResponseRung.IsolateCommunications);
        var blocked = isolated || Holds(meter, ResponseRung.BlockWrites);
        fleet.HeadEnd.Block(meter, blocked);
        fleet.HeadEnd.Sample(meter, fleet.Now,
            Holds(meter, ResponseRung.RaiseSampling) ? HeadEnd.CloseLookSeconds : null);
        fleet.Mesh.SetRule(meter, isolated ? DownlinkRule.RecoveryOnly
            : blocked ? DownlinkRule.OwnOnly : DownlinkRule.Open);
        if (isolated && !_leftBehind.ContainsKey(meter)) _leftBehind[meter] = fleet.Mesh.Shun(meter);
        else if (!isolated && _leftBehind.Remove(meter)) fleet.Mesh.Trust(meter);
    }
}
