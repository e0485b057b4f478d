using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

internal sealed record ResponseList(IReadOnlyList<ResponseItem> Responses, string? Next);

internal static class ResponsesApi
{
    public const string Path = "/api/v1/responses";
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;
    private const string CursorVersion = "r1";

    public static void MapResponsesApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Read).WithName("list_responses").WithTags("responses")
            .Produces<ResponseList>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("Responses, newest proposal first: state, waiting (for people), case, subject, limit, cursor");
        routes.MapGet(CasesApi.Path + "/{id}/responses", OfCase).Needs(Right.Read).WithName("list_responses_of_case")
            .WithTags("responses").ProducesProblem(400).ProducesProblem(404)
            .WithSummary("The responses of a case, oldest first");
        routes.MapGet(MetersApi.Path + "/{id}/measures", OfMeter).Needs(Right.Read).WithName("list_measures_of_meter")
            .WithTags("responses").ProducesProblem(400).ProducesProblem(404)
            .WithSummary("Responses at a meter that are in force or pending");
    }

    private static IResult List(string? state, string? waiting, string? @case, string? subject, string? limit,
        string? cursor, string? fields, HttpContext http, IFleet fleet)
    {
        Parameters.Only(http.Request, "state", "waiting", "case", "subject", "limit", "cursor", "fields");
        var count = Parameters.Integer(limit, "limit", DefaultLimit, MaxLimit);
        var rows = fleet.Ledger.Responses(new ResponseQuery(CaseFilter.Word<ResponseState>(state, "state"),
            @case is null ? null : CaseSight.Parse(@case).Key, Parameters.Subject(subject), count + 1)
        {
            Waiting = CaseFilter.Flag(waiting, "waiting"), Regions = Caller.Of(http).Regions,
            After = ReadCursor(cursor),
        });
        var next = rows.Count > count ? Cursor.Next(http.Request, WriteCursor(rows[count - 1].Response)) : null;
        return Fields.Of(new ResponseList([.. rows.Take(count).Select(r => ResponseItem.Of(r.Response))], next), fields,
            "responses");
    }

    private static string WriteCursor(ResponseRecord r) => Cursor.Write(CursorVersion,
        string.Create(CultureInfo.InvariantCulture, $"{r.ProposedAt.Seconds}.{r.Case.Id:x}.{r.Number}"));

    private static (long, ulong, int)? ReadCursor(string? cursor)
    {
        if (Cursor.Read(cursor, CursorVersion) is not { } text) return null;
        var (parts, c) = (text.Split('.'), CultureInfo.InvariantCulture);
        return parts.Length == 3 && long.TryParse(parts[0], NumberStyles.AllowLeadingSign, c, out var seconds)
            && ulong.TryParse(parts[1], NumberStyles.AllowHexSpecifier, c, out var id)
            && int.TryParse(parts[2], NumberStyles.None, c, out var number) ? (seconds, id, number)
            : throw Cursor.Bad();
    }

    private static async Task<Ok<ResponseList>> OfCase(string id, HttpContext http, IFleet fleet,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var row = await CaseSight.Of(fleet, Caller.Of(http), id, cancel);
        return TypedResults.Ok(new ResponseList([.. row.Responses.Select(ResponseItem.Of)], null));
    }

    private static async Task<Ok<ResponseList>> OfMeter(string id, HttpContext http, IFleet fleet,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var (meter, _) = await MetersApi.Seen(fleet, id, AsOf.Now, http, cancel);
        var rows = fleet.Ledger.Responses(new ResponseQuery(null, null, meter.Twin, MaxLimit)
        {
            Regions = Caller.Of(http).Regions,
        });
        return TypedResults.Ok(new ResponseList([.. rows.Select(r => r.Response).Where(Holds)
            .Select(ResponseItem.Of)], null));
    }

    private static bool Holds(ResponseRecord r) => r.State is ResponseState.Proposed or ResponseState.Authorised
        or ResponseState.Executing or ResponseState.Quarantined
        || r.State == ResponseState.Done && r.ExpiresAt.Seconds != 0;
}
