using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Tests.Cases;

/// <summary>
/// Cases, desks and guards as they are, with a policy that says what the test wants. Reports come as from a meter.
/// </summary>
internal sealed class AnswerHarness
{
    public const string Name = "M-1";
    public static readonly TwinKey Meter = MeterId.FromUtilityId(Name).Twin;
    public static readonly UnixTime Start = new(1_780_000_000);

    private static readonly Budget Wide = new(-1, -1, -1, -1, -1, -1);
    private static readonly GuardLimits Limits = new(Wide, Wide, Wide, 1_000_000) { AccountPercent = 100 };

    public static Decision Answer { get; } = new(CaseVerdict.Open, "", ResponseRung.BlockWrites, Enforcer.HeadEnd, 0,
        0, default, 3_600, null, "", "rule", "It spreads.", "", "", 0, 0, 0, default, false, "test", "00", Limits,
        10, -1);

    public AnswerHarness() => Twins[PolicyActivation.Twin] = new ScriptedPolicy(this);

    public TwinHarness Twins { get; } = new();

    public UnixTime Now { get; private set; } = Start;

    /// <summary>What the policy says.</summary>
    public Func<CaseFacts, Decision> Policy { get; set; } = _ => Answer;

    /// <summary>What the policy was asked, in order.</summary>
    public List<CaseFacts> Asked { get; } = [];

    public static TwinKey Case => CaseKey.Of(Meter, Desk.Security);

    public CaseView this[TwinKey key] => CaseView.From(key, Twins.State(key));

    public CaseSnapshot File => this[Case].Case;

    public ResponseRecord[] Responses => this[Case].Responses;

    public IEnumerable<ResponseRecord> Orders => Twins.Ledger.Where(e => e.Kind == LedgerKind.Order).Select(e =>
    {
        var r = new ByteReader(e.Body);
        return ResponseRecord.Read(ref r);
    });

    public void Wait(long seconds)
    {
        Now = new UnixTime(Now.Seconds + seconds);
        Twins.Sweep(Now);
    }

    /// <summary>A finding reaches the case of its subject, begun so many seconds before now.</summary>
    public Finding Find(FindingKind kind = FindingKind.UnauthorisedUpgrade, string name = Name, long ago = 0,
        Severity severity = Severity.High, string cause = "")
    {
        var finding = Make(kind, name, ago, severity, cause);
        Tell(finding);
        return finding;
    }

    public Finding Make(FindingKind kind, string name, long ago, Severity severity, string cause)
    {
        var from = new UnixTime(Now.Seconds - ago);
        return new Finding(MeterId.FromUtilityId(name).Twin, name, kind, from, from, Now, 1, severity, 0.9, "test", 1,
            "T0857", $"{name} runs what nobody released.", [], [])
        { Cause = cause };
    }

    public void Tell(params Finding[] findings) => Twins.Deliver([.. findings.Select(f =>
        Letter(new Report(Now, f, null, SubjectContext.Of(f.SubjectName) with { Region = "R", LoadWatts = 400 })))]);

    public void Want(string request, ResponseRung rung, string by = "billing") => Twins.Deliver(Letter(new Report(Now,
        null, new CommandRequest(new MeterId(Meter.Id), Now, new Actor(by, "key"), request, rung, "W-1", "unpaid"),
        SubjectContext.Of(Name) with { Region = "R", LoadWatts = 400 })));

    private static (TwinKey, TwinKey, byte[]) Letter(Report report)
    {
        var to = new ByteWriter();
        AnswerHead.Write(to, AnswerKind.Report);
        report.Write(to);
        return (report.Finding?.Subject ?? Meter, report.Case, to.ToArray());
    }

    public string Do(CaseActKind act, string by = "ada", Disposition disposition = Disposition.None,
        string assignee = "") => Twins.Append(new CaseAct(Case, Now, new Actor(by, "badge"), act, disposition, assignee,
            "")).Reason;

    public string Do(ResponseActKind act, int response, string by = "ada", TwinKey? key = null, long ahead = 0,
        ResponseRung rung = default) => Twins.Append(new ResponseAct(key ?? Case, new UnixTime(Now.Seconds + ahead),
            new Actor(by, "badge"), act, response, rung, "because")).Reason;

    public void Outcome(int response, ResponseResult result, bool isUndo = false, TwinKey? key = null) =>
        Twins.Append(new ResponseOutcome(key ?? Case, Now, response, isUndo, result, "head-end", ""));

    /// <summary>Writes all twins but the policy and reads them back.</summary>
    public void Restart()
    {
        foreach (var key in Twins.Keys.Where(k => k.Kind != TwinKind.Policy).ToArray()) Twins.Restart(key);
    }

    private sealed class ScriptedPolicy(AnswerHarness of) : TwinState(PolicyActivation.Twin.Id)
    {
        public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted) =>
            Admission.Reject("the test is the policy");

        public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
        {
        }

        public override void Receive(IInbox inbox, IOutbox outbox)
        {
            for (var i = 0; i < inbox.Count; i++)
            {
                var r = new ByteReader(inbox[i].Body);
                Assert.Equal(AnswerKind.Ask, AnswerHead.Read(ref r));
                var facts = CaseFacts.Read(ref r);
                of.Asked.Add(facts);
                var to = new ByteWriter();
                AnswerHead.Write(to, AnswerKind.Decided);
                of.Policy(facts).Write(to);
                outbox.Send(inbox[i].From, to.Written);
            }
        }

        public override void Write(ByteWriter to)
        {
        }
    }
}
