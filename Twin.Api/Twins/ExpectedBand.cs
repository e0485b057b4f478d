using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// What is usual in a column, in the unit of the series: the mean of an interval, and the band around it in which about
/// nine of ten intervals of ordinary days lie. All null where nothing is expected.
/// </summary>
internal readonly record struct ExpectedColumn(UnixTime Start, double? Low, double? Mean, double? High);

/// <summary>
/// The expected band of a series, from what the twin has learnt of each half-hour of working days and weekends: one
/// profile over the whole range, as it stood at its end. A profile follows the seasons within weeks, so that the band
/// of a long range shows the season of its end.
/// </summary>
internal static class ExpectedBand
{
    /// <summary>
    /// Half a band in mean absolute deviations. Loads deviate with heavy tails, rather as a Laplace distribution does,
    /// of which 1 − e^−2.3 = 90 % lie within 2.3 of them; of a normal distribution 93 %.
    /// </summary>
    public const double HalfWidth = 2.3;

    private const int HalfHour = 30, HalfHoursADay = 48;

    private struct Fold
    {
        public double Low, Mean, High;
        public int Count;
    }

    /// <param name="usual">What the twin has learnt; null: nothing.</param>
    /// <param name="columns">The columns of the answer.</param>
    /// <param name="from">Begin of the first column.</param>
    /// <param name="to">End of the last one.</param>
    /// <param name="intervalMinutes">Interval of the series; null without readings, and then half an hour.</param>
    public static ExpectedColumn[] Of(UsualDays? usual, SeriesColumns columns, UnixTime from, UnixTime to,
        int? intervalMinutes)
    {
        var folds = new Fold[columns.Count];
        if (usual is not null && ZoneRules.TryGet(usual.Zone, out var zone))
            Add(usual, zone, columns, folds, from, to);
        var hours = (intervalMinutes ?? HalfHour) / 60.0;
        var all = new ExpectedColumn[folds.Length];
        for (var i = 0; i < all.Length; i++)
        {
            var (f, start) = (folds[i], columns.Start(i));
            all[i] = f.Count == 0 ? new ExpectedColumn(start, null, null, null)
                : new ExpectedColumn(start, Wh(f.Low), Wh(f.Mean), Wh(f.High));
            double Wh(double watts) => Math.Round(watts / f.Count * hours, 2);
        }
        return all;
    }

    private static void Add(UsualDays usual, ZoneRules zone, SeriesColumns columns, Fold[] folds, UnixTime from,
        UnixTime to)
    {
        var first = zone.DayOf(from.Minutes).Number;
        for (var number = first; ; number++)
        {
            var day = zone.Day(number);
            if (day.StartMinute * 60 >= to.Seconds) return;
            var power = day.IsWeekend ? usual.WeekendDay : usual.WorkingDay;
            for (var minute = 0; minute < day.Minutes; minute += HalfHour)
            {
                var start = (day.StartMinute + minute) * 60;
                if (start < from.Seconds || start >= to.Seconds) continue;
                var slot = Math.Min(minute / HalfHour, HalfHoursADay - 1);
                var half = HalfWidth * usual.Deviation[slot];
                ref var fold = ref folds[columns.Of(start)];
                fold.Low += Math.Max(0, power[slot] - half);
                fold.Mean += power[slot];
                fold.High += power[slot] + half;
                fold.Count++;
            }
        }
    }
}
