using System.Buffers.Binary;
using System.Globalization;
using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>
/// A COSEM date-time of twelve bytes (IEC 62056-62): local time of the meter. Year 0xFFFF and other fields 0xFF mean
/// "not specified"; a deviation of −32768 that the distance to UTC is not.
/// </summary>
/// <param name="Deviation">Minutes to add to local time to get UTC: −60 in Central European winter.</param>
/// <param name="ClockStatus">0xFF: not specified; 0x80 daylight saving, 0x01 invalid, 0x02 doubtful.</param>
public readonly record struct CosemDateTime(ushort Year, byte Month, byte Day, byte DayOfWeek, byte Hour, byte Minute,
    byte Second, byte Hundredths, short Deviation, byte ClockStatus)
{
    public const int Bytes = 12;
    public const short NoDeviation = short.MinValue;
    public const byte Open = 0xFF, SecondLastDay = 0xFD, LastDay = 0xFE;

    /// <summary>Largest distance to UTC that is believed, minutes: UTC−12 to UTC+14.</summary>
    private const int MaxDeviation = 840;

    /// <summary>Reads twelve bytes and checks each field against its range.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out CosemDateTime time, out WireError error)
    {
        time = default;
        error = new WireError(WireCode.BadLength, 0);
        if (bytes.Length != Bytes) return false;
        time = new CosemDateTime(BinaryPrimitives.ReadUInt16BigEndian(bytes), bytes[2], bytes[3], bytes[4], bytes[5],
            bytes[6], bytes[7], bytes[8], BinaryPrimitives.ReadInt16BigEndian(bytes[9..]), bytes[11]);
        var bad = time.FirstBadField();
        error = bad < 0 ? default : new WireError(WireCode.BadValue, bad);
        return bad < 0;
    }

    private int FirstBadField()
    {
        if (Year != 0xFFFF && Year is 0 or > 9999 and < 0xFFFF) return 0;
        if (Month is not (>= 1 and <= 12 or >= SecondLastDay)) return 2;
        if (Day is not (>= 1 and <= 31 or >= SecondLastDay)) return 3;
        if (DayOfWeek is 0 or > 7 and < Open) return 4;
        if (Hour is > 23 and < Open) return 5;
        if (Minute is > 59 and < Open) return 6;
        if (Second is > 59 and < Open) return 7;
        if (Hundredths is > 99 and < Open) return 8;
        return Deviation != NoDeviation && Deviation is < -MaxDeviation or > MaxDeviation ? 9 : -1;
    }

    /// <summary>
    /// The instant. Needs year, month, day, hour and minute; an open second counts as 0, day of week and hundredths
    /// are not looked at. Where the deviation is open, <paramref name="zoneOffsetMinutes"/> (east of UTC positive) of
    /// the meter's zone counts; without one the error is <see cref="WireCode.UnspecifiedTime"/>.
    /// </summary>
    public bool TryToUnixTime(int? zoneOffsetMinutes, out UnixTime time, out WireError error)
    {
        time = default;
        error = default;
        if (FirstBadField() is var bad && bad >= 0) error = new WireError(WireCode.BadValue, bad);
        else if (Year == 0xFFFF) error = new WireError(WireCode.UnspecifiedTime, 0);
        else if (Month > 12) error = new WireError(WireCode.UnspecifiedTime, 2);
        else if (Day == Open) error = new WireError(WireCode.UnspecifiedTime, 3);
        else if (Hour == Open) error = new WireError(WireCode.UnspecifiedTime, 5);
        else if (Minute == Open) error = new WireError(WireCode.UnspecifiedTime, 6);
        else if (Deviation == NoDeviation && zoneOffsetMinutes is null)
            error = new WireError(WireCode.UnspecifiedTime, 9);
        if (error.IsError) return false;
        var inMonth = DateTime.DaysInMonth(Year, Month);
        var day = Day switch { LastDay => inMonth, SecondLastDay => inMonth - 1, _ => Day };
        if (day > inMonth)
        {
            error = new WireError(WireCode.BadValue, 3);
            return false;
        }
        var local = new DateTime(Year, Month, day, Hour, Minute, Second == Open ? 0 : Second, DateTimeKind.Utc);
        var seconds = (local - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond;
        time = new UnixTime(seconds + 60L * (Deviation == NoDeviation ? -zoneOffsetMinutes!.Value : Deviation));
        if (time.Seconds is >= UnixTime.MinSeconds and <= UnixTime.MaxSeconds) return true;
        error = new WireError(WireCode.BadValue, 0);
        return false;
    }

    /// <summary>The date-time of an instant in a zone so many minutes east of UTC.</summary>
    public static CosemDateTime FromUnixTime(UnixTime time, int zoneOffsetMinutes, byte clockStatus = 0)
    {
        var t = DateTime.UnixEpoch.AddSeconds(time.Seconds + 60L * zoneOffsetMinutes);
        var dayOfWeek = t.DayOfWeek == System.DayOfWeek.Sunday ? (byte)7 : (byte)t.DayOfWeek;
        return new CosemDateTime((ushort)t.Year, (byte)t.Month, (byte)t.Day, dayOfWeek, (byte)t.Hour, (byte)t.Minute,
            (byte)t.Second, 0, (short)-zoneOffsetMinutes, clockStatus);
    }

    public void CopyTo(Span<byte> twelve)
    {
        BinaryPrimitives.WriteUInt16BigEndian(twelve, Year);
        (twelve[2], twelve[3], twelve[4], twelve[5]) = (Month, Day, DayOfWeek, Hour);
        (twelve[6], twelve[7], twelve[8]) = (Minute, Second, Hundredths);
        BinaryPrimitives.WriteInt16BigEndian(twelve[9..], Deviation);
        twelve[11] = ClockStatus;
    }

    public void Write(ByteWriter w)
    {
        CopyTo(w.GetSpan(Bytes));
        w.Advance(Bytes);
    }

    /// <summary>Local time as the meter shows it; open fields as question marks.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(Year == 0xFFFF ? "????" : Year.ToString("D4", CultureInfo.InvariantCulture))}-{Two(Month)}-{Two(Day)} "
        + $"{Two(Hour)}:{Two(Minute)}:{Two(Second)}");

    private static string Two(byte field) =>
        field >= SecondLastDay ? "??" : field.ToString("D2", CultureInfo.InvariantCulture);
}
