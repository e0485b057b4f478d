using Twin.Hardware;

namespace Twin.Detection.Tests;

/// <summary>Innocent causes that the days suggest, each by its own evidence.</summary>
public sealed class InnocentCausesTests
{
    private static readonly DayFeatures Ordinary = new()
    {
        Day = TestHome.FirstDay, Minutes = 1440, Marks = DayMarks.Usable | DayMarks.Warm, TotalWh = 10_000,
        ExpectedWh = 10_000, NightW = 120, ExpectedNightW = 120, TopW = 2_000, ExpectedTopW = 2_000, Rhythm = 1,
    };

    private static string Say(FindingKind kind, DayFeatures day, bool pv = false, bool rising = false,
        bool feeder = false, float cohort = 1, float feederPiece = 0)
    {
        var pieces = new float[Pieces.Count];
        pieces[Pieces.Feeder] = feederPiece;
        return string.Join("; ", InnocentCauses.Of(kind, pieces,
            new ToldDay(day, default, default, 0, pv, rising, feeder, cohort)));
    }

    [Fact]
    public void A_day_that_suggests_nothing_names_nothing()
    {
        Assert.Equal("", Say(FindingKind.RepeatedDay, Ordinary));
        Assert.Equal("", Say(FindingKind.BalanceSuspect, Ordinary, feeder: true, feederPiece: 2));
    }

    [Fact]
    public void A_heat_pump_raises_night_base_and_day_and_its_season_ends()
    {
        var on = Ordinary with { TotalWh = 25_000, NightW = 600 };
        Assert.StartsWith("night base and day have risen together: a heat pump",
            Say(FindingKind.ShapeChange, on, rising: true), StringComparison.Ordinal);
        Assert.Contains("the cohort uses more too: a heat pump", Say(FindingKind.ShapeChange, on, rising: true,
            cohort: 1.1f), StringComparison.Ordinal);
        var off = Ordinary with { TotalWh = 5_000, NightW = 60 };
        Assert.Contains("end of the heating season", Say(FindingKind.LevelShift, off, cohort: 0.9f),
            StringComparison.Ordinal);
        // Where the cohort does not fall, the season is no cause; nor where the base stands.
        Assert.DoesNotContain("heating", Say(FindingKind.LevelShift, off, cohort: 1.05f), StringComparison.Ordinal);
        Assert.DoesNotContain("heating", Say(FindingKind.LevelShift, off with { NightW = 120 }, cohort: 0.9f),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_car_raises_the_highest_hours_only_and_more_people_anything()
    {
        Assert.Contains("a car that charges", Say(FindingKind.ShapeChange,
            Ordinary with { TotalWh = 20_000, TopW = 6_000 }, rising: true), StringComparison.Ordinal);
        Assert.Contains("more people", Say(FindingKind.ShapeChange, Ordinary with { TotalWh = 14_000 }, rising: true),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Panels_an_empty_home_a_catch_up_read_and_a_clock_change_are_named()
    {
        Assert.Contains("new PV", Say(FindingKind.LevelShift, Ordinary, pv: true), StringComparison.Ordinal);
        var empty = Ordinary with { TotalWh = 900, TopW = 120, NightW = 0, Rhythm = 0.05f, ZeroShare = 0.4f };
        Assert.Contains("an empty home", Say(FindingKind.ShapeChange, empty), StringComparison.Ordinal);
        // A tenth of everything keeps the rhythm of the day.
        Assert.DoesNotContain("empty", Say(FindingKind.ShapeChange, empty with { Rhythm = 0.9f }),
            StringComparison.Ordinal);
        Assert.Contains("catch-up", Say(FindingKind.LevelShift, Ordinary with
        {
            Marks = DayMarks.Usable | DayMarks.CatchUp,
        }), StringComparison.Ordinal);
        Assert.Contains("clocks changed", Say(FindingKind.ShapeChange, Ordinary with { Minutes = 1380 }),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Energy_that_is_kept_and_moved_may_be_a_tariff()
    {
        Assert.Contains("a tariff with cheap hours", Say(FindingKind.ShapeChange, Ordinary), StringComparison.Ordinal);
        Assert.DoesNotContain("tariff", Say(FindingKind.ShapeChange, Ordinary with { TotalWh = 6_000 }),
            StringComparison.Ordinal);
        // Kept is what the day lets expect: in a cold week the cohort tells.
        Assert.Contains("tariff", Say(FindingKind.ShapeChange, Ordinary with { TotalWh = 13_000 }, cohort: 1.3f),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Without_an_observer_a_smaller_household_cannot_be_told_from_a_theft()
    {
        var less = Ordinary with { TotalWh = 5_000, NightW = 100 };
        Assert.Contains("no observer meter", Say(FindingKind.LevelShift, less), StringComparison.Ordinal);
        Assert.Contains("does not miss", Say(FindingKind.LevelShift, less, feeder: true), StringComparison.Ordinal);
        Assert.Equal("", Say(FindingKind.LevelShift, less, feeder: true, feederPiece: 2));
    }
}
