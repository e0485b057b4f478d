using FsCheck;
using FsCheck.Fluent;
using Twin.Hardware;

namespace Twin.Detection.Tests;

public sealed class ShapeMatchTests
{
    private static float[] Power(ulong seed)
    {
        var home = new TestHome(seed);
        return [.. home.NextDay().Select(v => 2f * v)];
    }

    [Fact]
    public void Scaling_a_day_changes_neither_its_distance_nor_its_rhythm() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Choose(1, 100_000).ToArbitrary(), Gen.Choose(5, 95).ToArbitrary(), (seed, percent) =>
        {
            var (day, usual) = (Power((ulong)seed), Power((ulong)seed + 7));
            float[] less = [.. day.Select(p => p * percent / 100f)];
            var (mean, lessMean, usualMean) = (ShapeMatch.Mean(day), ShapeMatch.Mean(less), ShapeMatch.Mean(usual));
            return Math.Abs(ShapeMatch.Distance(day, mean, usual, usualMean)
                    - ShapeMatch.Distance(less, lessMean, usual, usualMean)) < 1e-3
                && Math.Abs(ShapeMatch.Rhythm(day, mean, usual, usualMean)
                    - ShapeMatch.Rhythm(less, lessMean, usual, usualMean)) < 1e-3;
        }));

    [Fact]
    public void A_day_like_its_profile_has_its_rhythm_a_flat_one_has_none()
    {
        var usual = Power(3);
        var mean = ShapeMatch.Mean(usual);
        Assert.Equal(0f, ShapeMatch.Distance(usual, mean, usual, mean));
        Assert.InRange(ShapeMatch.Rhythm(usual, mean, usual, mean), 0.85f, 1f);
        var flat = Enumerable.Repeat(mean, 48).ToArray();
        Assert.Equal(0f, ShapeMatch.Rhythm(flat, mean, usual, mean), 4);
        Assert.True(ShapeMatch.Distance(flat, mean, usual, mean) > 0.2f);
    }

    [Fact]
    public void Less_by_day_is_told_from_less_at_any_time()
    {
        var usual = Power(3);
        float[] sunny = [.. usual.Select((p, s) => DayShape.IsDaylight(s) ? p / 3 : p)];
        float[] scaled = [.. usual.Select(p => p / 3)];
        Assert.True(ShapeMatch.IsLessByDay(sunny, usual));
        Assert.False(ShapeMatch.IsLessByDay(scaled, usual));
        Assert.False(ShapeMatch.IsLessByDay(usual, usual));
    }

    [Fact]
    public void A_ceiling_is_counted_and_a_higher_value_begins_anew()
    {
        var cap = default(CapWatch);
        var wh = TestHome.Constant(41);
        void Note(params int[] peaks)
        {
            peaks.CopyTo(wh, 34);
            var day = new DayReadings(TestHome.Day(0), 30, wh, new Quality[48]);
            cap.Note(day, peaks.Max(), 80f);
        }
        Note(500, 300);
        Assert.Equal((500, 0), (cap.CapWh, cap.Hits));
        Note(500, 499);
        Assert.Equal((500, 2), (cap.CapWh, cap.Hits));
        Note(490, 480);
        Assert.Equal((500, 2), (cap.CapWh, cap.Hits));
        Note(900, 480);
        Assert.Equal((900, 0), (cap.CapWh, cap.Hits));
        for (var i = 0; i < 10; i++) Note(600 + i, 60);
        Assert.Equal((609, 0), (cap.CapWh, cap.Hits));
        for (var i = 0; i < 50; i++) Note(609, 609);
        Assert.Equal(20, cap.Hits);
        // Below three night bases it is an empty home's.
        cap.Note(new DayReadings(TestHome.Day(0), 30, wh, new Quality[48]), 609, 500f);
        Assert.Equal(20, cap.Hits);
    }
}
