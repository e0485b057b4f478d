using Twin.Detection;
using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

/// <summary>The strongest evidence of one nature, and when it came: what is left of it fades.</summary>
internal struct EvidenceMark
{
    public uint At;
    public byte Strength;

    /// <summary>0 to 1, on a day.</summary>
    public readonly float On(int day) =>
        At == 0 ? 0 : Fusion.Faded(Strength / 255f, day - (int)(At / Moment.Day));

    /// <summary>Kept when it is stronger than what is left of the one before.</summary>
    public void Note(uint at, float strength)
    {
        if (strength < On((int)(at / Moment.Day))) return;
        (At, Strength) = (at, (byte)(255 * strength));
    }

    public readonly void Write(ByteWriter to)
    {
        to.VarUInt(At);
        to.Byte(Strength);
    }

    public static EvidenceMark Read(ref ByteReader r) => new() { At = r.Count32(), Strength = r.Byte() };
}

// What security findings say to the judgement of consumption.
internal sealed partial class MeterSecurity
{
    private EvidenceMark _physical, _cyber;

    /// <summary>Evidence besides consumption, on a local day.</summary>
    public OtherEvidence EvidenceAt(int day) => new(_physical.On(day), _cyber.On(day));

    private void NoteEvidence(FindingKind kind, Severity severity, uint at)
    {
        if (Fusion.NatureOf(kind) is not { } nature) return;
        if (nature == Nature.Physical) _physical.Note(at, Fusion.StrengthOf(severity));
        else _cyber.Note(at, Fusion.StrengthOf(severity));
    }
}
