using Twin.Hardware;

namespace Twin.Grains.Fleet;

/// <summary>
/// The door of twins that take verdicts on findings about themselves. Those of feeders, concentrators and the fleet are
/// kept in the journal and move nothing: such findings follow from what cannot be otherwise, or from a balance.
/// </summary>
internal static class Verdicts
{
    /// <summary>Takes a verdict; anything else is refused with what may come instead.</summary>
    public static Admission Admit(ReadOnlySpan<byte> input, string twin, string refusal, IAccepted accepted)
    {
        if (Envelope.Read(input).Kind != InputKind.Verdict || Input.Read(input) is not Verdict verdict)
            return Admission.Reject($"{twin}: {refusal}");
        if (verdict.Refusal() is { } reason) return Admission.Reject($"{twin}: {reason}");
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }
}
