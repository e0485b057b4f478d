using Twin.Hardware.Coding;

namespace Twin.Hardware.Emulator.Network;

/// <summary>A frame as the head-end receives it, in the TCP wrapper or HDLC.</summary>
public sealed record Delivery(UnixTime ReceivedAt, string Concentrator, byte[] Bytes);

/// <summary>
/// One thing that reaches the utility: a frame, or an input that does not come as a meter's frame (encoded as the
/// journal has it). Exactly one is given.
/// </summary>
public readonly record struct FleetItem(Delivery? Frame, byte[]? Input)
{
    public static FleetItem Of(Input input) => new(null, input.ToBytes());
}

/// <summary>
/// Power of feeders and what flows behind them. A cut begins and ends at whole minutes; what flows in an interval that
/// it touches is the share of the interval that had power.
/// </summary>
internal sealed class FleetSupply
{
    private readonly record struct Edge(int Minute, int Feeder, bool On);

    private readonly FleetPlan _plan;
    private readonly Edge[] _edges;
    private readonly int[] _down;
    private readonly int[][] _import, _export;
    private readonly int _interval;
    private int _next, _day = -1;

    public FleetSupply(FleetPlan plan)
    {
        _plan = plan;
        _interval = plan.Options.IntervalMinutes;
        _edges = [.. plan.Cuts.SelectMany(c => (Edge[])[new(c.FromMinute, c.Feeder, false),
            new(c.ToMinute, c.Feeder, true)]).OrderBy(e => e.Minute).ThenBy(e => e.Feeder).ThenBy(e => e.On)];
        _down = new int[plan.Options.Feeders];
        _import = new int[plan.Options.Feeders][];
        _export = new int[plan.Options.Feeders][];
    }

    /// <summary>Cuts that begin and end up to a minute of the run: overlapping ones count together.</summary>
    public IEnumerable<(int Minute, int Feeder, bool On)> Edges(int untilMinute)
    {
        while (_next < _edges.Length && _edges[_next].Minute <= untilMinute)
        {
            var edge = _edges[_next++];
            _down[edge.Feeder] += edge.On ? -1 : 1;
            if (_down[edge.Feeder] == (edge.On ? 0 : 1)) yield return (edge.Minute, edge.Feeder, edge.On);
        }
    }

    public bool HasPower(int feeder) => _down[feeder] == 0;

    /// <summary>Loads the true values of a day of the run.</summary>
    public void Load(int day)
    {
        if (day == _day) return;
        _day = day;
        var slots = _plan.World.Slots(day);
        var from = (int)(_plan.World.LocalDay(day).StartMinute - _plan.Start.Minutes);
        for (var f = 0; f < _import.Length; f++)
        {
            var meters = _plan.World.Feeders[f].MeterCount;
            (_import[f], _export[f]) = (new int[meters * slots], new int[meters * slots]);
            _plan.World.FeederDay(day, f, _import[f], _export[f]);
            foreach (var cut in _plan.Cuts)
                if (cut.Feeder == f) Darken(f, meters, slots, from, cut);
        }
    }

    /// <summary>Import and export of a home in a slot of the loaded day, Wh; missing export is 0.</summary>
    public (int Import, int Export) Flow(PlannedMeter meter, int slot) => Flow(meter.Feeder, meter.Home, slot);

    public (int Import, int Export) Flow(int feeder, int home, int slot)
    {
        var at = (home - _plan.World.Feeders[feeder].FirstMeter) * _plan.World.Slots(_day) + slot;
        return (Math.Max(0, _import[feeder][at]), Math.Max(0, _export[feeder][at]));
    }

    /// <summary>
    /// The home is switched off in a slot: what would have gone through its meter does not pass the transformer either.
    /// <paramref name="share"/>: that part of its flow, 0 to 1; the rest goes around the meter and goes on.
    /// </summary>
    public void Withhold(PlannedMeter meter, int slot, double share)
    {
        if (!_plan.World.Feeders[meter.Feeder].HasObserver) return;
        var (import, export) = Flow(meter, slot);
        var (into, outOf) = (_import[meter.Feeder], _export[meter.Feeder]);
        var hasExport = outOf[slot] != ReadingBlock.Missing;
        var net = into[slot] - (hasExport ? outOf[slot] : 0) - (int)Math.Round((import - export) * share);
        into[slot] = Math.Max(0, net);
        if (hasExport) outOf[slot] = Math.Max(0, -net);
    }

    /// <summary>A feeder's observer over the loaded day: what passed the transformer, as reading blocks.</summary>
    public List<byte[]> Observed(int feeder)
    {
        var home = _plan.World.Feeders[feeder];
        var blocks = new List<byte[]>(2);
        if (!home.HasObserver) return blocks;
        var (slots, start) = (_plan.World.Slots(_day), _plan.World.LocalDay(_day).StartMinute);
        foreach (var channel in (ReadOnlySpan<Channel>)[Channel.Import, Channel.Export])
        {
            if (channel == Channel.Export && !_plan.World.HasExport(home.FirstMeter)) continue;
            var values = (channel == Channel.Import ? _import : _export)[feeder].AsSpan(0, slots);
            var w = new ByteWriter(256);
            ReadingBlock.WriteRaw(w, _plan.World.Fleet[home.FirstMeter].Meter, channel, _interval, start, values,
                default, 0);
            blocks.Add(w.ToArray());
        }
        return blocks;
    }

    private void Darken(int feeder, int meters, int slots, int from, AreaCut cut)
    {
        for (var s = 0; s < slots; s++)
        {
            var begin = from + s * _interval;
            var dark = Math.Min(cut.ToMinute, begin + _interval) - Math.Max(cut.FromMinute, begin);
            if (dark <= 0) continue;
            for (var m = 0; m < meters; m++)
                foreach (var values in (ReadOnlySpan<int[]>)[_import[feeder], _export[feeder]])
                    if (values[m * slots + s] > 0)
                        values[m * slots + s] = (int)((long)values[m * slots + s] * (_interval - dark) / _interval);
        }
    }
}
