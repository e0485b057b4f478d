using Twin.Hardware;
using Twin.Ingest.Mirror;

namespace Twin.Silo.Mirror;

/// <summary>What a comparison found. <paramref name="First"/>: the first difference in words; empty: none.</summary>
internal sealed record MirrorDifference(long Readings, long Missing, long Other, long Surplus, string First)
{
    public bool IsNone => Missing == 0 && Other == 0 && Surplus == 0;

    public static MirrorDifference operator +(MirrorDifference a, MirrorDifference b) => new(a.Readings + b.Readings,
        a.Missing + b.Missing, a.Other + b.Other, a.Surplus + b.Surplus, a.First.Length > 0 ? a.First : b.First);
}

/// <summary>Holds what the server gives back against the journal, reading for reading.</summary>
internal static class MirrorCheck
{
    /// <summary>Days that are asked for at once.</summary>
    private const int DaysAtOnce = 366;

    /// <summary>1 July 2020: ten years each way are those in which readings lie.</summary>
    private const int AnyDay = 18_444;

    public static MirrorDifference None { get; } = new(0, 0, 0, 0, "");

    /// <summary>
    /// All readings of a meter. Beyond the journal's first and last day the server is asked for ten years each way, so
    /// that what was erased is seen if it is still there.
    /// </summary>
    /// <exception cref="MirrorException">The server is away, or refused.</exception>
    public static async Task<MirrorDifference> Of(MirrorSource source, IMirrorStore store, MeterId meter,
        CancellationToken cancel)
    {
        var total = None;
        foreach (var channel in Enum.GetValues<Channel>())
        {
            int first = int.MaxValue, last = int.MinValue;
            source.Journal.Series(meter, channel, int.MinValue, int.MaxValue, (day, _, _, _) =>
                (first, last) = (Math.Min(first, day.Number), Math.Max(last, day.Number)));
            // Whatever lies there of a channel that the journal has nothing of is too much.
            if (first > last) (first, last) = (AnyDay, AnyDay);
            for (var day = first - 10 * DaysAtOnce; day <= last + 10 * DaysAtOnce; day += DaysAtOnce)
                total += await Of(source, store, meter, channel, day, cancel);
        }
        return total;
    }

    private static async Task<MirrorDifference> Of(MirrorSource source, IMirrorStore store, MeterId meter,
        Channel channel, int fromDay, CancellationToken cancel)
    {
        long from = fromDay * 86_400L, to = from + DaysAtOnce * 86_400L;
        var expected = new Dictionary<long, (long Value, Quality Quality)>();
        // The days of the meter's own zone at either end lie partly outside.
        source.Journal.Series(meter, channel, fromDay - 1, fromDay + DaysAtOnce, (day, interval, slots, qualities) =>
        {
            for (var i = 0; i < slots.Length; i++)
            {
                var at = (day.StartMinute + (long)i * interval) * 60;
                if (slots[i] != ReadingBlock.Missing && at >= from && at < to) expected[at] = (slots[i], qualities[i]);
            }
        });
        var result = None with { Readings = expected.Count };
        foreach (var there in await store.Read(meter, channel, new UnixTime(from), new UnixTime(to), cancel))
        {
            if (!expected.Remove(there.At.Seconds, out var ours)) result += Surplus(meter, channel, there);
            else if ((there.Value, there.Quality) != ours)
                result += new MirrorDifference(0, 0, 1, 0, $"meter {meter}, {channel}, {there.At}: {there.Value} "
                    + $"({there.Quality}) in the mirror, {ours.Value} ({ours.Quality}) in the journal");
        }
        return expected.Count == 0 ? result : result + new MirrorDifference(0, expected.Count, 0, 0,
            $"meter {meter}, {channel}, {new UnixTime(expected.Keys.Min())}: not in the mirror");
    }

    private static MirrorDifference Surplus(MeterId meter, Channel channel, MirroredReading there) => new(0, 0, 0, 1,
        $"meter {meter}, {channel}, {there.At}: {there.Value} in the mirror, nothing in the journal");
}
