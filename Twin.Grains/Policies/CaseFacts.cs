using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Policies;

/// <summary>
/// One kind of finding in a case, as a policy sees it. <paramref name="IsProof"/>: cryptographic or by specification,
/// not by statistics. <paramref name="Origin"/>: what the finding says of who did it, empty when nothing.
/// </summary>
public readonly record struct FindingFact(FindingKind Kind, Severity Severity, double Confidence, UnixTime First,
    UnixTime Last, int Count, bool IsProof)
{
    public void Write(ByteWriter to)
    {
        to.Byte((byte)Kind);
        to.Byte((byte)Severity);
        to.Double(Confidence);
        to.VarInt(First.Seconds);
        to.VarInt(Last.Seconds);
        to.VarUInt((ulong)Count);
        to.Bool(IsProof);
    }

    public static FindingFact Read(ref ByteReader r) => new((FindingKind)r.Byte(),
        (Severity)r.Byte((int)Severity.Info, (int)Severity.Critical), r.Double(), Input.ReadTime(ref r),
        Input.ReadTime(ref r), r.Count(int.MaxValue), r.Bool());
}

/// <summary>A response that the case has or had: the mildest first were tried first.</summary>
public readonly record struct StepFact(ResponseRung Rung, ResponseState State, Enforcer Enforcer, UnixTime Since)
{
    public void Write(ByteWriter to)
    {
        to.Byte((byte)Rung);
        to.Byte((byte)State);
        to.Byte((byte)Enforcer);
        to.VarInt(Since.Seconds);
    }

    public static StepFact Read(ref ByteReader r) => new((ResponseRung)r.Byte(0, (int)ResponseRung.Reconnect),
        (ResponseState)r.Byte((int)ResponseState.Proposed, (int)ResponseState.Quarantined),
        (Enforcer)r.Byte(0, (int)Enforcer.Gate), Input.ReadTime(ref r));
}

/// <summary>
/// All that a decision is made of, and nothing else: findings, context, what was tried, what people confirmed. The same
/// facts under the same policy give the same decision, today and when the ledger is checked in twenty years.
/// <paramref name="Wanted"/>: the rung that a person or a request asks for; null when the policy is to choose.
/// <paramref name="Members"/>: subjects of a group; 1 otherwise. <paramref name="RequestsInHour"/>: switch commands
/// asked for this meter within the last hour, this one included.
/// </summary>
public sealed record CaseFacts(TwinKey Case, TwinKey Subject, Desk Desk, UnixTime Now, string Cause,
    FindingFact[] Findings, StepFact[] Steps, SubjectContext Context, bool Confirmed, bool ConfirmedDangerous,
    ResponseRung? Wanted, Actor WantedBy, string Order, int Members, int RequestsInHour)
{
    private const byte Version = 1;
    public const int MaxFindings = 32, MaxSteps = 32;

    public void Write(ByteWriter to)
    {
        to.Byte(Version);
        WriteKey(to, Case);
        WriteKey(to, Subject);
        to.Byte((byte)Desk);
        to.VarInt(Now.Seconds);
        to.Text(Cause);
        to.VarUInt((ulong)Findings.Length);
        foreach (var f in Findings) f.Write(to);
        to.VarUInt((ulong)Steps.Length);
        foreach (var s in Steps) s.Write(to);
        Context.Write(to);
        to.Bool(Confirmed);
        to.Bool(ConfirmedDangerous);
        to.Bool(Wanted is not null);
        to.Byte((byte)(Wanted ?? 0));
        WantedBy.Write(to);
        to.Text(Order);
        to.VarUInt((ulong)Members);
        to.VarUInt((ulong)RequestsInHour);
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static CaseFacts Read(ref ByteReader r)
    {
        if (r.Byte() is not Version and var version)
            throw r.Bad($"facts of a case have version {version}, this MeterTwin knows {Version}");
        var (key, subject) = (ReadKey(ref r), ReadKey(ref r));
        var (desk, now, cause) = ((Desk)r.Byte((int)Desk.Security, (int)Desk.Grid), Input.ReadTime(ref r), r.Text());
        var findings = new FindingFact[r.Count(MaxFindings)];
        for (var i = 0; i < findings.Length; i++) findings[i] = FindingFact.Read(ref r);
        var steps = new StepFact[r.Count(MaxSteps)];
        for (var i = 0; i < steps.Length; i++) steps[i] = StepFact.Read(ref r);
        var (context, confirmed, dangerous) = (SubjectContext.Read(ref r), r.Bool(), r.Bool());
        var (isWanted, wanted) = (r.Bool(), (ResponseRung)r.Byte(0, (int)ResponseRung.Reconnect));
        return new CaseFacts(key, subject, desk, now, cause, findings, steps, context, confirmed, dangerous,
            isWanted ? wanted : null, Actor.Read(ref r), r.Text(), r.Count(int.MaxValue), r.Count(int.MaxValue));
    }

    internal static void WriteKey(ByteWriter to, TwinKey key)
    {
        to.Byte((byte)key.Kind);
        to.UInt64(key.Id);
    }

    internal static TwinKey ReadKey(ref ByteReader r) => new((TwinKind)r.Byte(1, byte.MaxValue), r.UInt64());
}

/// <summary>
/// One level of a budget: most commands and most watts moved within 5 minutes, an hour and a day. −1: not bounded.
/// </summary>
public readonly record struct Budget(int Commands5, int CommandsHour, int CommandsDay, long Watts5, long WattsHour,
    long WattsDay)
{
    public void Write(ByteWriter to)
    {
        foreach (var n in (ReadOnlySpan<long>)[Commands5, CommandsHour, CommandsDay, Watts5, WattsHour, WattsDay])
            to.VarInt(n);
    }

    public static Budget Read(ref ByteReader r) => new(r.Int(), r.Int(), r.Int(), r.VarInt(), r.VarInt(), r.VarInt());
}

/// <summary>
/// The budgets of the policy in force, by level; and by how much time may jump forward between two sweeps, s, before
/// guards take it for a wrong clock and give nothing back for it.
/// </summary>
public sealed record GuardLimits(Budget Feeder, Budget Region, Budget Fleet, int ClockJumpSeconds)
{
    /// <summary>Most meters that may be read through a part that is isolated. −1: not bounded.</summary>
    public int MaxBehind { get; init; } = -1;

    /// <summary>
    /// Share of the fleet's budget that one person or service may use before persons have said process, 1 to 100.
    /// </summary>
    public int AccountPercent { get; init; } = 50;

    /// <summary>What a meter counts for whose load is not known, W: not nothing.</summary>
    public int UnknownWatts { get; init; } = 3_000;

    public void Write(ByteWriter to)
    {
        Feeder.Write(to);
        Region.Write(to);
        Fleet.Write(to);
        to.VarUInt((ulong)ClockJumpSeconds);
        to.VarInt(MaxBehind);
        to.Byte((byte)Math.Clamp(AccountPercent, 1, 100));
        to.VarUInt((ulong)UnknownWatts);
    }

    public static GuardLimits Read(ref ByteReader r) => new(Budget.Read(ref r), Budget.Read(ref r),
        Budget.Read(ref r), r.Count(int.MaxValue))
    {
        MaxBehind = r.Int(), AccountPercent = r.Byte(1, 100), UnknownWatts = r.Count(int.MaxValue),
    };
}

/// <summary>What the policy does with the case as a whole.</summary>
public enum CaseVerdict : byte
{
    /// <summary>It is a case of its desk.</summary>
    Open = 1,
    /// <summary>Recorded, not worth a case: the rung is Log.</summary>
    LogOnly = 2,
    /// <summary>A suppression covers it.</summary>
    Suppressed = 3,
    /// <summary>Planned work explains it.</summary>
    Planned = 4,
}

/// <summary>
/// The answer of the policy to the facts of a case. <paramref name="Rung"/>: the strongest that is to be in force now,
/// Log for none; milder ones that were taken stay. <paramref name="Refused"/>: why what was wanted may not be, empty
/// when it may or nothing was wanted. <paramref name="Approvals"/>: distinct persons who must approve first.
/// <paramref name="MeanDelaySeconds"/>: mean of the geometric delay, 0 for none. <paramref name="WindowFrom"/>: not
/// before this time (calendar and weather). <paramref name="ReviewAt"/>: when to ask again though nothing new came;
/// second 0: not. <paramref name="HoldAll"/>: the freeze is on.
/// </summary>
public sealed record Decision(CaseVerdict Verdict, string Covered, ResponseRung Rung, Enforcer Enforcer,
    int Approvals, int MeanDelaySeconds, UnixTime WindowFrom, int ExpirySeconds, ResponseRung? UndoBy, string Refused,
    string Rule, string Why, string WhyNotMilder, string WhyNotHarsher, double HarmOfActing, double HarmOfNotActing,
    double HarmPrevented, UnixTime ReviewAt, bool HoldAll, string PolicyName, string PolicyDigest, GuardLimits Limits,
    int StormSize, int DeskBudget)
{
    private const byte Version = 1;

    public void Write(ByteWriter to)
    {
        to.Byte(Version);
        to.Byte((byte)Verdict);
        to.Text(Covered);
        to.Byte((byte)Rung);
        to.Byte((byte)Enforcer);
        to.VarUInt((ulong)Approvals);
        to.VarUInt((ulong)MeanDelaySeconds);
        to.VarInt(WindowFrom.Seconds);
        to.VarUInt((ulong)ExpirySeconds);
        to.Byte((byte)(UndoBy ?? 0));
        to.Bool(UndoBy is not null);
        foreach (var text in (ReadOnlySpan<string>)[Refused, Rule, Why, WhyNotMilder, WhyNotHarsher]) to.Text(text);
        to.Double(HarmOfActing);
        to.Double(HarmOfNotActing);
        to.Double(HarmPrevented);
        to.VarInt(ReviewAt.Seconds);
        to.Bool(HoldAll);
        to.Text(PolicyName);
        to.Text(PolicyDigest);
        Limits.Write(to);
        to.VarUInt((ulong)StormSize);
        to.VarInt(DeskBudget);
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static Decision Read(ref ByteReader r)
    {
        if (r.Byte() is not Version and var version)
            throw r.Bad($"a decision has version {version}, this MeterTwin knows {Version}");
        var (verdict, covered) = ((CaseVerdict)r.Byte((int)CaseVerdict.Open, (int)CaseVerdict.Planned), r.Text());
        var (rung, enforcer) = ((ResponseRung)r.Byte(0, (int)ResponseRung.Reconnect),
            (Enforcer)r.Byte(0, (int)Enforcer.Gate));
        var (approvals, delay, window) = (r.Count(int.MaxValue), r.Count(int.MaxValue), Input.ReadTime(ref r));
        var (expiry, undo, hasUndo) = (r.Count(int.MaxValue), (ResponseRung)r.Byte(0, (int)ResponseRung.Reconnect),
            r.Bool());
        return new Decision(verdict, covered, rung, enforcer, approvals, delay, window, expiry, hasUndo ? undo : null,
            r.Text(), r.Text(), r.Text(), r.Text(), r.Text(), r.Double(), r.Double(), r.Double(),
            Input.ReadTime(ref r), r.Bool(), r.Text(), r.Text(), GuardLimits.Read(ref r), r.Count(int.MaxValue),
            r.Int());
    }
}
