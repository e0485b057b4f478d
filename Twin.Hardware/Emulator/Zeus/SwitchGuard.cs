namespace Twin.Hardware.Emulator.Zeus;

/// <summary>What became of a request to the guard.</summary>
public enum GuardAnswer : byte
{
    Done = 1,
    /// <summary>It waits out a random delay and is done then, unless it is cancelled.</summary>
    Delayed = 2,
    /// <summary>Mode or state do not allow it.</summary>
    NotAllowed = 3,
    /// <summary>Too many operations of late.</summary>
    RateLimited = 4,
}

/// <summary>A remote request that came due, and whether the switch took it.</summary>
public readonly record struct SwitchDone(SwitchRequest Request, bool Moved, UnixTime At);

/// <summary>
/// Stands between everybody and the switch, in the metrology core, so that no application can go around it. Remote
/// requests wait a random, geometrically distributed number of slots (Temple, Chen, Tippenhauer, SmartGridComm 2013): a
/// crowd of meters then never moves at once, and there is time to stop it. All but what a hand on the meter or the
/// limiter asks for is held to a number of operations an hour.
/// </summary>
public sealed class SwitchGuard
{
    /// <summary>One slot of delay, seconds.</summary>
    public const int SlotSeconds = 60;

    /// <summary>Chance in percent that a waiting request comes due in a slot: a mean of ten slots.</summary>
    public const int SlotPercent = 10;

    /// <summary>Longest wait in slots: the tail of the distribution is cut there.</summary>
    public const int MaxSlots = 60;

    /// <summary>Remote operations in any hour; the next is refused.</summary>
    public const int MaxAnHour = 4;

    private readonly SplitMix64 _draw;
    private readonly long[] _recent = new long[MaxAnHour];
    private long _due;
    private SwitchRequest _waiting;

    public SwitchGuard(Disconnector disconnector, ulong seed)
    {
        Switch = disconnector;
        _draw = SplitMix64.For(seed, "switch delay");
        Array.Fill(_recent, long.MinValue);
    }

    public Disconnector Switch { get; }

    /// <summary>When the waiting request comes due; null when none waits. One can wait; a newer replaces it.</summary>
    public UnixTime? Due => _due == 0 ? null : new UnixTime(_due);

    /// <summary>A remote request: it waits, unless it is not allowed or there were too many.</summary>
    public GuardAnswer Request(SwitchRequest request, UnixTime now)
    {
        if (Disconnector.Next(Switch.Mode, Switch.State, request) is null) return GuardAnswer.NotAllowed;
        if (Array.TrueForAll(_recent, at => at > now.Seconds - 3_600)) return GuardAnswer.RateLimited;
        var slots = 1;
        while (slots < MaxSlots && _draw.Next(100) >= SlotPercent) slots++;
        (_waiting, _due) = (request, now.Seconds + (long)slots * SlotSeconds);
        var oldest = Array.IndexOf(_recent, _recent.Min());
        _recent[oldest] = now.Seconds;
        return GuardAnswer.Delayed;
    }

    /// <summary>A hand on the meter, or the limiter that protects the supply: at once.</summary>
    public GuardAnswer RequestHere(SwitchRequest request) =>
        Switch.TryMove(request) ? GuardAnswer.Done : GuardAnswer.NotAllowed;

    /// <summary>Takes back what waits; false when nothing does.</summary>
    public bool Cancel()
    {
        var waited = _due != 0;
        _due = 0;
        return waited;
    }

    /// <summary>Does what has come due by now.</summary>
    public SwitchDone? Step(UnixTime now)
    {
        if (_due == 0 || now.Seconds < _due) return null;
        var at = new UnixTime(_due);
        _due = 0;
        return new SwitchDone(_waiting, Switch.TryMove(_waiting), at);
    }
}
