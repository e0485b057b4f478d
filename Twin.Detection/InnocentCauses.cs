using Twin.Hardware;

namespace Twin.Detection;

/// <summary>
/// Innocent causes that the days themselves suggest, each with what speaks for it. What is imported is said by
/// <see cref="Statements"/>, and outweighs what is inferred here.
/// </summary>
internal static class InnocentCauses
{
    /// <summary>How much base and peak rise with a heat pump and with a car, over what was usual.</summary>
    private const float RisenBase = 1.3f, RisenTop = 1.5f, SteadyBase = 1.2f;

    /// <summary>A load that runs day and night makes the base a large share of the day.</summary>
    private const float NightSide = 0.35f;

    /// <summary>What is left of base and day at the end of a heating season, and what of a cohort that heats in part.
    /// </summary>
    private const float FallenBase = 0.8f, FallenDay = 0.85f, CohortFalls = 0.98f, CohortRises = 1.02f;

    /// <summary>How far a day's energy may be from what is due and still be called kept.</summary>
    private const float Kept = 0.12f;

    /// <summary>What speaks for an innocent cause of the change; a feeder that misses nothing included.</summary>
    public static List<string> Of(FindingKind kind, ReadOnlySpan<float> pieces, in ToldDay told)
    {
        var (day, texts) = (told.Day, new List<string>());
        if (told.IsLikelyPv || day.Has(DayMarks.DaylightZeros))
            texts.Add("what is missing is missing by daylight: new PV would look like this");
        if (told.IsRising) texts.Add(Risen(day, told.CohortFactor));
        else if (IsFallen(kind)) Fallen(day, told, texts);
        if (kind == FindingKind.ShapeChange && IsEnergyKept(day, told.CohortFactor))
            texts.Add("the energy of the day is kept and moved in time: a tariff with cheap hours or other working "
                + "hours would look like this");
        if (Witness.LooksEmpty(day))
            texts.Add("the base is there and the peaks that people make are not: an empty home would look like this");
        if (day.Has(DayMarks.CatchUp)) texts.Add("a catch-up read makes up for the gap before it");
        if (day.Minutes != 1440) texts.Add("the clocks changed on this day");
        if (told.FeederSpeaks && pieces[Pieces.Feeder] < Witness.Missed && kind != FindingKind.MetersExchanged)
            texts.Add("the balance of the feeder does not miss what this meter would have to hide");
        return texts;
    }

    /// <summary>Who uses more: heated by electricity, with a car to charge, or just more.</summary>
    private static string Risen(in DayFeatures day, float cohortFactor)
    {
        var baseRises = day.ExpectedNightW > 0 && day.NightW > RisenBase * day.ExpectedNightW;
        if (baseRises && day.NightShare > NightSide)
            return "night base and day have risen together" + (cohortFactor > CohortRises
                ? ", on a day on which the cohort uses more too" : "")
                + ": a heat pump or electric heating would do so";
        if (day.ExpectedTopW > 0 && day.TopW > RisenTop * day.ExpectedTopW
            && day.NightW < SteadyBase * day.ExpectedNightW)
            return "the highest hours have risen and the base has not: a car that charges would do so";
        return "the meter registers more than before: a new appliance or more people would do so";
    }

    private static bool IsFallen(FindingKind kind) => kind is FindingKind.LevelShift or FindingKind.NightBaseLost;

    private static void Fallen(in DayFeatures day, in ToldDay told, List<string> texts)
    {
        if (day.NightW < FallenBase * day.ExpectedNightW && day.TotalWh < FallenDay * day.ExpectedWh
            && told.CohortFactor is > 0 and < CohortFalls)
            texts.Add("night base and day have fallen, and the cohort's use falls too: the end of the heating season "
                + "in a home with a heat pump would look like this");
        if (!told.FeederSpeaks)
            texts.Add("no observer meter can confirm it: a household that shrinks or moves out looks the same");
    }

    private static bool IsEnergyKept(in DayFeatures day, float cohortFactor)
    {
        var due = day.ExpectedWh * (cohortFactor > 0 ? cohortFactor : 1f);
        return due > 0 && Math.Abs(day.TotalWh - due) <= Kept * due;
    }
}
