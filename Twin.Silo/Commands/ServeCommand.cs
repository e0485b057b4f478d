using System.CommandLine;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Dlms;
using Twin.Silo.Gateways;
using Twin.Silo.Learned;
using Twin.Silo.Mirror;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin serve</c>: live service over HTTP until it is told to stop.</summary>
internal static class ServeCommand
{
    /// <summary>The settings that it has a flag for.</summary>
    private static readonly string[] s_settings =
    [
        "data", "shards", "horizon-days", "retention-days", "port", "listen", "tls-cert", "tls-key", "client-ca",
        "allowed-hosts", "oidc-issuer", "oidc-audience", "oidc-keys", "oidc-claim", "tick-minutes", "dlms-port", "keys",
        "dlms-list-energy-wh", "dlms-zone", "sinks", "ledger-key", "head-end", "head-end-format", "head-end-replies",
        "replay-files", "mirror", "mirror-kind", "mirror-bucket", "mirror-token-file", "engine", "database-file",
        "cluster", "silo-port", "gateway-port", "advertise",
    ];

    public static Command Make()
    {
        Option<string?>[] flags = [.. s_settings.Select(Cli.Flag)];
        var command = new Command("serve", "Run the fleet and its HTTP API, on the loopback address if nothing else is "
            + "set.");
        foreach (var flag in flags) command.Add(flag);
        command.SetAction((p, cancel) => Cli.Guarded(() => Run(Cli.Settings(p, flags), cancel)));
        return command;
    }

    private static async Task<int> Run(Settings settings, CancellationToken cancel)
    {
        var started = TimeProvider.System.GetTimestamp();
        using var keys = settings.KeyFile is { } file ? FrameKeyring.Open(file) : FrameKeyring.Keyless;
        using var entrance = Entrance.Of(settings);
        await using var fleet = await Edition.Engines[settings.Engine](settings, Cli.Message, cancel);
        using var headEnd = settings.HeadEnd is { } to ? new HeadEndGateway(to, Now) : null;
        await using var mirror = settings.Mirror is null ? null
            : MirrorService.Start(settings, fleet, TimeProvider.System, Cli.Message);
        await using var app = await ApiHost.Start(fleet, settings.Port, ServiceMode.Live, cancel,
            TimeProvider.System, headEnd is null ? null : headEnd.Read,
            replayFolder: settings.ReplayFiles is { } folder ? Path.GetFullPath(folder) : null,
            frames: new FrameSettings(keys.Intake, ZoneOf(settings), settings.DlmsListEnergyWh),
            entrance: entrance, metrics: mirror is null ? null : mirror.Metrics);
        await using var receiver = settings.DlmsPort is { } dlms
            ? Receiver(fleet, dlms, keys, settings) : null;
        await using var soc = settings.SinkFile is { } sinks
            ? Soc.SocService.Start(sinks, fleet.Ledger, TimeProvider.System, Cli.Message) : null;
        await using var orders = headEnd is not null ? new OrderService(
            new OrderDispatcher(fleet.Ledger, fleet, headEnd), TimeProvider.System, Cli.Message) : null;
        var isEmbedded = settings.Engine == Edition.DefaultEngine;
        var data = isEmbedded ? Path.GetFullPath(settings.Data)
            : $"PostgreSQL of {settings.DatabaseFile ?? "METERTWIN_DATABASE"}";
        Banner.Show(fleet.Status.Engine, data, null, ApiHost.Address(app),
            TimeProvider.System.GetElapsedTime(started),
        [
            $"curl -s {ApiHost.Address(app)}/api/v1/meters",
            "curl -s -X POST -H 'Content-Type: application/x-ndjson' --data-binary @observations.ndjson "
                + $"{ApiHost.Address(app)}/api/v1/observations",
            isEmbedded ? $"metertwin verify --data {settings.Data}    (after stopping)"
                : "metertwin serve --engine orleans --cluster NAME ...    (one more silo, on another machine)",
        ]);
        if (receiver is not null)
            Console.WriteLine($"  DLMS     127.0.0.1:{receiver.Port} ({keys.Describe()})");
        Console.WriteLine("  orders   " + (settings.HeadEnd is { } given
            ? $"{given.Orders} ({settings.HeadEndFormat}); replies "
                + (given.Replies is { } at ? $"come to {at}" : "are its answers")
            : "stay in the ledger: no head-end is set (--head-end)"));
        if (mirror is not null) Console.WriteLine($"  mirror   {mirror.Describe()}");
        // A cluster has one clock for all its processes.
        if (!isEmbedded) await Stopped(cancel);
        else await Task.WhenAll(
            Every(fleet, TimeSpan.FromMinutes(settings.TickMinutes), static at => new Tick(at), cancel),
            Every(fleet, SweepEvery, static at => new Sweep(at), cancel),
            ModelRunner.Watch(fleet, Path.Combine(settings.Data, ModelCommand.Folder), Cli.Message, cancel));
        Cli.Message("stopping: no new requests, one snapshot.");
        if (receiver is not null) await receiver.DisposeAsync();
        await app.StopAsync(CancellationToken.None);
        return Cli.Ok;
    }

    private static UnixTime Now() => new(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

    private static async Task Stopped(CancellationToken cancel)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = cancel.Register(stopped.SetResult);
        await stopped.Task;
    }

    /// <summary>How often twins that wait for others are told that all up to now is in.</summary>
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    private static FrameListener Receiver(IFleet fleet, int port, FrameKeyring keys, Settings settings) =>
        FrameListener.Start(fleet, new FrameListenerOptions
        {
            Port = port, Intake = keys.Intake, Message = Cli.Message,
            ListEnergyWh = settings.DlmsListEnergyWh,
            Zone = ZoneOf(settings),
        });

    private static ZoneRules? ZoneOf(Settings settings) =>
        settings.DlmsZone is { } zone && ZoneRules.TryGet(zone, out var rules) ? rules : null;

    /// <summary>The wall clock enters as journalled ticks and sweeps only.</summary>
    private static async Task Every(IFleet fleet, TimeSpan every, Func<UnixTime, Input> make, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(every, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(cancel))
            {
                var batch = new InputBatch("host");
                batch.Add(make(Now()));
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
    public static void Show(string engine, string data, ulong? seed, string address, TimeSpan startup,
        string[] next)
    {
        var c = CultureInfo.InvariantCulture;
        Console.WriteLine($"MeterTwin {Cli.Version}  edition {Edition.Name}  engine {engine}");
        Console.WriteLine($"  data     {data}");
        if (seed is { } s) Console.WriteLine(string.Create(c, $"  seed     {s}"));
        Console.WriteLine($"  page     {address}/");
        Console.WriteLine($"  API      {address}/api/v1/meters   {address}/openapi/v1.json");
        Console.WriteLine(string.Create(c, $"  ready in {startup.TotalSeconds:0.0} s. Next:"));
        foreach (var line in next) Console.WriteLine("    " + line);
    }
}
