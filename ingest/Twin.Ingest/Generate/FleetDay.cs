using Twin.Hardware;
using Twin.Hardware.Emulator;

namespace Twin.Ingest.Generate;

/// <summary>
/// One day of the whole fleet in memory, because files that go by time need every meter at each time: 8 bytes an
/// interval and meter, at most <see cref="MaxReadings"/> a channel.
/// </summary>
internal sealed class FleetDay
{
    private const int MaxReadings = 100_000_000;
    private readonly World _world;
    private readonly int[] _import;
    private readonly int[] _export;

    public FleetDay(World world)
    {
        _world = world;
        var most = 0;
        for (var d = 0; d < world.Options.Days; d++) most = Math.Max(most, world.Slots(d));
        var readings = (long)most * world.Fleet.Count;
        if (readings > MaxReadings)
            throw new ArgumentException($"A day of this fleet has {readings} readings; files in order of time "
                + $"take at most {MaxReadings}. Generate fewer meters or longer intervals, or choose the format json.");
        _import = new int[readings];
        _export = new int[readings];
    }

    public int Slots { get; private set; }
    public int Import(int meter, int slot) => _import[meter * Slots + slot];
    public int Export(int meter, int slot) => _export[meter * Slots + slot];

    public void Load(int day)
    {
        Slots = _world.Slots(day);
        for (var f = 0; f < _world.Feeders.Count; f++)
        {
            var feeder = _world.Feeders[f];
            int from = feeder.FirstMeter * Slots, length = feeder.MeterCount * Slots;
            _world.FeederDay(day, f, _import.AsSpan(from, length), _export.AsSpan(from, length));
        }
    }

    /// <summary>Puts in what was delivered late, for files that are written when everything has come.</summary>
    public void FillBackfills(int day)
    {
        foreach (var b in _world.Backfills)
            if (day >= b.FromDay && day <= b.ToDay)
                Merge(_world, b, day, Row(_import, b.MeterIndex), Row(_export, b.MeterIndex));
    }

    private Span<int> Row(int[] channel, int meter) => channel.AsSpan(meter * Slots, Slots);

    public static void Merge(World world, Backfill backfill, int day, Span<int> import, Span<int> export)
    {
        int[] taken = new int[import.Length], given = new int[import.Length];
        world.BackfillDay(backfill, day, taken, given);
        for (var s = 0; s < import.Length; s++)
        {
            if (taken[s] == ReadingBlock.Missing) continue;
            (import[s], export[s]) = (taken[s], given[s]);
        }
    }
}
