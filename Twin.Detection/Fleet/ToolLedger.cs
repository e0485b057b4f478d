using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// Sessions that wrote at optical ports, by field tool and by contractor, over sliding days. A series is what happened
/// in Puerto Rico: one person reprograms meter after meter, each of which looks in order. Honest field work has work
/// orders, and now and then one is missing: the count without orders is held against that, the count with orders
/// against what this tool usually does.
/// </summary>
public sealed class ToolLedger
{
    /// <summary>Most tools and contractors of a partition; at the bound the one unused for longest is forgotten.
    /// </summary>
    public const int MaxTools = 1_024;

    /// <summary>Sessions without order that are kept of one tool; at the bound the oldest is dropped.</summary>
    public const int MaxUncovered = 256;

    /// <summary>Days of the sliding window.</summary>
    public const int WindowDays = 28;

    /// <summary>Meters without order that make a series where the utility's orders are imported, and where not.
    /// </summary>
    private const int SeriesMeters = 5, SeriesMetersWithoutOrders = 10;

    /// <summary>Share of honest field work whose order is missing or came late.</summary>
    private const double HonestShare = 0.05;

    /// <summary>Covered sessions of one week that are unusual: this many, and this many times the usual week.</summary>
    private const int UnusualWeek = 50, TimesUsual = 5;

    /// <summary>Days that a tool is known before its own rate says anything.</summary>
    private const int WarmUpDays = 21;
    private const byte EncodingVersion = 1;

    private readonly record struct Session(long At, ulong Meter, string Name);

    private sealed class Tool
    {
        public required ulong Hash { get; init; }
        public required string Name { get; init; }
        public required int FirstDay { get; init; }
        public int LastDay;
        public readonly ushort[] Covered = new ushort[WindowDays];
        public readonly ushort[] Uncovered = new ushort[WindowDays];
        public readonly List<Session> Open = [];

        /// <summary>Begin of the series that is stated, and its meters when it was stated last; 0 when none.</summary>
        public long SeriesFrom;
        public int SeriesStated;
        public int RateStatedDay = int.MinValue;
    }

    /// <summary>The one used last stands last.</summary>
    private readonly List<Tool> _tools = [];
    private readonly Dictionary<ulong, Tool> _byHash = [];

    public int Count => _tools.Count;

    /// <summary>
    /// A tool wrote to a meter. <paramref name="ordersKnown"/>: some session or switching in the fleet was covered by
    /// a work order, so that orders are imported at all.
    /// </summary>
    public void Note(ulong hash, string name, bool covered, bool ordersKnown, in Party meter, UnixTime at,
        in Party fleet, IFindingSink findings)
    {
        var day = (int)Math.DivRem(at.Seconds, 86_400).Quotient;
        var tool = ToolOf(hash, name, day);
        Advance(tool, day);
        if (day <= tool.LastDay - WindowDays) return;
        ref var slot = ref (covered ? tool.Covered : tool.Uncovered)[Slot(day)];
        slot = (ushort)Math.Min(ushort.MaxValue, slot + 1);
        if (covered)
        {
            JudgeRate(tool, at, fleet, findings);
            return;
        }
        tool.Open.Add(new Session(at.Seconds, meter.Key.Id, meter.Name));
        if (tool.Open.Count > MaxUncovered) tool.Open.RemoveAt(0);
        JudgeSeries(tool, ordersKnown, at, fleet, findings);
    }

    private static int Slot(int day) => ((day % WindowDays) + WindowDays) % WindowDays;

    private static void Advance(Tool tool, int day)
    {
        if (day <= tool.LastDay) return;
        for (var d = Math.Max(tool.LastDay + 1, day - WindowDays + 1); d <= day; d++)
            (tool.Covered[Slot(d)], tool.Uncovered[Slot(d)]) = (0, 0);
        tool.LastDay = day;
        tool.Open.RemoveAll(s => s.At < (day - WindowDays + 1L) * 86_400);
        if (tool.Open.Count == 0) (tool.SeriesFrom, tool.SeriesStated) = (0, 0);
    }

    private static void JudgeSeries(Tool tool, bool ordersKnown, UnixTime at, in Party fleet, IFindingSink findings)
    {
        var meters = tool.Open.DistinctBy(s => s.Meter).ToArray();
        var sessions = Sum(tool.Covered) + Sum(tool.Uncovered);
        var expected = HonestShare * sessions;
        var limit = Math.Max(ordersKnown ? SeriesMeters : SeriesMetersWithoutOrders,
            ordersKnown ? expected + 4 * Math.Sqrt(expected) : 0);
        // Stated again, under the same id, each time the series has doubled.
        if (meters.Length < limit || meters.Length < 2 * tool.SeriesStated) return;
        if (tool.SeriesStated == 0) tool.SeriesFrom = tool.Open.Min(s => s.At);
        tool.SeriesStated = meters.Length;
        string[] counter = ordersKnown ? []
            : ["no work order is on record in the whole fleet: orders may not be imported"];
        findings.Add(FleetStatements.Make(new Party(fleet.Key, tool.Name), FindingKind.ContractorSeries,
            new UnixTime(tool.SeriesFrom), at, at, 4, ordersKnown ? Severity.High : Severity.Medium, 0.9,
            FleetStatements.Tools, "T0836",
            $"{tool.Name} wrote to {meters.Length} meters at the optical port within "
                + $"{FleetStatements.Duration(at.Seconds - tool.SeriesFrom)} without a work order: "
                + FleetStatements.Names([.. meters.Select(m => m.Name)], meters.Length) + ".",
            [
                new Evidence("meters_without_order", meters.Length, expected, 0.8, ""),
                new Evidence("sessions_in_28_days", sessions, 0, 0.2, ""),
            ], counter) with
        { Cause = SharedCauses.Tool(tool.Name) });
    }

    private static void JudgeRate(Tool tool, UnixTime at, in Party fleet, IFindingSink findings)
    {
        if (tool.LastDay - tool.FirstDay < WarmUpDays || (long)tool.LastDay - tool.RateStatedDay < WindowDays) return;
        var (week, before) = (0, 0);
        for (var back = 0; back < WindowDays; back++)
        {
            if (back < 7) week += tool.Covered[Slot(tool.LastDay - back)];
            else before += tool.Covered[Slot(tool.LastDay - back)];
        }
        var usual = before / 3.0;
        if (week < UnusualWeek || week < TimesUsual * usual) return;
        tool.RateStatedDay = tool.LastDay;
        findings.Add(FleetStatements.Make(new Party(fleet.Key, tool.Name), FindingKind.ContractorSeries,
            new UnixTime((tool.LastDay - 6L) * 86_400), at, at, 1.5, Severity.Low, 0.6, FleetStatements.Tools, "T0836",
            $"{tool.Name} wrote to meters {week} times in a week, where {FleetStatements.Number(usual)} are usual.",
            [new Evidence("sessions_in_week", week, usual, 1, "")],
            "every one of these sessions has a work order: a programme of field work looks the same")
            with
        { Cause = SharedCauses.Tool(tool.Name) });
    }

    private static int Sum(ushort[] days)
    {
        var sum = 0;
        foreach (var d in days) sum += d;
        return sum;
    }

    private Tool ToolOf(ulong hash, string name, int day)
    {
        if (_byHash.TryGetValue(hash, out var tool))
        {
            _tools.Remove(tool);
            _tools.Add(tool);
            return tool;
        }
        if (_tools.Count == MaxTools)
        {
            _byHash.Remove(_tools[0].Hash);
            _tools.RemoveAt(0);
        }
        tool = new Tool { Hash = hash, Name = name, FirstDay = day, LastDay = day };
        _tools.Add(tool);
        _byHash[hash] = tool;
        return tool;
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_tools.Count);
        foreach (var t in _tools)
        {
            to.UInt64(t.Hash);
            to.Text(t.Name);
            to.VarInt(t.FirstDay);
            to.VarInt(t.LastDay);
            foreach (var n in t.Covered) to.VarUInt(n);
            foreach (var n in t.Uncovered) to.VarUInt(n);
            to.VarUInt((ulong)t.Open.Count);
            foreach (var s in t.Open)
            {
                to.VarInt(s.At);
                to.UInt64(s.Meter);
                to.Text(s.Name);
            }
            to.VarInt(t.SeriesFrom);
            to.VarUInt((ulong)t.SeriesStated);
            to.VarInt(t.RateStatedDay);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static ToolLedger Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a ledger of tools");
        var ledger = new ToolLedger();
        var count = r.Count(MaxTools);
        for (var i = 0; i < count; i++)
        {
            var (hash, name, first, last) = (r.UInt64(), r.Text(), r.Int(), r.Int());
            var t = new Tool { Hash = hash, Name = name, FirstDay = first, LastDay = last };
            for (var d = 0; d < WindowDays; d++) t.Covered[d] = (ushort)r.Count(ushort.MaxValue);
            for (var d = 0; d < WindowDays; d++) t.Uncovered[d] = (ushort)r.Count(ushort.MaxValue);
            var open = r.Count(MaxUncovered);
            for (var s = 0; s < open; s++) t.Open.Add(new Session(Codes.ReadSeconds(ref r), r.UInt64(), r.Text()));
            t.SeriesFrom = Codes.ReadSeconds(ref r);
            t.SeriesStated = r.Count(MaxUncovered);
            t.RateStatedDay = r.Int();
            ledger._tools.Add(t);
            if (!ledger._byHash.TryAdd(hash, t)) throw r.Bad("a tool is there twice");
        }
        return ledger;
    }
}
