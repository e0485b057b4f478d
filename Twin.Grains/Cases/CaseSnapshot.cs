using System.Globalization;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Cases;

/// <summary>One approval: who, with which credential, when.</summary>
public readonly record struct Approval(Actor By, UnixTime At);

/// <summary>
/// A response as it stands. <paramref name="Number"/> counts within its case. <paramref name="RequestedBy"/>: the
/// person, service or request that wanted it; empty person when the policy chose it.
/// </summary>
public sealed record ResponseRecord(TwinKey Case, int Number, TwinKey Subject, string SubjectName, ResponseRung Rung,
    Enforcer Enforcer, ResponseState State, Actor RequestedBy, string Request, string Order, long Watts, int Needed,
    Approval[] Approvals, UnixTime ProposedAt, UnixTime DueAt, UnixTime OrderedAt, UnixTime EndedAt,
    UnixTime ExpiresAt, ResponseRung? UndoBy, bool IsUndo, string Why, string Reason)
{
    private const byte Version = 1;
    public const int MaxApprovals = 8;

    /// <summary>
    /// The name under which the gateway knows it, the same however often it is sent: case, number, when it was
    /// proposed, and whether it is the undoing. Numbers may come again after a backup was restored; the time does not.
    /// </summary>
    public string IdempotencyKey => string.Create(CultureInfo.InvariantCulture,
        $"{Case.Id:x16}-{Number}-{ProposedAt.Seconds:x}{(IsUndo ? "u" : "")}");

    public void Write(ByteWriter to)
    {
        to.Byte(Version);
        CaseFacts.WriteKey(to, Case);
        to.VarUInt((ulong)Number);
        CaseFacts.WriteKey(to, Subject);
        to.Text(SubjectName);
        to.Byte((byte)Rung);
        to.Byte((byte)Enforcer);
        to.Byte((byte)State);
        RequestedBy.Write(to);
        to.Text(Request);
        to.Text(Order);
        to.VarUInt((ulong)Watts);
        to.VarUInt((ulong)Needed);
        to.VarUInt((ulong)Approvals.Length);
        foreach (var a in Approvals)
        {
            a.By.Write(to);
            to.VarInt(a.At.Seconds);
        }
        foreach (var time in (ReadOnlySpan<UnixTime>)[ProposedAt, DueAt, OrderedAt, EndedAt, ExpiresAt])
            to.VarInt(time.Seconds);
        to.Bool(UndoBy is not null);
        to.Byte((byte)(UndoBy ?? 0));
        to.Bool(IsUndo);
        to.Text(Why);
        to.Text(Reason);
    }

    /// <summary>One that is all there is, as the ledger has it.</summary>
    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static ResponseRecord Read(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        var response = Read(ref r);
        return r.AtEnd ? response : throw r.Bad("bytes follow a response");
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static ResponseRecord Read(ref ByteReader r)
    {
        if (r.Byte() is not Version and var version)
            throw r.Bad($"a response has version {version}, this MeterTwin knows {Version}");
        var (key, number, subject, name) = (CaseFacts.ReadKey(ref r), r.Count(int.MaxValue), CaseFacts.ReadKey(ref r),
            r.Text());
        var (rung, enforcer, state) = ((ResponseRung)r.Byte(0, (int)ResponseRung.Reconnect),
            (Enforcer)r.Byte(0, (int)Enforcer.Gate),
            (ResponseState)r.Byte((int)ResponseState.Proposed, (int)ResponseState.Quarantined));
        var (by, request, order, watts, needed) = (Actor.Read(ref r), r.Text(), r.Text(), checked((long)r.VarUInt()),
            r.Count(int.MaxValue));
        var approvals = new Approval[r.Count(MaxApprovals)];
        for (var i = 0; i < approvals.Length; i++)
            approvals[i] = new Approval(Actor.Read(ref r), Input.ReadTime(ref r));
        var (proposed, due, ordered) = (Input.ReadTime(ref r), Input.ReadTime(ref r), Input.ReadTime(ref r));
        var (ended, expires, hasUndo, undo) = (Input.ReadTime(ref r), Input.ReadTime(ref r), r.Bool(),
            (ResponseRung)r.Byte(0, (int)ResponseRung.Reconnect));
        return new ResponseRecord(key, number, subject, name, rung, enforcer, state, by, request, order, watts, needed,
            approvals, proposed, due, ordered, ended, expires, hasUndo ? undo : null, r.Bool(), r.Text(), r.Text());
    }
}

/// <summary>
/// A case as it stands, for people and for the SOC. <paramref name="Number"/> counts the cases that this twin had: one
/// that was resolved is not opened again by a new cause. <paramref name="AwareAt"/>: when the utility became aware,
/// which is when it opened (NIS2 article 23 counts from there). <paramref name="Sentence"/>: what happened and what is
/// done about it, in one.
/// </summary>
public sealed record CaseSnapshot(TwinKey Case, int Number, TwinKey Subject, string SubjectName, Desk Desk,
    CaseVerdict Verdict, string Covered, CaseCondition Condition, CaseHandling Handling, Disposition Disposition,
    Placing Placing, TwinKey Group, int Members, string Assignee, Severity Severity, double Confidence, string Cause,
    UnixTime From, UnixTime To, UnixTime AwareAt, UnixTime ChangedAt, int FindingCount, FindingFact[] Findings,
    string[] FindingIds, string[] Techniques, ResponseRung Rung, string Sentence, string Why, string PolicyDigest)
{
    private const byte Version = 1;

    /// <summary>Ids of findings kept in a case: the first ones and the last; all are in the ledger.</summary>
    public const int MaxFindingIds = 64;

    /// <summary>How people name the case: twin and number.</summary>
    public string Id => IdOf(Case, Number);

    public static string IdOf(TwinKey key, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{key.Id:x16}-{number}");

    /// <summary>Reads <see cref="Id"/>; the number may be left out and is 0 then.</summary>
    public static bool TryParseId(string text, out TwinKey key, out int number)
    {
        (key, number) = (default, 0);
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        var head = dash < 0 ? text : text[..dash];
        if (head.Length != 16 || !ulong.TryParse(head, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
            out var id)) return false;
        key = new TwinKey(TwinKind.Case, id);
        return dash < 0
            || int.TryParse(text[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    public void Write(ByteWriter to)
    {
        to.Byte(Version);
        CaseFacts.WriteKey(to, Case);
        to.VarUInt((ulong)Number);
        CaseFacts.WriteKey(to, Subject);
        to.Text(SubjectName);
        foreach (var b in (ReadOnlySpan<byte>)[(byte)Desk, (byte)Verdict, (byte)Condition, (byte)Handling,
            (byte)Disposition, (byte)Placing, (byte)Severity, (byte)Rung, (byte)Group.Kind]) to.Byte(b);
        to.UInt64(Group.Id);
        to.VarUInt((ulong)Members);
        foreach (var text in (ReadOnlySpan<string>)[Covered, Assignee, Cause, Sentence, Why, PolicyDigest])
            to.Text(text);
        to.Double(Confidence);
        foreach (var time in (ReadOnlySpan<UnixTime>)[From, To, AwareAt, ChangedAt]) to.VarInt(time.Seconds);
        to.VarUInt((ulong)FindingCount);
        to.VarUInt((ulong)Findings.Length);
        foreach (var f in Findings) f.Write(to);
        foreach (var list in (ReadOnlySpan<string[]>)[FindingIds, Techniques])
        {
            to.VarUInt((ulong)list.Length);
            foreach (var text in list) to.Text(text);
        }
    }

    public byte[] ToBytes()
    {
        var to = new ByteWriter(512);
        Write(to);
        return to.ToArray();
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static CaseSnapshot Read(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        if (r.Byte() is not Version and var version)
            throw r.Bad($"a case has version {version}, this MeterTwin knows {Version}");
        var (key, number, subject, name) = (CaseFacts.ReadKey(ref r), r.Count(int.MaxValue), CaseFacts.ReadKey(ref r),
            r.Text());
        var (desk, verdict) = ((Desk)r.Byte((int)Desk.Security, (int)Desk.Grid),
            (CaseVerdict)r.Byte((int)CaseVerdict.Open, (int)CaseVerdict.Planned));
        var (condition, handling, disposition) = (
            (CaseCondition)r.Byte((int)CaseCondition.Ongoing, (int)CaseCondition.NoData),
            (CaseHandling)r.Byte((int)CaseHandling.New, (int)CaseHandling.Resolved),
            (Disposition)r.Byte(0, (int)Disposition.Maintenance));
        var (placing, severity, rung) = ((Placing)r.Byte((int)Placing.Queued, (int)Placing.Overflow),
            (Severity)r.Byte((int)Severity.Info, (int)Severity.Critical),
            (ResponseRung)r.Byte(0, (int)ResponseRung.Reconnect));
        var (group, members) = (new TwinKey((TwinKind)r.Byte(), r.UInt64()), r.Count(int.MaxValue));
        var (covered, assignee, cause, sentence, why, policy) = (r.Text(), r.Text(), r.Text(), r.Text(), r.Text(),
            r.Text());
        var confidence = r.Double();
        var (from, to, aware, changed) = (Input.ReadTime(ref r), Input.ReadTime(ref r), Input.ReadTime(ref r),
            Input.ReadTime(ref r));
        var count = r.Count(int.MaxValue);
        var findings = new FindingFact[r.Count(CaseFacts.MaxFindings)];
        for (var i = 0; i < findings.Length; i++) findings[i] = FindingFact.Read(ref r);
        string[] ids = ReadTexts(ref r, MaxFindingIds), techniques = ReadTexts(ref r, MaxFindingIds);
        if (!r.AtEnd) throw r.Bad("bytes follow a case");
        return new CaseSnapshot(key, number, subject, name, desk, verdict, covered, condition, handling, disposition,
            placing, group, members, assignee, severity, confidence, cause, from, to, aware, changed, count, findings,
            ids, techniques, rung, sentence, why, policy);
    }

    private static string[] ReadTexts(ref ByteReader r, int most)
    {
        var list = new string[r.Count(most)];
        for (var i = 0; i < list.Length; i++) list[i] = r.Text();
        return list;
    }
}
