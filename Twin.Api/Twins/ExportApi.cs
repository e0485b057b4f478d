using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>One interval of an exported series.</summary>
internal sealed record ExportedReading(MeterId Meter, string Name, UnixTime Start, int IntervalMinutes, int Value,
    Quality Quality);

/// <summary>
/// Whole lists as lines of JSON or as CSV, written as they are read: memory is a page, however long they are. A list
/// that breaks off half way ends the connection, so that nobody takes a part for all of it.
/// </summary>
internal static class ExportApi
{
    private const string Path = "/api/v1/export";
    private const string Csv = "text/csv; charset=utf-8";

    /// <summary>Items between two writes to the client, and days of a series.</summary>
    private const int ItemsAtOnce = 256, DaysAtOnce = 31;

    private const int FindingsAtOnce = 1_000, CasesAtOnce = 500, MaxSeriesDays = 3_660, DefaultSeriesDays = 31;
    private const int DaySeconds = 86_400;

    public static void MapExportApi(this IEndpointRouteBuilder routes)
    {
        void Map(string what, Right right, Delegate handler, string summary) =>
            routes.MapGet($"{Path}/{what}", handler).Needs(right).WithName($"export_{what}").WithTags("export")
                .Produces<string>(200, ObservationsApi.Ndjson, "text/csv").ProducesProblem(400).WithSummary(summary)
                .WithRequestTimeout(TwinApi.IngestPolicy);
        Map("meters", Right.Analyse, Meters, "All meters that a filter lets pass: the filters of list_meters, format");
        Map("findings", Right.Analyse, Findings, "All findings: the filters of list_findings, format");
        Map("cases", Right.Analyse, Cases, "All cases that a filter lets pass: the filters of list_cases, format");
        Map("ledger", Right.Analyse, Ledger, "The whole ledger, in words: format");
        Map("series", Right.LoadCurve, Series,
            "Readings of a meter, or of all meters of a feeder, interval by interval: meter or feeder, from, to");
    }

    private static async Task Meters(string? format, HttpContext http, IFleet fleet, FleetIndex index,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request, [.. MeterFilter.Names, "format"]);
        var filter = MeterFilter.Read(http.Request.Query);
        var rows = filter.Of(await index.Get(cancel), Caller.Of(http), fleet.Status.Watermark);
        await Write(http, IsCsv(format), "meters", Each(rows.Select(MeterItem.Of)), cancel);
    }

    private static async Task Findings(string? subject, string? kind, string? severity, string? from, string? to,
        string? known_at, string? format, HttpContext http, IFleet fleet, FleetIndex index, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "subject", "kind", "severity", "from", "to", "known_at", "format");
        var query = await FindingsApi.Query(fleet, subject, kind, severity, from, to, known_at, FindingsAtOnce, cancel);
        var picture = Caller.Of(http).Regions.Count == 0 ? null : await index.Get(cancel);
        await Write(http, IsCsv(format), "findings", All(), cancel);

        async IAsyncEnumerable<FindingView> All()
        {
            for (IReadOnlyList<Finding> page; (page = await fleet.Findings(query, cancel)).Count > 0;)
            {
                foreach (var f in page)
                    if (picture is null || FleetApi.Covers(picture, Caller.Of(http), f.Subject))
                        yield return FindingView.Of(f);
                if (page.Count < FindingsAtOnce) yield break;
                query = query with { After = (page[^1].DetectedAt, page[^1].Id) };
            }
        }
    }

    private static Task Cases(string? format, HttpContext http, IFleet fleet, CancellationToken cancel)
    {
        Parameters.Only(http.Request, [.. CaseFilter.Names, "format"]);
        var query = CaseFilter.Of(http.Request, Caller.Of(http), CasesAtOnce) with { Order = CaseOrder.Opened };
        return Write(http, IsCsv(format), "cases", Each(All()), cancel);

        IEnumerable<CaseItem> All()
        {
            for (IReadOnlyList<ListedCase> page; (page = fleet.Ledger.Find(query)).Count > 0;)
            {
                foreach (var row in page) yield return CaseItem.Of(row, isPast: false);
                if (page.Count < CasesAtOnce) yield break;
                query = query with { After = CasesApi.PlaceOf(query.Order, page[^1].Case) };
            }
        }
    }

    private static Task Ledger(string? format, HttpContext http, IFleet fleet, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "format");
        var view = new EventView(fleet.Ledger, Caller.Of(http));
        return Write(http, IsCsv(format), "ledger",
            Each(fleet.Ledger.EntriesAfter(0).Where(view.IsFor).Select(LedgerItem.Of)), cancel);
    }

    private static async Task Series(string? meter, string? feeder, string? from, string? to, string? channel,
        string? purpose, string? format, HttpContext http, IFleet fleet, FleetIndex index,
        LoadCurveGate curves, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "meter", "feeder", "from", "to", "channel", "purpose", "format");
        Parameters.Text(purpose, "purpose");
        var what = Parameters.Channel(channel);
        var end = Parameters.Time(to, "to") ?? fleet.Status.Watermark ?? throw Parameters.Bad("range_required",
            "There is no watermark yet from which a range could count back.", "Give from and to.");
        var begin = Parameters.Time(from, "from") ?? new UnixTime(end.Seconds - DefaultSeriesDays * DaySeconds);
        Parameters.Ordered(begin, end);
        if (end.Seconds - begin.Seconds > MaxSeriesDays * (long)DaySeconds)
            throw Parameters.Bad("bad_range", $"The range is longer than {MaxSeriesDays} days.",
                "Ask for a shorter one.");
        var meters = await Members(meter, feeder, http, fleet, index, cancel);
        var isCsv = IsCsv(format);
        await curves.Note(http, feeder is null ? meters[0].Id.Twin
            : TwinKey.Named(TwinKind.Feeder, Parameters.Text(feeder, "feeder")!), begin, end, meters.Count);
        await Write(http, isCsv, "series", All(), cancel);

        async IAsyncEnumerable<ExportedReading> All()
        {
            var (first, last) = ((int)(begin.Seconds / DaySeconds) - 1, (int)(end.Seconds / DaySeconds) + 1);
            foreach (var (id, name) in meters)
                for (var day = first; day <= last; day += DaysAtOnce)
                {
                    var some = new List<ExportedReading>();
                    await fleet.Series(id, what, day, Math.Min(last, day + DaysAtOnce - 1), null,
                        (local, interval, slots, qualities) =>
                        {
                            for (var s = 0; s < slots.Length; s++)
                            {
                                var start = UnixTime.FromMinutes(local.StartMinute + (long)s * interval);
                                if (slots[s] == ReadingBlock.Missing || start.CompareTo(begin) < 0
                                    || start.CompareTo(end) >= 0) continue;
                                some.Add(new ExportedReading(id, name, start, interval, slots[s], qualities[s]));
                            }
                        }, cancel);
                    foreach (var reading in some) yield return reading;
                }
        }
    }

    /// <summary>The one meter, or the meters of a feeder, of those that the caller may see.</summary>
    private static async ValueTask<List<(MeterId Id, string Name)>> Members(string? meter, string? feeder,
        HttpContext http, IFleet fleet, FleetIndex index, CancellationToken cancel)
    {
        if ((meter is null) == (feeder is null))
            throw Parameters.Bad("meter_or_feeder", "Exactly one of the parameters meter and feeder is needed.",
                "Give meter=ID for one meter, or feeder=NAME for all meters of a feeder.");
        if (meter is not null)
        {
            var (id, state) = await MetersApi.Seen(fleet, meter, AsOf.Now, http, cancel);
            return [(id, MeterCard.From(id.Twin, state).Name)];
        }
        var (wanted, caller) = (Parameters.Text(feeder, "feeder"), Caller.Of(http));
        var found = (await index.Get(cancel)).Meters.Where(m => m.Feeder == wanted && caller.Covers(m.Region))
            .Select(m => (m.Id, m.Name)).ToList();
        return found.Count > 0 ? found : throw new ApiProblem(404, "feeder_not_found",
            "There is no feeder of this name.", "GET /api/v1/feeders lists all, as the fleet file names them.");
    }

    private static async IAsyncEnumerable<T> Each<T>(IEnumerable<T> items)
    {
        foreach (var item in items) yield return item;
        await Task.CompletedTask;
    }

    private static bool IsCsv(string? format) => (format ?? "ndjson") switch
    {
        "ndjson" => false,
        "csv" => true,
        _ => throw Parameters.Bad("bad_format", "The parameter format is no format.",
            "Give format=ndjson or format=csv."),
    };

    private static async Task Write<T>(HttpContext http, bool isCsv, string name, IAsyncEnumerable<T> items,
        CancellationToken cancel)
    {
        http.Response.ContentType = isCsv ? Csv : ObservationsApi.Ndjson;
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}.{(isCsv ? "csv" : "ndjson")}\"";
        var text = new StringBuilder();
        var count = 0;
        await foreach (var item in items.WithCancellation(cancel))
        {
            if (isCsv)
            {
                var json = JsonSerializer.SerializeToNode(item, ApiJson.Options)!.AsObject();
                if (count == 0) text.Append(CsvLines.Heading(json));
                text.Append(CsvLines.Of(json));
            }
            else text.Append(JsonSerializer.Serialize(item, ApiJson.Options)).Append('\n');
            if (++count % ItemsAtOnce != 0) continue;
            await http.Response.WriteAsync(text.ToString(), cancel);
            text.Clear();
        }
        await http.Response.WriteAsync(text.ToString(), cancel);
    }
}
