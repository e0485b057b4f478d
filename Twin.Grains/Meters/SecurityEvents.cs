using Twin.Detection.Fleet;
using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;

namespace Twin.Grains.Meters;

// Device events, fingerprints, installation; and what is judged when its time has come.
internal sealed partial class MeterSecurity
{
    /// <summary>A challenge without an answer is overdue after this long (s), if the meter was heard meanwhile.
    /// </summary>
    private const uint AnswerWithin = 7 * Moment.Day;

    /// <summary>Largest connection of a metered home, for the plausibility of a register (W): 3 × 80 A × 230 V.
    /// </summary>
    private const long MostWatts = 55_000;

    /// <summary>The meter itself spoke: not if it is retired.</summary>
    public void Hear(in SecurityScene scene, uint now, string what)
    {
        _heardAt = Math.Max(_heardAt, now);
        if (_stage != LifeCycle.Retired || now <= Moment.Plus(_stageAt, Moment.Day)) return;
        Say(scene, now, new SecurityClaim(FindingKind.RetiredMeterSpeaks, now, 0,
            SecuritySentences.Retired(now, _stageAt, what)));
    }

    public void Apply(in SecurityScene scene, DeviceEvent e)
    {
        var now = Moment.Of(e.At);
        var kind = EventProfiles.Decode(e.Profile, e.Code);
        Hear(scene, now, "it reported an event");
        Rare.Rate(SecurityRare.Events).Add(now, uint.MaxValue);
        if (kind == MeterEventKind.Unmapped) return;
        _eventsKnown = true;
        switch (kind)
        {
            case MeterEventKind.TerminalCoverOpened or MeterEventKind.MeterCoverOpened
                or MeterEventKind.ModuleCoverOpened or MeterEventKind.MagneticFieldOn
                or MeterEventKind.CommunicationModuleRemoved or MeterEventKind.CurrentWithoutVoltage
                or MeterEventKind.ReverseRun:
                JudgeTamper(scene, kind, now, now);
                break;
            case MeterEventKind.LoginFailed: CountLogin(scene, now); break;
            case MeterEventKind.LastGasp or MeterEventKind.PowerDown:
                if (Rare.LastGaspAt == 0) Rare.LastGaspAt = now;
                break;
            case MeterEventKind.ClockInvalid: Rare.ClockInvalidAt = now; break;
            case MeterEventKind.ClockAdjustedOld or MeterEventKind.ClockAdjustedNew: PairClock(scene, kind, now); break;
            case MeterEventKind.EventLogCleared when !IsOrdered(CommandKind.ClearLog, now, ""):
                Say(scene, now, new SecurityClaim(FindingKind.LogCleared, now, 0, SecuritySentences.Cleared(now)));
                break;
            case MeterEventKind.LimiterChanged when !IsOrdered(CommandKind.SetLimiter, now, ""):
                Say(scene, now, new SecurityClaim(FindingKind.LimiterChanged, now, 0,
                    SecuritySentences.Limiter(now, CommandOrigin.Unknown)));
                break;
            case MeterEventKind.FirmwareReady: SawEvent(SawReady, now); break;
            case MeterEventKind.FirmwareActivated: SawEvent(SawActivated, now); break;
            case MeterEventKind.FirmwareSelfCheckOk: SawEvent(SawSelfCheck, now); break;
        }
    }

    /// <summary>
    /// Covers and fields. Work that is on record explains an open cover, and makes a field less grave.
    /// </summary>
    private void JudgeTamper(in SecurityScene scene, MeterEventKind kind, uint at, uint now)
    {
        var planned = IsPlanned(scene, at);
        var field = kind is MeterEventKind.MagneticFieldOn or MeterEventKind.CurrentWithoutVoltage
            or MeterEventKind.ReverseRun;
        if (planned && !field) return;
        Say(scene, now, new SecurityClaim(FindingKind.Tamper, at, (byte)kind, SecuritySentences.Tampered(at, kind))
        {
            Severity = planned ? Severity.Low : Severity.Medium,
            Counter = planned ? ["work at the meter is on record for this time"] : [],
        });
    }

    /// <summary>Old and new time of one setting; either may come first.</summary>
    private void PairClock(in SecurityScene scene, MeterEventKind kind, uint now)
    {
        var rare = Rare;
        if (kind == MeterEventKind.ClockAdjustedOld) rare.ClockOldAt = now;
        else rare.ClockNewAt = now;
        if (rare.ClockOldAt == 0 || rare.ClockNewAt == 0) return;
        var (old, set) = (rare.ClockOldAt, rare.ClockNewAt);
        (rare.ClockOldAt, rare.ClockNewAt) = (0, 0);
        var shift = Moment.Since(old, set);
        var lost = rare.ClockInvalidAt != 0 && Math.Abs(Moment.Since(rare.ClockInvalidAt, old)) < 7 * Moment.Day;
        var ordered = IsOrdered(CommandKind.SetClock, old, "") || IsOrdered(CommandKind.SetClock, set, "");
        if (Math.Abs(shift) < ClockCheck.ShiftSeconds || lost || ordered) return;
        Say(scene, now, new SecurityClaim(FindingKind.ClockShifted, old, 0, SecuritySentences.Shifted(old, shift),
            SecurityClaim.Seen("shift", shift, 0, "s")));
    }

    /// <summary>An upgrade is in the log: its events should be there, or come soon.</summary>
    private void ExpectEvents(FirmwarePart part, in PartMark mark, uint at, uint now)
    {
        if (!_eventsKnown) return;
        var (rare, seen) = (Rare, 0);
        for (var i = 0; i < rare.Activations.Length; i++)
        {
            var e = rare.Activations[i];
            if (!Belongs(e, at)) continue;
            seen |= e.Bits;
            rare.Activations[i] = e with { Bits = (byte)(e.Bits | Explained) };
        }
        if ((seen & All) == All) return;
        rare.Pending = SecurityRare.Append(rare.Pending, new PendingMark(PendingKind.UpgradeEvents, part, at,
            Moment.Plus(now, EventsGrace), (byte)(seen & All), mark.Short), SecurityRare.MaxPending);
    }

    private const byte All = SawReady | SawActivated | SawSelfCheck;

    /// <summary>An image may be ready long before its activation; the other events lie close to it.</summary>
    private static bool Belongs(FirmwareEventMark e, uint upgrade) => (e.Bits & SawReady) != 0
        ? e.At <= Moment.Plus(upgrade, UpgradeSpan) && Moment.Since(e.At, upgrade) <= 60 * Moment.Day
        : IsClose(e.At, upgrade);

    private static bool IsClose(uint a, uint b) => Math.Abs(Moment.Since(a, b)) <= UpgradeSpan;

    private void SawEvent(byte bit, uint at)
    {
        var (rare, mark) = (Rare, new FirmwareEventMark(bit, at));
        for (var i = 0; i < rare.Pending.Length; i++)
        {
            var p = rare.Pending[i];
            if (p.Kind != PendingKind.UpgradeEvents || !Belongs(mark, p.At)) continue;
            rare.Pending[i] = p with { Seen = (byte)(p.Seen | bit) };
            mark = mark with { Bits = (byte)(bit | Explained) };
        }
        if (Array.Exists(rare.Lineage, l => l.Source != LineageSource.Baseline && Belongs(mark, l.At)))
            mark = mark with { Bits = (byte)(bit | Explained) };
        rare.Pending = Array.FindAll(rare.Pending, p => p.Kind != PendingKind.UpgradeEvents || p.Seen != All);
        rare.Activations = SecurityRare.Append(rare.Activations, mark, SecurityRare.MaxActivations);
    }

    /// <summary>An activation was reported, and a later log does not have it.</summary>
    private void JudgeActivatedAlone(in SecurityScene scene, CakQuote quote, uint now)
    {
        if (_rare is not { Activations.Length: > 0 } rare || !IsComplete(quote)) return;
        for (var i = 0; i < rare.Activations.Length; i++)
        {
            var e = rare.Activations[i];
            var open = e.Bits == SawActivated && e.At > _baselinedAt
                && quote.MeterTime > Moment.Plus(e.At, Moment.Hour);
            if (!open) continue;
            rare.Activations[i] = e with { Bits = (byte)(e.Bits | Explained) };
            if (quote.Unrecorded == 0)
                Say(scene, now, new SecurityClaim(FindingKind.UpgradeEventMismatch, e.At, 0,
                    SecuritySentences.EventsAlone(e.At)));
        }
        // Old ones belong to upgrades that are long judged.
        rare.Activations = Array.FindAll(rare.Activations, e => Moment.Since(e.At, now) < 60 * Moment.Day);
    }

    /// <summary>What was waited for and did not come in time.</summary>
    private void JudgeDue(in SecurityScene scene, uint now)
    {
        foreach (var c in _challenges)
        {
            if (c.AnsweredAt != 0 || now <= Moment.Plus(c.IssuedAt, AnswerWithin)
                || _heardAt <= Moment.Plus(c.IssuedAt, Moment.Day) || _freshAt > c.IssuedAt) continue;
            Say(scene, now, new SecurityClaim(FindingKind.AttestationOverdue, c.IssuedAt, 0,
                SecuritySentences.Overdue(c.IssuedAt)));
        }
        if (_rare is not { Pending.Length: > 0 } rare) return;
        foreach (var p in rare.Pending)
        {
            if (now < p.Due) continue;
            if (p.Kind == PendingKind.Verification) SayMetrology(scene, p.Part, p.Image, p.At, now);
            else
                Say(scene, now, new SecurityClaim(FindingKind.UpgradeEventMismatch, p.At, (byte)p.Part,
                    SecuritySentences.MissingEvents(p.At, p.Part, Missing(p.Seen)),
                    SecurityClaim.Seen("events", System.Numerics.BitOperations.PopCount(p.Seen), 3, "")));
        }
        rare.Pending = Array.FindAll(rare.Pending, p => now < p.Due);
    }

    private static string Missing(byte seen)
    {
        var missing = new List<string>(3);
        if ((seen & SawReady) == 0) missing.Add("that it was ready");
        if ((seen & SawActivated) == 0) missing.Add("the activation");
        if ((seen & SawSelfCheck) == 0) missing.Add("the self-check");
        return string.Join(" nor ", missing);
    }

    public void Apply(in SecurityScene scene, Fingerprint print)
    {
        var now = Moment.Of(print.At);
        Hear(scene, now, "it was measured");
        Keep(print);
        if ((_drift ??= new FirmwareDrift()).Take(print, out var since) is not { } evidence) return;
        var lineage = _rare?.Lineage ?? [];
        var step = Array.FindLast(lineage, l => l.Source != LineageSource.Baseline && l.At <= since);
        var activated = step.At != 0 && Moment.Since(step.At, since) <= 60 * Moment.Day;
        var attested = IsBaselined && _failed == SecurityChecks.None;
        // What a release may be meant to change the twin of the model says once, not each of its meters.
        if (activated && DeviceTraits.MayBeMeant(evidence)) return;
        Say(scene, now, new SecurityClaim(FindingKind.FirmwareBehaviour, since, 0,
            SecuritySentences.Behaviour(since, evidence.Select(e => FirmwareDrift.Say(e)), activated,
                attested), evidence)
        {
            Severity = activated ? Severity.High : Severity.Medium,
            Confidence = activated ? 0.75 : 0.6,
        });
    }

    public void Apply(in SecurityScene scene, Installation i)
    {
        var now = Moment.Of(i.At);
        var (rare, place) = (Rare, i.UsagePoint.Length == 0 ? 0 : StableHash.Of(i.UsagePoint));
        var elsewhere = rare.InstalledAt != 0 && place != 0 && rare.InstalledPlace != 0
            && rare.InstalledPlace != place && now > rare.InstalledAt;
        if (elsewhere)
            Say(scene, now, new SecurityClaim(FindingKind.InstallationMismatch, now, 0,
                SecuritySentences.InstalledElsewhere(now, i.UsagePoint, rare.InstalledAt))
            { Severity = Severity.High });
        var registry = scene.UsagePointAt(i.At);
        if (place != 0 && registry.Length > 0 && registry != i.UsagePoint)
            Say(scene, now, new SecurityClaim(FindingKind.InstallationMismatch, now, 1,
                SecuritySentences.InstalledAgainst(now, i.UsagePoint, registry)));
        if (now < rare.InstalledAt) return;
        (rare.InstalledAt, rare.InstalledPlace, rare.InstalledWh) = (now, place, i.StartWh);
    }

    /// <summary>The register at installation against the first one read after.</summary>
    public void Judge(in SecurityScene scene, RegisterSnapshot s)
    {
        var now = Moment.Of(s.At);
        Hear(scene, now, "a register was read");
        if (s.Channel != Channel.Import || _rare is not { InstalledAt: not 0, InstalledWh: >= 0 } r
            || now < r.InstalledAt) return;
        var (start, hours) = (r.InstalledWh, 1 + Moment.Since(r.InstalledAt, now) / Moment.Hour);
        r.InstalledWh = -1;
        if (s.Value >= start && s.Value - start <= hours * MostWatts) return;
        Say(scene, now, new SecurityClaim(FindingKind.InstallationMismatch, r.InstalledAt, 2,
            SecuritySentences.StartRegister(now, start, s.Value),
            SecurityClaim.Seen("register", s.Value, start, "Wh")));
    }
}
