using System.Globalization;
using System.Security.Cryptography;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Api;

/// <summary>
/// One case of a list. <paramref name="Pending"/>: responses that wait for people; null in the past.
/// <paramref name="Region"/>: of its subject; empty when not known. <paramref name="Etag"/>: changes whenever the case
/// or a response of it does.
/// </summary>
internal record CaseItem(string Id, int Number, string Subject, string SubjectName, Desk Desk, CaseVerdict Verdict,
    string Covered, CaseCondition Condition, CaseHandling Handling, Disposition Disposition, Severity Severity,
    double Confidence, string Assignee, string Cause, string Sentence, UnixTime From, UnixTime To, UnixTime? AwareAt,
    UnixTime ChangedAt, int FindingCount, int Members, IReadOnlyList<string> Techniques, ResponseRung Rung,
    int? Pending, string Region, string Feeder, string Link, string Etag)
{
    public static CaseItem Of(ListedCase row, bool isPast)
    {
        var c = row.Case;
        return new CaseItem(c.Id, c.Number, c.Subject.ToString(), c.SubjectName, c.Desk, c.Verdict, c.Covered,
            c.Condition, c.Handling, c.Disposition, c.Severity, c.Confidence, c.Assignee, c.Cause, c.Sentence, c.From,
            c.To, ResponseItem.TimeOf(c.AwareAt), c.ChangedAt, c.FindingCount, c.Members, c.Techniques, c.Rung,
            isPast ? null : row.Responses.Count(ResponseItem.Waits), row.Region, row.Feeder,
            $"{CasesApi.Path}/{c.Id}", CaseTag.Of(c, row.Responses));
    }
}

/// <summary>The tag of a case with its responses (RFC 9110, 8.8.3).</summary>
internal static class CaseTag
{
    public static string Of(CaseSnapshot c, IReadOnlyList<ResponseRecord> responses)
    {
        var to = new ByteWriter(1_024);
        c.Write(to);
        foreach (var r in responses) r.Write(to);
        return Of(to.Written);
    }

    public static string Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(bytes, hash);
        return Convert.ToHexStringLower(hash[..8]);
    }
}

/// <summary>An approval of a response.</summary>
internal sealed record ApprovalView(string By, UnixTime At);

/// <summary>
/// A response. <paramref name="Id"/>: case and number; <paramref name="Watts"/>: load that it moves;
/// <paramref name="Needed"/>: distinct persons who must approve; <paramref name="May"/>: acts that its state allows.
/// </summary>
internal sealed record ResponseItem(string Id, string Case, int Number, string Subject, string SubjectName,
    ResponseRung Rung, Enforcer Enforcer, ResponseState State, string RequestedBy, string Request, string Order,
    string Why, string Reason, long Watts, int Needed, IReadOnlyList<ApprovalView> Approvals, UnixTime? ProposedAt,
    UnixTime? DueAt, UnixTime? OrderedAt, UnixTime? EndedAt, UnixTime? ExpiresAt, ResponseRung? UndoBy, bool IsUndo,
    string Sentence, IReadOnlyList<string> May)
{
    public static ResponseItem Of(ResponseRecord r)
    {
        var key = r.Case.Id.ToString("x16", CultureInfo.InvariantCulture);
        return new ResponseItem(string.Create(CultureInfo.InvariantCulture, $"{key}/{r.Number}"), key, r.Number,
            r.Subject.ToString(), r.SubjectName, r.Rung, r.Enforcer, r.State, r.RequestedBy.Person ?? "", r.Request,
            r.Order, r.Why, r.Reason, r.Watts, r.Needed,
            [.. r.Approvals.Select(a => new ApprovalView(a.By.Person, a.At))], TimeOf(r.ProposedAt), TimeOf(r.DueAt),
            TimeOf(r.OrderedAt), TimeOf(r.EndedAt), TimeOf(r.ExpiresAt), r.UndoBy, r.IsUndo,
            ResponseWords.SentenceOf(r), [.. MayOf(r).Select(SnakeCase.Of)]);
    }

    /// <summary>Second 0 stands for no time.</summary>
    public static UnixTime? TimeOf(UnixTime at) => at.Seconds == 0 ? null : at;

    public static bool Waits(ResponseRecord r) => r.State == ResponseState.Quarantined
        || r.State == ResponseState.Proposed && r.Approvals.Length < r.Needed;

    private static ResponseActKind[] MayOf(ResponseRecord r) => r.State switch
    {
        ResponseState.Proposed when r.Approvals.Length < r.Needed =>
            [ResponseActKind.Approve, ResponseActKind.Reject, ResponseActKind.Cancel],
        ResponseState.Proposed => [ResponseActKind.Reject, ResponseActKind.Cancel],
        ResponseState.Authorised => [ResponseActKind.Cancel],
        ResponseState.Quarantined => [ResponseActKind.Process, ResponseActKind.Delete, ResponseActKind.Cancel],
        ResponseState.Executing or ResponseState.Done when r.Rung is not (ResponseRung.Notify or ResponseRung.Reattest
            or ResponseRung.RotateKeys) => [ResponseActKind.Undo],
        _ => [],
    };
}

/// <summary>An entry of the ledger in words. <paramref name="Who"/>: empty where the machine only notes.</summary>
internal sealed record TimelineEntry(long Number, UnixTime At, string Kind, string Who, string Text, string Why)
{
    public static TimelineEntry Of(StoredEntry entry)
    {
        var (text, why) = LedgerWords.Of(entry.Entry);
        return new TimelineEntry(entry.Number, entry.Entry.At, LedgerWords.KindOf(entry.Entry),
            LedgerWords.WhoOf(entry.Entry), text, why);
    }
}

/// <summary>Why another rung was not chosen; <paramref name="Rung"/> null where the reason is about none.</summary>
internal sealed record RungView(ResponseRung? Rung, string Reason);

/// <summary>
/// The last decision about a case. Harm in minutes without supply of one ordinary customer. <paramref name="Next"/>:
/// what happens if nobody does anything.
/// </summary>
internal sealed record DecisionView(long Entry, UnixTime At, string Policy, string PolicyDigest, ResponseRung Rung,
    string Rule, string Why, string Refused, IReadOnlyList<RungView> Milder, IReadOnlyList<RungView> Harsher,
    double HarmOfActing, double HarmOfNotActing, double HarmPrevented, int Approvals, IReadOnlyList<string> Next)
{
    public static DecisionView? Of(DecidedEntry? decided, IReadOnlyList<ResponseRecord> responses)
    {
        if (decided is not var (entry, record)) return null;
        var d = record.Decision;
        return new DecisionView(entry.Number, record.Facts.Now, d.PolicyName, d.PolicyDigest, d.Rung, d.Rule, d.Why,
            d.Refused, Reasons(d.WhyNotMilder), Reasons(d.WhyNotHarsher), d.HarmOfActing, d.HarmOfNotActing,
            d.HarmPrevented, d.Approvals, [.. CaseHistory.Next(d, responses)]);
    }

    private static RungView[] Reasons(string text) =>
        [.. CaseHistory.Reasons(text).Select(r => new RungView(r.Rung, r.Reason))];
}

/// <summary>A note on a case.</summary>
internal sealed record CommentView(long Number, UnixTime At, string By, string Text);

/// <summary>A case of the same kind that people have resolved.</summary>
internal sealed record SimilarCase(string Id, string Sentence, Disposition Disposition, UnixTime ChangedAt);

/// <summary>A case with all that is known of it.</summary>
internal sealed record CaseDetail : CaseItem
{
    public CaseDetail(CaseItem item) : base(item)
    {
    }

    public required UnixTime? KnownAt { get; init; }
    public required string Why { get; init; }
    public required string PolicyDigest { get; init; }
    public required IReadOnlyList<FindingView> Findings { get; init; }
    public required IReadOnlyList<string> CounterEvidence { get; init; }
    public required IReadOnlyList<ResponseItem> Responses { get; init; }
    public required DecisionView? Decision { get; init; }
    public required IReadOnlyList<TimelineEntry> Timeline { get; init; }
    public required IReadOnlyList<CommentView> Comments { get; init; }
    public required IReadOnlyList<SimilarCase> Similar { get; init; }
}
