using System.CommandLine;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin serve</c>: live service over HTTP until it is told to stop.</summary>
internal static class ServeCommand
{
    public static Command Make()
    {
        var (data, shards, horizon) = (Cli.Flag("data"), Cli.Flag("shards"), Cli.Flag("horizon-days"));
        var (retention, port, tick) = (Cli.Flag("retention-days"), Cli.Flag("port"), Cli.Flag("tick-minutes"));
        var command = new Command("serve", "Run the fleet and its HTTP API on the loopback address.")
        {
            data, shards, horizon, retention, port, tick,
        };
        command.SetAction((p, cancel) => Cli.Guarded(() =>
            Run(Cli.Settings(p, data, shards, horizon, retention, port, tick), cancel)));
        return command;
    }

    private static async Task<int> Run(Settings settings, CancellationToken cancel)
    {
        var options = new EmbeddedOptions
        {
            DataPath = settings.Data, Shards = settings.Shards, HorizonDays = settings.HorizonDays,
            RetentionDays = settings.RetentionDays,
        };
        var started = TimeProvider.System.GetTimestamp();
        await using var fleet = EmbeddedFleet.Open(options, new TwinFactory(), Cli.Message);
        await using var app = await ApiHost.Start(fleet, settings.Port, ServiceMode.Live, cancel,
            TimeProvider.System);
        Banner.Show(Path.GetFullPath(settings.Data), null, ApiHost.Address(app),
            TimeProvider.System.GetElapsedTime(started),
        [
            $"curl -s {ApiHost.Address(app)}/api/v1/meters",
            "curl -s -X POST -H 'Content-Type: application/x-ndjson' --data-binary @observations.ndjson "
                + $"{ApiHost.Address(app)}/api/v1/observations",
            $"metertwin verify --data {settings.Data}    (after stopping)",
        ]);
        await Ticks(fleet, TimeSpan.FromMinutes(settings.TickMinutes), cancel);
        Cli.Message("stopping: no new requests, one snapshot.");
        await app.StopAsync(CancellationToken.None);
        return Cli.Ok;
    }

    /// <summary>The wall clock enters as journalled ticks only.</summary>
    private static async Task Ticks(IFleet fleet, TimeSpan every, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(every, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(cancel))
            {
                var batch = new InputBatch("host");
                batch.Add(new Tick(new UnixTime(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds())));
                try
                {
                    await fleet.Append(batch, cancel);
                }
                catch (StorageUnavailableException e)
                {
                    Cli.Message(e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C or SIGTERM: the normal end.
        }
    }
}

/// <summary>What a started host says: where everything is, and what to do next.</summary>
internal static class Banner
{
    public static void Show(string data, ulong? seed, string address, TimeSpan startup, string[] next)
    {
        var c = CultureInfo.InvariantCulture;
        Console.WriteLine($"MeterTwin {Cli.Version}  edition {Cli.Edition}  engine embedded");
        Console.WriteLine($"  data     {data}");
        if (seed is { } s) Console.WriteLine(string.Create(c, $"  seed     {s}"));
        Console.WriteLine($"  page     {address}/");
        Console.WriteLine($"  API      {address}/api/v1/meters   {address}/openapi/v1.json");
        Console.WriteLine(string.Create(c, $"  ready in {startup.TotalSeconds:0.0} s. Next:"));
        foreach (var line in next) Console.WriteLine("    " + line);
    }
}
