using Twin.Hardware;
using static Twin.Grains.Tests.Sample;

namespace Twin.Grains.Tests;

/// <summary>Cohorts by installer, contractor and plant.</summary>
public class FleetGroupTests
{
    private const int Meters = 120, Installers = 4;
    private readonly TwinHarness _fleet = new();
    private readonly MeterId[] _meters = [.. Enumerable.Range(0, Meters).Select(i => MeterId.FromUtilityId($"G-{i}"))];

    public FleetGroupTests()
    {
        for (var i = 0; i < Meters; i++)
            _fleet.Append(new SupplyRecord(_meters[i], $"G-{i}", "Maker", i % 2 == 0 ? "North" : "South", "L1", "", "",
                $"Installer {i % Installers}", "", ""));
    }

    /// <summary>Days of readings; stuck meters read one value all day, which is a finding when it begins.</summary>
    private void Days(int from, int to, Func<int, bool> isStuck)
    {
        for (var d = from; d < to; d++)
        {
            for (var i = 0; i < Meters; i++)
            {
                var values = isStuck(i) ? Enumerable.Repeat(150, 48).ToArray() : Values(Day0 + d);
                _fleet.Append(Raw((Day0 + d) * 1440L, values, meter: _meters[i]));
            }
            _fleet.Close(Day0 + d);
        }
    }

    private Finding[] Groups => [.. _fleet.Findings.Where(f => f.Detector == "fleet_groups")];

    [Fact]
    public void An_installer_whose_meters_are_unusual_stands_out()
    {
        Days(0, 32, _ => false);
        Days(32, 36, i => i % Installers == 1 && i < 60);
        var f = Groups.Single(g => g.SubjectName == "installer Installer 1");
        Assert.Equal((FindingKind.InstallationMismatch, TwinKind.Cohort, Severity.Medium, 15.0 / 30),
            (f.Kind, f.Subject.Kind, f.Severity, f.Evidence[0].Observed));
        Assert.Equal(0.0, f.Evidence[0].Expected);
        Assert.DoesNotContain(Groups, g => g.SubjectName.StartsWith("installer", StringComparison.Ordinal) && g != f);
        Assert.Equal("installer Installer 1", CohortView.From(f.Subject, _fleet.State(f.Subject)).Name);
    }

    [Fact]
    public void Trouble_spread_over_all_is_nobodys_and_a_few_are_chance()
    {
        Days(0, 32, _ => false);
        Days(32, 36, i => i % 5 == 0);
        Assert.Empty(Groups);
        Days(36, 40, i => i % 5 == 0 || i is 1 or 5 or 9);
        Assert.Empty(Groups);
    }

    [Fact]
    public void Each_meter_counts_itself_once_in_28_days_and_states_survive()
    {
        Days(0, 30, _ => false);
        var letters = _fleet.Sent.Count(m => m.To.Kind == TwinKind.Cohort && m.From.Kind == TwinKind.Meter
            && MessageIsToGroup(m.Body));
        // Two groups a meter, installer and plant, once in 28 days; two days more have come.
        Assert.InRange(letters, 2 * Meters, 2 * Meters * 30 / 28 + 20);
        foreach (var key in _fleet.Keys.Where(k => k.Kind is TwinKind.Cohort or TwinKind.Fleet).ToArray())
        {
            var state = _fleet.State(key);
            _fleet.Restart(key);
            Assert.Equal(state, _fleet.State(key));
        }
        var whole = FleetView.From(FleetPartition.Whole, _fleet.State(FleetPartition.Whole));
        Assert.Equal(Installers + 2, whole.Groups);
    }

    private static bool MessageIsToGroup(byte[] body) => Fleet.GroupDayMessage.Is(body);

    [Fact]
    public void A_cohort_written_before_there_were_groups_is_read()
    {
        Days(0, 1, _ => false);
        var key = _fleet.Keys.First(k => k.Kind == TwinKind.Cohort && CohortView.From(k, _fleet.State(k)).Name
            == "unassigned");
        var state = _fleet.State(key);
        // Version 1 ended before the group (1), behaviour (1), verdicts (2), the bar (8) and reports (1).
        var old = state[..^13];
        old[0] = 1;
        var w = new Hardware.Coding.ByteWriter();
        CohortTwin.Restore(key.Id, old).Write(w);
        Assert.Equal(state, w.ToArray());
    }
}
