using Twin.Hardware;

namespace Twin.Ingest.Text;

/// <summary>What became of a wall-clock time.</summary>
public enum ClockStatus : byte { Ok, Skipped }

/// <summary>
/// Wall-clock minutes of one zone to minutes since 1970-01-01T00:00Z. A time that occurs twice is the earlier one,
/// unless the meter has already passed that instant: then it is the later one. A time that the clock skipped is
/// refused.
/// </summary>
public sealed class WallClock(ZoneRules zone)
{
    private int _dayNumber = int.MinValue;
    private LocalDay _day;

    public ZoneRules Zone { get; } = zone;

    /// <param name="wallMinute">Minutes since 1970-01-01T00:00 by this zone's clock.</param>
    /// <param name="lastMinute">Stamp (UTC minute) that the meter's row before had; <c>long.MinValue</c> for
    /// none.</param>
    public ClockStatus ToUnix(long wallMinute, long lastMinute, int intervalMinutes, out long unixMinute)
    {
        var number = (int)Math.DivRem(wallMinute, 1440, out var ofDay);
        if (ofDay < 0) (number, ofDay) = (number - 1, ofDay + 1440);
        if (number != _dayNumber) (_dayNumber, _day) = (number, Zone.Day(number));
        unixMinute = _day.StartMinute + ofDay;
        if (_day.Minutes == 1440) return ClockStatus.Ok;
        var date = DateOnly.FromDayNumber(number + EpochDay);
        int hour = (int)ofDay / 60, minute = (int)ofDay % 60;
        unixMinute = Zone.ToUnixMinute(date.Year, date.Month, date.Day, hour, minute);
        if (_day.Minutes > 1440)
        {
            // The same stamp again is the row repeated, unless the interval is so long that the second hour begins
            // there.
            var passed = unixMinute < lastMinute || (unixMinute == lastMinute && intervalMinutes >= 60);
            if (passed && Zone.IsAmbiguous(date.Year, date.Month, date.Day, hour, minute))
                unixMinute = Zone.ToUnixMinute(date.Year, date.Month, date.Day, hour, minute, second: true);
            return ClockStatus.Ok;
        }
        // A skipped time is moved forward by the gap, so that it meets the time that really is there.
        var later = ofDay + 1440 - _day.Minutes;
        if (later >= 1440) return ClockStatus.Ok;
        var real = Zone.ToUnixMinute(date.Year, date.Month, date.Day, (int)later / 60, (int)later % 60);
        return real == unixMinute ? ClockStatus.Skipped : ClockStatus.Ok;
    }

    private static readonly int EpochDay = new DateOnly(1970, 1, 1).DayNumber;

    /// <summary>True when the instant lies on the grid of that interval, counted from the local midnight.</summary>
    public bool IsOnGrid(long unixMinute, int intervalMinutes)
    {
        if (unixMinute < _gridDay.StartMinute || unixMinute >= _gridDay.EndMinute) _gridDay = Zone.DayOf(unixMinute);
        return (unixMinute - _gridDay.StartMinute) % intervalMinutes == 0;
    }

    private LocalDay _gridDay;
}
