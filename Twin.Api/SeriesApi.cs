using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// A series in columns. Where a column is shorter than <paramref name="IntervalMinutes"/>, an empty one need not be a
/// hole: ask for fewer columns.
/// </summary>
internal sealed record SeriesAnswer(MeterId Meter, Channel Channel, string Unit, UnixTime From, UnixTime To,
    int? IntervalMinutes, IReadOnlyList<SeriesColumn> Columns);

internal static class SeriesApi
{
    private const int DefaultColumns = 600;
    private const int MaxColumns = 5_000;
    private const int DefaultDays = 7;
    private const int MaxDays = 100 * 366;
    private const long DaySeconds = 86_400;

    public static void MapSeriesApi(this IEndpointRouteBuilder routes) =>
        routes.MapGet(MetersApi.Path + "/{id}/series", Get).Needs(Right.LoadCurve).WithName("get_series").WithTags("meters")
            .ProducesProblem(400).ProducesProblem(404)
            .WithSummary("Stored readings in columns of equal time, gaps null: from, to, columns, channel");

    private static async Task<Ok<SeriesAnswer>> Get(string id, string? from, string? to, string? columns,
        string? channel, HttpRequest request, IFleet fleet, CancellationToken cancel)
    {
        Parameters.Only(request, "from", "to", "columns", "channel");
        var what = Parameters.Channel(channel);
        var (begin, end) = Range(Parameters.Time(from, "from"), Parameters.Time(to, "to"), fleet.Status.Watermark);
        var count = Parameters.Integer(columns, "columns", DefaultColumns, MaxColumns);
        if (count > end.Seconds - begin.Seconds)
            throw Parameters.Bad("bad_columns", "A column would be shorter than a second.",
                "Ask for fewer columns or a longer range.");
        var (meter, _) = await MetersApi.Find(fleet, id, AsOf.Now, cancel);

        // Days are counted in the meter's zone, at most 14 hours from UTC: one day more on each side holds every
        // instant asked for.
        var fold = new SeriesColumns(begin, end, count);
        var firstDay = (int)Math.Floor((double)begin.Seconds / DaySeconds) - 1;
        var lastDay = (int)Math.Floor((double)end.Seconds / DaySeconds) + 1;
        await fleet.Series(meter, what, firstDay, lastDay, fold.Add, cancel);
        return TypedResults.Ok(
            new SeriesAnswer(meter, what, UnitOf(what), begin, end, fold.IntervalMinutes, fold.ToArray()));
    }

    private static (UnixTime From, UnixTime To) Range(UnixTime? from, UnixTime? to, UnixTime? watermark)
    {
        var end = to ?? watermark ?? throw Parameters.Bad("range_required",
            "There is no watermark yet from which a range could count back.",
            "Give from and to.");
        var begin = from ?? new UnixTime(end.Seconds - DefaultDays * DaySeconds);
        Parameters.Ordered(begin, end);
        if (end.Seconds - begin.Seconds > MaxDays * DaySeconds)
            throw Parameters.Bad("bad_range", $"The range is longer than {MaxDays} days.", "Ask for a shorter one.");
        return (begin, end);
    }

    private static string UnitOf(Channel channel) => channel switch
    {
        Channel.Import or Channel.Export or Channel.Heat => "Wh",
        Channel.Voltage => "0.1 V",
        _ => "l",
    };
}
