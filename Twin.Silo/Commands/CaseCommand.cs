using System.CommandLine;
using Twin.Grains.Cases;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin case</c>: the cases of a data directory, and what people do with them.</summary>
internal static class CaseCommand
{
    public static Command Make() => new Command("case", "Cases: what was found and needs people.")
    {
        List(), Show(),
        Act("ack", "Acknowledge a case.", CaseActKind.Acknowledge),
        Assign(), Comment(), Resolve(),
        Act("reopen", "Reopen a resolved case.", CaseActKind.Reopen),
        Act("escalate", "Make a case more urgent.", CaseActKind.Escalate),
        Confirm(),
    };

    private static Argument<string> Id() => new("case")
    {
        Description = "the case's id, as 'metertwin case list' shows it",
    };

    private static Option<string> Why() => new("--why")
    {
        Description = "in your own words", DefaultValueFactory = _ => "",
    };

    private static Command List()
    {
        var (flags, all) = (new ActFlags(), new Option<bool>("--all")
        {
            Description = "also what is logged only, covered, part of a group, or resolved",
        });
        var desk = new Option<string?>("--desk")
        {
            Description = "security, revenue_protection, metering_faults or grid",
        };
        var command = new Command("list", "List cases, those of the gravest first.")
        {
            all, desk, flags.Data, flags.LedgerKey, Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            Desk? of = p.GetValue(desk) is { } text ? ActFlags.Parse<Desk>(text, "desk") : null;
            await using var fleet = flags.Open(p);
            var cases = (await ActFlags.All(fleet, cancel)).Where(v => v.Case.FindingCount > 0
                    && (of is null || v.Case.Desk == of)
                    && (p.GetValue(all) || v.Case is
                    {
                        Verdict: CaseVerdict.Open, Placing: Placing.Queued,
                        Handling: not CaseHandling.Resolved
                    }))
                .OrderByDescending(v => v.Case.Severity).ThenByDescending(v => v.Case.ChangedAt.Seconds).ToArray();
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(cases.Select(Json));
            else if (cases.Length == 0) Console.WriteLine("no cases");
            else
                foreach (var v in cases)
                    Console.WriteLine($"{v.Case.Id}  {SnakeCase.Of(v.Case.Severity),-8} "
                        + $"{Desks.NameOf(v.Case.Desk),-18} {SnakeCase.Of(v.Case.Handling),-12} {v.Case.Sentence}");
            return Cli.Ok;
        }));
        return command;
    }

    private static Command Show()
    {
        var (flags, id) = (new ActFlags(), Id());
        var command = new Command("show", "Show a case: findings, responses, and why.")
        {
            id, flags.Data, flags.LedgerKey, Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var (key, number) = ActFlags.CaseOf(p.GetValue(id)!);
            await using var fleet = flags.Open(p);
            if (await ActFlags.Find(fleet, key, cancel) is not { } view || number > view.Case.Number)
                throw ActFlags.NoCase(p.GetValue(id)!);
            if (number != 0 && number < view.Case.Number)
                Cli.Message($"case {number} was resolved; this is its successor, and the ledger has the former.");
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(Json(view));
            else Print(view);
            return Cli.Ok;
        }));
        return command;
    }

    private static void Print(CaseView view)
    {
        var c = view.Case;
        Console.WriteLine($"{c.Id}  {c.SubjectName}  ({Desks.NameOf(c.Desk)})");
        Console.WriteLine(c.Sentence);
        Console.WriteLine($"  {SnakeCase.Of(c.Condition)}, {SnakeCase.Of(c.Handling)}"
            + (c.Disposition == Disposition.None ? "" : $" as {SnakeCase.Of(c.Disposition)}")
            + (c.Assignee.Length > 0 ? $", with {c.Assignee}" : "")
            + (c.FindingCount == 0 ? "; nothing was found, somebody asked for a command"
                : $"; severity {SnakeCase.Of(c.Severity)}, from {c.From} to {c.To}, aware at {c.AwareAt}"));
        if (c.Cause.Length > 0) Console.WriteLine($"  cause: {c.Cause}");
        if (c.Members > 1) Console.WriteLine($"  {c.Members} members");
        if (c.Why.Length > 0) Console.WriteLine($"  why: {c.Why}");
        foreach (var f in c.Findings)
            Console.WriteLine($"  {Finding.NameOf(f.Kind)}: {f.Count} from {f.First} to {f.Last}");
        foreach (var r in view.Responses) Console.WriteLine("  " + ResponseCommand.Line(r));
    }

    private static Command Act(string name, string help, CaseActKind kind)
    {
        var (flags, id, why) = (new ActFlags(), Id(), Why());
        var command = new Command(name, help) { id, why };
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(() => flags.Do(p, p.GetValue(id)!, key => new CaseAct(key,
            flags.At(p), flags.By(p), kind, Disposition.None, "", p.GetValue(why)!), cancel)));
        return command;
    }

    private static Command Assign()
    {
        var (flags, id, why) = (new ActFlags(), Id(), Why());
        var person = new Argument<string>("person") { Description = "who is to work on it" };
        var command = new Command("assign", "Give a case to somebody.") { id, person, why };
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(() => flags.Do(p, p.GetValue(id)!, key => new CaseAct(key,
            flags.At(p), flags.By(p), CaseActKind.Assign, Disposition.None, p.GetValue(person)!, p.GetValue(why)!),
            cancel)));
        return command;
    }

    private static Command Comment()
    {
        var (flags, id) = (new ActFlags(), Id());
        var text = new Argument<string>("text") { Description = "what is to be kept in the ledger" };
        var command = new Command("comment", "Write a note into a case's record.") { id, text };
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(() => flags.Do(p, p.GetValue(id)!, key => new CaseAct(key,
            flags.At(p), flags.By(p), CaseActKind.Comment, Disposition.None, "", p.GetValue(text)!), cancel)));
        return command;
    }

    private static Command Resolve()
    {
        var (flags, id, why) = (new ActFlags(), Id(), Why());
        var disposition = new Argument<string>("disposition")
        {
            Description = "true, benign, false, duplicate or maintenance",
        };
        var command = new Command("resolve", "Resolve a case, and say what it was.") { id, disposition, why };
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(() => flags.Do(p, p.GetValue(id)!, key => new CaseAct(key,
            flags.At(p), flags.By(p), CaseActKind.Resolve, ActFlags.Parse<Disposition>(p.GetValue(disposition)!,
                "disposition"), "", p.GetValue(why)!), cancel)));
        return command;
    }

    private static Command Confirm()
    {
        var (flags, id, why) = (new ActFlags(), Id(), Why());
        var dangerous = new Option<bool>("--dangerous")
        {
            Description = "the condition is a danger to life or property",
        };
        var command = new Command("confirm", "Say that a person or a test has confirmed what the case claims.")
        {
            id, dangerous, why,
        };
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(() => flags.Do(p, p.GetValue(id)!, key => new CaseAct(key,
            flags.At(p), flags.By(p), p.GetValue(dangerous) ? CaseActKind.ConfirmDangerous : CaseActKind.Confirm,
            Disposition.None, "", p.GetValue(why)!), cancel)));
        return command;
    }

    private static object Json(CaseView v) => new
    {
        v.Case.Id, Subject = v.Case.SubjectName, Desk = SnakeCase.Of(v.Case.Desk),
        Verdict = SnakeCase.Of(v.Case.Verdict), CoveredBy = v.Case.Covered,
        Condition = SnakeCase.Of(v.Case.Condition), Handling = SnakeCase.Of(v.Case.Handling),
        Disposition = SnakeCase.Of(v.Case.Disposition), Placing = SnakeCase.Of(v.Case.Placing),
        Group = v.Case.Group.Kind == 0 ? "" : $"{v.Case.Group.Id:x16}", v.Case.Members, v.Case.Assignee,
        Severity = SnakeCase.Of(v.Case.Severity), v.Case.Confidence, v.Case.Cause, From = v.Case.From.ToString(),
        To = v.Case.To.ToString(), AwareAt = v.Case.AwareAt.ToString(), v.Case.FindingCount, v.Case.FindingIds,
        v.Case.Techniques, Findings = v.Case.Findings.Select(f => new
        {
            Kind = Finding.NameOf(f.Kind), f.Count, First = f.First.ToString(), Last = f.Last.ToString(),
            Severity = SnakeCase.Of(f.Severity), f.Confidence, Proof = f.IsProof,
        }),
        Rung = SnakeCase.Of(v.Case.Rung), v.Case.Sentence, v.Case.Why, v.Case.PolicyDigest,
        Responses = v.Responses.Select(ResponseCommand.Json),
    };
}
