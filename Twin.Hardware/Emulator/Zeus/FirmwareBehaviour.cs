using Twin.Hardware.Attestation;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// How an image behaves, attached to it by its digest: signed and genuine firmware may still misbehave, and no
/// signature shows it. All zero is honest. What goes into readings is only what the application tells; the metrology
/// core's seal over the same period does not change.
/// </summary>
public sealed record FirmwareBehaviour
{
    public static FirmwareBehaviour Honest { get; } = new();

    /// <summary>Milliseconds that answers take longer.</summary>
    public int ExtraLatencyMs { get; init; }

    /// <summary>Bytes that it sends with each push beyond what is asked.</summary>
    public int ExtraFrameBytes { get; init; }

    public float ExtraRetriesPerDay { get; init; }
    public float ExtraTransmitSecondsPerDay { get; init; }

    /// <summary>Steers the clock so, parts per million on top of its own drift.</summary>
    public double ClockDriftPpm { get; init; }

    /// <summary>
    /// Log entries of <see cref="Events.MeterEventKind.ConfigurationChanged"/> that it invents a day.
    /// </summary>
    public int ExtraEventsPerDay { get; init; }

    /// <summary>Asks the metrology core to open the switch at this time: a time bomb.</summary>
    public UnixTime? OpensSwitchAt { get; init; }

    /// <summary>Thousandths of what is measured that it tells; 1000 is honest.</summary>
    public int ToldPermille { get; init; } = 1_000;

    /// <summary>
    /// Thousandths of the metrology's noise that is left in what it shows; 1000 is honest. Values that were smoothed or
    /// made up have less noise than any sensor.
    /// </summary>
    public int NoisePermille { get; init; } = 1_000;

    /// <summary>Restarts itself so often a day, by its watchdog: the boot counters explain each of them.</summary>
    public int RestartsPerDay { get; init; }

    /// <summary>Says nothing any more, from the first boot on.</summary>
    public bool IsMute { get; init; }

    /// <summary>Hangs at each boot and never confirms itself: the bootloader falls back after some boots.</summary>
    public bool GivesNoSignOfLife { get; init; }
}

/// <summary>Images and their behaviour, shared by a fleet. Images that are not in it are honest.</summary>
public sealed class FirmwareShelf
{
    /// <summary>Images that are known by their bytes, so that meters share the pages; more are not shared.</summary>
    public const int MaxImages = 256;

    private readonly Dictionary<Digest, FirmwareImage> _images = [];
    private readonly Dictionary<Digest, FirmwareBehaviour> _behaviours = [];

    /// <summary>Adds an image, so that meters that receive its bytes share its pages.</summary>
    public void Add(FirmwareImage image)
    {
        if (_images.Count < MaxImages) _images[Digest.Of(image.ToBytes())] = image;
    }

    /// <summary>Says how an image behaves.</summary>
    public void Add(FirmwareImage image, FirmwareBehaviour behaviour)
    {
        Add(image);
        _behaviours[image.Digest] = behaviour;
    }

    public FirmwareBehaviour Of(Digest image) => _behaviours.GetValueOrDefault(image, FirmwareBehaviour.Honest);

    /// <summary>The image that these bytes are, shared when it is known.</summary>
    internal ImageFault TryTake(ReadOnlySpan<byte> bytes, out FirmwareImage image)
    {
        if (!_images.TryGetValue(Digest.Of(bytes), out image!)) return FirmwareImage.TryParse(bytes, out image);
        return ImageFault.None;
    }
}
