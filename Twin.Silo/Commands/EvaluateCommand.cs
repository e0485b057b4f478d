using System.CommandLine;
using System.Globalization;
using Twin.Detection.Evaluation;
using Twin.Hardware;
using Twin.Ingest.Feed;
using Twin.Ingest.Profiles;
using Twin.Silo.Evaluation;
using Twin.Silo.Evaluation.Report;
using Twin.Silo.Learned;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin evaluate</c>: how well detection works on recorded homes, with thefts, faults and look-alikes laid over
/// them.
/// </summary>
internal static class EvaluateCommand
{
    private const string On = "on", Off = "off";

    private static readonly Option<string> Attacks = new("--attacks")
    {
        Description = "thefts to inject: all, or ids with commas between", DefaultValueFactory = _ => "all",
    };

    private static readonly Option<ulong> Seed = new("--seed")
    {
        Description = "seed of all chance: one seed, one result", DefaultValueFactory = _ => 1,
    };

    private static readonly Option<string> Observers = Switch("--observers",
        "whether each feeder has a meter that sees its members' sum");

    private static readonly Option<bool> FromDay0 = new("--from-day0")
    {
        Description = "thefts are there from the first day: only peers and the feeder can show them",
    };

    private static readonly Option<int> Homes = new("--homes")
    {
        Description = $"homes a set, {Protocol.SmallestSet} to {Protocol.LargestSet}",
        DefaultValueFactory = _ => 200,
    };

    private static readonly Option<int> Sets = new("--sets")
    {
        Description = $"sets, 1 to {Protocol.LargestNumberOfSets}: more make intervals of kinds narrower",
        DefaultValueFactory = _ => 8,
    };

    private static readonly Option<HomeHalf> Half = new("--half")
    {
        Description = "half of the homes: report, tune (the one that settings were chosen on), or all",
        DefaultValueFactory = _ => HomeHalf.Report,
    };

    private static readonly Option<string> References = Switch("--references",
        "whether simple detectors are measured beside");

    private static readonly Option<string[]> Models = new("--model")
    {
        Description = "a model of 'metertwin train' to measure beside, alone and fused with our own score",
    };

    private static readonly Option<string?> Scores = new("--scores")
    {
        Description = "write set,meter,home,kind,cause,onset,day,score,top here, CSV",
    };

    private static readonly Option<string?> Report = new("--report")
    {
        Description = "write a report with drawings here, one HTML file",
    };

    private static Option<string> Switch(string name, string description)
    {
        var option = new Option<string>(name) { Description = description, DefaultValueFactory = _ => On };
        option.AcceptOnlyFromAmong(On, Off);
        return option;
    }

    public static Command Make()
    {
        var paths = Cli.Paths("paths", "files, directories or patterns of recorded interval readings, as for replay",
            ArgumentArity.OneOrMore);
        var profile = new Option<string?>("--profile")
        {
            Description = "profile of the files: a JSON file or a shipped one's name (default: sniffed, and printed)",
        };
        var fleet = new Option<string[]>("--fleet")
        {
            Description = "fleet file: tells observers from customers, and who is of one model, firmware and lot",
        };
        var command = new Command("evaluate",
            "Measure detection on recorded homes, with thefts, faults and look-alikes laid over them.")
        {
            paths, profile, fleet, Attacks, Seed, Observers, FromDay0, Homes, Sets, Half, References, Models, Report,
                Scores,
            Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(() => Task.FromResult(Run(p, new FeedOptions
        {
            Paths = p.GetValue(paths)!, FleetFiles = p.GetValue(fleet)!,
            Profile = p.GetValue(profile) is { } name ? ProfileLibrary.Get(name) : null, Message = Cli.Message,
        }, cancel))));
        return command;
    }

    private static int Run(ParseResult p, FeedOptions feed, CancellationToken cancel)
    {
        var options = new EvaluationOptions(p.GetValue(Seed), Within(p, Sets, 1, Protocol.LargestNumberOfSets),
            Within(p, Homes, Protocol.SmallestSet, Protocol.LargestSet), p.GetValue(Half),
            Scenarios.ReadThefts(p.GetValue(Attacks)!), p.GetValue(Observers) == On, p.GetValue(FromDay0),
            p.GetValue(References) == On)
        {
            Models = [.. (p.GetValue(Models) ?? []).Select(m => ModelFile.Read(m).Model)],
        };
        // A file that cannot be written is told before minutes of work, not after.
        using var report = p.GetValue(Report) is { } page ? new ReservedFile(Report.Name, page) : null;
        using var scores = p.GetValue(Scores) is { } file ? new ReservedFile(Scores.Name, file) : null;
        var homes = HomeReader.Read(feed, cancel);
        Tell(homes, options);
        var progress = new ProgressLine();
        var played = EvaluationRun.Play(homes, options, string.Join(", ", feed.Paths), done =>
        {
            lock (progress) progress.Show(() => string.Create(CultureInfo.InvariantCulture,
                $"{done} of {options.Sets} sets played, {progress.Elapsed.TotalSeconds:0} s"));
        }, cancel);
        progress.Done();
        scores?.Fill(to => CaseScores.Write(to, played));
        var evaluated = Evaluated.Of(options, homes, played);
        report?.Fill(to => to.Write(ReportPage.Of(evaluated)));
        if (p.GetValue(Cli.JsonFlag)) Cli.Print(EvaluationSummary.Of(evaluated));
        else Console.Write(EvaluationText.Of(evaluated));
        return Cli.Ok;
    }

    private static int Within(ParseResult p, Option<int> option, int least, int most)
    {
        var value = p.GetValue(option);
        return value >= least && value <= most ? value
            : throw new ArgumentException($"{option.Name} is {value}. Give {least} to {most}.");
    }

    private static void Tell(RecordedHomes homes, EvaluationOptions options)
    {
        Cli.Message(string.Create(CultureInfo.InvariantCulture,
            $"{homes.Meters} meters read; {homes.Homes.Count} fit for {Protocol.Days} days from "
                + $"{LocalDay.FormatDate(homes.FirstDay)} at {homes.IntervalMinutes} minutes, seed {options.Seed}"
                + $"{(homes.TooShort > 0 ? $"; {homes.TooShort} left out for gaps" : "")}"
                + $"{(homes.OtherInterval > 0 ? $"; {homes.OtherInterval} left out for another interval" : "")}"));
        var used = homes.Homes.Count(h => RecordedHome.IsIn(h.Name, options.Half));
        if (used is >= Protocol.FewestHomes and < 100)
            Cli.Message($"only {used} homes to draw from: each comes several times, and intervals are wide.");
        if (options.FromDay0 && options.Thefts.Count > 1 && options.Thefts.Contains(Scenarios.Exchange))
            Cli.Message("exchange is left out: meters exchanged from the first day tell two honest series.");
    }
}
