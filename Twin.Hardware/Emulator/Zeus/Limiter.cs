namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// emergency_profile of class 71: active from <paramref name="From"/> for <paramref name="Seconds"/>, when its id is
/// among the limiter's groups.
/// </summary>
public readonly record struct EmergencyProfile(ushort Id, UnixTime From, uint Seconds)
{
    public bool IsOver(UnixTime now) => now.Seconds >= From.Seconds + Seconds;
}

/// <summary>What the limiter asks for.</summary>
public enum LimiterVerdict : byte { None = 0, Exceeded = 1, BackBelow = 2 }

/// <summary>
/// Limiter of IEC 62056-6-2, class 71. The monitored value is the mean import power of an interval in watts; above the
/// active threshold for the least time it asks the switch to open, below it for its least time to close again (which
/// only modes with a local reconnection do). Threshold 0 switches it off.
/// </summary>
public sealed class Limiter
{
    /// <summary>Groups of emergency profiles; more are refused.</summary>
    public const int MaxGroups = 8;

    private ushort[] _groups = [];
    private long _overSeconds, _underSeconds;
    private bool _over;

    /// <summary>Groups whose emergency profiles count.</summary>
    public ReadOnlySpan<ushort> Groups => _groups;

    public int NormalWatts { get; private set; }
    public int EmergencyWatts { get; private set; }

    /// <summary>Least time above or below the threshold before the limiter acts, seconds.</summary>
    public int MinOverSeconds { get; private set; } = 60;

    /// <inheritdoc cref="MinOverSeconds"/>
    public int MinUnderSeconds { get; private set; } = 60;

    public EmergencyProfile Emergency { get; private set; }
    public bool IsEmergencyActive { get; private set; }

    /// <summary>threshold_active: the emergency one while an emergency profile is active.</summary>
    public int ActiveWatts => IsEmergencyActive ? EmergencyWatts : NormalWatts;

    /// <summary>True while the limiter holds the supply off.</summary>
    public bool IsOver => _over;

    /// <summary>Sets thresholds and times; false when one is negative.</summary>
    public bool TrySet(int normalWatts, int emergencyWatts, int minOverSeconds, int minUnderSeconds)
    {
        if (normalWatts < 0 || emergencyWatts < 0 || minOverSeconds < 0 || minUnderSeconds < 0) return false;
        (NormalWatts, EmergencyWatts) = (normalWatts, emergencyWatts);
        (MinOverSeconds, MinUnderSeconds) = (minOverSeconds, minUnderSeconds);
        return true;
    }

    /// <summary>Sets emergency profile and groups; false when there are too many.</summary>
    public bool TrySetEmergency(EmergencyProfile profile, ReadOnlySpan<ushort> groups)
    {
        if (groups.Length > MaxGroups) return false;
        (Emergency, _groups) = (profile, groups.ToArray());
        return true;
    }

    /// <summary>One interval: its mean power, length in seconds, and the meter's time at its end.</summary>
    public LimiterVerdict Step(long watts, int seconds, UnixTime now)
    {
        IsEmergencyActive = Emergency.Seconds > 0 && now.Seconds >= Emergency.From.Seconds && !Emergency.IsOver(now)
            && Array.IndexOf(_groups, Emergency.Id) >= 0;
        var above = ActiveWatts > 0 && watts > ActiveWatts;
        _overSeconds = above ? Math.Min(_overSeconds + seconds, int.MaxValue) : 0;
        _underSeconds = above ? 0 : Math.Min(_underSeconds + seconds, int.MaxValue);
        if (!_over && above && _overSeconds >= MinOverSeconds)
        {
            _over = true;
            return LimiterVerdict.Exceeded;
        }
        if (!_over || above || _underSeconds < MinUnderSeconds) return LimiterVerdict.None;
        _over = false;
        return LimiterVerdict.BackBelow;
    }
}
