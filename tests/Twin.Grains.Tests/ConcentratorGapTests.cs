using Twin.Hardware;
using static Twin.Grains.Tests.Sample;

namespace Twin.Grains.Tests;

/// <summary>Gaps behind a lost backhaul are the concentrator's finding; other gaps stay the meter's.</summary>
public class ConcentratorGapTests
{
    private const int Hour = 3_600;
    private readonly TwinHarness _fleet = new();
    private readonly MeterId _behind = MeterId.FromUtilityId("M-behind"), _other = MeterId.FromUtilityId("M-other"),
        _alone = MeterId.FromUtilityId("M-alone");

    private static readonly TwinKey Lossy = TwinKey.Named(TwinKind.Concentrator, "C-lossy"),
        Sound = TwinKey.Named(TwinKind.Concentrator, "C-sound");

    public ConcentratorGapTests()
    {
        _fleet.Append(Relation(_behind) with { Concentrator = "C-lossy" });
        _fleet.Append(Relation(_other) with { Concentrator = "C-sound" });
        _fleet.Append(Relation(_alone));
    }

    private void Day(int day, Func<int, bool>? isMissing = null, Func<int, bool>? isLost = null)
    {
        for (var hour = 0; hour < 24; hour++)
        {
            var at = new UnixTime((Day0 + day) * 86_400L + hour * Hour);
            if (isLost?.Invoke(hour) != true)
                _fleet.Append(new ConcentratorReport(Lossy, "C-lossy", at, Hour, 400, []));
            _fleet.Append(new ConcentratorReport(Sound, "C-sound", at, Hour, 400, []));
            _fleet.Sweep(at);
        }
        var values = Values(Day0 + day);
        for (var slot = 0; slot < 48; slot++)
            if (isMissing?.Invoke(slot) == true) values[slot] = ReadingBlock.Missing;
        foreach (var meter in (MeterId[])[_behind, _other, _alone])
            if (values.Any(v => v != ReadingBlock.Missing))
                _fleet.Append(Raw((Day0 + day) * 1440L, values, meter: meter));
        _fleet.Close(Day0 + day);
    }

    private string[] Missing => [.. _fleet.Findings.Where(f => f.Kind == FindingKind.MissingReadings)
        .Select(f => f.SubjectName).Order(StringComparer.Ordinal)];

    private static string Hex(MeterId id) => id.ToString();

    [Fact]
    public void Readings_lost_with_the_backhaul_are_no_finding_of_the_meter()
    {
        for (var d = 0; d < 5; d++) Day(d);
        Day(5, slot => slot >= 24, hour => hour >= 12);
        Day(6, _ => true, _ => true);
        Day(7, slot => slot < 26, hour => hour < 13);
        for (var d = 8; d < 12; d++) Day(d);
        Assert.Equal(new[] { Hex(_other), Hex(_alone) }.Order(StringComparer.Ordinal), Missing);
        var lost = _fleet.Findings.Where(f => f.Kind == FindingKind.BackhaulLost).ToArray();
        Assert.Single(lost.Select(f => f.Id).Distinct());
        Assert.All(lost, f => Assert.Equal(Lossy, f.Subject));
    }

    [Fact]
    public void What_the_backhaul_does_not_explain_is_stated()
    {
        for (var d = 0; d < 5; d++) Day(d);
        // The backhaul was lost for five hours; readings are missing for a day and a half.
        Day(5, slot => slot >= 24, hour => hour >= 19);
        Day(6, _ => true);
        Day(7);
        Assert.Equal(3, Missing.Length);
        var stated = _fleet.Findings.Where(f => f.Kind == FindingKind.MissingReadings)
            .ToDictionary(f => f.SubjectName, f => f.Evidence[0].Observed);
        // Half past eighteen to midnight is explained: from the last report on nothing was heard.
        Assert.Equal((36.0, 30.0), (stated[Hex(_other)], stated[Hex(_behind)]));
    }

    [Fact]
    public void Days_without_gaps_cost_no_letter_and_small_gaps_change_nothing()
    {
        for (var d = 0; d < 5; d++) Day(d);
        Assert.DoesNotContain(_fleet.Sent, m => m.To.Kind == TwinKind.Concentrator);
        Day(5, slot => slot == 7);
        Assert.Equal([Lossy, Sound], _fleet.Sent.Where(m => m.To.Kind == TwinKind.Concentrator).Select(m => m.To)
            .OrderBy(k => k == Sound));
        Assert.Empty(Missing);
    }

    [Fact]
    public void A_concentrator_that_never_spoke_explains_nothing_and_states_nothing()
    {
        var meter = MeterId.FromUtilityId("M-new");
        _fleet.Append(Relation(meter) with { Concentrator = "C-unheard" });
        _fleet.Append(UtcDay(Day0, meter));
        for (var d = 0; d < 4; d++) _fleet.Close(Day0 + d);
        Assert.Equal([Hex(meter)], Missing);
        var key = TwinKey.Named(TwinKind.Concentrator, "C-unheard");
        Assert.Null(ConcentratorView.From(key, _fleet.State(key)).LastReport);
        Assert.False(_fleet[key].Waits);
    }

    [Fact]
    public void A_replay_gives_the_same_twins_and_findings()
    {
        for (var d = 0; d < 5; d++) Day(d);
        Day(5, slot => slot >= 24, hour => hour >= 12);
        Day(6, _ => true, _ => true);
        Day(7, slot => slot < 40);
        var again = TwinHarness.Replay(_fleet.Journal);
        Assert.Equal(_fleet.AllStates(), again.AllStates());
        Assert.Equal(_fleet.Findings.Select(f => f.Id), again.Findings.Select(f => f.Id));
    }
}
