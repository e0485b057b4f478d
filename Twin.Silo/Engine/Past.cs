using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Engine;

/// <summary>What was known at a time, in positions of the journal; the same for every engine.</summary>
internal static class Past
{
    /// <summary>The last position known at a time; <c>long.MaxValue</c> when all is known that is known now.</summary>
    public static long Through(IJournal journal, UnixTime? knownAt) =>
        knownAt is { } time && journal.FirstClockAfter(time) is { } clock ? clock - 1 : long.MaxValue;

    public static FindingQuery Known(IJournal journal, FindingQuery query) =>
        Through(journal, query.KnownAt) is < long.MaxValue and var through ? query with { Through = through } : query;

    /// <summary>Of the days that had closed by then.</summary>
    public static IReadOnlyList<(int Day, byte[] Body)> Publications(IJournal journal, TwinKey from, int fromDay,
        int toDay, UnixTime? knownAt)
    {
        var through = Through(journal, knownAt);
        if (through == long.MaxValue) return journal.Publications(from, fromDay, toDay);
        var closed = journal.ClosedDays(0).LastOrDefault(c => c.Position <= through, (Day: int.MinValue, Position: 0L));
        return closed.Day < fromDay ? [] : journal.Publications(from, fromDay, Math.Min(toDay, closed.Day));
    }
}
