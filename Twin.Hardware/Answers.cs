namespace Twin.Hardware;

// The words of what is done about findings: desks, cases, responses. Numbers are stored for decades: never reuse one.

/// <summary>Who handles a case.</summary>
public enum Desk : byte { Security = 1, RevenueProtection = 2, MeteringFaults = 3, Grid = 4 }

/// <summary>The machine's axis of a case: whether what it is about still goes on.</summary>
public enum CaseCondition : byte { Ongoing = 1, Ended = 2, NoData = 3 }

/// <summary>The analyst's axis of a case.</summary>
public enum CaseHandling : byte { New = 1, Acknowledged = 2, InProgress = 3, Resolved = 4 }

/// <summary>Why a case was resolved; <see cref="None"/> while it is not.</summary>
public enum Disposition : byte { None = 0, True = 1, Benign = 2, False = 3, Duplicate = 4, Maintenance = 5 }

/// <summary>What somebody does with a case.</summary>
public enum CaseActKind : byte
{
    Acknowledge = 1, Assign = 2, Comment = 3, Resolve = 4, Reopen = 5, Escalate = 6,
    /// <summary>A person on site or a test confirms the condition that the case claims, as dangerous where so said.
    /// </summary>
    Confirm = 7, ConfirmDangerous = 8,
}

/// <summary>
/// proposed → authorised → executing → done or failed → undone or expired. A proposed one may also be quarantined,
/// rejected or cancelled.
/// </summary>
public enum ResponseState : byte
{
    Proposed = 1, Authorised = 2, Executing = 3, Done = 4, Failed = 5, Undone = 6, Expired = 7, Rejected = 8,
    Cancelled = 9, Quarantined = 10,
}

/// <summary>What somebody does with a response.</summary>
public enum ResponseActKind : byte
{
    Propose = 1, Approve = 2, Reject = 3, Cancel = 4, Undo = 5,
    /// <summary>Lets a quarantined one go on; it is judged anew.</summary>
    Process = 6,
    /// <summary>Deletes a quarantined one.</summary>
    Delete = 7,
    /// <summary>Puts what is pending into quarantine: a backup was restored.</summary>
    Quarantine = 8,
}

/// <summary>
/// Who holds a response up. What the suspect part itself would have to obey contains nothing (DESIGN, Policy).
/// </summary>
public enum Enforcer : byte
{
    None = 0, HeadEnd = 1, Concentrator = 2, MetrologyCore = 3, ApplicationCore = 4, Person = 5, Gate = 6,
}

/// <summary>What became of an order to the gateway.</summary>
public enum ResponseResult : byte { Accepted = 1, Done = 2, Failed = 3, Refused = 4 }

/// <summary>The commands that a guard may hold: what moves load, and what does not.</summary>
public static class ResponseRungs
{
    /// <summary>True for a rung that changes what the customer can use.</summary>
    public static bool MovesLoad(ResponseRung rung) => rung is ResponseRung.LimitLoad or ResponseRung.Disconnect
        or ResponseRung.Reconnect;

    /// <summary>True for a rung that sends at least one command or changes a path.</summary>
    public static bool IsCommand(ResponseRung rung) => rung is not (ResponseRung.Log or ResponseRung.Notify);
}
