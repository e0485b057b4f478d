using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Emulator.Network;
using Twin.Silo.Attacks;
using Twin.Silo.Commands;
using Twin.Silo.Demo;
using Twin.Silo.Embedded;

namespace Twin.Silo.Tests.Demo;

/// <summary>The demo in small: what it claims to show is there, for more than one seed.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(7)]
    [InlineData(12)]
    public async Task Two_attacks_pass_every_cryptographic_check_and_are_found(ulong seed)
    {
        await using var twins = EmbeddedFleet.Open(new EmbeddedOptions
        {
            DataPath = _directory.Sub("data"), SnapshotOnClose = false,
        }, new TwinFactory(), null);
        using var run = new DemoRun(DemoScene.LeastMeters, seed, twins);
        var scene = run.Scene;
        for (var day = 1; day <= DemoScene.RecordedDays; day++) await run.Until(scene.Begin(day), default);
        var report = await run.Report(default);

        Assert.Equal(0, run.Totals.RejectedFrames);
        Assert.Equal(0, run.Totals.RejectedItems);
        Assert.True(run.Totals.Quotes >= 7 * DemoScene.LeastMeters, $"{run.Totals.Quotes} quotes");
        Assert.Contains(report.Series, f => f.SubjectName == DemoScene.Tool);
        Assert.Equal(scene.Release.Length, report.ReleaseMeters);
        Assert.Contains(report.Theft, f => f.Kind == FindingKind.Tamper);
        Assert.DoesNotContain(report.Bystanders, f => f.Severity >= Severity.High);
        var series = AttackRun.ChecksOf(twins, scene.SeriesBy(run.Fleet.Now).Select(scene.KeyOf));
        var release = AttackRun.ChecksOf(twins, scene.Release.Select(scene.KeyOf));
        Assert.True(series.AllHold && release.AllHold);
        Assert.All(series.Rows.Where(r => r.Name.StartsWith("sessions", StringComparison.Ordinal)),
            r => Assert.Equal(scene.SeriesBy(run.Fleet.Now).Length, r.Held));

        var text = report.Render(run.Totals, series, release);
        Assert.Contains($"{10 * DemoScene.LeastMeters} asked for, 0 went out", text);
        Assert.Contains("✓ contractor's series", text);
        Assert.Contains("✓ signed firmware", text);
        Assert.Contains($"on {scene.Release.Length} of {scene.Release.Length} meters", text);
        Assert.Equal(2, text.Split("cryptographic checks: all pass").Length - 1);
        Assert.Contains(report.Release[0].SubjectName, text);
    }

    [Fact]
    public async Task Nothing_is_found_before_anything_happens()
    {
        await using var twins = EmbeddedFleet.Open(new EmbeddedOptions
        {
            DataPath = _directory.Sub("data"), SnapshotOnClose = false,
        }, new TwinFactory(), null);
        using var run = new DemoRun(DemoScene.LeastMeters, 7, twins);
        await run.Until(run.Scene.Begin(3), default);
        var report = await run.Report(default);

        Assert.Empty(report.Series.Concat(report.Release).Concat(report.Theft).Concat(report.Bystanders));
        var none = AttackRun.ChecksOf(twins, []);
        Assert.Contains("✗ contractor's series      not found yet", report.Render(run.Totals, none, none));
    }

    [Fact]
    public void Nobody_has_two_parts()
    {
        using var fleet = new EmulatedFleet(DemoScene.OptionsFor(120, 3));
        var scene = new DemoScene(fleet);
        int[] all = [.. scene.Release, .. scene.HonestRelease, .. scene.Series, scene.Thief];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.Equal(12, scene.Series.Length);
        Assert.Equal((8, 8), (scene.Release.Length, scene.HonestRelease.Length));
        Assert.DoesNotContain(fleet.Plan.World.Labels, l => all.Any(m => fleet.Meters[m].Plan.Home == l.MeterIndex));
    }

    [Theory]
    [InlineData("59")]
    [InlineData("10001")]
    public async Task A_fleet_out_of_range_is_refused(string meters) =>
        Assert.Equal(Cli.Unusable, await Cli.Run(["demo", "--exit", "--meters", meters]));
}
