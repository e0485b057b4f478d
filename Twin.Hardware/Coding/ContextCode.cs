using System.Numerics;
using System.Runtime.CompilerServices;

namespace Twin.Hardware.Coding;

/// <summary>
/// Entropy code of consecutive days of one series: each value's distance from the least one is coded relative to what
/// its neighbours in time lead to expect, by Huffman codes (1952) chosen by context.
/// <para>
/// The expectation is (2·previous + the one before + same slot of the day before) / 4. Its magnitude gives the step, a
/// power of two from an eighth to a quarter of it; its leading three bits, and whether the three neighbours differ by
/// more than the expectation, give one of 16 codes. A code covers the quotient by the step; the remainder follows as
/// plain bits. The codes know ratios only, not the size of a household, so one set serves all; it was fitted to
/// half-hourly household loads (fitted to every other of 409 homes, it did as well on the rest). A series unlike them
/// costs more and then falls back to <see cref="ValueCodec"/>.
/// </para>
/// </summary>
internal static class ContextCode
{
    private const int Symbols = 32;
    private const int DirectSymbols = 24;
    private const int RawSymbol = 31;
    private const int MaxLength = 10;

    /// <summary>
    /// Code lengths in bits, a hexadecimal digit a symbol. Symbols 0 to 23 are quotients; 24 to 30 stand for quotients
    /// from 24 on, in groups of 1, 2, 4 … 64; 31 for a distance written in 32 bits. Part of the stored format: never
    /// change one.
    /// </summary>
    private static readonly string[] Lengths =
    [
        "15888878888887888887888887654443",
        "32356665677778778776776766544566",
        "64225666767777877777777787644566",
        "75323456655797777898887787554566",
        "543223556677888889999aaaa99889aa",
        "54433234556677888899999aa98888aa",
        "55443333445566777788888898777889",
        "55544333345556677778888898777789",
        "12777777899999888988998777654687",
        "32355565688788777767767776544577",
        "32445555667776777777776766644577",
        "43444555666666666767666676543567",
        "33333444556667778888899998878899",
        "33334444555666677777888898777889",
        "43333444555666677777888888777899",
        "44433444455556666777777887666788",
    ];

    /// <summary>Per context and symbol: the code, bits reversed, above its length in the low 4 bits.</summary>
    private static readonly ushort[] Codes = new ushort[Lengths.Length * Symbols];

    /// <summary>Per context and next 10 bits: the symbol above its length in the low 4 bits.</summary>
    private static readonly ushort[] Lookup = new ushort[Lengths.Length << MaxLength];

    static ContextCode()
    {
        for (var context = 0; context < Lengths.Length; context++) BuildCanonical(context);
    }

    /// <summary>Canonical Huffman code: shorter codes first, equal lengths in symbol order (RFC 1951, 3.2.2).</summary>
    private static void BuildCanonical(int context)
    {
        var code = 0;
        for (var length = 1; length <= MaxLength; length++, code <<= 1)
        {
            for (var symbol = 0; symbol < Symbols; symbol++)
            {
                if (Convert.ToInt32(Lengths[context][symbol..(symbol + 1)], 16) != length) continue;
                var reversed = 0;
                for (var bit = 0; bit < length; bit++) reversed |= (code >> bit & 1) << (length - 1 - bit);
                Codes[context * Symbols + symbol] = (ushort)(reversed << 4 | length);
                for (var i = reversed; i < 1 << MaxLength; i += 1 << length)
                    Lookup[context << MaxLength | i] = (ushort)(symbol << 4 | length);
                code++;
            }
        }
        if (code != 2 << MaxLength)
            throw new InvalidOperationException($"The code lengths of context {context} form no complete code.");
    }

    /// <summary>The two distances before the current one; they run on from day to day.</summary>
    public struct Past
    {
        public uint Previous;
        public uint BeforePrevious;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (int Context, int Step) Expect(ulong previous, ulong before, ulong dayBefore)
    {
        unchecked
        {
            var expected = (2 * previous + before + dayBefore) >> 2;
            var spread = (ulong)(Math.Abs((long)previous - (long)before) + Math.Abs((long)dayBefore - (long)previous));
            var step = 61 - BitOperations.LeadingZeroCount(expected | 7);
            return ((int)(expected >> step) | (spread > expected ? 8 : 0), step);
        }
    }

    /// <summary>
    /// Appends one day. <paramref name="distances"/> receives the day for the next one's context: a gap counts as the
    /// value before it.
    /// </summary>
    public static void EncodeDay(ReadOnlySpan<int> slots, long least, ReadOnlySpan<uint> dayBefore,
        Span<uint> distances, ref Past past, ref BitWriter to)
    {
        unchecked
        {
            var (previous, before) = (past.Previous, past.BeforePrevious);
            for (var i = 0; i < slots.Length; i++)
            {
                if (slots[i] == ReadingBlock.Missing)
                {
                    distances[i] = previous;
                    continue;
                }
                var distance = (uint)(slots[i] - least);
                var (context, step) = Expect(previous, before, i < dayBefore.Length ? dayBefore[i] : previous);
                Put(ref to, context * Symbols, step, distance);
                distances[i] = distance;
                before = previous;
                previous = distance;
            }
            past = new Past { Previous = previous, BeforePrevious = before };
        }
    }

    private static void Put(ref BitWriter to, int codes, int step, uint distance)
    {
        unchecked
        {
            var quotient = distance >> step;
            ulong extra = distance & ((1u << step) - 1);
            var (symbol, extraBits) = ((int)quotient, step);
            if (quotient >= DirectSymbols)
            {
                var over = quotient - DirectSymbols + 1;
                var group = BitOperations.Log2(over);
                symbol = Math.Min(DirectSymbols + group, RawSymbol);
                extra = symbol == RawSymbol ? distance : extra | (ulong)(over - (1u << group)) << step;
                extraBits = symbol == RawSymbol ? 32 : step + group;
            }
            int entry = Codes[codes + symbol];
            to.Put((ulong)(uint)(entry >> 4) | extra << (entry & 15), (entry & 15) + extraBits);
        }
    }

    /// <summary>
    /// Reads one day into <paramref name="slots"/>, whose gaps are already <see cref="ReadingBlock.Missing"/>.
    /// False: a value is out of range.
    /// </summary>
    public static bool DecodeDay(scoped Span<int> slots, long least, scoped ReadOnlySpan<uint> dayBefore,
        scoped Span<uint> distances, ref Past past, ref BitReader from)
    {
        unchecked
        {
            var bits = from;
            ulong seen = 0;
            var (previous, before) = (past.Previous, past.BeforePrevious);
            distances = distances[..slots.Length];
            var lookup = Lookup;
            for (var i = 0; i < slots.Length; i++)
            {
                if (slots[i] == ReadingBlock.Missing)
                {
                    distances[i] = previous;
                    continue;
                }
                var (context, step) = Expect(previous, before, i < dayBefore.Length ? dayBefore[i] : previous);
                bits.Refill();
                int entry = lookup[context << MaxLength | (int)bits.Peek & ((1 << MaxLength) - 1)];
                bits.Skip(entry & 15);
                var symbol = entry >> 4;
                var distance = symbol < DirectSymbols
                    ? (ulong)(uint)symbol << step | bits.Take(step) : TakeFar(ref bits, symbol, step);
                seen |= distance;
                distances[i] = (uint)distance;
                slots[i] = (int)(least + (long)distance);
                // Over the largest value this is negative, and as unsigned over 32 bits.
                seen |= (ulong)(int.MaxValue - least - (long)distance);
                before = previous;
                previous = (uint)distance;
            }
            past = new Past { Previous = previous, BeforePrevious = before };
            from = bits;
            return seen <= uint.MaxValue;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong TakeFar(scoped ref BitReader bits, int symbol, int step)
    {
        if (symbol == RawSymbol) return bits.Take(32);
        var group = symbol - DirectSymbols;
        var remainder = bits.Take(step);
        return ((ulong)(DirectSymbols - 1 + (1 << group)) + bits.Take(group)) << step | remainder;
    }
}
