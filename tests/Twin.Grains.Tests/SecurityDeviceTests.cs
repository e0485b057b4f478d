using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;
using static Twin.Grains.Tests.SecurityMeter;

namespace Twin.Grains.Tests;

/// <summary>Events, behaviour, installation: the device and its making.</summary>
public sealed class SecurityDeviceTests : IDisposable
{
    private readonly SecurityScenario _s = new();
    private SecurityMeter Meter => _s.Meter;

    public void Dispose() => _s.Dispose();

    [Fact]
    public void An_opened_cover_is_found_unless_work_is_on_record()
    {
        using var planned = new SecurityScenario();
        planned.Append(new ContextPeriod(Meter.Id.Twin, ContextKind.PlannedWork, At(0.9), At(1.1), ""));
        foreach (var s in new[] { planned, _s }) s.Append(s.Meter.Event(MeterEventKind.TerminalCoverOpened, 1));
        planned.Expect();
        _s.Expect(FindingKind.Tamper);
        planned.Append(Meter.Event(MeterEventKind.MagneticFieldOn, 1.05));
        Assert.Equal(Severity.Low, Assert.Single(planned.Findings).Severity);
        Assert.Single(planned.Findings[0].CounterEvidence);
    }

    [Fact]
    public void An_event_of_an_unknown_profile_says_nothing()
    {
        _s.Append(new DeviceEvent(Meter.Id, At(1), "acme", "40", ""));
        _s.Expect();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_last_gasp_without_a_power_failure_is_spoofed(bool honest)
    {
        _s.Append(Meter.Event(MeterEventKind.LastGasp, 1));
        if (honest) Meter.Boot(1.01, BootCause.PowerFailure);
        _s.Challenge(2);
        _s.Expect(honest ? [] : [FindingKind.SpoofedLastGasp]);
    }

    [Fact]
    public void Cleared_logs_and_changed_limiters_need_an_order()
    {
        _s.Append(Meter.Order(0.5, 1.5, CommandKind.ClearLog, CommandKind.SetLimiter));
        _s.Append(Meter.Event(MeterEventKind.EventLogCleared, 1));
        _s.Append(Meter.Event(MeterEventKind.LimiterChanged, 1));
        _s.Expect();
        _s.Append(Meter.Event(MeterEventKind.EventLogCleared, 3));
        _s.Append(Meter.Event(MeterEventKind.LimiterChanged, 3));
        _s.Expect(FindingKind.LimiterChanged, FindingKind.LogCleared);
    }

    [Fact]
    public void A_burst_of_events_is_told_to_the_fleet()
    {
        for (var i = 0; i < 19; i++) _s.Append(Meter.Event(MeterEventKind.VoltageSag, 1 + i * 0.001));
        Assert.DoesNotContain(_s.Harness.SweptLetters(At(1.1)), l => l.Kind == FleetLetterKind.EventBurst);
        for (var i = 0; i < 25; i++) _s.Append(Meter.Event(MeterEventKind.VoltageSag, 2 + i * 0.001));
        var told = _s.Harness.SweptLetters(At(3));
        Assert.Equal(25ul, Assert.Single(told, l => l.Kind == FleetLetterKind.EventBurst).Extra);
        _s.Expect();
    }

    private Fingerprint Print(double day, SplitMix64 draw, double latency = 200, double frame = 120) =>
        new(Meter.Id, At(day), 1, [(float)(latency + 8 * draw.NextNormal()), (float)(frame + draw.NextNormal()),
            draw.Next(3), draw.Next(3), (float)draw.NextNormal(), 1, draw.Next(2), float.NaN]);

    [Fact]
    public void Firmware_that_behaves_otherwise_after_its_activation_is_found_with_every_check_passing()
    {
        var draw = new SplitMix64(5);
        for (var day = 1; day < 15; day++) _s.Append(Print(day, draw));
        _s.Append(Meter.Campaign(FirmwarePart.Application, 2, 14, 20));
        Meter.Upgrade(FirmwarePart.Application, 2, 15);
        _s.Challenge(15.1);
        _s.Append(Print(16, draw, 420, 180));
        _s.Append(Print(17, draw, 420, 180));
        _s.Expect();
        for (var day = 18; day < 30; day++) _s.Append(Print(day, draw, 420, 180));
        _s.Expect(FindingKind.FirmwareBehaviour);
        var found = _s.Findings[0];
        Assert.Equal(["frame_size", "response_latency"], found.Evidence.Select(e => e.Feature).Order());
        Assert.Contains("its last firmware activation", found.Sentence, StringComparison.Ordinal);
        Assert.Contains("every cryptographic check passed", found.Sentence, StringComparison.Ordinal);
        Assert.Equal(Severity.High, found.Severity);
        Assert.Matches("response latency 4[0-9.]+ ms where (19|20)[0-9.]+ is usual", found.Sentence);
    }

    [Fact]
    public void What_a_release_may_be_meant_to_change_is_not_said_of_each_meter()
    {
        var draw = new SplitMix64(5);
        for (var day = 1; day < 15; day++) _s.Append(Print(day, draw));
        _s.Append(Meter.Campaign(FirmwarePart.Application, 2, 14, 20));
        Meter.Upgrade(FirmwarePart.Application, 2, 15);
        _s.Challenge(15.1);
        for (var day = 16; day < 40; day++) _s.Append(Print(day, draw, 100, 160));
        _s.Expect();
    }

    [Fact]
    public void A_stormy_week_is_no_firmware_behaviour()
    {
        var draw = new SplitMix64(6);
        for (var day = 1; day < 60; day++)
        {
            var p = Print(day, draw);
            var storm = day is > 30 and < 40;
            if (storm) (p.Values[2], p.Values[3], p.Values[6]) = (90, 120, 14);
            _s.Append(p);
        }
        _s.Expect();
    }

    private Installation Mount(double day, string place, long start = -1) =>
        new(Meter.Id, At(day), "kim", "acme", place, default, -1, start);

    [Fact]
    public void A_meter_cannot_be_mounted_twice_unless_it_was_taken_down()
    {
        _s.Append(Mount(1, "UP1"));
        _s.Append(new LifeCycleChanged(Meter.Id, At(2), LifeCycle.Locked, "stores"));
        _s.Append(Mount(3, "UP2"));
        _s.Expect();
        _s.Append(Mount(4, "UP3"));
        _s.Expect(FindingKind.InstallationMismatch);
    }

    [Fact]
    public void A_meter_mounted_elsewhere_than_the_registry_has_it_is_found()
    {
        _s.Append(Sample.Relation(Meter.Id));
        _s.Append(Mount(1, "UP1"));
        _s.Expect();
        _s.Append(new LifeCycleChanged(Meter.Id, At(2), LifeCycle.Locked, "stores"));
        _s.Append(Mount(3, "UP9"));
        _s.Expect(FindingKind.InstallationMismatch);
    }

    [Theory]
    [InlineData(5_200, false)]
    [InlineData(4_000, true)]
    [InlineData(900_000_000, true)]
    public void The_register_must_go_on_from_the_installers_note(long reads, bool found)
    {
        _s.Append(Mount(1, "UP1", 5_000));
        _s.Append(new RegisterSnapshot(Meter.Id, Channel.Import, At(1.5), reads));
        _s.Append(new RegisterSnapshot(Meter.Id, Channel.Import, At(9), reads + 100_000));
        _s.Expect(found ? [FindingKind.InstallationMismatch] : []);
    }

    [Fact]
    public void Letters_are_bounded_and_what_others_can_do_without_goes_first()
    {
        _s.Harness.SweptLetters(At(0.5));
        for (var i = 0; i < 100; i++)
            _s.Append(new CampaignMember(Meter.Id, At(1 + i * 0.001), $"C{i}", FirmwarePart.Application,
                ImageOf(FirmwarePart.Application, 2), 2, At(1), At(2), false, CampaignState.Queued));
        for (var i = 0; i < 40; i++)
            _s.Append(new Session(Meter.Id.Twin, At(2 + i * 0.001), CommandOrigin.OpticalPort, 1, 5, true, 0x10, 9,
                $"T{i}", "", ""));
        var letters = _s.Harness.SweptLetters(At(3));
        Assert.Equal(64, letters.Count);
        Assert.Equal(40, letters.Count(l => l.Kind == FleetLetterKind.ToolUsed));
        Assert.Equal("C99", letters.Last(l => l.Kind == FleetLetterKind.CampaignProgress).Text);
    }
}
