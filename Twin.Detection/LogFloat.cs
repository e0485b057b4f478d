namespace Twin.Detection;

/// <summary>
/// A non-negative number in 16 bits: 6 bits of exponent (2^-20 to 2^43), 10 of mantissa, cut from the bits of a float,
/// so that the same value has the same code on every machine. Relative error at most 2^-11 (0.05 %). Code 0 is zero;
/// what lies beyond the range is zero or the largest number.
/// </summary>
public static class LogFloat
{
    private const int MantissaBits = 10;
    private const int DroppedBits = 23 - MantissaBits;
    private const int FirstCode = (127 - 20) << MantissaBits;

    /// <summary>Rounds to nearest; negative numbers and NaN become zero.</summary>
    public static ushort Encode(float value)
    {
        if (!(value > 0)) return 0;
        var code = ((BitConverter.SingleToInt32Bits(value) >> (DroppedBits - 1)) + 1 >> 1) - FirstCode;
        return code <= 0 ? (ushort)0 : code > ushort.MaxValue ? ushort.MaxValue : (ushort)code;
    }

    public static float Decode(ushort code) =>
        code == 0 ? 0f : BitConverter.Int32BitsToSingle((code + FirstCode) << DroppedBits);
}
