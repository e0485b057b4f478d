using System.Globalization;

namespace Twin.Hardware.Wire;

/// <summary>
/// An OBIS code (IEC 62056-61), the logical name of a COSEM object: medium A, channel B, quantity C, processing D,
/// tariff E, period F (255: not used).
/// </summary>
public readonly record struct Obis(byte A, byte B, byte C, byte D, byte E, byte F = 255)
{
    public const int Bytes = 6;

    public static readonly Obis Clock = new(0, 0, 1, 0, 0);
    public static readonly Obis EquipmentId = new(0, 0, 96, 1, 0);
    public static readonly Obis ImportTotal = new(1, 0, 1, 8, 0);
    public static readonly Obis ExportTotal = new(1, 0, 2, 8, 0);
    public static readonly Obis LoadProfile = new(1, 0, 99, 1, 0);
    public static readonly Obis ProfileStatus = new(0, 0, 96, 10, 2);
    public static readonly Obis ImageTransfer = new(0, 0, 44, 0, 0);
    public static readonly Obis SecuritySetup = new(0, 0, 43, 0, 0);
    public static readonly Obis Association = new(0, 0, 40, 0, 0);
    public static readonly Obis Disconnector = new(0, 0, 96, 3, 10);
    public static readonly Obis Limiter = new(0, 0, 17, 0, 0);

    /// <summary>The logical name of exactly six bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Obis obis)
    {
        obis = bytes.Length == Bytes ? new Obis(bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]) : default;
        return bytes.Length == Bytes;
    }

    /// <summary>Writes six bytes.</summary>
    public void CopyTo(Span<byte> six) => (six[0], six[1], six[2], six[3], six[4], six[5]) = (A, B, C, D, E, F);

    /// <summary>Six numbers with dots between: <c>1.0.1.8.0.255</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{A}.{B}.{C}.{D}.{E}.{F}");

    /// <summary>Reads <c>1.0.1.8.0.255</c>, or <c>1-0:1.8.0</c> with an optional <c>*255</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Obis obis)
    {
        obis = default;
        Span<byte> groups = stackalloc byte[Bytes];
        groups.Fill(255);
        ReadOnlySpan<char> dotted = ".....", printed = "-:..*";
        var isPrinted = text.Contains(':');
        var count = 0;
        while (true)
        {
            var end = text.IndexOfAnyExceptInRange('0', '9');
            var digits = end < 0 ? text : text[..end];
            if (digits.Length is 0 or > 3 || count == Bytes) return false;
            if (!byte.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out groups[count]))
                return false;
            count++;
            if (end < 0) break;
            if (count == Bytes || text[end] != (isPrinted ? printed : dotted)[count - 1]) return false;
            text = text[(end + 1)..];
        }
        return count >= (isPrinted ? 5 : 6) && TryRead(groups, out obis);
    }
}
