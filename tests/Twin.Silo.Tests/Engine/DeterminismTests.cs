using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Engine;

/// <summary>The same inputs give the same twins and findings, however they come (DESIGN, invariants 3 and 4).</summary>
public sealed class DeterminismTests(ITestOutputHelper output) : IDisposable
{
    private const int Homes = 40;
    private const int Days = 45;

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>How a feed is disturbed on its way.</summary>
    private sealed record Way(int Shards, int BatchItems, bool Shuffle, bool Repeat, int ReopenAt, bool Snapshot,
        bool Compact);

    private static readonly Way Straight = new(1, 65_536, false, false, -1, true, false);

    [Fact]
    public async Task Disturbed_on_the_way_the_same_inputs_give_the_same_fleet()
    {
        var seed = Crash.KillTests.Seed(output);
        var random = new SplitMix64(seed);
        var days = Feed.World(seed, Homes, Days, out var fleet);
        KeepCertain(days);
        var expected = await Run("straight", fleet, days, Straight, random);
        Assert.NotEmpty(expected.Findings);
        Way[] ways =
        [
            Straight with { Shards = 8 }, new(8, 1 + random.Next(40), true, false, -1, true, false),
                new(2, 200, false, true, -1, true, false),
            new(3, 50 + random.Next(400), true, true, random.Next(Days), true, false),
                new(1, 300, true, true, random.Next(Days), false, true),
            new(8, 65_536, true, true, random.Next(Days), false, false),
        ];
        for (var i = 0; i < ways.Length; i++)
        {
            output.WriteLine(ways[i].ToString());
            var got = await Run($"way{i}", fleet, days, ways[i], random);
            Assert.Equal(expected.Findings, got.Findings);
            Assert.Equal(expected.Hash, got.Hash);
            Assert.Equal(expected.Readings, got.Readings);
            Assert.Equal(expected.Hash, Feed.VerifySound(_directory.Sub($"way{i}")).StateHash);
        }
    }

    /// <summary>
    /// Leaves out what arrives so near to the horizon that a delay of two days makes it late: there the arrival
    /// decides, by design.
    /// </summary>
    private static void KeepCertain(List<List<byte[]>> days)
    {
        var first = Start(days[0][0]);
        for (var d = 0; d < days.Count; d++) days[d].RemoveAll(b => d - (Start(b) - first) is >= 1 and <= 8);
    }

    private static long Start(byte[] block) => ReadingBlock.Read(block).StartMinute / 1440;

    private async Task<(string Hash, List<string> Findings, long Readings)> Run(string name, InputBatch fleetRows,
        List<List<byte[]>> days, Way way, SplitMix64 random)
    {
        var path = _directory.Sub(name);
        var fleet = Feed.Open(path, way.Shards, way.Snapshot);
        await fleet.Send(fleetRows);
        long readings = 0;
        var arrivals = way.Shuffle ? Shuffled(days, random) : days;
        for (var day = 0; day < arrivals.Count; day++)
        {
            if (day == way.ReopenAt)
            {
                if (way.Compact) await fleet.Compact();
                await fleet.DisposeAsync();
                fleet = Feed.Open(path, way.Shards, way.Snapshot);
            }
            var items = arrivals[day];
            if (way.Repeat) items = [.. items, .. Enumerable.Range(0, items.Count / 5)
                .Select(_ => Earlier(arrivals, day, random))];
            foreach (var part in items.Chunk(way.BatchItems)) readings += (await fleet.Send(Feed.Batch("world", part)))
                .Totals().Readings;
        }
        await fleet.Send(Feed.Batch("world", new SourceEnded("world")));
        var result = (await fleet.Hash(), await fleet.FindingIds(), readings);
        await fleet.DisposeAsync();
        return result;
    }

    private static byte[] Earlier(List<List<byte[]>> days, int day, SplitMix64 random)
    {
        var from = days[random.Next(day + 1)];
        return from.Count > 0 ? from[random.Next(from.Count)] : days[0][0];
    }

    /// <summary>
    /// Everything up to two days later than it was sent, in any order; but no shift for what is late anyway.
    /// </summary>
    private static List<List<byte[]>> Shuffled(List<List<byte[]>> days, SplitMix64 random)
    {
        var first = Start(days[0][0]);
        var arrivals = Enumerable.Range(0, days.Count + 2).Select(_ => new List<byte[]>()).ToList();
        for (var d = 0; d < days.Count; d++)
            foreach (var item in days[d]) arrivals[d - (Start(item) - first) > 0 ? d : d + random.Next(3)].Add(item);
        foreach (var list in arrivals)
            for (var i = list.Count - 1; i > 0; i--)
            {
                var j = random.Next(i + 1);
                (list[i], list[j]) = (list[j], list[i]);
            }
        return arrivals;
    }

    [Fact]
    public async Task Meters_whose_first_word_is_a_reading_and_that_join_late_are_rebuilt_the_same()
    {
        var path = _directory.Sub("late-joiners");
        await using (var fleet = Feed.Open(path, snapshot: false))
        {
            for (var day = 0; day < 40; day++)
            {
                var batch = new InputBatch("s");
                for (var part = 0; part < 2; part++)
                    for (var m = 0; m < 8; m++)
                        if (day >= m * 4 && (day + m) % 11 != 0) batch.Add(Feed.Block(m, day, part * 12, part * 12
                            + 12));
                await fleet.Send(batch);
                if (day % 13 == 5) await fleet.Compact();
            }
            for (var m = 0; m < 8; m++)
            {
                var live = await fleet.State(Feed.Meter(m).Twin, null, default);
                Assert.Equal(live, await fleet.State(Feed.Meter(m).Twin,
                    UnixTime.FromMinutes((Feed.FirstDay + 400) * 1440L), default));
            }
        }
        Feed.VerifySound(path);
    }

    [Fact]
    public async Task The_past_of_a_meter_is_what_it_was_when_the_day_had_closed()
    {
        const ulong seed = 31;
        output.WriteLine($"seed {seed}");
        var days = Feed.World(seed, 25, 40, out var rows);
        var first = Start(days[0][0]);
        for (var d = 0; d < days.Count; d++) days[d].RemoveAll(b => Start(b) - first != d);
        await using var fleet = Feed.Open(_directory.Sub("past"), 3);
        // Context that is announced before it begins is no part of the past before it begins.
        await fleet.Send(Feed.Batch("world",
            [.. Enumerable.Range(0, rows.Count).Select(i => rows[i].ToArray())
            .Where(r => Envelope.Read(r).Kind != InputKind.ContextPeriod)]));
        var meters = await fleet.Keys(TwinKind.Meter, 0, 1000, default);
        var then = new Dictionary<(int Day, TwinKey Key), byte[]?>();
        for (var d = 0; d < days.Count; d++)
        {
            await fleet.Send(Feed.Batch("world", [.. days[d]]));
            // The source pauses after each day: the day closes at once.
            await fleet.Send(Feed.Batch("world", new SourceEnded("world")));
            foreach (var key in meters.Where((_, i) => (i + d) % 7 == 0)) then[(d, key)] = await fleet.State(key, null,
                default);
        }
        await fleet.Compact();
        foreach (var ((day, key), state) in then)
            Assert.Equal(state, await fleet.State(key, new UnixTime((first + day + 1) * 86_400), default));
        foreach (var key in meters) Assert.Equal(await fleet.State(key, null, default),
            await fleet.State(key, new UnixTime((first + 500) * 86_400), default));
        Assert.Null(await fleet.State(Feed.Meter(77).Twin, new UnixTime(0), default));
    }

    [Fact]
    public async Task Late_readings_and_revisions_do_not_part_the_past_from_the_present()
    {
        await using var fleet = Feed.Open(_directory.Sub("revised"));
        for (var day = 0; day < 30; day++)
        {
            var batch = Feed.Days("s", 4, day, day + 1);
            if (day % 3 == 0) batch.Add(Revised(1, Math.Max(0, day - 1)));
            if (day % 5 == 4) batch.Add(Revised(2, day - 4));
            batch.Add(Feed.Event(day % 4, day * 86_400));
            await fleet.Send(batch);
        }
        var live = new List<byte[]?>();
        for (var m = 0; m < 4; m++) live.Add(await fleet.State(Feed.Meter(m).Twin, null, default));
        for (var m = 0; m < 4; m++) Assert.Equal(live[m],
            await fleet.State(Feed.Meter(m).Twin, new UnixTime((Feed.FirstDay + 300) * 86_400L), default));
        await fleet.Compact();
        for (var m = 0; m < 4; m++) Assert.Equal(live[m],
            await fleet.State(Feed.Meter(m).Twin, new UnixTime((Feed.FirstDay + 300) * 86_400L), default));
    }

    private static byte[] Revised(int meter, int day)
    {
        var bytes = new Twin.Hardware.Coding.ByteWriter();
        ReadingBlock.WriteRaw(bytes, Feed.Meter(meter), Channel.Import, Feed.Interval, (Feed.FirstDay + day) * 1440L,
            [.. Feed.Values(meter, day).Select(v => v + 3)], [], 0);
        return bytes.ToArray();
    }
}
