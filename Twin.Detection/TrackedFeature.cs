using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// One feature of a meter's days against its own past: a robust location and mean absolute deviation, learned with
/// clipped steps and slowly forgotten, and a cumulative sum (Page 1954) of the standardised deviation in one direction,
/// which sees a small lasting change that no single day shows. What the sum once reached and came back from is life,
/// and widens the scale. All numbers are non-negative and kept as <see cref="LogFloat"/> codes: 13 bytes.
/// </summary>
internal struct TrackedFeature
{
    /// <summary>Slowest learning, about six weeks; faster at first.</summary>
    private const float Rate = 1f / 40, RecentRate = 1f / 5;
    private const float Clip = 3f;

    /// <summary>
    /// An excursion has ended when the sum is back at this share of its peak; its peak then weighs so much a unit.
    /// </summary>
    private const float Ended = 0.1f, RecordWeight = 0.1f;

    private ushort _location, _scale, _recent, _sum, _peak, _record;
    private byte _days;

    /// <summary>What is usual, and the mean of the last days.</summary>
    public readonly float Usual => LogFloat.Decode(_location);
    public readonly float Recent => LogFloat.Decode(_recent);

    /// <summary>Cumulative sum, in standard deviations, and the days since it was last zero (at most 255).</summary>
    public readonly float Sum => LogFloat.Decode(_sum);
    public readonly int Days => _days;

    /// <summary>The sum over what excursions that ended have shown of this home.</summary>
    public readonly float Weighed => Sum / (1f + RecordWeight * LogFloat.Decode(_record));

    /// <summary>How far the last days are below what is usual, as a share of it: 0 to 1.</summary>
    public readonly float Fall => Usual <= 0 ? 0f : Math.Clamp(1f - Recent / Usual, 0f, 1f);

    /// <summary>
    /// Takes a day's value. <paramref name="sign"/> is 1 where a rise counts, −1 where a fall does;
    /// <paramref name="floor"/> is a spread below which differences are measurement; <paramref name="slack"/> is the
    /// deviation that the cumulative sum forgives each day. What it adds to the sum and moves what is usual counts
    /// <paramref name="weight"/>, 0 to 1; with 0 it only learns.
    /// </summary>
    public void Take(float value, int sign, int days, float floor, float slack, float weight)
    {
        var location = Usual;
        var scale = LogFloat.Decode(_scale);
        var step = value - location;
        var spread = 1.25f * scale + floor;
        if (weight > 0) Accumulate(weight * (sign * Math.Clamp(step / spread, -Clip, Clip) - slack));
        if (days >= 5) step = Math.Clamp(step, -2f * spread, 2f * spread);
        var rate = Math.Max(1f / (days + 1), Rate);
        if (weight > 0 && weight < 1) rate *= weight;
        _location = LogFloat.Encode(location + rate * step);
        if (days > 0) _scale = LogFloat.Encode(scale + rate * (Math.Abs(step) - scale));
        _recent = LogFloat.Encode(days == 0 ? value : Recent + RecentRate * (value - Recent));
    }

    private void Accumulate(float gain)
    {
        _sum = LogFloat.Encode(Math.Max(0f, Sum + gain));
        _days = _sum == 0 ? (byte)0 : (byte)Math.Min(255, _days + 1);
        _peak = Math.Max(_peak, _sum);
        if (Sum > Ended * LogFloat.Decode(_peak)) return;
        (_record, _peak) = (Math.Max(_record, _peak), 0);
    }

    public readonly void Write(ByteWriter to)
    {
        to.UInt16(_location);
        to.UInt16(_scale);
        to.UInt16(_recent);
        to.UInt16(_sum);
        to.UInt16(_peak);
        to.UInt16(_record);
        to.Byte(_days);
    }

    public static TrackedFeature Read(ref ByteReader from) => new()
    {
        _location = from.UInt16(),
        _scale = from.UInt16(),
        _recent = from.UInt16(),
        _sum = from.UInt16(),
        _peak = from.UInt16(),
        _record = from.UInt16(),
        _days = from.Byte(),
    };
}
