using Twin.Hardware;
using static Twin.Grains.Tests.SecurityMeter;

namespace Twin.Grains.Tests;

/// <summary>Counters and keys, through the door and the twin.</summary>
public sealed class SecurityFrameTests : IDisposable
{
    private readonly SecurityScenario _s = new();
    private SecurityMeter Meter => _s.Meter;

    public void Dispose() => _s.Dispose();

    private void Send(uint from, uint to, double day)
    {
        for (var c = from; c <= to; c++) _s.Append(Meter.Frame(c, day + (c - from) / 1440.0));
    }

    [Fact]
    public void A_doubled_frame_is_a_repeat_in_the_window_and_far_behind_it()
    {
        Send(1, 100, 1);
        Assert.Equal(AdmissionStatus.Duplicate, _s.Append(Meter.Frame(99, 2)).Status);
        Assert.Equal(AdmissionStatus.Duplicate, _s.Append(Meter.Frame(3, 2)).Status);
        _s.Expect();
    }

    [Fact]
    public void Frames_out_of_order_within_the_window_raise_nothing()
    {
        var draw = new SplitMix64(11);
        var order = Enumerable.Range(1, 400).OrderBy(i => i + draw.Next(FrameWindowReach)).ToArray();
        foreach (var c in order) _s.Append(Meter.Frame((uint)c, 1 + c / 1440.0));
        _s.Expect();
    }

    private const int FrameWindowReach = Twin.Detection.Specification.FrameWindow.Size / 2;

    [Fact]
    public void The_same_counter_with_other_bytes_is_nonce_reuse()
    {
        Send(1, 10, 1);
        Assert.Equal(AdmissionStatus.Accepted, _s.Append(Meter.Frame(9, 1.5, digest: 77UL << 40)).Status);
        _s.Expect(FindingKind.NonceReuse);
    }

    [Fact]
    public void A_counter_behind_the_window_with_other_bytes_regresses()
    {
        Send(1, 100, 1);
        Assert.Equal(AdmissionStatus.Accepted, _s.Append(Meter.Frame(3, 2, digest: 77UL << 40)).Status);
        _s.Expect(FindingKind.CounterRegression);
    }

    [Fact]
    public void Directions_and_keys_have_counters_of_their_own()
    {
        Send(1, 100, 1);
        _s.Append(Meter.Frame(1, 2, 5UL << 40, direction: FrameDirection.ToMeter));
        _s.Append(Meter.Frame(1, 2, 6UL << 40, key: KeySlot.Authentication));
        _s.Expect();
    }

    [Fact]
    public void A_jump_is_found_and_a_month_offline_is_none()
    {
        Send(1, 10, 1);
        _s.Append(Meter.Frame(4_000, 31));
        _s.Expect();
        _s.Append(Meter.Frame(1_000_000, 31.1));
        _s.Expect(FindingKind.CounterJump);
    }

    [Fact]
    public void A_counter_near_its_end_is_told_once()
    {
        _s.Append(Meter.Frame(uint.MaxValue - 5, 1));
        _s.Append(Meter.Frame(uint.MaxValue - 4, 1.1));
        _s.Expect(FindingKind.CounterExhaustion);
    }

    [Fact]
    public void A_new_key_begins_anew_and_frames_of_the_old_one_may_be_late()
    {
        Send(1, 60, 1);
        _s.Append(new KeyEvent(Meter.Id.Twin, At(2), KeySlot.EncryptionUnicast, KeyEventKind.Transferred, 1, [],
            default, "head-end"));
        _s.Append(Meter.Frame(62, 2.01));
        _s.Append(new KeyEvent(Meter.Id.Twin, At(2.02), KeySlot.EncryptionUnicast, KeyEventKind.Activated, 1, [],
            default, "head-end"));
        for (var c = 0u; c < 90; c++) _s.Append(Meter.Frame(c, 2.1 + c / 1440.0, (1000UL + c) << 40));
        _s.Append(Meter.Frame(61, 2.2));
        _s.Expect();
        _s.Append(Meter.Frame(89, 5, 3UL << 40));
        _s.Expect(FindingKind.NonceReuse);
    }

    [Fact]
    public void A_late_frame_of_the_old_key_is_its_own_though_the_new_one_counts_close_by()
    {
        Send(1, 40, 1);
        _s.Append(new KeyEvent(Meter.Id.Twin, At(2), KeySlot.EncryptionUnicast, KeyEventKind.Transferred, 1, [],
            default, "head-end"));
        for (var c = 1u; c < 4; c++) _s.Append(Meter.Frame(c, 2.1 + c / 1440.0, (1000UL + c) << 40));
        _s.Append(Meter.Frame(42, 2.2));
        _s.Append(Meter.Frame(41, 2.3));
        for (var c = 4u; c < 70; c++) _s.Append(Meter.Frame(c, 2.4 + c / 10.0, (1000UL + c) << 40));
        _s.Expect();
        _s.Append(Meter.Frame(69, 12, 3UL << 40));
        _s.Expect(FindingKind.NonceReuse);
    }

    [Fact]
    public void A_compromised_or_expired_key_may_not_be_used()
    {
        Send(1, 3, 1);
        _s.Append(new KeyEvent(Meter.Id.Twin, At(2), KeySlot.EncryptionUnicast, KeyEventKind.Compromised, 1, [],
            default, "soc"));
        _s.Expect();
        _s.Append(Meter.Frame(4, 2.5));
        _s.Expect(FindingKind.KeyCompromised);
        _s.Append(new KeyEvent(Meter.Id.Twin, At(3), KeySlot.EncryptionUnicast, KeyEventKind.Transferred, 1, [],
            At(9), "soc"));
        _s.Append(Meter.Frame(0, 3.5, 9UL << 40));
        Assert.Single(_s.Findings);
        _s.Append(Meter.Frame(1, 10, 8UL << 40));
        _s.Expect(FindingKind.KeyCompromised, FindingKind.KeyCompromised);
    }

    [Theory]
    [InlineData(FrameFaultKind.TagFailed, FindingKind.AuthenticationFailures)]
    [InlineData(FrameFaultKind.Malformed, FindingKind.MalformedFrames)]
    public void Faults_count_by_their_rate(FrameFaultKind fault, FindingKind found)
    {
        FrameFault Fault(double day) => new(Meter.Id.Twin, At(day), fault, 3, (ulong)(day * 1e6), "tcp", "bad");
        for (var i = 0; i < 30; i++) _s.Append(Fault(1 + i));
        _s.Expect();
        for (var i = 0; i < 20; i++) _s.Append(Fault(40 + i / 1440.0));
        _s.Expect(found);
    }

    private FrameFault Broken(double day, string reason) => new(Meter.Id.Twin, At(day), FrameFaultKind.SealBroken, 3,
        (ulong)(day * 1e6), "tcp", reason);

    [Fact]
    public void Readings_that_the_metrology_did_not_seal_are_found_once_a_day()
    {
        _s.Append(Broken(1, "the seal does not hold"));
        _s.Append(Broken(1.2, "the seal does not hold"));
        _s.Expect(FindingKind.SealBroken);
        var finding = _s.Findings[0];
        Assert.Equal((Severity.High, "T0856", "specification:metrology_seal", At(1)),
            (finding.Severity, finding.Technique, finding.Detector, finding.From));
        Assert.EndsWith("told other readings than its metrology had sealed: the seal does not hold.", finding.Sentence,
            StringComparison.Ordinal);
        var view = MeterView.From(Meter.Id.Twin, _s.Harness.State(Meter.Id.Twin)).Security!;
        Assert.False(view.CryptographicChecks.Single(c => c.Check == "metrology seal").Passed);
        _s.Append(Broken(3, ""));
        _s.Expect(FindingKind.SealBroken, FindingKind.SealBroken);
        Assert.EndsWith("had sealed.", _s.Findings[1].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_meter_that_stops_sealing_is_found_and_one_that_never_did_is_not()
    {
        uint counter = 0;
        void Profile(double day, FrameService service) =>
            _s.Append(Meter.Frame(++counter, day, service: service));
        for (var day = 1; day <= 40; day++) Profile(day, FrameService.UnsealedProfile);
        Profile(41, FrameService.SealedProfile);
        // Sent late, from before the first seal; and two in a week.
        for (var i = 0; i < 5; i++) Profile(40.5, FrameService.UnsealedProfile);
        Profile(42, FrameService.UnsealedProfile);
        Profile(43, FrameService.UnsealedProfile);
        Profile(60, FrameService.UnsealedProfile);
        _s.Expect();
        // A true seal between them does not hide those without.
        Profile(61, FrameService.SealedProfile);
        Profile(61.2, FrameService.UnsealedProfile);
        Profile(61.4, FrameService.SealedProfile);
        Profile(61.6, FrameService.UnsealedProfile);
        _s.Expect(FindingKind.SealBroken);
        Assert.Equal((Severity.Medium, At(60)), (_s.Findings[0].Severity, _s.Findings[0].From));
        Assert.Contains("3 load profiles came without the seal", _s.Findings[0].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_seal_that_holds_is_a_check_that_passed()
    {
        _s.Append(Meter.Frame(1, 1, service: FrameService.SealedProfile));
        _s.Challenge(1.5);
        var view = MeterView.From(Meter.Id.Twin, _s.Harness.State(Meter.Id.Twin)).Security!;
        Assert.True(view.CryptographicChecks.Single(c => c.Check == "metrology seal").Passed);
        _s.Append(new KeyEvent(Meter.Id.Twin, At(2), KeySlot.MetrologySeal, KeyEventKind.Enrolled, 1, [], default, ""));
        view = MeterView.From(Meter.Id.Twin, _s.Harness.State(Meter.Id.Twin)).Security!;
        Assert.Contains(view.Keys, k => k.Slot == KeySlot.MetrologySeal);
        _s.Expect();
    }

    [Fact]
    public void An_unprotected_frame_and_an_untrusted_certificate_are_found()
    {
        _s.Append(new FrameFault(Meter.Id.Twin, At(1), FrameFaultKind.Unprotected, 0, 1, "tcp", "plain"));
        _s.Append(new KeyEvent(Meter.Id.Twin, At(1), KeySlot.KeyAgreement, KeyEventKind.CertificateUntrusted, 1, [],
            default, "ca x"));
        _s.Expect(FindingKind.UnprotectedFrames, FindingKind.UntrustedCertificate);
    }

    [Fact]
    public void A_public_key_of_another_length_is_refused()
    {
        var bad = new KeyEvent(Meter.Id.Twin, At(1), KeySlot.KeyAgreement, KeyEventKind.Enrolled, 1, [1, 2],
            default, "");
        var refused = _s.Append(bad);
        Assert.Equal(AdmissionStatus.Rejected, refused.Status);
        Assert.Contains("2 bytes", refused.Reason, StringComparison.Ordinal);
    }
}
