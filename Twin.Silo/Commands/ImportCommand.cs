using System.CommandLine;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin import</c>: from one machine to a cluster.</summary>
internal static class ImportCommand
{
    public static Command Make()
    {
        var (data, database, cluster) = (Cli.Flag("data"), Cli.Flag("database-file"), Cli.Flag("cluster"));
        var (shards, horizon, advertise) = (Cli.Flag("shards"), Cli.Flag("horizon-days"), Cli.Flag("advertise"));
        var (silo, gateway) = (Cli.Flag("silo-port"), Cli.Flag("gateway-port"));
        var command = new Command("import",
            "Take an embedded data directory into an empty cluster (edition full); nobody may be serving it.")
        {
            data, database, cluster, shards, horizon, advertise, silo, gateway,
        };
        command.SetAction((p, cancel) => Cli.Guarded(() => Edition.Import is { } import
            ? import(Cli.Settings(p, data, database, cluster, shards, horizon, advertise, silo, gateway), cancel)
            : throw new ArgumentException("'import' needs edition full: dotnet build -c Release -p:Edition=full")));
        return command;
    }
}
