using System.CommandLine;
using Twin.Grains;
using Twin.Grains.Learned;
using Twin.Hardware;
using Twin.Silo.Learned;
using Twin.Silo.Storage;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin model</c>: which models speak, and whether anybody listens.</summary>
internal static class ModelCommand
{
    /// <summary>Folder of the models in use, in the data directory.</summary>
    public const string Folder = "models";

    public static Command Make() => new Command("model", "Models of the fleet's own history: shown, used, asked.")
    {
        Show(), List(), Activate(), Ask(),
    };

    private static string FolderOf(ParseResult p, ActFlags flags) =>
        Path.Combine(Cli.Settings(p, flags.Data).Data, Folder);

    private static Command Show()
    {
        var file = new Argument<string>("file") { Description = "a model of 'metertwin train'" };
        var command = new Command("show", "Show what a model was made of, and what it was measured at.") { file };
        command.SetAction((p, _) => Cli.Guarded(() =>
        {
            var (model, signer) = ModelFile.Read(p.GetValue(file)!);
            Cli.Print(TrainCommand.View(model, signer));
            return Task.FromResult(Cli.Ok);
        }));
        return command;
    }

    private static Command List()
    {
        var flags = new ActFlags();
        var command = new Command("list", "List models and their stages.")
        {
            flags.Data, flags.LedgerKey, Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            await using var fleet = flags.Open(p);
            var models = await fleet.State(ModelActivation.Twin, AsOf.Now, cancel) is { } state
                ? ModelsTwin.From(ModelActivation.Twin, state) : [];
            if (p.GetValue(Cli.JsonFlag))
                Cli.Print(models.Select(m => new
                {
                    Model = $"{m.Model:x16}", Stage = SnakeCase.Of(m.Stage), Since = m.Since.ToString(),
                    ShadowSince = m.ShadowSince.ToString(), m.By, m.What,
                }));
            else if (models.Count == 0) Console.WriteLine("no models: 'metertwin train' makes one (edition full)");
            else
                foreach (var m in models)
                    Console.WriteLine($"{m.Model:x16}  {SnakeCase.Of(m.Stage),-9} since {m.Since}, {m.What}, by "
                        + m.By);
            return Cli.Ok;
        }));
        return command;
    }

    private static Command Activate()
    {
        var flags = new ActFlags();
        var file = new Argument<string>("file") { Description = "the model" };
        var stage = new Option<ModelStage>("--stage")
        {
            Description = "shadow (recorded, moves nothing), promoted (after 7 days in shadow) or retired",
            DefaultValueFactory = _ => ModelStage.Shadow,
        };
        var why = new Option<string>("--why")
        {
            Description = "in your own words, for the ledger", DefaultValueFactory = _ => "",
        };
        var command = new Command("activate", "Put a model in shadow, promote it, or retire it.") { file, stage, why };
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var path = p.GetValue(file)!;
            var model = ModelFile.Read(path).Model;
            var id = Convert.ToUInt64(model.Name, 16);
            await using var fleet = flags.Open(p);
            var (folder, exit) = (FolderOf(p, flags), await ActFlags.Do(fleet, p, new ModelActivation(flags.At(p),
                flags.By(p), id, p.GetValue(stage), model.Training.Trainer, p.GetValue(why)!), cancel));
            if (exit != Cli.Ok) return exit;
            DataDirectory.CreatePrivate(folder);
            var bytes = await File.ReadAllBytesAsync(path, cancel);
            AtomicFile.Write(ModelRunner.FileOf(folder, id), stream => stream.Write(bytes));
            return Cli.Ok;
        }));
        return command;
    }

    private static Command Ask()
    {
        var flags = new ActFlags();
        var command = new Command("ask",
            "Ask the models in use about the last closed day, and journal what they say. A "
            + "service does it behind each closing.") { flags.Data, flags.LedgerKey, Cli.JsonFlag };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            await using var fleet = flags.Open(p);
            if (fleet.Status.ClosedThroughDay is not { } day)
                throw new ArgumentException("No day has closed here yet: there is nothing to ask about.");
            var models = await ModelRunner.InUse(fleet, FolderOf(p, flags), cancel);
            if (models.Count == 0)
                throw new ArgumentException("No model is in use. 'metertwin model activate FILE' puts one in shadow.");
            var said = await ModelRunner.Run(fleet, models, day, cancel);
            if (p.GetValue(Cli.JsonFlag))
                Cli.Print(new { Day = LocalDay.FormatDate(day), Models = models.Count, Said = said });
            else
                Console.WriteLine($"✓ {LocalDay.FormatDate(day)}: {said} meters of which a model has something to say");
            return Cli.Ok;
        }));
        return command;
    }
}
