using System.Globalization;
using Twin.Hardware;

namespace Twin.Grains.Cases;

/// <summary>What cases say, in words.</summary>
internal static class CaseSentences
{
    /// <summary>Raised when cases state findings differently; stored with each.</summary>
    private const int DetectorVersion = 1;
    private const string Detector = "cases";

    /// <summary>What is done about it, behind the sentence that says what happened.</summary>
    public static string Done(CaseFile file, IReadOnlyList<LiveResponse> responses)
    {
        var done = Taken(file, responses);
        return file is { Escalated: true, Handling: CaseHandling.New }
            ? $"{done} Escalated: nobody has acknowledged it." : done;
    }

    private static string Taken(CaseFile file, IReadOnlyList<LiveResponse> responses)
    {
        if (file.Verdict == Policies.CaseVerdict.Suppressed) return $"Suppressed by {file.Covered}.";
        if (file.Verdict == Policies.CaseVerdict.Planned) return $"Expected by planned work {file.Covered}.";
        LiveResponse? strongest = null;
        foreach (var r in responses)
            if (r.IsLive && (strongest is null || r.Record.Rung >= strongest.Record.Rung)) strongest = r;
        if (strongest is null) return file.Why;
        var why = file.Why.Length > 0 ? file.Why : strongest.Record.Why;
        return $"{NameOf(strongest.Record.Rung)} {StateOf(strongest.Record)}" + (why.Length > 0 ? $": {why}" : ".");
    }

    private static string StateOf(ResponseRecord r) => r.State switch
    {
        ResponseState.Proposed when r.Approvals.Length < r.Needed => string.Create(CultureInfo.InvariantCulture,
            $"waits for {r.Needed - r.Approvals.Length} more person{(r.Needed - r.Approvals.Length == 1 ? "" : "s")}"),
        ResponseState.Proposed => "is proposed",
        ResponseState.Authorised => $"goes out at {r.DueAt}",
        ResponseState.Executing => "is on its way",
        ResponseState.Done when r.ExpiresAt.Seconds != 0 => $"is in force until {r.ExpiresAt}",
        ResponseState.Done => "is done",
        _ => $"is held ({r.Reason})",
    };

    /// <summary>The rung as people write it: <c>Isolate communications</c>.</summary>
    public static string NameOf(ResponseRung rung) => rung switch
    {
        ResponseRung.Log => "Log",
        ResponseRung.RaiseSampling => "Raise sampling",
        ResponseRung.Reattest => "Re-attest",
        ResponseRung.Notify => "Notify",
        ResponseRung.RotateKeys => "Rotate keys",
        ResponseRung.BlockWrites => "Block writes",
        ResponseRung.IsolateCommunications => "Isolate communications",
        ResponseRung.LimitLoad => "Limit load",
        ResponseRung.Disconnect => "Disconnect",
        _ => "Reconnect",
    };

    public static string Group(string name, DeskEntry member, CaseFile file) => string.Create(
        CultureInfo.InvariantCulture,
        $"{file.Members} subjects have {Finding.NameOf(member.Kind)} in common ({name}), ")
        + $"{member.SubjectName} the last.";

    public static string NoOrder(int persons) => string.Create(CultureInfo.InvariantCulture,
        $"no work order in force covers it: {persons} person{(persons == 1 ? "" : "s")} must say process, or delete");

    public static string Rhythm(string name, int requests) => string.Create(CultureInfo.InvariantCulture,
        $"{name} was asked to switch {requests} times within an hour: what would swing the grid is held.");

    /// <summary>No outcome came, or the undoing failed.</summary>
    public static Finding Unconfirmed(TwinKey subject, string name, ResponseRecord r, UnixTime now) => new(subject,
        name, FindingKind.ResponseUnconfirmed, r.OrderedAt.Seconds <= now.Seconds ? r.OrderedAt : now, now, now, 2,
        ResponseRungs.MovesLoad(r.Rung) ? Severity.High : Severity.Medium, 1, Detector, DetectorVersion, "",
        r.IsUndo ? $"{NameOf(r.Rung)} on {name} could not be taken back; look whether it still holds."
            : $"{NameOf(r.Rung)} on {name} was ordered at {r.OrderedAt} and no outcome arrived; "
                + "find out whether it holds.",
        [new Evidence("minutes_without_outcome", Math.Max(0, now.Seconds - r.OrderedAt.Seconds) / 60.0,
            CaseTwin.OutcomeSeconds / 60.0, 1, "min")], []);

    /// <summary>A gateway tells of something that was never ordered: a backup was restored, or somebody else orders.
    /// </summary>
    public static Finding Unknown(TwinKey subject, string name, ResponseOutcome outcome) => new(subject, name,
        FindingKind.ResponseUnknown, outcome.At, outcome.At, outcome.At, 3, Severity.High, 1, Detector,
        DetectorVersion, "T0855",
        string.Create(CultureInfo.InvariantCulture,
            $"{outcome.Gateway} tells of response {outcome.Response} on {name}, which was never ordered."),
        [new Evidence("response", outcome.Response, 0, 1, "")], []);
}
