namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// How a mesh behaves. Shares are per frame from end to end, losses per transmission on one hop. Figures are
/// placeholders of the order that narrow-band PLC and sub-GHz meshes show; all are settings, none is a measurement.
/// </summary>
public sealed record MeshOptions
{
    /// <summary>Layers of relays below a concentrator, 1 to 8: a meter is at most so many hops away.</summary>
    public int MaxDepth { get; init; } = 5;

    /// <summary>Mean time of one hop and of the backhaul, milliseconds; a hop takes 0.5 to 1.5 times that.</summary>
    public int HopMs { get; init; } = 400;
    public int BackhaulMs { get; init; } = 120;

    /// <summary>Chance that a transmission on one hop is lost, 0 to 0.9; links differ by half of it.</summary>
    public double HopLoss { get; init; } = 0.05;

    /// <summary>Transmissions of a frame on one hop before the node looks for another neighbour.</summary>
    public int MaxTries { get; init; } = 4;

    /// <summary>Pauses of <see cref="WaitSeconds"/> for a route before a node gives a frame up.</summary>
    public int MaxWaits { get; init; } = 20;
    public int WaitSeconds { get; init; } = 90;

    /// <summary>Share of frames that arrive twice, 0 to 1: an acknowledgement was lost.</summary>
    public double DuplicateShare { get; init; } = 0.01;

    /// <summary>
    /// Share of frames that are held back, 0 to 1, by up to <see cref="ReorderSeconds"/>, so that later ones overtake.
    /// </summary>
    public double ReorderShare { get; init; } = 0.02;
    public int ReorderSeconds { get; init; } = 3_600;

    /// <summary>Frames of one meter under way; a further one is refused by its modem and counted as lost.</summary>
    public int MaxUnderWay { get; init; } = 256;

    /// <summary>Frames that a concentrator keeps while its backhaul is down; then the oldest is lost.</summary>
    public int MaxStored { get; init; } = 20_000;

    /// <summary>Pause between stored frames when the backhaul is back, milliseconds.</summary>
    public int DrainMs { get; init; } = 5;

    /// <exception cref="ArgumentException">An option is out of its range; the message names it.</exception>
    public void Validate()
    {
        Check(MaxDepth is >= 1 and <= 8, $"the depth must be 1 to 8, not {MaxDepth}");
        Check(HopMs is >= 1 and <= 60_000, $"a hop must take 1 to 60000 ms, not {HopMs}");
        Check(BackhaulMs is >= 1 and <= 60_000, $"the backhaul must take 1 to 60000 ms, not {BackhaulMs}");
        Check(HopLoss is >= 0 and <= 0.9, $"the loss on a hop must be 0 to 0.9, not {HopLoss}");
        Check(MaxTries is >= 1 and <= 16, $"tries must be 1 to 16, not {MaxTries}");
        Check(MaxWaits is >= 0 and <= 1_000, $"waits must be 0 to 1000, not {MaxWaits}");
        Check(WaitSeconds is >= 1 and <= 3_600, $"a wait must be 1 to 3600 s, not {WaitSeconds}");
        Check(DuplicateShare is >= 0 and <= 1, $"the share of duplicates must be 0 to 1, not {DuplicateShare}");
        Check(ReorderShare is >= 0 and <= 1, $"the share held back must be 0 to 1, not {ReorderShare}");
        Check(ReorderSeconds is >= 1 and <= 86_400, $"frames are held back 1 to 86400 s, not {ReorderSeconds}");
        Check(MaxUnderWay is >= 1 and <= 65_536, $"frames under way must be 1 to 65536, not {MaxUnderWay}");
        Check(MaxStored is >= 1 and <= 10_000_000, $"stored frames must be 1 to 10000000, not {MaxStored}");
        Check(DrainMs is >= 1 and <= 60_000, $"the drain pause must be 1 to 60000 ms, not {DrainMs}");
    }

    private static void Check(bool holds, string message)
    {
        if (!holds) throw new ArgumentException($"The mesh cannot be made: {message}.");
    }
}
