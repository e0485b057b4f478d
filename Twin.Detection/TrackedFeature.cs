using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// One feature of a meter's days against its own past: a robust location and mean absolute deviation, learned with
/// clipped steps and slowly forgotten, and a two-sided cumulative sum (Page 1954) of the standardised deviation, which
/// sees a small lasting change that no single day shows. All numbers are non-negative and kept as
/// <see cref="LogFloat"/> codes: 12 bytes.
/// </summary>
internal struct TrackedFeature
{
    /// <summary>Slowest learning, about six weeks; faster at first.</summary>
    private const float Rate = 1f / 40, RecentRate = 1f / 5;
    private const float Clip = 3f;

    private ushort _location, _scale, _recent, _up, _down;
    private byte _upDays, _downDays;

    /// <summary>What is usual, and the mean of the last days.</summary>
    public readonly float Usual => LogFloat.Decode(_location);
    public readonly float Recent => LogFloat.Decode(_recent);

    /// <summary>Cumulative sums, in standard deviations, and the days since each was last zero (at most 255).</summary>
    public readonly float Up => LogFloat.Decode(_up);
    public readonly float Down => LogFloat.Decode(_down);
    public readonly int UpDays => _upDays;
    public readonly int DownDays => _downDays;

    /// <summary>
    /// Takes a day's value. <paramref name="floor"/> is a spread below which differences are measurement;
    /// <paramref name="slack"/> is the deviation that the cumulative sums forgive each day. Before
    /// <paramref name="isWarm"/> it only learns.
    /// </summary>
    public void Take(float value, int days, float floor, float slack, bool isWarm)
    {
        var location = Usual;
        var scale = LogFloat.Decode(_scale);
        var step = value - location;
        var spread = 1.25f * scale + floor;
        if (isWarm)
        {
            var z = Math.Clamp(step / spread, -Clip, Clip);
            _up = LogFloat.Encode(Math.Max(0f, Up + z - slack));
            _down = LogFloat.Encode(Math.Max(0f, Down - z - slack));
            _upDays = _up == 0 ? (byte)0 : (byte)Math.Min(255, _upDays + 1);
            _downDays = _down == 0 ? (byte)0 : (byte)Math.Min(255, _downDays + 1);
        }
        if (days >= 5) step = Math.Clamp(step, -2f * spread, 2f * spread);
        _location = LogFloat.Encode(location + Math.Max(1f / (days + 1), Rate) * step);
        if (days > 0) _scale = LogFloat.Encode(scale + Math.Max(1f / (days + 1), Rate) * (Math.Abs(step) - scale));
        _recent = LogFloat.Encode(days == 0 ? value : Recent + RecentRate * (value - Recent));
    }

    public readonly void Write(ByteWriter to)
    {
        to.UInt16(_location);
        to.UInt16(_scale);
        to.UInt16(_recent);
        to.UInt16(_up);
        to.UInt16(_down);
        to.Byte(_upDays);
        to.Byte(_downDays);
    }

    public static TrackedFeature Read(ref ByteReader from) => new()
    {
        _location = from.UInt16(),
        _scale = from.UInt16(),
        _recent = from.UInt16(),
        _up = from.UInt16(),
        _down = from.UInt16(),
        _upDays = from.Byte(),
        _downDays = from.Byte(),
    };
}
