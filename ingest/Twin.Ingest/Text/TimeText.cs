using Twin.Hardware;

namespace Twin.Ingest.Text;

/// <summary>
/// A time stamp as written: wall-clock minutes since 1970-01-01T00:00 of its own clock, the seconds besides, and its
/// offset from UTC in minutes where it states one.
/// </summary>
public readonly record struct Stamp(long WallMinute, int Seconds, bool HasFraction, bool HasOffset, int OffsetMinutes)
{
    public bool HasSeconds => Seconds != 0 || HasFraction;

    /// <summary>The instant; a fraction of a second is cut off, a missing offset counts as UTC.</summary>
    public UnixTime ToUnixTime() => new((WallMinute - OffsetMinutes) * 60 + Seconds);

    /// <summary>Days since 1970-01-01 of a civil date (Howard Hinnant, "chrono-Compatible Low-Level Date
    /// Algorithms").</summary>
    public static int DayNumber(int year, int month, int day)
    {
        var y = month <= 2 ? year - 1 : year;
        var era = y / 400;
        var yoe = y - era * 400;
        var doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        var doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        return era * 146_097 + doe - 719_468;
    }
}

/// <summary>
/// A compiled time pattern: <c>yyyy MM M dd d HH H mm m ss s f…f z</c> and literals; <c>f</c> takes 1 to 9 digits
/// however many are written, <c>z</c> is <c>Z</c>, <c>+hh</c>, <c>+hhmm</c> or <c>+hh:mm</c>. <c>iso</c> is RFC 3339
/// with <c>T</c> or a blank, seconds, fraction and offset optional. Two-letter parts need two digits, one-letter parts
/// take one or two.
/// </summary>
public sealed class TimePattern
{
    public const string Iso = "iso";

    private readonly (char Part, int Width)[] _parts;

    private TimePattern(string text, (char, int)[] parts) => (Text, _parts) = (text, parts);

    public string Text { get; }

    /// <summary>True when the pattern holds a time of day.</summary>
    public bool HasHour => Text == Iso || Array.Exists(_parts, static p => p.Part == 'H');
    public bool HasDate => Text == Iso || Array.Exists(_parts, static p => p.Part == 'y');

    /// <exception cref="FormatException">The pattern has a part that is not known.</exception>
    public static TimePattern Compile(string pattern)
    {
        if (pattern == Iso) return new TimePattern(pattern, []);
        var parts = new List<(char, int)>();
        for (var i = 0; i < pattern.Length;)
        {
            var c = pattern[i];
            var width = 1;
            while (i + width < pattern.Length && pattern[i + width] == c) width++;
            i += width;
            if (c == '\'') continue;
            if (!char.IsAsciiLetter(c) || c == 'T') for (var k = 0; k < width; k++) parts.Add((c, 0));
            else if ((c == 'y' && width == 4) || ("MdHms".Contains(c) && width <= 2)
                || c is 'f' or 'z' or 'K') parts.Add((c, width));
            else throw new FormatException($"'{new string(c, width)}' in time format '{pattern}' is not known");
        }
        return new TimePattern(pattern, [.. parts]);
    }

    public bool TryParse(ReadOnlySpan<byte> text, out Stamp stamp)
    {
        stamp = default;
        var fields = new Fields { Year = 1970, Month = 1, Day = 1 };
        return Text == Iso ? TryIso(text, fields, out stamp) : TryParts(text, fields, out stamp);
    }

    private bool TryParts(ReadOnlySpan<byte> text, Fields f, out Stamp stamp)
    {
        stamp = default;
        var i = 0;
        foreach (var (part, width) in _parts)
        {
            bool ok;
            switch (part)
            {
                case 'y': ok = Digits(text, ref i, 4, 4, out f.Year); break;
                case 'M': ok = Digits(text, ref i, width, 2, out f.Month); break;
                case 'd': ok = Digits(text, ref i, width, 2, out f.Day); break;
                case 'H': ok = Digits(text, ref i, width, 2, out f.Hour); break;
                case 'm': ok = Digits(text, ref i, width, 2, out f.Minute); break;
                case 's': ok = Digits(text, ref i, width, 2, out f.Second); break;
                case 'f': ok = Fraction(text, ref i, ref f); break;
                case 'z' or 'K': ok = Offset(text, ref i, ref f); break;
                default:
                    ok = i < text.Length && text[i] == part;
                    i++;
                    break;
            }
            if (!ok) return false;
        }
        return i == text.Length && f.TryStamp(out stamp);
    }

    private static bool TryIso(ReadOnlySpan<byte> t, Fields f, out Stamp stamp)
    {
        stamp = default;
        var i = 0;
        if (!Digits(t, ref i, 4, 4, out f.Year) || !Literal(t, ref i, '-') || !Digits(t, ref i, 2, 2, out f.Month)
            || !Literal(t, ref i, '-') || !Digits(t, ref i, 2, 2, out f.Day)) return false;
        if (i == t.Length) return f.TryStamp(out stamp);
        if (t[i] is not ((byte)'T' or (byte)' ' or (byte)'t')) return false;
        i++;
        if (!Digits(t, ref i, 2, 2, out f.Hour) || !Literal(t, ref i, ':')
            || !Digits(t, ref i, 2, 2, out f.Minute)) return false;
        if (i < t.Length && t[i] == ':')
        {
            i++;
            if (!Digits(t, ref i, 2, 2, out f.Second)) return false;
            if (i < t.Length && t[i] is (byte)'.' or (byte)',')
            {
                i++;
                if (!Fraction(t, ref i, ref f)) return false;
            }
        }
        if (i < t.Length && !Offset(t, ref i, ref f)) return false;
        return i == t.Length && f.TryStamp(out stamp);
    }

    private static bool Literal(ReadOnlySpan<byte> t, ref int i, char c) => i < t.Length && t[i++] == c;

    private static bool Digits(ReadOnlySpan<byte> t, ref int i, int min, int max, out int value)
    {
        value = 0;
        var n = 0;
        for (; n < max && i < t.Length && unchecked((uint)(t[i] - '0')) <= 9; n++) value = value * 10 + t[i++] - '0';
        return n >= min;
    }

    private static bool Fraction(ReadOnlySpan<byte> t, ref int i, ref Fields f)
    {
        var from = i;
        for (; i < t.Length && unchecked((uint)(t[i] - '0')) <= 9; i++) f.HasFraction |= t[i] != '0';
        return i > from && i - from <= 9;
    }

    private static bool Offset(ReadOnlySpan<byte> t, ref int i, ref Fields f)
    {
        if (i >= t.Length) return false;
        f.HasOffset = true;
        var sign = t[i++];
        if (sign is (byte)'Z' or (byte)'z') return true;
        if (sign is not ((byte)'+' or (byte)'-') || !Digits(t, ref i, 2, 2, out var hours)) return false;
        var minutes = 0;
        if (i < t.Length)
        {
            if (t[i] == ':') i++;
            if (!Digits(t, ref i, 2, 2, out minutes)) return false;
        }
        f.OffsetMinutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
        return minutes < 60 && hours * 60 + minutes <= MaxOffsetMinutes;
    }

    /// <summary>No zone is further from UTC, and no meter's zone can be.</summary>
    private const int MaxOffsetMinutes = 14 * 60;

    private struct Fields
    {
        public int Year, Month, Day, Hour, Minute, Second, OffsetMinutes;
        public bool HasFraction, HasOffset;

        public readonly bool TryStamp(out Stamp stamp)
        {
            stamp = default;
            // 24:00 is how some sources write the end of a day (ISO 8601-1 before 2019).
            var endOfDay = Hour == 24 && Minute == 0 && Second == 0 && !HasFraction;
            if (Year is < 1900 or > 2200 || Month is < 1 or > 12 || Day < 1 || (Hour > 23 && !endOfDay) || Minute > 59
                || Second > 59)
                return false;
            if (Day > 28 && Day > DateTime.DaysInMonth(Year, Month)) return false;
            var wall = Stamp.DayNumber(Year, Month, Day) * 1440L + Hour * 60 + Minute;
            stamp = new Stamp(wall, Second, HasFraction, HasOffset, OffsetMinutes);
            return true;
        }
    }
}
