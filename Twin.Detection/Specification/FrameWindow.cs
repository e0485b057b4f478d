using System.Runtime.CompilerServices;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Specification;

/// <summary>How a frame's counter stands to those seen before.</summary>
public enum FrameVerdict : byte
{
    New = 0,
    /// <summary>Same counter, same bytes: the frame came twice.</summary>
    Repeat = 1,
    /// <summary>Same counter, other bytes: one nonce protected two texts.</summary>
    Reuse = 2,
    /// <summary>Lies before the window: the bytes seen then are in the history only.</summary>
    Below = 3,
    /// <summary>Far ahead of what the meter can have sent meanwhile.</summary>
    Jump = 4,
}

/// <summary>
/// The invocation counters of one key in one direction: the highest seen and a window of <see cref="Size"/> counters
/// with 32 bits of each frame's digest. Invocation counters must never repeat under one key (IEC 62056-5-3, the IV is
/// system title ‖ counter); frames may be lost, doubled and reordered on their way.
/// </summary>
public struct FrameWindow
{
    /// <summary>Counters held below the highest one, it included. An older one is looked up in the history.</summary>
    public const int Size = 32;

    /// <summary>
    /// Frames that a counter may skip at once, and a day: far more than a meter sends. Ours; no standard has one.
    /// </summary>
    public const uint JumpFrames = 10_000, JumpFramesPerDay = 2_000;

    /// <summary>
    /// From here on the key must be changed: 2^24 frames are left, years for a meter. Ours; after 2^32−1 the standard
    /// lets nothing be sent.
    /// </summary>
    public const uint NearEnd = uint.MaxValue - (1u << 24);

    /// <summary>A replaced key's frames may be on their way this long (s).</summary>
    public const uint RetiredFor = 2 * Moment.Day;

    /// <summary>Counters behind a replaced key's last one that are still taken for its own.</summary>
    private const uint RetiredReach = 4_096;

    public KeySlot Key;
    public FrameDirection Direction;

    /// <summary>When the key was replaced; 0 while it is in force.</summary>
    public uint RetiredAt;
    public uint Highest;

    /// <summary>Event time of the latest frame; 0 before the first.</summary>
    public uint LastAt;
    private Digests _seen;

    [InlineArray(Size)]
    private struct Digests
    {
        private uint _first;
    }

    public readonly bool IsEmpty => LastAt == 0;

    /// <summary>True when the frame is a known one, or one that is missing among those seen.</summary>
    public readonly bool Fills(uint counter, ulong digest, uint at) => !IsEmpty && counter <= Highest
        && Judge(counter, digest, at) is FrameVerdict.New or FrameVerdict.Repeat;

    /// <summary>True when the counter lies a little ahead of the highest.</summary>
    public readonly bool GoesOn(uint counter) => counter > Highest && counter - Highest <= RetiredReach;

    public readonly FrameVerdict Judge(uint counter, ulong digest, uint at)
    {
        if (IsEmpty) return FrameVerdict.New;
        if (counter > Highest)
        {
            var days = 1 + Math.Max(0, Moment.Since(LastAt, at)) / Moment.Day;
            return counter - Highest > JumpFrames + JumpFramesPerDay * days ? FrameVerdict.Jump : FrameVerdict.New;
        }
        if (Highest - counter >= Size) return FrameVerdict.Below;
        var held = _seen[(int)(counter % Size)];
        return held == 0 ? FrameVerdict.New : held == Mark(digest) ? FrameVerdict.Repeat : FrameVerdict.Reuse;
    }

    /// <summary>Remembers a frame; one before the window changes nothing but the time.</summary>
    public void Take(uint counter, ulong digest, uint at)
    {
        if (IsEmpty) Highest = counter;
        else if (counter > Highest)
        {
            var gone = (int)Math.Min(counter - Highest, Size);
            for (var i = 0; i < gone; i++) _seen[(int)((counter - (uint)i) % Size)] = 0;
            Highest = counter;
        }
        LastAt = Math.Max(LastAt, at);
        if (Highest - counter >= Size) return;
        ref var held = ref _seen[(int)(counter % Size)];
        if (held == 0) held = Mark(digest);
    }

    /// <summary>32 bits of the digest; never 0, which means not seen.</summary>
    private static uint Mark(ulong digest) => Math.Max(1, (uint)(digest >> 32));

    public readonly void Write(ByteWriter to)
    {
        to.Byte((byte)Key);
        to.Byte((byte)Direction);
        to.VarUInt(RetiredAt);
        to.VarUInt(Highest);
        to.VarUInt(LastAt);
        uint seen = 0;
        for (var i = 0; i < Size; i++)
            if (_seen[i] != 0) seen |= 1u << i;
        to.VarUInt(seen);
        for (var i = 0; i < Size; i++)
            if (_seen[i] != 0) to.VarUInt(_seen[i]);
    }

    public static FrameWindow Read(ref ByteReader r)
    {
        var w = new FrameWindow
        {
            Key = (KeySlot)r.Byte(), Direction = (FrameDirection)r.Byte(0, 1), RetiredAt = r.Count32(),
            Highest = r.Count32(), LastAt = (uint)r.Count32(),
        };
        var seen = r.Count32();
        for (var i = 0; i < Size; i++)
            if ((seen & (1u << i)) != 0) w._seen[i] = r.Count32();
        return w;
    }
}
