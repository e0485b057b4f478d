using System.Buffers.Binary;
using Twin.Hardware.Attestation;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// A log of records of one size on two flash pages: one in use, one to swap to. Invariant: a record or a page counts
/// when its commit mark is whole, and the mark is programmed last. So a power cut at any byte loses at most the record
/// that was being appended, a cut during a swap leaves the page in use as it was, and opening writes nothing. A slot
/// that a cut left torn is stepped over; the next swap drops it.
/// <para>
/// Page: magic, generation, header, check, mark; then slots of record, check, mark; then a tail that belongs to the
/// owner. The check is the head of a SHA-256 and finds rot. Of two committed pages the higher generation is in use.
/// </para>
/// </summary>
internal sealed class FlashLog(Flash flash, PageRange pages, uint magic, int headerBytes, int recordBytes,
    int tailBytes)
{
    private const int CheckBytes = 4, MarkBytes = 4, Before = 8;
    private static ReadOnlySpan<byte> Mark => [0x5A, 0x00, 0xA5, 0x00];

    private byte _page;
    private uint _generation;
    private byte _used;

    private int FirstSlot => Before + headerBytes + CheckBytes + MarkBytes;
    private int SlotBytes => recordBytes + CheckBytes + MarkBytes;

    /// <summary>Slots of a page.</summary>
    public int Capacity => (Flash.PageBytes - FirstSlot - tailBytes) / SlotBytes;

    /// <summary>Slots used, torn ones included.</summary>
    public int Used => _used;

    public int Free => Capacity - _used;

    /// <summary>The page in use.</summary>
    public int Page => pages.First + _page;

    /// <summary>Where the owner's tail begins.</summary>
    public int Tail => Flash.PageBytes - tailBytes;

    /// <summary>
    /// Finds the page in use and the end of its records; false when neither page is committed: a new chip, or both
    /// damaged.
    /// </summary>
    public bool TryOpen()
    {
        var found = false;
        for (byte p = 0; p < 2; p++)
        {
            if (!TryHeader(pages.First + p, out var generation) || found && generation <= _generation) continue;
            (_page, _generation, found) = (p, generation, true);
        }
        if (!found) return false;
        _used = 0;
        while (_used < Capacity && !IsErased(Page, SlotAt(_used), SlotBytes)) _used++;
        return true;
    }

    /// <summary>The header of the page in use.</summary>
    public void ReadHeader(Span<byte> header) => flash.Read(Page, Before, header[..headerBytes]);

    /// <summary>Reads a slot below <see cref="Used"/>.</summary>
    public SlotState Read(int slot, Span<byte> record)
    {
        Span<byte> rest = stackalloc byte[CheckBytes + MarkBytes];
        flash.Read(Page, SlotAt(slot), record[..recordBytes]);
        flash.Read(Page, SlotAt(slot) + recordBytes, rest);
        if (!rest[CheckBytes..].SequenceEqual(Mark)) return SlotState.Torn;
        return BinaryPrimitives.ReadUInt32BigEndian(rest) == CheckOf(record[..recordBytes])
            ? SlotState.Committed : SlotState.Damaged;
    }

    /// <summary>Appends to the page in use; <see cref="Free"/> is at least 1.</summary>
    /// <exception cref="PowerLossException">The supply failed; the record does not count.</exception>
    public void Append(ReadOnlySpan<byte> record)
    {
        if (Free == 0) throw new InvalidOperationException("The flash log is full: swap first.");
        WriteRecord(Page, _used, record);
        _used++;
    }

    private byte _copied;

    /// <summary>
    /// Erases the other page and writes its header, uncommitted. Records follow by <see cref="Copy"/>.
    /// </summary>
    public void BeginSwap(ReadOnlySpan<byte> header)
    {
        var other = OtherPage;
        flash.Erase(other);
        Span<byte> bytes = stackalloc byte[Before + headerBytes + CheckBytes];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, magic);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], _generation + 1);
        header[..headerBytes].CopyTo(bytes[Before..]);
        var end = Before + headerBytes;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[end..], CheckOf(bytes[..end]));
        flash.Program(other, 0, bytes);
        _copied = 0;
    }

    public void Copy(ReadOnlySpan<byte> record) => WriteRecord(OtherPage, _copied++, record);

    /// <summary>Copies the owner's tail as it is.</summary>
    public void CopyTail()
    {
        Span<byte> tail = stackalloc byte[tailBytes];
        flash.Read(Page, Tail, tail);
        flash.Program(OtherPage, Tail, tail);
    }

    /// <summary>From here on the other page is the one in use.</summary>
    public void CommitSwap()
    {
        flash.Program(OtherPage, FirstSlot - MarkBytes, Mark);
        (_page, _generation, _used) = ((byte)(1 - _page), _generation + 1, _copied);
    }

    private int OtherPage => pages.First + 1 - _page;

    private int SlotAt(int slot) => FirstSlot + slot * SlotBytes;

    private void WriteRecord(int page, int slot, ReadOnlySpan<byte> record)
    {
        Span<byte> bytes = stackalloc byte[recordBytes + CheckBytes];
        record[..recordBytes].CopyTo(bytes);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[recordBytes..], CheckOf(record[..recordBytes]));
        flash.Program(page, SlotAt(slot), bytes);
        flash.Program(page, SlotAt(slot) + bytes.Length, Mark);
    }

    private bool TryHeader(int page, out uint generation)
    {
        Span<byte> bytes = stackalloc byte[FirstSlot];
        flash.Read(page, 0, bytes);
        generation = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        var end = Before + headerBytes;
        return BinaryPrimitives.ReadUInt32BigEndian(bytes) == magic
            && BinaryPrimitives.ReadUInt32BigEndian(bytes[end..]) == CheckOf(bytes[..end])
            && bytes[(end + CheckBytes)..].SequenceEqual(Mark);
    }

    private bool IsErased(int page, int offset, int count)
    {
        Span<byte> bytes = stackalloc byte[count];
        flash.Read(page, offset, bytes);
        return !bytes.ContainsAnyExcept((byte)0xFF);
    }

    private static uint CheckOf(ReadOnlySpan<byte> bytes) => (uint)(Digest.Of(bytes).Short >> 32);
}

/// <summary>What lies in a used slot of a flash log.</summary>
internal enum SlotState : byte
{
    Committed,
    /// <summary>A cut came before the mark: the record does not count.</summary>
    Torn,
    /// <summary>It was committed and has changed since.</summary>
    Damaged,
}
