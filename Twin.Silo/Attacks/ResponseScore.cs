using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Attacks;

namespace Twin.Silo.Attacks;

/// <summary>One change of a response, as <c>--json</c> prints it. <paramref name="Automatic"/>: nobody asked for or
/// approved it.</summary>
public sealed record AttackResponse(string Subject, string Rung, string State, string At, bool Automatic, string Why);

/// <summary>What was done in a run: changes of responses with the time of each, and cases as they stood last.</summary>
public sealed record RunAnswers(IReadOnlyList<(UnixTime At, ResponseRecord Response)> Responses,
    IReadOnlyList<CaseSnapshot> Cases)
{
    public static RunAnswers Of(ILedgerSource ledger)
    {
        var responses = new List<(UnixTime, ResponseRecord)>();
        var cases = new SortedDictionary<(TwinKey, int), CaseSnapshot>();
        foreach (var (_, _, entry, _) in ledger.EntriesAfter(0))
        {
            if (entry.Kind == LedgerKind.Response) responses.Add((entry.At, ResponseRecord.Read(entry.Body)));
            else if (entry.Kind == LedgerKind.Case)
            {
                var snapshot = CaseSnapshot.Read(entry.Body);
                cases[(snapshot.Case, snapshot.Number)] = snapshot;
            }
        }
        return new RunAnswers(responses, [.. cases.Values]);
    }
}

/// <summary>
/// Responses of a run held against what the catalogue allows: strong enough in time on who is concerned, never stronger
/// than may come without a human, none on anybody else, a sentence for each case.
/// </summary>
public static class ResponseScore
{
    /// <summary>What was done too much or too little; empty when nothing.</summary>
    public static string Judge(Attack attack, StagedTruth truth, RunAnswers answers)
    {
        var taken = answers.Responses.Where(r => IsTaken(r.Response)).ToList();
        if (taken.Find(r => IsOnBystander(r.At, r.Response, truth)) is { Response: { } stranger } early)
            return $"{Name(stranger.Rung)} on {stranger.SubjectName}, "
                + (truth.IsBystander(stranger.Subject) ? "which has no part in it"
                    : $"at {early.At}, before it began at {truth.Since}");
        if (taken.Find(r => IsTooMuch(r.Response, attack, truth)) is
            { Response: { } most })
            return $"{Name(most.Rung)} on {most.SubjectName} is more than may come without a human";
        if (answers.Cases.FirstOrDefault(c => c.Sentence.Length == 0) is { } mute)
            return $"case {mute.Id} says nothing";
        return attack.Undetectable.Length > 0 ? "" : Lack(attack, truth, answers);
    }

    private static string Lack(Attack attack, StagedTruth truth, RunAnswers answers)
    {
        var (least, minutes) = (attack.Response.Sufficient, attack.Response.InForceMinutes);
        if (minutes == 0 || least == ResponseRung.Log) return "";
        var own = answers.Responses.Where(r => truth.IsSubject(r.Response.Subject)
            && RungInForce(r.Response) >= least).ToList();
        if (own.Count == 0) return $"no response of {Name(least)} or more";
        var first = own.Min(r => r.At.Seconds);
        return first - truth.Onset.Seconds <= 60L * minutes ? ""
            : $"{Name(least)} came after {AttackTable.Span(first - truth.Onset.Seconds)}, "
                + $"not within {AttackTable.Span(60L * minutes)}";
    }

    /// <summary>
    /// What holds from this change on; null when nothing does. A command that is held or refused at the gate was not
    /// written: to whoever asked for it writes are blocked.
    /// </summary>
    private static ResponseRung? RungInForce(ResponseRecord r) => r.State switch
    {
        ResponseState.Quarantined or ResponseState.Rejected when r.RequestedBy.Person.Length > 0
            && ResponseRungs.MovesLoad(r.Rung) => ResponseRung.BlockWrites,
        ResponseState.Done when r.Rung != ResponseRung.Reconnect => r.Rung,
        _ => null,
    };

    private static bool IsTaken(ResponseRecord r) => r.State is ResponseState.Executing or ResponseState.Done;

    private static bool IsAutomatic(ResponseRecord r) => r.RequestedBy.Person.Length == 0 && r.Approvals.Length == 0;

    /// <summary>
    /// People may be told of what was found, whatever is done besides; of what is nothing they are not.
    /// </summary>
    private static bool IsTooMuch(ResponseRecord r, Attack attack, StagedTruth truth) => IsAutomatic(r)
        && r.Rung > attack.Response.MostAutomatic && (r.Rung != ResponseRung.Notify
            || attack.Expected.IsSilence && truth.Meters.Contains(r.Subject));

    /// <summary>People may be told of anything; nothing may be done to whoever has no part in it.</summary>
    private static bool IsOnBystander(UnixTime at, ResponseRecord r, StagedTruth truth) => IsAutomatic(r)
        && r.Rung is not (ResponseRung.Log or ResponseRung.Notify)
        && (truth.IsBystander(r.Subject) || at.Seconds < truth.Since.Seconds);

    /// <summary>Each response once it was taken or held, in order.</summary>
    public static IReadOnlyList<AttackResponse> Shown(RunAnswers answers) => [.. answers.Responses
        .Where(r => r.Response.State is ResponseState.Done or ResponseState.Failed or ResponseState.Quarantined
            or ResponseState.Rejected or ResponseState.Undone or ResponseState.Expired)
        .Select(r => new AttackResponse(r.Response.SubjectName, Name(r.Response.Rung),
            r.Response.State.ToString().ToLowerInvariant(), r.At.ToString(), IsAutomatic(r.Response),
            r.Response.Reason.Length > 0 ? r.Response.Reason : r.Response.Why))];

    private static string Name(ResponseRung rung) => AttackTable.RungName(rung);
}
