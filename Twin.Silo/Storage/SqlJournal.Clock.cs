using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Storage;

// When was what known: words of time (ticks, sweeps, closings) and where they stand in the journal. Clocks of hosts may
// go back, so that positions cannot be searched by time alone: the latest time so far can.
public abstract partial class SqlJournal
{
    /// <summary>Ticks and sweeps between two entries of the index of times: 16 bytes for each so many.</summary>
    private const int ClockStride = 256;

    /// <summary>Rows read in one view while the index is made: others read in between.</summary>
    private const int ClockRows = 16 * ClockStride;

    private readonly Lock _clockGate = new();

    /// <summary>Where a run of ticks and sweeps begins (exclusive), and the latest time at its end.</summary>
    private readonly List<(long After, long Latest)> _clock = [];
    private long _clockEnd, _clockLatest = long.MinValue;
    private int _clockCount;

    public long Head => Once(static c => (long)c.Ready("SELECT position FROM head").ExecuteScalar()!);

    public long? FirstClockAfter(UnixTime time)
    {
        var day = (int)Math.Clamp(Math.Floor(time.Seconds / 86_400d), int.MinValue, int.MaxValue);
        // A closed day D ended at (D + 1) days, which lies after the time from its own day on.
        var closed = Once(c => c.Ready("SELECT MIN(position) FROM closed WHERE day>=@d", "@d").With(day)
            .ExecuteScalar()) as long?;
        return Told(time.Seconds) is { } told && !(closed < told) ? told : closed;
    }

    public (long Position, byte[] Input)? NextSweep(long after, long before)
    {
        for (; ; )
        {
            var rows = FleetWide(after, before, 4);
            foreach (var (position, input) in rows)
                if (Envelope.Read(input).Kind == InputKind.Sweep) return (position, input);
            if (rows.Count < 4) return null;
            after = rows[^1].Position;
        }
    }

    /// <summary>Position of the first tick or sweep after a time.</summary>
    private long? Told(long seconds)
    {
        (long After, long Latest) run;
        lock (_clockGate)
        {
            ExtendClock();
            if (_clockLatest <= seconds) return null;
            var (low, high) = (0, _clock.Count - 1);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (_clock[middle].Latest <= seconds) low = middle + 1;
                else high = middle;
            }
            run = _clock[low];
        }
        foreach (var (position, input) in FleetWide(run.After, long.MaxValue, ClockStride))
            if (TimeOf(input) > seconds) return position;
        return null;
    }

    private void ExtendClock()
    {
        while (_clockEnd < Head)
        {
            var rows = FleetWide(_clockEnd, long.MaxValue, ClockRows);
            foreach (var (position, input) in rows)
            {
                if (_clockCount++ % ClockStride == 0) _clock.Add((_clockEnd, _clockLatest));
                _clockEnd = position;
                _clockLatest = Math.Max(_clockLatest, TimeOf(input));
                _clock[^1] = (_clock[^1].After, _clockLatest);
            }
            if (rows.Count < ClockRows) return;
        }
    }

    private static long TimeOf(byte[] input) => Envelope.Read(input).Kind switch
    {
        InputKind.Tick => ((Tick)Input.Read(input)).At.Seconds,
        InputKind.Sweep => ((Sweep)Input.Read(input)).At.Seconds,
        _ => long.MinValue,
    };

    private List<(long Position, byte[] Input)> FleetWide(long after, long before, int limit) => Once(c =>
    {
        using var select = c.Prepare("SELECT position, input FROM kept WHERE twin=-9223372036854775808 AND kind=5 AND "
            + "position>@a AND position<@b ORDER BY position LIMIT @n", "@a", "@b", "@n").With(after, before, limit);
        return Rows(select);
    });
}
