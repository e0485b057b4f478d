namespace Twin.Hardware.Emulator;

/// <summary>
/// What is generated. The same options give the same bytes on every machine: only + − × ÷ on doubles, rounded to whole
/// Wh.
/// </summary>
public sealed record WorldOptions
{
    /// <summary>The largest fleet (customers) and the longest span (21 years) that one world holds in memory.</summary>
    public const int MaxMeters = 1_000_000;
    public const int MaxDays = 7_671;

    /// <summary>Mean number of customers behind one transformer.</summary>
    public const int CustomersPerFeeder = 20;

    public ulong Seed { get; init; } = 1;

    /// <summary>Customers, 1 to <see cref="MaxMeters"/>; observers come on top.</summary>
    public int Meters { get; init; } = 300;

    /// <summary>Feeders; 0 stands for one per <see cref="CustomersPerFeeder"/> customers, at least one.</summary>
    public int Feeders { get; init; }

    /// <summary>Whether each feeder has an observer meter at its transformer.</summary>
    public bool Observers { get; init; } = true;

    /// <summary>The first local day.</summary>
    public DateOnly Start { get; init; } = new(2025, 1, 6);

    /// <summary>Local days, 1 to <see cref="MaxDays"/>.</summary>
    public int Days { get; init; } = 60;

    /// <summary>5, 10, 15, 20, 30 or 60.</summary>
    public int IntervalMinutes { get; init; } = 30;

    /// <summary>IANA name, or a fixed offset like <c>+02:00</c>.</summary>
    public string Zone { get; init; } = "UTC";

    /// <summary>Share of customers with a theft or a fault, 0 to 1; rounded to whole customers.</summary>
    public double AnomalyShare { get; init; } = 0.05;

    /// <summary>
    /// Share of customers with an innocent change that looks like one, 0 to 1 − <see cref="AnomalyShare"/>.
    /// </summary>
    public double LookAlikeShare { get; init; } = 0.05;

    /// <summary>
    /// Whether readings that are missing for some days are among the look-alikes. Not where a network is emulated:
    /// there a meter goes on counting while it is out of reach, and the network makes the gaps.
    /// </summary>
    public bool ReadingGaps { get; init; } = true;

    /// <summary>
    /// Earliest day index of an onset; short worlds begin a third of the way in. Detectors need a history to compare
    /// with.
    /// </summary>
    public int FirstOnsetDay { get; init; } = 21;

    /// <summary>Onsets lie before this day index, and within the first three quarters of the days.</summary>
    public int LastOnsetDay { get; init; } = int.MaxValue;

    /// <summary>
    /// Shares of homes that charge a car, have a roof with PV, and heat or cool with electricity from the first day on.
    /// </summary>
    public double EvShare { get; init; } = 0.06;
    public double PvShare { get; init; } = 0.08;
    public double ElectricHeatShare { get; init; } = 0.15;
    public double CoolingShare { get; init; } = 0.12;

    /// <summary>These options over so many calendar years from the first day.</summary>
    public WorldOptions OverYears(int years) => years is >= 1 and <= MaxDays / 365
        ? this with { Days = Start.AddYears(years).DayNumber - Start.DayNumber }
        : throw new ArgumentException("The generated world cannot be made: "
            + $"years must be 1 to {MaxDays / 365}, not {years}.");

    internal int FeederCount => Feeders > 0 ? Feeders : Math.Max(1, Meters / CustomersPerFeeder);

    /// <exception cref="ArgumentException">An option is out of its range; the message names it.</exception>
    public void Validate()
    {
        Check(Meters is >= 1 and <= MaxMeters, $"meters must be 1 to {MaxMeters}, not {Meters}");
        Check(Feeders >= 0 && Feeders <= Meters,
            $"feeders must be 0 (one per {CustomersPerFeeder} meters) to {Meters}, not {Feeders}");
        Check(Days is >= 1 and <= MaxDays, $"days must be 1 to {MaxDays}, not {Days}");
        Check(Start.Year is >= 1971 and <= 2100, $"the first day must lie in 1971 to 2100, not {Start:yyyy-MM-dd}");
        Check(IntervalMinutes is 5 or 10 or 15 or 20 or 30 or 60,
            $"the interval must be 5, 10, 15, 20, 30 or 60 minutes, not {IntervalMinutes}");
        Check(ZoneRules.TryGet(Zone, out _), $"zone '{Zone}' is neither an IANA name nor an offset like +02:00");
        Check(FirstOnsetDay >= 0, $"the first onset day must be 0 or later, not {FirstOnsetDay}");
        CheckShare(AnomalyShare, "anomalies");
        CheckShare(LookAlikeShare, "look-alikes");
        CheckShare(AnomalyShare + LookAlikeShare, "anomalies and look-alikes together");
        CheckShare(EvShare, "EV");
        CheckShare(PvShare, "PV");
        CheckShare(ElectricHeatShare, "electric heating");
        CheckShare(CoolingShare, "cooling");
    }

    private static void CheckShare(double share, string of) =>
        Check(share is >= 0 and <= 1, $"the share of {of} must be 0 to 1, not {share}");

    private static void Check(bool holds, string message)
    {
        if (!holds) throw new ArgumentException($"The generated world cannot be made: {message}.");
    }
}
