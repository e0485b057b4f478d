using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;
using static Twin.Grains.Tests.SecurityMeter;

namespace Twin.Grains.Tests;

/// <summary>What ran on a meter, and by whose leave.</summary>
public sealed class SecurityLineageTests : IDisposable
{
    private readonly SecurityScenario _s = new();
    private SecurityMeter Meter => _s.Meter;

    public void Dispose() => _s.Dispose();

    private SecurityView View() => MeterView.From(Meter.Id.Twin, _s.Harness.State(Meter.Id.Twin)).Security!;

    [Fact]
    public void An_upgrade_by_campaign_is_a_step_of_the_lineage()
    {
        _s.Append(Meter.Campaign(FirmwarePart.Application, 2, 1, 5));
        Meter.Upgrade(FirmwarePart.Application, 2, 2);
        _s.Challenge(3);
        _s.Expect();
        var step = Assert.Single(View().Lineage);
        Assert.Equal((FirmwarePart.Application, 2u, LineageSource.Campaign, "C2-2"),
            (step.Part, step.Version, step.Source, step.Campaign));
        Assert.Equal(TrustClaim.ApprovedRuntime, View().Result!.Application.Executables);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 6)]
    public void An_upgrade_without_campaign_or_after_its_end_is_found(bool campaign, double day)
    {
        if (campaign) _s.Append(Meter.Campaign(FirmwarePart.Application, 2, 1, 5));
        Meter.Upgrade(FirmwarePart.Application, 2, day);
        _s.Challenge(7);
        _s.Expect(FindingKind.UnauthorisedUpgrade);
        Assert.Equal("T0857", _s.Findings[0].Technique);
        Assert.Equal(TrustClaim.UnrecognisedRuntime, View().Result!.Application.Executables);
        Assert.False(View().EveryCheckPassed);
        _s.Challenge(8);
        _s.Expect(FindingKind.UnauthorisedUpgrade);
    }

    [Fact]
    public void An_image_that_was_gone_before_the_next_quote_is_found_in_the_log()
    {
        Meter.Upgrade(FirmwarePart.Application, 9, 1);
        Meter.Upgrade(FirmwarePart.Application, 1, 2);
        _s.Challenge(3);
        _s.Expect(FindingKind.UnauthorisedUpgrade);
        Assert.Contains("only its log remembers", _s.Findings[0].Sentence, StringComparison.Ordinal);
        Assert.True(View().Parts.All(p => p.Source != LineageSource.Unauthorised));
    }

    [Fact]
    public void An_image_that_came_without_an_entry_is_found()
    {
        Meter.Parts[1] = new PartState(ImageOf(FirmwarePart.Application, 9), 9, 1);
        _s.Challenge(1);
        _s.Expect(FindingKind.UnauthorisedUpgrade);
        Assert.Contains("no entry of the log", _s.Findings[0].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_downgrade_needs_a_permit()
    {
        using var permitted = new SecurityScenario();
        foreach (var (s, permit) in new[] { (_s, false), (permitted, true) })
        {
            s.Append(s.Meter.Campaign(FirmwarePart.Application, 3, 0.2, 2));
            s.Meter.Upgrade(FirmwarePart.Application, 3, 1);
            s.Challenge(1.5);
            s.Append(s.Meter.Campaign(FirmwarePart.Application, 2, 2, 5, permit));
            s.Meter.Upgrade(FirmwarePart.Application, 2, 3);
            s.Challenge(4);
        }
        permitted.Expect();
        _s.Expect(FindingKind.Downgrade);
    }

    [Fact]
    public void A_failed_upgrade_that_the_bootloader_undoes_raises_nothing()
    {
        _s.Append(Meter.Event(MeterEventKind.PowerUp, 0.2));
        _s.Append(Meter.Campaign(FirmwarePart.Application, 2, 1, 5));
        Meter.Upgrade(FirmwarePart.Application, 2, 2);
        Meter.Upgrade(FirmwarePart.Application, 1, 2.01, kind: CakEntryKind.Rollback);
        _s.Challenge(3);
        _s.Sweep(20);
        _s.Expect();
    }

    [Fact]
    public void Upgrade_and_events_must_tell_the_same()
    {
        foreach (var complete in new[] { true, false })
        {
            using var s = new SecurityScenario();
            s.Append(s.Meter.Event(MeterEventKind.PowerUp, 0.2));
            s.Append(s.Meter.Campaign(FirmwarePart.Application, 2, 1, 5));
            s.Meter.Upgrade(FirmwarePart.Application, 2, 2);
            if (complete) s.Append(s.Meter.Event(MeterEventKind.FirmwareReady, 1.9));
            s.Challenge(3);
            if (complete) s.Append(s.Meter.Event(MeterEventKind.FirmwareSelfCheckOk, 2.02));
            s.Append(s.Meter.Event(MeterEventKind.FirmwareActivated, 2.01));
            s.Sweep(4);
            s.Expect();
            s.Sweep(6);
            s.Expect(complete ? [] : [FindingKind.UpgradeEventMismatch]);
        }
    }

    [Fact]
    public void An_activation_without_an_upgrade_in_the_log_is_found()
    {
        _s.Append(Meter.Event(MeterEventKind.FirmwareActivated, 1));
        _s.Challenge(2);
        _s.Expect(FindingKind.UpgradeEventMismatch);
    }

    [Fact]
    public void A_changed_calibration_needs_a_verification()
    {
        Meter.Parts[4] = new PartState(ImageOf(FirmwarePart.Calibration, 2), 2, 0);
        Meter.Append(CakEntryKind.Config, FirmwarePart.Calibration, 1, ImageOf(FirmwarePart.Calibration, 2), 2);
        _s.Challenge(2);
        _s.Expect(FindingKind.UnverifiedMetrologyChange);
    }

    [Fact]
    public void A_verified_or_ordered_and_then_verified_calibration_is_innocent()
    {
        foreach (var before in new[] { true, false })
        {
            using var s = new SecurityScenario();
            var digest = ImageOf(FirmwarePart.Calibration, 2);
            var verified = new Reverification(s.Meter.Id, At(1.1), digest, Digest.None, "lab");
            s.Append(s.Meter.Order(0.9, 1.1, CommandKind.WriteConfiguration));
            if (before) s.Append(verified);
            s.Meter.Parts[4] = new PartState(digest, 2, 0);
            s.Meter.Append(CakEntryKind.Config, FirmwarePart.Calibration, 1, digest, 2);
            s.Challenge(2);
            if (!before) s.Append(verified);
            s.Sweep(12);
            s.Expect();
        }
    }

    [Fact]
    public void An_ordered_calibration_that_nobody_verifies_is_found_in_time()
    {
        var digest = ImageOf(FirmwarePart.Calibration, 2);
        _s.Append(Meter.Order(0.9, 1.1, CommandKind.WriteConfiguration));
        Meter.Parts[4] = new PartState(digest, 2, 0);
        Meter.Append(CakEntryKind.Config, FirmwarePart.Calibration, 1, digest, 2);
        _s.Challenge(2);
        _s.Expect();
        _s.Sweep(10);
        _s.Expect(FindingKind.UnverifiedMetrologyChange);
    }

    [Fact]
    public void A_metrology_image_by_campaign_still_needs_a_verification()
    {
        _s.Append(Meter.Campaign(FirmwarePart.Metrology, 2, 1, 5));
        Meter.Upgrade(FirmwarePart.Metrology, 2, 2);
        _s.Challenge(3);
        _s.Expect();
        _s.Sweep(11);
        _s.Expect(FindingKind.UnverifiedMetrologyChange);
    }

    [Fact]
    public void A_refused_image_is_found()
    {
        Meter.Append(CakEntryKind.Refused, FirmwarePart.Application, 1, Digest.Of([7]), 7);
        _s.Challenge(2);
        _s.Expect(FindingKind.ImageRefused);
    }

    [Theory]
    [InlineData(RefusalDetail.StrippedSignature, "a signature is missing that its images had before, which is a "
        + "downgrade.")]
    [InlineData(RefusalDetail.UnreadableSignatures, "its list of signatures cannot be read.")]
    [InlineData(RefusalDetail.TooFewSignatures, "the device requires more signatures than it has.")]
    public void What_of_its_signatures_had_an_image_refused_is_said(ushort detail, string said)
    {
        Meter.Append(CakEntryKind.Refused, FirmwarePart.Application, 1, Digest.Of([7]), 7, detail: detail);
        _s.Challenge(2);
        _s.Expect(FindingKind.ImageRefused);
        Assert.EndsWith(" for the application: " + said, _s.Findings[^1].Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CakEntryKind.Config, CommandKind.WriteConfiguration, FindingKind.CommandWithoutOrder)]
    [InlineData(CakEntryKind.KeyChange, CommandKind.TransferKey, FindingKind.CommandWithoutOrder)]
    [InlineData(CakEntryKind.LocalSession, CommandKind.WriteConfiguration, FindingKind.LocalReprogramming)]
    [InlineData(CakEntryKind.Tamper, CommandKind.WriteConfiguration, FindingKind.Tamper)]
    public void What_the_log_records_needs_an_order(CakEntryKind entry, CommandKind command, FindingKind found)
    {
        using var ordered = new SecurityScenario();
        ordered.Append(ordered.Meter.Order(0.9, 1.1, command));
        foreach (var s in new[] { _s, ordered })
        {
            s.Meter.Append(entry, FirmwarePart.Device, 1);
            s.Challenge(2);
        }
        ordered.Expect();
        _s.Expect(found);
    }

    [Fact]
    public void A_baseline_is_coverage_and_its_images_are_told_to_the_fleet()
    {
        using var s = new SecurityScenario(attested: false);
        s.Meter.Upgrade(FirmwarePart.Application, 5, 0.05);
        s.Challenge(1);
        s.Expect();
        var letters = s.Harness.SweptLetters(At(2));
        Assert.Equal(4, letters.Count(l => l.Kind == FleetLetterKind.ImageSeen && !l.Flag));
        Assert.Single(letters, l => l.Kind == FleetLetterKind.KeySeen);
        Assert.Single(letters, l => l.Kind == FleetLetterKind.SignatureSeen);
        Assert.False(s.Harness[s.Meter.Id.Twin].Waits);
    }

    [Fact]
    public void The_factorys_calibration_is_held_against_the_first_quote()
    {
        foreach (var (version, first) in new[] { (1, true), (2, true), (1, false), (2, false) })
        {
            using var s = new SecurityScenario(attested: false);
            var supply = new SupplyRecord(s.Meter.Id, "M", "Z", "P", "L", "S",
                ImageOf(FirmwarePart.Calibration, version).ToString(), "", "", "");
            if (first) s.Append(supply);
            s.Challenge(1);
            if (!first) s.Append(supply);
            s.Expect(version == 1 ? [] : [FindingKind.SupplyChainMismatch]);
        }
    }
}
