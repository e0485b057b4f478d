using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Guards;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// What would come of a response that somebody proposes. <paramref name="Response"/>: null when none would be made.
/// <paramref name="Persons"/>: approvals that were assumed; <paramref name="Guards"/>: those that would give room.
/// </summary>
public sealed record DryRunAnswer(ResponseRecord? Response, int Persons, IReadOnlyList<GuardView> Guards);

/// <summary>Tries a proposal on a copy of what it touches; changes nothing.</summary>
/// <exception cref="ArgumentException">The case refuses it, and says why.</exception>
public delegate Task<DryRunAnswer> TryProposal(ResponseAct act, CancellationToken cancel);

/// <summary>A guard's budget within an hour as it would be used then.</summary>
internal sealed record GuardUse(string Name, long CommandsHour, long CommandsHourMost, long WattsHour,
    long WattsHourMost);

/// <summary>The answer to a dry run: nothing was changed.</summary>
internal sealed record DryRunView(bool DryRun, ResponseItem? Response, int Persons, IReadOnlyList<GuardUse> Guards);

internal static class ResponseActsApi
{
    public static void MapResponseActsApi(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(CasesApi.Path + "/{id}/responses", Propose).IsAct(Right.Operate).WithName("propose_response")
            .WithTags("responses").Produces<ResponseItem>(201).Produces<DryRunView>(200)
            .WithSummary("Asks for a response that the policy did not choose: rung, why, dry_run. Idempotency-Key");
        routes.MapPost(CasesApi.Path + "/{id}/responses/{number}/acts", Act).IsAct(Right.Operate)
            .WithName("act_on_response").WithTags("responses").Produces<ResponseItem>()
            .WithSummary("Does something with a response: act (approve, reject, cancel, undo, process, delete), why. "
                + "Approve, process and delete need the right to approve. If-Match (of the case), Idempotency-Key");
    }

    private static async Task<IResult> Propose(string id, HttpContext http, IFleet fleet, ApiOptions options,
        Onces onces, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var bytes = await StrictBody.Text(http.Request, ActDoor.MaxBodyBytes, cancel);
        var body = StrictBody.Of(bytes);
        var (rung, why, dry) = (body.RequiredWord<ResponseRung>("rung"), body.Text("why", CaseAct.MaxText) ?? "",
            body.Flag("dry_run"));
        body.End();
        var caller = Caller.Of(http);
        ResponseAct On(TwinKey key, OnceTag tag)
        {
            var act = new ResponseAct(key, options.Now(), tag.On(caller.Actor), ResponseActKind.Propose, 0, rung, why);
            ActDoor.Check(act.Refusal());
            return act;
        }
        if (dry)
            return await Try(options, On((await CaseSight.Living(fleet, caller, id, cancel)).Case.Case, OnceTag.None),
                cancel);
        return await onces.Run(http, bytes, async tag =>
        {
            var key = CaseSight.Parse(id).Key;
            return await ActDoor.Alone(key, async () =>
            {
                var row = await CaseSight.Living(fleet, caller, id, cancel);
                ListedCase after;
                var act = On(key, tag);
                var isRepeat = tag.WasDone(fleet.Ledger, key);
                if (isRepeat) after = row;
                else
                {
                    ActDoor.RequireMatch(http.Request, CaseTag.Of(row.Case, row.Responses));
                    await ActDoor.Append(fleet, act, cancel);
                    after = await CaseSight.Living(fleet, caller, id, cancel);
                }
                // One of its rung that is in force or on its way stands for the new one.
                var made = after.Responses.LastOrDefault(r => r.Rung == rung)
                    ?? throw ActDoor.Refused("the case has as many responses as it may, and none was made");
                return ActAnswer.Of(ResponseItem.Of(made), 201, CaseTag.Of(after.Case, after.Responses), isRepeat);
            }, cancel);
        });
    }

    private static async Task<IResult> Try(ApiOptions options, ResponseAct act, CancellationToken cancel)
    {
        if (options.TryProposal is not { } run)
            throw new ApiProblem(501, "not_on_this_engine", "This service makes no dry runs.",
                "Leave out dry_run, or ask a service with the embedded engine.");
        try
        {
            var answer = await run(act, cancel);
            return TypedResults.Json(new DryRunView(true,
                answer.Response is { } r ? ResponseItem.Of(r) : null, answer.Persons,
                [.. answer.Guards.Select(g => new GuardUse(g.Name, g.CommandsHour, g.Budget.CommandsHour, g.WattsHour,
                    g.Budget.WattsHour))]), ApiJson.Options);
        }
        catch (ArgumentException e)
        {
            throw ActDoor.Refused(e.Message);
        }
    }

    private static async Task<IResult> Act(string id, string number, HttpContext http, IFleet fleet,
        ApiOptions options, Onces onces, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var bytes = await StrictBody.Text(http.Request, ActDoor.MaxBodyBytes, cancel);
        var body = StrictBody.Of(bytes);
        var (kind, why) = (body.RequiredWord<ResponseActKind>("act"), body.Text("why", CaseAct.MaxText) ?? "");
        body.End();
        var caller = Caller.Of(http);
        if (kind is ResponseActKind.Propose or ResponseActKind.Quarantine)
            throw new ApiProblem(400, "bad_member", "The member /act is none of its words.",
                "Use one of: approve, reject, cancel, undo, process, delete.");
        if (kind is ResponseActKind.Approve or ResponseActKind.Process or ResponseActKind.Delete)
            Access.Require(caller, Right.Approve);
        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n) || n < 1)
            throw Parameters.Bad("bad_response", "This is no number of a response.", "Write a whole number from 1 on.");
        return await onces.Run(http, bytes, async tag =>
        {
            var key = CaseSight.Parse(id).Key;
            return await ActDoor.Alone(key, async () =>
            {
                var row = await CaseSight.Living(fleet, caller, id, cancel);
                var isRepeat = tag.WasDone(fleet.Ledger, key);
                if (!isRepeat)
                {
                    if (row.Responses.All(r => r.Number != n))
                        throw new ApiProblem(404, "response_not_found", "The case has no response of this number.",
                            "GET /api/v1/cases/{id}/responses lists them.");
                    ActDoor.RequireMatch(http.Request, CaseTag.Of(row.Case, row.Responses));
                    var act = new ResponseAct(key, options.Now(), tag.On(caller.Actor), kind, n, default, why);
                    ActDoor.Check(act.Refusal());
                    await ActDoor.Append(fleet, act, cancel);
                    row = await CaseSight.Living(fleet, caller, id, cancel);
                }
                return ActAnswer.Of(ResponseItem.Of(row.Responses.First(r => r.Number == n)), 200,
                    CaseTag.Of(row.Case, row.Responses), isRepeat);
            }, cancel);
        });
    }
}
