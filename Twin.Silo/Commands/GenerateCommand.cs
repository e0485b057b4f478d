using System.CommandLine;
using System.Globalization;
using Twin.Hardware.Emulator;
using Twin.Ingest.Generate;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin generate</c>: a seeded fleet's telemetry in any format that replay reads.</summary>
internal static class GenerateCommand
{
    public static Command Make()
    {
        var directory = new Argument<string>("directory")
        {
            Description = "where the files go; files of the same names are replaced",
        };
        var defaults = new WorldOptions();
        var meters = Choice("--meters", $"homes and observers, 1 to {WorldOptions.MaxMeters}", defaults.Meters);
        var feeders = Choice("--feeders", "feeders; 0: one for each 20 meters", 0);
        var days = Choice("--days", $"local days, 1 to {WorldOptions.MaxDays}", defaults.Days);
        var years = new Option<int?>("--years") { Description = "calendar years instead of --days" };
        var start = Choice("--start", "first local day", defaults.Start);
        var interval = Choice("--interval", "minutes: 5, 10, 15, 20, 30 or 60", defaults.IntervalMinutes);
        var zone = Choice("--zone", "IANA zone or fixed offset", defaults.Zone);
        var seed = Choice("--seed", "one seed, one fleet", defaults.Seed);
        var anomalies = Choice("--anomalies", "share of homes with a theft or fault", defaults.AnomalyShare);
        var alike = Choice("--look-alikes", "share of homes with an innocent change", defaults.LookAlikeShare);
        var format = Choice("--format", "long, wide or json", GenerateFormat.Long);
        var gzip = new Option<bool>("--gzip") { Description = "compress" };
        var command = new Command("generate", "Write a seeded fleet's telemetry, with labels of what was put in.")
        {
            directory, meters, feeders, days, years, start, interval, zone, seed, anomalies, alike, format, gzip,
            Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(() =>
        {
            var options = new WorldOptions
            {
                Meters = p.GetValue(meters), Feeders = p.GetValue(feeders), Days = p.GetValue(days),
                Start = p.GetValue(start), IntervalMinutes = p.GetValue(interval),
                Zone = p.GetValue(zone)!, Seed = p.GetValue(seed), AnomalyShare = p.GetValue(anomalies),
                LookAlikeShare = p.GetValue(alike),
            };
            if (p.GetValue(years) is { } y) options = options.OverYears(y);
            return Run(options, new GenerateOptions(p.GetValue(directory)!, p.GetValue(format), p.GetValue(gzip)),
                p.GetValue(Cli.JsonFlag), cancel);
        }));
        return command;
    }

    private static Option<T> Choice<T>(string name, string description, T otherwise) =>
        new(name) { Description = description, DefaultValueFactory = _ => otherwise };

    private static Task<int> Run(WorldOptions world, GenerateOptions options, bool json, CancellationToken cancel)
    {
        world.Validate();
        Directory.CreateDirectory(options.Directory);
        var c = CultureInfo.InvariantCulture;
        Cli.Message(string.Create(c, $"generating {world.Meters:n0} meters × {world.Days:n0} days from seed "
            + $"{world.Seed} into {Path.GetFullPath(options.Directory)}"));
        var line = new ProgressLine();
        var progress = new Reporter(p => line.Show(() => Line(p, line.Elapsed)));
        var summary = Generator.Write(new World(world), options, progress, cancel);
        line.Done();
        if (json) Cli.Print(summary);
        else
        {
            Console.WriteLine(string.Create(c, $"✓ {summary.Readings:n0} readings of {summary.Meters:n0} meters, "
                + $"{summary.Bytes / 1e6:n1} MB in {line.Elapsed.TotalSeconds:n1} s"));
            Console.WriteLine($"  next: metertwin replay "
                + $"{Path.Combine(options.Directory, Path.GetFileName(summary.Files[0]))} --fleet "
                + $"{Path.Combine(options.Directory, "fleet.csv")}");
        }
        return Task.FromResult(Cli.Ok);
    }

    private static string Line(GenerateProgress p, TimeSpan elapsed)
    {
        var left = p.DaysDone == 0 ? TimeSpan.Zero : elapsed * ((double)(p.DaysTotal - p.DaysDone) / p.DaysDone);
        return string.Create(CultureInfo.InvariantCulture,
            $"day {p.DaysDone:n0} of {p.DaysTotal:n0}, {p.Readings:n0} readings, "
                + $"{p.Readings / Math.Max(0.001, elapsed.TotalSeconds):n0}/s, {left:hh\\:mm\\:ss} left");
    }

    /// <summary>Reports where it is called; <see cref="Progress{T}"/> would report later and out of order.</summary>
    private sealed class Reporter(Action<GenerateProgress> report) : IProgress<GenerateProgress>
    {
        public void Report(GenerateProgress value) => report(value);
    }
}
