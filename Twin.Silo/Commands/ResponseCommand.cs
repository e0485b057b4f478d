using System.CommandLine;
using Twin.Grains.Cases;
using Twin.Hardware;

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
        $"{CaseSnapshot.IdOf(r.Case, r.Number)}  {ActFlags.Word(r.Rung),-22} {ActFlags.Word(r.State),-11} "
        + r.SubjectName
        + (r.State == ResponseState.Proposed && r.Needed > 0 ? $", {r.Approvals.Length} of {r.Needed} approvals" : "")
        + (r.State == ResponseState.Authorised ? $", goes out at {r.DueAt}" : "")
        + (r.ExpiresAt.Seconds != 0 ? $", until {r.ExpiresAt}" : "")
        + (r.Reason.Length > 0 ? $": {r.Reason}" : r.Why.Length > 0 ? $": {r.Why}" : "");

    public static object Json(ResponseRecord r) => new
    {
        Id = CaseSnapshot.IdOf(r.Case, r.Number), Subject = r.SubjectName, Rung = ActFlags.Word(r.Rung),
        State = ActFlags.Word(r.State), Enforcer = ActFlags.Word(r.Enforcer), RequestedBy = r.RequestedBy.Person,
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
            Description = "the response's id, as 'metertwin response list' shows it",
        };
        var why = new Option<string>("--why") { Description = "in your own words", DefaultValueFactory = _ => "" };
        var command = new Command(name, help) { id, why };
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(() =>
        {
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
        var command = new Command("propose", "Ask for a response that the policy did not choose.") { id, rung, why };
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(() => flags.Do(p, p.GetValue(id)!,
            key => new ResponseAct(key, flags.At(p), flags.By(p), ResponseActKind.Propose, 0,
            ActFlags.Parse<ResponseRung>(p.GetValue(rung)!, "rung"), p.GetValue(why)!), cancel)));
        return command;
    }
}
