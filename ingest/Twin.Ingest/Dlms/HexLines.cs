namespace Twin.Ingest.Dlms;

/// <summary>What one line of a log of frames holds.</summary>
internal enum HexLineKind : byte
{
    /// <summary>Words of a log, or nothing.</summary>
    Text,
    /// <summary>Bytes of frames.</summary>
    Bytes,
}

/// <summary>
/// Bytes written as hexadecimal digits: pairs, or longer groups of an even number, separated by blanks, colons, commas
/// or hyphens, <c>0x</c> before them or not. A line may begin with a stamp in brackets; a line of anything else is
/// words of the log and is passed over.
/// </summary>
internal static class HexLines
{
    private static ReadOnlySpan<byte> Separators => " \t:,;-\r"u8;

    /// <summary>Reads a line into <paramref name="to"/>, which has room for half of its length.</summary>
    /// <param name="wallSeconds">The stamp of the brackets as wall-clock seconds since 1970; null without one.</param>
    public static HexLineKind Read(ReadOnlySpan<byte> line, Span<byte> to, out int length, out long? wallSeconds)
    {
        (length, wallSeconds) = (0, null);
        line = line.Trim(" \t"u8);
        if (line.StartsWith("["u8) && line.IndexOf((byte)']') is > 0 and var end)
        {
            wallSeconds = Stamp(line[1..end]);
            line = line[(end + 1)..];
        }
        while (true)
        {
            line = line.TrimStart(Separators);
            if (line.IsEmpty) return length > 0 ? HexLineKind.Bytes : HexLineKind.Text;
            var width = line.IndexOfAny(Separators);
            var token = width < 0 ? line : line[..width];
            line = line[token.Length..];
            if (token.StartsWith("0x"u8) || token.StartsWith("0X"u8)) token = token[2..];
            if (!TryToken(token, to[length..], out var n))
            {
                length = 0;
                return HexLineKind.Text;
            }
            length += n;
        }
    }

    private static bool TryToken(ReadOnlySpan<byte> token, Span<byte> to, out int length)
    {
        length = token.Length / 2;
        if (token.IsEmpty || token.Length % 2 != 0) return false;
        for (var i = 0; i < length; i++)
        {
            var (high, low) = (Digit(token[2 * i]), Digit(token[2 * i + 1]));
            if (high < 0 || low < 0) return false;
            to[i] = (byte)(high << 4 | low);
        }
        return true;
    }

    private static int Digit(byte c) => c switch
    {
        >= (byte)'0' and <= (byte)'9' => c - '0',
        >= (byte)'a' and <= (byte)'f' => c - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => c - 'A' + 10,
        _ => -1,
    };

    /// <summary><c>2017-09-12 23.18.43</c> with any of <c>. :</c> between, whatever follows.</summary>
    private static long? Stamp(ReadOnlySpan<byte> text)
    {
        text = text.Trim(" \t"u8);
        Span<int> fields = stackalloc int[6];
        var at = 0;
        for (var i = 0; i < fields.Length; i++)
        {
            var digits = i == 0 ? 4 : 2;
            if (i > 0 && (at >= text.Length || "-./: T".IndexOf((char)text[at++]) < 0)) return null;
            if (text.Length - at < digits) return null;
            foreach (var c in text.Slice(at, digits))
            {
                if (!char.IsAsciiDigit((char)c)) return null;
                fields[i] = fields[i] * 10 + (c - '0');
            }
            at += digits;
        }
        var isDate = fields[0] >= 1 && fields[1] is >= 1 and <= 12 && fields[2] >= 1
            && fields[2] <= DateTime.DaysInMonth(fields[0], fields[1]);
        if (!isDate || fields[3] > 23 || fields[4] > 59 || fields[5] > 59) return null;
        var time = new DateTime(fields[0], fields[1], fields[2], fields[3], fields[4], fields[5], DateTimeKind.Utc);
        return (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond;
    }
}
