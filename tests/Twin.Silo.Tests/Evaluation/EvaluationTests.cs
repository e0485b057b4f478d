using System.Text.Json;
using Twin.Detection.Evaluation;
using Twin.Hardware.Emulator;
using Twin.Ingest;
using Twin.Ingest.Feed;
using Twin.Ingest.Generate;
using Twin.Silo.Commands;
using Twin.Silo.Evaluation;
using Twin.Silo.Evaluation.Report;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Evaluation;

/// <summary>Generated telemetry of 60 homes and 95 days, once for all tests.</summary>
public sealed class GeneratedHomes : IDisposable
{
    private readonly TestDirectory _directory = new();

    public GeneratedHomes()
    {
        var world = new World(new WorldOptions { Meters = 60, Feeders = 3, Days = 95, Seed = 4, AnomalyShare = 0 });
        Generator.Write(world, new GenerateOptions(_directory.Path, GenerateFormat.Long, Gzip: false),
            new Progress<GenerateProgress>(), CancellationToken.None);
        Recorded = HomeReader.Read(new FeedOptions { Paths = [Readings], FleetFiles = [Fleet] },
            CancellationToken.None);
    }

    public string Readings => _directory.Sub("readings.csv");
    public string Fleet => _directory.Sub("fleet.csv");
    internal RecordedHomes Recorded { get; }

    public void Dispose() => _directory.Dispose();
}

/// <summary>Evaluation through the real twins.</summary>
public sealed class EvaluationTests(GeneratedHomes homes, ITestOutputHelper output) : IClassFixture<GeneratedHomes>
{
    private static readonly EvaluationOptions Options = new(1, 1, 60, HomeHalf.All, Scenarios.ReadThefts("all"), true,
        false, false);

    private static Played Play(RecordedHomes recorded, EvaluationOptions options) =>
        EvaluationRun.Play(recorded, options, "files", _ => { }, CancellationToken.None);

    private EvaluationSet Set() => SetBuilder.Build(homes.Recorded.Homes, new EvaluationPlan(2, 1, 60,
        Scenarios.ReadThefts("all"), true, false, 48, homes.Recorded.FirstDay), 0);

    [Fact]
    public void Homes_are_customers_with_the_cohort_that_the_fleet_file_tells()
    {
        Assert.Equal((60, 30), (homes.Recorded.Homes.Count, homes.Recorded.IntervalMinutes));
        Assert.All(homes.Recorded.Homes, h => Assert.StartsWith("MT-0", h.Name, StringComparison.Ordinal));
        Assert.All(homes.Recorded.Homes, h => Assert.NotEqual("", h.Cohort.Model));
        Assert.All(homes.Recorded.Homes, h => Assert.Equal(Protocol.Days * 48, h.Used.Length));
    }

    [Fact]
    public void A_days_score_is_the_same_when_nothing_that_came_later_is_there()
    {
        const int Cut = 55;
        var set = Set();
        var (whole, _) = SetRun.Play(set, Protocol.Days);
        var (cut, _) = SetRun.Play(set, Cut);
        for (var h = 0; h < whole.Length; h++)
            // The days still open at the cut close without stragglers that come within the horizon.
            for (var d = 0; d < Cut - Protocol.HorizonDays; d++)
                Assert.True(whole[h].Days[d] == cut[h].Days[d],
                    $"meter {h} ({whole[h].Kind} from day {whole[h].Onset}), day {d}: {whole[h].Days[d]} with all "
                        + $"readings, {cut[h].Days[d]} without those from day {Cut} on");
        Assert.Contains(cut, c => c.Days.Any(s => s > 0));
    }

    [Fact]
    public void Files_cut_short_score_the_days_before_the_cut_alike()
    {
        // The same through the reader: the last three of 95 days are taken away.
        var short92 = homes.Recorded.Homes.Select(h => h.Name).ToArray();
        var path = Path.Combine(Path.GetDirectoryName(homes.Readings)!, "short.csv");
        var lines = File.ReadLines(homes.Readings).ToArray();
        var days = lines.Skip(1).Select(l => l.Split(',')[1][..10]).Distinct().Order().Take(Protocol.Days).ToHashSet();
        File.WriteAllLines(path, lines.Where((l, i) => i == 0 || days.Contains(l.Split(',')[1][..10])));
        var recorded = HomeReader.Read(new FeedOptions { Paths = [path], FleetFiles = [homes.Fleet] },
            CancellationToken.None);
        Assert.Equal(short92, recorded.Homes.Select(h => h.Name));
        Assert.Equal(homes.Recorded.FirstDay, recorded.FirstDay);
        Assert.Equal(Scores(Play(homes.Recorded, Options)), Scores(Play(recorded, Options)));
    }

    private static string Scores(Played played) => string.Join(' ', played.Own.Select(c => c.Score));

    [Fact]
    public void The_same_files_and_seed_give_the_same_json()
    {
        var options = Options with { Sets = 2, References = true };
        string Json() => JsonSerializer.Serialize(
            EvaluationSummary.Of(Evaluated.Of(options, homes.Recorded, Play(homes.Recorded, options))), Cli.Json);
        var first = Json();
        Assert.Equal(first, Json());
        Assert.NotEqual(first, JsonSerializer.Serialize(EvaluationSummary.Of(Evaluated.Of(options with { Seed = 2 },
            homes.Recorded, Play(homes.Recorded, options with { Seed = 2 }))), Cli.Json));
    }

    [Fact]
    public void Homes_of_one_half_are_never_played_in_the_other()
    {
        var played = new Dictionary<HomeHalf, HashSet<string>>();
        foreach (var half in (ReadOnlySpan<HomeHalf>)[HomeHalf.Tune, HomeHalf.Report])
            played[half] = [.. Play(homes.Recorded, Options with { Half = half }).Everything.Select(e => e.Home)];
        Assert.Empty(played[HomeHalf.Tune].Intersect(played[HomeHalf.Report]));
        Assert.All(played.Values, p => Assert.True(p.Count >= Protocol.FewestHomes));
    }

    [Fact]
    public void What_changes_nothing_is_listed_and_not_counted()
    {
        var empty = homes.Recorded.Homes.Select(h => h with
        {
            Told = new int[h.Told.Length],
            Used = new int[h.Used.Length],
        }).ToArray();
        var played = Play(homes.Recorded with { Homes = empty }, Options with { Thefts = ["h1"] });
        Assert.Equal(15, played.NoOps.Count(n => n.Kind == "h1"));
        Assert.DoesNotContain(played.Own, c => c.Kind == "h1");
    }

    [Fact]
    public void The_report_is_one_file_that_loads_and_runs_nothing()
    {
        var options = Options with { References = true };
        var page = ReportPage.Of(Evaluated.Of(options, homes.Recorded, Play(homes.Recorded, options)));
        Assert.Contains("default-src 'none'", page, StringComparison.Ordinal);
        Assert.Equal(6, page.Split("role=\"img\"").Length - 1);
        foreach (var banned in (ReadOnlySpan<string>)["<script", "http://", "https://", "src=", "href=", " style=",
            "NaN", "url("])
            Assert.DoesNotContain(banned, page, StringComparison.OrdinalIgnoreCase);
        // It is well formed: a reader of XML finds its way, but for what HTML writes without an end.
        var body = page[page.IndexOf("<body>", StringComparison.Ordinal)..page.IndexOf("</html>",
            StringComparison.Ordinal)];
        Assert.Equal("body", System.Xml.Linq.XElement.Parse(body).Name.LocalName);
    }

    [Fact]
    public void Recorded_homes_with_thefts_laid_over_them_stay_above_a_floor()
    {
        if (Repository.Recorded("edrp/edrp_dev.csv.gz") is not { } path)
        {
            output.WriteLine("The recorded homes (shared data, edrp) are not there: nothing was evaluated.");
            return;
        }
        var recorded = HomeReader.Read(new FeedOptions { Paths = [path] }, CancellationToken.None);
        var options = Options with { Homes = 200, Sets = 2, Half = HomeHalf.Report };
        var with = Measures.Of(Play(recorded, options).Own);
        var without = Measures.Of(Play(recorded, options with { Observers = false }).Own);
        output.WriteLine($"with observers {with.Macro.Value}, without {without.Macro.Value}, seed {options.Seed}");
        Assert.True(with.Macro.Value.Auc > 0.85, $"AUC with observers fell to {with.Macro.Value.Auc:0.000}");
        Assert.True(without.Macro.Value.Auc > 0.80, $"AUC without fell to {without.Macro.Value.Auc:0.000}");
        Assert.True(with.Macro.Value.TprAt5 > 0.60, $"found at 5 % fell to {with.Macro.Value.TprAt5:0.000}");
    }

    [Fact]
    public void Homes_as_they_were_recorded_raise_few_findings()
    {
        if (Repository.Recorded("edrp/edrp_dev.csv.gz") is not { } path)
        {
            output.WriteLine("The recorded homes (shared data, edrp) are not there: nothing was evaluated.");
            return;
        }
        var recorded = HomeReader.Read(new FeedOptions { Paths = [path] }, CancellationToken.None);
        var plan = new EvaluationPlan(1, 1, recorded.Homes.Count, [], false, false, 48, recorded.FirstDay);
        var set = new EvaluationSet(0, plan, [.. recorded.Homes.Select((h, i) => new EvaluationCase(h, i, 48))],
            [(0, recorded.Homes.Count, 0)]);
        var findings = SetRun.Play(set, Protocol.Days).Scored.Sum(c => c.Findings.Length);
        output.WriteLine($"{recorded.Homes.Count} homes, {findings} findings in {Protocol.Days} days");
        Assert.True(findings <= recorded.Homes.Count / 20, $"{findings} findings: more than one home in twenty");
    }
}
