using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Emulator;
using Twin.Silo.Bench;
using Twin.Silo.Embedded;

namespace Twin.Silo.Tests.Engine;

/// <summary>Inputs for tests of engines. Days are counted from <see cref="FirstDay"/>.</summary>
internal static class Feed
{
    public const int FirstDay = 20_000;
    public const int Interval = 60;
    private const int SlotsADay = 1440 / Interval;

    public static MeterId Meter(int n) => MeterId.FromUtilityId("M" + n);

    public static MeterSeen Seen(int meter) => new(Meter(meter), "M" + meter, "UTC", 3);

    public static DeviceEvent Event(int meter, int at) =>
        new(Meter(meter), new UnixTime(FirstDay * 86_400L + at), "test", "7", "");

    /// <summary>A value that nobody else has at that place.</summary>
    public static int Value(int meter, int day, int slot) => 100 + meter * 31 % 97 + (day * 7 + slot * 13) % 60;

    public static int[] Values(int meter, int day) =>
        [.. Enumerable.Range(0, SlotsADay).Select(s => Value(meter, day, s))];

    /// <summary>A whole day, or what of it lies in slots [from, to).</summary>
    public static byte[] Block(int meter, int day, int from = 0, int to = SlotsADay)
    {
        var bytes = new ByteWriter();
        var start = (FirstDay + day) * 1440L + from * Interval;
        ReadingBlock.WriteRaw(bytes, Meter(meter), Channel.Import, Interval, start, Values(meter, day)
            .AsSpan(from..to), [], 0);
        return bytes.ToArray();
    }

    public static InputBatch Batch(string source, params byte[][] items)
    {
        var batch = new InputBatch(source);
        foreach (var item in items) batch.Add(item);
        return batch;
    }

    public static InputBatch Batch(string source, params Input[] items) =>
        Batch(source, [.. items.Select(i => i.ToBytes())]);

    /// <summary>Whole days of several meters.</summary>
    public static InputBatch Days(string source, int meters, int fromDay, int toDay)
    {
        var batch = new InputBatch(source);
        for (var m = 0; m < meters && fromDay == 0; m++) batch.Add(Seen(m));
        for (var d = fromDay; d < toDay; d++)
            for (var m = 0; m < meters; m++) batch.Add(Block(m, d));
        return batch;
    }

    public static Task<AppendReceipt> Send(this IFleet fleet, InputBatch batch) =>
        fleet.Append(batch, CancellationToken.None).AsTask();

    public static Task<string> Hash(this IFleet fleet) => fleet.StateHash(CancellationToken.None).AsTask();

    /// <summary>All stored import readings of a meter: (day, slot, value).</summary>
    public static async Task<List<(int Day, int Slot, int Value)>> Stored(this IFleet fleet, MeterId meter)
    {
        var all = new List<(int, int, int)>();
        await fleet.Series(meter, Channel.Import, int.MinValue, int.MaxValue, (day, _, slots, _) =>
        {
            for (var i = 0; i < slots.Length; i++)
                if (slots[i] != ReadingBlock.Missing) all.Add((day.Number - FirstDay, i, slots[i]));
        }, CancellationToken.None);
        return all;
    }

    public static List<(int Day, int Slot, int Value)> Expected(int meter, int fromDay, int toDay) =>
        [.. Enumerable.Range(fromDay, toDay - fromDay).SelectMany(d => Values(meter, d).Select((v, i) => (d, i, v)))];

    public static async Task<List<string>> FindingIds(this IFleet fleet) =>
        [.. (await fleet.Findings(new FindingQuery(null, null, null, null, 10_000), CancellationToken.None))
            .Select(f => $"{f.Id} {f.Sentence}")];

    public static EmbeddedFleet Open(string path, int shards = 2, bool snapshot = true, int horizon = 3,
        int? retention = null, Action<string>? log = null) =>
        EmbeddedFleet.Open(new EmbeddedOptions
        {
            DataPath = path, Shards = shards, SnapshotOnClose = snapshot,
            HorizonDays = horizon, RetentionDays = retention
        },
            new TwinFactory(), log);

    public static VerifyReport Verify(string path) => Verifier.Run(path, 2, new TwinFactory(), _ => { });

    /// <summary>A verification that found nothing wrong.</summary>
    public static VerifyReport VerifySound(string path)
    {
        var report = Verify(path);
        Assert.Empty(report.Differences);
        return report;
    }

    /// <summary>A generated fleet, day by day: what arrives that day.</summary>
    public static List<List<byte[]>> World(ulong seed, int meters, int days, out InputBatch fleet)
    {
        var world = new World(new WorldOptions
        {
            Seed = seed, Meters = meters, Days = days, AnomalyShare = 0.15,
            LookAlikeShare = 0.1, IntervalMinutes = Interval
        });
        var feed = new WorldFeed(world, "world");
        fleet = feed.Fleet();
        return [.. Enumerable.Range(0, days).Select(d =>
        {
            var batch = feed.Day(d);
            return Enumerable.Range(0, batch.Count).Select(i => batch[i].ToArray()).ToList();
        })];
    }
}
