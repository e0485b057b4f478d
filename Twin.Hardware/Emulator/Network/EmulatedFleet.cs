namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// A utility in small: homes that consume, ZEUS meters that measure, a mesh that carries their frames, a head-end that
/// asks. <see cref="Step"/> brings it forward and gives what reaches the utility. Attack scripts reach into
/// <see cref="Meters"/>, <see cref="Mesh"/> and <see cref="HeadEnd"/> between steps. One seed gives one run. Not safe
/// for use from several threads.
/// </summary>
public sealed class EmulatedFleet : IDisposable
{
    /// <summary>Meters push within so many seconds of the end of an interval, each at its own.</summary>
    private const int SpreadSeconds = 240;

    /// <summary>Reports that a concentrator keeps while its backhaul is down; at the bound the oldest goes.</summary>
    private const int MaxReports = 1_000;

    private readonly FleetSupply _supply;
    private readonly List<FleetItem> _items = [];
    private readonly List<Input> _notes = [];
    private readonly Queue<ConcentratorReport>[] _reports;
    private readonly long[] _carriedImport, _carriedExport;
    private readonly int[] _spreadMs;
    private int _minute, _day;

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public EmulatedFleet(FleetOptions options)
    {
        Plan = new FleetPlan(options);
        HeadEnd = new HeadEnd(Plan, new HeadEndKeys(options.Seed));
        Firmware = new FleetFirmware(options, HeadEnd.Signer.PublicKey, HeadEnd.SystemTitle);
        Meters = [.. Plan.Meters.Select(p => FleetMeter.Make(Plan, p, Firmware, HeadEnd.Keys))];
        Mesh = new MeshNetwork(options.Mesh, options.Seed, [.. Meters.Select(m => m.Id)],
            [.. Meters.Select(m => m.Plan.Concentrator)], Plan.ConcentratorNames);
        foreach (var gap in Plan.Gaps)
        {
            Mesh.SetBackhaul(gap.Concentrator, false, Plan.At(gap.FromMinute).Seconds * 1_000);
            Mesh.SetBackhaul(gap.Concentrator, true, Plan.At(gap.ToMinute).Seconds * 1_000);
        }
        _supply = new FleetSupply(Plan);
        _reports = [.. Plan.ConcentratorNames.Select(_ => new Queue<ConcentratorReport>())];
        _carriedImport = new long[Meters.Count];
        _carriedExport = new long[Meters.Count];
        var spread = SplitMix64.For(options.Seed, "push spread");
        _spreadMs = [.. Meters.Select(_ => 1_000 * spread.Next(SpreadSeconds))];
    }

    public FleetPlan Plan { get; }
    public HeadEnd HeadEnd { get; }
    public FleetFirmware Firmware { get; }
    public MeshNetwork Mesh { get; }
    public IReadOnlyList<FleetMeter> Meters { get; }

    /// <summary>How far the fleet has come; whole intervals.</summary>
    public UnixTime Now => Plan.At(_minute);

    /// <summary>Minutes between two sweeps; a multiple of the interval, or it is the interval's next.</summary>
    public int SweepMinutes { get; set; } = 60;

    /// <summary>Bytes that reached the head-end.</summary>
    public long BytesDelivered { get; private set; }

    /// <summary>What the registry says before the first frame, in order.</summary>
    public IEnumerable<Input> Registry() => FleetRegistry.Of(Plan, Firmware, HeadEnd, Meters);

    /// <summary>
    /// Brings everything forward, an interval at a time, to the last that ends by <paramref name="to"/>, and gives what
    /// reached the utility in order of arrival. The list is the caller's.
    /// </summary>
    public IReadOnlyList<FleetItem> Step(UnixTime to)
    {
        _items.Clear();
        var interval = Plan.Options.IntervalMinutes;
        while (_day < Plan.Options.Days && Plan.At(_minute + interval).Seconds <= to.Seconds) Interval(interval);
        return [.. _items];
    }

    private void Interval(int interval)
    {
        _supply.Load(_day);
        if (_minute == 0 || _toldOn != _day && _day % StatusDays == 0) TellCustomers();
        var slot = (int)((Now.Minutes - Plan.World.LocalDay(_day).StartMinute) / interval);
        foreach (var (minute, feeder, on) in _supply.Edges(_minute + interval))
        {
            Carry(1_000 * Plan.At(minute).Seconds);
            foreach (var meter in Meters)
                if (meter.Plan.Feeder == feeder) SetPower(meter, on, Plan.At(minute));
        }
        _minute += interval;
        Carry(1_000 * Now.Seconds);
        foreach (var meter in Meters) Measure(meter, slot);
        HeadEnd.Tick(Now);
        Send();
        Carry(1_000 * Now.Seconds + 1);
        Note();
        if (slot == Plan.World.Slots(_day) - 1) EndDay();
        if (_minute % Plan.Options.ReportMinutes == 0) Report();
        if (_minute % SweepMinutes == 0) _items.Add(FleetItem.Of(new Sweep(Now)));
    }

    /// <summary>
    /// Days after which the utility says anew how much its customers depend on supply: older than 30 it is worth
    /// nothing.
    /// </summary>
    private const int StatusDays = 14;

    private int _toldOn = -1;

    /// <summary>Customers who depend on supply more than others, by their place.</summary>
    public IDictionary<int, CustomerCategory> Categories { get; } = new SortedDictionary<int, CustomerCategory>();

    private void TellCustomers()
    {
        _toldOn = _day;
        foreach (var meter in Meters)
            _items.Add(FleetItem.Of(new CustomerStatus(meter.Id, Now,
                Categories.TryGetValue(meter.Index, out var category) ? category : CustomerCategory.Ordinary,
                "customer records")));
    }

    /// <summary>Switches a meter's supply; between steps also for scripts. The modem is on the same supply.</summary>
    public void SetPower(FleetMeter meter, bool on, UnixTime at)
    {
        if (on) meter.Zeus.PowerOn(at);
        else meter.Zeus.PowerCut(at);
        Mesh.SetPower(meter.Index, on, 1_000 * at.Seconds);
        if (on) Drain(meter, at, 1_000 * at.Seconds + _spreadMs[meter.Index]);
    }

    /// <summary>What the metrology counted before a cut comes with the first interval after it.</summary>
    private void Measure(FleetMeter meter, int slot)
    {
        var (import, export) = _supply.Flow(meter.Plan, slot);
        if (!meter.Zeus.Metrology.Switch.Switch.Output) _supply.Withhold(meter.Plan, slot, 1 - meter.BypassShare);
        _carriedImport[meter.Index] += import;
        _carriedExport[meter.Index] += export;
        if (!meter.Zeus.IsPowered) return;
        meter.Zeus.Advance(Now, meter.Supply(Now, _carriedImport[meter.Index], _carriedExport[meter.Index]));
        (_carriedImport[meter.Index], _carriedExport[meter.Index]) = (0, 0);
        Drain(meter, Now, 1_000 * Now.Seconds + _spreadMs[meter.Index]);
    }

    /// <summary>Takes what the meter has to say and gives it to the mesh.</summary>
    private void Drain(FleetMeter meter, UnixTime now, long atMs)
    {
        foreach (var frame in meter.Zeus.Drain(now)) Mesh.SendUp(meter.Index, frame, atMs++);
    }

    /// <summary>Lets the mesh carry until a time; who receives something answers at once.</summary>
    private void Carry(long untilMs)
    {
        while (Mesh.TryNext(untilMs, out var arrival))
        {
            if (arrival.Direction == FrameDirection.ToMeter)
            {
                var meter = Meters[arrival.Meter];
                meter.Zeus.Receive(arrival.Bytes, arrival.At);
                Drain(meter, arrival.At, arrival.AtMs + 1);
                continue;
            }
            HeadEnd.Take(arrival);
            Note();
            BytesDelivered += arrival.Bytes.Length;
            _items.Add(new FleetItem(new Delivery(arrival.At, Plan.ConcentratorNames[arrival.Concentrator],
                arrival.Bytes), null));
            Send();
        }
    }

    private void Send()
    {
        while (HeadEnd.TryTakeFrame(out var frame))
            Mesh.SendDown(frame.Meter, frame.Frame, frame.AtMs, frame.IsRecovery);
    }

    private void Note()
    {
        HeadEnd.TakeNotes(_notes);
        foreach (var note in _notes) _items.Add(FleetItem.Of(note));
        _notes.Clear();
    }

    private void EndDay()
    {
        for (var f = 0; f < Plan.Options.Feeders; f++)
            foreach (var block in _supply.Observed(f)) _items.Add(new FleetItem(null, block));
        _day++;
    }

    /// <summary>Concentrators account for the period; what the backhaul does not take waits in them.</summary>
    private void Report()
    {
        for (var c = 0; c < _reports.Length; c++)
        {
            if (_reports[c].Count == MaxReports) _reports[c].Dequeue();
            _reports[c].Enqueue(Mesh.Report(c, Now, 60 * Plan.Options.ReportMinutes));
            while (Mesh.IsUp(c) && _reports[c].TryDequeue(out var report)) _items.Add(FleetItem.Of(report));
        }
    }

    public void Dispose() => HeadEnd.Keys.Dispose();
}
