using Twin.Hardware.Emulator;

namespace Twin.Hardware.Tests.Emulator;

public class WorldPlausibilityTests
{
    /// <summary>A year of 100 honest homes, summed once: Wh by meter, month and weekend.</summary>
    private sealed class Year
    {
        public readonly World World = new(new WorldOptions
        {
            Seed = 3, Meters = 100, Days = 365, Start = new DateOnly(2024, 1, 1), AnomalyShare = 0, LookAlikeShare = 0,
        });
        public readonly long[] Import, Export;
        public readonly long[] Months = new long[12];
        public readonly long[] ByHalfHour = new long[48];
        public long Weekend, Weekdays;

        public Year()
        {
            (Import, Export) = (new long[World.Fleet.Count], new long[World.Fleet.Count]);
            for (var day = 0; day < 365; day++)
                foreach (var meter in Worlds.Customers(World)) Add(day, meter);
        }

        private void Add(int day, int meter)
        {
            var (import, export) = Worlds.DayOf(World, day, meter);
            var wh = Worlds.Sum(import);
            Import[meter] += wh;
            Export[meter] += Worlds.Sum(export);
            Months[World.Options.Start.AddDays(day).Month - 1] += wh;
            if (World.LocalDay(day).IsWeekend) Weekend += wh;
            else Weekdays += wh;
            for (var s = 0; s < 48; s++) ByHalfHour[s] += import[s];
        }
    }

    private static readonly Year Past = new();

    [Fact]
    public void AHomeTakesBetween1000And10000KilowattHoursAYear()
    {
        foreach (var meter in Worlds.Customers(Past.World)) Assert.InRange(Past.Import[meter], 1_000_000, 10_000_000);
        Assert.InRange(Worlds.Customers(Past.World).Average(m => Past.Import[m]), 2_500_000, 4_500_000);
    }

    [Fact]
    public void WinterTakesMoreThanSummerAndWeekendsMoreThanWeekdays()
    {
        Assert.InRange((double)Past.Months[0] / Past.Months[6], 1.25, 2.5);
        Assert.InRange(Past.Weekend / 104.0 / (Past.Weekdays / 261.0), 1.05, 1.3);
    }

    [Fact]
    public void TheEveningPeaksAndTheNightRests()
    {
        Assert.InRange(Array.IndexOf(Past.ByHalfHour, Past.ByHalfHour.Max()), 34, 42);
        Assert.InRange(Array.IndexOf(Past.ByHalfHour, Past.ByHalfHour.Min()), 3, 12);
        Assert.True(Past.ByHalfHour.Max() > 3 * Past.ByHalfHour.Min());
    }

    [Fact]
    public void PvExportsByDayAndMostInSummer()
    {
        var world = Past.World;
        int[] roofs = [.. Worlds.Customers(world).Where(world.HasExport)];
        Assert.InRange(roofs.Length, 2, 20);
        foreach (var meter in roofs)
        {
            Assert.InRange(Past.Export[meter], 200_000, 4_500_000);
            long summer = 0, winter = 0;
            for (var d = 0; d < 30; d++)
            {
                summer += Worlds.Sum(Worlds.DayOf(world, 160 + d, meter).Export);
                winter += Worlds.Sum(Worlds.DayOf(world, d, meter).Export);
            }
            Assert.True(summer > 2 * winter, $"meter {meter}: summer {summer} Wh, winter {winter} Wh");
            Assert.Equal(0, Worlds.Sum(Worlds.DayOf(world, 170, meter).Export.AsSpan(0, 6)));
        }
    }

    [Fact]
    public void HomesOfARegionFeelTheSameWeather()
    {
        var clock = new Clock(new WorldOptions { Days = 730 });
        var weather = new Weather(7, "R1", clock);
        double[] mean = [.. Enumerable.Range(0, 730).Select(weather.Mean)];
        Assert.InRange(mean.Average(), 7, 14);
        Assert.InRange(mean.Max() - mean.Min(), 15, 35);
        // Neighbouring days differ by far less than days drawn apart.
        Assert.InRange(mean.Zip(mean.Skip(1), (a, b) => Math.Abs(a - b)).Average(), 0.5, 3);
    }

    [Fact]
    public void FeedersHave18To22CustomersAndBalanceWithinLossAndNoise()
    {
        var world = Past.World;
        Assert.Equal(100, world.Feeders.Sum(f => f.MeterCount - 1));
        foreach (var feeder in world.Feeders)
        {
            Assert.InRange(feeder.MeterCount - 1, 18, 22);
            Assert.InRange(feeder.Loss, 0.02, 0.05);
            long observed = 0, members = 0;
            for (var day = 0; day < 60; day++)
            {
                for (var i = 0; i < feeder.MeterCount; i++)
                {
                    var (import, export) = Worlds.DayOf(world, day, feeder.FirstMeter + i);
                    var net = Worlds.Sum(import) - Worlds.Sum(export);
                    if (i == 0) observed += net;
                    else members += net;
                }
            }
            Assert.InRange((double)observed / members, 1 + feeder.Loss - 0.003, 1 + feeder.Loss + 0.003);
        }
    }

    [Fact]
    public void TheFleetHasNamesFeedersAndCohorts()
    {
        var fleet = new World(new WorldOptions { Meters = 300 }).Fleet;
        Assert.Equal(315, fleet.Count);
        Assert.Equal(315, fleet.Select(m => m.Meter).Distinct().Count());
        Assert.Equal(15, fleet.Count(m => m.Role == MeterRole.Observer));
        var cohorts = fleet.Where(m => m.Role == MeterRole.Customer).GroupBy(m => m.CohortName).ToList();
        Assert.Equal(5, cohorts.Count);
        Assert.All(cohorts, c => Assert.InRange(c.Count(), 30, 100));
        var bare = new World(new WorldOptions { Meters = 40, Observers = false });
        Assert.DoesNotContain(bare.Fleet, m => m.Role == MeterRole.Observer);
    }

    [Fact]
    public void DaysFollowTheZone()
    {
        var options = new WorldOptions { Meters = 3, Days = 365, Start = new DateOnly(2025, 1, 1) };
        var world = new World(options with { Zone = "Europe/Berlin" });
        Assert.Equal((46, 50), (world.Slots(88), world.Slots(298)));
        Assert.Equal("2025-03-30", world.LocalDay(88).Date);
        Assert.InRange(Worlds.Sum(Worlds.DayOf(world, 88, 1).Import), 500, 60_000);
        Assert.InRange(Worlds.Sum(Worlds.DayOf(world, 298, 1).Import), 500, 60_000);
    }

    [Theory]
    [InlineData(5), InlineData(10), InlineData(15), InlineData(20), InlineData(60)]
    public void EnergyDoesNotDependOnTheInterval(int minutes)
    {
        var options = new WorldOptions { Meters = 40, Days = 10, AnomalyShare = 0, LookAlikeShare = 0, PvShare = 0 };
        World half = new(options), other = new(options with { IntervalMinutes = minutes });
        long a = 0, b = 0;
        foreach (var meter in Worlds.Customers(half))
        {
            for (var day = 0; day < 10; day++)
            {
                a += Worlds.Sum(Worlds.DayOf(half, day, meter).Import);
                b += Worlds.Sum(Worlds.DayOf(other, day, meter).Import);
            }
        }
        Assert.InRange((double)b / a, 0.95, 1.05);
    }
}
