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
        var database = new Option<string?>("--database")
        {
            Description = "PostgreSQL for --only orleans (edition full); what MeterTwin has there is lost",
        };
        var command = new Command("bench", "Measure the design's budgets on this machine.")
        {
            quick, twins, only, database, Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            if (p.GetValue(only) == BenchPart.Orleans)
            {
                if (Edition.ClusterBench is null)
                    throw new ArgumentException(
                        "--only orleans needs edition full: dotnet build -c Release -p:Edition=full");
                if (p.GetValue(database) is null)
                    throw new ArgumentException(
                        "--only orleans needs --database with the connection string of a PostgreSQL.");
            }
            var run = new BenchRun(p.GetValue(twins) ?? (p.GetValue(quick) ? 100_000 : 1_000_000),
                p.GetValue(only), p.GetValue(database), cancel);
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
