using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Grains.Meters;

// Frames and keys: counters per key and direction, and what state each key is in.
internal sealed partial class MeterSecurity
{
    /// <summary>Failed tags and undecodable frames within an hour from which on it is no line noise: ours. A frame
    /// that noise damages fails its checksum before it gets here.</summary>
    private const int TagsPerHour = 10, MalformedPerHour = 10;

    /// <summary>How a frame's counter stands to those before.</summary>
    public FrameVerdict Judge(FrameReceived f)
    {
        var at = Moment.Of(f.At);
        var i = WindowOf(f, at);
        return i < 0 ? FrameVerdict.New : _windows[i].Judge(f.Counter, f.BytesDigest, at);
    }

    /// <summary>
    /// The window that a counter belongs to; -1 when there is none yet. After a change of keys two are in question: a
    /// frame that fills a hole of the old key's window is the old key's, one near the new key's counter the new one's,
    /// one just ahead of the old key's counter the old one's again.
    /// </summary>
    private int WindowOf(FrameReceived f, uint at)
    {
        var (current, old) = (-1, -1);
        for (var i = 0; i < _windows.Length; i++)
        {
            ref readonly var w = ref _windows[i];
            if (w.Key != f.Key || w.Direction != f.Direction) continue;
            if (w.RetiredAt == 0) current = i;
            else if (Moment.Since(w.RetiredAt, at) <= FrameWindow.RetiredFor) old = i;
        }
        if (old < 0) return current;
        ref readonly var retired = ref _windows[old];
        if (retired.Fills(f.Counter, f.BytesDigest, at)) return old;
        // A meter that sent little has both keys' counters close together: the nearer one it is.
        var away = current < 0 ? long.MaxValue : Math.Abs((long)f.Counter - _windows[current].Highest);
        if (away <= 2 * FrameWindow.Size && away <= Math.Abs((long)f.Counter - retired.Highest)) return current;
        return retired.GoesOn(f.Counter) ? old : current;
    }

    public void Apply(in SecurityScene scene, FrameReceived f)
    {
        var now = Moment.Of(f.At);
        if (f.Direction == FrameDirection.FromMeter) Hear(scene, now, "it sent a frame");
        UseKey(scene, f.Key, now);
        var at = WindowOf(f, now);
        if (at < 0) at = AddWindow(f.Key, f.Direction, now);
        ref var window = ref _windows[at];
        var (verdict, highest) = (window.Judge(f.Counter, f.BytesDigest, now), window.Highest);
        window.Take(f.Counter, f.BytesDigest, now);
        var cause = (byte)((byte)f.Key * 2 + (byte)f.Direction);
        var claim = verdict switch
        {
            FrameVerdict.Reuse => new SecurityClaim(FindingKind.NonceReuse, now, cause,
                SecuritySentences.Reuse(now, f.Key, f.Direction, f.Counter),
                SecurityClaim.Seen("counter", f.Counter, highest + 1L, "")),
            FrameVerdict.Below => new SecurityClaim(FindingKind.CounterRegression, now, cause,
                SecuritySentences.Regression(now, f.Key, f.Direction, f.Counter, highest),
                SecurityClaim.Seen("counter", f.Counter, highest + 1L, "")),
            FrameVerdict.Jump => new SecurityClaim(FindingKind.CounterJump, now, cause,
                SecuritySentences.Jump(now, f.Key, f.Direction, highest, f.Counter),
                SecurityClaim.Seen("counter", f.Counter, highest + 1L, "")),
            _ => null,
        };
        if (claim is not null) Say(scene, now, claim);
        HearSeal(scene, f.Service, now);
        if (f.Counter >= FrameWindow.NearEnd)
            Say(scene, now, new SecurityClaim(FindingKind.CounterExhaustion, now, cause,
                SecuritySentences.Exhaustion(f.Key, f.Counter),
                SecurityClaim.Seen("counter", f.Counter, uint.MaxValue, "")));
    }

    /// <summary>
    /// Load profiles without a seal that a meter may send within a week once its profiles had one: the metrology seals
    /// nothing while a record in its memory is damaged.
    /// </summary>
    private const int UnsealedPerWeek = 2;

    /// <summary>A meter whose profiles were sealed goes on sealing them.</summary>
    private void HearSeal(in SecurityScene scene, FrameService service, uint now)
    {
        if (service == FrameService.SealedProfile && (_sealedSince == 0 || now < _sealedSince)) _sealedSince = now;
        if (service != FrameService.UnsealedProfile || _sealedSince == 0 || now <= _sealedSince) return;
        ref var unsealed = ref Rare.Rate(SecurityRare.Unsealed);
        if (unsealed.Add(now, 7 * Moment.Day) <= UnsealedPerWeek) return;
        Say(scene, now, new SecurityClaim(FindingKind.SealBroken, unsealed.From, 1,
            SecuritySentences.SealMissing(unsealed.From, unsealed.Count, _sealedSince),
            SecurityClaim.Seen("unsealed_profiles", unsealed.Count, 0, "per week"))
        {
            Severity = Severity.Medium, Confidence = 0.6,
        });
    }

    /// <summary>A window for the pair, behind the others; windows of keys long replaced go.</summary>
    private int AddWindow(KeySlot key, FrameDirection direction, uint now)
    {
        var kept = Array.FindAll(_windows, w =>
            w.RetiredAt == 0 || Moment.Since(w.RetiredAt, now) <= FrameWindow.RetiredFor);
        if (kept.Length >= MaxWindows)
        {
            var oldest = 0;
            for (var i = 1; i < kept.Length; i++) oldest = kept[i].LastAt < kept[oldest].LastAt ? i : oldest;
            kept = [.. kept[..oldest], .. kept[(oldest + 1)..]];
        }
        _windows = [.. kept, new FrameWindow { Key = key, Direction = direction }];
        return _windows.Length - 1;
    }

    public void Apply(in SecurityScene scene, FrameFault f)
    {
        var now = Moment.Of(f.At);
        switch (f.Fault)
        {
            case FrameFaultKind.TagFailed or FrameFaultKind.SignatureFailed or FrameFaultKind.UnknownKey:
                ref var tags = ref Rare.Rate(SecurityRare.Tags);
                if (tags.Add(now, Moment.Hour) < TagsPerHour) return;
                Say(scene, now, new SecurityClaim(FindingKind.AuthenticationFailures, tags.From, 0,
                    SecuritySentences.Tags(tags.From, tags.Count),
                    SecurityClaim.Seen("failed_frames", tags.Count, 0, "per hour")));
                break;
            case FrameFaultKind.Unprotected:
                Say(scene, now, new SecurityClaim(FindingKind.UnprotectedFrames, now, 0,
                    SecuritySentences.Unprotected(now)));
                break;
            case FrameFaultKind.SealBroken:
                Say(scene, now, new SecurityClaim(FindingKind.SealBroken, now, 0, SecuritySentences.Seal(now, f.Reason),
                    SecurityClaim.Seen("seal_holds", 0, 1, "")));
                break;
            default: CountMalformed(scene, now); break;
        }
    }

    private void CountMalformed(in SecurityScene scene, uint now)
    {
        ref var rate = ref Rare.Rate(SecurityRare.Malformed);
        if (rate.Add(now, Moment.Hour) < MalformedPerHour) return;
        Say(scene, now, new SecurityClaim(FindingKind.MalformedFrames, rate.From, 0,
            SecuritySentences.Malformed(rate.From, rate.Count),
            SecurityClaim.Seen("bad_frames", rate.Count, 0, "per hour")));
    }

    private ref KeyMark KeyOf(KeySlot slot)
    {
        var i = Array.FindIndex(_keys, k => k.Slot == slot);
        if (i >= 0) return ref _keys[i];
        KeyMark[] keys = [.. _keys, new KeyMark { Slot = slot }];
        Array.Sort(keys, (a, b) => a.Slot.CompareTo(b.Slot));
        _keys = keys;
        return ref keys[Array.FindIndex(keys, k => k.Slot == slot)];
    }

    /// <summary>A key was used: it must neither be compromised nor past its time.</summary>
    private void UseKey(in SecurityScene scene, KeySlot slot, uint now)
    {
        if (slot == KeySlot.None) return;
        ref var key = ref KeyOf(slot);
        key.LastUse = Math.Max(key.LastUse, now);
        var compromised = key.CompromisedAt != 0 && now >= key.CompromisedAt;
        var expired = key.Expires != 0 && now >= key.Expires;
        if (!compromised && !expired) return;
        Say(scene, now, new SecurityClaim(FindingKind.KeyCompromised, now, (byte)slot, SecuritySentences.BadKey(now,
            slot, !compromised, compromised ? key.CompromisedAt : key.Expires))
        {
            Severity = compromised ? Severity.High : Severity.Medium,
        });
    }

    public void Apply(in SecurityScene scene, KeyEvent e)
    {
        if (e.Slot == KeySlot.None) return;
        var now = Moment.Of(e.At);
        ref var key = ref KeyOf(e.Slot);
        switch (e.Change)
        {
            case KeyEventKind.Enrolled: Enrol(ref key, e, now); break;
            case KeyEventKind.Generated: Renew(ref key, e, now); break;
            case KeyEventKind.Transferred: Renew(ref key, e, now); break;
            case KeyEventKind.Activated:
                // A key that was transferred before has its windows already.
                if (key.Created <= key.Activated) RetireWindows(e.Slot, now);
                key.Activated = now;
                break;
            case KeyEventKind.Compromised or KeyEventKind.Revoked or KeyEventKind.Zeroised:
                if (key.CompromisedAt == 0 || now < key.CompromisedAt) key.CompromisedAt = now;
                break;
            case KeyEventKind.Expired: key.Expires = key.Expires == 0 ? now : Math.Min(key.Expires, now); break;
            case KeyEventKind.CertificateUntrusted:
                key.Untrusted = true;
                Say(scene, now, new SecurityClaim(FindingKind.UntrustedCertificate, now, (byte)e.Slot,
                    SecuritySentences.Certificate(now, e.Slot, e.Actor)));
                break;
            case KeyEventKind.CertificateRenewed:
                key.Untrusted = false;
                key.Expires = e.Expires.Seconds == 0 ? 0 : Moment.Of(e.Expires);
                break;
        }
        if (e.PublicKey.Length > 0 && e.Change is KeyEventKind.Enrolled or KeyEventKind.Generated)
            Post(scene, FleetLetterKind.KeySeen, e.At, CakQuote.FingerprintOf(e.PublicKey), (byte)e.Slot, 0, false, "");
    }

    /// <summary>The registry's word on a key: for device signing, quotes are verified with it from here on.</summary>
    private void Enrol(ref KeyMark key, KeyEvent e, uint now)
    {
        Renew(ref key, e, now);
        key.Activated = now;
        if (e.PublicKey.Length == 0) return;
        key.Fingerprint = CakQuote.FingerprintOf(e.PublicKey);
        if (e.Slot != KeySlot.DeviceSigning) return;
        if (_publicKey.Length > 0 && !_publicKey.AsSpan().SequenceEqual(e.PublicKey))
            (_oldKey, _oldKeyAt) = (CakQuote.FingerprintOf(_publicKey), now);
        _publicKey = e.PublicKey;
    }

    /// <summary>Another key is in the slot: its counters begin anew.</summary>
    private void Renew(ref KeyMark key, KeyEvent e, uint now)
    {
        (key.Suite, key.Created, key.CompromisedAt, key.Untrusted) = (e.Suite, now, 0, false);
        key.Expires = e.Expires.Seconds == 0 ? 0 : Moment.Of(e.Expires);
        RetireWindows(e.Slot, now);
    }

    /// <summary>Windows of the slot that have frames are kept for frames on their way, not for new ones.</summary>
    private void RetireWindows(KeySlot slot, uint now)
    {
        _windows = Array.FindAll(_windows, w => w.Key != slot || w.RetiredAt == 0);
        foreach (ref var w in _windows.AsSpan())
            if (w.Key == slot && !w.IsEmpty) w.RetiredAt = now;
    }
}
