using System.CommandLine;
using System.Globalization;
using Twin.Silo.Bench;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin bench</c>: the budgets of the design that exist so far, each with its scale and how it was got.
/// </summary>
internal static class BenchCommand
{
    public static Command Make()
    {
        var quick = new Option<bool>("--quick") { Description = "100,000 twins instead of 1,000,000" };
        var twins = new Option<int?>("--twins") { Description = "another number of twins" };
        var only = new Option<BenchPart?>("--only") { Description = "one part" };
        var command = new Command("bench", "Measure the design's budgets on this machine.")
        {
            quick, twins, only, Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var run = new BenchRun(p.GetValue(twins) ?? (p.GetValue(quick) ? 100_000 : 1_000_000),
                p.GetValue(only), cancel);
            var figures = await run.All();
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(figures);
            else foreach (var f in figures) Console.WriteLine(Line(f));
            return Cli.Ok;
        }));
        return command;
    }

    private static string Line(BenchFigure f) => string.Create(CultureInfo.InvariantCulture,
        $"{(f.Met is null ? "·" : f.Met.Value ? "✓" : "✗")} {f.Name,-44} {f.Figure,14:#,0.###} {f.Unit,-12} budget "
            + $"{f.Budget,-14} {f.Scale} ({f.Method})");
}
