namespace Twin.Ingest.Text;

/// <summary>How a number text fared.</summary>
public enum NumberStatus : byte { Ok, Rounded, NotANumber, OutOfRange }

/// <summary>
/// Decimal text to an integer of the stored unit, exactly: no binary fraction in between. Finer digits are rounded half
/// to even and reported as <see cref="NumberStatus.Rounded"/>.
/// </summary>
public static class Decimals
{
    private const int MaxDigits = 18;
    private const int MaxExponent = 400;

    private static readonly long[] Powers = MakePowers();

    private static long[] MakePowers()
    {
        var powers = new long[MaxDigits + 1];
        powers[0] = 1;
        for (var i = 1; i < powers.Length; i++) powers[i] = powers[i - 1] * 10;
        return powers;
    }

    /// <summary>
    /// Parses sign, digits, fraction and exponent; the result is the number × 10^<paramref name="scale"/>, in
    /// ±2,147,483,647.
    /// </summary>
    public static NumberStatus Parse(ReadOnlySpan<byte> text, int scale, out int value)
    {
        var status = ParseLong(text, scale, out var wide);
        value = 0;
        if (status > NumberStatus.Rounded) return status;
        if (wide is < -int.MaxValue or > int.MaxValue) return NumberStatus.OutOfRange;
        value = (int)wide;
        return status;
    }

    /// <summary>The same for registers: in ±999,999,999,999,999,999.</summary>
    public static NumberStatus ParseLong(ReadOnlySpan<byte> text, int scale, out long value)
    {
        value = 0;
        var i = 0;
        var negative = false;
        if (text.Length > 0 && text[0] is (byte)'-' or (byte)'+')
        {
            negative = text[0] == '-';
            i = 1;
        }
        long mantissa = 0;
        int digits = 0, seen = 0, power = scale;
        bool sticky = false, point = false;
        for (; i < text.Length; i++)
        {
            var d = unchecked((uint)(text[i] - '0'));
            if (d <= 9)
            {
                seen++;
                if (point) power--;
                if (digits < MaxDigits)
                {
                    mantissa = mantissa * 10 + d;
                    if (mantissa != 0) digits++;
                }
                else
                {
                    power++;
                    sticky |= d != 0;
                }
            }
            else if (text[i] == '.' && !point) point = true;
            else break;
        }
        if (seen == 0) return NumberStatus.NotANumber;
        if (i < text.Length && !TryExponent(text[i..], ref power)) return NumberStatus.NotANumber;
        var status = Shift(mantissa, power, sticky, out value);
        if (negative) value = -value;
        return status;
    }

    private static bool TryExponent(ReadOnlySpan<byte> text, ref int power)
    {
        if (text[0] is not ((byte)'e' or (byte)'E') || text.Length < 2) return false;
        var i = 1;
        var negative = text[1] == '-';
        if (text[1] is (byte)'-' or (byte)'+') i++;
        if (i == text.Length) return false;
        var exponent = 0;
        for (; i < text.Length; i++)
        {
            var d = unchecked((uint)(text[i] - '0'));
            if (d > 9) return false;
            exponent = Math.Min(MaxExponent, exponent * 10 + (int)d);
        }
        power += negative ? -exponent : exponent;
        return true;
    }

    private static NumberStatus Shift(long mantissa, int power, bool sticky, out long value)
    {
        value = mantissa;
        if (mantissa == 0) return NumberStatus.Ok;
        if (power == 0 && !sticky) return NumberStatus.Ok;
        if (power >= 0)
        {
            if (power > MaxDigits || mantissa > Powers[MaxDigits] / Powers[power] - 1) return NumberStatus.OutOfRange;
            value = mantissa * Powers[power];
            return sticky ? NumberStatus.Rounded : NumberStatus.Ok;
        }
        if (-power > MaxDigits)
        {
            value = 0;
            return NumberStatus.Rounded;
        }
        var divisor = Powers[-power];
        value = Math.DivRem(mantissa, divisor, out var rest);
        if (rest == 0 && !sticky) return NumberStatus.Ok;
        var half = divisor / 2;
        if (rest > half || (rest == half && (sticky || (value & 1) == 1))) value++;
        return NumberStatus.Rounded;
    }
}
