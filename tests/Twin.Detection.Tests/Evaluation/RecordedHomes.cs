using System.Globalization;
using System.IO.Compression;

namespace Twin.Detection.Tests.Evaluation;

/// <summary>
/// The 409 recorded homes of the edrp set, half-hourly Wh, 92 days; the column's clock never changes.
/// </summary>
internal static class RecordedHomes
{
    public const int Days = 92, SlotsPerDay = 48;

    /// <summary>Null where the shared data is not there.</summary>
    public static int[][]? Load()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "MeterTwin.sln"))) root = root.Parent;
        if (root?.Parent is null) return null;
        var path = Path.Combine(root.Parent.FullName, "shared", "data", "edrp", "edrp_dev.csv.gz");
        if (!File.Exists(path)) return null;
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var homes = new int[reader.ReadLine()!.Split(',').Length - 1][];
        for (var h = 0; h < homes.Length; h++) homes[h] = new int[Days * SlotsPerDay];
        for (var row = 0; row < Days * SlotsPerDay; row++)
        {
            var line = reader.ReadLine()!.AsSpan();
            var home = -1;
            foreach (var range in line.Split(','))
            {
                if (home >= 0)
                    homes[home][row] = (int)Math.Round(1000 * double.Parse(line[range], NumberStyles.Float,
                        CultureInfo.InvariantCulture));
                home++;
            }
        }
        return homes;
    }
}
