namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// A place where frames pass from hand to hand: the link between a meter's modem and the neighbour that relays for it,
/// or the backhaul of a concentrator. A man in the middle sits on one.
/// </summary>
public readonly record struct MeshLink
{
    private readonly int _number;
    private MeshLink(int number) => _number = number;

    /// <summary>All that the meter's modem sends up, for itself and for others, and all that it is sent.</summary>
    public static MeshLink Above(int meter) => new(meter + 1);

    public static MeshLink Backhaul(int concentrator) => new(-concentrator - 1);

    public bool IsBackhaul => _number < 0;
    public int Meter => _number - 1;
    public int Concentrator => -_number - 1;
    public override string ToString() => IsBackhaul ? $"backhaul {Concentrator}" : $"meter {Meter}";
}

/// <summary>
/// A frame at the end of its way: at the head-end (<see cref="FrameDirection.FromMeter"/>) or at the meter.
/// <paramref name="AtMs"/>: milliseconds since 1970.
/// </summary>
public readonly record struct MeshArrival(long AtMs, FrameDirection Direction, int Meter, int Concentrator,
    byte[] Bytes)
{
    public UnixTime At => new(AtMs / 1000);
}

/// <summary>Why a frame did not arrive.</summary>
public enum MeshLoss : byte
{
    NoRoute = 0, PowerCut = 1, ModemFull = 2, StoreFull = 3, Dropped = 4,
    /// <summary>The concentrator does not let it down to its meter.</summary>
    Barred = 5,
}

/// <summary>
/// What a concentrator lets down to a meter. Its session with the head-end is authenticated, so that it tells the
/// head-end's frames from others; what is in them it cannot read.
/// </summary>
public enum DownlinkRule : byte
{
    Open = 0,
    /// <summary>Only what came over the session with the head-end.</summary>
    OwnOnly = 1,
    /// <summary>Of that only challenges, checkpoints, keys, load profiles, and what a response orders.</summary>
    RecoveryOnly = 2,
}

/// <summary>
/// Where every frame went: what was sent, copied by the mesh or a man in the middle, and injected is delivered, lost or
/// under way.
/// </summary>
public sealed class MeshTotals
{
    private readonly long[] _lost = new long[6];

    public long Sent { get; internal set; }
    public long Copied { get; internal set; }
    public long Injected { get; internal set; }
    public long Delivered { get; internal set; }
    public long UnderWay { get; internal set; }
    public long HeldBack { get; internal set; }
    public long Rerouted { get; internal set; }
    public long Retransmissions { get; internal set; }

    /// <summary>Most frames that any concentrator's store, or the head-end's for it, held at one time.</summary>
    public int PeakStored { get; internal set; }

    public long Lost(MeshLoss reason) => _lost[(int)reason];
    public long AllLost => _lost.Sum();

    /// <summary>Holds at any time.</summary>
    public bool IsBalanced => Sent + Copied + Injected == Delivered + AllLost + UnderWay;

    internal void Lose(MeshLoss reason)
    {
        _lost[(int)reason]++;
        UnderWay--;
    }
}

/// <summary>A frame on its way. One object goes from node to node.</summary>
internal sealed class MeshPacket(byte[] bytes, FrameDirection direction, int meter, long sentMs)
{
    public byte[] Bytes { get; set; } = bytes;
    public FrameDirection Direction { get; } = direction;
    public int Meter { get; } = meter;
    public long SentMs { get; } = sentMs;

    /// <summary>The modem that holds it, or −1: the concentrator, −2: the head-end.</summary>
    public int Node { get; set; }
    public const int AtConcentrator = -1, AtHeadEnd = -2;

    /// <summary>On the way down: modems still to pass, the next one last.</summary>
    public Stack<int>? Path { get; set; }

    public bool IsCopy { get; init; }

    /// <summary>The strictest rule that the frame still passes.</summary>
    public DownlinkRule Passes { get; init; }
    public int Waits { get; set; }

    /// <summary>A bit for each tap that has had its turn, so that nothing is delayed for ever.</summary>
    public uint Tapped { get; set; }

    public MeshPacket Copy() => new(Bytes, Direction, Meter, SentMs)
    {
        Node = Node, IsCopy = true, Tapped = Tapped, Passes = Passes,
        Path = Path is null ? null : new Stack<int>(Path.Reverse()),
    };
}
