using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>What cohort and feeder say beside a day, for the slow reference: see <see
/// cref="AnchorBaseline"/>.</summary>
/// <param name="CohortWh">Median energy of the cohort's customers on the day, Wh; 0 where there is none.</param>
/// <param name="FeederChange">Change of the feeder's loss share since its first weeks; NaN where not known.</param>
/// <param name="FeederWh">What the feeder's members reported, Wh.</param>
/// <param name="Members">Warm members of the cohort.</param>
public readonly record struct SlowPeers(float CohortWh, float FeederChange, float FeederWh, int Members)
{
    public static SlowPeers Unknown => new(0, float.NaN, 0, 0);
}

/// <summary>
/// A slow reference that a profile's forgetting does not reach: level and night base of a home as shares of its
/// cohort's day, as they were in the first weeks. Who takes one percent a week leads a profile that follows, and not
/// this. 13 bytes a meter.
/// </summary>
/// <remarks>
/// The anchor itself follows by 0.35 % a week at most, a third of the attack that it is made for: homes change over
/// years. Level and night base have to shrink alike, as a factor on all readings makes them, and little by little:
/// each day of the decline counts only while it is alike and no faster than <see cref="FastestAWeek"/>. Who moves out
/// leaves in a day, and a heating season ends in eight weeks and takes the night base first: of ten recorded homes half
/// do so in two years. Where the feeder has an observer, it has to miss what the meter lacks as well. Where it has
/// none, the drop has to be larger, and the cohort large enough to be a measure at all.
/// </remarks>
public struct AnchorBaseline
{
    /// <summary>Days that make the anchor, days that recent values follow, and least days of a decline.</summary>
    public const int AnchorDays = 42, RecentDays = 21, LowDays = 42;

    /// <summary>Least drop with a feeder that misses it, and without an observer: level, night base.</summary>
    public const double Missed = 0.08, Unobserved = 0.25, UnobservedNight = 0.18;

    /// <summary>What the feeder misses over what the meter lacks.</summary>
    private const double LeastMatch = 0.4, MostMatch = 2.5;

    /// <summary>How far level and night base may differ in their drops.</summary>
    private const double Alike = 0.12;
    private const double Low = 0.05, CreepAWeek = 0.0035;

    /// <summary>
    /// Fastest decline without an observer that is told as a slow one, a week, and what recent values scatter by. What
    /// is faster is for the models of days.
    /// </summary>
    private const double FastestAWeek = 0.03, Scatter = 0.10;

    private ushort _anchorLevel, _anchorNight, _level, _night, _days, _low;
    private byte _week;

    /// <summary>Days taken in.</summary>
    public readonly int Days => _days;

    /// <summary>Drop of the level against the anchor, as a share of it; negative when it rose.</summary>
    public readonly double Drop => Fall(_anchorLevel, _level);
    public readonly double NightDrop => Fall(_anchorNight, _night);

    private static double Fall(ushort anchor, ushort now) =>
        anchor == 0 ? 0 : 1 - (double)LogFloat.Decode(now) / LogFloat.Decode(anchor);

    /// <summary>Takes a judged day; states once that it has declined, and begins anew then.</summary>
    public void Take(in DayFeatures day, in DaySubject subject, in SlowPeers peers, IFindingSink findings)
    {
        if ((subject.Context & (ContextFlags.MoveIn | ContextFlags.Exchange)) != 0) this = default;
        if (!day.Has(DayMarks.Usable) || (day.Marks & (DayMarks.AllZero | DayMarks.Stuck | DayMarks.Vacant)) != 0
            || peers.CohortWh <= 0 || day.TotalWh <= 0) return;
        Follow(day.TotalWh / peers.CohortWh, day.NightW * 24 / peers.CohortWh);
        if (_days < AnchorDays + RecentDays) return;
        _low = Drop > Low && IsSlow ? (ushort)Math.Min(ushort.MaxValue, _low + 1) : (ushort)0;
        if (_low < LowDays || !IsDecline(peers, out var missing)) return;
        findings.Add(Statement(day, subject, peers, missing));
        this = default;
    }

    private void Follow(float level, float night)
    {
        _days = (ushort)Math.Min(ushort.MaxValue, _days + 1);
        if (_days <= AnchorDays)
        {
            _level = _anchorLevel = Moved(_anchorLevel, level, 1f / _days);
            _night = _anchorNight = Moved(_anchorNight, night, 1f / _days);
            return;
        }
        _level = Moved(_level, level, 1f / RecentDays);
        _night = Moved(_night, night, 1f / RecentDays);
        if (++_week < 7) return;
        _week = 0;
        _anchorLevel = Crept(_anchorLevel, _level);
        _anchorNight = Crept(_anchorNight, _night);
    }

    /// <summary>A day moves what is followed by a share of what is not more than its double or less than
    /// half.</summary>
    private static ushort Moved(ushort from, float to, float rate)
    {
        var old = LogFloat.Decode(from);
        return LogFloat.Encode(from == 0 ? to : old + rate * (Math.Clamp(to, 0.5f * old, 2f * old) - old));
    }

    private static ushort Crept(ushort anchor, ushort to)
    {
        var (a, b) = (LogFloat.Decode(anchor), LogFloat.Decode(to));
        var most = (float)(CreepAWeek * a);
        return LogFloat.Encode(a + Math.Clamp(b - a, -most, most));
    }

    /// <summary>
    /// Also where an observer speaks: the feeder of a thief misses energy, and a neighbour that moved out or stopped
    /// heating lacks as much.
    /// </summary>
    private readonly bool IsSlow => Math.Abs(Drop - NightDrop) <= Alike
        && Drop <= Low + Scatter + _low * FastestAWeek / 7;

    private readonly bool IsDecline(in SlowPeers peers, out double missing)
    {
        var lacks = Drop * LogFloat.Decode(_anchorLevel) * peers.CohortWh;
        missing = peers.FeederChange * peers.FeederWh;
        if (double.IsNaN(missing))
            return peers.Members >= Witness.EnoughMembers && Drop >= Unobserved && NightDrop >= UnobservedNight;
        return Drop >= Missed && NightDrop > 0 && missing >= LeastMatch * lacks && missing <= MostMatch * lacks;
    }

    private readonly Finding Statement(in DayFeatures day, in DaySubject subject, in SlowPeers peers, double missing)
    {
        var anchor = LogFloat.Decode(_anchorLevel) * peers.CohortWh;
        var recent = LogFloat.Decode(_level) * peers.CohortWh;
        var seen = !double.IsNaN(missing);
        string[] counter = seen ? [] : ["no observer meter can confirm it: a household that shrinks looks the same"];
        var finding = Statements.Make(subject, FindingKind.LevelShift,
            new UnixTime(day.Start.Seconds - (_low - 1) * 86_400L), day.End, 2 + 4 * Drop, Severity.Medium,
            seen ? 0.75 : 0.5, Statements.Reading,
            $"Little by little, since {LocalDay.FormatDate(day.Day - _low + 1)} or before, the meter has come to "
                + "register "
                + $"{Statements.Percent(Drop)} less than in its first weeks, measured against its cohort "
                + $"({Statements.Kwh(recent)} a day where {Statements.Kwh(anchor)} would be due), and its night base "
                + $"{Statements.Percent(NightDrop)} less"
                + (seen ? $"; its feeder loses {Statements.Kwh(missing)} a day more than then." : ".")
                + " A profile that follows does not see this.",
            [
                new Evidence("level_vs_first_weeks", recent, anchor, 0.7, "Wh/d"),
                new Evidence("night_base_drop", NightDrop, 0, 0.1, ""),
                new Evidence("feeder_loss_since_first_weeks", seen ? missing : 0, 0, 0.2, "Wh/d"),
            ]);
        return finding with { CounterEvidence = [.. finding.CounterEvidence, .. counter] };
    }

    public readonly void Write(ByteWriter to)
    {
        foreach (var v in (ReadOnlySpan<ushort>)[_anchorLevel, _anchorNight, _level, _night, _days, _low]) to.UInt16(v);
        to.Byte(_week);
    }

    public static AnchorBaseline Read(ref ByteReader from) => new()
    {
        _anchorLevel = from.UInt16(), _anchorNight = from.UInt16(), _level = from.UInt16(), _night = from.UInt16(),
        _days = from.UInt16(), _low = from.UInt16(), _week = from.Byte(),
    };
}
