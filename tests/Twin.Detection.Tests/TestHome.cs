using Twin.Hardware;

namespace Twin.Detection.Tests;

/// <summary>Collects findings in the order in which they are made.</summary>
internal sealed class FindingList : List<Finding>, IFindingSink;

/// <summary>
/// An invented home: standing load with a fridge, a morning and an evening, and noise; half-hourly Wh from a seed.
/// </summary>
internal sealed class TestHome(ulong seed)
{
    /// <summary>2024-01-01, a Monday.</summary>
    public const int FirstDay = 19723;

    /// <summary>Made once: making one hashes nothing, but interpolates a name.</summary>
    public static readonly DaySubject Subject0 = new(new MeterId(1).Twin, "M1", MeterRole.Customer, ContextFlags.None);

    private readonly SplitMix64 _random = SplitMix64.For(seed, "home");
    private readonly double _base = 50 + seed * 7 % 40, _size = 0.7 + seed * 13 % 10 / 10.0;

    public int[] NextDay(int slots = 48)
    {
        var wh = new int[slots];
        for (var s = 0; s < slots; s++)
        {
            var hour = 24.0 * s / slots;
            var life = hour is >= 7 and < 9 ? 250 : hour is >= 17 and < 22 ? 420 : hour is >= 9 and < 17 ? 110 : 0;
            wh[s] = (int)((_base + _random.NextDouble(0, 30)
                + _size * life * _random.NextDouble(0.4, 1.6)) * 48 / slots);
        }
        return wh;
    }

    public static LocalDay Day(int index, int minutes = 1440) =>
        new(FirstDay + index, (FirstDay + index) * 1440L, minutes);

    public static DaySubject Subject(ulong id = 1, ContextFlags context = ContextFlags.None,
        MeterRole role = MeterRole.Customer) =>
        new(new MeterId(id).Twin, $"M{id}", role, context);

    public static DayFeatures Fold(ReadingModel model, int index, int[] wh, FindingList findings,
        DaySubject? subject = null,
        Quality quality = Quality.Actual, int minutes = 1440)
    {
        var qualities = wh.Select(v => v == ReadingBlock.Missing ? Quality.Missing : quality).ToArray();
        return model.Fold(new DayReadings(Day(index, minutes), minutes / wh.Length, wh, qualities),
            subject ?? Subject(), findings);
    }

    public static int[] Constant(int wh, int slots = 48) => [.. Enumerable.Repeat(wh, slots)];
}
