using Twin.Hardware;
using Twin.Hardware.Attacks;
using Twin.Silo.Attacks;

namespace Twin.Silo.Tests.Attacks;

public class AttackScoreTests
{
    private static readonly UnixTime Onset = new(1_000_000);
    private static readonly TwinKey Meter = new(TwinKind.Meter, 3), Other = new(TwinKind.Meter, 4),
        Feeder = new(TwinKind.Feeder, 9), Partition = new(TwinKind.Fleet, 5);
    private static readonly StagedTruth Truth = new(Onset, Onset, new HashSet<TwinKey> { Meter },
        new HashSet<TwinKey> { Feeder }, new HashSet<TwinKey>());

    private static Attack Named(string id) => Catalogue.Find(id)!;

    private static Finding On(TwinKey subject, FindingKind kind, long after = 60, Severity severity = Severity.High) =>
        new(subject, subject.ToString(), kind, new UnixTime(Onset.Seconds + after), new UnixTime(Onset.Seconds + after),
            new UnixTime(Onset.Seconds + after), 5, severity, 0.9, "test", 1, "", "A test.", [], []);

    [Fact]
    public void The_expected_finding_on_the_right_twin_passes()
    {
        var found = On(Meter, FindingKind.UnknownImage, 90);
        var r = AttackScore.Of(Named("T01"), Truth, [found]);
        Assert.Equal((AttackResult.Passed, 90L, 0, ""), (r.Status, r.DetectionDelay, r.BystanderFindings, r.Reason));
        Assert.Equal([found.Id], r.Found);
    }

    [Theory]
    [InlineData(false, 60L, FindingKind.Downgrade)]
    [InlineData(false, -901L, FindingKind.UnknownImage)]
    [InlineData(true, 60L, FindingKind.UnknownImage)]
    public void Another_kind_an_earlier_time_or_another_meter_does_not(bool other, long after, FindingKind kind)
    {
        var r = AttackScore.Of(Named("T01"), Truth, [On(other ? Other : Meter, kind, after, Severity.Medium)]);
        Assert.Equal((AttackResult.Failed, null), (r.Status, r.DetectionDelay));
        Assert.Contains("unknown_image", r.Reason);
        Assert.Empty(r.Found);
    }

    [Fact]
    public void A_grave_finding_on_a_bystander_or_before_the_onset_fails_what_was_found()
    {
        foreach (var bystander in (Finding[])[On(Other, FindingKind.Tamper), On(Feeder, FindingKind.FeederLoss),
            On(Meter, FindingKind.Tamper, -901)])
        {
            var r = AttackScore.Of(Named("T01"), Truth, [On(Meter, FindingKind.UnknownImage), bystander]);
            Assert.Equal((AttackResult.Failed, 1), (r.Status, r.BystanderFindings));
            Assert.Contains(bystander.SubjectName, r.Reason);
        }
        var mild = On(Other, FindingKind.Tamper, severity: Severity.Medium);
        Assert.Equal(AttackResult.Passed,
            AttackScore.Of(Named("T01"), Truth, [On(Meter, FindingKind.UnknownImage), mild]).Status);
    }

    [Theory]
    [InlineData(FindingKind.BalanceSuspect, Severity.Low, AttackResult.Passed)]
    [InlineData(FindingKind.BalanceSuspect, Severity.Medium, AttackResult.Failed)]
    [InlineData(FindingKind.Tamper, Severity.Medium, AttackResult.Failed)]
    public void An_innocent_change_is_a_note_at_most(FindingKind kind, Severity severity, string status)
    {
        var r = AttackScore.Of(Named("T29"), Truth, [On(Meter, kind, severity: severity)]);
        Assert.Equal(status, r.Status);
        var grave = AttackScore.Of(Named("T29"), Truth, [On(Other, kind)]);
        Assert.Equal((AttackResult.Failed, 1), (grave.Status, grave.BystanderFindings));
    }

    [Fact]
    public void All_of_several_are_needed_and_the_last_sets_the_delay()
    {
        Finding[] two = [On(Meter, FindingKind.LoginFailures, 60), On(Meter, FindingKind.LocalReprogramming, 600)];
        Assert.Equal(600, AttackScore.Of(Named("T16"), Truth, two).DetectionDelay);
        Assert.Equal(AttackResult.Failed, AttackScore.Of(Named("T16"), Truth, two[..1]).Status);
        Assert.Equal(AttackResult.Failed, AttackScore.Of(Named("T16"), Truth, two[1..]).Status);
    }

    [Fact]
    public void A_finding_in_the_registry_counts_as_the_subject()
    {
        var r = AttackScore.Of(Named("T05"), Truth, [On(Partition, FindingKind.ClonedKey)]);
        Assert.Equal(AttackResult.Passed, r.Status);
    }

    [Fact]
    public void What_must_not_alarm_gets_a_note_at_most()
    {
        Assert.Equal(AttackResult.Passed, AttackScore.Of(Named("T07"), Truth, []).Status);
        Assert.Equal(AttackResult.Passed, AttackScore.Of(Named("T07"), Truth,
            [On(Meter, FindingKind.UnexplainedBoots, severity: Severity.Low)]).Status);
        var r = AttackScore.Of(Named("T07"), Truth, [On(Meter, FindingKind.UnexplainedBoots, 60, Severity.Medium)]);
        Assert.Equal(AttackResult.Failed, r.Status);
        Assert.Contains("unexplained_boots", r.Reason);
    }

    [Fact]
    public void What_is_not_found_fails()
    {
        Assert.Equal(AttackResult.Failed, AttackScore.Of(Named("T18"), Truth, []).Status);
        Assert.Equal(AttackResult.Passed,
            AttackScore.Of(Named("T18"), Truth, [On(Meter, FindingKind.LevelShift)]).Status);
        Assert.Equal(AttackResult.Passed,
            AttackScore.Of(Named("T36"), Truth, [On(Meter, FindingKind.UnknownImage)]).Status);
        Assert.Equal(AttackResult.Failed, AttackScore.Of(Named("T36"), Truth, []).Status);
    }

    [Fact]
    public void What_cannot_be_seen_is_not_called_failed_and_counts_bystanders_all_the_same()
    {
        Assert.Equal(AttackResult.Undetectable, AttackScore.Of(Named("L21"), Truth, []).Status);
        Assert.Equal(AttackResult.Failed,
            AttackScore.Of(Named("L21"), Truth, [On(Other, FindingKind.Tamper)]).Status);
    }
}
