namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// The meter's clock, class 8, driven by true time. It drifts by so many parts per million (positive: fast), can be
/// set, and is invalid when the supply comes back and the battery did not hold it.
/// </summary>
public sealed class MeterClock(double driftPpm, UnixTime now)
{
    /// <summary>Largest drift, parts per million: beyond it a clock is broken.</summary>
    public const double MaxPpm = 10_000;

    private long _trueAt = now.Seconds;
    private long _shownAtNano;
    private long _shownAt = now.Seconds;
    private long _ppb = Ppb(driftPpm);

    /// <summary>True from a power return without battery until the clock is set.</summary>
    public bool IsInvalid { get; private set; }

    public bool IsBatteryDead { get; private set; }

    /// <summary>What the clock shows at a true time, not before the last one asked for.</summary>
    public UnixTime Read(UnixTime trueTime)
    {
        var elapsed = Math.Max(0, trueTime.Seconds - _trueAt);
        return new UnixTime(_shownAt + elapsed + (_shownAtNano + elapsed * _ppb) / 1_000_000_000);
    }

    /// <summary>Milliseconds that the clock is fast of true time.</summary>
    public long OffsetMs(UnixTime trueTime)
    {
        var elapsed = Math.Max(0, trueTime.Seconds - _trueAt);
        return (_shownAt - _trueAt) * 1_000 + (_shownAtNano + elapsed * _ppb) / 1_000_000;
    }

    public void Set(UnixTime trueTime, UnixTime shown)
    {
        (_trueAt, _shownAt, _shownAtNano, IsInvalid) = (trueTime.Seconds, shown.Seconds, 0, false);
    }

    /// <summary>The oscillator ages, or firmware steers it: from now on it drifts so.</summary>
    public void Drift(UnixTime trueTime, double ppm)
    {
        var elapsed = Math.Max(0, trueTime.Seconds - _trueAt);
        var nano = _shownAtNano + elapsed * _ppb;
        _shownAt += elapsed + nano / 1_000_000_000;
        (_trueAt, _shownAtNano, _ppb) = (Math.Max(_trueAt, trueTime.Seconds), nano % 1_000_000_000, Ppb(ppm));
    }

    public void KillBattery() => IsBatteryDead = true;
    public void ReplaceBattery() => IsBatteryDead = false;

    /// <summary>The supply is back after so long: without a battery the clock goes on from where it stopped.</summary>
    public void PowerOn(UnixTime trueTime, UnixTime cutAt)
    {
        if (!IsBatteryDead) return;
        Set(trueTime, Read(cutAt));
        IsInvalid = true;
    }

    private static long Ppb(double ppm) => Math.Abs(ppm) <= MaxPpm ? (long)Math.Round(ppm * 1_000)
        : throw new ArgumentOutOfRangeException(nameof(ppm), $"A drift lies in ±{MaxPpm} ppm, not {ppm}.");
}
