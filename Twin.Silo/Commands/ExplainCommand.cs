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
            var found = Find(fleet.Ledger, key, number);
            var view = await ActFlags.Find(fleet, key, cancel);
            // Where nothing was found but somebody wants something, there is no case in the ledger, only the request.
            if (found.Case is null && view is { } asked && (number == 0 || number == asked.Case.Number)
                && asked.Responses.Length > 0) found.Case = asked.Case;
            if (found.Case is not { } c)
                throw new ArgumentException($"There is no case {p.GetValue(id)}. "
                    + "'metertwin case list --all' lists them.");
            var responses = view is { } v && v.Case.Number == c.Number ? v.Responses : [.. found.Responses.Values];
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(Json(c, found.Decided, responses));
            else Print(c, found.Decided, responses);
            return Cli.Ok;
        }));
        return command;
    }

    /// <summary>Entries of a case that are read; a case has a handful a day.</summary>
    private const int MaxEntries = 10_000;

    private sealed class Found
    {
        public CaseSnapshot? Case;
        public (StoredEntry Entry, DecisionRecord Record)? Decided;
        public readonly SortedDictionary<int, ResponseRecord> Responses = [];
    }

    /// <summary>
    /// The last that the ledger has of a case: of the number given, or the newest. A decision about a command that
    /// somebody wanted explains that command; the case itself is explained by the last about itself.
    /// </summary>
    private static Found Find(ILedgerSource ledger, TwinKey key, int number)
    {
        var found = new Found();
        (StoredEntry, DecisionRecord)? last = null, wanted = null;
        var entries = ledger.EntriesOf(key, MaxEntries);
        if (entries.Count == MaxEntries)
            Cli.Message($"This case has {MaxEntries} entries or more: later ones are not read.");
        foreach (var e in entries)
        {
            if (e.Entry.Kind == LedgerKind.Decision)
            {
                var record = DecisionRecord.Read(e.Entry.Body);
                if (record.Facts.Wanted is null) last = (e, record);
                else wanted = (e, record);
            }
            else if (e.Entry.Kind is LedgerKind.Response or LedgerKind.Order)
            {
                var r = ResponseRecord.Read(e.Entry.Body);
                if (!r.IsUndo) found.Responses[r.Number] = r;
            }
            else if (e.Entry.Kind == LedgerKind.Case)
            {
                var c = CaseSnapshot.Read(e.Entry.Body);
                if (number == 0 || c.Number == number) (found.Case, found.Decided) = (c, last ?? wanted);
                // What was decided about the case before this one is not about this one.
                else if (c.Number < number) (last, wanted) = (null, null);
            }
        }
        if (found.Case is null) found.Decided = last ?? wanted;
        return found;
    }

    private static void Print(CaseSnapshot c, (StoredEntry Entry, DecisionRecord Record)? decided,
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
        foreach (var next in Next(d, responses)) Console.WriteLine("  " + next);
    }

    /// <summary>What happens if nobody does anything, and what waits for somebody.</summary>
    private static IEnumerable<string> Next(Decision d, IReadOnlyList<ResponseRecord> responses)
    {
        var any = false;
        foreach (var r in responses)
        {
            var next = r.State switch
            {
                ResponseState.Proposed when r.Approvals.Length < r.Needed =>
                    $"waits for {r.Needed - r.Approvals.Length} of {r.Needed} persons to approve it",
                ResponseState.Proposed => "goes to the guards with the next sweep",
                ResponseState.Authorised => $"goes out at {r.DueAt}, if policy and guards still agree",
                ResponseState.Executing => "waits for its outcome",
                ResponseState.Quarantined => "is held until people process or delete it",
                ResponseState.Done when r.ExpiresAt.Seconds != 0 => $"is taken back at {r.ExpiresAt}",
                _ => null,
            };
            if (next is null) continue;
            any = true;
            yield return $"{SnakeCase.Of(r.Rung)} {next}.";
        }
        if (d.ReviewAt.Seconds != 0) yield return $"The policy is asked again at {d.ReviewAt}.";
        else if (!any) yield return "Nothing by itself: a new finding or a person has the policy asked again.";
    }

    private static object Json(CaseSnapshot c, (StoredEntry Entry, DecisionRecord Record)? decided,
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
                Next = Next(record.Decision, responses),
            } : null,
            Responses = responses.Select(ResponseCommand.Json),
        };
}
