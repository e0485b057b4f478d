namespace Twin.Hardware.Emulator.Network;

/// <summary>How a frame goes from one holder to the next.</summary>
public sealed partial class MeshNetwork
{
    /// <summary>One step of a frame; the arrival when it was the last.</summary>
    private MeshArrival? Move(MeshPacket packet, long atMs) => packet.Direction == FrameDirection.FromMeter
        ? packet.Node switch
        {
            MeshPacket.AtHeadEnd => Arrive(packet, atMs),
            MeshPacket.AtConcentrator => Lift(packet, atMs),
            _ => Climb(packet, atMs),
        }
        : packet.Node switch
        {
            MeshPacket.AtHeadEnd => Sink(packet, atMs),
            MeshPacket.AtConcentrator => Descend(packet, atMs),
            _ => Hand(packet, atMs),
        };

    private MeshArrival Arrive(MeshPacket packet, long atMs)
    {
        _underWay[packet.Meter]--;
        Totals.UnderWay--;
        Totals.Delivered++;
        return new MeshArrival(atMs, packet.Direction, packet.Meter, _concentratorOf[packet.Meter], packet.Bytes);
    }

    /// <summary>Up, from a modem to the layer above.</summary>
    private MeshArrival? Climb(MeshPacket packet, long atMs)
    {
        var node = packet.Node;
        if (!_powered[node]) return Gone(packet, MeshLoss.PowerCut);
        if (Tapped(packet, MeshLink.Above(node), atMs)) return null;
        var parent = _tree.Parent(node);
        if (parent >= 0 && !_powered[parent] && !Reroute(node)) return Wait(packet, atMs);
        if (!Transmit(packet, node, atMs, out var tookMs)) return Retry(packet, node, atMs + tookMs);
        packet.Node = _tree.Parent(node);
        if (packet.Node < 0)
        {
            packet.Node = MeshPacket.AtConcentrator;
            _concentrators[_concentratorOf[packet.Meter]].Hear(packet, atMs + tookMs);
        }
        return Later(packet, atMs + tookMs);
    }

    /// <summary>Up, from the concentrator to the head-end.</summary>
    private MeshArrival? Lift(MeshPacket packet, long atMs)
    {
        var concentrator = _concentrators[_concentratorOf[packet.Meter]];
        if (!concentrator.IsUp) return Keep(packet, concentrator);
        if (Tapped(packet, MeshLink.Backhaul(concentrator.Number), atMs)) return null;
        packet.Node = MeshPacket.AtHeadEnd;
        var tookMs = Jittered(Options.BackhaulMs, concentrator.Draw);
        return Later(packet, concentrator.Passes(packet.Direction, atMs, tookMs));
    }

    /// <summary>Down, from the head-end to the concentrator.</summary>
    private MeshArrival? Sink(MeshPacket packet, long atMs)
    {
        var concentrator = _concentrators[_concentratorOf[packet.Meter]];
        if (!concentrator.IsUp) return Keep(packet, concentrator);
        if (Tapped(packet, MeshLink.Backhaul(concentrator.Number), atMs)) return null;
        packet.Node = MeshPacket.AtConcentrator;
        var tookMs = Jittered(Options.BackhaulMs, concentrator.Draw);
        return Later(packet, concentrator.Passes(packet.Direction, atMs, tookMs));
    }

    /// <summary>Down, at the concentrator: it knows the way and writes it into the frame.</summary>
    private MeshArrival? Descend(MeshPacket packet, long atMs)
    {
        if (packet.Passes < _rules[packet.Meter]) return Gone(packet, MeshLoss.Barred);
        var path = new Stack<int>();
        for (var at = packet.Meter; at >= 0; at = _tree.Parent(at))
        {
            if (!_powered[at] || _tree.Parent(at) is >= 0 and var up && !_powered[up] && !Reroute(at))
                return Wait(packet, atMs);
            path.Push(at);
        }
        packet.Path = path;
        return Pass(packet, atMs);
    }

    /// <summary>Down, at a modem: it is for this meter, or goes on.</summary>
    private MeshArrival? Hand(MeshPacket packet, long atMs)
    {
        if (!_powered[packet.Node]) return Gone(packet, MeshLoss.PowerCut);
        return packet.Path!.Count == 0 ? Arrive(packet, atMs) : Pass(packet, atMs);
    }

    /// <summary>Over the link above the next modem of the path; back to the concentrator without an answer.</summary>
    private MeshArrival? Pass(MeshPacket packet, long atMs)
    {
        var next = packet.Path!.Peek();
        if (Tapped(packet, MeshLink.Above(next), atMs)) return null;
        var done = _powered[next] && Transmit(packet, next, atMs, out var tookMs) ? tookMs : -1;
        if (done < 0)
        {
            packet.Node = MeshPacket.AtConcentrator;
            return Wait(packet, atMs);
        }
        packet.Node = packet.Path.Pop();
        return Later(packet, atMs + done);
    }

    /// <summary>
    /// Sends over the link above a meter until it is acknowledged or the tries are used up. A link carries one frame at
    /// a time, in their order.
    /// </summary>
    private bool Transmit(MeshPacket packet, int below, long atMs, out long tookMs)
    {
        var draw = DrawOf(packet);
        var loss = Math.Min(0.95, Options.HopLoss * _tree.Quality(below));
        tookMs = Math.Max(0, _busyUntilMs[below] - atMs);
        var arrived = Try(below, loss, draw, ref tookMs);
        _busyUntilMs[below] = atMs + tookMs;
        return arrived;
    }

    private bool Try(int below, double loss, SplitMix64 draw, ref long tookMs)
    {
        for (var attempt = 0; attempt < Options.MaxTries; attempt++)
        {
            tookMs += Jittered(Options.HopMs, draw);
            if (draw.NextDouble() >= loss) return true;
            Totals.Retransmissions++;
            _retries[below]++;
            tookMs += Options.HopMs;
        }
        return false;
    }

    private MeshArrival? Retry(MeshPacket packet, int node, long atMs)
    {
        if (!Reroute(node)) return Wait(packet, atMs);
        return ++packet.Waits > Options.MaxWaits ? Gone(packet, MeshLoss.NoRoute) : Later(packet, atMs);
    }

    private bool Reroute(int node)
    {
        var other = _tree.Reroute(node, _powered);
        if (other) Totals.Rerouted++;
        return other;
    }

    private MeshArrival? Wait(MeshPacket packet, long atMs) => ++packet.Waits > Options.MaxWaits
        ? Gone(packet, MeshLoss.NoRoute) : Later(packet, atMs + 1_000L * Options.WaitSeconds);

    private MeshArrival? Later(MeshPacket packet, long atMs)
    {
        Post(new Event(Happening.Move, packet, 0, false), atMs);
        return null;
    }

    private MeshArrival? Gone(MeshPacket packet, MeshLoss reason)
    {
        Lose(packet, reason);
        return null;
    }

    private MeshArrival? Keep(MeshPacket packet, MeshConcentrator concentrator)
    {
        if (concentrator.Store(packet) is { } oldest) Lose(oldest, MeshLoss.StoreFull);
        return null;
    }

    private static long Jittered(int ms, SplitMix64 draw) => ms / 2 + draw.Next(ms + 1);

    /// <summary>Gives each tap on the link its turn, once a frame. True when the frame goes no further now.</summary>
    private bool Tapped(MeshPacket packet, MeshLink link, long atMs)
    {
        for (var i = 0; i < _taps.Count; i++)
        {
            var tap = _taps[i];
            if (tap.Link != link || (packet.Tapped & (1u << i)) != 0) continue;
            packet.Tapped |= 1u << i;
            if (!tap.Takes(packet, atMs, DrawOf(packet))) continue;
            tap.Note(packet, atMs, _concentratorOf[packet.Meter]);
            switch (tap.Act)
            {
                case TapAct.Drop:
                    Lose(packet, MeshLoss.Dropped);
                    return true;
                case TapAct.Delay:
                    Later(packet, atMs + 1_000L * tap.DelaySeconds);
                    return true;
                case TapAct.Duplicate:
                    Totals.Copied++;
                    Enter(packet.Copy(), atMs + 1_000L * tap.DelaySeconds);
                    break;
                case TapAct.Modify:
                    packet.Bytes = tap.Modified(packet.Bytes);
                    break;
                default: break;
            }
        }
        return false;
    }
}
