using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// The V of VEE: rules that hold for every meter and need no learning beyond its largest power ever. Each rule speaks
/// once when its condition begins and again only after the condition has been gone for <see cref="RearmDays"/> days.
/// </summary>
internal struct ValidationRules
{
    /// <summary>A day with less than this share of its intervals counts as incomplete.</summary>
    private const float EnoughOfDay = 0.8f;

    /// <summary>
    /// Incomplete days are reported once this much of them is missing: one lost evening is not worth a person's time.
    /// </summary>
    private const int MissingMinutesToReport = 720;

    /// <summary>
    /// What an outage on record explains at most, in all: three days. Longer ones are rare, and whoever can write a
    /// record must not be able to silence a meter with it.
    /// </summary>
    private const int LongestOutageMinutes = 3 * 1_440;
    private const int ZeroDaysToReport = 3;
    private const int HistoryDays = 14;
    private const int RearmDays = 14;

    /// <summary>
    /// A spike is above both: no single-phase supply carries more, and three times the largest power ever seen.
    /// </summary>
    private const float SpikeW = 15_000f, SpikeTimesMax = 3f;

    /// <summary>A constant day below this is an empty home read with a coarse register, W.</summary>
    private const float StuckAboveW = 30f;

    /// <summary>
    /// From here on a constant power may read one of two neighbouring values: a register counts whole watt-hours. A
    /// load that is less than that may well be one lamp's.
    /// </summary>
    private const int RoundedFromWh = 50;

    /// <summary>A gap this long may end in a catch-up read.</summary>
    private const int CatchUpGapMinutes = 120;

    [Flags]
    private enum Episode : byte
    {
        None = 0, Missing = 1, ZeroRun = 2, Stuck = 4, Spike = 8, Negative = 16,
        SumCheck = 32,

        /// <summary>No episode: today's missing minutes may still be explained.</summary>
        Awaits = 64,
    }

    private int _lastDay, _gapFromDay, _gapMinutes, _missingMinutes;
    private ushort _days, _maxW, _tailMinutes;
    private byte _zeroRun, _longestZeroRun, _quietDays;
    private Episode _open;

    public DayMarks Check(in DayReadings day, in DayShape shape, float expectedW, in DaySubject subject,
        IFindingSink findings)
    {
        var marks = shape.Actual == shape.Count && shape.Count > 0 ? DayMarks.Complete : DayMarks.None;
        var absentDays = _days == 0 ? 0 : Math.Max(0, day.Day.Number - _lastDay - 1);
        _lastDay = day.Day.Number;
        if (shape.Present == 0 && _days == 0) return marks;
        if (absentDays > 0) _gapMinutes = (int)Math.Min(int.MaxValue / 4, _gapMinutes + absentDays * 1440L);
        if (FindCatchUp(day, expectedW)) marks |= DayMarks.CatchUp;
        var quiet = CheckMissing(day, shape, absentDays, marks, subject, findings);
        if (shape.Present > 0)
        {
            _days = (ushort)Math.Min(ushort.MaxValue, _days + 1);
            quiet &= CheckNegative(day, shape, subject, findings);
            quiet &= CheckSpike(day, shape, marks, subject, findings);
            marks |= CheckZero(day, shape, subject, findings);
            marks |= CheckStuck(day, shape, subject, findings);
        }
        quiet &= (marks & (DayMarks.AllZero | DayMarks.Stuck)) == 0;
        _quietDays = quiet ? (byte)Math.Min(255, _quietDays + 1) : (byte)0;
        if (_quietDays >= RearmDays) (_open, _missingMinutes) = (_open & Episode.Awaits, 0);
        if (shape.Actual >= EnoughOfDay * shape.Count && shape.Actual > 0 && (marks & DayMarks.CatchUp) == 0
            && shape.MinWh >= 0 && !HasOutage(shape, subject)) marks |= DayMarks.Usable;
        return marks;
    }

    /// <summary>An outage leaves a gap or zeros; a record of one on a day without them excuses nothing.</summary>
    private static bool HasOutage(in DayShape shape, in DaySubject subject) =>
        (subject.Context & ContextFlags.Outage) != 0 && (shape.Present < shape.Count || shape.Zeros > 0);

    /// <summary>True when the episode was not open yet: the one moment to speak.</summary>
    private bool Begins(Episode episode)
    {
        var begins = (_open & episode) == 0;
        _open |= episode;
        return begins;
    }

    /// <summary>
    /// Looks for one interval after a long gap that holds about the energy missed. Keeps the length of a gap over
    /// midnight.
    /// </summary>
    private bool FindCatchUp(in DayReadings day, float expectedW)
    {
        var found = false;
        var mean = expectedW > 0 ? expectedW : LogFloat.Decode(_maxW) * 0.1f;
        for (var i = 0; i < day.Slots.Length; i++)
        {
            var wh = day.Slots[i];
            if (wh == ReadingBlock.Missing)
            {
                _gapMinutes = Math.Min(int.MaxValue / 4, _gapMinutes + day.IntervalMinutes);
                continue;
            }
            if (_gapMinutes >= CatchUpGapMinutes && mean > 0)
            {
                var missedWh = mean * (_gapMinutes + day.IntervalMinutes) / 60f;
                var ordinaryWh = mean * day.IntervalMinutes / 60f;
                found |= wh > 0.3f * missedWh && wh < 4f * missedWh && wh > 3f * ordinaryWh;
            }
            _gapMinutes = 0;
        }
        return found;
    }

    private bool CheckMissing(in DayReadings day, in DayShape shape, int absentDays, DayMarks marks,
        in DaySubject subject,
        IFindingSink findings)
    {
        var (carried, gone) = (_tailMinutes, MissingWithin(day, shape));
        var incomplete = carried + gone > (1 - EnoughOfDay) * day.Day.Minutes;
        if (absentDays == 0 && !incomplete) return true;
        if (_missingMinutes == 0) _gapFromDay = day.Day.Number - Math.Max(absentDays, carried > 0 ? 1 : 0);
        var today = incomplete ? carried + gone : 0;
        _missingMinutes = (int)Math.Min(int.MaxValue / 4, _missingMinutes + absentDays * 1440L + today);
        var innocent = (marks & DayMarks.CatchUp) != 0
            || ((subject.Context & ContextFlags.Outage) != 0 && _missingMinutes <= LongestOutageMinutes);
        if (innocent) return false;
        if (subject.AwaitsBackhaul) _open |= Episode.Awaits;
        else StateMissing(day.Day, subject, findings);
        return false;
    }

    /// <summary>See <see cref="ReadingModel.ExplainGap"/>. A day complete enough has counted nothing.</summary>
    public void ExplainGap(in LocalDay day, int minutesWithin, int minutesAfter, in DaySubject subject,
        IFindingSink findings)
    {
        _tailMinutes = (ushort)Math.Max(0, _tailMinutes - minutesAfter);
        if ((_open & Episode.Awaits) == 0) return;
        _open &= ~Episode.Awaits;
        _missingMinutes = Math.Max(0, _missingMinutes - minutesWithin);
        StateMissing(day, subject, findings);
    }

    private void StateMissing(in LocalDay day, in DaySubject subject, IFindingSink findings)
    {
        if (_missingMinutes < MissingMinutesToReport || !Begins(Episode.Missing)) return;
        var hours = _missingMinutes / 60.0;
        var from = UnixTime.FromMinutes(day.StartMinute - (day.Number - _gapFromDay) * 1440L);
        findings.Add(Statements.Make(subject, FindingKind.MissingReadings, from,
            UnixTime.FromMinutes(day.EndMinute), 1, Severity.Info, 0.9,
            Statements.Validation,
            $"Since {LocalDay.FormatDate(_gapFromDay)} {Statements.Number(hours)} hours of readings are missing "
                + $"and no later read makes up for them.",
            [new Evidence("missing_hours", hours, 0, 1, "h")]));
    }

    /// <summary>
    /// Minutes missing before the day's last reading. What is missing after it waits for the next day, because a
    /// recording may just end there;
    /// and nothing is missing before a meter's first reading.
    /// </summary>
    private int MissingWithin(in DayReadings day, in DayShape shape)
    {
        if (shape.Present == 0)
        {
            _tailMinutes = 0;
            return day.Day.Minutes;
        }
        var first = day.Slots.IndexOfAnyExcept(ReadingBlock.Missing);
        var tail = day.Slots.Length - 1 - day.Slots.LastIndexOfAnyExcept(ReadingBlock.Missing);
        _tailMinutes = (ushort)(tail * day.IntervalMinutes);
        var before = _days == 0 ? first : 0;
        return (shape.Count - shape.Present - tail - before) * day.IntervalMinutes;
    }

    private bool CheckNegative(in DayReadings day, in DayShape shape, in DaySubject subject, IFindingSink findings)
    {
        if (shape.MinWh >= 0) return true;
        if (!Begins(Episode.Negative)) return false;
        findings.Add(OfDay(day, subject, FindingKind.NegativeReading, Severity.Medium,
            $"On {day.Day.Date} an interval reads {shape.MinWh} Wh of import, which cannot be negative.",
            new Evidence("interval_min", shape.MinWh, 0, 1, "Wh")));
        return false;
    }

    private bool CheckSpike(in DayReadings day, in DayShape shape, DayMarks marks, in DaySubject subject,
        IFindingSink findings)
    {
        var w = shape.MaxWh * 60f / day.IntervalMinutes;
        var max = LogFloat.Decode(_maxW);
        var isSpike = _days > HistoryDays && w > SpikeW && w > SpikeTimesMax * max && (marks & DayMarks.CatchUp) == 0;
        // An implausible value must not raise the bar for the next one; a lasting higher level does, by a half each
        // day.
        var learned = isSpike ? 1.5f * max : w;
        if (learned > max && (marks & DayMarks.CatchUp) == 0) _maxW = LogFloat.Encode(learned);
        if (!isSpike || !Begins(Episode.Spike)) return !isSpike;
        findings.Add(OfDay(day, subject, FindingKind.Spike, Severity.Medium,
            $"On {day.Day.Date} an interval shows a mean of {Statements.Number(w / 1000)} kW; the most ever "
                + $"before was {Statements.Number(max / 1000)} kW.",
            new Evidence("peak_power", w, max, 1, "W")));
        return false;
    }

    private DayMarks CheckZero(in DayReadings day, in DayShape shape, in DaySubject subject, IFindingSink findings)
    {
        if (shape.Zeros < shape.Present)
        {
            _longestZeroRun = Math.Max(_longestZeroRun, _zeroRun);
            _zeroRun = 0;
            return DayMarks.None;
        }
        _zeroRun = (byte)Math.Min(255, _zeroRun + 1);
        // A meter that has had such runs before (a summer house) speaks only when this one is the longest by far.
        var enough = Math.Max(ZeroDaysToReport, Math.Min(200, 2 * _longestZeroRun));
        if (_maxW == 0 || _days <= HistoryDays || _zeroRun < enough || subject.IsSwitchedOff
            || !Begins(Episode.ZeroRun)) return DayMarks.AllZero;
        var from = UnixTime.FromMinutes(day.Day.StartMinute - (_zeroRun - 1) * 1440L);
        findings.Add(Statements.Make(subject, FindingKind.ZeroRun, from, UnixTime.FromMinutes(day.Day.EndMinute), 1.5,
            Severity.Medium, 0.7,
            Statements.Validation,
            $"The meter has read nothing but zero for {_zeroRun} days up to {day.Day.Date}; an empty home still "
                + $"shows its standing load.",
            [new Evidence("zero_days", _zeroRun, 0, 1, "d")]));
        return DayMarks.AllZero;
    }

    private DayMarks CheckStuck(in DayReadings day, in DayShape shape, in DaySubject subject, IFindingSink findings)
    {
        var w = shape.MaxWh * 60f / day.IntervalMinutes;
        var stuck = shape.Present >= EnoughOfDay * shape.Count && shape.Present >= 24 && w >= StuckAboveW
            && (long)shape.MaxWh - shape.MinWh <= (shape.MaxWh >= RoundedFromWh ? 1 : 0);
        if (!stuck) return DayMarks.None;
        if (!Begins(Episode.Stuck)) return DayMarks.Stuck;
        findings.Add(OfDay(day, subject, FindingKind.StuckReading, Severity.Medium,
            shape.MaxWh == shape.MinWh
                ? $"On {day.Day.Date} all {shape.Present} intervals read the same {shape.MaxWh} Wh."
                : $"On {day.Day.Date} all {shape.Present} intervals read {shape.MinWh} or {shape.MaxWh} Wh.",
            new Evidence("distinct_values", shape.MaxWh - shape.MinWh + 1, 20, 1, "")));
        return DayMarks.Stuck;
    }

    /// <summary>
    /// Registers and intervals are rounded apart, so that a difference below 50 Wh or 1 % says nothing.
    /// </summary>
    public void CheckSum(UnixTime from, UnixTime to, WattHours intervals, WattHours register, in DaySubject subject,
        IFindingSink findings)
    {
        var difference = register.Value - intervals.Value;
        var limit = Math.Max(50, Math.Abs(register.Value) / 100);
        if (difference >= -limit && difference <= limit) return;
        _quietDays = 0;
        if (!Begins(Episode.SumCheck)) return;
        findings.Add(Statements.Make(subject, FindingKind.SumCheck, from, to, 1, Severity.Medium, 0.9,
            Statements.Validation,
            $"Between {from} and {to} the register advances by {Statements.Kwh(register.Value)}, the intervals "
                + $"add up to {Statements.Kwh(intervals.Value)}.",
            [new Evidence("interval_sum", intervals.Value, register.Value, 1, "Wh")]));
    }

    private static Finding OfDay(in DayReadings day, in DaySubject subject, FindingKind kind, Severity severity,
        string sentence,
        Evidence evidence) =>
        Statements.Make(subject, kind, UnixTime.FromMinutes(day.Day.StartMinute),
            UnixTime.FromMinutes(day.Day.EndMinute), 1.5, severity, 0.8,
            Statements.Validation, sentence, [evidence]);

    public readonly void Write(ByteWriter to)
    {
        to.VarInt(_lastDay);
        to.VarInt(_gapFromDay);
        to.VarInt(_gapMinutes);
        to.VarInt(_missingMinutes);
        to.UInt16(_days);
        to.UInt16(_maxW);
        to.UInt16(_tailMinutes);
        to.Byte(_zeroRun);
        to.Byte(_longestZeroRun);
        to.Byte(_quietDays);
        to.Byte((byte)_open);
    }

    public static ValidationRules Read(ref ByteReader from) => new()
    {
        _lastDay = checked((int)from.VarInt()),
        _gapFromDay = checked((int)from.VarInt()),
        _gapMinutes = checked((int)from.VarInt()),
        _missingMinutes = checked((int)from.VarInt()),
        _days = from.UInt16(),
        _maxW = from.UInt16(),
        _tailMinutes = from.UInt16(),
        _zeroRun = from.Byte(),
        _longestZeroRun = from.Byte(),
        _quietDays = from.Byte(),
        _open = (Episode)from.Byte(),
    };
}
