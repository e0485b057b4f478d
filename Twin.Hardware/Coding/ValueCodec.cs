using System.Runtime.InteropServices;

namespace Twin.Hardware.Coding;

/// <summary>
/// Interval values as bytes: a byte that names the method (low 3 bits) and Rice parameter (high 5 bits), then the
/// values under the method that takes the fewest bits. The choice depends on the values alone, so that one series has
/// one encoding.
/// </summary>
public static class ValueCodec
{
    /// <summary>The most values one block may hold.</summary>
    public const int MaxValues = 4096;

    /// <summary>Stored: never reuse a number.</summary>
    private enum Method
    {
        /// <summary>One value for all, LEB128.</summary>
        Constant = 0,
        /// <summary>Rice code of the values, none negative.</summary>
        Plain = 1,
        /// <summary>The least value, LEB128, then a Rice code of the distance from it.</summary>
        Offset = 2,
        /// <summary>
        /// The first value, LEB128, then a zigzag Rice code of each difference from the value before.
        /// </summary>
        Delta = 3,
        /// <summary>
        /// A bit that is 0 for the value 0; behind a 1, a zigzag Rice code less one. For export of the sun, and seldom
        /// use.
        /// </summary>
        Sparse = 4,
        /// <summary>32 bits a value: noise. It bounds the length.</summary>
        Fixed = 5,
    }

    /// <summary>Bytes that an encoding of so many values can never exceed.</summary>
    public static int MaxBytes(int count) => 8 + count * 6;

    /// <summary>Appends the encoding of the values; nothing for no values.</summary>
    /// <exception cref="ArgumentException">
    /// Over <see cref="MaxValues"/> values, or one is <see cref="ReadingBlock.Missing"/>.
    /// </exception>
    public static void Encode(ReadOnlySpan<int> values, ByteWriter to)
    {
        if (values.IsEmpty) return;
        if (values.Length > MaxValues)
            throw new ArgumentException($"A block has up to {MaxValues} values, not {values.Length}.", nameof(values));
        var (min, max, sum, zeros) = Survey(values);
        if (min == ReadingBlock.Missing)
            throw new ArgumentException("A gap has no encoding: encode the present values.", nameof(values));
        if (min == max)
        {
            to.Byte((byte)Method.Constant);
            to.VarInt(min);
            return;
        }
        var (method, k, bits) = (Method.Fixed, 0, 32L * values.Length);
        Span<uint> distances = stackalloc uint[values.Length];
        Span<uint> deltas = stackalloc uint[values.Length - 1];
        var plain = MemoryMarshal.Cast<int, uint>(values);
        if (min >= 0) Consider(Method.Plain, plain, (ulong)sum, 0, ref method, ref k, ref bits);
        if (min != 0)
        {
            Distances(values, min, distances);
            var total = (ulong)(sum - (long)min * values.Length);
            Consider(Method.Offset, distances, total, VarIntBits(min), ref method, ref k, ref bits);
        }
        if (Deltas(values, deltas, out var deltaSum))
            Consider(Method.Delta, deltas, deltaSum, VarIntBits(values[0]), ref method, ref k, ref bits);
        if (zeros >= values.Length / 4 && zeros < values.Length)
        {
            Span<uint> present = stackalloc uint[values.Length - zeros];
            Consider(Method.Sparse, present, NonZeros(values, present), values.Length, ref method, ref k, ref bits);
        }
        to.Byte((byte)((int)method | k << 3));
        if (method == Method.Offset) to.VarInt(min);
        if (method == Method.Delta) to.VarInt(values[0]);
        var magnitudes = method switch { Method.Offset => distances, Method.Delta => deltas, _ => plain };
        WriteBits(magnitudes, method, k, bits, to);
    }

    private static void Consider(Method method, ReadOnlySpan<uint> magnitudes, ulong sum, int extraBits,
        ref Method best, ref int bestK, ref long bestBits)
    {
        var (k, bits) = Rice.Best(magnitudes, sum);
        if (bits + extraBits < bestBits) (best, bestK, bestBits) = (method, k, bits + extraBits);
    }

    private static (int Min, int Max, long Sum, int Zeros) Survey(ReadOnlySpan<int> values)
    {
        unchecked
        {
            int min = int.MaxValue, max = int.MinValue, zeros = 0;
            long sum = 0;
            foreach (var v in values)
            {
                min = Math.Min(min, v);
                max = Math.Max(max, v);
                sum += v;
                zeros += v == 0 ? 1 : 0;
            }
            return (min, max, sum, zeros);
        }
    }

    private static void Distances(ReadOnlySpan<int> values, int min, Span<uint> distances)
    {
        unchecked
        {
            for (var i = 0; i < distances.Length; i++) distances[i] = (uint)(values[i] - min);
        }
    }

    /// <summary>False when a difference needs more than 32 bits.</summary>
    private static bool Deltas(ReadOnlySpan<int> values, Span<uint> deltas, out ulong sum)
    {
        unchecked
        {
            sum = 0;
            ulong seen = 0;
            long previous = values[0];
            for (var i = 0; i < deltas.Length; i++)
            {
                long value = values[i + 1];
                var difference = value - previous;
                var zigzag = (ulong)(difference << 1 ^ difference >> 63);
                deltas[i] = (uint)zigzag;
                seen |= zigzag;
                sum += zigzag;
                previous = value;
            }
            return seen <= uint.MaxValue;
        }
    }

    private static ulong NonZeros(ReadOnlySpan<int> values, Span<uint> magnitudes)
    {
        ulong sum = 0;
        var n = 0;
        foreach (var v in values)
        {
            if (v == 0) continue;
            magnitudes[n] = ZigZag(v) - 1;
            sum += magnitudes[n++];
        }
        return sum;
    }

    private static uint ZigZag(int value) => unchecked((uint)(value << 1 ^ value >> 31));

    /// <summary>Bits that <see cref="ByteWriter.VarInt"/> takes.</summary>
    private static int VarIntBits(int value)
    {
        var bits = 8;
        for (var rest = ZigZag(value) >> 7; rest != 0; rest >>= 7) bits += 8;
        return bits;
    }

    private static void WriteBits(ReadOnlySpan<uint> magnitudes, Method method, int k, long bits, ByteWriter to)
    {
        var writer = new BitWriter(to.GetSpan((int)(bits >> 3) + 16));
        if (method == Method.Fixed) foreach (var m in magnitudes) writer.Put(m, 32);
        else if (method != Method.Sparse) foreach (var m in magnitudes) Rice.Put(ref writer, m, k);
        else
        {
            foreach (var m in magnitudes)
            {
                writer.Put(m == 0 ? 0UL : 1UL, 1);
                if (m != 0) Rice.Put(ref writer, ZigZag(unchecked((int)m)) - 1, k);
            }
        }
        to.Advance(writer.Length);
    }

    /// <summary>Reads exactly <c>values.Length</c> values and advances the reader past them.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static void Decode(ref ByteReader from, scoped Span<int> values)
    {
        if (values.IsEmpty) return;
        var head = from.Byte();
        var (method, k) = ((Method)(head & 7), head >> 3);
        if (method > Method.Fixed || k > Rice.MaxParameter || k != 0 && method is Method.Constant or Method.Fixed)
            throw from.Bad($"{head} names no method of encoding values");
        long first = method is Method.Constant or Method.Offset or Method.Delta ? from.VarInt() : 0;
        if (first is <= int.MinValue or > int.MaxValue) throw from.Bad("a reading is out of range");
        if (method == Method.Constant)
        {
            values.Fill((int)first);
            return;
        }
        var bits = new BitReader(from.Rest);
        var inRange = method switch
        {
            Method.Delta => ReadDeltas(ref bits, values, k, first),
            Method.Sparse => ReadSparse(ref bits, values, k),
            Method.Fixed => ReadFixed(ref bits, values),
            _ => ReadDistances(ref bits, values, k, first),
        };
        if (!inRange) throw from.Bad("a reading is out of range");
        bits.Finish(ref from);
    }

    // The loops return false when a value lies outside ±int.MaxValue: then one of the two terms of Outside is negative.
    private static long Outside(long value) => unchecked((value + int.MaxValue) | (int.MaxValue - value));

    private static bool ReadDistances(ref BitReader from, scoped Span<int> values, int k, long min)
    {
        unchecked
        {
            var bits = from;
            var outside = 0L;
            for (var i = 0; i < values.Length; i++)
            {
                bits.Refill();
                var value = min + (long)Rice.Take(ref bits, k);
                outside |= Outside(value);
                values[i] = (int)value;
            }
            from = bits;
            return outside >= 0;
        }
    }

    private static bool ReadDeltas(ref BitReader from, scoped Span<int> values, int k, long first)
    {
        unchecked
        {
            var bits = from;
            var outside = 0L;
            var value = first;
            values[0] = (int)first;
            for (var i = 1; i < values.Length; i++)
            {
                bits.Refill();
                var zigzag = Rice.Take(ref bits, k);
                value += (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
                outside |= Outside(value);
                values[i] = (int)value;
            }
            from = bits;
            return outside >= 0;
        }
    }

    private static bool ReadSparse(ref BitReader from, scoped Span<int> values, int k)
    {
        unchecked
        {
            var bits = from;
            var outside = 0L;
            for (var i = 0; i < values.Length; i++)
            {
                bits.Refill();
                var value = 0L;
                if (bits.Take(1) != 0)
                {
                    var zigzag = Rice.Take(ref bits, k) + 1;
                    value = (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
                }
                outside |= Outside(value);
                values[i] = (int)value;
            }
            from = bits;
            return outside >= 0;
        }
    }

    private static bool ReadFixed(ref BitReader from, scoped Span<int> values)
    {
        var inRange = true;
        for (var i = 0; i < values.Length; i++)
        {
            from.Refill();
            values[i] = unchecked((int)(uint)from.Take(32));
            inRange &= values[i] != ReadingBlock.Missing;
        }
        return inRange;
    }
}
