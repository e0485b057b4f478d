using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Guards;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// The one freeze. <paramref name="HeldAfterRestore"/>: every command waits for two persons after a restore.
/// </summary>
internal sealed record FreezeView(bool Frozen, bool HeldAfterRestore, string Etag);

internal static class FreezeApi
{
    public const string Path = "/api/v1/freeze";

    public static void MapFreezeApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, Get).Needs(Right.Read).WithName("get_freeze").WithTags("freeze")
            .WithSummary("Whether all that blocks or moves load is stopped");
        routes.MapPut(Path, Put).IsAct(Right.Operate).WithName("put_freeze").WithTags("freeze")
            .Produces<FreezeView>()
            .WithSummary("Stops all that blocks or moves load, at once, or lets it go on: frozen, why. Two persons "
                + "with the right to approve have to end it. If-Match, Idempotency-Key");
        routes.MapPost(Path + "/process", Process).IsAct(Right.Approve).WithName("process_fleet").WithTags("freeze")
            .Produces<FreezeView>()
            .WithSummary("Ends the hold on all commands after a restore; two persons have to: why. Idempotency-Key");
    }

    private static async Task<FreezeView> View(IFleet fleet, CancellationToken cancel)
    {
        var frozen = (await PoliciesApi.View(fleet, cancel)).Frozen;
        var held = await fleet.State(GuardKey.Fleet, null, cancel) is { } guard
            && GuardView.From(GuardKey.Fleet, guard).HeldSeconds > 0;
        return new FreezeView(frozen, held, frozen ? "frozen" : "thawed");
    }

    private static async Task<Ok<FreezeView>> Get(HttpContext http, IFleet fleet, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var view = await View(fleet, cancel);
        http.Response.Headers.ETag = $"\"{view.Etag}\"";
        return TypedResults.Ok(view);
    }

    private static async Task<IResult> Put(HttpContext http, IFleet fleet, ApiOptions options, Onces onces,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var bytes = await StrictBody.Text(http.Request, ActDoor.MaxBodyBytes, cancel);
        var body = StrictBody.Of(bytes);
        var (freeze, why) = (body.RequiredFlag("frozen"), body.Text("why", CaseAct.MaxText) ?? "");
        body.End();
        var caller = Caller.Of(http);
        if (!freeze) Access.Require(caller, Right.Approve);
        CaseSight.RequireEverywhere(caller);
        ActDoor.Check(PlainText.Refusal(why));
        return await onces.Run(http, bytes, tag => ActDoor.Alone(PolicyActivation.Twin, async () =>
        {
            var isRepeat = tag.WasDone(fleet.Ledger, default);
            if (!isRepeat)
            {
                ActDoor.RequireMatch(http.Request, (await View(fleet, cancel)).Etag);
                await ActDoor.Append(fleet, new FreezeAct(options.Now(), tag.On(caller.Actor), freeze, why), cancel);
            }
            var view = await View(fleet, cancel);
            return ActAnswer.Of(view, etag: view.Etag, isRepeat: isRepeat);
        }, cancel));
    }

    private static async Task<IResult> Process(HttpContext http, IFleet fleet, ApiOptions options, Onces onces,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var bytes = await StrictBody.Text(http.Request, ActDoor.MaxBodyBytes, cancel);
        var body = StrictBody.Of(bytes);
        var why = body.Text("why", CaseAct.MaxText) ?? "";
        body.End();
        var caller = Caller.Of(http);
        CaseSight.RequireEverywhere(caller);
        return await onces.Run(http, bytes, async tag =>
        {
            var isRepeat = tag.WasDone(fleet.Ledger, GuardKey.Fleet) || tag.WasDone(fleet.Ledger, default);
            var act = new ResponseAct(GuardKey.Fleet, options.Now(), tag.On(caller.Actor), ResponseActKind.Process, 0,
                default, why);
            ActDoor.Check(act.Refusal());
            if (!isRepeat) await ActDoor.Append(fleet, act, cancel);
            return ActAnswer.Of(await View(fleet, cancel), isRepeat: isRepeat);
        });
    }
}
