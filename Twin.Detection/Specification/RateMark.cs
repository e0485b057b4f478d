using Twin.Hardware.Coding;

namespace Twin.Detection.Specification;

/// <summary>
/// Counts what comes within a window of event time. A window begins with the first event after the last one ended; an
/// event from before the window (backfill) is counted in it, because its own is gone.
/// </summary>
public struct RateMark
{
    public uint From;
    public ushort Count;

    /// <summary>Counts one; the number within the window of that many seconds.</summary>
    public int Add(uint at, uint seconds)
    {
        if (From == 0 || Moment.Since(From, at) > seconds) (From, Count) = (at, 0);
        if (Count < ushort.MaxValue) Count++;
        return Count;
    }

    public readonly void Write(ByteWriter to)
    {
        to.VarUInt(From);
        to.VarUInt(Count);
    }

    public static RateMark Read(ref ByteReader r) =>
        new() { From = r.Count32(), Count = (ushort)r.Count(ushort.MaxValue) };
}
