using System.Buffers.Binary;
using Twin.Hardware.Attestation;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>How a slot came to be the active one; the number is in flash.</summary>
public enum SlotOrigin : byte
{
    Factory = 0,
    /// <summary>An activation was asked for, and its image was taken.</summary>
    Activated = 1,
    /// <summary>The other slot's image was refused, or gave no sign of life.</summary>
    FellBack = 2,
}

/// <summary>
/// What the bootloader remembers of a part. <paramref name="ImagePrefix"/>: first 4 bytes of the image's digest when
/// the slot became active. <paramref name="Attempts"/>: boots since an activation that was not confirmed; 0 when it
/// was.
/// </summary>
internal readonly record struct SlotChoice(FirmwareSlot Active, SlotOrigin Origin, uint ImagePrefix, bool Pending,
    byte Attempts);

/// <summary>
/// The boot record: slot choices of the three parts in a flash log, one record a change. Full, it is swapped to the
/// other page with nothing but the present choices.
/// </summary>
internal sealed class BootRecord(Flash flash)
{
    private const uint Magic = 0x5A425231; // "ZBR1"
    private const int ChoiceBytes = 8, Parts = 3;

    private readonly FlashLog _log = new(flash, FlashMap.BootRecord, Magic, Parts * ChoiceBytes, 1 + ChoiceBytes, 0);
    private readonly SlotChoice[] _choices = new SlotChoice[Parts];

    /// <summary>Reads the record; a chip without one gets an empty one.</summary>
    public void Start()
    {
        Array.Clear(_choices);
        Span<byte> header = stackalloc byte[Parts * ChoiceBytes], record = stackalloc byte[1 + ChoiceBytes];
        if (!_log.TryOpen())
        {
            Swap();
            return;
        }
        _log.ReadHeader(header);
        for (var i = 0; i < Parts; i++) _choices[i] = Read(header[(i * ChoiceBytes)..]);
        for (var slot = 0; slot < _log.Used; slot++)
            if (_log.Read(slot, record) == SlotState.Committed && record[0] < Parts)
                _choices[record[0]] = Read(record[1..]);
    }

    public SlotChoice this[FirmwarePart part] => _choices[Index(part)];

    /// <summary>Stores a choice; durable when this returns.</summary>
    /// <exception cref="PowerLossException">The supply failed; the choice may or may not count.</exception>
    public void Set(FirmwarePart part, SlotChoice choice)
    {
        var index = Index(part);
        if (_choices[index] == choice) return;
        if (_log.Free == 0) Swap();
        Span<byte> record = stackalloc byte[1 + ChoiceBytes];
        record[0] = (byte)index;
        Write(choice, record[1..]);
        _log.Append(record);
        _choices[index] = choice;
    }

    private void Swap()
    {
        Span<byte> header = stackalloc byte[Parts * ChoiceBytes];
        for (var i = 0; i < Parts; i++) Write(_choices[i], header[(i * ChoiceBytes)..]);
        _log.BeginSwap(header);
        _log.CommitSwap();
    }

    private static int Index(FirmwarePart part) => Array.IndexOf(FlashMap.Parts, part) is >= 0 and var i ? i
        : throw new ArgumentOutOfRangeException(nameof(part), $"{part} has no slots.");

    private static void Write(SlotChoice c, Span<byte> to)
    {
        (to[0], to[1], to[2], to[3]) = ((byte)c.Active, (byte)c.Origin, c.Pending ? (byte)1 : (byte)0, c.Attempts);
        BinaryPrimitives.WriteUInt32BigEndian(to[4..], c.ImagePrefix);
    }

    private static SlotChoice Read(ReadOnlySpan<byte> from) => new((FirmwareSlot)(from[0] & 1), (SlotOrigin)from[1],
        BinaryPrimitives.ReadUInt32BigEndian(from[4..]), from[2] == 1, from[3]);
}
