using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// A series in columns; <paramref name="Expected"/> only when it was asked for. Where a column is shorter than
/// <paramref name="IntervalMinutes"/>, an empty one need not be a hole: ask for fewer columns.
/// </summary>
internal sealed record SeriesAnswer(MeterId Meter, Channel Channel, string Unit, UnixTime From, UnixTime To,
    UnixTime? KnownAt, int? IntervalMinutes, IReadOnlyList<SeriesColumn> Columns,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ExpectedColumn>? Expected);

internal static class SeriesApi
{
    private const int DefaultColumns = 600;
    private const int MaxColumns = 5_000;
    private const int DefaultDays = 7;
    private const int MaxDays = 100 * 366;
    private const long DaySeconds = 86_400;

    public static void MapSeriesApi(this IEndpointRouteBuilder routes) =>
        routes.MapGet(MetersApi.Path + "/{id}/series", Get).Needs(Right.LoadCurve).WithName("get_series")
            .WithTags("meters")
            .ProducesProblem(400).ProducesProblem(404)
            .WithSummary("Stored readings in columns of equal time, gaps null; band=true adds what was to be expected");

    private static async Task<Ok<SeriesAnswer>> Get(string id, string? from, string? to, string? columns,
        string? channel, string? known_at, string? band, string? purpose, HttpContext http, IFleet fleet,
        LoadCurveGate curves, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "from", "to", "columns", "channel", "known_at", "band", "purpose");
        Parameters.Text(purpose, "purpose");
        var (knownAt, hasBand) = (Parameters.Time(known_at, "known_at"), Parameters.Flag(band, "band"));
        var what = Parameters.Channel(channel);
        var (begin, end) = Range(Parameters.Time(from, "from"), Parameters.Time(to, "to"), fleet.Status.Watermark);
        var count = Parameters.Integer(columns, "columns", DefaultColumns, MaxColumns);
        if (count > end.Seconds - begin.Seconds)
            throw Parameters.Bad("bad_columns", "A column would be shorter than a second.",
                "Ask for fewer columns or a longer range.");
        if (hasBand && what != Channel.Import)
            throw Parameters.Bad("bad_band", "Only of the channel import it is known what to expect.",
                "Leave out band, or channel.");
        var (meter, state) = await MetersApi.Seen(fleet, id, AsOf.Now, http, cancel);
        await curves.Note(http, meter.Twin, begin, end, 1);

        // Days are counted in the meter's zone, at most 14 hours from UTC: one day more on each side holds every
        // instant asked for.
        var fold = new SeriesColumns(begin, end, count);
        var firstDay = (int)Math.Floor((double)begin.Seconds / DaySeconds) - 1;
        var lastDay = (int)Math.Floor((double)end.Seconds / DaySeconds) + 1;
        await fleet.Series(meter, what, firstDay, lastDay, knownAt, fold.Add, cancel);
        var expected = !hasBand ? null : ExpectedBand.Of(await Usual(fleet, meter, state, end, knownAt, cancel), fold,
            begin, end, fold.IntervalMinutes);
        return TypedResults.Ok(new SeriesAnswer(meter, what, UnitOf(what), begin, end, knownAt, fold.IntervalMinutes,
            fold.ToArray(), expected));
    }

    /// <summary>What was usual at the end of the range; at the present, as it is now.</summary>
    private static async ValueTask<UsualDays?> Usual(IFleet fleet, MeterId meter, byte[] now, UnixTime end,
        UnixTime? knownAt, CancellationToken cancel)
    {
        var isPast = fleet.Status.Watermark is { } w && end.Seconds < w.Seconds - DaySeconds;
        var state = !isPast && knownAt is null ? now
            : await fleet.State(meter.Twin, new AsOf(isPast ? end : null, knownAt), cancel);
        return state is null ? null : UsualDays.From(meter.Twin, state);
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
