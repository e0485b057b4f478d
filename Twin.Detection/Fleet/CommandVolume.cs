using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// Disconnections by hour and day of the whole fleet against thresholds, after the Anomaly Detection Thresholds of the
/// GB Smart Energy Code (appendix AA). Thresholds are learned: a multiple of the busiest ordinary hour and day, not
/// below a floor; commands without a work order have a floor of their own where orders are imported.
/// </summary>
public sealed class CommandVolume
{
    /// <summary>Hours and days kept; older ones no longer change.</summary>
    private const int Hours = 48, Days = 28;

    /// <summary>Floors of the thresholds, and how many times the busiest ordinary span they are.</summary>
    private const int HourFloor = 50, DayFloor = 150, TimesUsual = 4;

    /// <summary>Without a work order, where the utility imports orders; and in all, where it does not.</summary>
    private const int HourFloorUncovered = 10, DayFloorUncovered = 25, HourFloorUnknown = 20, DayFloorUnknown = 60;
    private const byte EncodingVersion = 1;

    /// <summary>Counts of one span (an hour or a day); how many were stated.</summary>
    private record struct Span(long Number, int Covered, int Uncovered, int Stated)
    {
        public readonly int All => Covered + Uncovered;
    }

    private readonly List<Span> _hours = [], _days = [];
    private int _busiestHour, _busiestDay;

    public void Count(long at, bool covered)
    {
        Count(_hours, Math.DivRem(at, 3_600).Quotient, Hours, covered, ref _busiestHour);
        Count(_days, Math.DivRem(at, 86_400).Quotient, Days, covered, ref _busiestDay);
    }

    private static void Count(List<Span> spans, long number, int most, bool covered, ref int busiest)
    {
        var i = spans.FindIndex(s => s.Number == number);
        if (i < 0)
        {
            spans.Add(new Span(number, 0, 0, 0));
            spans.Sort((a, b) => a.Number.CompareTo(b.Number));
            // The oldest leaves: what it taught, stays, and fades by an eighth each time.
            if (spans.Count > most)
            {
                if (spans[0].Stated == 0) busiest = Math.Max(spans[0].All, busiest - busiest / 8);
                spans.RemoveAt(0);
            }
            i = spans.FindIndex(s => s.Number == number);
            if (i < 0) return;
        }
        var span = spans[i];
        spans[i] = covered ? span with { Covered = span.Covered + 1 } : span with { Uncovered = span.Uncovered + 1 };
    }

    public void Judge(UnixTime now, bool ordersKnown, in Party fleet, IFindingSink findings)
    {
        Judge(_hours, 3_600, _busiestHour, ordersKnown ? (HourFloor, HourFloorUncovered)
            : (HourFloorUnknown, HourFloorUnknown), now, ordersKnown, fleet, findings);
        Judge(_days, 86_400, _busiestDay, ordersKnown ? (DayFloor, DayFloorUncovered)
            : (DayFloorUnknown, DayFloorUnknown), now, ordersKnown, fleet, findings);
    }

    private static void Judge(List<Span> spans, int seconds, int busiest, (int All, int Uncovered) floor, UnixTime now,
        bool ordersKnown, in Party fleet, IFindingSink findings)
    {
        for (var i = 0; i < spans.Count; i++)
        {
            var span = spans[i];
            var usual = Math.Max(busiest, BusiestBefore(spans, i));
            var limit = Math.Max(floor.All, TimesUsual * usual);
            var tooMany = span.All >= limit;
            var tooManyUncovered = ordersKnown && span.Uncovered >= floor.Uncovered;
            if ((!tooMany && !tooManyUncovered) || span.All < 2 * span.Stated) continue;
            spans[i] = span with { Stated = span.All };
            var word = seconds == 3_600 ? "an hour" : "a day";
            var from = new UnixTime(span.Number * seconds);
            // A day that holds a stated hour says nothing more about the same commands.
            findings.Add(FleetStatements.Make(fleet, FindingKind.CommandVolume, from,
                new UnixTime(Math.Min(now.Seconds, (span.Number + 1) * seconds) is var to && to > from.Seconds ? to
                    : from.Seconds), now, 4,
                tooManyUncovered ? Severity.High : Severity.Medium, 0.85, FleetStatements.Switching, "T0855",
                $"{span.All} disconnections within {word} (from {from}), {span.Uncovered} of them without a work "
                    + $"order; the busiest ordinary one had {usual}.",
                [
                    new Evidence("disconnections", span.All, usual, 0.5, ""),
                    new Evidence("without_order", span.Uncovered, 0, 0.5, ""),
                ],
                tooManyUncovered || ordersKnown ? [] : ["no work order is on record in the whole fleet"]));
        }
    }

    private static int BusiestBefore(List<Span> spans, int before)
    {
        var busiest = 0;
        for (var i = 0; i < before; i++)
            if (spans[i].Stated == 0) busiest = Math.Max(busiest, spans[i].All);
        return busiest;
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_busiestHour);
        to.VarUInt((ulong)_busiestDay);
        foreach (var spans in (List<Span>[])[_hours, _days])
        {
            to.VarUInt((ulong)spans.Count);
            foreach (var s in spans)
            {
                to.VarInt(s.Number);
                to.VarUInt((ulong)s.Covered);
                to.VarUInt((ulong)s.Uncovered);
                to.VarUInt((ulong)s.Stated);
            }
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static CommandVolume Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a count of commands");
        var volume = new CommandVolume
        {
            _busiestHour = r.Count(int.MaxValue / 8), _busiestDay = r.Count(int.MaxValue / 8),
        };
        foreach (var (spans, most) in ((List<Span>, int)[])[(volume._hours, Hours), (volume._days, Days)])
        {
            var count = r.Count(most);
            for (var i = 0; i < count; i++)
                spans.Add(new Span(r.Int(), r.Count(int.MaxValue / 8), r.Count(int.MaxValue / 8),
                    r.Count(int.MaxValue / 8)));
        }
        return volume;
    }
}
