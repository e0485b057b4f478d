using Twin.Grains.Ledger;
using Twin.Grains.Meters;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Cases;

/// <summary>
/// The twin of the cases of one subject on one desk, one after the other, or of a group of subjects. It merges
/// findings, asks the policy, keeps what people do, and leads each response from proposed to its end.
///
/// Invariant: nothing goes out but by an order in the ledger, which is written in a sweep only, after the policy
/// allowed it, the persons that it needs approved it, the guards gave room, and its delay and window are over.
/// </summary>
public sealed partial class CaseTwin(ulong id) : ReportingTwin(id)
{
    private const byte StateVersion = 1;

    /// <summary>Responses kept; at the bound the oldest that is over goes, and without one nothing is added.</summary>
    public const int MaxResponses = 32;

    /// <summary>An order must be answered within so long, s: mesh, delay of the meter and a retry fit.</summary>
    public const int OutcomeSeconds = 2 * 3_600;

    /// <summary>A case without news ends after so long, s.</summary>
    public const int QuietSeconds = 7 * 86_400;

    /// <summary>
    /// A queued case that nobody acknowledged is escalated once after so long, s: early enough for the early warning
    /// within 24 hours of becoming aware (NIS2, article 23), sooner where it is critical.
    /// </summary>
    public const int EscalateHighSeconds = 12 * 3_600, EscalateCriticalSeconds = 2 * 3_600;

    /// <summary>A proposal that nobody approved lapses after so long, s: it was made of what was known then.</summary>
    public const int ProposalSeconds = 7 * 86_400;

    /// <summary>While the freeze holds, the policy is asked again so often, s.</summary>
    public const int FrozenSeconds = 15 * 60;

    /// <summary>Switch commands asked for within an hour are counted; more than so many are not told apart.</summary>
    private const int MaxRequestTimes = 64;

    /// <summary>Questions under way: of a case and its responses in as many rounds as a sweep has; no more are asked.
    /// </summary>
    private const int MaxQuestions = 16 * (1 + MaxResponses);

    /// <summary>
    /// Questions to the policy under way: about 0, the case, or about the response of that number. The policy answers
    /// within the sweep, in order; between two rounds a twin may be put away and brought back, so they are state.
    /// </summary>
    private readonly Queue<(int About, CaseFacts Facts)> _questions = new();

    private TwinKey _subject;
    private string _name = "";
    private Desk _desk = Desk.Security;
    private bool _isGroup, _mustAsk;
    private bool _membersCame;
    private UnixTime _now, _reviewAt, _rhythmAt;
    private int _stormSize, _deskBudget = -1;
    private int _lastResponse;
    private SubjectContext _context = SubjectContext.Of("");
    private CaseFile _file = new();
    private List<LiveResponse> _responses = [];
    private long[] _requests = [];

    private TwinKey Self => new(TwinKind.Case, Id);

    private bool IsKnown => _subject.Kind != 0;

    /// <summary>Every sweep is heard while something is to be asked, ordered, awaited, ended or closed.</summary>
    protected override bool WaitsBesides => _mustAsk || _reviewAt.Seconds != 0
        || _responses.Exists(r => r.Held || r.Undoing || !r.IsOver && r.Record.State != ResponseState.Quarantined)
        || _file is { IsEmpty: false, Condition: CaseCondition.Ongoing, Handling: not CaseHandling.Resolved };

    protected override bool HearsSweeps => true;

    protected override SubjectContext ContextOf(UnixTime at) => _context;

    protected override bool Describes(TwinKey subject) => subject == _subject;

    /// <summary>The case as it stands, and its responses, oldest first.</summary>
    public CaseView View() => new(Snapshot(), [.. _responses.Select(r => r.Record)])
    {
        Context = _context,
    };

    private CaseSnapshot Snapshot() => _file.Snapshot(Self, _subject, _name, _desk, CaseSentences.Done(_file,
        _responses));

    /// <exception cref="InvalidDataException">The input is damaged, or of a kind that no case knows.</exception>
    protected override void ApplyInput(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        switch (Input.Read(input))
        {
            case Sweep sweep: OnSweep(sweep.At, outbox); break;
            case CaseAct act:
                Record(outbox, LedgerKind.Act, act.At, input);
                Apply(act, outbox);
                break;
            case ResponseAct act:
                Record(outbox, LedgerKind.Act, act.At, input);
                Apply(act, outbox);
                break;
            case ResponseOutcome outcome:
                Record(outbox, LedgerKind.Act, outcome.At, input);
                Apply(outcome, outbox);
                break;
            case var other:
                throw new InvalidDataException($"Case {Id:x16} cannot apply an input of kind {other.Kind}.");
        }
    }

    private void OnSweep(UnixTime at, IOutbox outbox)
    {
        _now = CaseFile.Max(_now, Bound(at));
        // A policy that did not answer within its sweep will not: what is open is asked again when it changes.
        _questions.Clear();
        foreach (var response in _responses.ToArray()) Advance(response, outbox);
        EndWhenQuiet(outbox);
        EscalateWhenIgnored(outbox);
        if (_reviewAt.Seconds != 0 && _now.Seconds >= _reviewAt.Seconds) (_mustAsk, _reviewAt) = (true, default);
        Pursue(outbox);
    }

    /// <summary>
    /// A case's time stays so far before the end of the calendar that its reviews, windows and expiries, ten years at
    /// most, are times as well.
    /// </summary>
    private static UnixTime Bound(UnixTime at) =>
        new(Math.Min(at.Seconds, UnixTime.MaxSeconds - 11L * 366 * 86_400));

    /// <exception cref="InvalidDataException">A message is damaged.</exception>
    protected override void ReceiveMail(IInbox inbox, IOutbox outbox)
    {
        try
        {
            for (var i = 0; i < inbox.Count; i++) Hear(inbox[i].Body, outbox);
            if (_membersCame) RecordCase(outbox);
            _membersCame = false;
            Pursue(outbox);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"A message to case {Id:x16} is damaged: {e.Message}", e);
        }
    }

    private void Hear(ReadOnlySpan<byte> message, IOutbox outbox)
    {
        var r = new ByteReader(message);
        switch (AnswerHead.Read(ref r))
        {
            case AnswerKind.Report:
                var bytes = r.Rest;
                Record(outbox, LedgerKind.Report, Report.Read(bytes).At, bytes);
                Hear(Report.Read(bytes), outbox);
                break;
            case AnswerKind.Decided: Decide(Decision.Read(ref r), outbox); break;
            case AnswerKind.Placed: Place(DeskPlace.Read(ref r), outbox); break;
            case AnswerKind.Reserved: Hear(Guards.ReservationAnswer.Read(ref r), outbox); break;
            case AnswerKind.Member: Hear(DeskEntry.Read(ref r), outbox); break;
            case var kind: throw r.Bad($"a case takes no message of kind {kind}");
        }
    }

    /// <summary>Sends what is to be sent: questions to the policy, reservations to the guards, news to the desk.
    /// </summary>
    private void Pursue(IOutbox outbox)
    {
        if (!IsKnown) return;
        if (_mustAsk) Ask(0, null, outbox);
        _mustAsk = false;
        foreach (var response in _responses.ToArray()) Pursue(response, outbox);
        if (_file is { IsOpen: true, Entered: false, Condition: CaseCondition.Ongoing } && !_isGroup)
            Enter(outbox, ended: false);
    }

    private void Ask(int about, LiveResponse? response, IOutbox outbox)
    {
        if (_questions.Count == MaxQuestions) return;
        var facts = new CaseFacts(Self, _subject, _desk, _now, _file.Cause, _file.Findings, Steps(response), _context,
            _file.Confirmed, _file.ConfirmedDangerous, response?.Record.Rung,
            response?.Record.RequestedBy ?? new Actor("", ""), response?.Record.Order ?? "", _file.Members,
            RequestsInHour());
        _questions.Enqueue((about, facts));
        Send(outbox, PolicyActivation.Twin, AnswerKind.Ask, facts.Write);
    }

    private StepFact[] Steps(LiveResponse? asking) => [.. _responses.Where(r => r != asking
        && r.Record.State is not (ResponseState.Rejected or ResponseState.Cancelled)).TakeLast(CaseFacts.MaxSteps)
        .Select(r => new StepFact(r.Record.Rung, r.Record.State, r.Record.Enforcer, CaseFile.Max(r.Record.ProposedAt,
            CaseFile.Max(r.Record.OrderedAt, r.Record.EndedAt))))];

    private void Enter(IOutbox outbox, bool ended)
    {
        _file.Entered = !ended;
        Send(outbox, CaseKey.OfDesk(_desk), AnswerKind.Entered, new DeskEntry(Self, _file.Number, _subject, _name,
            _now, _file.From, _file.To, _file.Kind, _file.Severity, _file.Cause, _context.Feeder, _stormSize,
            _deskBudget, ended).Write);
    }

    private static void Send(IOutbox outbox, TwinKey to, AnswerKind kind, Action<ByteWriter> body)
    {
        var message = Scratch.Mine.Bytes;
        message.Clear();
        AnswerHead.Write(message, kind);
        body(message);
        outbox.Send(to, message.Written);
    }

    private void Record(IOutbox outbox, LedgerKind kind, UnixTime at, ReadOnlySpan<byte> body) =>
        outbox.Fact(FactKind.Ledger, new LedgerEntry(kind, at, Self, body.ToArray()).ToBytes());

    private void RecordCase(IOutbox outbox)
    {
        _file.ChangedAt = _now;
        Record(outbox, LedgerKind.Case, _now, Snapshot().ToBytes());
    }

    private void Record(IOutbox outbox, LedgerKind kind, LiveResponse response)
    {
        var w = new ByteWriter(512);
        response.Record.Write(w);
        Record(outbox, kind, _now, w.Written);
    }

    public override void Write(ByteWriter to)
    {
        to.Byte(StateVersion);
        to.Byte((byte)_subject.Kind);
        to.UInt64(_subject.Id);
        to.Text(_name);
        to.Byte((byte)_desk);
        to.Bool(_isGroup);
        to.Bool(_mustAsk);
        to.VarInt(_now.Seconds);
        to.VarInt(_reviewAt.Seconds);
        to.VarInt(_rhythmAt.Seconds);
        to.VarUInt((ulong)_stormSize);
        to.VarInt(_deskBudget);
        to.VarUInt((ulong)_lastResponse);
        _context.Write(to);
        _file.Write(to);
        to.VarUInt((ulong)_responses.Count);
        foreach (var response in _responses) response.Write(to);
        to.VarUInt((ulong)_requests.Length);
        foreach (var at in _requests) to.VarInt(at);
        to.VarUInt((ulong)_questions.Count);
        foreach (var (about, facts) in _questions)
        {
            to.VarUInt((ulong)about);
            facts.Write(to);
        }
        WriteReports(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static CaseTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        try
        {
            return Read(id, state);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"The state of case {id:x16} is damaged: {e.Message}", e);
        }
    }

    private static CaseTwin Read(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        if (r.Byte() is not StateVersion and var version)
            throw r.Bad($"a case's state has version {version}, this MeterTwin knows {StateVersion}");
        var twin = new CaseTwin(id)
        {
            _subject = new TwinKey((TwinKind)r.Byte(), r.UInt64()), _name = r.Text(),
            _desk = (Desk)r.Byte((int)Desk.Security, (int)Desk.Grid), _isGroup = r.Bool(), _mustAsk = r.Bool(),
            _now = Input.ReadTime(ref r), _reviewAt = Input.ReadTime(ref r),
            _rhythmAt = Input.ReadTime(ref r), _stormSize = r.Count(int.MaxValue),
            _deskBudget = r.Int(), _lastResponse = r.Count(int.MaxValue), _context = SubjectContext.Read(ref r),
            _file = CaseFile.Read(ref r),
        };
        var responses = r.Count(MaxResponses);
        for (var i = 0; i < responses; i++) twin._responses.Add(LiveResponse.Read(ref r));
        twin._requests = new long[r.Count(MaxRequestTimes)];
        for (var i = 0; i < twin._requests.Length; i++) twin._requests[i] = Input.ReadTime(ref r).Seconds;
        for (var left = r.Count(MaxQuestions); left > 0; left--)
            twin._questions.Enqueue((r.Count(int.MaxValue), CaseFacts.Read(ref r)));
        twin.ReadReports(ref r);
        return r.AtEnd ? twin : throw r.Bad("bytes are left behind a case's state");
    }
}

/// <summary>A case for people: as it stands, and its responses, oldest first.</summary>
public sealed record CaseView(CaseSnapshot Case, ResponseRecord[] Responses)
{
    /// <summary>What was known of the subject last.</summary>
    public SubjectContext Context { get; init; } = SubjectContext.Of("");

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static CaseView From(TwinKey key, ReadOnlySpan<byte> state) => CaseTwin.Restore(key.Id, state).View();
}
