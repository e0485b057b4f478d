using System.Globalization;
using System.Text;
using Twin.Hardware;
using Twin.Ingest.Blocks;
using Twin.Ingest.Feed;
using Twin.Ingest.Profiles;
using Twin.Ingest.Text;

namespace Twin.Ingest.Readers;

/// <summary>Where the rows of one file go, and what is counted on the way.</summary>
public sealed class RowContext(MeterTable meters, BlockBuilder builder, Rejects rejects)
{
    public MeterTable Meters { get; } = meters;
    public BlockBuilder Builder { get; } = builder;
    public Rejects Rejects { get; } = rejects;

    /// <summary>Name of the file as rejects show it, and its name without extensions.</summary>
    public string File { get; private set; } = "";
    public string Stem { get; private set; } = "";

    /// <summary>Rows read, without headers and blank lines.</summary>
    public long Rows { get; set; }

    /// <summary>Cells that say there is no reading.</summary>
    public long MissingTokens { get; set; }

    /// <summary>Values finer than the stored unit.</summary>
    public long Rounded { get; set; }

    /// <summary>Called every so many cells.</summary>
    public Action? Pulse { get; set; }
    private const int CellsPerPulse = 1 << 16;
    private int _cells;

    public void Begin(string file, string stem) => (File, Stem) = (file, stem);

    public void CountRow(int cells)
    {
        Rows++;
        _cells += cells;
        if (_cells < CellsPerPulse) return;
        _cells = 0;
        Pulse?.Invoke();
    }
}

/// <summary>Why a time could not be used.</summary>
internal enum TimeFault : byte { None, Unreadable, Skipped, OffGrid }

/// <summary>Time texts to interval starts, by the rules of a profile.</summary>
internal sealed class RowClock
{
    private readonly TimePattern[] _patterns;
    private readonly WallClock _clock;
    private readonly bool _declared;
    private readonly bool _stampsEnd;
    private int _lastPattern;

    public RowClock(Profile profile)
    {
        _patterns = [.. profile.TimeFormats.Select(TimePattern.Compile)];
        _declared = profile.Zone is not null;
        _clock = new WallClock(_declared && ZoneRules.TryGet(profile.Zone!, out var zone) ? zone : ZoneRules.Utc);
        _stampsEnd = profile.StampsEnd;
    }

    public ZoneRules Zone => _clock.Zone;

    /// <param name="lastStamp">Stamp of the same meter's row before; tells the second of two equal wall-clock
    /// times.</param>
    /// <param name="stampMinute">The stamp as UTC minute.</param>
    /// <param name="offset">The row's own offset in minutes; 0 when it has none.</param>
    public TimeFault Read(ReadOnlySpan<byte> text, int intervalMinutes, long lastStamp,
        out long startMinute, out long stampMinute, out int offset)
    {
        (startMinute, stampMinute, offset) = (0, 0, 0);
        if (!TryParse(text, out var stamp)) return TimeFault.Unreadable;
        var onGrid = !stamp.HasSeconds && stamp.WallMinute % intervalMinutes == 0;
        if (stamp.HasOffset)
        {
            offset = stamp.OffsetMinutes;
            stampMinute = stamp.WallMinute - offset;
            if (_declared && !stamp.HasSeconds) onGrid = _clock.IsOnGrid(stampMinute, intervalMinutes);
        }
        else if (_clock.ToUnix(stamp.WallMinute, lastStamp, intervalMinutes, out stampMinute) == ClockStatus.Skipped)
            return TimeFault.Skipped;
        startMinute = _stampsEnd ? stampMinute - intervalMinutes : stampMinute;
        return onGrid ? TimeFault.None : TimeFault.OffGrid;
    }

    private bool TryParse(ReadOnlySpan<byte> text, out Stamp stamp)
    {
        if (_patterns[_lastPattern].TryParse(text, out stamp)) return true;
        for (var i = 0; i < _patterns.Length; i++)
        {
            if (i == _lastPattern || !_patterns[i].TryParse(text, out stamp)) continue;
            _lastPattern = i;
            return true;
        }
        return false;
    }

    public string Explain(TimeFault fault, int intervalMinutes) => fault switch
    {
        TimeFault.Unreadable =>
            $"this is no time of the form {string.Join(" or ", _patterns.Select(static p => p.Text))}",
        TimeFault.Skipped => $"the clock of {_clock.Zone.Name} skipped this time",
        _ => $"this time is off the grid of {intervalMinutes} minutes",
    };

    public static string OffsetName(int minutes) => string.Create(CultureInfo.InvariantCulture,
        $"{(minutes < 0 ? '-' : '+')}{Math.Abs(minutes) / 60:00}:{Math.Abs(minutes) % 60:00}");
}

/// <summary>Cells that mean "no reading".</summary>
internal sealed class NullTokens(IReadOnlyList<string> tokens)
{
    private readonly byte[][] _tokens = [.. tokens.Select(static t => Encoding.UTF8.GetBytes(t.ToLowerInvariant()))];

    public bool Matches(ReadOnlySpan<byte> cell)
    {
        if (cell.IsEmpty) return true;
        foreach (var token in _tokens)
            if (token.Length == cell.Length && Ascii.EqualsIgnoreCase(token, cell)) return true;
        return false;
    }
}

/// <summary>Texts of rejected values.</summary>
internal static class ValueFaults
{
    public static string Explain(NumberStatus status) =>
        status == NumberStatus.OutOfRange ? "this value is out of range" : "this is no decimal number";
}
