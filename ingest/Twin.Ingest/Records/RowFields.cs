using System.Globalization;
using System.Text;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Ingest.Text;

namespace Twin.Ingest.Records;

/// <summary>Cells of a security record as values. Every fault names the column and what would be right.</summary>
internal static class RowFields
{
    /// <summary>Longest text of one cell; a longer one is refused.</summary>
    public const int MaxTextBytes = 1024;

    private static readonly TimePattern Rfc3339 = TimePattern.Compile(TimePattern.Iso);

    /// <summary>RFC 3339 with an offset, or a date (midnight UTC).</summary>
    public static UnixTime Time(this Row row, string column)
    {
        var text = row[column];
        return Rfc3339.TryParse(Encoding.UTF8.GetBytes(text), out var stamp) && (stamp.HasOffset || text.Length == 10)
            ? stamp.ToUnixTime()
            : throw new RowFault(column, "is no RFC 3339 time with Z or an offset, and no date");
    }

    public static UnixTime TimeOr(this Row row, string column, UnixTime otherwise) =>
        row.Has(column) ? row.Time(column) : otherwise;

    public static string Text(this Row row, string column) => Encoding.UTF8.GetByteCount(row[column]) <= MaxTextBytes
        ? row[column] : throw new RowFault(column, $"is longer than {MaxTextBytes} bytes");

    /// <summary>A whole number; empty: <paramref name="otherwise"/>.</summary>
    public static long Whole(this Row row, string column, long min, long max, long otherwise)
    {
        if (!row.Has(column)) return otherwise;
        return long.TryParse(row[column], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var v)
            && v >= min && v <= max ? v : throw new RowFault(column, $"is no whole number from {min} to {max}");
    }

    public static uint UInt32(this Row row, string column) => (uint)row.Whole(column, 0, uint.MaxValue, 0);

    public static bool Truth(this Row row, string column) => row[column].ToLowerInvariant() switch
    {
        "" or "false" or "no" or "0" => false,
        "true" or "yes" or "1" => true,
        _ => throw new RowFault(column, "is neither true nor false"),
    };

    /// <summary>One of an enumeration's names, in snake case.</summary>
    public static T Choice<T>(this Row row, string column, params ReadOnlySpan<T> except) where T : struct, Enum
    {
        if (TryChoice<T>(row[column], out var value) && !except.Contains(value)) return value;
        var allowed = Enum.GetValues<T>().Except(except.ToArray()).Select(SnakeCase.Of);
        throw new RowFault(column, $"is none of {string.Join(", ", allowed)}");
    }

    public static T ChoiceOr<T>(this Row row, string column, T otherwise) where T : struct, Enum =>
        row.Has(column) ? row.Choice<T>(column) : otherwise;

    private static bool TryChoice<T>(string text, out T value) where T : struct, Enum
    {
        value = default;
        var name = text.Replace("_", "").Replace("-", "");
        return name.Length > 0 && char.IsAsciiLetter(name[0])
            && Enum.TryParse(name, ignoreCase: true, out value) && Enum.IsDefined(value);
    }

    /// <summary>Names separated by blanks, commas, semicolons or bars: a bit for each.</summary>
    public static int Bits<T>(this Row row, string column) where T : struct, Enum
    {
        var bits = 0;
        foreach (var name in row[column].Split([' ', ',', ';', '|'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (!TryChoice<T>(name, out var value))
            {
                var known = string.Join(", ", Enum.GetNames<T>().Select(SnakeCase.Of));
                throw new RowFault(column, $"holds '{name}', which is none of {known}");
            }
            bits |= 1 << Convert.ToInt32(value, CultureInfo.InvariantCulture);
        }
        return bits;
    }

    /// <summary>A SHA-256 digest of 64 hexadecimal digits; empty: none.</summary>
    public static Digest DigestOf(this Row row, string column)
    {
        if (!row.Has(column)) return Digest.None;
        return Digest.TryParse(row[column], out var digest) ? digest
            : throw new RowFault(column, "is no SHA-256 digest of 64 hexadecimal digits");
    }

    /// <summary>The first 8 bytes of a digest: 16 hexadecimal digits, or all 64 of them; empty: 0.</summary>
    public static ulong ShortDigest(this Row row, string column)
    {
        var text = row[column];
        if (text.Length == 0) return 0;
        return text.Length is 16 or 64 && text.All(char.IsAsciiHexDigit)
            ? ulong.Parse(text.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
            : throw new RowFault(column, "is no digest: 16 hexadecimal digits (its first 8 bytes), or 64");
    }

    /// <summary>
    /// Bytes as hexadecimal digits or base64. Text that can be both (an even number of hexadecimal digits) is
    /// hexadecimal.
    /// </summary>
    public static byte[] Bytes(this Row row, string column, int max)
    {
        var text = row[column];
        if (text.Length > 2L * max) throw new RowFault(column, $"is longer than {max} bytes");
        if (text.Length % 2 == 0 && text.All(char.IsAsciiHexDigit)) return Convert.FromHexString(text);
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var n) && n <= max ? bytes[..n]
            : throw new RowFault(column, $"is neither hexadecimal nor base64 of at most {max} bytes");
    }
}
