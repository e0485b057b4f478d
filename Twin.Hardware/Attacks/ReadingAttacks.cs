using static Twin.Hardware.Attacks.Entry;
using static Twin.Hardware.FindingKind;
using static Twin.Hardware.ResponseRung;

namespace Twin.Hardware.Attacks;

/// <summary>
/// How reported consumption differs from true consumption; h1 to h6 of Jokar, Arianpoo and Leung 2016.
/// </summary>
public enum ReadingDistortion : byte
{
    None = 0, ConstantShare = 1, RandomShare = 2, ZeroWindow = 3, RandomOfMean = 4, Mean = 5, Reversed = 6,
    NightBypass = 7, Interference = 8, SlowDecline = 9, Drift = 10,
}

/// <summary>Theft, faults and innocent changes that only readings show.</summary>
internal static class ReadingAttacks
{
    /// <summary>What moves by a percent a week takes months to be more than noise.</summary>
    private const int DriftDays = 100, PoisonDays = 220;

    private const string Jokar = "Jokar, Arianpoo and Leung 2016";

    public static IEnumerable<Attack> Entries() => [.. Distorted(), .. Physical(), .. Innocent()];

    private static IEnumerable<Attack> Distorted()
    {
        yield return Theft("T18", "A constant share withheld", "h1, " + Jokar,
            "Three tenths of what is used are reported, day and night.",
            Any(LevelShift, CohortDeviation, BalanceSuspect), ReadingDistortion.ConstantShare);
        yield return Theft("T19", "A random share withheld", "h2, " + Jokar,
            "Each interval reports another random share of what is used.",
            Any(LevelShift, ShapeChange, CohortDeviation, BalanceSuspect, UnusualDay), ReadingDistortion.RandomShare)
            with
        {
            Response = Answer(Log, Notify, 5 * Week),
            Scene = new Scene(ReadingDays + 18, SceneKind.Usual,
                [At(ReadingOnset, 0, s => s.Distort(First, ReadingDistortion.RandomShare))]),
        };
        yield return Theft("T20", "Zero for some hours", "h3, " + Jokar,
            "For the same hours of every day nothing is reported.",
            Any(ZeroRun, LevelShift, ShapeChange, NightBaseLost, BalanceSuspect),
            ReadingDistortion.ZeroWindow);
        yield return Theft("T21", "Random shares of the mean", "h4, " + Jokar,
            "The home's mean is reported with a random factor, whatever is used.",
            Any(ShapeChange, LevelShift, UnusualDay, BalanceSuspect), ReadingDistortion.RandomOfMean);
        yield return Theft("T22", "The mean, always", "h5, " + Jokar,
            "Every interval reports the home's mean.",
            Any(StuckReading, ShapeChange, RepeatedDay, BalanceSuspect), ReadingDistortion.Mean);
        yield return Theft("T23", "The day reversed", "h6, " + Jokar,
            "The day's values are reported in reverse, so that the evening counts at the night's price.",
            Any(ShapeChange, UnusualDay, BalanceSuspect), ReadingDistortion.Reversed);
        yield return Theft("T34", "The model is led astray", "slow poisoning of a learned profile",
            "One per cent less each week: too slow for a profile that follows.",
            Any(LevelShift, BalanceSuspect), ReadingDistortion.SlowDecline) with
        {
            Response = Answer(Log, Notify, PoisonDays * Day),
            Scene = new Scene(PoisonDays, SceneKind.Usual,
                [At(ReadingOnset, 0, s => s.Distort(First, ReadingDistortion.SlowDecline))]),
        };
    }

    private static IEnumerable<Attack> Physical()
    {
        var bypass = Theft("T24", "Bypass at night", "AMIDS (McLaughlin and others 2013)",
            "The terminal cover is opened, and from then on a cable leads past the meter at night.",
            new Expectation([[Tamper], [LevelShift, ShapeChange, NightBaseLost, BalanceSuspect]]),
            ReadingDistortion.NightBypass);
        yield return bypass with
        {
            Scene = Long(At(ReadingOnset, 0, s => s.Distort(First, ReadingDistortion.NightBypass)),
                At(ReadingOnset, 5, s => s.OpenTerminalCover(3))),
        };
        yield return Of("T26", "A magnet at the meter", LifeStage.Operation, "", "IDIS fraud log",
            "A strong field reaches the sensor; the meter notices it and reads less.",
            Truth(First), All(Tamper), Answer(Log, Notify, Week), Usual(At(Onset, s => s.ApplyMagnet(3))));
        yield return Of("T27", "Interference misread", LifeStage.Operation, "",
            "Leferink, Keyer and Melentjev 2016",
            "A lamp's harmonics make the meter read far too much; the customer is the victim.",
            ReadingTruth(First), All(MetrologySuspect), Answer(Log, Notify, Week),
            Long(At(ReadingOnset, 0, s => s.Distort(First, ReadingDistortion.Interference))));
        yield return Of("T28", "A batch drifts", LifeStage.Manufacturing, "", "Nakutis and Kaškonas 2020",
            "Meters of one production lot read a little more every week.",
            ReadingTruth(First), All(MetrologySuspect), Answer(Log, Notify, 10 * Week),
            new Scene(DriftDays, SceneKind.ManyFeeders, [At(ReadingOnset, 0, s => s.DriftLot(3))]));
    }

    private static IEnumerable<Attack> Innocent()
    {
        yield return Silent("T29", "Life changes", "AMIDS (McLaughlin and others 2013)",
            "A car, panels, an empty home, new tenants: none of it is theft.", SceneKind.InnocentChanges, []) with
        {
            Truth = Truth([.. Enumerable.Range(0, 20)]),
        };
        yield return Silent("T30", "Summer time begins", "metering practice",
            "A day of 23 hours, with every meter's clock set forward.", SceneKind.SummerTime, []);
        yield return Silent("T31", "Out of reach, then late", "metering practice",
            "A meter is out of reach for three days; then it delivers what it kept.", SceneKind.Usual,
            [At(Onset, s => s.Silence(3, hours: 72))]);
        yield return Silent("T32", "Registers turn over, a meter is exchanged", "metering practice",
            "Registers pass their last figure and begin at zero; one meter is exchanged by order.",
            SceneKind.NearRollover, [.. Daily(0, 26, s => s.ReadSimpleMeter(exchangeDay: 14))]);
    }

    private static Attack Theft(string id, string name, string basis, string description, Expectation expected,
        ReadingDistortion distortion) =>
        Of(id, name, LifeStage.Operation, "", basis, description, ReadingTruth(First), expected,
            Answer(Log, Notify, 2 * Week), Long(At(ReadingOnset, 0, s => s.Distort(First, distortion))));

    private static Attack Silent(string id, string name, string basis, string description, SceneKind kind,
        Act[] acts) =>
        Of(id, name, LifeStage.Operation, "", basis, description, Truth([3]), Expectation.MustNotAlarm, NoAnswer,
            new Scene(28, kind, acts));
}
