using System.Diagnostics;
using Twin.Hardware;
using Xunit.Abstractions;
using static Twin.Grains.Tests.Sample;

namespace Twin.Grains.Tests;

/// <summary>Not beside other tests: they share the heap that is measured.</summary>
[CollectionDefinition(nameof(MeterMemoryTests), DisableParallelization = true)]
[Collection(nameof(MeterMemoryTests))]
public sealed class MeterMemoryTests(ITestOutputHelper output)
{
    private const int Twins = 2_000;
    private const int Days = 30;
    private const int Horizon = 3;

    /// <summary>
    /// A bound that catches growth; the budget, 1 KiB in the mean, is shown by the benchmark. Bytes, with a
    /// dictionary's entry.
    /// </summary>
    private const int Bound = 1792;

    [Fact]
    public void A_meter_twin_with_its_open_window_is_small()
    {
        var meters = Enumerable.Range(0, Twins).Select(i => MeterId.FromUtilityId($"METER-{i:000000}")).ToArray();
        var days = Enumerable.Range(0, Days).Select(d => DayOfLife(d)).ToArray();
        var harness = new TwinHarness { Keeps = false };
        for (var i = 0; i < Twins; i++)
        {
            harness.Append(new MeterSeen(meters[i], $"METER-{i:000000}", "Europe/London", 2));
            harness.Append(Relation(meters[i], $"F{i / 20}"));
        }
        var clock = Stopwatch.StartNew();
        for (var d = 0; d < Days; d++)
        {
            foreach (var m in meters) harness.Append(Raw((Day0 + d) * 1440L, days[d], meter: m));
            harness.Close(Day0 + d - Horizon);
        }
        clock.Stop();
        Assert.True(MeterView.From(meters[0].Twin, harness.State(meters[0].Twin)) is
        {
            OpenDays: Horizon,
            Stored: Days * 48
        });
        var state = meters.Average(m => harness.State(m.Twin).Length);
        var with = GC.GetTotalMemory(true);
        foreach (var m in meters) harness.Remove(m.Twin);
        var perTwin = (with - GC.GetTotalMemory(true)) / (double)Twins;
        output.WriteLine($"{Twins} twins, {Days} days of 48, horizon {Horizon}: {perTwin:0} bytes a twin, "
            + $"{state:0} bytes of state, "
            + $"{clock.Elapsed.TotalNanoseconds / (Twins * Days * 48.0):0} ns a reading through this harness");
        Assert.True(perTwin <= Bound, $"A meter twin takes {perTwin:0} bytes, more than {Bound}.");
        GC.KeepAlive(harness);
    }

    private static int[] DayOfLife(int day)
    {
        var draw = SplitMix64.For(7, $"day {day}");
        return [.. Enumerable.Range(0, 48).Select(i => 60 + draw.Next(40) + (i is > 34 and < 44 ? draw.Next(700) : 0))];
    }
}
