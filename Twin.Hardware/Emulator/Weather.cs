namespace Twin.Hardware.Emulator;

/// <summary>The sky over one region for one local day, slot by slot.</summary>
internal sealed record WeatherDay(float[] Celsius, float[] Sun, float[] Dark);

/// <summary>
/// Weather of one region at about 52° north: a yearly wave, a first-order autoregressive anomaly from day to day
/// (coefficient 0.75, 3 K) and a daily wave that clouds flatten. Days are drawn in order once; slots are made when
/// first asked for.
/// </summary>
internal sealed class Weather
{
    private const double DaysPerYear = 365.2425;
    private const double ColdestDayOfYear = 20;
    private const double ShortestDayOfYear = -10;
    private readonly Clock _clock;
    private readonly float[] _mean;
    private readonly float[] _cloud;
    private readonly WeatherDay?[] _days;
    private readonly ulong _seed;

    public Weather(ulong seed, string region, Clock clock)
    {
        _clock = clock;
        (_mean, _cloud, _days) = (new float[clock.Days], new float[clock.Days], new WeatherDay?[clock.Days]);
        var draw = SplitMix64.For(seed, "weather/" + region);
        _seed = draw.NextUInt64();
        var offset = draw.NextDouble(-1.5, 1.5);
        double anomaly = 2 * draw.NextNormal(), cloud = draw.NextDouble();
        for (var d = 0; d < clock.Days; d++)
        {
            anomaly = 0.75 * anomaly + 2.0 * draw.NextNormal();
            cloud = Math.Clamp(0.55 * cloud + 0.45 * draw.NextDouble() * 1.1, 0, 1);
            _mean[d] = (float)(10.5 + offset - 8 * Curves.Cosine(Season(d, ColdestDayOfYear)) + anomaly);
            _cloud[d] = (float)cloud;
        }
    }

    public WeatherDay this[int day] => _days[day] ??= Make(day);

    /// <summary>Mean temperature of the day in °C.</summary>
    public double Mean(int day) => _mean[day];

    private double Season(int day, double from) => (_clock.Local(day).Number - from) / DaysPerYear;

    private WeatherDay Make(int day)
    {
        var slots = _clock.Slots(day);
        float[] celsius = new float[slots], sun = new float[slots], dark = new float[slots];
        var winter = Curves.Cosine(Season(day, ShortestDayOfYear));
        var half = 360 - 250 * winter * 0.55;
        double clear = 1 - 0.8 * _cloud[day], swing = 2 + 5 * (1 - _cloud[day]) - 1.2 * winter;
        var peak = (0.62 - 0.33 * winter) * clear;
        var draw = new SplitMix64(StableHash.Mix(unchecked(_seed + (ulong)day)));
        for (var s = 0; s < slots; s++)
        {
            var minute = _clock.WallMinute(day, s) + _clock.IntervalMinutes / 2.0;
            celsius[s] = (float)(_mean[day] + swing * Curves.Cosine((minute - 900) / 1440));
            var up = 1 - Math.Abs(minute - 750) / half;
            dark[s] = (float)Math.Clamp(0.15 - up * 4, 0, 1);
            var passing = 1 - 0.5 * _cloud[day] * draw.NextDouble();
            sun[s] = up <= 0 ? 0 : (float)(peak * Curves.Sine(up / 4) * Curves.Sine(up / 4) * passing);
        }
        return new WeatherDay(celsius, sun, dark);
    }
}

/// <summary>The local days of the world, each a whole number of intervals, and the wall clock inside them.</summary>
internal sealed class Clock
{
    private readonly LocalDay[] _days;

    public Clock(WorldOptions options)
    {
        ZoneRules.TryGet(options.Zone, out var rules);
        IntervalMinutes = options.IntervalMinutes;
        var first = options.Start.DayNumber - new DateOnly(1970, 1, 1).DayNumber;
        _days = new LocalDay[options.Days];
        for (var d = 0; d < _days.Length; d++)
        {
            _days[d] = rules.Day(first + d);
            if (_days[d].Minutes % IntervalMinutes != 0)
                throw new ArgumentException($"The generated world cannot be made: {_days[d].Date} has "
                    + $"{_days[d].Minutes} minutes in zone {options.Zone}, no whole number of "
                    + $"intervals of {IntervalMinutes}. Choose a shorter interval.");
        }
    }

    public int IntervalMinutes { get; }
    public int Days => _days.Length;
    public LocalDay Local(int day) => _days[day];
    public int Slots(int day) => _days[day].Minutes / IntervalMinutes;

    /// <summary>
    /// Wall-clock minute (0 to 1439) at which a slot begins. On a day of another length the clock is taken to be set at
    /// 2 h forward or 3 h back: the shape of the day needs no more.
    /// </summary>
    public int WallMinute(int day, int slot)
    {
        var minute = slot * IntervalMinutes;
        var change = 1440 - _days[day].Minutes;
        if (change > 0 && minute >= 120 || change < 0 && minute >= 180) minute += change;
        return Math.Min(1439, minute);
    }
}
