using System.Buffers.Binary;
using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Grains.Meters;

// Attestation quotes: the verifier's invariants I1 to I10.
internal sealed partial class MeterSecurity
{
    /// <summary>
    /// A byte-identical quote that comes this long (s) after the first, while a newer challenge is open, is a replay;
    /// sooner it is a doubled frame. Ours: no mesh holds a frame for longer.
    /// </summary>
    private const uint DoubledWithin = 6 * Moment.Hour;

    /// <summary>A quote signed with the key before may arrive this long (s) after a new key was enrolled.</summary>
    private const uint OldKeyFor = 7 * Moment.Day;

    /// <summary>
    /// A meter's switch is held against the last command this long (s) after it: a later command's report may be late.
    /// </summary>
    private const uint SwitchSettles = 6 * Moment.Hour;

    /// <summary>The verdict on a quote's signature by the enrolled key: asked once, at the door.</summary>
    public SignatureVerdict Verify(ReadOnlySpan<byte> quote) =>
        !CakQuote.TryRead(quote, out _, out var signed, out _) ? SignatureVerdict.Malformed
        : _publicKey.Length == 0 ? SignatureVerdict.NoKey
        : CakQuote.IsSignedBy(quote, signed, _publicKey) ? SignatureVerdict.Valid : SignatureVerdict.Invalid;

    /// <summary>True when the quote was taken before and this is a doubled frame, not a replay.</summary>
    public bool IsDoubled(ulong digest, uint at)
    {
        foreach (var c in _challenges)
            if (c.AnsweredAt != 0 && c.Quote == digest) return !IsReplay(c, at);
        return _lastQuote == digest && IsBaselined;
    }

    private bool IsReplay(in ChallengeMark answered, uint at)
    {
        var open = false;
        foreach (var c in _challenges) open |= c.AnsweredAt == 0 && c.IssuedAt > answered.AnsweredAt;
        return open && Moment.Since(answered.AnsweredAt, at) > DoubledWithin;
    }

    public void Apply(in SecurityScene scene, AttestationQuote input)
    {
        var now = Moment.Of(input.At);
        if (!CakQuote.TryRead(input.Quote, out var quote, out var signed, out _)
            || input.Verdict == SignatureVerdict.Malformed)
        {
            CountMalformed(scene, now);
            return;
        }
        if (input.Verdict != SignatureVerdict.Valid)
        {
            if (input.Verdict == SignatureVerdict.Invalid) JudgeSignature(scene, quote!, now);
            _unverifiedAt = Math.Max(_unverifiedAt, now);
            return;
        }
        Hear(scene, now, "it attested");
        UseKey(scene, KeySlot.DeviceSigning, now);
        var r = BinaryPrimitives.ReadUInt64BigEndian(input.Quote.AsSpan(signed));
        var digest = Digest.Of(input.Quote);
        Post(scene, FleetLetterKind.SignatureSeen, input.At, r, 0, quote!.KeyFingerprint, false,
            digest.ToString()[..16]);
        if (!scene.Meter.IsMapped && quote.SystemTitle != scene.Meter.Value)
        {
            Say(scene, now, new SecurityClaim(FindingKind.WrongKey, now, 1,
                SecuritySentences.OtherTitle(now, quote.SystemTitle)));
            return;
        }
        if (Freshness(scene, quote, digest.Short, now) is { } issued)
            Verified(scene, quote, digest.Short, issued, now);
    }

    /// <summary>The quote is not signed with the enrolled key.</summary>
    private void JudgeSignature(in SecurityScene scene, CakQuote quote, uint now)
    {
        var late = _oldKey != 0 && quote.KeyFingerprint == _oldKey && Moment.Since(_oldKeyAt, now) <= OldKeyFor;
        if (late) return;
        Say(scene, now, new SecurityClaim(FindingKind.WrongKey, now, 0, SecuritySentences.NotSigned(now,
            quote.KeyFingerprint, CakQuote.FingerprintOf(_publicKey)),
            SecurityClaim.Seen("signature_valid", 0, 1, "")));
    }

    /// <summary>
    /// Invariant I6. When the challenge that the quote answers was issued; 0 when it answers none that is open and
    /// need not; null when it is stale and says nothing.
    /// </summary>
    private uint? Freshness(in SecurityScene scene, CakQuote quote, ulong digest, uint now)
    {
        var (open, newest) = (false, 0u);
        foreach (var c in _challenges)
        {
            open |= c.AnsweredAt == 0;
            newest = Math.Max(newest, c.IssuedAt);
        }
        for (var i = 0; i < _challenges.Length; i++)
        {
            var c = _challenges[i];
            if (c.AnsweredAt != 0 && c.Quote == digest) return Stale(scene, now, true);
            if (c.Nonce != quote.Nonce) continue;
            if (c.AnsweredAt != 0) return c.IssuedAt == newest ? c.IssuedAt : 0;
            _challenges[i] = c with { AnsweredAt = now, Quote = digest };
            ForgetAnswered();
            return c.IssuedAt;
        }
        // An answer to a challenge that is no longer kept: nothing can be said of it.
        var forgotten = _droppedThrough != 0 && quote.MeterTime <= Moment.Plus(_droppedThrough, Moment.Day);
        return open && !forgotten ? Stale(scene, now, false) : 0;
    }

    private uint? Stale(in SecurityScene scene, uint now, bool replay)
    {
        Say(scene, now, new SecurityClaim(FindingKind.StaleNonce, now, 0, SecuritySentences.Stale(now, replay)));
        return null;
    }

    private void ForgetAnswered()
    {
        var answered = 0;
        foreach (var c in _challenges) answered += c.AnsweredAt != 0 ? 1 : 0;
        while (answered-- > MaxAnswered)
        {
            var first = Array.FindIndex(_challenges, c => c.AnsweredAt != 0);
            _challenges = [.. _challenges[..first], .. _challenges[(first + 1)..]];
        }
    }

    /// <summary>A quote that the enrolled key signed, about this meter.</summary>
    private void Verified(in SecurityScene scene, CakQuote quote, ulong digest, uint issued, uint now)
    {
        var violations = new List<ChainViolation>();
        var checkpoint = _rare is { CheckpointSeq: not 0 } r ? new ChainPosition(r.CheckpointSeq, r.CheckpointHead)
            : (ChainPosition?)null;
        _ = QuoteVerifier.Judge(quote, new QuoteExpectation
        {
            SystemTitle = quote.SystemTitle, Accepted = IsBaselined ? new ChainPosition(_seq, _head) : null,
            Checkpoint = checkpoint,
        }, violations);
        // A log that was lawfully cut may begin behind entries that never got here.
        if (checkpoint is { } point && quote.FirstSeq == point.Seq + 1L && quote.BaseHead == point.Head)
            violations.RemoveAll(v => v.Kind == ChainViolationKind.TruncatedBeyondCheckpoint);
        if (IsBaselined && quote.FirstSeq - 1L + quote.Entries.Length < _seq)
        {
            // Only a challenge issued after the longer log was in proves that this is not an older quote on its way.
            if (issued > _quoteAt && quote.LastSeq < _seq)
                SayLog(scene, now, new ChainViolation(ChainViolationKind.RolledBack, quote.LastSeq));
            return;
        }
        BeginChecks(issued);
        foreach (var violation in violations) SayLog(scene, now, violation);
        var whole = !violations.Exists(v => v.Kind is ChainViolationKind.BrokenChain or ChainViolationKind.SequenceGap);
        if (!whole && !IsBaselined) return;
        var (first, before, previous) = (!IsBaselined, _counters, _quoteMeterTime);
        if (first) Baseline(scene, quote, now);
        else FollowEntries(scene, quote, whole, now);
        JudgeCounters(scene, quote, first, before, now);
        JudgeClock(scene, quote, issued, now);
        if (!first) JudgeLastGasp(scene, quote, before, previous, now);
        Accept(quote, digest, issued, whole, now);
        JudgeDevice(scene, quote, now);
    }

    private void SayLog(in SecurityScene scene, uint now, ChainViolation violation)
    {
        var kind = violation.Kind switch
        {
            ChainViolationKind.SequenceGap => FindingKind.SequenceGap,
            ChainViolationKind.BrokenChain or ChainViolationKind.Fork => FindingKind.ChainBroken,
            ChainViolationKind.CounterRegressed => FindingKind.UnexplainedBoots,
            _ => FindingKind.LogTruncated,
        };
        Say(scene, now, new SecurityClaim(kind, now, (byte)violation.Kind,
            SecuritySentences.Log(now, violation, _seq), SecurityClaim.Seen("log_follows", 0, 1, "")));
    }

    /// <summary>What this quote lets check; findings then set what failed.</summary>
    private void BeginChecks(uint issued)
    {
        _done = SecurityChecks.Signature | SecurityChecks.Chain | SecurityChecks.Sequence | SecurityChecks.Checkpoint
            | SecurityChecks.FlashPages | (_windows.Length > 0
                ? SecurityChecks.FrameAuthentication | SecurityChecks.FrameCounters : SecurityChecks.None)
            | (_sealedSince != 0 ? SecurityChecks.MetrologySeal : SecurityChecks.None)
            | (_keys.Length > 0 ? SecurityChecks.KeyState : SecurityChecks.None)
            | (IsBaselined ? SecurityChecks.ApprovedImage | SecurityChecks.Version : SecurityChecks.None)
            | (issued != 0 ? SecurityChecks.Nonce : SecurityChecks.None);
        _failed = _badParts != 0 ? SecurityChecks.ApprovedImage : SecurityChecks.None;
    }

    /// <summary>
    /// Takes the quote as the last accepted one. A log that was forked or cut is taken up too, once it was said: or
    /// what it tells next would not be judged. One that is not whole in itself is not.
    /// </summary>
    private void Accept(CakQuote quote, ulong digest, uint issued, bool whole, uint now)
    {
        if (whole) (_seq, _head) = ((uint)(quote.FirstSeq - 1L + quote.Entries.Length), quote.Head);
        (_counters, _lastQuote) = (quote.Counters, digest);
        _quoteAt = Math.Max(_quoteAt, now);
        _quoteMeterTime = quote.MeterTime;
        if (issued != 0) _freshAt = Math.Max(_freshAt, now);
        (_attestedStage, _attestedStageKnown) = (quote.LifeCycle, true);
    }

    private static bool IsComplete(CakQuote quote) =>
        quote.FirstSeq - 1L + quote.Entries.Length == quote.LastSeq;

    /// <summary>Invariant I9.</summary>
    private void JudgeCounters(in SecurityScene scene, CakQuote quote, bool first, in CakCounters before, uint now)
    {
        var excess = BootCheck.Excess(quote.Counters);
        if (first)
        {
            _bootExcess = (int)Math.Clamp(excess, int.MinValue, int.MaxValue);
            return;
        }
        if (BootCheck.RanBack(before, quote.Counters))
        {
            Say(scene, now, new SecurityClaim(FindingKind.UnexplainedBoots, now, 1,
                SecuritySentences.CountersBack(now),
                SecurityClaim.Seen("boots", quote.Counters.Boots, before.Boots, "")));
        }
        var years = Moment.Since(_baselinedAt, now) / (365 * Moment.Day);
        var unexplained = BootCheck.Unexplained(quote.Counters, _bootExcess, quote.Unrecorded, years);
        if (unexplained == 0) return;
        Say(scene, now, new SecurityClaim(FindingKind.UnexplainedBoots, now, 0,
            SecuritySentences.Boots(now, unexplained),
            SecurityClaim.Seen("boots", quote.Counters.Boots, quote.Counters.Explained + _bootExcess, "")));
        _bootExcess = (int)Math.Clamp(excess, int.MinValue, int.MaxValue);
    }

    /// <summary>Invariant I10.</summary>
    private void JudgeClock(in SecurityScene scene, CakQuote quote, uint issued, uint now)
    {
        var drift = ClockCheck.Drift(quote.MeterTime, issued, now);
        if (drift == 0) return;
        var lost = _rare is { ClockInvalidAt: not 0 } r && Moment.Since(r.ClockInvalidAt, now) < 7 * Moment.Day;
        Say(scene, now, new SecurityClaim(FindingKind.ClockDrift, now, 0, SecuritySentences.Drift(now, drift),
            SecurityClaim.Seen("clock_difference", drift, 0, "s"))
        {
            Severity = lost || Math.Abs(drift) < Moment.Hour ? Severity.Low : Severity.Medium,
            Counter = lost ? ["the meter had reported that its clock lost the time"] : [],
        });
    }

    /// <summary>A power failure that was reported must be in the attested counters.</summary>
    private void JudgeLastGasp(in SecurityScene scene, CakQuote quote, in CakCounters before, uint previous, uint now)
    {
        if (_rare is not { LastGaspAt: not 0 } rare || quote.MeterTime <= Moment.Plus(rare.LastGaspAt, Moment.Hour))
            return;
        var at = rare.LastGaspAt;
        rare.LastGaspAt = 0;
        if (previous > at || quote.Counters.PowerFailures != before.PowerFailures || quote.Unrecorded > 0) return;
        Say(scene, now, new SecurityClaim(FindingKind.SpoofedLastGasp, at, 0, SecuritySentences.LastGasp(at),
            SecurityClaim.Seen("power_failures", 0, 1, ""))
        {
            Counter = HasContext(scene, ContextKind.Outage, at) ? ["an outage is on record for this time"] : [],
        });
    }

    /// <summary>What the quote says of the device besides its log.</summary>
    private void JudgeDevice(in SecurityScene scene, CakQuote quote, uint now)
    {
        if (quote.ChangedPages > 0)
        {
            Say(scene, now, new SecurityClaim(FindingKind.FlashDrift, now, 0,
                SecuritySentences.Pages(now, quote.ChangedPages, quote.FirstChangedPage),
                SecurityClaim.Seen("changed_pages", quote.ChangedPages, 0, "pages")));
        }
        if (quote.LifeCycle < LifeCycle.Locked && _stage is LifeCycle.Installed or LifeCycle.Operating)
        {
            Say(scene, now, new SecurityClaim(FindingKind.SupplyChainMismatch, now, 1,
                SecuritySentences.NotLocked(now, quote.LifeCycle)));
        }
        JudgeTable(scene, quote.Of(FirmwarePart.ReactionTable).Version, quote.MeterTime, now);
        JudgeOutput(scene, quote.Switch, now);
        var settled = _commandAt != 0 && quote.MeterTime > Moment.Plus(_commandAt, SwitchSettles);
        if (settled && SwitchCheck.Agrees(quote.Switch) && SwitchCheck.Contradicts(_lastCommand, quote.Switch))
        {
            Say(scene, now, new SecurityClaim(FindingKind.OutputStateMismatch, now, 1,
                SecuritySentences.OutputAgainst(now, _lastCommand, _commandAt, quote.Switch),
                SecurityClaim.Seen("control_state", quote.Switch.ControlState,
                    _lastCommand == CommandKind.Disconnect ? 0 : 1, ""))
            { Severity = Severity.Medium });
        }
        if (quote.MeterTime > _switchAt) SeeSwitch(quote.Switch, quote.MeterTime);
    }
}
