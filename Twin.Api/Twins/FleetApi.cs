using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// The fleet in figures. Loads are mean powers in W; <paramref name="SwitchableWatts"/>: of meters whose output is on;
/// <paramref name="Silent"/>: without readings for three days, after some; <paramref name="NeverHeard"/>: without any;
/// findings by severity, of the last day and week.
/// </summary>
internal sealed record FleetAnswer(UnixTime Now, UnixTime? Watermark, string? ClosedThrough, int Meters,
    int Observers, int Feeders, int Cohorts, int Concentrators, int Silent, int NeverHeard, long LoadWatts,
    long SwitchableWatts,
    IReadOnlyDictionary<string, int> FindingsDay, IReadOnlyDictionary<string, int> FindingsWeek, UnixTime IndexAt);

/// <summary>One field of the heat strip: findings of that day and the worst severity among them.</summary>
internal sealed record HeatCell(int Findings, Severity Worst);

/// <summary>A feeder or cohort; a cell is null on a day without findings.</summary>
internal sealed record HeatRow(string Name, TwinKey Key, int Meters, IReadOnlyList<HeatCell?> Cells);

/// <summary>The rows with the worst findings first; <paramref name="Total"/>: rows there are.</summary>
internal sealed record HeatAnswer(string By, IReadOnlyList<string> Days, IReadOnlyList<HeatRow> Rows, int Total,
    UnixTime IndexAt);

/// <summary>Meters of a model that had a version at the end of each day.</summary>
internal sealed record VersionRow(string Model, string Version, IReadOnlyList<int> Meters);

internal sealed record FirmwareAnswer(IReadOnlyList<string> Days, IReadOnlyList<VersionRow> Versions,
    UnixTime IndexAt);

internal static class FleetApi
{
    public const string Path = "/api/v1/fleet";
    private const int SilentDays = 3, DaySeconds = 86_400;
    private const int DefaultHeatDays = 30, MaxHeatDays = FleetIndex.FindingDays;
    private const int DefaultHeatRows = 100, MaxHeatRows = 1_000;
    private const int DefaultFirmwareDays = 90, MaxFirmwareDays = 3_660;

    public static void MapFleetApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, Get).Needs(Right.Read).WithName("get_fleet").WithTags("fleet").ProducesProblem(400)
            .WithSummary("The fleet in figures: meters, silence, load, findings by severity");
        routes.MapGet(Path + "/heat", Heat).Needs(Right.Read).WithName("get_heat").WithTags("fleet")
            .ProducesProblem(400).WithSummary("Findings by feeder or cohort and day: by, days, to, limit");
        routes.MapGet(Path + "/firmware", Firmware).Needs(Right.Read).WithName("get_fleet_firmware").WithTags("fleet")
            .ProducesProblem(400).WithSummary("Meters of each firmware version, day by day: days, to");
        routes.MapFleetMeters();
    }

    private static async Task<Ok<FleetAnswer>> Get(HttpContext http, IFleet fleet, FleetIndex index,
        ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var picture = await index.Get(cancel);
        var (caller, status) = (Caller.Of(http), fleet.Status);
        var all = default(GroupTotals);
        var (observers, silent) = (0, 0);
        foreach (var m in picture.Meters)
        {
            if (!caller.Covers(m.Region)) continue;
            all = all.With(m);
            observers += m.Role == MeterRole.Observer ? 1 : 0;
            silent += status.Watermark is { } w && m.LastReading != long.MinValue
                && m.LastReading < w.Seconds - SilentDays * DaySeconds ? 1 : 0;
        }
        var today = Today(status, options);
        int Count(TwinKind kind) => picture.Groups(kind, caller).Count;
        return TypedResults.Ok(new FleetAnswer(options.Now(), status.Watermark,
            status.ClosedThroughDay is { } day ? LocalDay.FormatDate(day) : null, all.Meters, observers,
            Count(TwinKind.Feeder), Count(TwinKind.Cohort), Count(TwinKind.Concentrator), silent,
            all.Meters - all.Heard, all.Watts, all.SwitchableWatts, Severities(picture, caller, today),
            Severities(picture, caller, today - 6),
            picture.At));
    }

    /// <summary>The last day of the fleet's time: that of the watermark, of the host where there is none.</summary>
    internal static int Today(FleetStatus status, ApiOptions options) =>
        (int)Math.Floor((status.Watermark ?? options.Now()).Seconds / (double)DaySeconds);

    private static Dictionary<string, int> Severities(FleetPicture picture, Caller caller, int fromDay)
    {
        var counts = Enum.GetValues<Severity>().ToDictionary(s => SnakeCase.Of(s), _ => 0);
        foreach (var f in picture.Findings)
        {
            if (f.Day < fromDay || !Covers(picture, caller, f.Subject)) continue;
            counts[SnakeCase.Of(f.Severity)]++;
        }
        return counts;
    }

    /// <summary>What is about no single meter is for callers of all regions.</summary>
    internal static bool Covers(FleetPicture picture, Caller caller, TwinKey subject) => caller.Regions.Count == 0
        || (subject.Kind == TwinKind.Meter && picture.Find(new MeterId(subject.Id)) is { } m
            && caller.Covers(m.Region));

    private static async Task<Ok<HeatAnswer>> Heat(string? by, string? days, string? to, string? limit,
        HttpContext http, IFleet fleet, FleetIndex index, ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "by", "days", "to", "limit");
        var kind = (by ?? "feeder") switch
        {
            "feeder" => TwinKind.Feeder,
            "cohort" => TwinKind.Cohort,
            _ => throw Parameters.Bad("bad_by", "The parameter by is no kind of group.",
            "Give by=feeder or by=cohort."),
        };
        var count = Parameters.Integer(days, "days", DefaultHeatDays, MaxHeatDays);
        var rows = Parameters.Integer(limit, "limit", DefaultHeatRows, MaxHeatRows);
        var end = EndDay(to, fleet, options);
        var picture = await index.Get(cancel);
        var caller = Caller.Of(http);
        var groups = picture.Groups(kind, caller);
        var cells = Cells(picture, caller, kind, end - count, end);
        var order = groups.Keys
            .OrderByDescending(name => cells.TryGetValue(name, out var c) ? c.Max(x => x?.Worst ?? 0) : 0)
            .ThenByDescending(name => cells.TryGetValue(name, out var c) ? c.Sum(x => x?.Findings ?? 0) : 0)
            .ThenBy(name => name, StringComparer.Ordinal).Take(rows);
        return TypedResults.Ok(new HeatAnswer(SnakeCase.Of(kind), Dates(end - count, count),
            [.. order.Select(name => new HeatRow(name, TwinKey.Named(kind, name), groups[name].Meters,
                cells.GetValueOrDefault(name) ?? new HeatCell?[count]))], groups.Count, picture.At));
    }

    private static Dictionary<string, HeatCell?[]> Cells(FleetPicture picture, Caller caller, TwinKind kind,
        int from, int end)
    {
        var cells = new Dictionary<string, HeatCell?[]>();
        foreach (var f in picture.Findings)
        {
            if (f.Day < from || f.Day >= end || !Covers(picture, caller, f.Subject)) continue;
            if (picture.GroupOf(f.Subject, kind) is not { Length: > 0 } name) continue;
            if (!cells.TryGetValue(name, out var row)) cells[name] = row = new HeatCell?[end - from];
            var old = row[f.Day - from];
            row[f.Day - from] = new HeatCell((old?.Findings ?? 0) + 1,
                old is { } o && o.Worst > f.Severity ? o.Worst : f.Severity);
        }
        return cells;
    }

    /// <summary>The day behind the last one shown: of <c>to</c>, which is not included, or tomorrow.</summary>
    private static int EndDay(string? to, IFleet fleet, ApiOptions options) => Parameters.Time(to, "to") is { } time
        ? (int)Math.Ceiling(time.Seconds / (double)DaySeconds) : Today(fleet.Status, options) + 1;

    private static string[] Dates(int from, int count) =>
        [.. Enumerable.Range(from, count).Select(LocalDay.FormatDate)];

    private static async Task<Ok<FirmwareAnswer>> Firmware(string? days, string? to, HttpContext http, IFleet fleet,
        FleetIndex index, ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "days", "to");
        var count = Parameters.Integer(days, "days", DefaultFirmwareDays, MaxFirmwareDays);
        var end = EndDay(to, fleet, options);
        var picture = await index.Get(cancel);
        var rows = picture.Versions
            .Select(v => new VersionRow(v.Key.Model, v.Key.Version, v.Value.On(end - count, count)))
            .Where(v => v.Meters.Any(n => n > 0))
            .OrderBy(v => v.Model, StringComparer.Ordinal).ThenBy(v => v.Version, StringComparer.Ordinal);
        return TypedResults.Ok(new FirmwareAnswer(Dates(end - count, count), [.. rows], picture.At));
    }
}
