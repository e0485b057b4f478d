using System.Globalization;
using Twin.Silo.Commands;
using Twin.Silo.Embedded;

namespace Twin.Silo.Orleans;

/// <summary><c>metertwin import</c>: an embedded data directory goes into an empty cluster.</summary>
internal static class ClusterImport
{
    public static async Task<int> Run(Settings settings, CancellationToken cancel)
    {
        await using var source = EmbeddedFleet.Open(new EmbeddedOptions
        {
            DataPath = settings.Data, Shards = settings.Shards, HorizonDays = settings.HorizonDays,
        }, new Grains.TwinFactory(), Cli.Message);
        var expected = await source.StateHash(cancel);
        await using var process = (SiloProcess)await SiloProcess.Open(settings, Cli.Message, cancel);
        var line = new ProgressLine();
        var end = source.Journal.Position;
        await process.Fleet.Import(source.Journal, position => line.Show(() => string.Create(
            CultureInfo.InvariantCulture, $"{position:n0} of {end:n0} inputs, {100.0 * position / end:0} %")), cancel);
        line.Done();
        var found = await process.StateHash(cancel);
        Console.WriteLine($"state_hash {expected}  {settings.Data}");
        Console.WriteLine($"state_hash {found}  cluster");
        if (found == expected) return Cli.Ok;
        Cli.Message("error: The cluster does not hold what the directory holds. Empty the database (drop schema "
            + "metertwin cascade) and import again; if they differ again, keep both and report it.");
        return Cli.Unusable;
    }
}
