using System.CommandLine;
using System.Globalization;
using Twin.Hardware.Attacks;
using Twin.Hardware;
using Twin.Ingest.Text;
using Twin.Silo.Attacks;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin attack</c>: the catalogue, and its runs against an emulated fleet through the whole pipeline.
/// </summary>
internal static class AttackCommand
{
    public static Command Make() => new Command("attack", "The catalogue of attacks: list them, run them, look at one.")
    {
        MakeList(), MakeRun(), MakeShow(),
    };

    private static Command MakeList()
    {
        var command = new Command("list", "What there is.") { Cli.JsonFlag };
        command.SetAction(p => Cli.Guarded(() =>
        {
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(Catalogue.All.Select(AttackTable.Row));
            else Console.Write(AttackTable.List());
            return Task.FromResult(Cli.Ok);
        }));
        return command;
    }

    private static Argument<string> Id(string description) => new("ID") { Description = description };

    private static Option<int> Meters { get; } = new("--meters")
    {
        Description = "customers of each attack's fleet, 20 to 500", DefaultValueFactory = _ => 24,
    };

    private static Option<ulong> Seed { get; } = new("--seed")
    {
        Description = "seed of the emulated fleet", DefaultValueFactory = _ => 1,
    };

    private static Option<string?> Policy { get; } = new("--policy")
    {
        Description = "file of the policy that answers what is found; without it the default one",
    };

    private static Command MakeRun()
    {
        var id = Id("an id of the catalogue, or all");
        var command = new Command("run", "Runs one attack or all; exit 1 when one failed.")
        {
            id, Meters, Seed, Policy, Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(() => Run(Chosen(p.GetValue(id)!),
            new AttackFleet(p.GetValue(Meters), p.GetValue(Seed))
            {
                Policy = p.GetValue(Policy) is { } file ? BoundedFile.ReadText(file, PolicyActivation.MaxText * 4)
                    : null,
            }, p.GetValue(Cli.JsonFlag), cancel)));
        return command;
    }

    private static Command MakeShow()
    {
        var id = Id("an id of the catalogue");
        var command = new Command("show", "One attack in two columns: what cryptography checks, what the twin says.")
        {
            id, Meters, Seed,
        };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var attack = Chosen(p.GetValue(id)!) is [var one] ? one
                : throw new ArgumentException("'attack show' shows one attack. Name its id.");
            var run = await AttackRun.Of(attack, new AttackFleet(p.GetValue(Meters), p.GetValue(Seed)), cancel);
            Console.Write(TwoColumns.Of(attack, run));
            return run.Result.Status == AttackResult.Failed ? Cli.Differences : Cli.Ok;
        }));
        return command;
    }

    private static Attack[] Chosen(string id) => id.Equals("all", StringComparison.OrdinalIgnoreCase)
        ? [.. Catalogue.All]
        : [Catalogue.Find(id) ?? throw new ArgumentException(
            $"There is no attack '{id}'. 'metertwin attack list' names all there are.")];

    private static async Task<int> Run(Attack[] attacks, AttackFleet fleet, bool json, CancellationToken cancel)
    {
        var progress = new ProgressLine();
        var done = 0;
        var results = await AttackRun.All(attacks, fleet, result =>
        {
            var n = Interlocked.Increment(ref done);
            lock (progress) progress.Show(() => string.Create(CultureInfo.InvariantCulture,
                $"{n} of {attacks.Length} run, the last was {result.Id}, {progress.Elapsed.TotalSeconds:0} s"));
        }, cancel);
        progress.Done();
        if (json) Cli.Print(results);
        else Console.Write(AttackTable.Of(results));
        return results.Any(r => r.Status == AttackResult.Failed) ? Cli.Differences : Cli.Ok;
    }
}
