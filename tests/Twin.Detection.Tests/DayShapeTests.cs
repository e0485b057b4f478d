using Twin.Hardware;

namespace Twin.Detection.Tests;

public sealed class DayShapeTests
{
    [Theory]
    [InlineData(5, 1440)]
    [InlineData(10, 1440)]
    [InlineData(15, 1440)]
    [InlineData(30, 1440)]
    [InlineData(60, 1440)]
    [InlineData(30, 1380)]
    [InlineData(30, 1500)]
    [InlineData(15, 1500)]
    [InlineData(60, 1380)]
    public void A_steady_kilowatt_is_a_kilowatt_at_any_interval_and_length_of_day(int interval, int minutes)
    {
        var shape = Of(TestHome.Constant(1000 * interval / 60, minutes / interval), interval, minutes, out var power,
            out var blocks);
        var skipped = minutes == 1380 ? 2 : 0;
        Assert.Equal(48 - skipped, power.Count(p => p >= 0));
        // 1000 W for 5 minutes are 83 Wh, not 83.3: intervals hold whole watt-hours.
        Assert.All(power.Where(p => p >= 0), p => Assert.InRange(p, 990f, 1000.1f));
        Assert.Equal(shape.SumWh, (long)blocks.Sum());
    }

    [Fact]
    public void The_hour_that_the_clock_skips_is_not_measured_and_the_evening_stays_in_its_place()
    {
        var wh = TestHome.Constant(0, 46);
        wh[4] = 100;
        wh[45] = 500;
        Of(wh, 30, 1380, out var power, out _);
        Assert.Equal(-1f, power[4]);
        Assert.Equal(-1f, power[5]);
        Assert.Equal(200f, power[6]);
        Assert.Equal(1000f, power[47]);
    }

    [Fact]
    public void The_hour_that_comes_twice_is_averaged()
    {
        var wh = TestHome.Constant(0, 50);
        wh[4] = 100;
        wh[6] = 300;
        wh[49] = 500;
        Of(wh, 30, 1500, out var power, out _);
        Assert.Equal(400f, Math.Max(power[2], power[4]));
        Assert.Equal(1000f, power[47]);
    }

    [Fact]
    public void Night_base_roughness_and_top()
    {
        var wh = TestHome.Constant(50);
        for (var s = 34; s < 42; s++) wh[s] = 250;
        wh[3] = 400;
        var shape = Of(wh, 30, 1440, out _, out _);
        Assert.Equal(100f, shape.NightBase());
        var mean = shape.MeanPower();
        Assert.Equal(2f * wh.Sum() / 48, mean, 3);
        Assert.Equal(2 * (400 + 3 * 250) / 4f, shape.Top());
        Assert.Equal((2 * 700 + 2 * 400) / (47 * mean), shape.Roughness(mean), 4);
        Assert.Equal(0f, Of(TestHome.Constant(70), 30, 1440, out _, out _).Roughness(140f));
    }

    private static DayShape Of(int[] wh, int interval, int minutes, out float[] power, out float[] blocks)
    {
        power = new float[48];
        blocks = new float[DayShape.Blocks];
        var qualities = Enumerable.Repeat(Quality.Actual, wh.Length).ToArray();
        return DayShape.Of(new DayReadings(TestHome.Day(0, minutes), interval, wh, qualities), power, blocks);
    }
}
