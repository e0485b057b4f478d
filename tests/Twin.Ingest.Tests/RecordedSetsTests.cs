using Twin.Hardware;
using Xunit.Abstractions;

namespace Twin.Ingest.Tests;

/// <summary>
/// The recorded interval sets, with figures counted independently (Python's csv, json and decimal). Sums are in the
/// stored unit.
/// </summary>
public sealed class RecordedSetsTests(ITestOutputHelper output)
{
    private Collected? Read(string name)
    {
        if (Feeds.Data(name) is { } path) return Feeds.Collect(path);
        output.WriteLine($"../shared/data/{name} is not there: nothing was tested.");
        return null;
    }

    private static long Sum(Collected c, Channel channel) => c.Readings.Where(r => r.Channel == channel)
        .Sum(static r => (long)r.Value);

    private static void Clean(Collected c, int meters, long readings)
    {
        Assert.Equal(meters, c.Totals.Meters);
        Assert.Equal(readings, c.Totals.ReadingsRead);
        Assert.Equal(readings, c.Readings.Count);
        Assert.Equal(0, c.Totals.Rejected);
        Assert.Empty(c.Totals.FileErrors);
    }

    [Fact]
    public void Edrp()
    {
        if (Read("edrp/edrp_dev.csv.gz") is not { } c) return;
        Clean(c, 409, 1_806_144);
        Assert.Equal(387_296_731, Sum(c, Channel.Import));
        Assert.Equal(524, c.Totals.Rounded);
        Assert.Equal(0, c.Totals.Missing);
        Assert.Equal(4416, c.Totals.Rows);
        Assert.All(c.Others.OfType<MeterSeen>(), static m => Assert.Equal(("UTC", 3), (m.Zone, m.ZoneRank)));
        Assert.Equal(42, c.Readings.Single(static r => r.Name == "X2"
            && r.Start == Feeds.Minute("2009-03-01T00:00Z")).Value);
        // 409 meters × 92 days, one block each, behind the meters and before the end.
        Assert.Equal(409 + 409 * 92 + 1, c.Inputs.Count);
    }

    [Fact]
    public void Sgsc_comes_meter_by_meter_and_has_real_gaps()
    {
        if (Read("sgsc/sgsc10_long.csv.gz") is not { } c) return;
        Clean(c, 10, 293_874);
        Assert.Equal(61_188_696, Sum(c, Channel.Import));
        Assert.Equal(4168, c.Totals.Missing);
        // Standard time all year: the first row, 08:00, is 22:00 UTC of the day before; summer makes no difference.
        Assert.Equal(Feeds.Minute("2012-02-09T22:00Z"), c.Readings.Min(static r => r.Start));
        Assert.All(c.Others.OfType<MeterSeen>(), static m => Assert.Equal(("+10:00", 3), (m.Zone, m.ZoneRank)));
        var (_, duplicates, revisions) = c.Keyed();
        Assert.Equal((0, 0), (duplicates, revisions));
    }

    [Fact]
    public void Lcl_has_a_null_off_the_grid_and_17_duplicates()
    {
        if (Read("lcl/MAC000002_halfhourly.csv") is not { } c) return;
        Assert.Equal((1, 24_157, 24_158), (c.Totals.Meters, c.Totals.ReadingsRead, c.Totals.Rows));
        Assert.Equal((1, 0, 0), (c.Totals.RejectedRows, c.Totals.RejectedCells, c.Totals.MissingTokens));
        Assert.Equal(117, c.Totals.Rounded);
        var (values, duplicates, revisions) = c.Keyed();
        Assert.Equal((24_140, 17, 0), (values.Count, duplicates, revisions));
        Assert.Equal(6_095_672, values.Values.Sum(static v => (long)v));
        Assert.Equal(Feeds.Minute("2012-10-12T00:00Z"), values.Keys.Min(static k => k.Item3));
        Assert.Equal(Feeds.Minute("2014-02-27T23:30Z"), values.Keys.Max(static k => k.Item3));
        var reject = Assert.Single(c.Rejects);
        Assert.Contains("\"line\":3242,\"column\":11,\"field\":\"DateTime\",\"reason\":\"this time is off the grid "
            + "of 30 minutes\"", reject);
        Assert.Contains("\"text\":\"2012-12-19 12:37:27.0000000\"", reject);
    }

    [Fact]
    public void Lcl_directory_leaves_out_what_holds_no_intervals()
    {
        if (Read("lcl") is not { } c) return;
        Assert.Equal(24_157, c.Totals.ReadingsRead);
        Assert.Equal(2, c.Messages.Count(static m => m.StartsWith("left out", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("lcl/daily_block_0.csv.gz", "holds no interval readings but statistics")]
    [InlineData("lcl/uk_bank_holidays.csv", "holds no interval readings")]
    [InlineData("lancaster/meters.json", "has no column of times")]
    public void Files_without_intervals_are_one_clear_error(string name, string expected)
    {
        if (Feeds.Data(name) is not { } path) return;
        var error = Assert.Throws<FormatError>(() => Feeds.Collect(path));
        Assert.StartsWith(path, error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void Belgium_follows_daylight_saving_and_has_a_register()
    {
        if (Read("belgium/one_year_09.csv.gz") is not { } c) return;
        Clean(c, 1, 35_040);
        Assert.Equal(2_742_347, Sum(c, Channel.Import));
        var (_, duplicates, revisions) = c.Keyed();
        Assert.Equal((0, 0, 0), (duplicates, revisions, (int)c.Totals.Missing));
        var registers = c.Others.OfType<RegisterSnapshot>().OrderBy(static r => r.At).ToArray();
        Assert.Equal(365, registers.Length);
        Assert.Equal("2020-05-31T22:00:00Z", registers[0].At.ToString());
        Assert.Equal(806_469, registers[0].Value);
        // The register tells a day's sum; one row of 18 June 2020 disagrees by 6 Wh (97 by register, 91 by interval).
        var wrong = new List<string>();
        for (var i = 1; i < registers.Length; i++)
        {
            var (from, to) = (registers[i - 1].At.Minutes, registers[i].At.Minutes);
            var sum = c.Readings.Where(r => r.Start >= from && r.Start < to).Sum(static r => (long)r.Value);
            if (registers[i].Value - registers[i - 1].Value != sum) wrong.Add(registers[i].At.ToString());
        }
        Assert.Equal(["2020-06-18T22:00:00Z"], wrong);
    }

    [Fact]
    public void Apartments_bondi()
    {
        if (Read("apartments/bondi_load_filled.csv") is not { } c) return;
        Clean(c, 6, 105_120);
        Assert.Equal(17_919_251, Sum(c, Channel.Import));
        Assert.Equal(0, c.Totals.Missing);
        Assert.Equal(58, c.Readings.Single(static r => r.Name == "B5"
            && r.Start == Feeds.Minute("2016-08-08T14:00Z")).Value);
        Assert.Contains(c.Others.OfType<MeterSeen>(), static m => m.Name == "cp");
    }

    [Theory]
    [InlineData("2", 33_726, 51_812_417)]
    [InlineData("3", 32_219, 49_570_034)]
    [InlineData("4", 5_731, 9_204_747)]
    [InlineData("5", 30_624, 47_821_698)]
    public void Apartments_profiles(string file, long readings, long sum)
    {
        if (Read($"apartments/load_profiles_{file}.csv") is not { } c) return;
        Clean(c, 11, readings);
        Assert.Equal(sum, Sum(c, Channel.Import));
        Assert.Equal(0, c.Totals.Missing);
    }

    [Fact]
    public void Apartments_together_overlap()
    {
        if (Read("apartments") is not { } c) return;
        Clean(c, 17, 105_120 + 102_300);
        var (values, duplicates, revisions) = c.Keyed();
        Assert.Equal((105_120 + 33_726, 68_574, 0), (values.Count, duplicates, revisions));
        Assert.Equal(0, c.Totals.Missing);
    }

    [Fact]
    public void Ausgrid_has_consumption_and_generation_of_one_meter()
    {
        if (Read("ausgrid") is not { } c) return;
        Clean(c, 1, 35_136);
        Assert.Equal(14_469_546, Sum(c, Channel.Import) + Sum(c, Channel.Export));
        Assert.Equal(17_568, c.Readings.Count(static r => r.Channel == Channel.Export));
        Assert.Equal((6496, 0), (c.Totals.Rounded, c.Totals.Missing));
        Assert.Equal("customer12_2011-2012", c.Others.OfType<MeterSeen>().Single().Name);
    }

    [Theory]
    [InlineData("building005_meter001", Channel.Heat, 52_337, 1, 543_000_000)]
    [InlineData("building005_meter002", Channel.Import, 52_337, 1, 390_900_000)]
    [InlineData("building014_meter001", Channel.Import, 52_553, 0, 340_300_000)]
    [InlineData("building014_meter002", Channel.Heat, 52_552, 1, 761_000_000)]
    [InlineData("building023_meter001", Channel.Import, 52_334, 0, 1_328_870_000)]
    [InlineData("building023_meter002", Channel.Water, 52_334, 0, 5_562_800)]
    [InlineData("building023_meter003", Channel.Heat, 52_333, 1, 860_000_000)]
    [InlineData("building023_meter004", Channel.Heat, 3, 52_331, 32_000_000)]
    [InlineData("building023_meter005", Channel.Heat, 52_558, 1, 729_000_000)]
    [InlineData("building024_meter001", Channel.Gas, 52_372, 0, 14_172_300)]
    [InlineData("building024_meter002", Channel.Import, 42_554, 9_818, 54_309_000)]
    [InlineData("building031_meter001", Channel.Import, 52_560, 0, 38_182_000)]
    public void Lancaster(string stem, Channel channel, int readings, int withoutValue, long sum)
    {
        if (Read($"lancaster/{stem}.json.gz") is not { } c) return;
        Clean(c, 1, readings);
        Assert.Equal(withoutValue, c.Totals.MissingTokens);
        Assert.Equal(sum, Sum(c, channel));
        Assert.All(c.Readings, r => Assert.Equal(10, r.Interval));
        Assert.Equal("Europe/London", c.Others.OfType<MeterSeen>().Single().Zone);
    }

    [Fact]
    public void Lancaster_directory_leaves_out_its_metadata()
    {
        if (Feeds.Data("lancaster") is not { } path) return;
        var c = Feeds.Collect(path);
        Assert.Equal((12, 12), (c.Totals.Files, c.Totals.Meters));
        Assert.Equal(566_827, c.Totals.ReadingsRead);
        Assert.Contains("meters.json", Assert.Single(c.Messages, static m => m.StartsWith("left out",
            StringComparison.Ordinal)));
    }
}
