using System.CommandLine;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Mirror;
using Twin.Silo.Mirror;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin mirror</c>: how far the mirror is, whether it says what the journal says, and making it again. The
/// service must be stopped.
/// </summary>
internal static class MirrorCommand
{
    /// <summary>Meters of one page of keys.</summary>
    private const int Page = 10_000;

    public static Command Make() => new Command("mirror", "The copy of readings, scores and findings in a server of "
        + "time series.")
    {
        Verb("status", "Show how far it is.", Status, []),
        Check(),
        Verb("rebuild", "Have everything sent again at the next start.", Rebuild, []),
    };

    private static Command Check()
    {
        var meters = new Argument<string[]>("meter")
        {
            Description = "compare these meters only; default: all", Arity = ArgumentArity.ZeroOrMore,
        };
        return Verb("check", "Compare it with the journal, reading for reading; exit 1 on differences.",
            (p, source, store, cancel) => Check(p, p.GetValue(meters)!, source, store, cancel), [meters]);
    }

    private static Command Verb(string name, string description,
        Func<ParseResult, MirrorSource, IMirrorStore, CancellationToken, Task<int>> run, Argument[] arguments)
    {
        Option<string?>[] flags = [.. ((string[])["data", "mirror", "mirror-kind", "mirror-bucket",
            "mirror-token-file"]).Select(Cli.Flag)];
        var command = new Command(name, description);
        foreach (var argument in arguments) command.Add(argument);
        foreach (var flag in flags) command.Add(flag);
        command.Add(Cli.JsonFlag);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var settings = Cli.Settings(p, flags);
            using var store = MirrorService.Store(settings);
            await using var fleet = ActFlags.Open(settings);
            return await run(p, MirrorService.Source(fleet), store, cancel);
        }));
        return command;
    }

    private static Task<int> Status(ParseResult p, MirrorSource source, IMirrorStore store, CancellationToken cancel)
    {
        var (ledger, readers) = (source.Journal, MirrorReaders.Of(store));
        var row = new
        {
            store.Name, Position = ledger.Cursor(readers.Readings), JournalPosition = source.Journal.Position,
            ScoresPosition = ledger.Cursor(readers.Scores), FindingsEntry = ledger.Cursor(readers.Findings),
        };
        if (p.GetValue(Cli.JsonFlag)) Cli.Print(row);
        else
            Console.WriteLine($"{row.Name}  position {row.Position} of {row.JournalPosition}, scores to position "
                + $"{row.ScoresPosition}, findings to entry {row.FindingsEntry} of {ledger.End.Number}");
        return Task.FromResult(Cli.Ok);
    }

    private static Task<int> Rebuild(ParseResult p, MirrorSource source, IMirrorStore store, CancellationToken cancel)
    {
        MirrorReaders.Of(store).Reset(source.Journal);
        if (p.GetValue(Cli.JsonFlag)) Cli.Print(new { store.Name, Position = 0 });
        else Console.WriteLine($"✓ {store.Name}: the next start sends everything from the beginning");
        return Task.FromResult(Cli.Ok);
    }

    private static async Task<int> Check(ParseResult p, string[] names, MirrorSource source, IMirrorStore store,
        CancellationToken cancel)
    {
        try
        {
            var total = MirrorCheck.None;
            foreach (var name in names)
                total += await MirrorCheck.Of(source, store, await MeterLookup.Find(source.Fleet, name, cancel),
                    cancel);
            if (names.Length == 0) total = await All(source, store, cancel);
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(total);
            else
                Console.WriteLine($"{(total.IsNone ? "✓" : "✗")} {total.Readings} readings in the journal; in the "
                    + $"mirror {total.Missing} are missing, {total.Other} differ, {total.Surplus} are too many"
                    + (total.IsNone ? "" : $". First: {total.First}"));
            return total.IsNone ? Cli.Ok : Cli.Differences;
        }
        catch (MirrorException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static async Task<MirrorDifference> All(MirrorSource source, IMirrorStore store, CancellationToken cancel)
    {
        var total = MirrorCheck.None;
        for (ulong after = 0; ;)
        {
            var keys = await source.Fleet.Keys(TwinKind.Meter, after, Page, cancel);
            foreach (var key in keys) total += await MirrorCheck.Of(source, store, new MeterId(key.Id), cancel);
            if (keys.Count < Page) return total;
            after = keys[^1].Id;
        }
    }
}
