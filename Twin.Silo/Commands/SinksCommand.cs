using System.CommandLine;
using Twin.Grains.Ledger;
using Twin.Silo.Soc;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin sinks</c>: how far receivers have come, and sending again. The service must be stopped.
/// </summary>
internal static class SinksCommand
{
    private sealed record Row(string Name, string Kind, string Format, long Cursor, int Lag);

    public static Command Make() => new Command("sinks", "Receivers of findings, cases and responses.")
    {
        MakeStatus(), MakeReplay(),
    };

    private static Command MakeStatus()
    {
        var (data, sinks) = (Cli.Flag("data"), Cli.Flag("sinks"));
        var command = new Command("status", "Show how far each receiver has come.") { data, sinks, Cli.JsonFlag };
        command.SetAction((p, _) => Cli.Guarded(async () =>
        {
            var settings = Cli.Settings(p, data, sinks);
            await using var fleet = ActFlags.Open(settings);
            var ledger = fleet.Ledger;
            var rows = Sinks(settings).Select(s =>
            {
                var cursor = ledger.Cursor(SocDispatcher.ReaderOf(s.Name));
                return new Row(s.Name, s.Kind, s.Format, cursor, ledger.Entries(cursor, SocDispatcher.MaxLag).Count);
            }).ToList();
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(rows);
            else
                foreach (var r in rows)
                    Console.WriteLine($"{r.Name}  {r.Kind} {r.Format}  entry {r.Cursor}, "
                        + $"{(r.Lag == SocDispatcher.MaxLag ? "at least " : "")}{r.Lag} behind");
            return Cli.Ok;
        }));
        return command;
    }

    private static Command MakeReplay()
    {
        var (data, sinks) = (Cli.Flag("data"), Cli.Flag("sinks"));
        var from = new Option<long>("--from") { Description = "first entry to send again", Required = true };
        var only = new Option<string?>("--sink") { Description = "this receiver only; default: all" };
        var command = new Command("replay", "Have entries sent again at the next start; ids stay the same.")
        {
            from, only, data, sinks,
        };
        command.SetAction((p, _) => Cli.Guarded(async () =>
        {
            var first = p.GetValue(from);
            if (first < 1) throw new ArgumentException("Entries count from 1: --from 1 sends all.");
            var settings = Cli.Settings(p, data, sinks);
            var chosen = Sinks(settings).Where(s => p.GetValue(only) is not { } name || s.Name == name).ToList();
            if (chosen.Count == 0) throw new ArgumentException($"There is no sink '{p.GetValue(only)}'.");
            await using var fleet = ActFlags.Open(settings);
            var ledger = fleet.Ledger;
            foreach (var s in chosen)
            {
                var before = ledger.Cursor(SocDispatcher.ReaderOf(s.Name));
                ledger.SetCursor(SocDispatcher.ReaderOf(s.Name), Math.Min(before, first - 1), reset: true);
                Console.WriteLine($"✓ {s.Name} goes on behind entry {Math.Min(before, first - 1)} (was {before})");
            }
            return Cli.Ok;
        }));
        return command;
    }

    private static IReadOnlyList<SinkSetting> Sinks(Settings settings) => SinkSettings.Read(settings.SinkFile
        ?? throw new ArgumentException("No sinks are set. Name their file by --sinks."));
}
