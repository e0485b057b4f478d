namespace Twin.Hardware.Emulator.Network;

/// <summary>A kind of meter in a fleet's mix, and its share of the meters (relative to the others').</summary>
public sealed record FleetModel(string Model, string Firmware, uint Version, int Share)
{
    /// <summary>Metrology and application on two boards, with an open wire between.</summary>
    public bool DualBoard { get; init; }

    /// <summary>Lots of this model; each is a cohort and a lot of chips.</summary>
    public int Lots { get; init; } = 1;
}

/// <summary>A firm that mounts meters and how many people it sends.</summary>
public sealed record FleetContractor(string Name, int Installers);

/// <summary>The supply of one feeder is off from one minute of the run to another.</summary>
public readonly record struct AreaCut(int Feeder, int FromMinute, int ToMinute);

/// <summary>The backhaul of one concentrator is down from one minute of the run to another.</summary>
public readonly record struct BackhaulGap(int Concentrator, int FromMinute, int ToMinute);

/// <summary>What is emulated. One set of options gives the same bytes on every machine.</summary>
public sealed record FleetOptions
{
    public const int MaxMeters = 100_000;
    public const int MaxDays = 3_660;

    /// <summary>Cuts and gaps that are drawn or given, each; more are refused.</summary>
    public const int MaxDisturbances = 100_000;

    public ulong Seed { get; init; } = 1;

    /// <summary>Customers' meters, 1 to <see cref="MaxMeters"/>; observers of feeders come on top.</summary>
    public int Meters { get; init; } = 60;
    public int Feeders { get; init; } = 3;
    public int Concentrators { get; init; } = 1;

    public DateOnly Start { get; init; } = new(2025, 9, 1);
    public int Days { get; init; } = 30;

    /// <summary>Length of an interval: 15 or 30 minutes, or an hour.</summary>
    public int IntervalMinutes { get; init; } = 15;
    public string Zone { get; init; } = "UTC";

    /// <summary>How often meters push their load profile, minutes; divides the day, in whole intervals.</summary>
    public int PushMinutes { get; init; } = 240;

    public IReadOnlyList<FleetModel> Models { get; init; } =
        [new("ZEUS-1", "2.4.1", 20_401, 3) { Lots = 2 }, new("ZEUS-2D", "1.8.0", 10_800, 1) { DualBoard = true }];

    public IReadOnlyList<FleetContractor> Contractors { get; init; } =
        [new("Northline Metering", 3), new("Volta Field Services", 3), new("Own staff", 2)];

    public MeshOptions Mesh { get; init; } = new();

    /// <summary>Mean supply cuts a feeder and year, and outages a concentrator's backhaul and year.</summary>
    public double CutsPerYear { get; init; } = 2;
    public double BackhaulGapsPerYear { get; init; } = 4;

    /// <summary>Besides those drawn: cuts and gaps at given minutes of the run.</summary>
    public IReadOnlyList<AreaCut> Cuts { get; init; } = [];
    public IReadOnlyList<BackhaulGap> Gaps { get; init; } = [];

    /// <summary>Period of the concentrators' reports, minutes; a multiple of the interval.</summary>
    public int ReportMinutes { get; init; } = 60;

    /// <summary>Mean hours between two challenges of a meter.</summary>
    public int AttestHours { get; init; } = 24;

    /// <summary>How meters were made, other than honestly; by their place among the customers.</summary>
    public IReadOnlyDictionary<int, MeterBirth> Births { get; init; } = new Dictionary<int, MeterBirth>();

    /// <summary>True when a street gets its meters from one pallet, so that a feeder has one lot of each
    /// model.</summary>
    public bool LotsByFeeder { get; init; }

    /// <summary>Innocent changes among the homes (cars, panels, empty homes, movers), share 0 to 1.</summary>
    public double LookAlikeShare { get; init; }

    /// <exception cref="ArgumentException">An option is out of its range; the message names it.</exception>
    public void Validate()
    {
        Check(Meters is >= 1 and <= MaxMeters, $"meters must be 1 to {MaxMeters}, not {Meters}");
        Check(Feeders >= 1 && Feeders <= Meters, $"feeders must be 1 to {Meters}, not {Feeders}");
        Check(Concentrators >= 1 && Concentrators <= Feeders,
            $"concentrators must be 1 to {Feeders}, not {Concentrators}");
        Check(Days is >= 1 and <= MaxDays, $"days must be 1 to {MaxDays}, not {Days}");
        Check(IntervalMinutes is 15 or 30 or 60, $"the interval must be 15, 30 or 60 minutes, not {IntervalMinutes}");
        Check(PushMinutes >= IntervalMinutes && PushMinutes % IntervalMinutes == 0 && 1_440 % PushMinutes == 0,
            $"pushes must come in whole intervals and divide the day, not every {PushMinutes} minutes");
        Check(Models.Count is >= 1 and <= 64 && Models.All(m => m.Share >= 1 && m.Lots is >= 1 and <= 64),
            "there must be 1 to 64 models, each with a share of at least 1 and 1 to 64 lots");
        Check(Contractors.Count is >= 1 and <= 64 && Contractors.All(c => c.Installers is >= 1 and <= 1_000),
            "there must be 1 to 64 contractors with 1 to 1000 installers each");
        Check(CutsPerYear is >= 0 and <= 365, $"cuts a year must be 0 to 365, not {CutsPerYear}");
        Check(BackhaulGapsPerYear is >= 0 and <= 365, $"gaps a year must be 0 to 365, not {BackhaulGapsPerYear}");
        Check(ReportMinutes >= IntervalMinutes && ReportMinutes <= 1_440 && ReportMinutes % IntervalMinutes == 0,
            $"reports must come every {IntervalMinutes} to 1440 minutes, in whole intervals, not {ReportMinutes}");
        Check(AttestHours is >= 1 and <= 8_760, $"challenges must come every 1 to 8760 hours, not {AttestHours}");
        Check(Cuts.Count <= MaxDisturbances && Cuts.All(c => c.Feeder >= 0 && c.Feeder < Feeders && Sound(c.FromMinute,
            c.ToMinute)), "a cut names a feeder and ends after it begins, 0 or more minutes into the run");
        Check(Gaps.Count <= MaxDisturbances && Gaps.All(g => g.Concentrator >= 0 && g.Concentrator < Concentrators
            && Sound(g.FromMinute, g.ToMinute)), "a gap names a concentrator and ends after it begins");
        Mesh.Validate();
    }

    private static bool Sound(int from, int to) => from >= 0 && to > from;

    private static void Check(bool holds, string message)
    {
        if (!holds) throw new ArgumentException($"The fleet cannot be made: {message}.");
    }
}
