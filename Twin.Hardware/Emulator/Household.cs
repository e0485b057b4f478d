namespace Twin.Hardware.Emulator;

/// <summary>
/// What makes one home differ from another, drawn once from its seed. Powers in W, times in wall-clock minutes. The
/// ranges give about 1,500 to 8,000 kWh a year, the spread of European homes.
/// </summary>
internal sealed record Household
{
    public required ulong Seed { get; init; }
    public required Occupancy Occupancy { get; init; }
    public required double Standby { get; init; }
    public required double FridgePower { get; init; }
    public required double FridgePeriod { get; init; }
    public required double FridgeDuty { get; init; }

    /// <summary>Light, screens and small things when everybody is active after dark.</summary>
    public required double ActivePower { get; init; }
    public required int Shift { get; init; }
    public required double CookPower { get; init; }
    public required int DinnerMinute { get; init; }
    public required double WashesPerDay { get; init; }
    public required double DishesPerDay { get; init; }
    public required double ShowerPower { get; init; }

    /// <summary>W per K below 16 °C and above 23 °C; 0 for none.</summary>
    public required double HeatPerKelvin { get; init; }
    public required double CoolPerKelvin { get; init; }

    public required double EvPower { get; init; }
    public required double EvNightShare { get; init; }
    public required int EvStart { get; init; }
    public required int EvMinutes { get; init; }
    public required bool HasEv { get; init; }

    public required double PvPeak { get; init; }
    public required bool HasPv { get; init; }
    public required double DayVariability { get; init; }

    public static Household Draw(ulong seed, WorldOptions options)
    {
        var r = new SplitMix64(seed);
        var who = r.NextDouble() switch
        {
            < 0.32 => Occupancy.Worker,
            < 0.64 => Occupancy.Family,
            < 0.84 => Occupancy.Retired,
            < 0.92 => Occupancy.Shift,
            _ => Occupancy.Student,
        };
        // Two uniforms make a triangular size: most homes are ordinary, a few are small or large.
        var size = 0.6 + 0.45 * (r.NextDouble() + r.NextDouble()) + (who == Occupancy.Family ? 0.15 : 0);
        return new Household
        {
            Seed = seed,
            Occupancy = who,
            Standby = size * r.NextDouble(35, 105),
            FridgePower = r.NextDouble(70, 130),
            FridgePeriod = r.NextDouble(42, 80),
            FridgeDuty = r.NextDouble(0.3, 0.45),
            ActivePower = size * r.NextDouble(220, 480),
            Shift = 5 * r.Next(19) - 45,
            CookPower = r.NextDouble(900, 2200),
            DinnerMinute = 1020 + 5 * r.Next(31),
            WashesPerDay = size * r.NextDouble(0.25, 0.6),
            DishesPerDay = r.NextDouble() < 0.6 ? size * r.NextDouble(0.3, 0.8) : 0,
            ShowerPower = r.NextDouble() < 0.2 ? r.NextDouble(5000, 8000) : 0,
            HeatPerKelvin = r.NextDouble() < options.ElectricHeatShare ? r.NextDouble(25, 75) : r.NextDouble(0, 4),
            CoolPerKelvin = r.NextDouble() < options.CoolingShare ? r.NextDouble(60, 160) : 0,
            HasEv = r.NextDouble() < options.EvShare,
            EvPower = r.NextDouble() < 0.45 ? 3600 : 7200,
            EvNightShare = r.NextDouble(3.0 / 7, 5.0 / 7),
            EvStart = r.NextDouble() < 0.5 ? 1380 + 5 * r.Next(10) : 1050 + 5 * r.Next(48),
            EvMinutes = 60 + 5 * r.Next(19),
            HasPv = r.NextDouble() < options.PvShare,
            PvPeak = r.NextDouble(1500, 4000),
            DayVariability = r.NextDouble(0.07, 0.2),
        };
    }

    /// <summary>
    /// True on the days of the two yearly holidays (3 to 9 days each) of this home. A holiday may reach into the next
    /// year.
    /// </summary>
    public bool OnHoliday(int localDay)
    {
        var year = Math.DivRem(localDay, 365, out var dayOfYear);
        return InHoliday(year, 0, dayOfYear) || InHoliday(year, 1, dayOfYear)
            || InHoliday(year - 1, 0, dayOfYear + 365) || InHoliday(year - 1, 1, dayOfYear + 365);
    }

    private bool InHoliday(int year, int which, int dayOfYear)
    {
        var bits = StableHash.Mix(unchecked(Seed ^ (ulong)(year * 2 + which + 1) * 0xD1B54A32D192ED03UL));
        var begin = (int)(bits % 365);
        return dayOfYear >= begin && dayOfYear < begin + 3 + (int)((bits >> 32) % 7);
    }

    /// <summary>
    /// When the car charges in the night that begins on this day: start minute and minutes, 0 when it does not.
    /// </summary>
    public (int Start, int Minutes) Charging(int localDay)
    {
        var bits = StableHash.Mix(unchecked(Seed + 0xA0761D6478BD642FUL * (ulong)(localDay + 1)));
        if ((bits & 0xFFFF) / 65536.0 >= EvNightShare) return default;
        return (EvStart + (int)((bits >> 16) % 41) - 20, EvMinutes * (60 + (int)((bits >> 32) % 81)) / 100);
    }
}
