using System.Globalization;
using System.IO.Compression;
using Twin.Hardware;

namespace Twin.Detection.Tests;

/// <summary>The long recorded homes as days: ten of New South Wales, half-hourly, two years.</summary>
internal static class RecordedYears
{
    private static string? Find(string name)
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "MeterTwin.sln")))
            at = Path.GetDirectoryName(at) ?? throw new InvalidOperationException("No MeterTwin.sln above the tests.");
        var path = Path.GetFullPath(Path.Combine(at, "..", "shared", "data", name));
        return File.Exists(path) ? path : null;
    }

    /// <summary>
    /// Half-hours by home and day, Wh, <see cref="ReadingBlock.Missing"/> where nothing was read; null when the set is
    /// not at hand.
    /// </summary>
    public static SortedDictionary<string, SortedDictionary<int, int[]>>? Sgsc()
    {
        if (Find("sgsc/sgsc10_long.csv.gz") is not { } path) return null;
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var columns = reader.ReadLine()!.Split(',');
        var (id, time, wh) = (Array.IndexOf(columns, "customer_id"), Array.IndexOf(columns, "reading_datetime"),
            Array.IndexOf(columns, "general_supply_kwh"));
        var homes = new SortedDictionary<string, SortedDictionary<int, int[]>>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            var cells = line.Split(',');
            if (!double.TryParse(cells[wh], CultureInfo.InvariantCulture, out var kwh)) continue;
            var at = DateTime.Parse(cells[time], CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal
                | DateTimeStyles.AssumeUniversal);
            var days = homes.TryGetValue(cells[id], out var known) ? known : homes[cells[id]] = [];
            var number = (int)(at - DateTime.UnixEpoch).TotalDays;
            if (!days.TryGetValue(number, out var slots))
            {
                days[number] = slots = new int[48];
                slots.AsSpan().Fill(ReadingBlock.Missing);
            }
            slots[(at.Hour * 60 + at.Minute) / 30] = (int)Math.Round(kwh * 1000);
        }
        return homes;
    }
}
