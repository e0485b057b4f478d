namespace Twin.Hardware.Emulator.Network;

/// <summary>What a man in the middle does with a frame.</summary>
public enum TapAct : byte { Capture = 0, Drop = 1, Delay = 2, Duplicate = 3, Modify = 4 }

/// <summary>
/// A man in the middle on one link: the frames that he picks, and what he does with the first
/// <see cref="MaxActs"/> of them. What he touches he also captures, up to <see cref="MaxCaptured"/> frames; replay and
/// injection are <see cref="MeshNetwork.Inject"/> of captured or made-up bytes.
/// </summary>
public sealed class MeshTap
{
    /// <summary>At this bound he goes on acting and stops keeping.</summary>
    public const int MaxCaptured = 4_096;

    private readonly List<MeshArrival> _captured = [];

    public required MeshLink Link { get; init; }
    public required TapAct Act { get; init; }
    public UnixTime From { get; init; } = new(UnixTime.MinSeconds);

    /// <summary>Exclusive.</summary>
    public UnixTime To { get; init; } = new(UnixTime.MaxSeconds);

    /// <summary>Only frames in this direction, only of or to this meter; null: all.</summary>
    public FrameDirection? Direction { get; init; }
    public int? Meter { get; init; }

    /// <summary>Only frames of such a size in bytes.</summary>
    public int MinBytes { get; init; }
    public int MaxBytes { get; init; } = int.MaxValue;

    /// <summary>Share of the picked frames that he acts on, 0 to 1.</summary>
    public double Share { get; init; } = 1;

    public int MaxActs { get; init; } = 100_000;

    /// <summary>Of <see cref="TapAct.Delay"/>; of a duplicate, how much later it comes. 1 s to 30 days.</summary>
    public int DelaySeconds { get; init; } = 60;

    /// <summary>
    /// Of <see cref="TapAct.Modify"/>: the byte at this place (negative: from the end) is XORed with
    /// <see cref="Xor"/>; frames too short stay as they are.
    /// </summary>
    public int Offset { get; init; } = -1;
    public byte Xor { get; init; } = 0x01;

    public int Acts { get; private set; }

    /// <summary>Frames that he touched, as they were before, with the time and their meter.</summary>
    public IReadOnlyList<MeshArrival> Captured => _captured;

    internal bool Takes(MeshPacket packet, long atMs, SplitMix64 draw)
    {
        var seconds = atMs / 1000;
        if (Acts >= MaxActs || seconds < From.Seconds || seconds >= To.Seconds) return false;
        if (Direction is { } d && d != packet.Direction || Meter is { } m && m != packet.Meter) return false;
        if (packet.Bytes.Length < MinBytes || packet.Bytes.Length > MaxBytes) return false;
        return Share >= 1 || draw.NextDouble() < Share;
    }

    internal void Note(MeshPacket packet, long atMs, int concentrator)
    {
        Acts++;
        if (_captured.Count < MaxCaptured)
            _captured.Add(new MeshArrival(atMs, packet.Direction, packet.Meter, concentrator, packet.Bytes));
    }

    internal byte[] Modified(byte[] bytes)
    {
        var at = Offset < 0 ? bytes.Length + Offset : Offset;
        if (at < 0 || at >= bytes.Length) return bytes;
        var changed = (byte[])bytes.Clone();
        changed[at] ^= Xor;
        return changed;
    }

    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    internal void Validate()
    {
        if (DelaySeconds is < 1 or > 30 * 86_400)
            throw new ArgumentException($"A tap delays by 1 s to 30 days, not {DelaySeconds} s.");
        if (Share is not (>= 0 and <= 1)) throw new ArgumentException($"A tap's share is 0 to 1, not {Share}.");
    }
}
