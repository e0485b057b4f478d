using Twin.Hardware.Attestation;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>One of the two places of a part.</summary>
public enum FirmwareSlot : byte { A = 0, B = 1 }

/// <summary>A run of pages.</summary>
public readonly record struct PageRange(int First, int Count)
{
    public int End => First + Count;
}

/// <summary>
/// What lies where in flash: two pages each for the attestation log and the boot record (one in use, one to swap to),
/// two slots for each upgradeable part, one page for calibration and one for provisioning at the end. The bootloader is
/// in ROM. The application gets what is left: 19 pages a slot of 64, 51 of 128.
/// </summary>
public static class FlashMap
{
    public static readonly PageRange CakLog = new(0, 2), BootRecord = new(2, 2);

    /// <summary>The last two pages.</summary>
    public static int CalibrationPage(int pages) => pages - 2;

    /// <inheritdoc cref="CalibrationPage"/>
    public static int ProvisioningPage(int pages) => pages - 1;

    /// <summary>The parts that have slots, in the order in which they are booted.</summary>
    public static readonly FirmwarePart[] Parts = [FirmwarePart.Cak, FirmwarePart.Metrology, FirmwarePart.Application];

    /// <summary>The pages of a slot: the header's and those of the body.</summary>
    public static PageRange Slot(int pages, FirmwarePart part, FirmwareSlot slot)
    {
        const int cak = 2, metrology = 8, before = 4, behind = 2;
        var application = (pages - before - behind - 2 * cak - 2 * metrology) / 2;
        var (first, count) = part switch
        {
            FirmwarePart.Application => (before, application),
            FirmwarePart.Metrology => (before + 2 * application, metrology),
            FirmwarePart.Cak => (before + 2 * application + 2 * metrology, cak),
            _ => throw new ArgumentOutOfRangeException(nameof(part), $"{part} has no slot: it is in ROM."),
        };
        return new PageRange(first + (slot == FirmwareSlot.B ? count : 0), count);
    }

    public static FirmwareSlot Other(FirmwareSlot slot) => slot == FirmwareSlot.A ? FirmwareSlot.B : FirmwareSlot.A;
}
