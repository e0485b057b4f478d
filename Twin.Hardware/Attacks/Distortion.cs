using Twin.Hardware.Emulator;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Attacks;

/// <summary>
/// How what a meter sees differs from what flows: as a bypass where less is to be seen, as an error of the sensor where
/// more. Deterministic; the home's mean is that of the two weeks before it began.
/// </summary>
internal sealed class Distortion
{
    private const int MeanDays = 14;
    private readonly World _world;
    private readonly int _home;
    private readonly ReadingDistortion _kind;
    private readonly UnixTime _from;
    private readonly SplitMix64 _draw;
    private readonly double _mean;
    private readonly int[] _day = new int[LocalDay.MaxMinutes / 5], _export = new int[LocalDay.MaxMinutes / 5];
    private int _loaded = -1;

    public Distortion(World world, int home, ReadingDistortion kind, UnixTime from)
    {
        (_world, _home, _kind, _from) = (world, home, kind, from);
        _draw = SplitMix64.For(world.Options.Seed, $"distortion {home} {kind}");
        var before = DayOf(from.Minutes) - 1;
        long sum = 0, count = 0;
        for (var d = Math.Max(0, before - MeanDays + 1); d <= before; d++)
        {
            Load(d);
            foreach (var v in _day.AsSpan(0, world.Slots(d))) (sum, count) = (sum + Math.Max(0, v), count + 1);
        }
        _mean = count == 0 ? 0 : (double)sum / count;
    }

    /// <summary>What flows in the interval that ends at a time, as the meter sees it.</summary>
    public SupplyInterval Apply(UnixTime end, SupplyInterval flow)
    {
        var reported = Reported(end, flow.ImportWh);
        if (flow.ImportWh <= 0) return flow;
        return reported <= flow.ImportWh ? flow with { BypassShare = 1 - reported / flow.ImportWh }
            : flow with { FieldError = reported / flow.ImportWh - 1 };
    }

    private double Reported(UnixTime end, double wattHours)
    {
        var start = end.Minutes - _world.Options.IntervalMinutes;
        var day = DayOf(start);
        var slot = (int)((start - _world.LocalDay(day).StartMinute) / _world.Options.IntervalMinutes);
        var hour = slot * _world.Options.IntervalMinutes / 60;
        var weeks = (end.Seconds - _from.Seconds) / (7.0 * 86_400);
        return _kind switch
        {
            ReadingDistortion.ConstantShare => 0.3 * wattHours,
            ReadingDistortion.RandomShare => _draw.NextDouble(0.1, 0.8) * wattHours,
            ReadingDistortion.ZeroWindow => hour is >= 16 and < 22 ? 0 : wattHours,
            ReadingDistortion.RandomOfMean => _draw.NextDouble(0.1, 0.8) * _mean,
            ReadingDistortion.Mean => _mean,
            ReadingDistortion.Reversed => Mirrored(day, slot),
            ReadingDistortion.NightBypass => hour is >= 20 or < 7 ? 0.1 * wattHours : wattHours,
            ReadingDistortion.Interference => 5.82 * wattHours,
            ReadingDistortion.SlowDecline => Math.Max(0, 1 - 0.01 * weeks) * wattHours,
            ReadingDistortion.Drift => (1 + 0.01 * weeks) * wattHours,
            _ => wattHours,
        };
    }

    private double Mirrored(int day, int slot)
    {
        Load(day);
        return Math.Max(0, _day[_world.Slots(day) - 1 - slot]);
    }

    private void Load(int day)
    {
        if (_loaded == day) return;
        _world.Day(day, _home, _day.AsSpan(0, _world.Slots(day)), _export.AsSpan(0, _world.Slots(day)));
        _loaded = day;
    }

    /// <summary>The day of the run that holds a minute; the last one from its end on.</summary>
    private int DayOf(long minute)
    {
        var day = (int)Math.Clamp((minute - _world.LocalDay(0).StartMinute) / 1_440, 0, _world.Options.Days - 1);
        while (day > 0 && minute < _world.LocalDay(day).StartMinute) day--;
        while (day < _world.Options.Days - 1 && minute >= _world.LocalDay(day).EndMinute) day++;
        return day;
    }
}
