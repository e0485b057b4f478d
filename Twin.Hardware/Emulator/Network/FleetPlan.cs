using System.Globalization;

namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// One meter of the plan. <paramref name="Index"/>: its place among the customers and its number in the mesh;
/// <paramref name="Home"/>: its place in the world. Instants of its making and mounting lie before the run.
/// </summary>
public sealed record PlannedMeter(int Index, int Home, string Name, MeterId Id, int Feeder, int Concentrator,
    FleetModel Model, string Lot, string Plant, string Contractor, string Installer, UnixTime Made,
    UnixTime Installed);

/// <summary>
/// Who hangs where, who made it and who mounted it: all that is fixed before the first interval. Drawn from the seed.
/// </summary>
public sealed class FleetPlan
{
    private static readonly string[] Plants = ["Plant East", "Plant South"];
    private const int Day = 86_400;

    /// <summary>Manufacturer and device type in a system title: three letters, then a type.</summary>
    private const ulong TitlePrefix = 0x5A45_5510UL << 32;

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public FleetPlan(FleetOptions options)
    {
        options.Validate();
        Options = options;
        World = new World(new WorldOptions
        {
            Seed = options.Seed, Meters = options.Meters, Feeders = options.Feeders, Start = options.Start,
            Days = options.Days, IntervalMinutes = options.IntervalMinutes, Zone = options.Zone, AnomalyShare = 0,
            LookAlikeShare = options.LookAlikeShare, FirstOnsetDay = 3,
            ReadingGaps = false,
        });
        Start = UnixTime.FromMinutes(World.LocalDay(0).StartMinute);
        End = UnixTime.FromMinutes(World.LocalDay(options.Days - 1).EndMinute);
        ConcentratorNames = [.. Enumerable.Range(1, options.Concentrators).Select(c => "DC-" + Number(c, 4))];
        Meters = [.. Plan()];
        Cuts = [.. options.Cuts, .. Drawn("cuts", options.Feeders, options.CutsPerYear, 10, 120)
            .Select(d => new AreaCut(d.Of, d.From, d.To))];
        Gaps = [.. options.Gaps, .. Drawn("gaps", options.Concentrators, options.BackhaulGapsPerYear, 15, 150)
            .Select(d => new BackhaulGap(d.Of, d.From, d.To))];
    }

    public FleetOptions Options { get; }
    public World World { get; }

    /// <summary>The first instant of the run, and the one behind its last.</summary>
    public UnixTime Start { get; }
    public UnixTime End { get; }
    public IReadOnlyList<string> ConcentratorNames { get; }
    public IReadOnlyList<PlannedMeter> Meters { get; }
    public IReadOnlyList<AreaCut> Cuts { get; }
    public IReadOnlyList<BackhaulGap> Gaps { get; }

    public UnixTime At(int minuteOfRun) => new(Start.Seconds + 60L * minuteOfRun);

    public int ConcentratorOf(int feeder) =>
        (int)((long)feeder * Options.Concentrators / Options.Feeders);

    /// <summary>The registry's row of a meter; observers as the world has them.</summary>
    public MeterRelation Relation(PlannedMeter meter) => World.Fleet[meter.Home] with
    {
        Meter = meter.Id,
        Model = meter.Model.Model,
        Firmware = meter.Model.Firmware,
        Lot = meter.Lot,
        Installed = Date(meter.Installed),
        Concentrator = ConcentratorNames[meter.Concentrator],
    };

    public static string Date(UnixTime at) =>
        at.ToString()[..10];

    private List<PlannedMeter> Plan()
    {
        var draw = SplitMix64.For(Options.Seed, "fleet-plan");
        var shares = Options.Models.Sum(m => m.Share);
        var meters = new List<PlannedMeter>(Options.Meters);
        for (var f = 0; f < Options.Feeders; f++)
        {
            var feeder = World.Feeders[f];
            // One contractor a street; a tenth is mounted by another.
            var usual = draw.Next(Options.Contractors.Count);
            for (var i = feeder.HasObserver ? 1 : 0; i < feeder.MeterCount; i++)
                meters.Add(Draw(draw, meters.Count, feeder.FirstMeter + i, f, usual, shares));
        }
        return meters;
    }

    private PlannedMeter Draw(SplitMix64 draw, int index, int home, int feeder, int usual, int shares)
    {
        var at = draw.Next(shares);
        var model = Options.Models.First(m => (at -= m.Share) < 0);
        var lot = draw.Next(model.Lots);
        if (Options.LotsByFeeder) lot = feeder % model.Lots;
        var firm = Options.Contractors[draw.NextDouble() < 0.1 ? draw.Next(Options.Contractors.Count) : usual];
        var installer = firm.Name + " " + Number(1 + draw.Next(firm.Installers), 2);
        var made = Start.Seconds - Day * (200L + 30 * lot) + draw.Next(20 * Day);
        var installed = Start.Seconds - Day * (3L + draw.Next(25)) + 8 * 3_600 + draw.Next(8 * 3_600);
        var serial = Options.Seed % 251 << 24 | (uint)index + 1;
        return new PlannedMeter(index, home, World.Fleet[home].Name, new MeterId(TitlePrefix | serial), feeder,
            ConcentratorOf(feeder), model, $"{model.Model}-L{Number(lot + 1, 2)}", Plants[lot % Plants.Length],
            firm.Name, installer, new UnixTime(made), new UnixTime(installed));
    }

    /// <summary>Disturbances at random minutes, at most <see cref="FleetOptions.MaxDisturbances"/>.</summary>
    private List<(int Of, int From, int To)> Drawn(string what, int of, double perYear, int shortest, int longest)
    {
        var draw = SplitMix64.For(Options.Seed, what);
        var minutes = checked(Options.Days * 1_440);
        var found = new List<(int, int, int)>();
        for (var i = 0; i < of; i++)
        {
            for (var day = 0; day < Options.Days && found.Count < FleetOptions.MaxDisturbances; day++)
            {
                if (draw.NextDouble() * 365 >= perYear) continue;
                var from = day * 1_440 + draw.Next(1_440);
                var to = Math.Min(minutes, from + shortest + draw.Next(longest - shortest + 1));
                if (to > from) found.Add((i, from, to));
            }
        }
        return found;
    }

    private static string Number(int number, int digits) =>
        number.ToString("D" + digits, CultureInfo.InvariantCulture);
}
