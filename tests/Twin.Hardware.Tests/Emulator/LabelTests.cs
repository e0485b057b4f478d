using System.Globalization;
using Twin.Hardware.Emulator;

namespace Twin.Hardware.Tests.Emulator;

public class LabelTests
{
    private static readonly World World =
        new(new WorldOptions { Seed = 11, Meters = 200, Days = 75, AnomalyShare = 0.2, LookAlikeShare = 0.2 });
    private static readonly World Honest = Worlds.Honest(World);

    public static TheoryData<LabelKind> Kinds => new(Enum.GetValues<LabelKind>());

    [Fact]
    public void SharesAndNaturesAreAsAsked()
    {
        Assert.Equal(40, World.Labels.Count(l => l.Nature != LabelNature.LookAlike));
        Assert.Equal(40, World.Labels.Count(l => l.Nature == LabelNature.LookAlike));
        Assert.Equal(80, World.Labels.Select(l => l.Meter).Distinct().Count());
        Assert.All(World.Labels, l => Assert.InRange(l.FromDay, 21, 56));
        Assert.All(World.Labels, l => Assert.InRange(l.ToDay, l.FromDay, 74));
        Assert.Equal("night_bypass", World.Labels.First(l => l.Kind == LabelKind.NightBypass).KindName);
        Assert.Equal("look_alike", World.Labels.First(l => l.Kind == LabelKind.MoveIn).NatureName);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void ReadingsChangeFromTheOnsetOnAndNotBefore(LabelKind kind)
    {
        var labels = World.Labels.Where(l => l.Kind == kind).ToList();
        Assert.InRange(labels.Count, 3, 8);
        foreach (var label in labels)
        {
            // Before a move-in another household lives there: the honest twin holds from the onset on instead.
            var isMoveIn = kind == LabelKind.MoveIn;
            for (var day = 0; day < World.Options.Days; day++)
            {
                if (day >= label.FromDay && day <= label.ToDay) continue;
                var same = Same(day, label.MeterIndex);
                Assert.True(same != isMoveIn, $"{label} day {day}");
            }
            if (isMoveIn) Assert.True(Same(label.FromDay + 1, label.MeterIndex));
            else
            {
                // The first nights of a new car may pass without charging; everything else shows within four days.
                var soon = kind == LabelKind.NewEv ? 14 : 4;
                var days = Enumerable.Range(label.FromDay, Math.Min(soon, label.ToDay - label.FromDay + 1));
                Assert.Contains(days, d => !Same(d, label.MeterIndex));
            }
        }
    }

    private static bool Same(int day, int meter)
    {
        DayValues a = Worlds.DayOf(World, day, meter), b = Worlds.DayOf(Honest, day, meter);
        return a.Import.AsSpan().SequenceEqual(b.Import) && a.Export.AsSpan().SequenceEqual(b.Export);
    }

    private static IEnumerable<(int[] Reported, int[] True, int Day)> Days(LabelKind kind)
    {
        foreach (var label in World.Labels.Where(l => l.Kind == kind))
            for (var day = label.FromDay; day <= label.ToDay; day++)
                yield return (Worlds.DayOf(World, day, label.MeterIndex).Import,
                    Worlds.DayOf(Honest, day, label.MeterIndex).Import, day);
    }

    [Fact]
    public void ALostPhaseReportsTwoThirds() =>
        Assert.All(Days(LabelKind.LostPhase), d =>
            Assert.All(d.Reported.Zip(d.True), x => Assert.Equal((int)(x.Second * 2 / 3.0 + 0.5), x.First)));

    [Fact]
    public void AScaledMeterKeepsItsShareAndItsShape()
    {
        foreach (var label in World.Labels.Where(l => l.Kind == LabelKind.Scaled))
        {
            var share = (double)Worlds.Sum(Worlds.DayOf(World, label.ToDay, label.MeterIndex).Import)
                / Worlds.Sum(Worlds.DayOf(Honest, label.ToDay, label.MeterIndex).Import);
            var factor = double.Parse(label.Note[8..12], CultureInfo.InvariantCulture);
            Assert.InRange(factor, 0.1, 0.8);
            Assert.InRange(share, factor - 0.02, factor + 0.02);
        }
    }

    [Fact]
    public void ACapIsNeverPassedAndBites()
    {
        foreach (var label in World.Labels.Where(l => l.Kind == LabelKind.Capped))
        {
            var days = Enumerable.Range(label.FromDay, label.ToDay - label.FromDay + 1).ToList();
            var cap = days.Max(d => Worlds.DayOf(World, d, label.MeterIndex).Import.Max());
            Assert.Equal($"never reports more than {cap} Wh an interval", label.Note);
            Assert.True(days.Max(d => Worlds.DayOf(Honest, d, label.MeterIndex).Import.Max()) > 1.5 * cap,
                label.ToString());
        }
    }

    [Fact]
    public void AZeroWindowLastsFourToTenHours() =>
        Assert.All(Days(LabelKind.ZeroWindow), d =>
        {
            Assert.InRange(d.Reported.Count(x => x == 0), 8, 22);
            Assert.All(d.Reported.Zip(d.True), x => Assert.True(x.First == 0 || x.First == x.Second));
        });

    [Fact]
    public void ANightBypassLeavesTheDayAlone() =>
        Assert.All(Days(LabelKind.NightBypass), d =>
        {
            Assert.Equal(d.True[12..44], d.Reported[12..44]);
            Assert.True(Worlds.Sum(d.Reported.AsSpan(0, 12)) < 0.13 * Worlds.Sum(d.True.AsSpan(0, 12)) + 12);
        });

    [Fact]
    public void RepeatedDaysAreThoseOfTheWeekBefore()
    {
        foreach (var label in World.Labels.Where(l => l.Kind == LabelKind.RepeatedDays))
            for (var day = label.FromDay; day <= label.ToDay; day++)
            {
                var source = label.FromDay - 7 + (day - label.FromDay) % 7;
                Assert.Equal(Worlds.DayOf(World, source, label.MeterIndex).Import,
                    Worlds.DayOf(World, day, label.MeterIndex).Import);
            }
    }

    [Fact]
    public void AStuckRegisterShowsTheLastReadingForEver()
    {
        foreach (var label in World.Labels.Where(l => l.Kind == LabelKind.Stuck))
        {
            var last = Math.Max(1, Worlds.DayOf(World, label.FromDay - 1, label.MeterIndex).Import[^1]);
            Assert.All(Worlds.DayOf(World, label.ToDay, label.MeterIndex).Import, x => Assert.Equal(last, x));
        }
    }

    [Fact]
    public void ACatchUpHoldsAllTheMissedEnergy()
    {
        foreach (var label in World.Labels.Where(l => l.Kind == LabelKind.GapCatchUp))
        {
            long reported = 0, truth = 0;
            var missing = 0;
            for (var day = label.FromDay; day <= label.ToDay; day++)
            {
                var values = Worlds.DayOf(World, day, label.MeterIndex).Import;
                missing += values.Count(x => x == ReadingBlock.Missing);
                reported += Worlds.Sum(values);
                truth += Worlds.Sum(Worlds.DayOf(Honest, day, label.MeterIndex).Import);
            }
            Assert.Equal(truth, reported);
            Assert.InRange(missing, 24, 240);
        }
    }

    [Fact]
    public void ABackfillBringsExactlyWhatWasMissing()
    {
        Assert.NotEmpty(World.Backfills);
        foreach (var backfill in World.Backfills)
        {
            Assert.InRange(backfill.ArrivalDay, backfill.ToDay + 1, backfill.ToDay + 6);
            for (var day = backfill.FromDay; day <= backfill.ToDay; day++)
            {
                int[] import = new int[48], export = new int[48];
                World.BackfillDay(backfill, day, import, export);
                var reported = Worlds.DayOf(World, day, backfill.MeterIndex).Import;
                var truth = Worlds.DayOf(Honest, day, backfill.MeterIndex).Import;
                for (var s = 0; s < 48; s++)
                {
                    Assert.True(reported[s] == ReadingBlock.Missing != (import[s] == ReadingBlock.Missing));
                    Assert.Equal(truth[s], reported[s] == ReadingBlock.Missing ? import[s] : reported[s]);
                }
            }
        }
    }

    [Fact]
    public void VacancyLeavesTheBaseAndNewThingsAddTheirOwn()
    {
        foreach (var label in World.Labels.Where(l => l.Kind == LabelKind.Vacancy))
        {
            var before = Mean(World, label, 0, label.FromDay - 1);
            Assert.True(Mean(World, label, label.FromDay, label.ToDay) < 0.75 * before, label.ToString());
        }
        foreach (var label in World.Labels.Where(l => l.Kind == LabelKind.NewEv))
        {
            var without = Mean(Honest, label, label.FromDay, 74);
            Assert.True(Mean(World, label, label.FromDay, 74) > 1_000 + without, label.ToString());
        }
        foreach (var label in World.Labels.Where(l => l.Kind == LabelKind.NewPv))
        {
            Assert.True(World.HasExport(label.MeterIndex));
            Assert.Equal(ReadingBlock.Missing, Worlds.DayOf(World, label.FromDay - 1, label.MeterIndex).Export[24]);
            Assert.NotEqual(ReadingBlock.Missing, Worlds.DayOf(World, label.FromDay, label.MeterIndex).Export[24]);
        }
    }

    private static double Mean(World world, Label label, int from, int to) =>
        Enumerable.Range(from, to - from + 1).Average(d => Worlds.Sum(Worlds.DayOf(world, d, label.MeterIndex).Import));

    [Fact]
    public void TheObserverSeesTheTruth()
    {
        // A theft or fault changes its own meter only: observers of feeders without look-alikes read as in the honest
        // world.
        var innocent = World.Labels.Where(l => l.Nature == LabelNature.LookAlike).Select(l => l.Feeder).ToHashSet();
        var world = new World(World.Options with { LookAlikeShare = 0 });
        Assert.NotEmpty(innocent);
        foreach (var feeder in world.Feeders)
            for (var day = 60; day < 75; day++)
                Assert.Equal(Worlds.DayOf(Honest, day, feeder.FirstMeter).Import,
                    Worlds.DayOf(world, day, feeder.FirstMeter).Import);
    }

    [Fact]
    public void OnlySomeInnocentCausesAreOnRecordAndNoTheftIs()
    {
        var explained = World.Labels.Where(l => l.Kind is LabelKind.MoveIn or LabelKind.NewPv or LabelKind.GapCatchUp)
            .Select(l => l.Meter).ToHashSet();
        Assert.All(World.Context, c => Assert.Contains(c.Meter, explained));
        Assert.InRange(World.Context.Count, 3, explained.Count - 3);
    }

    [Theory]
    [InlineData(0, 10, 30, "UTC", "meters must be 1")]
    [InlineData(10, 0, 30, "UTC", "days must be 1")]
    [InlineData(10, 10, 7, "UTC", "not 7")]
    [InlineData(10, 10, 30, "Nowhere/At_All", "Nowhere/At_All")]
    [InlineData(10, 300, 60, "Australia/Lord_Howe", "Choose a shorter interval")]
    public void OptionsOutOfRangeAreNamed(int meters, int days, int interval, string zone, string inMessage)
    {
        var options = new WorldOptions { Meters = meters, Days = days, IntervalMinutes = interval, Zone = zone };
        Assert.Contains(inMessage, Assert.Throws<ArgumentException>(() => new World(options)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void TinyAndFullyLabelledWorldsWork()
    {
        for (var days = 1; days <= 9; days++)
        {
            var options = new WorldOptions { Seed = (ulong)days, Meters = 17, Days = days };
            var world = new World(options with { AnomalyShare = 0.5, LookAlikeShare = 0.5 });
            Assert.Equal(17, world.Labels.Count);
            for (var day = 0; day < days; day++)
                for (var meter = 0; meter < world.Fleet.Count; meter++)
                    Assert.All(Worlds.DayOf(world, day, meter).Import, x =>
                        Assert.True(x == ReadingBlock.Missing || x >= 0));
        }
        Assert.Equal(7305, new WorldOptions { Start = new DateOnly(2005, 1, 1) }.OverYears(20).Days);
    }
}
