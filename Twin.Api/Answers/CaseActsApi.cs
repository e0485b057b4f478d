using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>A case with which nothing was done, and why.</summary>
internal sealed record SkippedCase(string Id, string Reason);

/// <summary>
/// What came of an act on many. <paramref name="Done"/>: cases with which it was done, or would be in a dry run.
/// </summary>
internal sealed record BulkAnswer(int Matched, int Done, bool DryRun, IReadOnlyList<SkippedCase> Skipped);

internal static class CaseActsApi
{
    /// <summary>Cases of one bulk act; more are refused.</summary>
    private const int MaxBulk = 10_000;

    /// <summary>Acts in one append.</summary>
    private const int BatchActs = 500;

    /// <summary>Room for as many ids.</summary>
    private const int MaxBulkBytes = 512 * 1024;

    private const int MaxId = 32;

    public static void MapCaseActsApi(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(CasesApi.Path + "/{id}/acts", Act).IsAct(Right.Analyse).WithName("act_on_case")
            .WithTags("cases").Produces<CaseDetail>()
            .WithSummary("Does something with a case: act (acknowledge, assign, comment, resolve, reopen, escalate, "
                + "confirm, confirm_dangerous), assignee, disposition, text. If-Match, Idempotency-Key");
        routes.MapPost(CasesApi.Path + "/bulk", Bulk).IsAct(Right.Analyse, MaxBulkBytes).WithName("act_on_cases")
            .WithTags("cases").Produces<BulkAnswer>()
            .WithSummary("Does one act with all cases of a filter or of a list of ids: filter, act, dry_run. "
                + "Those that do not allow it are skipped, each with its reason. Idempotency-Key");
    }

    /// <summary>An act without its case, time and person.</summary>
    private sealed record Wanted(CaseActKind Act, Disposition Disposition, string Assignee, string Text)
    {
        public static Wanted Of(StrictBody body)
        {
            var wanted = new Wanted(body.RequiredWord<CaseActKind>("act"),
                body.Word<Disposition>("disposition") ?? Disposition.None,
                body.Text("assignee", Actor.MaxText) ?? "", body.Text("text", CaseAct.MaxText) ?? "");
            body.End();
            if (wanted.Act == CaseActKind.Comment) ActDoor.Check(wanted.Text.Length == 0 ? "a comment says something"
                : null);
            return wanted;
        }

        public CaseAct On(TwinKey key, UnixTime at, Actor by)
        {
            var act = new CaseAct(key, at, by, Act, Disposition, Assignee, Text);
            ActDoor.Check(act.Refusal());
            return act;
        }
    }

    private static async Task<IResult> Act(string id, HttpContext http, IFleet fleet, ApiOptions options, Onces onces,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var body = await StrictBody.Text(http.Request, ActDoor.MaxBodyBytes, cancel);
        var wanted = Wanted.Of(StrictBody.Of(body));
        var caller = Caller.Of(http);
        return await onces.Run(http, body, async tag =>
        {
            var (key, _) = CaseSight.Parse(id);
            var (row, isRepeat) = await ActDoor.Alone(key, async () =>
            {
                var row = await CaseSight.Living(fleet, caller, id, cancel);
                if (tag.WasDone(fleet.Ledger, row.Case.Case)) return (row, true);
                ActDoor.RequireMatch(http.Request, CaseTag.Of(row.Case, row.Responses));
                await ActDoor.Append(fleet, wanted.On(row.Case.Case, options.Now(), tag.On(caller.Actor)), cancel);
                return (await CaseSight.Living(fleet, caller, id, cancel), false);
            }, cancel);
            var detail = await CaseReader.Detail(fleet, row, null, Caller.Of(http).Regions, cancel);
            return ActAnswer.Of(detail, etag: detail.Etag, isRepeat: isRepeat);
        });
    }

    private static async Task<IResult> Bulk(HttpContext http, IFleet fleet, ApiOptions options, Onces onces,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var bytes = await StrictBody.Text(http.Request, MaxBulkBytes, cancel);
        var body = StrictBody.Of(bytes);
        var caller = Caller.Of(http);
        var (filter, wanted, dry) = (body.RequiredPart("filter"), Wanted.Of(body.RequiredPart("act")),
            body.Flag("dry_run"));
        body.End();
        var ids = filter.Texts("ids", MaxId);
        var query = filter.Has("ids") ? null : CaseFilter.Of(filter, caller, MaxBulk);
        filter.End();
        return await onces.Run(http, bytes, async tag =>
        {
            var skipped = new List<SkippedCase>();
            var cases = query is null ? await Named(fleet, caller, ids, skipped, cancel) : Fitting(fleet, query);
            var matched = cases.Count + skipped.Count;
            var by = tag.On(caller.Actor);
            var done = dry ? await Try(fleet, cases, key => wanted.On(key, options.Now(), by), skipped, cancel)
                : await Do(fleet, cases, tag, key => wanted.On(key, options.Now(), by), skipped, cancel);
            return ActAnswer.Of(new BulkAnswer(matched, done, dry, skipped));
        });
    }

    private static List<(TwinKey Key, string Id)> Fitting(IFleet fleet, CaseQuery query)
    {
        if (fleet.Ledger.Count(query, MaxBulk) is null)
            throw new ApiProblem(422, "too_many_cases", $"The filter has more than {MaxBulk} cases; nothing was done.",
                "Narrow it, and do the rest with another request.");
        return [.. fleet.Ledger.Find(query).GroupBy(r => r.Case.Case).Select(g => g.MaxBy(r => r.Case.Number)!)
            .Select(r => (r.Case.Case, r.Case.Id))];
    }

    private static async Task<List<(TwinKey Key, string Id)>> Named(IFleet fleet, Caller caller,
        IReadOnlyList<string> ids, List<SkippedCase> skipped, CancellationToken cancel)
    {
        var found = new List<(TwinKey, string)>();
        foreach (var id in ids.Distinct())
        {
            try
            {
                var row = await CaseSight.Living(fleet, caller, id, cancel);
                found.Add((row.Case.Case, row.Case.Id));
            }
            catch (ApiProblem e)
            {
                skipped.Add(new SkippedCase(id, e.Message));
            }
        }
        return found;
    }

    /// <summary>What the cases would say, each as it is now.</summary>
    private static async Task<int> Try(IFleet fleet, List<(TwinKey Key, string Id)> cases, Func<TwinKey, CaseAct> make,
        List<SkippedCase> skipped, CancellationToken cancel)
    {
        var done = 0;
        foreach (var (key, id) in cases)
        {
            var state = await fleet.State(key, null, cancel);
            var refusal = state is null ? "there is no such case" : CaseTwin.RefusalOf(key, state, make(key));
            if (refusal is null) done++;
            else skipped.Add(new SkippedCase(id, refusal));
        }
        return done;
    }

    private static async Task<int> Do(IFleet fleet, List<(TwinKey Key, string Id)> cases, OnceTag tag,
        Func<TwinKey, CaseAct> make, List<SkippedCase> skipped, CancellationToken cancel)
    {
        var done = 0;
        foreach (var part in cases.Chunk(BatchActs))
        {
            // What an earlier sending of the same request has done stays done.
            var (batch, open) = (ActDoor.NewBatch(), part.Where(c => !tag.WasDone(fleet.Ledger, c.Key)).ToArray());
            done += part.Length - open.Length;
            if (open.Length == 0) continue;
            foreach (var (key, _) in open) batch.Add(make(key));
            var receipt = await fleet.Append(batch, cancel);
            for (var i = 0; i < open.Length; i++)
            {
                if (receipt.Items[i].Status != AdmissionStatus.Rejected) done++;
                else skipped.Add(new SkippedCase(open[i].Id, receipt.Items[i].Reason));
            }
        }
        return done;
    }
}
