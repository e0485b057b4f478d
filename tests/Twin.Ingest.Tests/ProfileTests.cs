using System.Text;
using Twin.Hardware;
using Twin.Ingest.Feed;
using Twin.Ingest.Profiles;

namespace Twin.Ingest.Tests;

public sealed class ProfileTests
{
    private const string Good = """
        {"name":"p","format":"csv-long","id":"column:m","time":{"columns":["t"],"zone":"UTC","intervalMinutes":30},
         "values":[{"column":"v","channel":"import","unit":"kWh"}]}
        """;

    [Fact]
    public void The_library_holds_every_recorded_set()
    {
        Assert.Equal(["apartments-bondi", "apartments-profiles", "ausgrid", "belgium", "canonical", "edrp",
            "generated-json", "generated-wide", "lancaster", "lcl", "sgsc"],
            ProfileLibrary.All.Select(static p => p.Name));
        Assert.All(ProfileLibrary.All, static p => Assert.NotEmpty(p.Comment));
    }

    [Fact]
    public void A_profile_written_reads_back()
    {
        foreach (var p in ProfileLibrary.All)
        {
            var json = ProfileWriter.ToJson(p);
            Assert.Equal(json, ProfileWriter.ToJson(ProfileJson.Read(p.Name, Encoding.UTF8.GetBytes(json))));
        }
    }

    [Theory]
    [InlineData("\"csv-long\"", "\"xml\"", "property 'format' is 'xml'. Use csv-long or csv-wide or json.")]
    [InlineData("\"UTC\"", "\"Mars/Base\"", "property 'time.zone' is 'Mars/Base'. Use an IANA name")]
    [InlineData(":30", ":31", "property 'time.intervalMinutes' is 31.")]
    [InlineData(":30", ":\"x\"", "property 'time.intervalMinutes' is no whole number.")]
    [InlineData("column:m", "row:m", "property 'id' is 'row:m'.")]
    [InlineData("column:m", "header", "property 'id' is \"header\".")]
    [InlineData("\"kWh\"", "\"kW\"", "property 'values[0].unit' is 'kW'. Use Wh, kWh")]
    [InlineData("\"kWh\"", "\"V\"", "property 'values' measures import in V.")]
    [InlineData("\"import\"", "\"steam\"", "property 'values[0].channel' is 'steam'.")]
    [InlineData("[\"t\"]", "[]", "property 'time.columns' must name 1 to 3 columns.")]
    [InlineData("[\"t\"]", "[1]", "property 'time.columns[0]' is no text.")]
    [InlineData("[\"t\"],", "[\"t\"],\"formats\":[\"yyyy-QQ\"],", "property 'time.formats' 'QQ' in time format")]
    [InlineData("\"name\":\"p\",", "", "property 'name' is missing.")]
    [InlineData("\"name\"", "\"nome\"", "property 'nome' is not known. Known here: name,")]
    [InlineData("\"name\":\"p\"", "\"name\":", "is no JSON document")]
    [InlineData("\"csv-long\",", "\"csv-long\",\"quality\":{\"column\":\"q\",\"map\":{\"A\":\"good\"}},",
        "property 'quality.map.A' is 'good'.")]
    public void A_bad_profile_names_the_property(string from, string to, string expected)
    {
        var error = Assert.Throws<FormatError>(() => ProfileJson.Read("p.json",
            Encoding.UTF8.GetBytes(Good.Replace(from, to, StringComparison.Ordinal))));
        Assert.StartsWith("p.json: ", error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void A_profile_may_be_named_or_given_as_a_file()
    {
        Assert.Equal("edrp", ProfileLibrary.Get("edrp").Name);
        Assert.Equal("p", Feeds.WithFiles([("p.json", Encoding.UTF8.GetBytes(Good))],
            static p => ProfileLibrary.Get(p[0])).Name);
        Assert.Contains("Known: apartments-bondi",
            Assert.Throws<FormatError>(static () => ProfileLibrary.Get("none")).Message);
    }

    [Fact]
    public void A_quality_map_an_id_prefix_and_mixed_formats()
    {
        var profile = ProfileJson.Read("p", """
            {"name":"p","format":"csv-long","delimiter":";","id":"file:site-","time":{"columns":["d","h"],
             "formats":["d/M/yyyy H:mm","yyyy-MM-dd H:mm"],"zone":"Europe/London","intervalMinutes":30},
             "values":[{"column":"v","channel":"water","unit":"m3"}],
             "quality":{"column":"q","map":{"A":"actual","E":"estimated","N":"missing"}},"nullTokens":["x"]}
            """u8);
        var c = Feeds.CollectText("north.csv",
            "d;h;v;q\n1/7/2026;0:00;0.5;A\n2026-07-01;0:30;0.25;E\n1/7/2026;1:00;9;N\n1/7/2026;1:30;X;A\n1/7/2026;2"
                + ":00;1;?\n"
            + "29/3/2026;1:30;1;A\n", profile);
        Assert.Equal([("site-north", 500, Quality.Actual), ("site-north", 250, Quality.Estimated)],
            c.Readings.Select(static r => (r.Name, r.Value, r.Quality)));
        Assert.Equal(Feeds.Minute("2026-06-30T23:00Z"), c.Readings[0].Start);
        Assert.Equal((2, 2), (c.Totals.RejectedRows, c.Totals.MissingTokens));
        Assert.Contains("the clock of Europe/London skipped this time", c.Rejects[1]);
    }

    [Theory]
    [InlineData("ID,Timestamp,Energy (kWh)\na,2026-01-01 00:00,1\na,2026-01-01 00:15,1\n",
        "csv-long with ',', id from column 'ID', time from 'Timestamp' as iso, zone not declared, stamps begin the "
            + "interval of 15 minutes, 'Energy (kWh)' import in kWh.")]
    [InlineData("when|north|south\n13/01/2026 0:00|1|2\n13/01/2026 1:00|1|2\n",
        "csv-wide with '|', id from the header, time from 'when' as d/M/yyyy H:mm, zone not declared, stamps begin "
            + "the interval of 60 minutes, every column import in Wh.")]
    [InlineData("date\thour\timport_wh\texport_wh\n01.02.2026\t0:00\t1\t0\n01.02.2026\t0:30\t1\t0\n",
        "csv-long with tabs, id from the file's name, time from 'date' and 'hour' as d.M.yyyy H:mm, zone not declar"
            + "ed, stamps begin the interval of 30 minutes, 'import_wh' import in Wh, 'export_wh' export in Wh.")]
    [InlineData("[{\"meter\":\"a\",\"time\":\"2026-01-01T00:00:00Z\",\"value\":1.5},{\"meter\":\"a\",\"time\":\"202"
        + "6-01-01T00:05:00Z\",\"value\":2}]", "json, id from column 'meter', time from 'time' as iso, zone not dec"
        + "lared, stamps begin the interval of 5 minutes, 'value' import in kWh.")]
    public void A_sniff_can_be_printed_and_saved(string text, string expected)
    {
        Feeds.WithFiles([("f.csv", Encoding.UTF8.GetBytes(text))], p =>
        {
            var sniff = Sniffer.Inspect(new SourceFile(p[0]), null);
            Assert.Equal($"{p[0]}: no profile; sniffed, {expected}", sniff.Describe());
            var saved = ProfileJson.Read("saved", Encoding.UTF8.GetBytes(ProfileWriter.ToJson(sniff.Profile)));
            Assert.Equal(Feeds.Collect(p[0]).Stream(), Feeds.Collect(new FeedOptions { Paths = p, Profile = saved })
                .Stream());
            return 0;
        });
    }

    [Fact]
    public void Wide_columns_may_differ_or_be_left_out()
    {
        var profile = ProfileJson.Read("p", """
            {"name":"p","format":"csv-wide","id":"header:home-","time":{"columns":["t"],"intervalMinutes":60},
             "values":[{"column":"*","channel":"import","unit":"kWh"}],"ignore":["weather"],
             "columns":{"pv":{"id":"home-a","channel":"export","unit":"Wh"}}}
            """u8);
        var c = Feeds.CollectText("w.csv",
            "t,a,pv,weather\n2026-01-01T02:00+02:00,1,250,rain\n2026-01-01T00:00+01:00,2,0,\n",
            profile);
        Assert.Equal([(Channel.Import, 2000), (Channel.Export, 0), (Channel.Import, 1000), (Channel.Export, 250)],
            c.Readings.Select(static r => (r.Channel, r.Value)));
        // The offset of the earliest row, not of the first in the file.
        var seen = c.Others.OfType<MeterSeen>().Single();
        Assert.Equal(("home-a", "+01:00", 1), (seen.Name, seen.Zone, seen.ZoneRank));
    }

    [Fact]
    public void The_interval_is_found_behind_many_meters_at_one_time()
    {
        var rows = Enumerable.Range(0, 2000).Select(static i => $"m{i % 1000},2026-01-01T00:{i / 1000 * 15:00},1.5\n");
        var c = Feeds.CollectText("f.csv", "meter,time,kwh\n" + string.Concat(rows));
        Assert.Equal(2000, c.Readings.Count);
        Assert.All(c.Readings, static r => Assert.Equal(15, r.Interval));
    }
}
