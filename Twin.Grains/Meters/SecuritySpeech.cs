using Twin.Detection;
using Twin.Detection.Specification;
using Twin.Hardware;

namespace Twin.Grains.Meters;

// How security state speaks: findings at once, letters at the next sweep.
internal sealed partial class MeterSecurity
{
    /// <summary>
    /// States a failed check, unless the same kind and cause was stated within the rule's days of event time.
    /// </summary>
    private void Say(in SecurityScene scene, uint now, SecurityClaim claim)
    {
        _failed |= CheckOf(claim.Kind);
        _done |= CheckOf(claim.Kind);
        var day = (int)(claim.From / Moment.Day);
        var said = Rare.Said;
        var at = Array.FindIndex(said, s => s.Kind == claim.Kind && s.Cause == claim.Cause);
        if (at >= 0 && Math.Abs(said[at].Day - day) < SecurityRules.Of(claim.Kind).SilentDays) return;
        if (at >= 0) said = [.. said[..at], .. said[(at + 1)..]];
        Rare.Said = SecurityRare.Append(said, new SaidMark(claim.Kind, claim.Cause, day), SecurityRare.MaxSaid);
        IFindingSink sink = Scratch.Mine.SinkTo(scene.Outbox);
        sink.Add(claim.About(scene.Meter.Twin, scene.Name, Moment.Time(now)));
        NoteEvidence(claim.Kind, claim.Severity ?? SecurityRules.Of(claim.Kind).Severity, now);
        Post(scene, FleetLetterKind.FindingStated, Moment.Time(now), 0, (byte)claim.Kind, 0, false, "");
    }

    private static SecurityChecks CheckOf(FindingKind kind) => kind switch
    {
        FindingKind.WrongKey => SecurityChecks.Signature,
        FindingKind.ChainBroken => SecurityChecks.Chain,
        FindingKind.SequenceGap => SecurityChecks.Sequence,
        FindingKind.LogTruncated => SecurityChecks.Checkpoint,
        FindingKind.StaleNonce => SecurityChecks.Nonce,
        FindingKind.UnauthorisedUpgrade => SecurityChecks.ApprovedImage,
        FindingKind.Downgrade => SecurityChecks.Version,
        FindingKind.AuthenticationFailures or FindingKind.UnprotectedFrames => SecurityChecks.FrameAuthentication,
        FindingKind.CounterRegression or FindingKind.NonceReuse or FindingKind.CounterJump
            => SecurityChecks.FrameCounters,
        FindingKind.KeyCompromised or FindingKind.UntrustedCertificate => SecurityChecks.KeyState,
        FindingKind.FlashDrift => SecurityChecks.FlashPages,
        FindingKind.SealBroken => SecurityChecks.MetrologySeal,
        _ => SecurityChecks.None,
    };

    private void Post(in SecurityScene scene, FleetLetterKind kind, UnixTime at, ulong hash, byte aspect, ulong extra,
        bool flag, string text) =>
        Rare.Post(new FleetLetter(kind, at, hash, aspect, extra, flag, Cut(scene.Name), Cut(text)));

    private static string Cut(string text) => text.Length <= FleetLetter.MaxText ? text
        : text[..(char.IsHighSurrogate(text[FleetLetter.MaxText - 1]) ? FleetLetter.MaxText - 1
            : FleetLetter.MaxText)];

    /// <summary>Device events since the last sweep from which on the fleet hears of a burst: ours.</summary>
    private const int Burst = 20;

    private static bool IsBurst(SecurityRare rare) =>
        rare.Rates.Length > 0 && rare.Rates[SecurityRare.Events].Count >= Burst;

    /// <summary>
    /// Judges what is due and sends what waits. Called when sending is allowed: at a sweep, and when a day closes.
    /// </summary>
    public void Sweep(in SecurityScene scene, uint now)
    {
        JudgeDue(scene, now);
        if (_rare is not { } rare) return;
        if (IsBurst(rare))
        {
            ref var events = ref rare.Rate(SecurityRare.Events);
            Post(scene, FleetLetterKind.EventBurst, Moment.Time(events.From), 0, 0, events.Count, false, "");
        }
        if (rare.Rates.Length > 0) rare.Rate(SecurityRare.Events) = default;
        foreach (var letter in rare.Letters)
        {
            var w = Scratch.Mine.Bytes;
            w.Clear();
            letter.Write(w);
            scene.Outbox.Send(letter.To, w.Written);
        }
        rare.Letters = [];
        Tell(scene, rare);
        if (rare.Rates.Length > 0 && Array.TrueForAll(rare.Rates, r => r.Count == 0)) rare.Rates = [];
        if (rare.IsEmpty) _rare = null;
    }
}
