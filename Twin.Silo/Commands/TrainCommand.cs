using System.CommandLine;
using System.Globalization;
using Twin.Detection.Learned;
using Twin.Hardware;
using Twin.Silo.Evaluation;
using Twin.Silo.Learned;
using Twin.Silo.Storage;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin train</c>: a model of the homes in a data directory.</summary>
internal static class TrainCommand
{
    public static Command Make()
    {
        var (data, ledgerKey) = (Cli.Flag("data"), Cli.Flag("ledger-key"));
        var file = new Argument<string>("model") { Description = "the file to write" };
        var kind = new Option<LearnedKind>("--kind")
        {
            Description = "trees (boosted, of labelled rows) or components (what honest weeks have in common)",
            DefaultValueFactory = _ => LearnedKind.Trees,
        };
        var seed = new Option<ulong>("--seed")
        {
            Description = "seed of all chance: one seed, one model", DefaultValueFactory = _ => 1,
        };
        var sets = new Option<int>("--sets")
        {
            Description = "sets to learn from, 1 to 40", DefaultValueFactory = _ =>
            8
        };
        var command = new Command("train", "Train a model on the homes of a data directory (edition full).")
        {
            file, data, ledgerKey, kind, seed, sets, Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(() =>
        {
            if (Edition.Trainer is not { } trainer)
                throw new ArgumentException($"Edition {Edition.Name} cannot train: build edition full (dotnet build -c "
                    + "Release -p:Edition=full). A model that is there can be used by any edition.");
            if (p.GetValue(sets) is < 1 or > 40) throw new ArgumentException("--sets is 1 to 40.");
            return Task.FromResult(Run(p, Cli.Settings(p, data, ledgerKey), p.GetValue(file)!,
                new TrainingOptions(p.GetValue(kind), p.GetValue(seed), p.GetValue(sets), Homes), trainer, cancel));
        }));
        return command;
    }

    /// <summary>Homes of a set.</summary>
    private const int Homes = 200;

    private static int Run(ParseResult p, Settings settings, string file, TrainingOptions options, Trainer trainer,
        CancellationToken cancel)
    {
        using var directory = DataDirectory.Open(settings.Data, mustExist: true);
        using var journal = new SqliteJournal(directory.JournalFile);
        var homes = HomeReader.Of(journal, settings.Data, cancel);
        Cli.Message($"{homes.Homes.Count} homes fit for a window of {Detection.Evaluation.Protocol.Days} days from "
            + LocalDay.FormatDate(homes.FirstDay));
        using var key = LedgerKey.OpenOrMake(settings.LedgerKeyFile
            ?? Path.Combine(directory.Path, LedgerKey.FileName));
        var model = ModelTraining.Run(homes, options, trainer, settings.Data, Cli.Message, cancel);
        ModelFile.Write(file, model, key);
        var (read, signer) = ModelFile.Read(file);
        if (p.GetValue(Cli.JsonFlag)) Cli.Print(View(read, signer));
        else
        {
            Console.WriteLine($"✓ {file}: model {read.Name}, {read.Training.Trainer}, signed by {signer[..16]}");
            foreach (var (name, value) in read.Metrics)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name,-32}{value:0.###}"));
            Console.WriteLine($"  next: metertwin evaluate PATHS --model {file}");
        }
        return Cli.Ok;
    }

    public static object View(LearnedModel m, string signer) => new
    {
        m.Name, Kind = SnakeCase.Of(m.Kind), Digest = Convert.ToHexStringLower(m.Digest), SignedBy = signer,
        m.Training.Trainer, FirstDay = LocalDay.FormatDate(m.Training.FirstDay), m.Training.Days, m.Training.Homes,
        m.Training.Rows, m.Training.Seed, LearnedModel.Features,
        Metrics = m.Metrics.ToDictionary(x => x.Name, x => x.Value),
    };
}
