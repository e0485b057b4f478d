using Twin.Hardware.Crypto;
using Twin.Hardware.Events;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>What meters of a kind have in common. One object serves a whole fleet, on any number of threads.</summary>
public sealed record MeterSpec
{
    public required ChipSpec Chip { get; init; }

    /// <summary>Images of the factory: kernel, metrology and application.</summary>
    public required IReadOnlyList<FirmwareImage> Images { get; init; }

    /// <summary>Countersigns checkpoints and signs reaction tables; P-256.</summary>
    public required EcPublicKey HeadEndKey { get; init; }

    /// <summary>System title of the head-end: from nobody else are commands taken.</summary>
    public required ulong HeadEndTitle { get; init; }

    public FirmwareShelf Shelf { get; init; } = new();

    /// <summary>Companion profile whose event codes the meter speaks.</summary>
    public string EventProfile { get; init; } = EventProfiles.Dsmr;

    /// <summary>Capture period; divides the day.</summary>
    public int IntervalMinutes { get; init; } = 30;

    /// <summary>How often readings are pushed, minutes; divides the day and is a multiple of the interval.</summary>
    public int PushMinutes { get; init; } = 1_440;

    public byte ControlMode { get; init; } = 4;

    /// <summary>Metrology on a board of its own: the wire between the boards can be tapped.</summary>
    public bool IsDualBoard { get; init; }

    /// <summary>The password alone is enough to write at the optical port, as in old meters.</summary>
    public bool PasswordMayWrite { get; init; }

    /// <summary>The seal of the metrology core travels in each load profile.</summary>
    public bool PushesSeals { get; init; } = true;

    /// <summary>The table that the factory puts in.</summary>
    public ReactionTable ReactionTable { get; init; } = ReactionTable.Default;

    /// <summary>Bytes of a block of image transfer.</summary>
    public int ImageBlockBytes { get; init; } = 1_024;

    /// <summary>DLMS security suite that goes with the chip's curve.</summary>
    public int Suite => Chip.Curve == NistCurve.P384 ? 2 : 1;
}
