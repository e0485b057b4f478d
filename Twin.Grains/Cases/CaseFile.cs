using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Cases;

/// <summary>
/// What one case knows: the findings merged, what people said, what the policy decided last. Pure data and its rules;
/// <see cref="CaseTwin"/> speaks for it.
/// </summary>
internal sealed class CaseFile
{
    private const byte Version = 1;

    /// <summary>Longest sentence kept of a finding, characters.</summary>
    private const int MaxHeadline = 400;

    public int Number = 1;
    public CaseVerdict Verdict = CaseVerdict.LogOnly;
    public CaseCondition Condition = CaseCondition.Ongoing;
    public CaseHandling Handling = CaseHandling.New;
    public Disposition Disposition;
    public Placing Placing = Placing.Queued;
    public TwinKey Group;
    public int Members = 1;
    public Severity Severity = Severity.Info;
    public double Confidence;
    public UnixTime From, To, AwareAt, ChangedAt;
    public int FindingCount;
    public FindingFact[] Findings = [];
    public string[] FindingIds = [], Techniques = [];
    public ResponseRung Rung;
    public bool Confirmed, ConfirmedDangerous, Entered, Escalated;
    public string Covered = "", Assignee = "", Cause = "", Headline = "", Why = "", PolicyDigest = "";

    public bool IsOpen => Verdict == CaseVerdict.Open && AwareAt.Seconds != 0;

    public bool IsEmpty => FindingCount == 0;

    /// <summary>
    /// Takes a finding in; false when it is one that the case has. At the bounds the first ids and the kinds that are
    /// known stay: all of it is in the ledger.
    /// </summary>
    public bool Add(Finding f)
    {
        if (Array.IndexOf(FindingIds, f.Id) >= 0) return false;
        if (FindingIds.Length < CaseSnapshot.MaxFindingIds) FindingIds = [.. FindingIds, f.Id];
        else FindingIds = [.. FindingIds[..(CaseSnapshot.MaxFindingIds / 2)],
            .. FindingIds[(CaseSnapshot.MaxFindingIds / 2 + 1)..], f.Id];
        if (f.Technique.Length > 0 && Techniques.Length < CaseSnapshot.MaxFindingIds
            && Array.IndexOf(Techniques, f.Technique) < 0) Techniques = [.. Techniques, f.Technique];
        var at = Array.FindIndex(Findings, k => k.Kind == f.Kind);
        if (at >= 0) Findings[at] = Merge(Findings[at], f);
        else if (Findings.Length < CaseFacts.MaxFindings)
            Findings = [.. Findings, new FindingFact(f.Kind, f.Severity, f.Confidence, f.From, f.To, 1,
                Proofs.Is(f.Kind))];
        if (FindingCount == 0 || f.Severity > Severity)
            Headline = f.Sentence.Length <= MaxHeadline ? f.Sentence : f.Sentence[..MaxHeadline];
        if (Cause.Length == 0) Cause = f.Cause;
        (From, To) = FindingCount == 0 ? (f.From, f.To) : (Min(From, f.From), Max(To, f.To));
        // The desk hears of it when it gets graver; a member of a group stays in its group.
        if (f.Severity > Severity && FindingCount > 0 && Placing == Placing.Queued) Entered = false;
        Severity = f.Severity > Severity ? f.Severity : Severity;
        Confidence = Math.Max(Confidence, f.Confidence);
        FindingCount = Math.Min(FindingCount, int.MaxValue - 1) + 1;
        Condition = CaseCondition.Ongoing;
        return true;
    }

    /// <summary>True for a finding that the case has, or of its kinds and wholly within its time.</summary>
    public bool Covers(Finding f) => Array.IndexOf(FindingIds, f.Id) >= 0 || f.From.Seconds >= From.Seconds
        && f.To.Seconds <= To.Seconds && Array.Exists(Findings, k => k.Kind == f.Kind);

    private static FindingFact Merge(in FindingFact known, Finding f) => known with
    {
        Severity = f.Severity > known.Severity ? f.Severity : known.Severity,
        Confidence = Math.Max(known.Confidence, f.Confidence),
        First = Min(known.First, f.From),
        Last = Max(known.Last, f.To),
        Count = Math.Min(known.Count, int.MaxValue - 1) + 1,
    };

    public static UnixTime Max(UnixTime a, UnixTime b) => a.Seconds >= b.Seconds ? a : b;

    private static UnixTime Min(UnixTime a, UnixTime b) => a.Seconds <= b.Seconds ? a : b;

    /// <summary>The kind that the case is about: the gravest, then the one that came first.</summary>
    public FindingKind Kind => Findings.Length == 0 ? default
        : Findings.OrderByDescending(f => f.Severity).ThenBy(f => f.First.Seconds).First().Kind;

    public CaseSnapshot Snapshot(TwinKey key, TwinKey subject, string name, Desk desk, string done) => new(key, Number,
        subject, name, desk, Verdict, Covered, Condition, Handling, Disposition, Placing, Group, Members, Assignee,
        Severity, Confidence, Cause, From, To, AwareAt, ChangedAt, FindingCount, [.. Findings], FindingIds, Techniques,
        Rung, done.Length == 0 ? Headline : $"{Headline} {done}".TrimStart(), Why, PolicyDigest);

    public void Write(ByteWriter to)
    {
        to.Byte(Version);
        to.VarUInt((ulong)Number);
        foreach (var b in (ReadOnlySpan<byte>)[(byte)Verdict, (byte)Condition, (byte)Handling, (byte)Disposition,
            (byte)Placing, (byte)Severity, (byte)Rung, (byte)Group.Kind]) to.Byte(b);
        to.UInt64(Group.Id);
        to.VarUInt((ulong)Members);
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
        foreach (var b in (ReadOnlySpan<bool>)[Confirmed, ConfirmedDangerous, Entered, Escalated]) to.Bool(b);
        foreach (var text in (ReadOnlySpan<string>)[Covered, Assignee, Cause, Headline, Why, PolicyDigest])
            to.Text(text);
    }

    public static CaseFile Read(ref ByteReader r)
    {
        if (r.Byte() is not Version and var version)
            throw r.Bad($"a case has version {version}, this MeterTwin knows {Version}");
        var file = new CaseFile
        {
            Number = r.Count(int.MaxValue), Verdict = (CaseVerdict)r.Byte((int)CaseVerdict.Open,
                (int)CaseVerdict.Planned),
            Condition = (CaseCondition)r.Byte((int)CaseCondition.Ongoing, (int)CaseCondition.NoData),
            Handling = (CaseHandling)r.Byte((int)CaseHandling.New, (int)CaseHandling.Resolved),
            Disposition = (Disposition)r.Byte(0, (int)Disposition.Maintenance),
            Placing = (Placing)r.Byte((int)Placing.Queued, (int)Placing.Overflow),
            Severity = (Severity)r.Byte((int)Severity.Info, (int)Severity.Critical),
            Rung = (ResponseRung)r.Byte(0, (int)ResponseRung.Reconnect), Group = new((TwinKind)r.Byte(), r.UInt64()),
            Members = r.Count(int.MaxValue), Confidence = r.Double(), From = Input.ReadTime(ref r),
            To = Input.ReadTime(ref r), AwareAt = Input.ReadTime(ref r), ChangedAt = Input.ReadTime(ref r),
            FindingCount = r.Count(int.MaxValue), Findings = new FindingFact[r.Count(CaseFacts.MaxFindings)],
        };
        for (var i = 0; i < file.Findings.Length; i++) file.Findings[i] = FindingFact.Read(ref r);
        (file.FindingIds, file.Techniques) = (ReadTexts(ref r), ReadTexts(ref r));
        (file.Confirmed, file.ConfirmedDangerous) = (r.Bool(), r.Bool());
        (file.Entered, file.Escalated) = (r.Bool(), r.Bool());
        (file.Covered, file.Assignee, file.Cause) = (r.Text(), r.Text(), r.Text());
        (file.Headline, file.Why, file.PolicyDigest) = (r.Text(), r.Text(), r.Text());
        return file;
    }

    private static string[] ReadTexts(ref ByteReader r)
    {
        var list = new string[r.Count(CaseSnapshot.MaxFindingIds)];
        for (var i = 0; i < list.Length; i++) list[i] = r.Text();
        return list;
    }
}

/// <summary>Which kinds of finding are proof, by cryptography or by specification, and not statistics.</summary>
public static class Proofs
{
    /// <summary>
    /// Reading models, behaviour of devices, drift of lots, correlated silence and floods are statistics, however
    /// sure.
    /// </summary>
    public static bool Is(FindingKind kind) => kind >= FindingKind.ChainBroken && kind is not (
        FindingKind.FirmwareBehaviour or FindingKind.MetrologySuspect or FindingKind.ContractorSeries
        or FindingKind.EventFlood or FindingKind.CorrelatedSilence or FindingKind.RouteAnomaly
        or FindingKind.SpoofedLastGasp or FindingKind.ClockDrift or FindingKind.CampaignStuck);
}
