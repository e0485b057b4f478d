using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Grains.Meters;

// What ran on the meter, and by whose leave: invariants I3, I4, I5 and the rest that entries of the log tell.
internal sealed partial class MeterSecurity
{
    /// <summary>Minutes by which clocks of meter and back office may differ where a period begins or ends.</summary>
    private const uint PeriodSlack = 15 * 60;

    /// <summary>Days that the events of an upgrade, or the verification of an ordered change, may take.</summary>
    private const uint EventsGrace = 2 * Moment.Day, VerificationGrace = 7 * Moment.Day;

    /// <summary>Events and log entry of one upgrade lie this close (s): both are stamped by the meter.</summary>
    private const uint UpgradeSpan = 6 * Moment.Hour;

    private const byte SawReady = 1, SawActivated = 2, SawSelfCheck = 4, Explained = 8;

    /// <summary>First quote: what is there is accepted on trust, and told to the fleet.</summary>
    private void Baseline(in SecurityScene scene, CakQuote quote, uint now)
    {
        _baselinedAt = now;
        for (var i = 0; i < CakQuote.Parts; i++)
        {
            _parts[i] = PartMark.Of(quote.State[i]);
            TellImage(scene, (FirmwarePart)(i + 1), _parts[i], now, false);
        }
        foreach (var e in quote.Entries)
        {
            if (e.Kind is not (CakEntryKind.Upgrade or CakEntryKind.Rollback) || e.Part == FirmwarePart.Device)
                continue;
            var mark = PartMark.Of(e.Image, e.Version, e.SecurityVersion);
            if (mark.Image != _parts[(int)e.Part - 1].Image) TellImage(scene, e.Part, mark, e.MeterTime, false);
        }
        CheckSupply(scene, now);
    }

    private void TellImage(in SecurityScene scene, FirmwarePart part, in PartMark mark, uint at, bool authorised)
    {
        // Calibrations are each meter's own, and reaction tables are assigned, not released.
        if (part is FirmwarePart.Calibration or FirmwarePart.ReactionTable || mark.IsNone) return;
        Post(scene, FleetLetterKind.ImageSeen, Moment.Time(at), mark.Short, (byte)part, mark.Version, authorised,
            scene.ModelAt(Moment.Time(at)));
    }

    /// <summary>
    /// New entries, then what they should lead to. Of a log that is not <paramref name="whole"/> only the state counts.
    /// </summary>
    private void FollowEntries(in SecurityScene scene, CakQuote quote, bool whole, uint now)
    {
        for (var i = 0; whole && i < quote.Entries.Length; i++)
            if (quote.Entries[i].Seq > _seq) Follow(scene, quote, i, now);
        if (whole) JudgeActivatedAlone(scene, quote, now);
        if (whole && !IsComplete(quote)) return;
        for (var i = 0; i < CakQuote.Parts; i++)
        {
            var (part, mark) = ((FirmwarePart)(i + 1), PartMark.Of(quote.State[i]));
            if (mark.Image == _parts[i].Image) continue;
            var logged = part is FirmwarePart.Calibration or FirmwarePart.ReactionTable || quote.Unrecorded > 0;
            if (!logged)
                SayImage(scene, now, now, part, mark, SecuritySentences.Silent(now, part, mark.Short));
            TakeOn(scene, quote, part, mark, quote.MeterTime, now, stated: !logged);
        }
    }

    private void Follow(in SecurityScene scene, CakQuote quote, int index, uint now)
    {
        var e = quote.Entries[index];
        var mark = PartMark.Of(e.Image, e.Version, e.SecurityVersion);
        switch (e.Kind)
        {
            case CakEntryKind.Boot or CakEntryKind.Upgrade or CakEntryKind.Rollback when e.Part != FirmwarePart.Device:
                if (e.Kind == CakEntryKind.Upgrade) ExpectEvents(e.Part, mark, e.MeterTime, now);
                if (mark.Image == _parts[(int)e.Part - 1].Image) break;
                if (e.Kind == CakEntryKind.Rollback && IsBefore(e.Part, mark)) GoBack(scene, e.Part, mark, e.MeterTime);
                else TakeOn(scene, quote, e.Part, mark, e.MeterTime, now, false);
                break;
            case CakEntryKind.Config when e.Part is FirmwarePart.Calibration or FirmwarePart.ReactionTable:
                if (mark.Image != _parts[(int)e.Part - 1].Image)
                    TakeOn(scene, quote, e.Part, mark, e.MeterTime, now, false);
                break;
            case CakEntryKind.Config: JudgeLogged(scene, CommandKind.WriteConfiguration, e, now); break;
            case CakEntryKind.KeyChange: JudgeLogged(scene, CommandKind.TransferKey, e, now); break;
            case CakEntryKind.Tamper:
                JudgeTamper(scene, Twin.Hardware.Events.MeterEventKind.Unmapped, e.MeterTime, now);
                break;
            case CakEntryKind.Refused:
                Say(scene, now, new SecurityClaim(FindingKind.ImageRefused, e.MeterTime, (byte)e.Part,
                    SecuritySentences.Refused(e.MeterTime, e.Part, mark.Short, e.Detail))
                { Shared = SharedCauses.Image(mark.Short) });
                break;
            case CakEntryKind.LocalSession when !HasOrder(e.MeterTime):
                Say(scene, now, new SecurityClaim(FindingKind.LocalReprogramming, e.MeterTime, 0,
                    SecuritySentences.Optical(e.MeterTime, "", "")));
                break;
        }
    }

    /// <summary>
    /// A part takes on another image. <paramref name="stated"/>: that it may not is already said.
    /// </summary>
    private void TakeOn(in SecurityScene scene, CakQuote quote, FirmwarePart part, in PartMark mark, uint at, uint now,
        bool stated)
    {
        var i = (int)part - 1;
        var old = _parts[i];
        var campaign = CampaignFor(part, mark.Image, at);
        var verified = IsVerified(part, mark.Image);
        var (source, returns) = (SourceOf(part, campaign, verified, old), ReturnsToGood(part, mark));
        if (part is FirmwarePart.Metrology or FirmwarePart.Calibration && !verified && !old.IsNone && !returns)
            WantVerification(scene, part, mark, at, now, campaign is not null);
        if (part is not (FirmwarePart.Calibration or FirmwarePart.ReactionTable))
        {
            if (source == LineageSource.Unauthorised && !stated && !returns)
            {
                var gone = quote.State[i].Image.High != mark.Image && IsComplete(quote);
                SayImage(scene, now, at, part, mark, gone ? SecuritySentences.Reverted(at, part, mark.Short)
                    : SecuritySentences.Upgrade(at, part, mark.Version, mark.Short));
            }
            if (!returns && campaign is not { Downgrade: true }) JudgeVersion(scene, part, old, mark, at, now);
        }
        Step(scene, part, mark, at, returns ? LineageSource.Rollback : source);
    }

    private LineageSource SourceOf(FirmwarePart part, CampaignMark? campaign, bool verified, in PartMark old) =>
        campaign is not null ? LineageSource.Campaign
        : old.IsNone ? LineageSource.Baseline
        : verified || part == FirmwarePart.ReactionTable ? LineageSource.Verified : LineageSource.Unauthorised;

    private void SayImage(in SecurityScene scene, uint now, uint at, FirmwarePart part, in PartMark mark,
        string sentence) => Say(scene, now, new SecurityClaim(FindingKind.UnauthorisedUpgrade, at, (byte)part, sentence,
            SecurityClaim.Seen("version", mark.Version, _parts[(int)part - 1].Version, ""))
        {
            Technique = part is FirmwarePart.Application or FirmwarePart.Bootloader ? "T0857" : "T0839",
            Shared = SharedCauses.Image(mark.Short),
        });

    /// <summary>Invariant I5.</summary>
    private void JudgeVersion(in SecurityScene scene, FirmwarePart part, in PartMark old, in PartMark mark, uint at,
        uint now)
    {
        var security = mark.SecurityVersion < old.SecurityVersion;
        if (old.IsNone || !security && mark.Version >= old.Version) return;
        var (from, to) = security ? (old.SecurityVersion, mark.SecurityVersion) : (old.Version, mark.Version);
        Say(scene, now, new SecurityClaim(FindingKind.Downgrade, at, (byte)part,
            SecuritySentences.Downgraded(at, part, from, to, security),
            SecurityClaim.Seen(security ? "security_version" : "version", to, from, ""))
        { Shared = SharedCauses.Image(mark.Short) });
    }

    /// <summary>A step of the lineage; the first one of a part takes what was there along.</summary>
    private void Step(in SecurityScene scene, FirmwarePart part, in PartMark mark, uint at, LineageSource source)
    {
        var (i, rare) = ((int)part - 1, Rare);
        var first = !Array.Exists(rare.Lineage, l => l.Part == part);
        if (first && !_parts[i].IsNone)
            rare.Lineage = SecurityRare.Append(rare.Lineage,
                new LineageMark(_parts[i], _baselinedAt, part, LineageSource.Baseline), SecurityRare.MaxLineage);
        rare.Lineage = SecurityRare.Append(rare.Lineage, new LineageMark(mark, at, part, source),
            SecurityRare.MaxLineage);
        _parts[i] = mark;
        var bit = (byte)(1 << i);
        var image = part is not (FirmwarePart.Calibration or FirmwarePart.ReactionTable);
        _badParts = (byte)(source == LineageSource.Unauthorised && image ? _badParts | bit : _badParts & ~bit);
        TellImage(scene, part, mark, at, source is LineageSource.Campaign or LineageSource.Rollback);
    }

    /// <summary>True when the part runs something unauthorised and goes back to what was good.</summary>
    private bool ReturnsToGood(FirmwarePart part, PartMark mark) => (_badParts & (1 << ((int)part - 1))) != 0
        && _rare is { } r && Array.Exists(r.Lineage, l => l.Part == part && l.Mark.Image == mark.Image
            && l.Source != LineageSource.Unauthorised);

    /// <summary>
    /// True when this is the image that the part had before its last step: a failed upgrade is undone.
    /// </summary>
    private bool IsBefore(FirmwarePart part, in PartMark mark)
    {
        var lineage = _rare?.Lineage ?? [];
        var last = Array.FindLastIndex(lineage, l => l.Part == part);
        var before = last <= 0 ? -1 : Array.FindLastIndex(lineage, last - 1, l => l.Part == part);
        return before >= 0 && lineage[before].Mark.Image == mark.Image;
    }

    private void GoBack(in SecurityScene scene, FirmwarePart part, in PartMark mark, uint at)
    {
        Step(scene, part, mark, at, LineageSource.Rollback);
        // The upgrade that failed owes no self-check any more.
        Rare.Pending = Array.FindAll(Rare.Pending, p => p.Kind != PendingKind.UpgradeEvents || p.Part != part);
    }

    private CampaignMark? CampaignFor(FirmwarePart part, UInt128 image, uint at) => _rare is null ? null
        : Array.Find(_rare.Campaigns, c => c.Part == part && c.Image == image
            && Moment.Plus(at, PeriodSlack) >= c.From && at <= Moment.Plus(c.To, PeriodSlack));

    private bool IsVerified(FirmwarePart part, UInt128 image) => _rare is { } r && part switch
    {
        FirmwarePart.Calibration => Array.Exists(r.Verified, v => v.Calibration == image),
        FirmwarePart.Metrology => Array.Exists(r.Verified, v => v.Image == image),
        _ => false,
    };

    /// <summary>An ordered change waits for its verification; one that nobody ordered is said at once.</summary>
    private void WantVerification(in SecurityScene scene, FirmwarePart part, in PartMark mark, uint at, uint now,
        bool campaign)
    {
        if (campaign || HasOrder(at))
        {
            Rare.Pending = SecurityRare.Append(Rare.Pending, new PendingMark(PendingKind.Verification, part, at,
                Moment.Plus(now, VerificationGrace), 0, mark.Short), SecurityRare.MaxPending);
            return;
        }
        SayMetrology(scene, part, mark.Short, at, now);
    }

    private void SayMetrology(in SecurityScene scene, FirmwarePart part, ulong image, uint at, uint now) =>
        Say(scene, now, new SecurityClaim(FindingKind.UnverifiedMetrologyChange, at, (byte)part,
            SecuritySentences.Metrology(at, part == FirmwarePart.Calibration, image))
        {
            // A calibration is a meter's own.
            Shared = part == FirmwarePart.Calibration ? "" : SharedCauses.Image(image),
        });

    private void JudgeLogged(in SecurityScene scene, CommandKind command, in CakEntry entry, uint now)
    {
        var at = entry.MeterTime;
        var ordered = IsOrdered(command, at, "")
            || command == CommandKind.TransferKey && _keys.Any(k => Near(k.Created, at) || Near(k.Activated, at));
        if (ordered) return;
        Say(scene, now, new SecurityClaim(FindingKind.CommandWithoutOrder, at, (byte)command,
            SecuritySentences.Logged(at, command)));
    }

    /// <summary>The registry's word on a key and the meter's entry lie this close (s).</summary>
    private static bool Near(uint a, uint b) => a != 0 && Math.Abs(Moment.Since(a, b)) <= 6 * Moment.Hour;

    /// <summary>The calibration as it left the factory; both sides may come first.</summary>
    private void CheckSupply(in SecurityScene scene, uint now)
    {
        var lineage = _rare?.Lineage ?? [];
        var changed = Array.Exists(lineage, l => l.Part == FirmwarePart.Calibration);
        if (!IsBaselined || changed || scene.Supply is not { CalibrationDigest.Length: > 0 } supply
            || !Digest.TryParse(supply.CalibrationDigest, out var made)) return;
        var attested = _parts[(int)FirmwarePart.Calibration - 1];
        if (attested.IsNone || attested.Image == made.High || IsVerified(FirmwarePart.Calibration, attested.Image))
            return;
        Say(scene, now, new SecurityClaim(FindingKind.SupplyChainMismatch, _baselinedAt, 0,
            SecuritySentences.Calibration(_baselinedAt, made.Short, attested.Short)));
    }
}
