using System.CommandLine;
using System.Globalization;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin policy explain</c>: why what is done about a case is done, and nothing else.</summary>
internal static class ExplainCommand
{
    public static Command Make()
    {
        var flags = new ActFlags();
        var id = new Argument<string>("case") { Description = "the case's id, as 'metertwin case list' shows it" };
        var command = new Command("explain", "Say why a case is answered as it is: facts, rule, harms, guards.")
        {
            id, flags.Data, Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var (key, number) = ActFlags.CaseOf(p.GetValue(id)!);
            await using var fleet = flags.Open(p);
            var found = CaseHistory.Of(fleet.Ledger, key, number);
            if (found.Entries.Count == CaseHistory.MaxEntries)
                Cli.Message($"This case has {CaseHistory.MaxEntries} entries or more: later ones are not read.");
            var view = await ActFlags.Find(fleet, key, cancel);
            // Where nothing was found but somebody wants something, there is no case in the ledger, only the request.
            var asked = view is { Responses.Length: > 0 } && (number == 0 || number == view.Case.Number);
            if ((found.Case ?? (asked ? view!.Case : null)) is not { } c)
                throw new ArgumentException($"There is no case {p.GetValue(id)}. "
                    + "'metertwin case list --all' lists them.");
            var responses = view is { } v && v.Case.Number == c.Number ? v.Responses : found.Responses;
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(Json(c, found.Decided, responses));
            else Print(c, found.Decided, responses);
            return Cli.Ok;
        }));
        return command;
    }

    private static void Print(CaseSnapshot c, DecidedEntry? decided,
        IReadOnlyList<ResponseRecord> responses)
    {
        Console.WriteLine($"{c.Id}  {c.SubjectName}");
        if (c.Sentence.Length > 0) Console.WriteLine(c.Sentence);
        if (decided is not var (entry, record))
        {
            Console.WriteLine("The ledger has no decision about it yet: it comes with the next sweep.");
            return;
        }
        var (f, d) = (record.Facts, record.Decision);
        Console.WriteLine($"Decided at {f.Now} by policy {d.PolicyName} ({d.PolicyDigest[..12]}), ledger entry "
            + $"{entry.Number}:");
        Console.WriteLine($"  {SnakeCase.Of(d.Rung)}{(d.Rule.Length > 0 ? $" by rule '{d.Rule}'" : "")}: {d.Why}");
        if (d.Refused.Length > 0) Console.WriteLine($"  refused: {d.Refused}");
        if (d.WhyNotMilder.Length > 0) Console.WriteLine($"  not milder: {d.WhyNotMilder}");
        if (d.WhyNotHarsher.Length > 0) Console.WriteLine($"  not harsher: {d.WhyNotHarsher}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  harm in minutes without supply of one ordinary customer: acting {d.HarmOfActing:0.##}, not acting "
                + $"{d.HarmOfNotActing:0.##}, prevented {d.HarmPrevented:0.##}"));
        Console.WriteLine("It was decided from:");
        if (f.Wanted is { } wanted)
            Console.WriteLine($"  {SnakeCase.Of(wanted)} was asked for by {f.WantedBy.Person}, "
                + (f.Order.Length > 0 ? $"order {f.Order}" : "without an order"));
        foreach (var finding in f.Findings)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {Finding.NameOf(finding.Kind)}: {finding.Count} from {finding.First} to {finding.Last}, "
                    + $"{SnakeCase.Of(finding.Severity)}, confidence {finding.Confidence:0.00}, by "
                    + $"{(finding.IsProof ? "specification" : "statistics")}"));
        Console.WriteLine($"  customer {SnakeCase.Of(f.Context.Category)}"
            + (f.Cause.Length > 0 ? $", cause {f.Cause}" : "") + (f.Members > 1 ? $", {f.Members} members" : "")
            + (f.Confirmed ? ", confirmed by a person" : "")
            + (f.ConfirmedDangerous ? ", confirmed as dangerous" : ""));
        foreach (var s in f.Steps)
            Console.WriteLine($"  tried: {SnakeCase.Of(s.Rung)} is {SnakeCase.Of(s.State)} since {s.Since}");
        if (responses.Count > 0) Console.WriteLine("What came of it:");
        foreach (var r in responses)
        {
            Console.WriteLine("  " + ResponseCommand.Line(r));
            foreach (var a in r.Approvals) Console.WriteLine($"    approved by {a.By.Person} at {a.At}");
        }
        Console.WriteLine("What comes next:");
        foreach (var next in CaseHistory.Next(d, responses)) Console.WriteLine("  " + next);
    }

    private static object Json(CaseSnapshot c, DecidedEntry? decided,
        IReadOnlyList<ResponseRecord> responses) => new
        {
            c.Id, Subject = c.SubjectName, c.Sentence,
            Decision = decided is var (entry, record) ? new
            {
                Entry = entry.Number, At = record.Facts.Now.ToString(), Policy = record.Decision.PolicyName,
                record.Decision.PolicyDigest, Rung = SnakeCase.Of(record.Decision.Rung), record.Decision.Rule,
                record.Decision.Why, record.Decision.WhyNotMilder, record.Decision.WhyNotHarsher,
                record.Decision.Refused, record.Decision.HarmOfActing, record.Decision.HarmOfNotActing,
                record.Decision.HarmPrevented, record.Decision.Approvals,
                Category = SnakeCase.Of(record.Facts.Context.Category), record.Facts.Cause,
                record.Facts.Confirmed, record.Facts.ConfirmedDangerous,
                Findings = record.Facts.Findings.Select(f => new
                {
                    Kind = Finding.NameOf(f.Kind), f.Count, First = f.First.ToString(), Last = f.Last.ToString(),
                    Severity = SnakeCase.Of(f.Severity), f.Confidence, Proof = f.IsProof,
                }),
                Steps = record.Facts.Steps.Select(s => new
                {
                    Rung = SnakeCase.Of(s.Rung), State = SnakeCase.Of(s.State), Since = s.Since.ToString(),
                }),
                Next = CaseHistory.Next(record.Decision, responses),
            } : null,
            Responses = responses.Select(ResponseCommand.Json),
        };
}
