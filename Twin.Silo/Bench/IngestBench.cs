using System.Diagnostics;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Emulator;
using Twin.Silo.Embedded;

namespace Twin.Silo.Bench;

/// <summary>
/// Figures of one load of daily blocks through the whole engine: journal with fsync, twins, detectors, closings.
/// </summary>
internal sealed record IngestFigures(long Readings, double Seconds, long Meters, int Days);

/// <summary>Feeds a fleet's days as a replay would: relation rows first, then day by day, meter by meter.</summary>
internal static class IngestBench
{
    private const ulong Seed = 20;

    /// <summary>2009-03-02, a Monday.</summary>
    private const int FirstDay = 14_305;

    /// <summary>Meters on one feeder.</summary>
    private const int FeederMembers = 20;

    public static MeterId Meter(int index) =>
        MeterId.FromUtilityId("bench-" + index.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>What a meter counts on a day of <see cref="Load"/>, Wh.</summary>
    public static long Sum(MeterId meter, int day)
    {
        Span<int> slots = stackalloc int[BenchLoad.SlotsPerDay];
        BenchLoad.FillDay(Seed, meter.Value, day, slots);
        var sum = 0L;
        foreach (var wattHours in slots) sum += wattHours;
        return sum;
    }

    public static async Task Register(IFleet fleet, MeterId[] meters)
    {
        var batch = new InputBatch("bench");
        for (var i = 0; i < meters.Length; i++)
        {
            batch.Add(new MeterRelation(meters[i], $"bench-{i}", MeterRole.Customer, $"F{i / FeederMembers}", "M1",
                "1.0", $"L{i % 7}", "", "", "", "UTC", "", "",
                CustomerCategory.Ordinary, int.MinValue, int.MaxValue));
            if (!batch.IsFull && batch.Count < 8192) continue;
            await fleet.Append(batch, CancellationToken.None);
            batch = new InputBatch("bench");
        }
        await fleet.Append(batch, CancellationToken.None);
    }

    /// <summary>Appends days [from, to) and returns how long that took, generating and encoding included.</summary>
    public static async Task<IngestFigures> Load(IFleet fleet, MeterId[] meters, int from, int to)
    {
        var slots = new int[BenchLoad.SlotsPerDay];
        var watch = Stopwatch.StartNew();
        var raw = new Twin.Hardware.Coding.ByteWriter(160);
        long readings = 0;
        Task<AppendReceipt>? pending = null;
        for (var day = from; day < to; day++)
        {
            for (var i = 0; i < meters.Length;)
            {
                var batch = new InputBatch("bench");
                for (; i < meters.Length && batch.Count < 8192; i++)
                {
                    BenchLoad.FillDay(Seed, meters[i].Value, day, slots);
                    raw.Clear();
                    ReadingBlock.WriteRaw(raw, meters[i], Channel.Import, 30, (FirstDay + day) * 1440L, slots, [], 0);
                    batch.Add(raw.Written);
                }
                if (pending is not null) readings += (await pending).Totals().Readings;
                pending = fleet.Append(batch, CancellationToken.None).AsTask();
            }
        }
        if (pending is not null) readings += (await pending).Totals().Readings;
        return new IngestFigures(readings, watch.Elapsed.TotalSeconds, meters.Length, to - from);
    }
}
