using System.Text;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Readers;

namespace Twin.Ingest.Tests;

public sealed class ObservationTests
{
    private static (ObservationError? Error, ObservationBatch Batch) One(string line)
    {
        var batch = new ObservationBatch(new InputBatch("http"), new AnnouncedMeters());
        return (batch.Add(Encoding.UTF8.GetBytes(line)), batch);
    }

    [Fact]
    public void A_reading_brings_its_meter()
    {
        var (error,
            batch) = One("{\"meter\":\"m 1\",\"start\":\"2026-01-01T00:30:00+01:00\",\"interval_minutes\":30,\"impo"
                + "rt_wh\":123,\"voltage_v\":230.14}");
        Assert.Null(error);
        Assert.Equal(1..3, Assert.Single(batch.Lines));
        Assert.Equal(new MeterSeen(MeterId.FromUtilityId("m 1"), "m 1", "+01:00", 1), Input.Read(batch.Batch[0]));
        var block = ReadingBlock.Read(batch.Batch[1]);
        Assert.Equal((Channel.Import, 30, Feeds.Minute("2025-12-31T23:30Z"), 1),
            (block.Channel, block.IntervalMinutes, block.StartMinute, block.Count));
        var slots = new int[1];
        ReadingBlock.Read(batch.Batch[2]).DecodeValues(slots);
        Assert.Equal((2301, 1L), (slots[0], batch.Rounded));
    }

    [Fact]
    public void Blocks_events_and_registers_are_read()
    {
        var announced = new AnnouncedMeters();
        var batch = new ObservationBatch(new InputBatch("http"), announced);
        string[] lines =
        [
            "{\"meter\":\"m\",\"start\":\"2026-01-01T00:00:00Z\",\"interval_minutes\":15,\"channel\":\"export\",\"v"
                + "alues\":[1,null,-3],\"quality\":\"estimated\","
                + "\"stamp\":\"2026-01-02T00:00:05Z\"}",
            "{\"meter\":\"m\",\"at\":\"2026-01-01T00:00:07Z\",\"profile\":\"dlms\",\"code\":7,\"detail\":\"x\"}",
            "{\"meter\":\"m\",\"at\":\"2026-01-01T00:00:00Z\",\"register_wh\":123456789012}",
        ];
        foreach (var line in lines) Assert.Null(batch.Add(Encoding.UTF8.GetBytes(line)));
        Assert.Equal([1..2, 2..3, 3..4], batch.Lines);
        var block = ReadingBlock.Read(batch.Batch[1]);
        var (slots, qualities) = (new int[3], new Quality[3]);
        block.DecodeValues(slots);
        block.DecodeQualities(qualities);
        Assert.Equal([1, ReadingBlock.Missing, -3], slots);
        Assert.Equal([Quality.Estimated, Quality.Missing, Quality.Estimated], qualities);
        var day = Feeds.Minute("2026-01-01T00:00Z") * 60;
        Assert.Equal(day + 86_405, block.SourceStamp);
        Assert.Equal(new DeviceEvent(MeterId.FromUtilityId("m"), new UnixTime(day + 7), "dlms", "7", "x"),
            Input.Read(batch.Batch[2]));
        Assert.Equal(new RegisterSnapshot(MeterId.FromUtilityId("m"), Channel.Import, new UnixTime(day),
            123_456_789_012), Input.Read(batch.Batch[3]));
        batch.Committed();
        var next = new ObservationBatch(new InputBatch("http"), announced);
        Assert.Null(next.Add(Encoding.UTF8.GetBytes(lines[2])));
        Assert.Equal(1, next.Batch.Count);
    }

    [Theory]
    [InlineData("[]", "the line is no JSON object")]
    [InlineData("", "no JSON")]
    [InlineData("{\"meter\":\"m\"", "no JSON")]
    [InlineData("{\"meter\":\"m\"} {}", "no JSON")]
    [InlineData("{}", "'meter': is missing")]
    [InlineData("{\"meter\":\"m\"}", "'start': is missing")]
    [InlineData("{\"meter\":\"m\",\"start\":\"2026-01-01T00:00:00Z\"}", "'interval_minutes': is missing")]
    [InlineData("{\"meter\":\"m\",\"start\":\"2026-01-01T00:00:00\"}", "'start': is no RFC 3339 time")]
    [InlineData("{\"meter\":\"m\",\"start\":\"2026-01-01T00:00:00Z\",\"interval_minutes\":30}", "'values': is missing")]
    [InlineData("{\"meter\":\"m\",\"start\":\"2026-01-01T00:00:00Z\",\"interval_minutes\":7,\"import_wh\":1}",
        "'interval_minutes': is no number of minutes")]
    [InlineData("{\"meter\":\"m\",\"start\":\"2026-01-01T00:10:00Z\",\"interval_minutes\":30,\"import_wh\":1}",
        "'start': is off the grid")]
    [InlineData("{\"meter\":\"m\",\"start\":\"2026-01-01T00:00:00Z\",\"interval_minutes\":30,\"import_wh\":\"1\"}",
        "'import_wh': is no number")]
    [InlineData("{\"meter\":\"m\",\"start\":\"2026-01-01T00:00:00Z\",\"interval_minutes\":30,\"import_wh\":9e9}",
        "'import_wh': this value is out of range")]
    [InlineData("{\"meter\":\"m\",\"start\":\"2026-01-01T00:00:00Z\",\"interval_minutes\":30,\"values\":[]}",
        "'values': is empty")]
    [InlineData("{\"meter\":\"m\",\"start\":\"2026-01-01T00:00:00Z\",\"interval_minutes\":30,\"values\":[null]}",
        "'values': hold no reading")]
    [InlineData("{\"meter\":\"m\",\"start\":\"2026-01-01T00:00:00Z\",\"interval_minutes\":30,\"values\":[1],\"chann"
        + "el\":\"voltage\"}", "must stand before 'values'")]
    [InlineData("{\"meter\":\"m\",\"start\":\"2026-01-01T00:00:00Z\",\"interval_minutes\":30,\"import\":1}",
        "'import': is not known")]
    [InlineData("{\"meter\":\"m\",\"at\":\"2026-01-01T00:00:00Z\"}", "'code': is missing")]
    [InlineData("{\"meter\":\" \",\"at\":\"2026-01-01T00:00:00Z\",\"code\":\"1\"}", "'meter': the meter id is empty")]
    public void A_bad_line_says_why_and_adds_nothing(string line, string expected)
    {
        var (error, batch) = One(line);
        Assert.Contains(expected, error!.ToString());
        Assert.Equal((0, 0..0), (batch.Batch.Count, batch.Lines[0]));
    }

    [Fact]
    public void An_ndjson_file_is_replayed()
    {
        var c = Feeds.CollectText("o.ndjson",
            "{\"meter\":\"m\",\"start\":\"2026-01-01T23:30:00Z\",\"interval_minutes\":30,\"values\":[1,2,null,4]}\n"
            + "nonsense\n{\"meter\":\"m\",\"at\":\"2026-01-01T12:00:00Z\",\"code\":\"7\"}\n");
        Assert.Equal([1, 2, 4], c.Readings.Select(static r => r.Value));
        Assert.Equal((1, 1, 1L), (c.Totals.RejectedRows, c.Totals.MissingTokens, c.Totals.Missing));
        Assert.Contains("\"line\":2", Assert.Single(c.Rejects));
        Assert.Single(c.Others.OfType<DeviceEvent>());
    }

    [Fact]
    public void The_canonical_form_comes_back_as_written()
    {
        var random = new SplitMix64(21);
        var rows = new List<CanonicalRow>();
        var start = Feeds.Minute("2026-01-01T00:00Z");
        for (var i = 0; i < 500; i++)
        {
            rows.Add(new CanonicalRow(i % 3 == 0 ? "a,\"b\"" : "plain", start + i * 15L, 15, random.Next(9000) - 100,
                random.Next(2) == 0 ? null : random.Next(100), random.Next(3000) - 5, (Quality)(1 + random.Next(4))));
        }
        using var text = new StringWriter();
        var writer = new CanonicalWriter(text, true, true, true);
        foreach (var row in rows) writer.Write(row, 60);
        var c = Feeds.CollectText("c.csv", text.ToString());
        Assert.Equal(0, c.Totals.Rejected);
        foreach (var row in rows)
        {
            var found = c.Readings.Where(r => r.Name == row.Meter && r.Start == row.StartMinute)
                .ToDictionary(static r => r.Channel);
            Assert.Equal((row.ImportWh, row.Quality, row.IntervalMinutes),
                (found[Channel.Import].Value, found[Channel.Import].Quality, found[Channel.Import].Interval));
            Assert.Equal(row.VoltageTenths, found[Channel.Voltage].Value);
            Assert.Equal(row.ExportWh is not null, found.ContainsKey(Channel.Export));
        }
        Assert.All(c.Others.OfType<MeterSeen>(), static m => Assert.Equal("+01:00", m.Zone));
    }
}
