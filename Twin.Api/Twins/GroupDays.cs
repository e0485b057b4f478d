using Twin.Hardware;

namespace Twin.Api;

/// <summary>Which days a question about a feeder or a cohort is about.</summary>
internal static class GroupDays
{
    private const int DaySeconds = 86_400;

    /// <summary>The last day that had ended by a time (UTC days); the last possible one without a time.</summary>
    public static int EndedBy(UnixTime? at) => at is { } time
        ? (int)Math.Floor(time.Seconds / (double)DaySeconds) - 1 : LocalDay.MaxNumber;

    /// <summary>First and last day of a range whose end is not included.</summary>
    /// <exception cref="ApiProblem">It is empty, or longer than <see cref="FeedersApi.MaxDays"/>.</exception>
    public static (int First, int Last) Range(string? from, string? to, int today)
    {
        var (begin, end) = (Parameters.Time(from, "from"), Parameters.Time(to, "to"));
        Parameters.Ordered(begin, end);
        var last = end is { } e ? (int)Math.Ceiling(e.Seconds / (double)DaySeconds) - 1 : today;
        var first = begin is { } b ? (int)Math.Floor(b.Seconds / (double)DaySeconds)
            : last - FeedersApi.DefaultDays + 1;
        if (last - first < FeedersApi.MaxDays) return (first, Math.Max(first, last));
        throw Parameters.Bad("bad_range", $"The range is longer than {FeedersApi.MaxDays} days.",
            "Ask for a shorter one.");
    }

    public static ApiProblem NotKept(string kind) => new(400, "past_not_kept",
        $"Of this {kind} nothing is stored by that time: only what it told when days closed is kept of its past.",
        "Ask for a later time, or leave out at and known_at for the present state.");
}
