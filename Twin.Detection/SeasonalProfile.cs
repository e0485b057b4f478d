using System.Runtime.CompilerServices;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// What a meter usually does at each half-hour of a working day and of a weekend day: a location for each and a mean
/// absolute deviation for both (W), learned by exponential updates with clipped steps (Huber's M-estimator run
/// recursively), so that one wild day moves it little and the seasons move it in weeks. 290 bytes, no matter how long
/// the history.
/// </summary>
internal struct SeasonalProfile
{
    private const int Slots = DayShape.Slots;

    /// <summary>Slowest learning: about six weeks of working days, and of weekends.</summary>
    private const float WorkingDayRate = 1f / 30, WeekendRate = 1f / 12, ScaleRate = 1f / 40;

    /// <summary>A step is clipped at this many mean absolute deviations once there are enough days for one.</summary>
    private const float ClipAt = 3f;
    private const int DaysBeforeClipping = 5;

    [InlineArray(3 * Slots)]
    private struct Codes
    {
        private ushort _first;
    }

    private Codes _codes;
    private byte _workingDays, _weekendDays;

    public readonly int Days => _workingDays + _weekendDays;

    /// <summary>
    /// Where the location for the kind of day begins; the other kind's while this one has been seen only once.
    /// </summary>
    private readonly int LocationAt(bool weekend)
    {
        var own = weekend ? _weekendDays : _workingDays;
        var other = weekend ? _workingDays : _weekendDays;
        var useWeekend = own >= 2 || own >= other ? weekend : !weekend;
        return useWeekend ? Slots : 0;
    }

    /// <summary>Expected mean power (W) of each half-hour.</summary>
    public readonly void Expected(bool weekend, Span<float> power)
    {
        ReadOnlySpan<ushort> codes = _codes;
        codes = codes.Slice(LocationAt(weekend), Slots);
        for (var s = 0; s < Slots; s++) power[s] = LogFloat.Decode(codes[s]);
    }

    /// <summary>Mean absolute deviation (W) of each half-hour from what is expected, over both kinds of day.</summary>
    public readonly void Deviation(Span<float> power)
    {
        ReadOnlySpan<ushort> codes = _codes;
        for (var s = 0; s < Slots; s++) power[s] = LogFloat.Decode(codes[2 * Slots + s]);
    }

    /// <summary>Learns a day; half-hours below zero were not measured.</summary>
    public void Learn(bool weekend, ReadOnlySpan<float> power)
    {
        Span<ushort> codes = _codes;
        var from = codes.Slice(LocationAt(weekend), Slots);
        var to = codes.Slice(weekend ? Slots : 0, Slots);
        var scales = codes.Slice(2 * Slots, Slots);
        var days = Days;
        var own = weekend ? _weekendDays : _workingDays;
        // The first day of a kind starts from the other kind's profile, at the weight of two days seen.
        var seen = own == 0 && days > 0 ? 2 : own;
        var rate = Math.Max(1f / (seen + 1), weekend ? WeekendRate : WorkingDayRate);
        var scaleRate = Math.Max(1f / (days + 1), ScaleRate);
        for (var s = 0; s < Slots; s++)
        {
            var location = LogFloat.Decode(from[s]);
            if (power[s] >= 0)
            {
                var step = power[s] - location;
                var scale = LogFloat.Decode(scales[s]);
                var limit = days >= DaysBeforeClipping ? ClipAt * scale + 1f : float.MaxValue;
                step = Math.Clamp(step, -limit, limit);
                location += rate * step;
                // A first day tells no deviation.
                if (days > 0) scales[s] = LogFloat.Encode(scale + scaleRate * ((step < 0 ? -step : step) - scale));
            }
            to[s] = LogFloat.Encode(location);
        }
        if (weekend) _weekendDays = (byte)Math.Min(255, _weekendDays + 1);
        else _workingDays = (byte)Math.Min(255, _workingDays + 1);
    }

    /// <summary>
    /// Makes the profile learn fast again, as after a move-in: it keeps its shape and forgets its certainty.
    /// </summary>
    public void Doubt()
    {
        _workingDays = Math.Min(_workingDays, (byte)2);
        _weekendDays = Math.Min(_weekendDays, (byte)1);
    }

    /// <summary>
    /// Learns faster for some weeks, where days have been far above the profile: what was learned of an empty home does
    /// not bind who moved in.
    /// </summary>
    public void Loosen()
    {
        _workingDays = Math.Min(_workingDays, (byte)5);
        _weekendDays = Math.Min(_weekendDays, (byte)2);
    }

    public readonly void Write(ByteWriter to)
    {
        ReadOnlySpan<ushort> codes = _codes;
        foreach (var code in codes) to.UInt16(code);
        to.Byte(_workingDays);
        to.Byte(_weekendDays);
    }

    public static SeasonalProfile Read(ref ByteReader from)
    {
        var profile = default(SeasonalProfile);
        Span<ushort> codes = profile._codes;
        for (var i = 0; i < codes.Length; i++) codes[i] = from.UInt16();
        profile._workingDays = from.Byte();
        profile._weekendDays = from.Byte();
        return profile;
    }
}
