using System.CommandLine;
using System.Globalization;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Text;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin backup</c> and <c>metertwin restore</c>.</summary>
internal static class BackupCommands
{
    public static Command MakeBackup()
    {
        var data = Cli.Flag("data");
        var target = new Argument<string>("target") { Description = "new directory to write the backup to" };
        var command = new Command("backup",
            "Write a consistent copy of a data directory; a service that runs on it goes on.")
        {
            target, data,
        };
        command.SetAction((p, _) => Cli.Guarded(() =>
        {
            var to = p.GetValue(target)!;
            var position = BackupFiles.Write(Cli.Settings(p, data).Data, to);
            Console.WriteLine($"✓ {position} inputs backed up to {Path.GetFullPath(to)}");
            return Task.FromResult(Cli.Ok);
        }));
        return command;
    }

    public static Command MakeRestore()
    {
        var data = Cli.Flag("data");
        var source = new Argument<string>("backup") { Description = "directory that 'metertwin backup' wrote" };
        var command = new Command("restore", "Make a new data directory from a backup and check it.") { source, data };
        command.SetAction((p, _) => Cli.Guarded(() =>
        {
            var settings = Cli.Settings(p, data);
            BackupFiles.Restore(p.GetValue(source)!, settings.Data);
            Console.WriteLine(
                $"✓ restored to {Path.GetFullPath(settings.Data)}; next: metertwin verify --data {settings.Data}");
            return Task.FromResult(Cli.Ok);
        }));
        return command;
    }
}

/// <summary><c>metertwin erase</c>: consumption is personal data.</summary>
internal static class EraseCommand
{
    public static Command Make()
    {
        var data = Cli.Flag("data");
        var meter = new Argument<string>("meter") { Description = "the utility's id, or 16 hexadecimal digits" };
        var before = new Option<DateOnly?>("--before")
        {
            Description = "erase readings of local days before this date (default: all)",
        };
        var reason = new Option<string>("--reason") { Description = "why; kept in the journal", Required = true };
        var command = new Command("erase", "Erase a meter's readings for good; a tombstone with their digest stays.")
        {
            meter, before, reason, data,
        };
        command.SetAction((p, _) => Cli.Guarded(async () =>
        {
            var settings = Cli.Settings(p, data);
            await using var fleet = ActFlags.Open(settings);
            var id = await MeterLookup.Find(fleet, p.GetValue(meter)!, CancellationToken.None);
            var state = (await fleet.State(id.Twin, null, CancellationToken.None))!;
            var day = p.GetValue(before) is { } d ? d.DayNumber - new DateOnly(1970, 1, 1).DayNumber
                : DayAfterAll(MeterView.From(id.Twin, state));
            var tombstone = await fleet.Erase(id, day, p.GetValue(reason)!);
            Console.WriteLine($"✓ {tombstone.Readings} readings erased; digest {tombstone.Digest}");
            return Cli.Ok;
        }));
        return command;
    }

    /// <summary>A day that lies after all readings in every zone.</summary>
    private static int DayAfterAll(MeterView view) => view.Channels.Length == 0
        ? throw new ArgumentException($"Meter {view.Name} has no readings; there is nothing to erase.")
        : (int)(view.Channels.Max(c => c.LastMinute) / 1440) + 2;
}

/// <summary><c>metertwin config check</c>.</summary>
internal static class ConfigCommand
{
    public static Command Make()
    {
        var check = new Command("check",
            "Show every setting in force and where it comes from; exit 2 when one is not allowed.")
        {
            Cli.JsonFlag,
        };
        check.SetAction((p, _) => Cli.Guarded(() =>
        {
            var settings = Cli.Settings(p);
            if (p.GetValue(Cli.JsonFlag))
                Cli.Print(settings.All.Select(s =>
                    new { key = s.Key.Key, value = s.Value, source = s.Source, meaning = s.Key.Meaning }));
            else
            {
                Console.WriteLine("✓ settings: flags, then METERTWIN_*, then metertwin.json, then defaults");
                foreach (var s in settings.All)
                    Console.WriteLine($"  {s.Key.Key,-16}{s.Value,-20}{s.Source,-26}{s.Key.Meaning}");
            }
            return Task.FromResult(Cli.Ok);
        }));
        return new Command("config", "Configuration.") { check };
    }
}
