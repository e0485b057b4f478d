using Twin.Hardware;

namespace Twin.Detection.Specification;

/// <summary>
/// Event time as security state keeps it: whole seconds since 1970 in 4 bytes, 1 to 2^32−1 (the year 2106); 0 means
/// never. Times outside are clamped: a meter's clock has the same range.
/// </summary>
public static class Moment
{
    public const uint Hour = 3_600, Day = 86_400;

    public static uint Of(UnixTime at) => (uint)Math.Clamp(at.Seconds, 1, uint.MaxValue);
    public static UnixTime Time(uint moment) => new(moment);
    public static UnixTime? TimeOrNull(uint moment) => moment == 0 ? null : new UnixTime(moment);

    /// <summary>Seconds from one moment to another; negative when it lies before.</summary>
    public static long Since(uint from, uint to) => (long)to - from;

    public static uint Plus(uint moment, uint seconds) => (uint)Math.Min((ulong)moment + seconds, uint.MaxValue);
    public static uint Minus(uint moment, uint seconds) => moment > seconds ? moment - seconds : 1;
}
