using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Emulator;

namespace Twin.Silo.Bench;

/// <summary>
/// A generated world as inputs: the fleet first, then day by day what meters report, with what they deliver late.
/// </summary>
internal sealed class WorldFeed(World world, string source)
{
    private readonly int[] _import = new int[LocalDay.MaxMinutes / 5];
    private readonly int[] _export = new int[LocalDay.MaxMinutes / 5];
    private readonly ByteWriter _block = new(512);

    /// <summary>Zone rank of what the feed itself declares.</summary>
    private const byte ProfileRank = 3;

    public InputBatch Fleet()
    {
        var batch = new InputBatch(source);
        foreach (var relation in world.Fleet)
        {
            batch.Add(new MeterSeen(relation.Meter, relation.Name, world.Options.Zone, ProfileRank));
            batch.Add(relation);
        }
        foreach (var context in world.Context) batch.Add(context.Period);
        return batch;
    }

    /// <summary>Everything that arrives on a day, whole days at once.</summary>
    public InputBatch Day(int day) => Part(day, 0, world.Slots(day));

    /// <summary>What arrives in slots [from, to) of a day; backfills come with the last.</summary>
    public InputBatch Part(int day, int from, int to)
    {
        var batch = new InputBatch(source);
        var slots = world.Slots(day);
        for (var m = 0; m < world.Fleet.Count; m++)
        {
            var import = _import.AsSpan(0, slots);
            var export = _export.AsSpan(0, slots);
            world.Day(day, m, import, export);
            Add(batch, day, m, from, import[from..to], export[from..to]);
        }
        if (to < slots) return batch;
        foreach (var late in world.Backfills.Where(b => b.ArrivalDay == day))
            for (var d = late.FromDay; d <= late.ToDay; d++)
            {
                var import = _import.AsSpan(0, world.Slots(d));
                var export = _export.AsSpan(0, world.Slots(d));
                world.BackfillDay(late, d, import, export);
                Add(batch, d, late.MeterIndex, 0, import, export);
            }
        return batch;
    }

    private void Add(InputBatch batch, int day, int meter, int firstSlot, ReadOnlySpan<int> import,
        ReadOnlySpan<int> export)
    {
        var start = world.LocalDay(day).StartMinute + (long)firstSlot * world.Options.IntervalMinutes;
        Add(batch, meter, Channel.Import, start, import);
        if (world.HasExport(meter)) Add(batch, meter, Channel.Export, start, export);
    }

    private void Add(InputBatch batch, int meter, Channel channel, long start, ReadOnlySpan<int> slots)
    {
        if (slots.IndexOfAnyExcept(ReadingBlock.Missing) < 0) return;
        _block.Clear();
        ReadingBlock.WriteRaw(_block, world.Fleet[meter].Meter, channel, world.Options.IntervalMinutes, start, slots,
            [], 0);
        batch.Add(_block.Written);
    }
}
