using System.CommandLine;
using System.Globalization;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Emulator;
using Twin.Silo.Demo;
using Twin.Silo.Embedded;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin demo</c>: needs nothing; a generated fleet is replayed, scored against its truth, then goes on live.
/// </summary>
internal static class DemoCommand
{
    /// <summary>Recorded days, and days of life after them; then the demo only serves.</summary>
    private const int RecordedDays = 60, LiveDays = 60;
    private const int Homes = 300, Feeders = 15;

    /// <summary>A live day passes in so many parts.</summary>
    private const int PartsOfDay = 8;

    public static Command Make()
    {
        var (data, port) = (Cli.Flag("data"), Cli.Flag("port"));
        var seed = new Option<ulong>("--seed")
        {
            Description = "seed of the generated fleet", DefaultValueFactory = _ => 7,
        };
        var day = new Option<double>("--day-seconds")
        {
            Description = "seconds that a live day takes", DefaultValueFactory = _ => 24,
        };
        var exit = new Option<bool>("--exit") { Description = "stop after the recorded days" };
        var command = new Command("demo", "A generated fleet of 300 homes: 60 recorded days, a scoreboard, then live.")
        {
            data, port, seed, day, exit,
        };
        command.SetAction((p, cancel) => Cli.Guarded(() =>
            Run(p.GetValue(data), Cli.Settings(p, port).Port, p.GetValue(port) is not null, p.GetValue(seed),
            p.GetValue(day), p.GetValue(exit), cancel)));
        return command;
    }

    private static async Task<int> Run(string? data, int port, bool fixedPort, ulong seed, double daySeconds, bool exit,
        CancellationToken cancel)
    {
        if (daySeconds is < 0.1 or > 86_400)
            throw new ArgumentException($"--day-seconds is {daySeconds}; it must be from 0.1 to 86400.");
        var temporary = data is null ? Directory.CreateTempSubdirectory("metertwin-demo-") : null;
        var path = Path.GetFullPath(data ?? Path.Combine(temporary!.FullName, "data"));
        if (File.Exists(Path.Combine(path, "format")))
            throw new ArgumentException($"{path} is in use already. A demo needs a new --data, or none.");
        try
        {
            await Show(path, port, fixedPort, seed, daySeconds, exit, cancel);
            return Cli.Ok;
        }
        finally
        {
            temporary?.Delete(recursive: true);
        }
    }

    private static async Task Show(string path, int port, bool fixedPort, ulong seed, double daySeconds, bool exit,
        CancellationToken cancel)
    {
        var started = TimeProvider.System.GetTimestamp();
        var world = new World(new WorldOptions
        {
            Seed = seed, Meters = Homes, Feeders = Feeders, Days = RecordedDays + LiveDays,
            LastOnsetDay = RecordedDays * 3 / 4,
        });
        await using var fleet = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = path }, new TwinFactory(),
            Cli.Message);
        await using var app = await Listen(fleet, port, fixedPort, cancel);
        var address = ApiHost.Address(app);
        Banner.Show(path, seed, address, TimeProvider.System.GetElapsedTime(started),
        [
            $"curl -s {address}/api/v1/findings",
            $"metertwin inspect {world.Fleet[1].Name} --url {address}",
            "metertwin replay FILES… --fleet fleet.csv     (your own telemetry)",
        ]);
        var feed = new WorldFeed(world, "demo");
        try
        {
            await Record(fleet, world, feed, cancel);
            Console.WriteLine(
                Scoreboard.Of(world, await fleet.Findings(new FindingQuery(null, null, null, null, 10_000), cancel),
                Severity.Low).Render());
            Console.WriteLine("Days are counted in event time. Live, a day is judged when it closes: "
                + $"{Settings.DefaultHorizonDays} days after it ended.");
            if (exit) return;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Live: a day every {daySeconds:0.#} s, {LiveDays} days. Ctrl-C stops."));
            await Live(fleet, feed, world, TimeSpan.FromSeconds(daySeconds), cancel);
        }
        catch (OperationCanceledException)
        {
            Cli.Message("stopped.");
        }
    }

    /// <summary>The demo takes any free port when the usual one is taken and the user named none.</summary>
    private static async Task<Microsoft.AspNetCore.Builder.WebApplication> Listen(EmbeddedFleet fleet, int port,
        bool fixedPort, CancellationToken cancel)
    {
        try
        {
            return await ApiHost.Start(fleet, port, ServiceMode.Demo, cancel);
        }
        catch (IOException) when (!fixedPort)
        {
            return await ApiHost.Start(fleet, 0, ServiceMode.Demo, cancel);
        }
    }

    private static async Task Record(IFleet fleet, World world, WorldFeed feed, CancellationToken cancel)
    {
        var progress = new ProgressLine();
        await fleet.Append(feed.Fleet(), cancel);
        long readings = 0;
        for (var day = 0; day < RecordedDays; day++)
        {
            readings += (await fleet.Append(feed.Day(day), cancel)).Totals().Readings;
            var (done, total) = (day + 1, readings);
            progress.Show(() => string.Create(CultureInfo.InvariantCulture,
                $"replayed {done} of {RecordedDays} days, {total:n0} readings, "
                    + $"{total / Math.Max(0.001, progress.Elapsed.TotalSeconds):n0}/s, {fleet.Status.Findings} "
                    + $"findings"));
        }
        progress.Done();
        var c = CultureInfo.InvariantCulture;
        Console.WriteLine(string.Create(c, $"✓ {readings:n0} readings of {world.Fleet.Count} meters on {Feeders} "
            + $"feeders, {RecordedDays} days from {world.LocalDay(0).Date}, in {progress.Elapsed.TotalSeconds:0.0} s"));
    }

    private static async Task Live(IFleet fleet, WorldFeed feed, World world, TimeSpan day, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(day / PartsOfDay, TimeProvider.System);
        var told = fleet.Status.Findings;
        for (var d = RecordedDays; d < RecordedDays + LiveDays; d++)
        {
            for (var part = 0; part < PartsOfDay; part++)
            {
                await timer.WaitForNextTickAsync(cancel);
                var slots = world.Slots(d);
                await fleet.Append(feed.Part(d, slots * part / PartsOfDay, slots * (part + 1) / PartsOfDay), cancel);
            }
            if (fleet.Status.Findings > told)
            {
                foreach (var f in (await fleet.Findings(new FindingQuery(null, null, null, null,
                    (int)Math.Min(100, fleet.Status.Findings - told)), cancel)).Reverse())
                    Console.WriteLine($"{f.DetectedAt}  {f.Severity.ToString().ToLowerInvariant(),-8} "
                        + $"{f.SubjectName,-12} {f.Sentence}");
                told = fleet.Status.Findings;
            }
        }
        await Task.Delay(Timeout.Infinite, cancel);
    }
}
