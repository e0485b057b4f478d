using System.Globalization;
using Twin.Hardware.Coding;

namespace Twin.Hardware;

// The closed family of inputs, fourth part: what a person found out about a finding.

/// <summary>What a finding turned out to be; the number is stored.</summary>
public enum Outcome : byte
{
    /// <summary>It was right: theft, an attack, a fault.</summary>
    True = 1,
    /// <summary>What it says did happen, and for an innocent reason.</summary>
    Benign = 2,
    /// <summary>Nothing of the kind happened.</summary>
    False = 3,
}

/// <summary>
/// A person's verdict on a finding, addressed to the twin that the finding is about. <paramref name="FindingId"/>: the
/// finding's id as a number; <paramref name="By"/>: who says so; <paramref name="Why"/>: in their own words. A later
/// verdict on the same finding counts besides the earlier one: what people said is not unsaid.
/// </summary>
public sealed record Verdict(TwinKey Subject, UnixTime At, ulong FindingId, FindingKind About, Outcome Outcome,
    string By, string Why) : Input(InputKind.Verdict)
{
    /// <summary>Longest name and reason, characters.</summary>
    public const int MaxText = 400;

    public override TwinKey Target => Subject;

    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.UInt64(FindingId);
        to.Byte((byte)About);
        to.Byte((byte)Outcome);
        to.Text(By);
        to.Text(Why);
    }

    internal static Verdict ReadPayload(TwinKey subject, ref ByteReader r)
    {
        var (at, finding, kind) = (ReadTime(ref r), r.UInt64(), (FindingKind)r.Byte());
        if (!Enum.IsDefined(kind)) throw r.Bad($"finding kind {(byte)kind} is not known to this version");
        return new(subject, at, finding, kind, (Outcome)r.Byte((int)Outcome.True, (int)Outcome.False), r.Text(),
            r.Text());
    }

    /// <summary>Why it cannot be taken; null when it can.</summary>
    public string? Refusal() => By.Length > MaxText || Why.Length > MaxText
        ? $"a verdict's name and reason have at most {MaxText} characters each; shorten them" : null;

    public override string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"finding {FindingId:x16} ({Finding.NameOf(About)}) is {Outcome.ToString().ToLowerInvariant()}")
        + (By.Length > 0 ? $", says {By}" : "") + (Why.Length > 0 ? $": {Why}" : "");
}
