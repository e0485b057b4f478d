using Twin.Hardware.Attestation;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// The kernel's memory, item by item. A test compares it with the fields that there are, so that a new one has to be
/// paid for here. A quote is not in it: the kernel streams it entry by entry through hash and transport, one record at
/// a time, and needs no room for the whole; the emulator hands out the array for convenience.
/// </summary>
public static class CakBudget
{
    public const int FlashLogBytes = Flash.PageBytes, FlashSwapBytes = Flash.PageBytes, RamBytes = 2048;

    /// <summary>A pointer of the 32-bit core.</summary>
    public const int PointerBytes = 4;

    /// <summary>Fields of <see cref="CakKernel"/> in bytes as a 32-bit core lays them out.</summary>
    public static readonly (string Field, int Bytes)[] Kernel =
    [
        ("_flash", PointerBytes), ("_vault", PointerBytes), ("_log", PointerBytes),
        ("_state", CakQuote.Parts * CakKernel.PartBytes), ("_tally", 6 * 2), ("_headEnd", PointerBytes + 96),
        ("_systemTitle", 8), ("_baseSeq", 4), ("_baseHead", Digest.Size), ("_seq", 4), ("_head", Digest.Size),
        ("_counters", CakKernel.CounterBytes), ("_lifeCycle", 1), ("_damaged", 1),
    ];

    /// <summary>Fields of the log beneath it; its layout is constant and in flash.</summary>
    public static readonly (string Field, int Bytes)[] Log =
        [("_page", 1), ("_generation", 4), ("_used", 1), ("_copied", 1)];

    /// <summary>Buffers at the deepest point, a truncation: none of them lives longer than its call.</summary>
    public static readonly (string Buffer, int Bytes)[] Working =
    [
        ("page header, read and written", 2 * CakKernel.HeaderBytes),
        ("record, read and written", 2 * (CakEntry.Size + 8)),
        ("head and entry, to hash", Digest.Size + CakEntry.Size), ("hash state of the crypto unit", 112),
        ("checkpoint with signature", CakCheckpoint.SignedBytes + 96), ("tail", 192),
    ];

    /// <summary>All of it, bytes.</summary>
    public static int Total => Kernel.Sum(k => k.Bytes) + Log.Sum(l => l.Bytes) + Working.Sum(w => w.Bytes);
}
