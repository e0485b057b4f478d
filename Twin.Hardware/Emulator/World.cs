namespace Twin.Hardware.Emulator;

/// <summary>
/// Dated context that the utility's other systems know: only some of the innocent causes are recorded.
/// </summary>
public sealed record WorldContext(string Meter, ContextPeriod Period);

/// <summary>
/// Readings of one meter that come after their time: those missing on days <paramref name="FromDay"/> to
/// <paramref name="ToDay"/>.
/// </summary>
public sealed record Backfill(int MeterIndex, int FromDay, int ToDay, int ArrivalDay);

/// <summary>
/// A seeded fleet and its telemetry. Any day of any meter can be asked for in any order and gives the same values;
/// nothing is kept of days already made but the weather. A feeder's day at once is far cheaper than its observer's day
/// alone. Not safe for use from several threads.
/// </summary>
public sealed class World
{
    private readonly Clock _clock;
    private readonly Weather[] _weather;
    private readonly Household?[] _homes;
    private readonly SortedDictionary<int, Part> _parts;
    private readonly MeterRelation[] _fleet;
    private readonly WorldFeeder[] _feeders;
    private readonly int[] _feederOf;
    private readonly ulong _noiseSeed;

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public World(WorldOptions options)
    {
        options.Validate();
        Options = options;
        _clock = new Clock(options);
        _feeders = WorldFleet.Feeders(options);
        _fleet = WorldFleet.Relations(options, _feeders);
        _weather = [.. Enumerable.Range(0, _feeders[^1].Region + 1)
            .Select(r => new Weather(options.Seed, "R" + (r + 1), _clock))];
        _noiseSeed = SplitMix64.For(options.Seed, "observers").NextUInt64();
        _feederOf = new int[_fleet.Length];
        for (var f = 0; f < _feeders.Length; f++)
            _feederOf.AsSpan(_feeders[f].FirstMeter, _feeders[f].MeterCount).Fill(f);
        _homes = Homes();
        _parts = Casting.Deal(options, _homes);
        foreach (var (meter, part) in _parts) SetLevel(meter, part);
        Labels = [.. _parts.Select(p => LabelOf(p.Key, p.Value))];
        Context = Recorded();
        Backfills = [.. _parts.Where(p => p.Value.Kind == LabelKind.GapBackfill && p.Value.Arrival < options.Days)
            .Select(p => new Backfill(p.Key, p.Value.From, p.Value.To, p.Value.Arrival))];
    }

    public WorldOptions Options { get; }

    /// <summary>One row a meter; a meter's index is its place here.</summary>
    public IReadOnlyList<MeterRelation> Fleet => _fleet;

    public IReadOnlyList<WorldFeeder> Feeders => _feeders;

    /// <summary>The truth, in meter order.</summary>
    public IReadOnlyList<Label> Labels { get; }

    public IReadOnlyList<WorldContext> Context { get; }

    /// <summary>Readings delivered late, in meter order; those that would come after the last day never come.</summary>
    public IReadOnlyList<Backfill> Backfills { get; }

    public LocalDay LocalDay(int day) => _clock.Local(day);

    /// <summary>Intervals of the day: fewer or more than usual when the clock is set.</summary>
    public int Slots(int day) => _clock.Slots(day);

    /// <summary>
    /// True when the meter ever has an export channel; an observer has one when a customer behind it has.
    /// </summary>
    public bool HasExport(int meter)
    {
        if (_homes[meter] is { } home) return home.HasPv || PartOf(meter)?.Kind == LabelKind.NewPv;
        var feeder = _feeders[_feederOf[meter]];
        for (var i = 1; i < feeder.MeterCount; i++)
            if (HasExport(feeder.FirstMeter + i)) return true;
        return false;
    }

    /// <summary>
    /// Fills what the meter reported by the day's end, <c>Slots(day)</c> values of Wh each;
    /// <see cref="ReadingBlock.Missing"/> in gaps and for a channel that is not there.
    /// </summary>
    public void Day(int day, int meter, Span<int> import, Span<int> export)
    {
        if (_homes[meter] is not null)
        {
            True(day, meter, import, export);
            Report(day, meter, import, export);
            return;
        }
        var feeder = _feeders[_feederOf[meter]];
        Span<long> net = stackalloc long[HouseholdDay.MaxSlots];
        net = net[..import.Length];
        net.Clear();
        for (var i = 1; i < feeder.MeterCount; i++)
        {
            True(day, feeder.FirstMeter + i, import, export);
            Add(net, import, export);
        }
        Observe(day, meter, net, import, export);
    }

    /// <summary>
    /// Fills a whole feeder's day, one row of <c>Slots(day)</c> values a meter in fleet order: the same values as
    /// <see cref="Day"/>.
    /// </summary>
    public void FeederDay(int day, int feederIndex, Span<int> import, Span<int> export)
    {
        var feeder = _feeders[feederIndex];
        var slots = Slots(day);
        Span<long> net = stackalloc long[HouseholdDay.MaxSlots];
        net = net[..slots];
        net.Clear();
        for (var i = feeder.HasObserver ? 1 : 0; i < feeder.MeterCount; i++)
        {
            Span<int> taken = import.Slice(i * slots, slots), given = export.Slice(i * slots, slots);
            True(day, feeder.FirstMeter + i, taken, given);
            Add(net, taken, given);
            Report(day, feeder.FirstMeter + i, taken, given);
        }
        if (feeder.HasObserver) Observe(day, feeder.FirstMeter, net, import[..slots], export[..slots]);
    }

    /// <summary>
    /// Fills what a backfill brings for one of its days; all else is <see cref="ReadingBlock.Missing"/>.
    /// </summary>
    public void BackfillDay(Backfill backfill, int day, Span<int> import, Span<int> export)
    {
        True(day, backfill.MeterIndex, import, export);
        var (begin, end) = PartOf(backfill.MeterIndex)?.GapSlots(day, import.Length) ?? default;
        foreach (var channel in (ReadOnlySpan<bool>)[true, false])
        {
            var values = channel ? import : export;
            values[..begin].Fill(ReadingBlock.Missing);
            values[end..].Fill(ReadingBlock.Missing);
        }
    }

    private Part? PartOf(int meter) => _parts.TryGetValue(meter, out var part) ? part : null;

    private Household?[] Homes()
    {
        var homes = new Household?[_fleet.Length];
        var seed = SplitMix64.For(Options.Seed, "homes").NextUInt64();
        for (int i = 0, customer = 0; i < homes.Length; i++)
        {
            if (_fleet[i].Role == MeterRole.Observer) continue;
            homes[i] = Household.Draw(StableHash.Mix(unchecked(seed + (ulong)++customer * 0x9E3779B97F4A7C15UL)),
                Options);
        }
        return homes;
    }

    /// <summary>What truly passed the customer's connection.</summary>
    private void True(int day, int meter, Span<int> import, Span<int> export)
    {
        var home = _homes[meter]!;
        var part = PartOf(meter);
        if (part?.Before is { } before && day < part.From) home = before;
        var mode = new DayMode(IsAway(home, part, day), HasEv(home, part, day),
            HasEv(home, part, day - 1) && !IsAway(home, part, day - 1),
            part?.Kind == LabelKind.NewPv ? day >= part.From : home.HasPv);
        HouseholdDay.Fill(home, _clock, _weather[_feeders[_feederOf[meter]].Region][day], day, mode, import, export);
    }

    private bool IsAway(Household home, Part? part, int day) =>
        part?.Kind == LabelKind.Vacancy && part.Covers(day) || home.OnHoliday(_clock.Local(0).Number + day);

    private static bool HasEv(Household home, Part? part, int day) =>
        part?.Kind == LabelKind.NewEv ? day >= part.From : home.HasEv;

    private void Report(int day, int meter, Span<int> import, Span<int> export)
    {
        var part = PartOf(meter);
        if (part is null || !part.Covers(day)) return;
        if (part.Kind == LabelKind.RepeatedDays) Replay(day, meter, part, import);
        else if (part.IsGap) Gap(day, meter, part, import, export);
        else part.Distort(_clock, day, import);
    }

    /// <summary>Days of another length keep their own end or lose it.</summary>
    private void Replay(int day, int meter, Part part, Span<int> import)
    {
        var period = Math.Clamp(part.From, 1, 7);
        var source = part.From - Math.Min(part.From, period) + (day - part.From) % period;
        Span<int> taken = stackalloc int[HouseholdDay.MaxSlots], given = stackalloc int[HouseholdDay.MaxSlots];
        var slots = Slots(source);
        True(source, meter, taken[..slots], given[..slots]);
        var shared = Math.Min(slots, import.Length);
        taken[..shared].CopyTo(import);
    }

    private void Gap(int day, int meter, Part part, Span<int> import, Span<int> export)
    {
        var (begin, end) = part.GapSlots(day, import.Length);
        if (part.Kind == LabelKind.GapCatchUp && day == part.To)
        {
            var (missedImport, missedExport) = Missed(meter, part);
            import[end] = checked((int)(import[end] + missedImport));
            if (export[end] != ReadingBlock.Missing) export[end] = checked((int)(export[end] + missedExport));
        }
        import[begin..end].Fill(ReadingBlock.Missing);
        export[begin..end].Fill(ReadingBlock.Missing);
    }

    private (long Import, long Export) Missed(int meter, Part part)
    {
        Span<int> taken = stackalloc int[HouseholdDay.MaxSlots], given = stackalloc int[HouseholdDay.MaxSlots];
        long import = 0, export = 0;
        for (var day = part.From; day <= part.To; day++)
        {
            var slots = Slots(day);
            True(day, meter, taken[..slots], given[..slots]);
            var (begin, end) = part.GapSlots(day, slots);
            foreach (var x in taken[begin..end]) import += x;
            foreach (var x in given[begin..end]) export += x == ReadingBlock.Missing ? 0 : x;
        }
        return (import, export);
    }

    private static void Add(Span<long> net, ReadOnlySpan<int> import, ReadOnlySpan<int> export)
    {
        for (var s = 0; s < net.Length; s++) net[s] += import[s] - (export[s] == ReadingBlock.Missing ? 0 : export[s]);
    }

    /// <summary>
    /// Loss is added to what flows to the customers and taken from what flows back; the observer's own noise is 0.5 %.
    /// </summary>
    private void Observe(int day, int meter, ReadOnlySpan<long> net, Span<int> import, Span<int> export)
    {
        var feeder = _feeders[_feederOf[meter]];
        var daySeed = unchecked(_noiseSeed + (ulong)meter * 0xD6E8FEB86659FD93UL + (ulong)day);
        var draw = new SplitMix64(StableHash.Mix(daySeed));
        var reverse = HasExport(meter);
        for (var s = 0; s < net.Length; s++)
        {
            var flow = net[s] * (net[s] > 0 ? 1 + feeder.Loss : 1 - feeder.Loss) * (1 + 0.005 * draw.NextNormal());
            import[s] = flow > 0 ? (int)(flow + 0.5) : 0;
            export[s] = !reverse ? ReadingBlock.Missing : flow < 0 ? (int)(0.5 - flow) : 0;
        }
    }

    /// <summary>
    /// A cap bites and a stuck register stands at a real value only when they come from the home's own readings.
    /// </summary>
    private void SetLevel(int meter, Part part)
    {
        if (part.Kind is not (LabelKind.Capped or LabelKind.Stuck)) return;
        var seen = new List<int>();
        Span<int> taken = stackalloc int[HouseholdDay.MaxSlots], given = stackalloc int[HouseholdDay.MaxSlots];
        var last = Math.Max(0, part.From - 1);
        for (var day = Math.Max(0, last - 6); day <= last; day++)
        {
            var slots = Slots(day);
            True(day, meter, taken[..slots], given[..slots]);
            foreach (var x in taken[..slots]) seen.Add(x);
        }
        var stuck = Math.Max(1, seen[^1]);
        seen.Sort();
        // The rate drawn for ramps, 0.05 to 0.1, places the cap between the median and the 80th percentile.
        part.Level = part.Kind == LabelKind.Stuck ? stuck
            : Math.Max(1, seen[(int)(seen.Count * (0.2 + 6 * part.Rate))]);
    }

    private Label LabelOf(int meter, Part part) => new(meter, _fleet[meter].Name, _fleet[meter].Feeder, part.Kind,
        Label.NatureOf(part.Kind), part.From, part.To, part.Note);

    /// <summary>Half of the causes that a utility could know of are on record.</summary>
    private WorldContext[] Recorded()
    {
        var draw = SplitMix64.For(Options.Seed, "context");
        var records = new List<WorldContext>();
        foreach (var label in Labels)
        {
            ContextKind? kind = label.Kind switch
            {
                LabelKind.MoveIn => ContextKind.MoveIn,
                LabelKind.GapCatchUp => ContextKind.Outage,
                LabelKind.NewPv => ContextKind.PlannedWork,
                _ => null,
            };
            if (kind is null || draw.NextDouble() < 0.5) continue;
            var until = label.Kind == LabelKind.GapCatchUp ? label.ToDay : label.FromDay;
            records.Add(new WorldContext(label.Meter, new ContextPeriod(_fleet[label.MeterIndex].Target, kind.Value,
                UnixTime.FromMinutes(LocalDay(label.FromDay).StartMinute),
                UnixTime.FromMinutes(LocalDay(until).EndMinute), label.Note)));
        }
        return [.. records];
    }
}
