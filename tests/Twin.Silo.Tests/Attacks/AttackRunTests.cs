using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Attacks;
using Twin.Silo.Attacks;

namespace Twin.Silo.Tests.Attacks;

/// <summary>Runs through the whole pipeline. The long test runs the whole catalogue; the others a few of it.</summary>
public class AttackRunTests
{
    private static readonly AttackFleet Fleet = new(24, 1);

    private static Task<AttackRunReport> Run(string id) =>
        AttackRun.Of(Catalogue.Find(id)!, Fleet, CancellationToken.None);

    [Theory]
    [InlineData("T01")]
    [InlineData("T16")]
    public async Task An_attack_is_found_and_nobody_else_is_accused(string id)
    {
        var run = await Run(id);
        Assert.Equal((AttackResult.Passed, 0, ""),
            (run.Result.Status, run.Result.BystanderFindings, run.Result.Reason));
        Assert.NotEmpty(run.Result.Found);
    }

    [Fact]
    public async Task A_detector_switched_off_in_its_twins_fails_its_attack()
    {
        var attack = Catalogue.Find("T01")!;
        var run = await AttackRun.Of(attack, Fleet, new MutedTwins(new TwinFactory(), FindingKind.UnknownImage),
            CancellationToken.None);
        Assert.Equal(AttackResult.Failed, run.Result.Status);
    }

    [Fact]
    public async Task Registers_that_turn_over_and_an_exchange_are_taken_in_and_raise_nothing()
    {
        var run = await Run("T32");
        Assert.Equal((AttackResult.Passed, ""), (run.Result.Status, run.Result.Reason));
        Assert.Equal((0L, 0L), (run.Totals.RejectedItems, run.Totals.RejectedFrames));
        Assert.Equal(1 + 2, run.Truth.Meters.Count);
    }

    [Fact]
    public async Task A_contractors_series_passes_every_cryptographic_check_and_the_twins_see_it()
    {
        var run = await Run("L11");
        Assert.Equal(AttackResult.Passed, run.Result.Status);
        Assert.True(run.Checks.AllHold, string.Join("; ", run.Checks.Rows.Where(r => r.Broken > 0)));
        Assert.All(run.Checks.Rows, row => Assert.True(row.Held > 0 || row.Name.Contains("campaign"), row.Name));
    }

    [Fact]
    public async Task One_seed_gives_one_run()
    {
        var (one, other) = (await Run("T06"), await Run("T06"));
        Assert.Equal(one.Findings.Select(f => f.Id), other.Findings.Select(f => f.Id));
        Assert.Equal(one.Result.DetectionDelay, other.Result.DetectionDelay);
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task Every_attack_fares_as_the_catalogue_says_and_each_detector_is_needed()
    {
        if (Environment.GetEnvironmentVariable("METERTWIN_LONG") != "1") return;
        var (shown, needed) = (new HashSet<FindingKind>(), new HashSet<FindingKind>());
        foreach (var attack in Catalogue.All)
        {
            var run = await AttackRun.Of(attack, Fleet, CancellationToken.None);
            Assert.True(run.Result.Status != AttackResult.Failed, $"{attack.Id}: {run.Result.Reason}");
            if (run.Result.Status is AttackResult.Undetectable) continue;
            shown.UnionWith(attack.Expected.Needed);
            foreach (var kind in attack.Expected.Kinds)
            {
                var without = run.Findings.Where(f => f.Kind != kind).ToList();
                if (AttackScore.Of(attack, run.Truth, without).Status == AttackResult.Failed) needed.Add(kind);
            }
        }
        Assert.Empty(shown.Except(needed));
        Assert.True(needed.Count >= 40, $"only {needed.Count} detectors are needed by an attack");
    }
}
