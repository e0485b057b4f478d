namespace Twin.Hardware.Coding;

/// <summary>
/// Interval values as bytes. The encoder's choices depend on the values alone, so that one series has one encoding.
/// </summary>
public static class ValueCodec
{
    /// <summary>The most values one block may hold.</summary>
    public const int MaxValues = 4096;

    /// <summary>Bytes that an encoding of so many values can never exceed.</summary>
    public static int MaxBytes(int count) => 8 + count * 6;

    /// <summary>Appends the encoding of the values.</summary>
    public static void Encode(ReadOnlySpan<int> values, ByteWriter to)
    {
        foreach (var v in values) to.VarInt(v);
    }

    /// <summary>Reads exactly <c>values.Length</c> values and advances the reader past them.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static void Decode(ref ByteReader from, scoped Span<int> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var v = from.VarInt();
            if (v is < int.MinValue or > int.MaxValue) throw from.Bad("a reading is out of range");
            values[i] = (int)v;
        }
    }
}
