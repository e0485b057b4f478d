using System.Globalization;
using System.IO.Compression;

namespace Twin.Hardware.Tests;

/// <summary>
/// The recorded half-hours of 409 Scottish homes over 92 days, where the shared data lie beside the repository.
/// </summary>
internal static class Edrp
{
    public const int Days = 92;
    public const int SlotsPerDay = 48;

    private static readonly Lazy<int[][]?> Loaded = new(Load);

    /// <summary>One array of Wh a home, or null when the data are not there.</summary>
    public static int[][]? Homes => Loaded.Value;

    private static int[][]? Load()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "MeterTwin.sln"))) root = root.Parent;
        if (root is null) return null;
        var path = Path.Combine(root.FullName, "..", "shared", "data", "edrp", "edrp_dev.csv.gz");
        if (!File.Exists(path)) return null;
        using var text = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var homes = new int[text.ReadLine()!.Split(',').Length - 1][];
        for (var home = 0; home < homes.Length; home++) homes[home] = new int[Days * SlotsPerDay];
        for (var slot = 0; text.ReadLine() is { } line; slot++)
        {
            var cells = line.Split(',');
            for (var home = 0; home < homes.Length; home++)
                homes[home][slot] = (int)Math.Round(double.Parse(cells[home + 1], CultureInfo.InvariantCulture) * 1000);
        }
        return homes;
    }
}
