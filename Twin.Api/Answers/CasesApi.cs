using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// A page of cases. <paramref name="Total"/>: of all pages; null above <see cref="CasesApi.MaxTotal"/>.
/// </summary>
internal sealed record CaseList(IReadOnlyList<CaseItem> Cases, string? Next, int? Total);

internal static class CasesApi
{
    public const string Path = "/api/v1/cases";
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;

    /// <summary>Up to so many cases are counted for every page.</summary>
    public const int MaxTotal = 10_000;

    /// <summary>Cases looked at for a list as it was known before: those changed last by then.</summary>
    private const int MaxPast = 10_000;

    private const string CursorVersion = "c1";

    public static void MapCasesApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Read).WithName("list_cases").WithTags("cases").ProducesProblem(400)
            .Produces<CaseList>()
            .WithSummary("Cases, newest change first: desk, condition, handling, disposition, severity (at least), "
                + "assignee, subject, feeder, kind, text, all, known_at, sort, limit, cursor, fields");
        routes.MapGet(Path + "/{id}", Get).Needs(Right.Read).WithName("get_case").WithTags("cases")
            .ProducesProblem(400).ProducesProblem(404).Produces<CaseDetail>()
            .WithSummary("A case with findings, responses, decision and timeline, now or as known then: known_at");
    }

    private static IResult List(string? desk, string? condition, string? handling, string? disposition,
        string? severity, string? assignee, string? subject, string? feeder, string? kind, string? text, string? all,
        string? known_at, string? sort, string? limit, string? cursor, string? fields, HttpContext http, IFleet fleet)
    {
        _ = (desk, condition, handling, disposition, severity, assignee, subject, feeder, kind, text, all);
        Parameters.Only(http.Request, [.. CaseFilter.Names, "known_at", "sort", "limit", "cursor", "fields"]);
        var count = Parameters.Integer(limit, "limit", DefaultLimit, MaxLimit);
        var query = CaseFilter.Of(http.Request, Caller.Of(http), count) with
        {
            Order = CaseFilter.Word<CaseOrder>(sort, "sort") ?? CaseOrder.Changed,
            After = ReadCursor(cursor),
        };
        var (rows, more, total) = Parameters.Time(known_at, "known_at") is { } time ? Past(fleet, query, time)
            : Now(fleet, query);
        var next = more ? Cursor.Next(http.Request, WriteCursor(query.Order, rows[^1].Case)) : null;
        var page = new CaseList([.. rows.Select(r => CaseItem.Of(r, known_at is not null))], next, total);
        return Fields.Of(page, fields, "cases");
    }

    private static (IReadOnlyList<ListedCase> Rows, bool More, int? Total) Now(IFleet fleet, CaseQuery query)
    {
        // One more than is wanted tells whether anything follows.
        var rows = fleet.Ledger.Find(query with { Limit = query.Limit + 1 });
        var more = rows.Count > query.Limit;
        return (more ? [.. rows.Take(query.Limit)] : rows, more, fleet.Ledger.Count(query, MaxTotal));
    }

    private static (IReadOnlyList<ListedCase> Rows, bool More, int? Total) Past(IFleet fleet, CaseQuery query,
        UnixTime time)
    {
        if (query.Feeder is not null)
            throw Parameters.Bad("bad_feeder", "Where a meter was, the past of a case does not say.",
                "Leave out feeder or known_at.");
        var fitting = fleet.Ledger.CasesAsOf(time, MaxPast).Where(c => CaseFilter.Fits(query, c))
            .OrderBy(c => PlaceOf(query.Order, c), s_behind);
        if (query.After is { } place) fitting = fitting.Where(c => s_behind.Compare(PlaceOf(query.Order, c), place) > 0)
            .OrderBy(c => PlaceOf(query.Order, c), s_behind);
        var rows = new List<ListedCase>();
        foreach (var c in fitting)
        {
            var now = fleet.Ledger.Find(new CaseQuery(null, null, null, null, true, 1) { One = (c.Case, 0) });
            var region = now is [var row] ? row.Region : "";
            if (query.Regions.Count > 0 && !query.Regions.Contains(region, StringComparer.OrdinalIgnoreCase)) continue;
            if (rows.Count == query.Limit) return (rows, true, null);
            rows.Add(new ListedCase(c, region, now is [var there] ? there.Feeder : "", []));
        }
        return (rows, false, query.After is null ? rows.Count : null);
    }

    internal static CasePlace PlaceOf(CaseOrder order, CaseSnapshot c) => new(order == CaseOrder.Severity
        ? (int)c.Severity : 0, (order == CaseOrder.Opened ? c.AwareAt : c.ChangedAt).Seconds, c.Case.Id, c.Number);

    private static readonly Comparer<CasePlace> s_behind = Comparer<CasePlace>.Create((a, b) =>
        a.Severity != b.Severity ? b.Severity.CompareTo(a.Severity)
        : a.Seconds != b.Seconds ? b.Seconds.CompareTo(a.Seconds)
        : a.Id != b.Id ? a.Id.CompareTo(b.Id) : a.Number.CompareTo(b.Number));

    private static string WriteCursor(CaseOrder order, CaseSnapshot c)
    {
        var place = PlaceOf(order, c);
        return Cursor.Write(CursorVersion, string.Create(CultureInfo.InvariantCulture,
            $"{place.Severity}.{place.Seconds}.{place.Id:x}.{place.Number}"));
    }

    private static CasePlace? ReadCursor(string? cursor)
    {
        if (Cursor.Read(cursor, CursorVersion) is not { } text) return null;
        var parts = text.Split('.');
        var c = CultureInfo.InvariantCulture;
        return parts.Length == 4 && long.TryParse(parts[0], NumberStyles.AllowLeadingSign, c, out var severity)
            && long.TryParse(parts[1], NumberStyles.AllowLeadingSign, c, out var seconds)
            && ulong.TryParse(parts[2], NumberStyles.AllowHexSpecifier, c, out var id)
            && int.TryParse(parts[3], NumberStyles.None, c, out var number)
            ? new CasePlace(severity, seconds, id, number) : throw Cursor.Bad();
    }

    private static async Task<IResult> Get(string id, string? known_at, string? fields, HttpContext http, IFleet fleet,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request, "known_at", "fields");
        var row = await CaseSight.Of(fleet, Caller.Of(http), id, cancel);
        var detail = await CaseReader.Detail(fleet, row, Parameters.Time(known_at, "known_at"),
            Caller.Of(http).Regions, cancel);
        http.Response.Headers.ETag = $"\"{detail.Etag}\"";
        return Fields.Of(detail, fields);
    }
}
