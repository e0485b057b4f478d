namespace Twin.Hardware.Emulator;

/// <summary>
/// Plausible readings at the speed of a copy, for benchmarks: each meter is one of 32 generated homes with 16 days
/// each, and every day is scaled and roughened by its own bits. Days of a meter are alike as a home's days are; none is
/// repeated exactly.
/// </summary>
public static class BenchLoad
{
    public const int SlotsPerDay = 48;
    private const int Homes = 32;
    private const int DaysPerHome = 16;
    private static volatile Pool? _pool;

    private sealed record Pool(ulong Seed, int[] Values);

    /// <summary>Fills 48 half hours of Wh.</summary>
    public static void FillDay(ulong seed, ulong meter, int day, Span<int> slots)
    {
        if (slots.Length != SlotsPerDay)
            throw new ArgumentException($"A day of the bench has {SlotsPerDay} slots, not {slots.Length}.");
        var pool = _pool is { } p && p.Seed == seed ? p : _pool = Make(seed);
        unchecked
        {
            var who = StableHash.Mix(seed + meter * 0x9E3779B97F4A7C15UL);
            var bits = StableHash.Mix(who + (ulong)(day + 1));
            var home = (int)(who % Homes);
            var scale = 64 + (int)((who >> 40) & 127) + (int)((bits >> 40) & 31);
            var row = home * DaysPerHome + (int)(bits % DaysPerHome);
            var from = pool.Values.AsSpan(row * SlotsPerDay, SlotsPerDay);
            for (var s = 0; s < SlotsPerDay; s++) slots[s] = ((from[s] * scale) >> 7) + (int)((bits >> s) & 3);
        }
    }

    private static Pool Make(ulong seed)
    {
        var world = new World(new WorldOptions
        {
            Seed = seed, Meters = Homes, Observers = false, Days = DaysPerHome, AnomalyShare = 0, LookAlikeShare = 0,
            PvShare = 0,
        });
        var values = new int[Homes * DaysPerHome * SlotsPerDay];
        Span<int> export = stackalloc int[SlotsPerDay];
        for (var m = 0; m < Homes; m++)
            for (var d = 0; d < DaysPerHome; d++)
                world.Day(d, m, values.AsSpan((m * DaysPerHome + d) * SlotsPerDay, SlotsPerDay), export);
        return new Pool(seed, values);
    }
}
