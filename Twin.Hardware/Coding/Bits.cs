using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Twin.Hardware.Coding;

/// <summary>
/// Writes bits, least significant first, into a span that must have 8 bytes of room behind the last bit. The methods
/// are small and inlined, so that the state lives in registers.
/// </summary>
internal ref struct BitWriter(Span<byte> to)
{
    private readonly Span<byte> _to = to;
    private ulong _buffer;
    private int _at;
    private int _held;

    /// <summary>Appends the low <paramref name="count"/> bits (0 to 56); the bits above must be 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(ulong value, int count)
    {
        unchecked
        {
            _buffer |= value << _held;
            _held += count;
            BinaryPrimitives.WriteUInt64LittleEndian(_to[_at..], _buffer);
            _at += _held >> 3;
            _buffer >>= _held & ~7;
            _held &= 7;
        }
    }

    /// <summary>Bytes used; the last one is filled up with zero bits.</summary>
    public readonly int Length => _at + (_held > 0 ? 1 : 0);
}

/// <summary>
/// Reads bits, least significant first. Behind the end it reads zeros, so that a loop over a known number of values
/// needs no check of its own; <see cref="Finish"/> then refuses what was cut short.
/// </summary>
internal ref struct BitReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private ulong _buffer;
    private int _at;
    private int _held;

    /// <summary>Makes at least 56 bits ready.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Refill()
    {
        unchecked
        {
            var word = _at <= _bytes.Length - 8
                ? BinaryPrimitives.ReadUInt64LittleEndian(_bytes[_at..]) : Tail(_bytes, _at);
            _buffer |= word << _held;
            _at += (63 - _held) >> 3;
            _held |= 56;
        }
    }

    /// <summary>The bits ready, lowest first.</summary>
    public readonly ulong Peek => _buffer;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int count)
    {
        unchecked
        {
            _buffer >>= count;
            _held -= count;
        }
    }

    /// <summary>Takes 0 to 56 bits, no more than are ready.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Take(int count)
    {
        unchecked
        {
            var value = _buffer & ((1UL << count) - 1);
            Skip(count);
            return value;
        }
    }

    /// <summary>Advances the byte reader, at whose position the bits began, past the last byte used.</summary>
    /// <exception cref="InvalidDataException">
    /// More bits were read than there are, or the filling bits are not 0.
    /// </exception>
    public readonly void Finish(ref ByteReader from)
    {
        var bits = _at * 8L - _held;
        var used = (bits + 7) >> 3;
        if (used > _bytes.Length) throw from.Bad("the values are cut short");
        if ((_buffer & ((1UL << (int)(used * 8 - bits)) - 1)) != 0)
            throw from.Bad("the filling bits behind the values are not 0");
        from.Bytes((int)used);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong Tail(ReadOnlySpan<byte> bytes, int at)
    {
        ulong word = 0;
        for (var i = bytes.Length - 1; i >= at; i--) word = word << 8 | bytes[i];
        return word;
    }
}

/// <summary>
/// Rice's code (1979) of 32-bit magnitudes: quotient by 2^k in unary (zeros, closed by a one), then k low bits. A
/// quotient from <see cref="EscapeQuotient"/> on is written as that many zeros, a one and the whole magnitude, so that
/// one outlier stays cheap.
/// </summary>
internal static class Rice
{
    public const int EscapeQuotient = 20;
    public const int MaxParameter = 30;
    private const int EscapeBits = EscapeQuotient + 1 + 32;

    /// <summary>
    /// The parameter of least cost, and that cost in bits. The search goes down from the mean's magnitude: a geometric
    /// source has its optimum at or just below it, and outliers only lift the mean.
    /// </summary>
    public static (int K, long Bits) Best(ReadOnlySpan<uint> magnitudes, ulong sum)
    {
        var mean = sum / (ulong)magnitudes.Length;
        var k = mean == 0 ? 0 : Math.Min(MaxParameter, BitOperations.Log2(mean));
        var bits = Cost(magnitudes, k);
        for (; k > 0; k--)
        {
            var lower = Cost(magnitudes, k - 1);
            if (lower >= bits) break;
            bits = lower;
        }
        return (k, bits);
    }

    /// <summary>Bits of all magnitudes under parameter k. Integer sums: the same for every vector width.</summary>
    private static long Cost(ReadOnlySpan<uint> magnitudes, int k)
    {
        unchecked
        {
            var extra = (uint)(EscapeBits - 1 - k);
            var limit = new Vector<uint>(EscapeQuotient);
            var escape = new Vector<uint>(extra);
            var sums = Vector<uint>.Zero;
            var i = 0;
            for (; i <= magnitudes.Length - Vector<uint>.Count; i += Vector<uint>.Count)
            {
                var quotients = Vector.ShiftRightLogical(new Vector<uint>(magnitudes[i..]), k);
                sums += Vector.ConditionalSelect(Vector.LessThan(quotients, limit), quotients, escape);
            }
            long sum = Vector.Sum(sums);
            for (; i < magnitudes.Length; i++)
            {
                var quotient = magnitudes[i] >> k;
                sum += quotient < EscapeQuotient ? quotient : extra;
            }
            return sum + (long)magnitudes.Length * (k + 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(ref BitWriter to, uint magnitude, int k)
    {
        unchecked
        {
            var quotient = (int)Math.Min(magnitude >> k, EscapeQuotient);
            ulong low = magnitude & ((1u << k) - 1);
            if (quotient < EscapeQuotient) to.Put((1 | low << 1) << quotient, quotient + 1 + k);
            else to.Put((1UL | (ulong)magnitude << 1) << EscapeQuotient, EscapeBits);
        }
    }

    /// <summary>
    /// One magnitude; needs 53 bits ready. A damaged one may exceed 32 bits: the caller checks the value's range.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Take(ref BitReader from, int k)
    {
        unchecked
        {
            var quotient = BitOperations.TrailingZeroCount(from.Peek);
            if (quotient < EscapeQuotient)
            {
                from.Skip(quotient + 1);
                return (ulong)quotient << k | from.Take(k);
            }
            from.Skip(EscapeQuotient + 1);
            return from.Take(32) | (quotient > EscapeQuotient ? 1UL << 40 : 0);
        }
    }
}
