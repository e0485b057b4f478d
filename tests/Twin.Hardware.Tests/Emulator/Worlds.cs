using Twin.Hardware.Emulator;

namespace Twin.Hardware.Tests.Emulator;

/// <summary>One day as the tests look at it.</summary>
internal sealed record DayValues(int[] Import, int[] Export);

internal static class Worlds
{
    public static DayValues DayOf(World world, int day, int meter)
    {
        int[] import = new int[world.Slots(day)], export = new int[world.Slots(day)];
        world.Day(day, meter, import, export);
        return new DayValues(import, export);
    }

    /// <summary>The same homes without labels.</summary>
    public static World Honest(World world) => new(world.Options with { AnomalyShare = 0, LookAlikeShare = 0 });

    public static long Sum(ReadOnlySpan<int> values)
    {
        long sum = 0;
        foreach (var x in values) sum += x == ReadingBlock.Missing ? 0 : x;
        return sum;
    }

    public static IEnumerable<int> Customers(World world) =>
        Enumerable.Range(0, world.Fleet.Count).Where(m => world.Fleet[m].Role == MeterRole.Customer);
}
