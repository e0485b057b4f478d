using System.Globalization;
using Twin.Hardware;
using Xunit.Abstractions;

namespace Twin.Ingest.Tests;

/// <summary>
/// The recorded interval sets, with figures counted independently (Python's csv, json and decimal). Sums are in the stored unit.
/// </summary>
public sealed class RecordedSetsTests(ITestOutputHelper output)
{
    private Collected? Read(string name)
    {
        if (Feeds.Data(name) is { } path) return Feeds.Collect(path);
        output.WriteLine($"../shared/data/{name} is not there: nothing was tested.");
        return null;
    }

    private static long Sum(Collected c, Channel channel) => c.Readings.Where(r => r.Channel == channel).Sum(static r => (long)r.Value);

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
        Assert.Equal((0, 0), (c.Keyed().Duplicates, c.Keyed().Revisions));
        Assert.All(c.Others.OfType<MeterSeen>(), static m => Assert.Equal(("UTC", 3), (m.Zone, m.ZoneRank)));
        Assert.Equal(42, c.Keyed().Values[("X2", Channel.Import, Feeds.Minute("2009-03-01T00:00Z"))]);
        // 409 meters × 92 days, one block each, behind the meters and before the end.
        Assert.Equal(409 + 409 * 92 + 1, c.Inputs.Count);
    }
}
