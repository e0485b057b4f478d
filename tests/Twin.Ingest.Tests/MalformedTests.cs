using System.Text;
using Twin.Hardware;
using Twin.Ingest.Feed;
using Twin.Ingest.Profiles;

namespace Twin.Ingest.Tests;

public sealed class MalformedTests
{
    private const string Canonical = "meter,start,interval_minutes,import_wh,export_wh,voltage_v,quality\n";

    [Fact]
    public void Every_bad_row_is_told_and_the_rest_is_taken()
    {
        var c = Feeds.CollectText("a.csv", Canonical
            + "m1,2026-01-01T00:00:00Z,30,100,,230.1,actual\n"
            + ",2026-01-01T00:30:00Z,30,100,,,\n"
            + "m1,2026-01-01T00:45:00Z,30,100,,,\n"
            + "m1,yesterday,30,100,,,\n"
            + "m1,2026-01-01T00:30:00Z,31,100,,,\n"
            + "m1,2026-01-01T00:30:00Z,30,abc,5,,\n"
            + "\n"
            + "m1,2026-01-01T01:00:00Z,30,3000000000,NaN,,\n"
            + "m1,2026-01-01T01:30:00Z,30,1,,,guessed\n"
            + "m1,2026-01-01T02:00:00Z,30,1\n"
            + "m1,2026-01-01T02:30:00Z,30,\"1,,,\n"
            + "\"m1\",2026-01-01T03:00:00Z,30,null,,,estimated\n"
            + "m1,2026-01-01T03:30:00Z,30,7,,,estimated");
        Assert.Equal([("m1", Channel.Import, 100, Quality.Actual), ("m1", Channel.Import, 7, Quality.Estimated),
            ("m1", Channel.Export, 5, Quality.Actual), ("m1", Channel.Voltage, 2301, Quality.Actual)],
            c.Readings.Select(static r => (r.Name, r.Channel, r.Value, r.Quality)));
        Assert.Equal((7, 3), (c.Totals.RejectedRows, c.Totals.RejectedCells));
        string[] reasons = ["3,\"column\":1,\"field\":\"meter\",\"reason\":\"the meter id is empty\"",
            "4,\"column\":4,\"field\":\"start\",\"reason\":\"this time is off the grid",
            "5,\"column\":4,\"field\":\"start\",\"reason\":\"this is no time",
            "6,\"column\":25,\"field\":\"interval_minutes\"",
            "7,\"column\":28,\"field\":\"import_wh\",\"reason\":\"this is no decimal number\",\"text\":\"abc\"",
            "9,\"column\":28,\"field\":\"import_wh\",\"reason\":\"this value is out of range\"",
            "9,\"column\":39,\"field\":\"export_wh\",\"reason\":\"this is no decimal number\",\"text\":\"NaN\"",
            "10,\"column\":32,\"field\":\"quality\"",
            "11,\"column\":1,\"field\":\"\",\"reason\":\"the row has 4 columns, the header 7\"",
            "12,\"column\":1,\"field\":\"\",\"reason\":\"a quote has no end"];
        Assert.Equal(reasons.Length, c.Rejects.Count);
        for (var i = 0; i < reasons.Length; i++) Assert.Contains("\"line\":" + reasons[i], c.Rejects[i]);
    }

    [Fact]
    public void A_wide_row_goes_on_behind_a_bad_cell()
    {
        var c = Feeds.CollectText("w.csv", "time,a,b,c,d\n2026-01-01T00:00,1.5,x,,2.5\n2026-01-01T00:30,1,2,3,4,5\n"
            + "2026-01-01T00:30,0.0004,null,\"1.25\", 7 \n2026-01-01T01:00,1,2,3,99999999\n");
        Assert.Equal([("a", 1500), ("d", 2500), ("a", 0), ("c", 1250), ("d", 7000), ("a", 1000), ("b", 2000),
            ("c", 3000)],
            c.Readings.OrderBy(static r => r.Start).ThenBy(static r => r.Name).Select(static r => (r.Name, r.Value)));
        Assert.Equal((1, 2, 2, 1), (c.Totals.RejectedRows, c.Totals.RejectedCells, c.Totals.MissingTokens,
            c.Totals.Rounded));
        Assert.Contains("\"line\":2,\"column\":22,\"field\":\"b\"", c.Rejects[0]);
        Assert.Contains("the row has 6 columns, the header 5", c.Rejects[1]);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("\n\n", "is empty")]
    [InlineData("2026-01-01T00:00,1,2\n", "has no header line")]
    [InlineData("just text\n", "is no table")]
    [InlineData("time,a\0\n", "is a binary file")]
    [InlineData("meter,start,interval_minutes,import_wh\n", "profile canonical")]
    [InlineData("a,b\n1,2\n", "has no column of times")]
    [InlineData("time,import_kwh,consumption_kwh\n2026-01-01T00:00,1,2\n2026-01-01T00:30,1,2\n",
        "several columns that may be the energy")]
    [InlineData("time,kwh\n2026-01-01T00:00,1\n", "does not tell its interval")]
    [InlineData("time,a,a\n2026-01-01T00:00,1,2\n2026-01-01T00:30,1,2\n", "column 'a' stands twice")]
    [InlineData("{\"time\":1}", "is a JSON object")]
    [InlineData("[{\"time\":\"2026-01-01T00:00Z\",\"value\":1},{\"time\":\"2026-01-01T00:10Z\",\"value\":1},{\"time\":",
        "breaks off")]
    [InlineData("meter,start,interval_minutes,import_wh\nm,x,30,1\n", "every row was rejected")]
    public void A_malformed_file_is_one_clear_error(string text, string expected)
    {
        if (expected.StartsWith("profile", StringComparison.Ordinal))
        {
            Assert.Contains(Feeds.CollectText("f.csv", text).Messages,
                m => m.Contains(expected, StringComparison.Ordinal));
            return;
        }
        var name = text.StartsWith('[') || text.StartsWith('{') ? "f.json" : "f.csv";
        var c = "";
        try
        {
            c = string.Join("\n", Feeds.CollectText(name, text).Totals.FileErrors);
        }
        catch (FormatError e)
        {
            c = e.Message;
        }
        Assert.Contains(expected, c);
        Assert.Contains(name, c);
    }

    [Fact]
    public void What_stands_before_the_break_of_a_gzip_is_kept()
    {
        var text = new StringBuilder(Canonical);
        var random = new SplitMix64(7);
        var start = Feeds.Minute("2026-01-01T00:00Z");
        for (var i = 0; i < 20_000; i++)
            text.Append($"m1,{UnixTime.FromMinutes(start + i * 30L)},30,{random.Next(5000)},,,\n");
        var whole = Feeds.Gzip(Encoding.UTF8.GetBytes(text.ToString()));
        var c = Feeds.WithFiles([("t.csv.gz", whole[..(whole.Length / 2)])], static p => Feeds.Collect(p));
        var error = Assert.Single(c.Totals.FileErrors);
        Assert.Contains("breaks off after line", error);
        Assert.InRange(c.Readings.Count, 5_000, 15_000);
        Assert.Equal(0, c.Totals.Rejected);
        Assert.Equal(0, c.Totals.Missing);
    }

    [Fact]
    public void A_gzip_of_several_members_is_whole()
    {
        var random = new SplitMix64(8);
        var first = Feeds.Minute("2026-01-01T00:00Z");
        string Part(int day) => string.Concat(Enumerable.Range(day * 48, 48).Select(i =>
            $"m1,{UnixTime.FromMinutes(first + i * 30L)},30,{random.Next(5000)},,,\n"));
        var bytes = Feeds.Gzip(Encoding.UTF8.GetBytes(Canonical + Part(0)))
            .Concat(Feeds.Gzip(Encoding.UTF8.GetBytes(Part(1)))).ToArray();
        var whole = Feeds.WithFiles([("t.csv.gz", bytes)], static p => Feeds.Collect(p));
        Assert.Empty(whole.Totals.FileErrors);
        Assert.Equal(96, whole.Readings.Count);
        var cut = Feeds.WithFiles([("t.csv.gz", bytes[..^20])], static p => Feeds.Collect(p));
        Assert.Single(cut.Totals.FileErrors);
    }

    [Fact]
    public void A_gzip_without_the_extension_and_a_byte_order_mark_are_read()
    {
        var bytes = Encoding.UTF8.GetPreamble()
            .Concat(Encoding.UTF8.GetBytes("time;kwh\r\n2026-01-01T00:00;1\r\n2026-01-01T00:15;2\r\n"));
        var c = Feeds.WithFiles([("home.csv", Feeds.Gzip([.. bytes]))], static p => Feeds.Collect(p));
        Assert.Equal([("home", 15, 1), ("home", 15, 2)], c.Readings.Select(static r => (r.Name, r.Interval,
            r.Value / (r.Value > 999 ? 1000 : 1))));
    }

    [Fact]
    public void Two_names_on_one_id_are_an_error_naming_both()
    {
        var error = Assert.Throws<FormatError>(static () => Feeds.CollectText("a.csv", Canonical
            + "00aa00aa00aa00aa,2026-01-01T00:00:00Z,30,1,,,\n00AA00AA00AA00AA,2026-01-01T00:00:00Z,30,1,,,\n"));
        Assert.Contains("'00aa00aa00aa00aa' and '00AA00AA00AA00AA'", error.Message);
    }

    [Fact]
    public void A_missing_path_is_named()
    {
        var error = Assert.Throws<FormatError>(static () => Feeds.Collect("/nowhere/x.csv"));
        Assert.Equal("/nowhere/x.csv", error.File);
    }

    [Fact]
    public void A_cumulative_register_becomes_interval_energy()
    {
        var profile = ProfileJson.Read("p", """
            {"name":"r","format":"csv-long","id":"column:m","time":{"columns":["t"],"zone":"UTC","stamps":"end"},
             "values":[{"column":"kwh","channel":"import","unit":"kWh","kind":"cumulative"}]}
            """u8);
        var c = Feeds.CollectText("r.csv",
            "m,t,kwh\na,2026-01-01T00:00,100\na,2026-01-01T00:30,100.5\na,2026-01-01T01:00,101.25\n"
            + "a,2026-01-01T02:00,103\na,2026-01-01T02:30,102\na,2026-01-01T03:00,102.1\na,2026-01-01T02:30,102\n",
            profile);
        Assert.Equal([("2026-01-01T00:00:00Z", 500), ("2026-01-01T00:30:00Z", 750), ("2026-01-01T02:30:00Z", 100)],
            c.Readings.Select(static r => (UnixTime.FromMinutes(r.Start).ToString(), r.Value)));
        Assert.Equal(2, c.Totals.RejectedCells);
        Assert.Contains("the register went back from 103000 to 102000", c.Rejects[0]);
        Assert.Contains("must come in time order", c.Rejects[1]);
        Assert.Equal(100_000, c.Others.OfType<RegisterSnapshot>().Single().Value);
    }
}
