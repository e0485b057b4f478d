using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Twin.Hardware;

namespace Twin.Api.Tests;

public class SeriesTests
{
    private static readonly UnixTime Start = new(1_577_836_800); // 2020-01-01

    [Fact]
    public async Task ColumnsHoldWhatBeginsInThemAndGapsAreNull()
    {
        await using var service = await Service.Start();
        var meter = service.Fleet.AddMeter("m1");
        foreach (var (slot, value) in (ReadOnlySpan<(int, int)>)[(0, 10), (1, 30), (2, 5), (3, -7), (6, 100), (7, 0),
            (8, 999)])
            service.Fleet.AddReading(meter, Channel.Import, new UnixTime(Start.Seconds + slot * 1800), 30, value);
        var json = await service.Get(
            "/api/v1/meters/m1/series?from=2020-01-01T00:00:00Z&to=2020-01-01T04:00:00Z&columns=4");
        Assert.Equal("import", (string?)json["channel"]);
        Assert.Equal("Wh", (string?)json["unit"]);
        Assert.Equal(30, (int?)json["interval_minutes"]);
        Assert.Equal("2020-01-01T00:00:00Z", (string?)json["from"]);
        Assert.Equal("2020-01-01T04:00:00Z", (string?)json["to"]);
        Assert.Equal(
        [
            """{"start":"2020-01-01T00:00:00Z","min":10,"max":30,"mean":20,"count":2,"sum":40}""",
            """{"start":"2020-01-01T01:00:00Z","min":-7,"max":5,"mean":-1,"count":2,"sum":-2}""",
            """{"start":"2020-01-01T02:00:00Z","min":null,"max":null,"mean":null,"count":0,"sum":null}""",
            """{"start":"2020-01-01T03:00:00Z","min":0,"max":100,"mean":50,"count":2,"sum":100}""",
        ], json["columns"]!.AsArray().Select(c => c!.ToJsonString()));
    }

    /// <summary>3,601 seconds in two columns: the border lies at 1,800.5, behind the reading of 1,800.</summary>
    [Fact]
    public async Task ABorderBetweenTwoSecondsIsRoundedUp()
    {
        await using var service = await Service.Start();
        var meter = service.Fleet.AddMeter("m1");
        for (var i = 0; i < 3; i++)
            service.Fleet.AddReading(meter, Channel.Import, new UnixTime(Start.Seconds + i * 1800), 30, i);
        var json = await service.Get(
            "/api/v1/meters/m1/series?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:01Z&columns=2");
        Assert.Equal(["2020-01-01T00:00:00Z 2", "2020-01-01T00:30:01Z 1"],
            json["columns"]!.AsArray().Select(c => $"{c!["start"]} {c["count"]}"));
    }

    private sealed record Case(int FromSecond, int Seconds, int Columns, int Interval, int Seed);

    private static Arbitrary<Case> Cases() => (
        from begin in Gen.Choose(-100_000, 240_000)
        from seconds in Gen.Choose(60, 360_000)
        from columns in Gen.Choose(1, 50)
        from interval in Gen.Elements(5, 15, 30, 60)
        from seed in Gen.Choose(0, int.MaxValue)
        select new Case(begin, seconds, columns, interval, seed)).ToArbitrary();

    /// <summary>
    /// Against the definition: column i of n covers [from + i·span/n, from + (i+1)·span/n), in exact fractions.
    /// </summary>
    [Fact]
    public void EveryReadingIsInTheColumnOfItsStart() => Prop.ForAll(Cases(), c => Check(c).GetAwaiter().GetResult())
        .Check(Config.QuickThrowOnFailure.WithMaxTest(40));

    private static async Task Check(Case c)
    {
        await using var service = await Service.Start();
        var meter = service.Fleet.AddMeter("m1");
        var draw = new SplitMix64((ulong)c.Seed);
        var readings = new List<(long Seconds, int Value)>();
        for (var minute = -1440; minute < 6 * 1440; minute += c.Interval)
        {
            if (draw.Next(4) == 0) continue;
            var at = Start.Seconds + minute * 60;
            readings.Add((at, draw.Next(10_000)));
            service.Fleet.AddReading(meter, Channel.Import, new UnixTime(at), c.Interval, readings[^1].Value);
        }
        var from = Start.Seconds + c.FromSecond;
        var span = (long)c.Seconds;
        var json = await service.Get(
            $"/api/v1/meters/m1/series?from={new UnixTime(from)}&to={new UnixTime(from + span)}&columns={c.Columns}");
        var columns = json["columns"]!.AsArray();
        Assert.Equal(c.Columns, columns.Count);
        for (var i = 0; i < c.Columns; i++)
        {
            var own = readings.Where(r => (r.Seconds - from) * c.Columns >= i * span
                && (r.Seconds - from) * c.Columns < (i + 1) * span)
                .Select(r => r.Value).ToArray();
            AssertColumn(columns[i]!, own);
        }
    }

    private static void AssertColumn(JsonNode column, int[] own)
    {
        Assert.Equal(own.Length, (int)column["count"]!);
        Assert.Equal(own.Length == 0 ? null : own.Min(), (int?)column["min"]);
        Assert.Equal(own.Length == 0 ? null : own.Max(), (int?)column["max"]);
        Assert.Equal(own.Length == 0 ? null : own.Sum(v => (long)v), (long?)column["sum"]);
        Assert.Equal(own.Length == 0 ? null : own.Average(), (double?)column["mean"]);
    }

    [Fact]
    public async Task DaysAreAskedWideEnoughForEveryZone()
    {
        await using var service = await Service.Start();
        service.Fleet.AddMeter("m1");
        await service.Get("/api/v1/meters/m1/series?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z");
        Assert.Equal((18261, 18264), service.Fleet.LastDays);
    }

    [Fact]
    public async Task RangeCountsBackFromTheWatermarkWhenNotGiven()
    {
        await using var service = await Service.Start();
        service.Fleet.AddMeter("m1");
        await service.AssertProblem("/api/v1/meters/m1/series", 400, "range_required");
        service.Fleet.Status = service.Fleet.Status with { Watermark = Start };
        var json = await service.Get("/api/v1/meters/m1/series?channel=voltage");
        Assert.Equal("2019-12-25T00:00:00Z", (string?)json["from"]);
        Assert.Equal("2020-01-01T00:00:00Z", (string?)json["to"]);
        Assert.Equal("0.1 V", (string?)json["unit"]);
        Assert.Null(json["interval_minutes"]);
        Assert.Equal(600, json["columns"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("from=2020-01-02&to=2020-01-01", 400, "bad_range")]
    [InlineData("from=2020-01-01&to=2020-01-01", 400, "bad_range")]
    [InlineData("from=1900-01-02&to=2100-01-01", 400, "bad_range")]
    [InlineData("from=0001-01-01&to=2020-01-01", 400, "bad_from")]
    [InlineData("from=2020-01-01&to=9999-12-31", 400, "bad_to")]
    [InlineData("from=2020-01-01&to=2021-01-01&columns=5001", 400, "bad_columns")]
    [InlineData("from=2020-01-01&to=2021-01-01&columns=-1", 400, "bad_columns")]
    [InlineData("from=2020-01-01T00:00:00Z&to=2020-01-01T00:00:10Z&columns=11", 400, "bad_columns")]
    [InlineData("from=2020-01-01&to=2021-01-01&channel=steam", 400, "bad_channel")]
    public async Task AWrongRangeIsNamed(string query, int status, string code)
    {
        await using var service = await Service.Start();
        service.Fleet.AddMeter("m1");
        await service.AssertProblem($"/api/v1/meters/m1/series?{query}", status, code);
    }

    [Fact]
    public async Task UnknownMeterIs404()
    {
        await using var service = await Service.Start();
        await service.AssertProblem("/api/v1/meters/m1/series?from=2020-01-01&to=2020-01-02", 404, "meter_not_found");
    }
}
