using Twin.Detection;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Feed;
using Twin.Silo.Embedded;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Evaluation;

/// <summary>
/// Recorded sets replayed as they are: nobody stole there, and gaps, catch-up reads and dead meters are what they are.
/// </summary>
public sealed class RecordedFindingsTests(ITestOutputHelper output) : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>Findings and stored readings of a set; null where it is not at hand.</summary>
    private async Task<(List<Finding> Findings, long Readings)?> Replay(string name)
    {
        if (Repository.Recorded(name) is not { } path)
        {
            output.WriteLine($"Not run: the recorded set {name} is not at hand.");
            return null;
        }
        await using var fleet = EmbeddedFleet.Open(
            new EmbeddedOptions { DataPath = _directory.Sub("data"), Shards = 2 }, new TwinFactory(), null);
        await Replayer.Run(fleet, new FeedOptions { Paths = [path] }, default);
        var findings = new List<Finding>();
        fleet.Journal.VisitFindings(body => findings.Add(Finding.Read(body)));
        foreach (var f in findings) output.WriteLine($"{f.SubjectName} {f.Kind}: {f.Sentence}");
        return (findings, fleet.Journal.Size().Readings);
    }

    [Fact]
    public async Task Homes_of_two_years_have_gaps_and_empty_months_and_no_theft()
    {
        if (await Replay("sgsc/sgsc10_long.csv.gz") is not { } got) return;
        Assert.All(got.Findings, static f => Assert.True(f.Kind is FindingKind.MissingReadings or FindingKind.ZeroRun,
            f.Sentence));
        Assert.Equal(["10006704", "10017554", "10017994"], got.Findings.Where(static f => f.Kind == FindingKind.ZeroRun)
            .Select(static f => f.SubjectName).Distinct().Order(StringComparer.Ordinal));
        Assert.InRange(got.Findings.Count(static f => f.Kind == FindingKind.MissingReadings), 10, 30);
    }

    [Fact]
    public async Task Campus_meters_have_outages_with_catch_up_reads_and_no_theft()
    {
        if (await Replay("lancaster") is not { } got) return;
        Assert.All(got.Findings, static f => Assert.Equal(FindingKind.MissingReadings, f.Kind));
        Assert.Equal(["building023_meter001", "building024_meter002"], got.Findings.Select(static f => f.SubjectName)
            .Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("belgium/one_year_09.csv.gz")]
    [InlineData("ausgrid/customer12_2011-2012.csv")]
    [InlineData("apartments")]
    [InlineData("lcl/MAC000002_halfhourly.csv")]
    public async Task A_year_of_few_homes_is_no_theft(string name)
    {
        if (await Replay(name) is not { } got) return;
        Assert.All(got.Findings, static f => Assert.Equal(FindingKind.MissingReadings, f.Kind));
    }

    [Fact]
    public async Task Four_hundred_homes_stay_within_the_budget_of_findings()
    {
        if (await Replay("edrp/edrp_dev.csv.gz") is not { } got) return;
        var years = got.Readings / (48 * 365.0);
        Assert.InRange(years, 100, 106);
        Assert.Equal(["X373", "X455", "X554"], got.Findings.Where(static f => f.Kind == FindingKind.ZeroRun)
            .Select(static f => f.SubjectName).Order(StringComparer.Ordinal));
        var others = got.Findings.Count(static f => f.Kind != FindingKind.ZeroRun);
        output.WriteLine($"{1000 * others / years:0} findings of reading models per 1,000 meter-years");
        Assert.True(others / years <= AlarmBar.FindingsPerMeterYear, $"{others} findings in {years} meter-years");
    }
}
