using Twin.Hardware;
using Twin.Hardware.Wire;
using Twin.Ingest.Text;

namespace Twin.Ingest.Dlms;

/// <summary>
/// What one file or connection has told so far: the meter last named, the time last known, the parts of a message not
/// yet whole. Frames without a name belong to the meter last named here, else to <paramref name="meter"/>.
/// </summary>
/// <param name="where">The file or peer, as faults show it.</param>
/// <param name="meter">The meter of frames that nobody named; null: such frames are counted only.</param>
/// <param name="zone">Zone of clocks that do not tell their distance to UTC; null: UTC.</param>
public sealed class FrameChannel(string where, string? meter, ZoneRules? zone)
{
    // One for the meter and one for the log: an hour that comes twice is told by each one's own course.
    private readonly WallClock _clock = new(zone ?? ZoneRules.Utc);
    private readonly WallClock _log = new(zone ?? ZoneRules.Utc);
    private long _lastClock = long.MinValue, _lastLog = long.MinValue;
    private string? _named;

    public string Where { get; } = where;

    /// <summary>Whose frames these are when a frame does not say; null: nobody knows.</summary>
    public string? Meter => _named ?? meter;

    /// <summary>Event time of the frame before; null before the first.</summary>
    public UnixTime? LastTime { get; private set; }

    /// <summary>Frames whose clock left its distance to UTC open, while no zone was given: taken as UTC.</summary>
    public long WithoutZone { get; private set; }

    /// <summary>
    /// Wh that a count of an energy stands for in lists that tell no unit (Kamstrup's: 10 in Norway, 1 elsewhere);
    /// null: nobody said, and such energies are left out.
    /// </summary>
    public int? ListEnergyWh { get; init; }

    /// <summary>Energies left out because nobody said what they count.</summary>
    public long WithoutUnit { get; internal set; }

    internal MessageAssembly Parts { get; } = new();

    internal void Name(string named) => _named = named;

    internal void Note(UnixTime time) => LastTime = time;

    /// <summary>A stamp of the log, wall-clock seconds of the zone; null for one that the clock skipped.</summary>
    public UnixTime? TimeOfLog(long wallSeconds) => ToUnix(_log, wallSeconds, ref _lastLog);

    private static UnixTime? ToUnix(WallClock clock, long wallSeconds, ref long last)
    {
        var minute = new UnixTime(wallSeconds).Minutes;
        if (clock.ToUnix(minute, last, 1, out var unix) == ClockStatus.Skipped) return null;
        last = unix;
        return new UnixTime(unix * 60 + (wallSeconds - minute * 60));
    }

    /// <summary>The instant of a meter's clock; null when fields are open or it names no real time.</summary>
    public UnixTime? TimeOf(in CosemDateTime clock)
    {
        if (!clock.TryToUnixTime(0, out var time, out _)) return null;
        if (clock.Deviation != CosemDateTime.NoDeviation) return time;
        if (zone is null) WithoutZone++;
        return ToUnix(_clock, time.Seconds, ref _lastClock);
    }
}
