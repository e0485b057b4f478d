using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>A reply that was taken is in the journal.</summary>
internal sealed record ReplyAnswer(long Position, AdmissionStatus Status);

/// <summary>Where a head-end says what became of orders (asynchronous replies of IEC 61968-100).</summary>
internal static class HeadEndApi
{
    public const string Path = "/api/v1/head-end/replies";
    private const string Json = "application/json";
    private const string Source = "gateway";

    public static void MapHeadEndApi(this IEndpointRouteBuilder routes, ApiLimits limits) =>
        routes.MapPost(Path, Post).Needs(Right.Send).WithName("post_head_end_reply").WithTags("head-end")
            .Accepts<string>(MessageIntake.Xml, MessageIntake.OtherXml, Json)
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(413).ProducesProblem(415).ProducesProblem(422)
            .ProducesProblem(503)
            .WithMetadata(new RequestSizeLimitAttribute(limits.MaxBodyBytes))
            .WithRequestTimeout(TwinApi.IngestPolicy)
            .WithSummary("A head-end's reply to an order: XML of IEC 61968-100, or JSON; answered when durable");

    private static async Task<Ok<ReplyAnswer>> Post(HttpContext http, IFleet fleet, ApiOptions options,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        if (options.ReadReply is not { } read)
            throw new ApiProblem(404, "no_head_end", "This service gives no orders to a head-end.",
                "Start it with --head-end.");
        var isJson = http.Request.ContentType?.Split(';')[0].Trim() == Json;
        if (!isJson && !MessageIntake.Is(http.Request.ContentType))
            throw new ApiProblem(415, "unsupported_media_type", "A reply is XML or JSON.",
                $"Send it as {MessageIntake.Xml} or {Json}.");
        using var message = await MessageIntake.Whole(ObservationsApi.BodyOf(http.Request),
            options.Limits.MaxMessageBytes, cancel);
        Input reply;
        try
        {
            reply = read(message, isJson);
        }
        catch (FormatException e)
        {
            throw new ApiProblem(400, "bad_reply", $"The reply is not understood: {e.Message}",
                "Reply with the correlation id of the request and the result OK, PARTIAL or FAILED.");
        }
        await RequireOrder(fleet, reply, cancel);
        var batch = new InputBatch(Source);
        batch.Add(reply);
        var receipt = await fleet.Append(batch, cancel);
        return receipt.Items[0] is { Status: AdmissionStatus.Rejected } refused
            ? throw new ApiProblem(422, "reply_refused", refused.Reason, "It answers no order that was given.")
            : TypedResults.Ok(new ReplyAnswer(receipt.Position, receipt.Items[0].Status));
    }

    /// <summary>
    /// A case that never was would come into being by a word about it. One that is there hears of a response that it
    /// did not order, and says so.
    /// </summary>
    /// <exception cref="ApiProblem">422: there is no such case, or it never had that response.</exception>
    private static async Task RequireOrder(IFleet fleet, Input reply, CancellationToken cancel)
    {
        if (reply is not ResponseOutcome outcome) return;
        var isKnown = await fleet.State(outcome.Case, null, cancel) is { } state
            && Array.Exists(CaseView.From(outcome.Case, state).Responses, r => r.Number == outcome.Response)
            || fleet.Ledger.Responses(new ResponseQuery(null, outcome.Case, null, 1_000))
                .Any(r => r.Response.Number == outcome.Response);
        if (!isKnown)
            throw new ApiProblem(422, "reply_refused", "No order of that correlation id was given.",
                "It answers no order that was given.");
    }
}
