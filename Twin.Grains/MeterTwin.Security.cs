using Twin.Detection.Specification;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Grains;

// The security side of a meter: its door, and the way of each input to the state that keeps it.
public sealed partial class MeterTwin
{
    /// <summary>Longest input of firmware, keys, frames and commands, a quote apart (bytes).</summary>
    private const int MaxSecurityBytes = 4_096;

    protected override bool WaitsBesides => _security is { Waits: true };

    protected override bool HearsSweeps => true;

    private static bool IsSecurity(InputKind kind) => kind is InputKind.AttestationQuote or InputKind.KeyEvent
        or InputKind.FrameReceived or InputKind.FrameFault or InputKind.Fingerprint or InputKind.Installation
        or InputKind.CommandOutcome or InputKind.Session or InputKind.Reaction or InputKind.CampaignMember
        or InputKind.WorkOrder or InputKind.NonceIssued or InputKind.Reverification
        or InputKind.ReactionTableAssigned or InputKind.LifeCycleChanged or InputKind.CheckpointIssued;

    private Admission AdmitSecurity(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        var kind = Envelope.Read(input).Kind;
        if (Input.EventTime(input) is { } at && AdmitTime(at, kind.ToString()) is
            { Status: AdmissionStatus.Rejected } refusal) return refusal;
        if (kind == InputKind.AttestationQuote)
            return AdmitQuote((AttestationQuote)Input.Read(input), accepted);
        if (input.Length > MaxSecurityBytes)
            return Admission.Reject($"meter {Name}: an input of kind {kind} has {input.Length} bytes; at most "
                + $"{MaxSecurityBytes} are taken, shorten its texts");
        var read = Input.Read(input);
        if (read is FrameReceived frame && IsRepeat(frame, recall)) return Admission.Repeat;
        if (read is KeyEvent { PublicKey.Length: not (0 or 64 or 96) } key)
            return Admission.Reject($"meter {Name}: a public key of {key.PublicKey.Length} bytes is none of P-256 (64) "
                + "or P-384 (96); send X and Y one behind the other");
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    /// <summary>The signature is checked here, once; the verdict is journalled and trusted by every rebuild.</summary>
    private Admission AdmitQuote(AttestationQuote quote, IAccepted accepted)
    {
        var digest = Digest.Of(quote.Quote).Short;
        if (_security is { } s && s.IsDoubled(digest, Moment.Of(quote.At))) return Admission.Repeat;
        var verdict = (_security ?? new MeterSecurity()).Verify(quote.Quote);
        var bytes = Scratch.Mine.More;
        bytes.Clear();
        (quote with { Verdict = verdict }).Write(bytes);
        accepted.Add(bytes.Written, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    /// <summary>
    /// A frame that was seen before, byte for byte: in the window, or further back in the history.
    /// </summary>
    private bool IsRepeat(FrameReceived f, IRecall recall) => _security?.Judge(f) switch
    {
        FrameVerdict.Repeat => true,
        FrameVerdict.Below => recall.TryFindFrame(Meter, f.Key, f.Direction, f.Counter, out var digest)
            && digest == f.BytesDigest,
        _ => false,
    };

    private void ApplySecurity(Input input, IOutbox outbox)
    {
        var security = _security ??= new MeterSecurity();
        var scene = SceneOf(outbox);
        switch (input)
        {
            case DeviceEvent e: security.Apply(scene, e); break;
            case AttestationQuote q: security.Apply(scene, q); break;
            case KeyEvent k: security.Apply(scene, k); break;
            case FrameReceived f: security.Apply(scene, f); break;
            case FrameFault f: security.Apply(scene, f); break;
            case Fingerprint f: security.Apply(scene, f); break;
            case Installation i: security.Apply(scene, i); break;
            case CommandOutcome c: security.Apply(scene, c); break;
            case Session s: security.Apply(scene, s); break;
            case Reaction r: security.Apply(scene, r); break;
            case CampaignMember m: security.Apply(scene, m); break;
            case WorkOrder o: security.Apply(o); break;
            case NonceIssued n: security.Apply(n); break;
            case Reverification v: security.Apply(v); break;
            case ReactionTableAssigned t: security.Apply(t); break;
            case LifeCycleChanged l: security.Apply(l); break;
            case CheckpointIssued c: security.Apply(c); break;
            default: throw new InvalidDataException($"Meter {Name} cannot apply an input of kind {input.Kind}.");
        }
    }

    private SecurityScene SceneOf(IOutbox outbox) => new(this, outbox, _contexts.Spans);

    /// <summary>The registry's row of that time; null when there is none.</summary>
    internal MeterRelation? RelationAt(UnixTime at)
    {
        var row = _relations.At(DayAt(at.Minutes).Number);
        return row.IsNone ? null : row.ToInput(Meter);
    }

    private void HearReadings(long endMinute, IOutbox outbox) =>
        _security!.Hear(SceneOf(outbox), Moment.Of(UnixTime.FromMinutes(endMinute)), "it sent readings");
}
