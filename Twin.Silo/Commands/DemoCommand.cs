using System.CommandLine;
using System.Globalization;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Attacks;
using Twin.Silo.Demo;
using Twin.Silo.Embedded;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin demo</c>: needs nothing; an emulated fleet under attack is recorded, scored against its truth, then
/// goes on live.
/// </summary>
internal static class DemoCommand
{
    /// <summary>
    /// A live day passes in so many parts, a quarter of an hour each: so often it is decided what is done next, and a
    /// person who approves something sees it happen.
    /// </summary>
    private const int PartsOfDay = 96;

    /// <summary>Findings of one live day that are printed; the page has all.</summary>
    private const int MaxPrinted = 20;

    private sealed record Choice(string Path, int Port, bool FixedPort, int Meters, ulong Seed, double DaySeconds,
        bool Exit);

    public static Command Make()
    {
        var (data, port) = (Cli.Flag("data"), Cli.Flag("port"));
        var meters = new Option<int>("--meters")
        {
            Description = $"meters of the fleet, {DemoScene.LeastMeters} to {DemoScene.MostMeters}",
            DefaultValueFactory = _ => 1_000,
        };
        var seed = new Option<ulong>("--seed")
        {
            Description = "seed of the emulated fleet", DefaultValueFactory = _ => 7,
        };
        var day = new Option<double>("--day-seconds")
        {
            Description = "seconds that a live day takes", DefaultValueFactory = _ => 24,
        };
        var exit = new Option<bool>("--exit") { Description = "stop after the recorded days" };
        var command = new Command("demo", "A fleet of 1,000 emulated meters under three attacks and a theft: "
            + "recorded days, what was found, then live.")
        {
            data, port, meters, seed, day, exit,
        };
        command.SetAction((p, cancel) => Cli.Guarded(() => Run(p.GetValue(data), new Choice("",
            Cli.Settings(p, port).Port, p.GetValue(port) is not null, p.GetValue(meters), p.GetValue(seed),
            p.GetValue(day), p.GetValue(exit)), cancel)));
        return command;
    }

    private static async Task<int> Run(string? data, Choice choice, CancellationToken cancel)
    {
        if (choice.DaySeconds is < 0.1 or > 86_400)
            throw new ArgumentException($"--day-seconds is {choice.DaySeconds}; it must be from 0.1 to 86400.");
        DemoScene.OptionsFor(choice.Meters, choice.Seed).Validate();
        var temporary = data is null ? Directory.CreateTempSubdirectory("metertwin-demo-") : null;
        var path = Path.GetFullPath(data ?? Path.Combine(temporary!.FullName, "data"));
        if (File.Exists(Path.Combine(path, "format")))
            throw new ArgumentException($"{path} is in use already. A demo needs a new --data, or none.");
        try
        {
            await Show(choice with { Path = path }, cancel);
            return Cli.Ok;
        }
        finally
        {
            temporary?.Delete(recursive: true);
        }
    }

    private static async Task Show(Choice choice, CancellationToken cancel)
    {
        var started = TimeProvider.System.GetTimestamp();
        await using var twins = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = choice.Path }, new TwinFactory(),
            Cli.Message);
        DemoRun? playing = null;
        // Acts of people bear the time of the emulated world, which no clock on the wall knows.
        UnixTime Now() => playing?.Fleet.Now ?? twins.Status.Watermark ?? default;
        ValueTask<IReadOnlyList<TourStep>> Tour(CancellationToken stop) => playing is { } run
            ? new DemoTour(twins, run.Scene, choice.Path).Steps(stop) : new([]);
        await using var app = await Listen(twins, choice, Now, Tour, cancel);
        var address = ApiHost.Address(app);
        Banner.Show(twins.Status.Engine, choice.Path, choice.Seed, address, TimeProvider.System.GetElapsedTime(started),
        [
            $"curl -s {address}/api/v1/findings",
            $"curl -s {address}/api/v1/meters",
            "metertwin attack list     (what else can be tried)",
        ]);
        try
        {
            using var run = await Record(twins, choice, async r =>
            {
                playing = r;
                await DemoPersons.Add(twins, choice.Path, r.Fleet.Plan.Start, cancel);
                foreach (var line in DemoPersons.Lines(app, choice.Path)) Console.WriteLine(line);
            }, cancel);
            var report = await run.Report(cancel);
            Console.WriteLine(report.Render(run.Totals,
                AttackRun.ChecksOf(twins, run.Scene.SeriesBy(run.Fleet.Now).Select(run.Scene.KeyOf)),
                AttackRun.ChecksOf(twins, run.Scene.Release.Select(run.Scene.KeyOf))));
            if (choice.Exit) return;
            var thief = new MeterId(run.Scene.KeyOf(run.Scene.Thief).Id);
            Console.WriteLine($"Look closer: metertwin inspect {thief} --url {address}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Live: a day every {choice.DaySeconds:0.#} "
                + $"s, {DemoScene.LiveDays} days; readings are judged {Settings.DefaultHorizonDays} days after their "
                + $"day. Ctrl-C stops."));
            await Live(twins, run, TimeSpan.FromSeconds(choice.DaySeconds), cancel);
        }
        catch (OperationCanceledException)
        {
            Cli.Message("stopped.");
        }
    }

    /// <summary>The demo takes any free port when the usual one is taken and the user named none.</summary>
    private static async Task<Microsoft.AspNetCore.Builder.WebApplication> Listen(IFleet fleet, Choice choice,
        Func<UnixTime> now, Func<CancellationToken, ValueTask<IReadOnlyList<TourStep>>> tour, CancellationToken cancel)
    {
        try
        {
            return await ApiHost.Start(fleet, choice.Port, ServiceMode.Demo, cancel, now: now, tour: tour);
        }
        catch (IOException) when (!choice.FixedPort)
        {
            return await ApiHost.Start(fleet, 0, ServiceMode.Demo, cancel, now: now, tour: tour);
        }
    }

    private static async Task<DemoRun> Record(IFleet twins, Choice choice, Func<DemoRun, Task> begun,
        CancellationToken cancel)
    {
        var progress = new ProgressLine();
        var c = CultureInfo.InvariantCulture;
        progress.Show(() => string.Create(c, $"making {choice.Meters:n0} meters, from blank silicon to operation"));
        var run = new DemoRun(choice.Meters, choice.Seed, twins);
        await begun(run);
        for (var day = 0; day < DemoScene.RecordedDays; day++)
        {
            var done = day;
            progress.Show(() => string.Create(c, $"day {done} of {DemoScene.RecordedDays}, {run.Totals.Frames:n0} "
                + $"frames, {run.Totals.Frames / Math.Max(0.001, progress.Elapsed.TotalSeconds):n0}/s, "
                + $"{twins.Status.Findings} findings{Left(progress.Elapsed, done)}"));
            await run.Until(run.Scene.Begin(day + 1), cancel);
        }
        progress.Done();
        var plan = run.Fleet.Plan;
        Console.WriteLine(string.Create(c, $"{choice.Meters:n0} ZEUS meters on {plan.Options.Feeders} feeders and "
            + $"{plan.Options.Concentrators} concentrators, {DemoScene.RecordedDays} days from "
            + $"{plan.World.LocalDay(0).Date}, in {progress.Elapsed.TotalSeconds:0.0} s"));
        return run;
    }

    private static string Left(TimeSpan elapsed, int done) => done == 0 ? "" : string.Create(
        CultureInfo.InvariantCulture,
        $", {elapsed.TotalSeconds / done * (DemoScene.RecordedDays - done):0} s left");

    private static async Task Live(IFleet twins, DemoRun run, TimeSpan day, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(day / PartsOfDay, TimeProvider.System);
        var told = twins.Status.Findings;
        for (var d = DemoScene.RecordedDays; d < DemoScene.RecordedDays + DemoScene.LiveDays; d++)
        {
            for (var part = 1; part <= PartsOfDay; part++)
            {
                await timer.WaitForNextTickAsync(cancel);
                var (from, to) = (run.Fleet.Plan.World.LocalDay(d).StartMinute,
                    run.Fleet.Plan.World.LocalDay(d).EndMinute);
                await run.Until(UnixTime.FromMinutes(from + (to - from) * part / PartsOfDay), cancel);
            }
            var now = twins.Status.Findings;
            if (now > told) await Tell(twins, now - told, cancel);
            told = now;
        }
        Cli.Message("the emulated days are over; the API goes on.");
        await Task.Delay(Timeout.Infinite, cancel);
    }

    private static async Task Tell(IFleet twins, long news, CancellationToken cancel)
    {
        var limit = (int)Math.Min(MaxPrinted, news);
        foreach (var f in (await twins.Findings(new FindingQuery(null, null, null, null, limit), cancel)).Reverse())
            Console.WriteLine($"{f.DetectedAt}  {f.Severity.ToString().ToLowerInvariant(),-8} {f.SubjectName,-12} "
                + $"{f.Sentence}");
        if (news > limit) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"and {news - limit} more"));
    }
}
