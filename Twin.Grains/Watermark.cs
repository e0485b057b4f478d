using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

/// <summary>
/// How far event time has come: the minimum over active sources of each source's latest interval end. A function of
/// journal order only (DESIGN, invariant 4). Decides which local days close; knows no clock.
/// </summary>
public sealed class Watermark
{
    /// <summary>A local day has ended everywhere on Earth this many minutes after it ended in UTC (UTC−12).</summary>
    private const int LastZoneMinutes = 12 * 60;

    /// <summary>Sources kept; one more takes the place of an ended one, or else of the idlest.</summary>
    public const int MaxSources = 1024;

    /// <summary>
    /// A source that said nothing between so many ticks is idle and holds nobody up; its next input brings it back.
    /// </summary>
    public const int IdleTicks = 2;

    /// <summary>The most days closed at one place; of a longer gap only the last so many close one by one.</summary>
    public const int MaxClosesAtOnce = 400;

    /// <summary>
    /// A source this far behind the furthest active one holds nobody up: a meter keeps at most
    /// <see cref="MeterTwin.MaxOpenDays"/> days open, and a historic import beside live service must not stop it.
    /// What it delivers for closed days is late.
    /// </summary>
    private const int MaxLagMinutes = 28 * 1440;

    private sealed class Source
    {
        public long EndMinute = long.MinValue;
        public int SilentTicks;
        public bool Ended;
        public bool IsActive => !Ended && SilentTicks < IdleTicks;
    }

    private readonly SortedDictionary<string, Source> _sources = new(StringComparer.Ordinal);
    private int _firstDay = int.MaxValue;
    private int _lastDay = int.MinValue;

    /// <summary>The last closed local day; <c>int.MinValue</c> before the first.</summary>
    public int ClosedThrough { get; private set; } = int.MinValue;

    /// <summary>The watermark in minutes since 1970, null before the first reading.</summary>
    public long? Minute => Least() ?? (_sources.Count == 0 ? null : Furthest(_ => true));

    /// <summary>
    /// The minimum over active sources, those far behind left out; null when none is active.
    /// </summary>
    private long? Least()
    {
        if (Furthest(s => s.IsActive) is not { } furthest) return null;
        var least = furthest;
        foreach (var s in _sources.Values)
            if (s.IsActive && s.EndMinute >= furthest - MaxLagMinutes) least = Math.Min(least, s.EndMinute);
        return least;
    }

    private long? Furthest(Func<Source, bool> which)
    {
        long? max = null;
        foreach (var s in _sources.Values)
            if (which(s) && s.EndMinute != long.MinValue && (max is null || s.EndMinute > max)) max = s.EndMinute;
        return max;
    }

    /// <summary>A source delivered readings of a local day, the last of which ends at the minute.</summary>
    public void Observe(string source, long endMinute, int day)
    {
        var s = Get(source);
        s.EndMinute = Math.Max(s.EndMinute, endMinute);
        s.SilentTicks = 0;
        s.Ended = false;
        _firstDay = Math.Min(_firstDay, day);
        _lastDay = Math.Max(_lastDay, day);
    }

    /// <summary>True when this tells something new: the source has not ended, or the last day has not closed.</summary>
    public bool WouldEnd(string source) => _sources.TryGetValue(source, out var s) && !s.Ended;

    /// <summary>The source has delivered all it has.</summary>
    public void End(string source) => Get(source).Ended = true;

    public void Tick()
    {
        foreach (var s in _sources.Values) s.SilentTicks = Math.Min(IdleTicks, s.SilentTicks + 1);
    }

    /// <summary>The next local day to close, or null. Call <see cref="Close"/> with it.</summary>
    public int? NextToClose(int horizonDays)
    {
        if (_lastDay == int.MinValue) return null;
        var through = ClosableThrough(horizonDays);
        if (through == int.MinValue) return null;
        var from = Math.Max(ClosedThrough == int.MinValue ? _firstDay : ClosedThrough + 1,
            through - MaxClosesAtOnce + 1);
        return from <= through ? from : null;
    }

    public void Close(int day) => ClosedThrough = Math.Max(ClosedThrough, day);

    /// <summary>
    /// The last day that may close; <c>int.MinValue</c> while every source is idle and none has ended.
    /// </summary>
    private int ClosableThrough(int horizonDays)
    {
        if (Least() is not { } min) return _sources.Values.Any(s => s.Ended) ? _lastDay : int.MinValue;
        var days = Math.DivRem(min - LastZoneMinutes, 1440, out var rest) - (rest < 0 ? 1 : 0);
        return (int)Math.Min(_lastDay, days - 1 - horizonDays);
    }

    private Source Get(string name)
    {
        if (_sources.TryGetValue(name, out var s)) return s;
        if (_sources.Count >= MaxSources)
        {
            var victim = _sources.OrderByDescending(p => p.Value.Ended).ThenByDescending(p => p.Value.SilentTicks)
                .First().Key;
            _sources.Remove(victim);
        }
        return _sources[name] = new Source();
    }

    public void Write(ByteWriter to)
    {
        to.VarInt(ClosedThrough);
        to.VarInt(_firstDay);
        to.VarInt(_lastDay);
        to.VarUInt((ulong)_sources.Count);
        foreach (var (name, s) in _sources)
        {
            to.Text(name);
            to.VarInt(s.EndMinute);
            to.VarUInt((ulong)s.SilentTicks);
            to.Bool(s.Ended);
        }
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static Watermark Read(ReadOnlySpan<byte> bytes)
    {
        var w = new Watermark();
        if (bytes.IsEmpty) return w;
        var r = new ByteReader(bytes);
        w.ClosedThrough = ReadDay(ref r, int.MinValue);
        w._firstDay = ReadDay(ref r, int.MaxValue);
        w._lastDay = ReadDay(ref r, int.MinValue);
        for (var n = r.Count(MaxSources); n > 0; n--)
            w._sources[r.Text()] = new Source
            {
                EndMinute = ReadMinute(ref r), SilentTicks = r.Count(IdleTicks), Ended = r.Bool(),
            };
        return w;
    }

    private static int ReadDay(ref ByteReader r, int none)
    {
        var day = r.Int();
        return day == none || day is >= LocalDay.MinNumber and <= LocalDay.MaxNumber
            ? day : throw r.Bad($"day {day} is not of the years 1 to 9999");
    }

    private static long ReadMinute(ref ByteReader r)
    {
        var minute = r.VarInt();
        return minute == long.MinValue || minute / 1440 is >= LocalDay.MinNumber and <= LocalDay.MaxNumber
            ? minute : throw r.Bad($"minute {minute} is not of the years 1 to 9999");
    }
}
