using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Contracts;

// What was known when.
public abstract partial class FleetContract
{
    private const int Meters = 4;

    private static UnixTime EndOf(int day) => new((Feed.FirstDay + day + 1) * 86_400L);

    private static byte[] Day(int meter, int day, int plus, int from = 0, int to = 24)
    {
        var bytes = new ByteWriter();
        int[] values = [.. Feed.Values(meter, day)[from..to].Select(v => v + plus)];
        ReadingBlock.WriteRaw(bytes, Feed.Meter(meter), Channel.Import, Feed.Interval,
            (Feed.FirstDay + day) * 1440L + from * Feed.Interval, values, [], 0);
        return bytes.ToArray();
    }

    private static byte[] Still(int meter, int day)
    {
        var bytes = new ByteWriter();
        var values = new int[24];
        Array.Fill(values, 77);
        ReadingBlock.WriteRaw(bytes, Feed.Meter(meter), Channel.Import, Feed.Interval,
            (Feed.FirstDay + day) * 1440L, values, [], 0);
        return bytes.ToArray();
    }

    private sealed record Then(UnixTime Time, byte[]?[] States, string[] Findings,
        List<(int Day, int Slot, int Value)>[]
        Series);

    private static async Task<Then> Look(IFleet fleet, UnixTime time, UnixTime? knownAt)
    {
        var (states, series) = (new List<byte[]?>(), new List<List<(int, int, int)>>());
        for (var m = 0; m < Meters; m++)
        {
            states.Add(await fleet.State(Feed.Meter(m).Twin, new AsOf(null, knownAt), default));
            var values = new List<(int, int, int)>();
            await fleet.Series(Feed.Meter(m), Channel.Import, 0, 40_000, knownAt, (day, _, slots, _) =>
            {
                for (var i = 0; i < slots.Length; i++)
                    if (slots[i] != ReadingBlock.Missing) values.Add((day.Number, i, slots[i]));
            }, default);
            series.Add(values);
        }
        var findings = await fleet.Findings(
            new FindingQuery(null, null, null, null, 10_000) { KnownAt = knownAt }, default);
        return new Then(time, [.. states], [.. findings.Select(f => f.Id)], [.. series]);
    }

    private static void AssertSame(Then expected, Then found, string when)
    {
        for (var m = 0; m < Meters; m++)
        {
            Assert.True(expected.Series[m].SequenceEqual(found.Series[m]), $"{when}: the series of meter {m} differs");
            Assert.True((expected.States[m] ?? []).AsSpan().SequenceEqual(found.States[m] ?? []),
                $"{when}: the state of meter {m} differs");
        }
        Assert.True(expected.Findings.SequenceEqual(found.Findings), $"{when}: findings differ");
    }

    /// <summary>
    /// Step by step: a word of time, then readings of the day that ended then, some of them late, some revised, some
    /// never. Whatever is asked later of such a time is what was there then, byte for byte.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task What_was_known_at_a_time_is_what_was_there_then(ulong seed)
    {
        var random = new SplitMix64(seed);
        var then = new List<Then>();
        await using (var fleet = Open())
        {
            await fleet.Send(Feed.Batch("s", [.. Enumerable.Range(0, Meters).Select(m => Feed.Seen(m).ToBytes())]));
            for (var day = 0; day < 45; day++)
            {
                await fleet.Send(Feed.Batch("host", new Tick(EndOf(day)).ToBytes(), new Sweep(EndOf(day)).ToBytes()));
                var batch = new InputBatch("s");
                for (var m = 0; m < Meters; m++)
                {
                    if (m > 0 && random.Next(5) == 0) continue;
                    // A meter that stands still for a fortnight is found out.
                    batch.Add(m == 1 && day is > 20 and < 35 ? Still(m, day) : Day(m, day, 0));
                }
                if (day > 10) batch.Add(Day(1 + random.Next(Meters - 1), day - 1 - random.Next(10), 0));
                if (day > 10 && random.Next(2) == 0)
                    batch.Add(Day(1 + random.Next(Meters - 1), day - 1 - random.Next(10), 1 + random.Next(9)));
                if (random.Next(4) == 0) batch.Add(Feed.Event(random.Next(Meters), day * 86_400 + 500));
                await fleet.Send(batch);
                then.Add(await Look(fleet, EndOf(day), null));
            }
            foreach (var t in then) AssertSame(t, await Look(fleet, t.Time, t.Time), $"seed {seed}, {t.Time}");
        }
        await using var again = Open();
        foreach (var t in then) AssertSame(t, await Look(again, t.Time, t.Time), $"seed {seed}, {t.Time}, reopened");
        var now = new UnixTime(EndOf(44).Seconds + 1);
        AssertSame(then[^1], await Look(again, now, now), $"seed {seed}, now");
        // What came before the first word of time was known since ever.
        var first = await again.State(Feed.Meter(0).Twin, new AsOf(null, new UnixTime(0)), default);
        Assert.Equal(0, MeterView.From(Feed.Meter(0).Twin, first!).Stored);
    }

    [Fact]
    public async Task Event_time_and_what_was_known_differ_by_what_came_late_or_was_revised()
    {
        await using var fleet = Open();
        await fleet.Send(Feed.Batch("s", Feed.Seen(0).ToBytes(), Feed.Seen(1).ToBytes()));
        for (var day = 0; day < 12; day++)
        {
            await fleet.Send(Feed.Batch("host", new Tick(EndOf(day))));
            // Meter 1 keeps back half of day 2.
            await fleet.Send(Feed.Batch("s", Day(0, day, 0), Day(1, day, 0, 0, day == 2 ? 12 : 24)));
        }
        await fleet.Send(Feed.Batch("host", new Tick(EndOf(12))));
        var late = await fleet.Send(Feed.Batch("s", Day(1, 2, 0, 12, 24), Day(0, 3, 5, 0, 1)));
        Assert.Equal((24 / 2, 1), (late.Totals().Readings, late.Totals().Revisions));

        async Task<(int Stored, long Sum)> Ask(int meter, UnixTime? at, UnixTime? knownAt)
        {
            var key = Feed.Meter(meter).Twin;
            var view = MeterView.From(key, (await fleet.State(key, new AsOf(at, knownAt), default))!);
            return (view.Stored, view.Import!.Sum);
        }
        long Sum(int meter, int days) => Enumerable.Range(0, days).Sum(d => Feed.Values(meter, d).Sum(v => (long)v));
        var (half, five) = (Feed.Values(1, 2)[12..].Sum(v => (long)v), EndOf(5));
        Assert.Equal((6 * 24, Sum(1, 6)), await Ask(1, five, null));
        Assert.Equal((6 * 24 - 12, Sum(1, 6) - half), await Ask(1, null, five));
        Assert.Equal((6 * 24 - 12, Sum(1, 6) - half), await Ask(1, five, EndOf(11)));
        Assert.Equal((6 * 24, Sum(1, 6)), await Ask(1, five, EndOf(12)));
        Assert.Equal(Sum(0, 6) + 5, (await Ask(0, five, null)).Sum);
        Assert.Equal(Sum(0, 6), (await Ask(0, null, five)).Sum);
        Assert.Equal(Sum(0, 13) - Feed.Values(0, 12).Sum(v => (long)v) + 5, (await Ask(0, null, EndOf(12))).Sum);
    }

    [Fact]
    public async Task The_past_of_a_twin_that_depends_on_others_is_not_kept_and_says_so()
    {
        await using var fleet = Open();
        var feeder = TwinKey.Named(TwinKind.Feeder, "F1");
        await fleet.Send(Feed.Days("s", 2, 0, 10));
        var refused = await Assert.ThrowsAsync<PastNotKeptException>(async () =>
            await fleet.State(feeder, new AsOf(EndOf(2), null), default));
        Assert.Contains("depends on its members", refused.Message);
    }
}
