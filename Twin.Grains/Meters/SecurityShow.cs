using System.Globalization;
using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Grains.Meters;

// The state for people, and as an attestation result.
internal sealed partial class MeterSecurity
{
    private static readonly (SecurityChecks Check, string Name)[] CheckNames =
    [
        (SecurityChecks.Signature, "quote signature"), (SecurityChecks.Chain, "log chain"),
        (SecurityChecks.Sequence, "log sequence"), (SecurityChecks.Checkpoint, "log checkpoint"),
        (SecurityChecks.Nonce, "fresh nonce"), (SecurityChecks.ApprovedImage, "approved image"),
        (SecurityChecks.Version, "version"), (SecurityChecks.FlashPages, "flash pages"),
        (SecurityChecks.FrameAuthentication, "frame authentication"),
        (SecurityChecks.FrameCounters, "frame counters"), (SecurityChecks.KeyState, "key state"),
        (SecurityChecks.MetrologySeal, "metrology seal"),
    ];

    /// <param name="id">Whose state it is.</param>
    /// <param name="readingScore">Anomaly of the last judged day, 0 upward; NaN before the first.</param>
    public SecurityView View(MeterId id, double readingScore)
    {
        var rare = _rare ?? new SecurityRare();
        var open = Array.FindLast(_challenges, c => c.AnsweredAt == 0).IssuedAt;
        return new SecurityView(_stage, _attestedStageKnown ? _attestedStage : null, Moment.TimeOrNull(_baselinedAt),
            Moment.TimeOrNull(_quoteAt), Moment.TimeOrNull(_freshAt), Moment.TimeOrNull(_unverifiedAt),
            Moment.TimeOrNull(open), _seq, IsBaselined ? _head.ToString() : "", PartViews(),
            [.. rare.Lineage.Where(l => l.Source != LineageSource.Baseline).Select(StepView)],
            [.. rare.Campaigns.Select(c => new CampaignView(c.Name, c.Part, c.State, Moment.Time(c.Since)))],
            [.. _keys.Select(KeyViewOf)],
            [.. CheckNames.Select(c => new CheckView(c.Name, (_failed & c.Check) != 0 ? false
                : (_done & c.Check) != 0 ? true : null))],
            _switchAt == 0 ? null : _switch, Moment.TimeOrNull(_switchAt),
            _parts[(int)FirmwarePart.ReactionTable - 1].Version, rare.TableVersion, _drift?.Learnt ?? 0,
            Attested(id, readingScore));
    }

    private PartView[] PartViews()
    {
        if (!IsBaselined) return [];
        var views = new PartView[CakQuote.Parts];
        for (var i = 0; i < views.Length; i++)
        {
            var (part, mark) = ((FirmwarePart)(i + 1), _parts[i]);
            views[i] = new PartView(part, Hex(mark.Image), mark.Version, mark.SecurityVersion, SourceOf(part));
        }
        return views;
    }

    /// <summary>What its application was since it was first attested, in the order of time.</summary>
    public FirmwareStep[] ApplicationSteps()
    {
        if (!IsBaselined) return [];
        var marks = Array.FindAll(_rare?.Lineage ?? [], l => l.Part == FirmwarePart.Application);
        Array.Sort(marks, (a, b) => a.At.CompareTo(b.At));
        if (marks.Length == 0) return [StepOf(_baselinedAt, _parts[(int)FirmwarePart.Application - 1])];
        return [.. marks.Select(m => StepOf(m.At, m.Mark))];
    }

    private static FirmwareStep StepOf(uint at, in PartMark mark) =>
        new((int)(Moment.Time(at).Seconds / 86_400), "", Hex(mark.Image), mark.Version);

    private LineageSource SourceOf(FirmwarePart part)
    {
        var last = Array.FindLast(_rare?.Lineage ?? [], l => l.Part == part);
        return last.At == 0 ? LineageSource.Baseline : last.Source;
    }

    private LineageStepView StepView(LineageMark l) => new(Moment.Time(l.At), l.Part, Hex(l.Mark.Image),
        l.Mark.Version, l.Source, l.Source == LineageSource.Campaign
            ? CampaignFor(l.Part, l.Mark.Image, l.At)?.Name ?? "" : "");

    private KeyView KeyViewOf(KeyMark k) => new(k.Slot, k.Suite,
        k.Fingerprint == 0 ? "" : k.Fingerprint.ToString("x16", CultureInfo.InvariantCulture),
        Moment.TimeOrNull(k.Created), Moment.TimeOrNull(k.Activated), Moment.TimeOrNull(k.LastUse),
        Moment.TimeOrNull(k.Expires), Moment.TimeOrNull(k.CompromisedAt), k.Untrusted,
        HighestOf(k.Slot, FrameDirection.FromMeter), HighestOf(k.Slot, FrameDirection.ToMeter));

    private uint? HighestOf(KeySlot slot, FrameDirection direction)
    {
        foreach (ref readonly var w in _windows.AsSpan())
            if (w.Key == slot && w.Direction == direction && w.RetiredAt == 0 && !w.IsEmpty) return w.Highest;
        return null;
    }

    private static string Hex(UInt128 image) => image.ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>
    /// What a relying party is told (EAR, AR4SI): executables from the lineage, sourced data from the readings and
    /// the seals of the metrology. An
    /// image that was accepted on trust is neither affirmed nor doubted. Null before the first quote.
    /// </summary>
    private AttestationResult? Attested(MeterId id, double readingScore)
    {
        if (!IsBaselined) return null;
        var identity = (_failed & SecurityChecks.Signature) != 0 ? TrustClaim.CryptoValidationFailed
            : (_failed & SecurityChecks.KeyState) != 0 ? TrustClaim.UntrustworthyInstance
            : TrustClaim.TrustworthyInstance;
        var table = _rare is { TableVersion: not 0 } r
            ? r.TableVersion == _parts[(int)FirmwarePart.ReactionTable - 1].Version : (bool?)null;
        var configuration = table switch
        {
            true => TrustClaim.ApprovedConfig,
            false => TrustClaim.UnsafeConfig,
            null => TrustClaim.None,
        };
        var tampered = (_failed & SecurityChecks.FlashPages) != 0
            || _rare is { } rare && Array.Exists(rare.Said, s => s.Kind == FindingKind.Tamper);
        var hardware = tampered ? TrustClaim.UnsafeHardware : TrustClaim.GenuineHardware;
        var newest = Array.FindLast(_challenges, c => c.AnsweredAt != 0).Nonce;
        return new AttestationResult(id.Value, Moment.Time(_quoteAt), newest,
            new AttestationSubmodule("application", identity, configuration, Executables(FirmwarePart.Application),
                hardware, TrustClaim.None),
            new AttestationSubmodule("metrology", identity, configuration, Executables(FirmwarePart.Metrology),
                hardware, (_failed & SecurityChecks.MetrologySeal) != 0 ? TrustClaim.ContraindicatedSources
                    : Sourced(readingScore)));
    }

    /// <summary>A log that was rewritten says nothing about what ran.</summary>
    private sbyte Executables(FirmwarePart part)
    {
        const SecurityChecks log = SecurityChecks.Chain | SecurityChecks.Sequence | SecurityChecks.Checkpoint;
        if ((_failed & log) != 0) return TrustClaim.ContraindicatedRuntime;
        return SourceOf(part) switch
        {
            LineageSource.Unauthorised => TrustClaim.UnrecognisedRuntime,
            LineageSource.Baseline => TrustClaim.None,
            _ => TrustClaim.ApprovedRuntime,
        };
    }

    /// <summary>A day's score of 1 is a finding: s ÷ (1 + s) puts it at the result's warning, 9 at its worst.</summary>
    private static sbyte Sourced(double score) => double.IsNaN(score) ? TrustClaim.None
        : (score / (1 + score)) switch
        {
            >= AttestationResult.ContraindicatedScore => TrustClaim.ContraindicatedSources,
            >= AttestationResult.WarningScore => TrustClaim.UntrustedSources,
            _ => TrustClaim.TrustedSources,
        };
}
