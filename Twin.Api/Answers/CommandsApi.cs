using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using System.Globalization;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>A command that somebody wants sent; it becomes a response of that case at the next sweep.</summary>
internal sealed record CommandAnswer(string Meter, string Request, ResponseRung Rung, string Order, string Why,
    UnixTime At, long Position, string Case);

/// <summary>What a person found out about a finding. <paramref name="IsRepeat"/>: it had been said before.</summary>
internal sealed record VerdictAnswer(string Finding, string SubjectName, string Kind, Outcome Outcome, string By,
    UnixTime At, bool IsRepeat);

/// <summary>The newest verdict on a finding in the journal; null when there is none.</summary>
public delegate Verdict? VerdictOn(Finding finding);

/// <summary>What is asked of one meter: a command for it, or a word on a finding about it.</summary>
internal static class CommandsApi
{
    private const int MaxNumber = 64;

    public static void MapCommandsApi(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(MetersApi.Path + "/{id}/commands", Command).IsAct(Right.Operate).WithName("request_command")
            .WithTags("responses").Produces<CommandAnswer>(202)
            .WithSummary("Asks for a command to a meter: request (the sender's own number), rung, order, why. It meets "
                + "policy and guards; a number that was told before asks for nothing new. Idempotency-Key");
        routes.MapPost(FindingsApi.Path + "/{id}/verdict", Tell).IsAct(Right.Analyse).WithName("tell_verdict")
            .WithTags("findings").Produces<VerdictAnswer>()
            .WithSummary("Says what a finding turned out to be: outcome (true, benign, false), why. Said twice it "
                + "counts once. Idempotency-Key");
    }

    private static async Task<IResult> Command(string id, HttpContext http, IFleet fleet, ApiOptions options,
        Onces onces, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var bytes = await StrictBody.Text(http.Request, ActDoor.MaxBodyBytes, cancel);
        var body = StrictBody.Of(bytes);
        var (request, rung) = (body.RequiredText("request", MaxNumber), body.RequiredWord<ResponseRung>("rung"));
        var (order, why) = (body.Text("order", MaxNumber) ?? "", body.Text("why", CaseAct.MaxText) ?? "");
        body.End();
        var caller = Caller.Of(http);
        var (meter, _) = await MetersApi.Find(fleet, id, null, cancel);
        if (!caller.Covers(await Places.RegionOf(fleet, meter.Twin, cancel))) throw CaseSight.Elsewhere();
        return await onces.Run(http, bytes, async tag =>
        {
            var command = new CommandRequest(meter, options.Now(), tag.On(caller.Actor), request, rung, order, why);
            ActDoor.Check(command.Refusal() ?? (ResponseRungs.IsCommand(rung) ? null : "the rung sends no command"));
            // The number is the sender's: the case takes each once, so that one sent again does nothing.
            var position = await ActDoor.Append(fleet, command, cancel);
            return ActAnswer.Of(new CommandAnswer(meter.ToString(), request, rung, order, why, command.At, position,
                Grains.Cases.CaseKey.Of(meter.Twin, Desk.Grid).Id.ToString("x16", CultureInfo.InvariantCulture)), 202);
        });
    }

    private static async Task<IResult> Tell(string id, HttpContext http, IFleet fleet, ApiOptions options,
        Onces onces, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var bytes = await StrictBody.Text(http.Request, ActDoor.MaxBodyBytes, cancel);
        var body = StrictBody.Of(bytes);
        var (outcome, why) = (body.RequiredWord<Outcome>("outcome"), body.Text("why", Verdict.MaxText) ?? "");
        body.End();
        var caller = Caller.Of(http);
        if (id.Length != 16 || !ulong.TryParse(id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
            out var number))
            throw Parameters.Bad("bad_finding", "This is no id of a finding.", "Write its 16 hexadecimal digits.");
        var found = await fleet.Findings(new FindingQuery(null, null, null, null, 1) { Id = id.ToLowerInvariant() },
            cancel);
        if (found is not [var finding])
            throw new ApiProblem(404, "finding_not_found", "There is no finding with this id.",
                "GET /api/v1/findings lists them.");
        if (!caller.Covers(await Places.RegionOf(fleet, finding.Subject, cancel))) throw CaseSight.Elsewhere();
        return await onces.Run(http, bytes, tag => ActDoor.Alone(finding.Subject, async () =>
        {
            var said = options.VerdictOn?.Invoke(finding);
            var isRepeat = said is not null && said.Outcome == outcome;
            var verdict = isRepeat ? said! : new Verdict(finding.Subject, options.Now(), number, finding.Kind, outcome,
                caller.Name, why);
            ActDoor.Check(verdict.Refusal() ?? PlainText.Refusal(why));
            if (!isRepeat) await ActDoor.Append(fleet, verdict, cancel);
            return ActAnswer.Of(new VerdictAnswer(finding.Id, finding.SubjectName, Finding.NameOf(finding.Kind),
                verdict.Outcome, verdict.By, verdict.At, isRepeat), isRepeat: isRepeat);
        }, cancel));
    }
}
