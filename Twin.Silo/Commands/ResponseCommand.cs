using System.CommandLine;
using System.Globalization;
using Twin.Grains.Cases;
using Twin.Grains.Guards;
using Twin.Hardware;
using Twin.Silo.WhatIf;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin response</c>: what is done about cases, and who says yes and no to it.</summary>
internal static class ResponseCommand
{
    public static Command Make() => new Command("response", "Responses: what is done, waits for approval, or is held.")
    {
        List(), Propose(),
        Act("approve", "Approve a response. Who asked for it cannot.", ResponseActKind.Approve),
        Act("reject", "Reject a proposed response.", ResponseActKind.Reject),
        Act("cancel", "Cancel a response that has not gone out.", ResponseActKind.Cancel),
        Act("undo", "Take back what was done.", ResponseActKind.Undo),
        Act("process", "Let a quarantined response go on; it is judged anew.", ResponseActKind.Process),
        Act("delete", "Delete a quarantined response.", ResponseActKind.Delete),
    };

    /// <summary>One line for people.</summary>
    public static string Line(ResponseRecord r) =>
        $"{CaseSnapshot.IdOf(r.Case, r.Number)}  {SnakeCase.Of(r.Rung),-22} {SnakeCase.Of(r.State),-11} "
        + r.SubjectName
        + (r.State == ResponseState.Proposed && r.Needed > 0 ? $", {r.Approvals.Length} of {r.Needed} approvals" : "")
        + (r.State == ResponseState.Authorised ? $", goes out at {r.DueAt}" : "")
        + (r.ExpiresAt.Seconds != 0 ? $", until {r.ExpiresAt}" : "")
        + (r.Reason.Length > 0 ? $": {r.Reason}" : r.Why.Length > 0 ? $": {r.Why}" : "");

    public static object Json(ResponseRecord r) => new
    {
        Id = CaseSnapshot.IdOf(r.Case, r.Number), Subject = r.SubjectName, Rung = SnakeCase.Of(r.Rung),
        State = SnakeCase.Of(r.State), Enforcer = SnakeCase.Of(r.Enforcer), RequestedBy = r.RequestedBy.Person,
        r.Request, r.Order, r.Watts, ApprovalsNeeded = r.Needed,
        Approvals = r.Approvals.Select(a => new { a.By.Person, At = a.At.ToString() }), ProposedAt = Time(r.ProposedAt),
        DueAt = Time(r.DueAt), OrderedAt = Time(r.OrderedAt), EndedAt = Time(r.EndedAt), ExpiresAt = Time(r.ExpiresAt),
        r.Why, r.Reason,
    };

    private static string? Time(UnixTime at) => at.Seconds == 0 ? null : at.ToString();

    private static Command List()
    {
        var (flags, all) = (new ActFlags(), new Option<bool>("--all") { Description = "also those that are over" });
        var command = new Command("list", "List responses.") { all, flags.Data, flags.LedgerKey, Cli.JsonFlag };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            await using var fleet = flags.Open(p);
            var list = (await ActFlags.All(fleet, cancel)).SelectMany(v => v.Responses).Where(r => p.GetValue(all)
                || r.State is ResponseState.Proposed or ResponseState.Authorised or ResponseState.Executing
                    or ResponseState.Quarantined || r.State == ResponseState.Done && r.ExpiresAt.Seconds != 0)
                .OrderByDescending(r => r.Rung).ThenBy(r => r.ProposedAt.Seconds).ToArray();
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(list.Select(Json));
            else if (list.Length == 0) Console.WriteLine("no responses");
            else foreach (var r in list) Console.WriteLine(Line(r));
            return Cli.Ok;
        }));
        return command;
    }

    private static Command Act(string name, string help, ResponseActKind kind)
    {
        var flags = new ActFlags();
        var id = new Argument<string>("response")
        {
            Description = "the response's id, as 'metertwin response list' shows it"
                + (kind == ResponseActKind.Process ? "; fleet: end what holds all commands after a restore" : ""),
        };
        var why = new Option<string>("--why") { Description = "in your own words", DefaultValueFactory = _ => "" };
        var command = new Command(name, help) { id, why };
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(() =>
        {
            if (kind == ResponseActKind.Process && p.GetValue(id) == "fleet")
                return flags.Do(p, new ResponseAct(GuardKey.Fleet, flags.At(p), flags.By(p), kind, 0, default,
                    p.GetValue(why)!), cancel);
            if (!CaseSnapshot.TryParseId(p.GetValue(id)!, out var key, out var number) || number == 0)
                throw new ArgumentException($"'{p.GetValue(id)}' is no id of a response: 16 hexadecimal digits, '-' "
                    + "and a number, as 'metertwin response list' shows it.");
            return flags.Do(p, new ResponseAct(key, flags.At(p), flags.By(p), kind, number, default, p.GetValue(why)!),
                cancel);
        }));
        return command;
    }

    private static Command Propose()
    {
        var flags = new ActFlags();
        var id = new Argument<string>("case") { Description = "the case's id, as 'metertwin case list' shows it" };
        var rung = new Argument<string>("rung") { Description = "what is to be done, as block_writes" };
        var why = new Option<string>("--why") { Description = "in your own words", DefaultValueFactory = _ => "" };
        var dry = new Option<bool>("--dry-run")
        {
            Description = "change nothing; show whether it would go out, when, and what load it would move",
        };
        var command = new Command("propose", "Ask for a response that the policy did not choose.")
        {
            id, rung, why, dry,
        };
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            ResponseAct Of(TwinKey key) => new(key, flags.At(p), flags.By(p), ResponseActKind.Propose, 0,
                ActFlags.Parse<ResponseRung>(p.GetValue(rung)!, "rung"), p.GetValue(why)!);
            if (!p.GetValue(dry)) return await flags.Do(p, p.GetValue(id)!, Of, cancel);
            await using var fleet = flags.Open(p);
            var run = await DryRun.Of(fleet, Of(await ActFlags.Living(fleet, p.GetValue(id)!, cancel)), cancel);
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(Json(run));
            else Print(run);
            return Cli.Ok;
        }));
        return command;
    }

    private static void Print(DryRun run)
    {
        var c = CultureInfo.InvariantCulture;
        Console.WriteLine("Dry run: nothing was changed.");
        if (run.Response is not { } r)
        {
            Console.WriteLine("  no response would be made of it: the case has as many as it may");
            return;
        }
        Console.WriteLine(string.Create(c, $"  {SnakeCase.Of(r.Rung)} on {r.SubjectName} would move {r.Watts:n0} W"));
        if (run.Persons > 0) Console.WriteLine($"  it needs {run.Persons} persons, assumed to approve at once");
        Console.WriteLine(r.OrderedAt.Seconds != 0 ? $"  it would go out at {r.OrderedAt}"
            : $"  it would not go out: {SnakeCase.Of(r.State)}" + (r.Reason.Length > 0 ? $", {r.Reason}" : ""));
        foreach (var g in ResponseRungs.MovesLoad(r.Rung) ? run.Guards : [])
            Console.WriteLine(string.Create(c, $"  budget of {g.Name} within an hour then: {g.CommandsHour} of "
                + $"{g.Budget.CommandsHour} commands, {g.WattsHour / 1000.0:n1} of "
                + $"{g.Budget.WattsHour / 1000.0:n1} kW"));
    }

    private static object Json(DryRun run) => new
    {
        DryRun = true, Response = run.Response is { } r ? Json(r) : null, run.Persons,
        Guards = run.Guards.Select(g => new
        {
            g.Name, g.CommandsHour, CommandsHourMost = g.Budget.CommandsHour, g.WattsHour,
            WattsHourMost = g.Budget.WattsHour,
        }),
    };
}
