using Twin.Detection.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Network;

/// <summary>When nothing was heard: seconds since 1970, end exclusive.</summary>
public readonly record struct LostSpan(long From, long To)
{
    public long Seconds => To - From;
}

/// <summary>
/// Whether a concentrator speaks. It learns the period of its reports and how much that varies; several periods of
/// silence are a lost backhaul: one finding, however many meters are behind it. Lost spans are kept, because they
/// explain gaps of those meters when their days close.
/// </summary>
public sealed class BackhaulWatch
{
    /// <summary>Lost spans kept; at the bound the oldest is forgotten, of which days have long closed.</summary>
    public const int MaxSpans = 64;

    /// <summary>Silence that is a loss: this many periods and mean deviations, and never less than an hour.</summary>
    private const int Periods = 4, MeanDeviations = 4, LeastSeconds = 3_600;

    /// <summary>The period follows by one eighth of the difference, after TCP's round-trip timer (RFC 6298).</summary>
    private const int Follow = 8;

    /// <summary>Longest period that is learned.</summary>
    private const long MaxPeriod = 7 * 86_400;
    private const byte EncodingVersion = 1;

    private readonly List<LostSpan> _spans = [];
    private long _last, _period, _deviation, _lostFrom, _silentThrough;
    private bool _isLost;

    /// <summary>Second of the last report; 0 before the first.</summary>
    public long LastReport => _last;

    /// <summary>Usual seconds between reports; 0 before the first.</summary>
    public long PeriodSeconds => _period;

    /// <summary>True while nothing is heard for longer than is usual.</summary>
    public bool IsLost => _isLost;

    public IReadOnlyList<LostSpan> Spans => _spans;

    private long Limit => Math.Max(LeastSeconds, Periods * _period + MeanDeviations * _deviation);

    /// <summary>
    /// A report came in. One that is older than the last was held back and says nothing of now.
    /// <paramref name="seconds"/>: the period that it accounts for.
    /// </summary>
    public void Heard(UnixTime at, int seconds, ContextFlags context, in Party self, int meters,
        IFindingSink findings)
    {
        if (_last == 0)
        {
            (_last, _period) = (at.Seconds, Math.Clamp(seconds, 60, MaxPeriod));
            return;
        }
        if (at.Seconds <= _last) return;
        var gap = at.Seconds - _last;
        if (!_isLost && gap > Limit) _lostFrom = _last;
        if (_isLost || gap > Limit)
        {
            // A report that was held back carries an old time, but it came after the silence.
            var until = new UnixTime(_isLost ? Math.Max(at.Seconds, _silentThrough) : at.Seconds);
            _isLost = false;
            Keep(new LostSpan(_lostFrom, until.Seconds));
            findings.Add(Statement(_lostFrom, until, true, context, self, meters));
            _last = until.Seconds;
            return;
        }
        gap = Math.Min(gap, MaxPeriod);
        _deviation += (Math.Abs(gap - _period) - _deviation) / Follow;
        _period += (gap - _period) / Follow;
        _last = at.Seconds;
    }

    /// <summary>All that was sent up to now is in: silence may be judged.</summary>
    public void Judge(UnixTime now, ContextFlags context, in Party self, int meters, IFindingSink findings)
    {
        if (_last == 0 || now.Seconds - _last <= Limit) return;
        _silentThrough = Math.Max(_silentThrough, now.Seconds);
        if (_isLost) return;
        (_isLost, _lostFrom) = (true, _last);
        findings.Add(Statement(_lostFrom, now, false, context, self, meters));
    }

    /// <summary>Lost spans that overlap [from, to), oldest first; one that goes on reaches to <paramref name="to"/>.
    /// </summary>
    public IEnumerable<LostSpan> LostWithin(long from, long to)
    {
        foreach (var s in _spans)
            if (s.From < to && s.To > from) yield return new LostSpan(Math.Max(s.From, from), Math.Min(s.To, to));
        if (_isLost && _lostFrom < to) yield return new LostSpan(Math.Max(_lostFrom, from), to);
    }

    private void Keep(LostSpan span)
    {
        _spans.Add(span);
        if (_spans.Count > MaxSpans) _spans.RemoveAt(0);
    }

    private Finding Statement(long from, UnixTime to, bool isOver, ContextFlags context, in Party self, int meters)
    {
        var explained = (context & (ContextFlags.Outage | ContextFlags.PlannedWork)) != 0;
        string[] counter = explained ? ["an outage or planned work is on record for this time"] : [];
        var seconds = to.Seconds - from;
        return FleetStatements.Make(self, FindingKind.BackhaulLost, new UnixTime(from), to, to, 1.5,
            explained ? Severity.Info : Severity.Medium, 0.9, FleetStatements.Backhaul, "T0815",
            $"Nothing {(isOver ? "was" : "is")} heard of concentrator {self.Name} "
                + (isOver ? $"for {FleetStatements.Duration(seconds)}; it has returned"
                    : $"since {new UnixTime(from)}, where it usually reports every "
                        + FleetStatements.Duration(_period)) + $". {meters} meters are behind it.",
            [
                new Evidence("silent_seconds", seconds, _period, 1, "s"),
                new Evidence("meters_behind", meters, 0, 0, ""),
            ], counter);
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarInt(_last);
        to.VarUInt((ulong)_period);
        to.VarInt(_deviation);
        to.Bool(_isLost);
        to.VarInt(_lostFrom);
        to.VarInt(_silentThrough);
        to.VarUInt((ulong)_spans.Count);
        foreach (var s in _spans)
        {
            to.VarInt(s.From);
            to.VarInt(s.To);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static BackhaulWatch Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a watch over a backhaul");
        var watch = new BackhaulWatch { _last = Codes.ReadSeconds(ref r) };
        (watch._period, watch._deviation) = (r.Count((int)MaxPeriod), r.VarInt());
        if (watch._deviation is < 0 or > MaxPeriod) throw r.Bad("a deviation is none");
        (watch._isLost, watch._lostFrom) = (r.Bool(), Codes.ReadSeconds(ref r));
        watch._silentThrough = Codes.ReadSeconds(ref r);
        var count = r.Count(MaxSpans);
        for (var i = 0; i < count; i++)
            watch._spans.Add(new LostSpan(Codes.ReadSeconds(ref r), Codes.ReadSeconds(ref r)));
        return watch;
    }
}
