namespace Twin.Hardware.Emulator;

/// <summary>How a home spends one day.</summary>
internal readonly record struct DayMode(bool Away, bool Ev, bool EvYesterday, bool Pv);

/// <summary>
/// One day of one home, from its seed and the day alone: any day can be made without those before it. A session of the
/// car that crosses midnight is derived again from the day before.
/// </summary>
internal static class HouseholdDay
{
    /// <summary>5-minute slots of a day of 25 hours.</summary>
    public const int MaxSlots = LocalDay.MaxMinutes / 5;

    /// <summary>
    /// Fills the energies (Wh) that pass the meter. <paramref name="export"/> holds <see cref="ReadingBlock.Missing"/>
    /// without PV.
    /// </summary>
    public static void Fill(Household home, Clock clock, WeatherDay weather, int day, DayMode mode, Span<int> import,
        Span<int> export)
    {
        Span<double> watts = stackalloc double[MaxSlots];
        watts = watts[..import.Length];
        var local = clock.Local(day);
        var daySeed = unchecked(home.Seed + (ulong)(local.Number + 1) * 0x9E3779B97F4A7C15UL);
        var draw = new SplitMix64(StableHash.Mix(daySeed));
        BaseLoad(home, clock, draw, watts);
        Climate(home, weather, mode.Away, watts);
        if (!mode.Away)
        {
            Living(home, clock, weather, day, draw, watts);
            Appliances(home, clock, local.IsWeekend, draw, watts);
        }
        if (mode.EvYesterday) Charge(home, clock, local.Number - 1, 1440, watts);
        if (mode.Ev && !mode.Away) Charge(home, clock, local.Number, 0, watts);
        Meter(home, clock.IntervalMinutes, mode.Pv ? weather.Sun : [], watts, import, export);
    }

    /// <summary>Standby, and a compressor that runs a share of each of its cycles.</summary>
    private static void BaseLoad(Household home, Clock clock, SplitMix64 draw, Span<double> watts)
    {
        double step = clock.IntervalMinutes / home.FridgePeriod, scale = home.FridgePower / step;
        var at = draw.NextDouble();
        var before = RunSoFar(at, home.FridgeDuty);
        for (var s = 0; s < watts.Length; s++)
        {
            at += step;
            var after = RunSoFar(at, home.FridgeDuty);
            watts[s] = home.Standby + scale * (after - before);
            before = after;
        }
    }

    private static double RunSoFar(double cycles, double duty)
    {
        double whole = (int)cycles;
        return whole * duty + Math.Min(cycles - whole, duty);
    }

    private static void Climate(Household home, WeatherDay weather, bool away, Span<double> watts)
    {
        double heat = home.HeatPerKelvin, cool = away ? 0 : home.CoolPerKelvin, setPoint = away ? 10 : 16;
        for (var s = 0; s < watts.Length; s++)
        {
            double t = weather.Celsius[s];
            if (t < setPoint) watts[s] += heat * (setPoint - t);
            else if (t > 23) watts[s] += cool * (t - 23);
        }
    }

    private static void Living(Household home, Clock clock, WeatherDay weather, int day, SplitMix64 draw,
        Span<double> watts)
    {
        var activity = Curves.Activity(home.Occupancy, clock.Local(day).IsWeekend);
        var level = Math.Clamp(1 + home.DayVariability * draw.NextNormal(), 0.5, 1.6) * home.ActivePower;
        for (var s = 0; s < watts.Length; s++)
        {
            var minute = clock.WallMinute(day, s) + home.Shift;
            if (minute < 0) minute += 1440;
            else if (minute >= 1440) minute -= 1440;
            watts[s] += level * activity[minute / 30] * (0.5 + 0.5 * weather.Dark[s]) * (0.5 + draw.NextDouble());
        }
    }

    private static void Appliances(Household home, Clock clock, bool weekend, SplitMix64 draw, Span<double> watts)
    {
        var at = new Switchboard(watts, clock.IntervalMinutes);
        var late = weekend ? 90 : 0;
        at.Run(390 + home.Shift + late + draw.Next(50), 5 + draw.Next(12), home.CookPower);
        if (weekend || home.Occupancy is Occupancy.Retired)
            if (draw.NextDouble() < 0.7) at.Run(715 + draw.Next(60), 15 + draw.Next(30), home.CookPower * 0.8);
        if (draw.NextDouble() < 0.9) at.Run(home.DinnerMinute + draw.Next(60) - 30, 20 + draw.Next(40), home.CookPower);
        var washes = home.WashesPerDay * (weekend ? 1.6 : 0.76);
        if (draw.NextDouble() < washes)
        {
            var start = (weekend || home.Occupancy is Occupancy.Retired ? 570 : 1050) + draw.Next(180);
            at.Run(start, 25, 1900);
            at.Run(start + 25, 60, 180);
        }
        if (draw.NextDouble() < home.DishesPerDay)
        {
            var start = 1170 + draw.Next(120);
            at.Run(start, 20, 1800);
            at.Run(start + 60, 15, 1700);
        }
        if (home.ShowerPower > 0) at.Run(400 + home.Shift + late + draw.Next(40), 5 + draw.Next(8), home.ShowerPower);
    }

    private static void Charge(Household home, Clock clock, int localDay, int minutesAgo, Span<double> watts)
    {
        var (start, minutes) = home.Charging(localDay);
        new Switchboard(watts, clock.IntervalMinutes).Run(start - minutesAgo, minutes, home.EvPower);
    }

    /// <summary>
    /// Power to whole Wh as a register counts them: the fraction is carried to the next slot. Generation is used in the
    /// home first.
    /// </summary>
    private static void Meter(Household home, int intervalMinutes, ReadOnlySpan<float> sun, Span<double> watts,
        Span<int> import, Span<int> export)
    {
        double hours = intervalMinutes / 60.0, taken = 0.5, given = 0.5;
        if (sun.IsEmpty) export.Fill(ReadingBlock.Missing);
        for (var s = 0; s < import.Length; s++)
        {
            var net = watts[s] * hours;
            if (!sun.IsEmpty)
            {
                net -= home.PvPeak * sun[s] * hours;
                if (net < 0) given -= net;
                export[s] = (int)given;
                given -= export[s];
            }
            if (net > 0) taken += net;
            import[s] = (int)taken;
            taken -= import[s];
        }
    }

    /// <summary>Adds the power of a run to the slots it touches; what lies outside the day is cut off.</summary>
    private readonly ref struct Switchboard(Span<double> watts, int intervalMinutes)
    {
        private readonly Span<double> _watts = watts;

        public void Run(int start, int minutes, double power)
        {
            var end = Math.Min(start + minutes, _watts.Length * intervalMinutes);
            for (var t = Math.Max(0, start); t < end;)
            {
                var slot = t / intervalMinutes;
                var next = Math.Min(end, (slot + 1) * intervalMinutes);
                _watts[slot] += power * (next - t) / intervalMinutes;
                t = next;
            }
        }
    }
}
