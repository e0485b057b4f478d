using Twin.Hardware;
using Twin.Hardware.Attestation;
using static Twin.Grains.Tests.SecurityMeter;

namespace Twin.Grains.Tests;

/// <summary>Attestation quotes: for each invariant a violation that is found, and the honest look-alike.</summary>
public sealed class SecurityQuoteTests : IDisposable
{
    private readonly SecurityScenario _s = new();
    private SecurityMeter Meter => _s.Meter;

    public void Dispose() => _s.Dispose();

    [Fact]
    public void Reboots_by_power_cut_and_further_quotes_raise_nothing()
    {
        for (var day = 1; day < 9; day++)
        {
            Meter.Boot(day - 0.5, BootCause.PowerFailure);
            Assert.Equal(AdmissionStatus.Accepted, _s.Challenge(day).Status);
        }
        _s.Expect();
    }

    [Fact]
    public void The_door_overrides_the_verdict_that_a_sender_wrote()
    {
        var forged = Meter.Sign(Meter.Quote(_s.Issue(1), 1, _s.Since));
        forged[^1] ^= 1;
        _s.Append(new AttestationQuote(Meter.Id.Twin, At(1.01), forged, SignatureVerdict.Valid));
        var kept = (AttestationQuote)Input.Read(_s.Harness.Journal[^1]);
        Assert.Equal(SignatureVerdict.Invalid, kept.Verdict);
        _s.Expect(FindingKind.WrongKey);
    }

    [Fact]
    public void A_quote_of_another_key_is_found()
    {
        using var thief = new SecurityMeter();
        _s.Append(new AttestationQuote(Meter.Id.Twin, At(1.01), thief.Sign(Meter.Quote(_s.Issue(1), 1, _s.Since)),
            SignatureVerdict.Unchecked));
        _s.Expect(FindingKind.WrongKey);
    }

    [Fact]
    public void A_quote_with_the_key_before_a_rollover_is_late_not_wrong()
    {
        using var next = new SecurityMeter();
        var nonce = _s.Issue(1);
        var old = Meter.Sign(Meter.Quote(nonce, 1, _s.Since));
        _s.Append(next.Enrol(1.01));
        _s.Append(new AttestationQuote(Meter.Id.Twin, At(1.02), old, SignatureVerdict.Unchecked));
        _s.Expect();
    }

    [Fact]
    public void A_quote_for_another_system_title_is_found()
    {
        Meter.Title = 42;
        _s.Challenge(1);
        _s.Expect(FindingKind.WrongKey);
    }

    [Fact]
    public void A_doubled_quote_is_a_repeat_and_a_replayed_one_is_stale()
    {
        var first = Meter.Attest(_s.Issue(1), 1, _s.Since);
        Assert.Equal(AdmissionStatus.Accepted, _s.Append(first).Status);
        Assert.Equal(AdmissionStatus.Duplicate, _s.Append(first with { At = At(1.1) }).Status);
        _s.Issue(2);
        Assert.Equal(AdmissionStatus.Duplicate, _s.Append(first with { At = At(1.2) }).Status);
        _s.Expect();
        Assert.Equal(AdmissionStatus.Accepted, _s.Append(first with { At = At(2.1) }).Status);
        _s.Expect(FindingKind.StaleNonce);
    }

    [Fact]
    public void A_quote_over_an_unasked_nonce_is_stale_only_while_a_challenge_is_open()
    {
        _s.Append(Meter.Attest(999, 1, _s.Since));
        _s.Expect();
        _s.Issue(2);
        _s.Append(Meter.Attest(998, 2.1, _s.Since));
        _s.Expect(FindingKind.StaleNonce);
    }

    [Fact]
    public void Answers_that_overtake_each_other_raise_nothing()
    {
        var (one, two) = (_s.Issue(1), _s.Issue(1.1));
        var early = Meter.Attest(one, 1.05, _s.Since);
        Meter.Boot(1.11, BootCause.PowerFailure);
        var late = Meter.Attest(two, 1.15, _s.Since);
        _s.Append(late with { At = At(1.2) });
        _s.Append(early with { At = At(1.3) });
        _s.Expect();
    }

    [Fact]
    public void Answers_to_a_month_of_challenges_after_an_outage_raise_nothing()
    {
        var quotes = new List<AttestationQuote>();
        for (var day = 1; day <= 30; day++)
        {
            quotes.Add(Meter.Attest(_s.Issue(day), day + 0.01, _s.Since) with { At = At(31) });
            Meter.Boot(day + 0.5, BootCause.PowerFailure);
        }
        foreach (var q in quotes) _s.Append(q);
        _s.Sweep(31.1);
        _s.Expect();
    }

    [Fact]
    public void A_forked_log_is_found()
    {
        Meter.Boot(1, BootCause.PowerFailure);
        _s.Challenge(2, q => q with { BaseHead = Digest.Of([1]), Head = q.Entries[0].HeadAfter(Digest.Of([1])) });
        _s.Expect(FindingKind.ChainBroken);
    }

    [Fact]
    public void A_head_that_the_entries_do_not_lead_to_is_found()
    {
        Meter.Boot(1, BootCause.PowerFailure);
        _s.Challenge(2, q => q with { Head = Digest.Of([1]) });
        _s.Expect(FindingKind.ChainBroken);
    }

    [Fact]
    public void Missing_numbers_are_found()
    {
        Meter.Boot(1, BootCause.PowerFailure);
        Meter.Boot(1.1, BootCause.PowerFailure);
        _s.Challenge(2, q =>
        {
            var entry = q.Entries[0] with { Seq = q.Entries[0].Seq + 5 };
            return q with { Entries = [entry], Head = entry.HeadAfter(q.BaseHead), LastSeq = entry.Seq };
        });
        _s.Expect(FindingKind.SequenceGap);
    }

    [Fact]
    public void A_log_cut_without_checkpoint_is_found_and_one_cut_at_it_is_not()
    {
        for (var i = 0; i < 4; i++) Meter.Boot(1 + i * 0.1, BootCause.PowerFailure);
        var since = Meter.Seq - 1;
        CakQuote Cut(CakQuote q) => Meter.Quote(q.Nonce, 2.001, since);
        using var honest = new SecurityScenario();
        for (var i = 0; i < 4; i++) honest.Meter.Boot(1 + i * 0.1, BootCause.PowerFailure);
        honest.Append(new CheckpointIssued(honest.Meter.Id, At(1.5), since, honest.Meter.Heads[(int)since]));
        honest.Challenge(2, q => honest.Meter.Quote(q.Nonce, 2.001, since));
        honest.Expect();
        _s.Challenge(2, Cut);
        _s.Expect(FindingKind.LogTruncated);
    }

    [Fact]
    public void A_log_rolled_back_is_found()
    {
        Meter.Boot(1, BootCause.PowerFailure);
        _s.Challenge(2);
        Meter.Log.RemoveAt(Meter.Log.Count - 1);
        Meter.Heads.RemoveAt(Meter.Heads.Count - 1);
        _s.Append(Meter.Attest(_s.Issue(3), 3.01, 0));
        _s.Expect(FindingKind.LogTruncated);
    }

    [Fact]
    public void A_truncate_entry_needs_its_checkpoint()
    {
        _s.Append(new CheckpointIssued(Meter.Id, At(0.5), 1, Meter.Heads[1]));
        Meter.Append(CakEntryKind.Truncate, FirmwarePart.Cak, 0.6, Meter.Heads[1], 1);
        _s.Challenge(1);
        _s.Expect();
        Meter.Append(CakEntryKind.Truncate, FirmwarePart.Cak, 1.6, Meter.Heads[2], 2);
        _s.Challenge(2);
        _s.Expect(FindingKind.LogTruncated);
    }

    [Fact]
    public void Boots_without_cause_are_found_and_a_lost_entry_is_tolerated()
    {
        Meter.Counters = Meter.Counters with { Boots = Meter.Counters.Boots + 2 };
        _s.Challenge(1);
        _s.Expect();
        Meter.Counters = Meter.Counters with { Boots = Meter.Counters.Boots + 3 };
        _s.Challenge(2);
        _s.Expect(FindingKind.UnexplainedBoots);
        Assert.Contains("5 times more", _s.Findings[0].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_counter_that_runs_back_is_found()
    {
        Meter.Counters = default;
        _s.Challenge(1);
        _s.Expect(FindingKind.UnexplainedBoots);
    }

    [Theory]
    [InlineData(0.003, true)]
    [InlineData(-0.003, true)]
    [InlineData(0.0005, false)]
    public void A_clock_beyond_its_specification_is_found(double daysOff, bool found)
    {
        _s.Challenge(1, q => q with { MeterTime = (uint)(q.MeterTime + (long)(daysOff * 86_400)) });
        _s.Expect(found ? [FindingKind.ClockDrift] : []);
    }

    [Fact]
    public void A_late_quote_is_no_clock_drift()
    {
        _s.Append(Meter.Attest(_s.Issue(1), 1.01, _s.Since) with { At = At(9) });
        _s.Expect();
    }

    [Fact]
    public void Changed_flash_pages_are_found()
    {
        Meter.ChangedPages = 2;
        _s.Challenge(1);
        _s.Expect(FindingKind.FlashDrift);
        Assert.Contains("page 9", _s.Findings[0].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_challenge_without_answer_is_overdue_only_if_the_meter_speaks()
    {
        _s.Issue(1);
        _s.Close(10);
        _s.Expect();
        _s.Append(Meter.Frame(1, 11.5));
        _s.Close(11);
        _s.Expect(FindingKind.AttestationOverdue);
        _s.Close(12);
        _s.Expect(FindingKind.AttestationOverdue);
    }

    [Fact]
    public void A_retired_meter_that_attests_is_found()
    {
        _s.Append(new LifeCycleChanged(Meter.Id, At(1), LifeCycle.Retired, "stores"));
        _s.Challenge(1.5);
        _s.Expect();
        _s.Challenge(3);
        _s.Expect(FindingKind.RetiredMeterSpeaks);
    }

    [Fact]
    public void A_meter_in_service_that_was_never_locked_is_found()
    {
        _s.Append(new LifeCycleChanged(Meter.Id, At(1), LifeCycle.Installed, "field"));
        Meter.LifeCycle = LifeCycle.Provisioned;
        _s.Challenge(2);
        _s.Expect(FindingKind.SupplyChainMismatch);
    }

    [Fact]
    public void Without_an_enrolled_key_nothing_is_judged()
    {
        using var s = new SecurityMeter();
        var harness = new TwinHarness();
        harness.Append(s.Attest(1, 1));
        Assert.Empty(harness.Findings);
        Assert.Equal(SignatureVerdict.NoKey, ((AttestationQuote)Input.Read(harness.Journal[^1])).Verdict);
    }
}
