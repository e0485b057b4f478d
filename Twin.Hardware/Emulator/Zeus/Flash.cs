using System.Security.Cryptography;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// The supply failed in the middle of a flash operation: whatever ran has stopped there. Whoever drives the chip
/// catches it; code on the chip must not, because it is no longer running.
/// </summary>
public sealed class PowerLossException() : Exception("The supply failed during a flash operation. Power the chip on.");

/// <summary>A full page whose content never changes, so that thousands of meters may hold one copy.</summary>
public sealed class FlashPage
{
    private readonly byte[] _bytes;
    private byte[]? _digest;

    private FlashPage(byte[] bytes) => _bytes = bytes;

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>SHA-256 of the page, made once.</summary>
    public ReadOnlySpan<byte> Digest => _digest ??= SHA256.HashData(_bytes);

    internal byte[] Shared => _bytes;

    /// <summary>Copies up to a page of content; the rest is erased flash (FF).</summary>
    public static FlashPage Of(ReadOnlySpan<byte> content)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, Flash.PageBytes);
        var bytes = new byte[Flash.PageBytes];
        content.CopyTo(bytes);
        bytes.AsSpan(content.Length).Fill(0xFF);
        return new FlashPage(bytes);
    }
}

/// <summary>
/// NOR flash in pages of 8 KiB. Erasing sets all bits of a page, programming only clears bits. The supply can be cut
/// after any programmed or erased byte: <see cref="CutAfter"/>. Memory is taken for the part of a page that was
/// written, and not at all for shared pages.
/// </summary>
public sealed class Flash
{
    public const int PageBytes = 8192;

    /// <summary>Pages of the two sizes of the family: 512 KiB and 1 MiB.</summary>
    public const int SmallPages = 64, LargePages = 128;

    /// <summary>Least memory taken for a written page; it doubles up to <see cref="PageBytes"/>.</summary>
    private const int MinHeld = 256;

    /// <summary>What is held of each page: null when erased, shorter than a page when the rest is erased.</summary>
    private readonly byte[]?[] _pages;
    private readonly FlashPage?[] _shared;
    private readonly int[] _erasures;
    private long _budget = long.MaxValue;
    private bool _dead;

    /// <exception cref="ArgumentOutOfRangeException">Neither 64 nor 128 pages.</exception>
    public Flash(int pages = SmallPages)
    {
        if (pages is not (SmallPages or LargePages))
            throw new ArgumentOutOfRangeException(nameof(pages), $"A chip has {SmallPages} or {LargePages} pages.");
        _pages = new byte[pages][];
        _shared = new FlashPage[pages];
        _erasures = new int[pages];
    }

    public int Pages => _pages.Length;

    /// <summary>Bytes programmed or erased since the chip was made: where <see cref="CutAfter"/> can cut.</summary>
    public long BytesWorked { get; private set; }

    /// <summary>How often a page was erased; it stops counting at the largest integer.</summary>
    public int Erasures(int page) => _erasures[page];

    /// <summary>
    /// The supply fails after so many more programmed or erased bytes: the next one throws
    /// <see cref="PowerLossException"/>, and so does every later operation until <see cref="RestorePower"/>.
    /// </summary>
    public void CutAfter(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        _budget = bytes;
    }

    /// <summary>Power is back, and no cut is set.</summary>
    public void RestorePower() => (_budget, _dead) = (long.MaxValue, false);

    public void Read(int page, int offset, Span<byte> destination)
    {
        Check(page, offset, destination.Length);
        var held = _pages[page] is { } bytes && offset < bytes.Length ? bytes.AsSpan(offset) : [];
        var n = Math.Min(held.Length, destination.Length);
        held[..n].CopyTo(destination);
        destination[n..].Fill(0xFF);
    }

    /// <summary>True when every bit of the page is set.</summary>
    public bool IsErased(int page) => _pages[page] is not { } held || !held.AsSpan().ContainsAnyExcept((byte)0xFF);

    /// <summary>The page's content when it is one that meters share, else null.</summary>
    public FlashPage? SharedPage(int page) => _shared[page];

    /// <summary>SHA-256 of a whole page.</summary>
    public byte[] PageDigest(int page)
    {
        if (_shared[page] is { } shared) return shared.Digest.ToArray();
        var bytes = new byte[PageBytes];
        Read(page, 0, bytes);
        return SHA256.HashData(bytes);
    }

    /// <summary>Programs bytes in ascending order. A bit that is 0 stays 0 until the page is erased.</summary>
    /// <exception cref="PowerLossException">
    /// The supply failed; the bytes before that are programmed, of the next one an unforeseeable part of the bits.
    /// </exception>
    public void Program(int page, int offset, ReadOnlySpan<byte> bytes)
    {
        Check(page, offset, bytes.Length);
        if (bytes.IsEmpty) return;
        var n = Take(bytes.Length);
        var held = Own(page, Math.Min(offset + n + 1, PageBytes));
        for (var i = 0; i < n; i++) held[offset + i] &= bytes[i];
        if (n == bytes.Length) return;
        held[offset + n] &= (byte)(bytes[n] | unchecked((byte)Torn(page, offset + n).NextUInt64()));
        Die();
    }

    /// <summary>Programs a whole page; on an erased one the shared content is held, not copied.</summary>
    /// <inheritdoc cref="Program(int, int, ReadOnlySpan{byte})"/>
    public void Program(int page, FlashPage content)
    {
        Check(page, 0, PageBytes);
        if (_budget < PageBytes || !IsErased(page))
        {
            Program(page, 0, content.Bytes);
            return;
        }
        Take(PageBytes);
        _pages[page] = content.Shared;
        _shared[page] = content;
    }

    /// <summary>
    /// Erases a page. A cut leaves the bytes before it erased; those behind it are neither old nor erased: an
    /// unforeseeable part of their bits is set.
    /// </summary>
    /// <exception cref="PowerLossException">The supply failed.</exception>
    public void Erase(int page)
    {
        Check(page, 0, PageBytes);
        var n = Take(PageBytes);
        if (n > 0 && _erasures[page] < int.MaxValue) _erasures[page]++;
        if (n == PageBytes)
        {
            (_pages[page], _shared[page]) = (null, null);
            return;
        }
        if (n > 0)
        {
            var held = Own(page, PageBytes);
            held.AsSpan(0, n).Fill(0xFF);
            var noise = Torn(page, n);
            for (var i = n; i < PageBytes; i++)
            {
                // Half of the torn erasures raise bits at random; the other half leave the rest as it was.
                if (n % 2 == 0) held[i] |= unchecked((byte)noise.NextUInt64());
            }
        }
        Die();
    }

    /// <summary>Flips one bit, as age or radiation does: without power, program or erase.</summary>
    public void Rot(int page, int offset, int bit)
    {
        Check(page, offset, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bit, 7u);
        Own(page, offset + 1)[offset] ^= (byte)(1 << bit);
    }

    /// <summary>
    /// A copy of the content, as whoever reads the chip out has it: with power, no cut set, erasures kept.
    /// </summary>
    public Flash Copy()
    {
        var copy = new Flash(Pages);
        for (var p = 0; p < Pages; p++)
            (copy._pages[p], copy._shared[p]) = (_shared[p] is null ? _pages[p]?.ToArray() : _pages[p], _shared[p]);
        _erasures.CopyTo(copy._erasures, 0);
        return copy;
    }

    /// <summary>Bytes of memory that this chip holds alone: shared pages are not counted.</summary>
    public int HeldBytes()
    {
        var sum = 0;
        for (var p = 0; p < Pages; p++) sum += _shared[p] is null ? _pages[p]?.Length ?? 0 : 0;
        return sum;
    }

    /// <summary>How far the bits got that were being changed when the supply failed.</summary>
    private SplitMix64 Torn(int page, int offset) =>
        new(StableHash.Mix(unchecked((ulong)_erasures[page] << 32 | (uint)(page * PageBytes + offset))));

    private void Die()
    {
        _dead = true;
        throw new PowerLossException();
    }

    private int Take(int bytes)
    {
        if (_dead) throw new PowerLossException();
        var n = (int)Math.Min(bytes, _budget);
        if (_budget != long.MaxValue) _budget -= n;
        BytesWorked += n;
        return n;
    }

    /// <summary>
    /// The page as this chip's own, at least to <paramref name="end"/>: copied off what others share.
    /// </summary>
    private byte[] Own(int page, int end)
    {
        var held = _pages[page];
        if (held is not null && _shared[page] is null && held.Length >= end) return held;
        var size = Math.Max(MinHeld, held?.Length ?? 0);
        while (size < end) size *= 2;
        var own = new byte[size];
        held?.CopyTo(own, 0);
        own.AsSpan(held?.Length ?? 0).Fill(0xFF);
        _pages[page] = own;
        _shared[page] = null;
        return own;
    }

    private void Check(int page, int offset, int count)
    {
        if ((uint)page >= (uint)Pages || (uint)offset > PageBytes || count > PageBytes - offset)
            throw new ArgumentOutOfRangeException(nameof(page),
                $"Flash has {Pages} pages of {PageBytes} bytes; asked for {count} bytes at {offset} of page {page}.");
    }
}
