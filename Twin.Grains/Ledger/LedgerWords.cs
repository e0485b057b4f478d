using Twin.Grains.Cases;
using Twin.Hardware;

namespace Twin.Grains.Ledger;

/// <summary>Entries of the ledger in words, for lists and reports.</summary>
public static class LedgerWords
{
    /// <summary>What an entry records, and why it is so where it says that; in one sentence each.</summary>
    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static (string Text, string Why) Of(LedgerEntry entry)
    {
        switch (entry.Kind)
        {
            case LedgerKind.Report:
                var report = Report.Read(entry.Body);
                return report.Finding is { } f ? (f.Sentence, "")
                    : (report.Request!.Describe(), report.Request.Why);
            case LedgerKind.Decision:
                var d = DecisionRecord.Read(entry.Body).Decision;
                return ($"{SnakeCase.Of(d.Rung)}{(d.Rule.Length > 0 ? " by rule " + d.Rule : "")} of {d.PolicyName} "
                    + $"({d.PolicyDigest}){(d.Refused.Length > 0 ? ", refused: " + d.Refused : "")}",
                    $"{d.Why} Not milder: {d.WhyNotMilder} Not harsher: {d.WhyNotHarsher}");
            case LedgerKind.Case:
                var c = CaseSnapshot.Read(entry.Body);
                return ($"{SnakeCase.Of(c.Handling)}, {SnakeCase.Of(c.Condition)}: {c.Sentence}", c.Why);
            case LedgerKind.Response:
                var r = ResponseRecord.Read(entry.Body);
                return (ResponseWords.SentenceOf(r), r.Why);
            case LedgerKind.Order:
                return (ResponseWords.SentenceOf(ResponseRecord.Read(entry.Body)), "");
            case LedgerKind.Policy:
                var p = PolicyRecord.Read(entry.Body);
                return ($"policy {Policies.PolicyReader.DigestOf(p.Text)} decides from here on", "");
            default:
                return (Input.Read(entry.Body).Describe(), "");
        }
    }

    /// <summary>The word for what an entry records: <c>finding</c>, <c>request</c>, <c>decision</c>, …</summary>
    public static string KindOf(LedgerEntry entry) => entry.Kind == LedgerKind.Report
        ? Report.Read(entry.Body).Finding is null ? "request" : "finding" : SnakeCase.Of(entry.Kind);

    /// <summary>Who did it: a person, a gateway, or the policy; empty where the machine only notes.</summary>
    public static string WhoOf(LedgerEntry entry) => entry.Kind switch
    {
        LedgerKind.Report => Report.Read(entry.Body).Request?.By.Person ?? "",
        LedgerKind.Decision => "policy " + DecisionRecord.Read(entry.Body).Decision.PolicyName,
        LedgerKind.Act => Input.Read(entry.Body) is ResponseOutcome o ? o.Gateway
            : PeopleOf(entry).FirstOrDefault() ?? "",
        _ => "",
    };

    /// <summary>Persons who take part in what an entry records.</summary>
    public static IEnumerable<string> PeopleOf(LedgerEntry entry) => (entry.Kind switch
    {
        LedgerKind.Case => [CaseSnapshot.Read(entry.Body).Assignee],
        LedgerKind.Response => PeopleOf(ResponseRecord.Read(entry.Body)),
        LedgerKind.Act => Input.Read(entry.Body) switch
        {
            CaseAct a => [a.By.Person],
            ResponseAct a => [a.By.Person],
            CommandRequest a => [a.By.Person],
            PolicyActivation a => [a.By.Person],
            Suppression a => [a.By.Person],
            PlannedWork a => [a.By.Person, a.Owner],
            FreezeAct a => [a.By.Person],
            HolderSet a => [a.By.Person, a.Name],
            KeyIssued a => [a.By.Person, a.Holder],
            KeyRevoked a => [a.By.Person],
            AccessNoted a => [a.By.Person],
            _ => [],
        },
        _ => Enumerable.Empty<string>(),
    }).Where(p => p.Length > 0);

    private static IEnumerable<string> PeopleOf(ResponseRecord r) =>
        r.Approvals.Select(a => a.By.Person).Prepend(r.RequestedBy.Person);
}
