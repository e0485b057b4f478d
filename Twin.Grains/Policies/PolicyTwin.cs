using Twin.Detection;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Policies;

/// <summary>
/// The policy in force, with what holds over all cases: suppressions, planned work, the freeze. Cases ask, and it
/// answers within the sweep, in the order of the questions. Before anybody activates one, the policy that ships is in
/// force.
/// </summary>
public sealed class PolicyTwin(ulong id) : ReportingTwin(id)
{
    private const byte StateVersion = 1;

    /// <summary>Suppressions and works that hold at once; a further one is refused.</summary>
    public const int MaxCovers = 1_024;

    /// <summary>Digests of policies that were in force; at the bound the oldest goes, the ledger has all.</summary>
    public const int MaxHistory = 64;

    /// <summary>A work that ended is remembered so long, s: what still comes of it is an overrun.</summary>
    private const int OverrunSeconds = 7 * 86_400;

    private sealed record Cover(bool IsWork, string Id, FindingKind[] Kinds, TwinKey? Subject, string Place,
        UnixTime From, UnixTime To, string Owner, bool Overran);

    private string _text = "";
    private PolicyDocument _policy = PolicyReader.Default;
    private UnixTime _since, _now;
    private string _by = "", _thawedBy = "";

    /// <summary>Digest and rules of the document that the ledger has last.</summary>
    private string _recorded = "";
    private bool _frozen;
    private List<Cover> _covers = [];
    private List<string> _history = [];

    /// <summary>The policy for people.</summary>
    public PolicyView View() => new(_policy.Name, _policy.Version, _policy.Digest, _since, _by, _frozen, _text,
        [.. _history], [.. _covers.Select(c => new CoverView(c.IsWork, c.Id, c.Kinds, c.Subject, c.Place, c.From, c.To,
            c.Owner))]);

    protected override SubjectContext ContextOf(UnixTime at) => SubjectContext.Of("policy");

    protected override bool WaitsBesides => _covers.Count > 0;

    protected override bool HearsSweeps => true;

    /// <exception cref="InvalidDataException">The input is damaged.</exception>
    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        var read = Input.Read(input);
        var reason = TimesOf(read).All(Meters.Contexts.IsPossible) ? read switch
        {
            PolicyActivation a => a.By.Refusal() ?? Mistakes(a.Text),
            Suppression s => s.Refusal() ?? Room(s.Id) ?? PlaceRefusal(s.Place) ?? Span(s.From, s.To),
            PlannedWork w => w.Refusal() ?? Room(w.Id) ?? PlaceRefusal(w.Place) ?? Span(w.From, w.To),
            FreezeAct f => f.By.Refusal() ?? PlainText.Refusal(f.Why)
                ?? (f.Freeze == _frozen ? $"it is {(_frozen ? "frozen" : "thawed")} already"
                : !f.Freeze && _thawedBy == f.By.Key ? "another person is needed to thaw" : null),
            Verdict => null,
            var other => $"an input of kind {other.Kind} does not come through this door",
        } : "its time is impossible";
        if (reason is not null) return Admission.Reject($"policy: {reason}");
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    private static UnixTime[] TimesOf(Input input) => input switch
    {
        PolicyActivation a => [a.At],
        Suppression s => [s.At, s.From, s.To],
        PlannedWork w => [w.At, w.From, w.To],
        FreezeAct f => [f.At],
        _ => [],
    };

    private static string? Mistakes(string text) => PolicyReader.Check(text, out var errors) is not null ? null
        : "it does not hold: " + string.Join("; ", errors.Take(5))
            + (errors.Count > 5 ? $"; and {errors.Count - 5} more" : "");

    private string? Room(string id) => _covers.Count < MaxCovers || _covers.Exists(c => c.Id == id) ? null
        : $"{MaxCovers} suppressions and works hold already; end some first";

    /// <summary>Why it is no place; null when it is one, or empty.</summary>
    public static string? PlaceRefusal(string place) => place.Length == 0 || Array.Exists(Places,
        p => place.StartsWith(p, StringComparison.Ordinal) && place.Length > p.Length) ? null
        : $"'{place}' is no place; write one of {string.Join(", ", Places)} and a name behind it";

    private static string? Span(UnixTime from, UnixTime to) => to.Seconds > from.Seconds ? null
        : $"it ends at {to}, before it begins";

    private static readonly string[] Places = ["feeder:", "region:", "concentrator:", "model:", "lot:"];

    /// <exception cref="InvalidDataException">The input is damaged, or of a kind that this twin cannot apply.
    /// </exception>
    protected override void ApplyInput(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        var read = Input.Read(input);
        switch (read)
        {
            case Sweep sweep:
                OnSweep(sweep.At);
                return;
            case PolicyActivation a: Activate(a); break;
            case Suppression s:
                Keep(new Cover(false, s.Id, s.About is { } kind ? [kind] : [], s.Subject, s.Place, s.From, s.To,
                    s.By.Person, false));
                break;
            case PlannedWork w:
                Keep(new Cover(true, w.Id, w.Expected, w.Subject, w.Place, w.From, w.To, w.Owner, false));
                break;
            case FreezeAct f: Freeze(f); break;
            case Verdict: break;
            case var other: throw new InvalidDataException($"The policy cannot apply an input of kind {other.Kind}.");
        }
        var at = Input.EventTime(input) ?? _now;
        outbox.Fact(FactKind.Ledger, new LedgerEntry(LedgerKind.Act, at, default, input.ToArray()).ToBytes());
    }

    private void Activate(PolicyActivation a)
    {
        if (PolicyReader.Read(a.Text, out _) is not { } policy) return;
        if (_history.Count == MaxHistory) _history.RemoveAt(0);
        _history.Add(_policy.Digest);
        (_policy, _text, _since, _by) = (policy, a.Text, a.At, a.By.Person);
    }

    /// <summary>The same id told again changes it: so it is ended early.</summary>
    private void Keep(Cover cover)
    {
        _covers.RemoveAll(c => c.Id == cover.Id);
        _covers.Add(cover);
        _covers.Sort((a, b) => string.CompareOrdinal(a.Id, b.Id));
    }

    /// <summary>One person freezes, two thaw.</summary>
    private void Freeze(FreezeAct f)
    {
        if (f.Freeze) (_frozen, _thawedBy) = (true, "");
        else if (_thawedBy.Length == 0) _thawedBy = f.By.Key;
        else (_frozen, _thawedBy) = (false, "");
    }

    private void OnSweep(UnixTime at)
    {
        _now = at.Seconds > _now.Seconds ? at : _now;
        _covers.RemoveAll(c => _now.Seconds > c.To.Seconds + (c.IsWork ? OverrunSeconds : 0));
    }

    /// <exception cref="InvalidDataException">A message is damaged.</exception>
    protected override void ReceiveMail(IInbox inbox, IOutbox outbox)
    {
        try
        {
            for (var i = 0; i < inbox.Count; i++)
            {
                var r = new ByteReader(inbox[i].Body);
                if (AnswerHead.Read(ref r) != AnswerKind.Ask) throw r.Bad("the policy takes questions only");
                var facts = CaseFacts.Read(ref r);
                Record(facts.Now, outbox);
                var decision = PolicyEngine.Decide(_policy, facts, SceneOf(facts, outbox));
                var message = Scratch.Mine.Bytes;
                message.Clear();
                AnswerHead.Write(message, AnswerKind.Decided);
                decision.Write(message);
                outbox.Send(inbox[i].From, message.Written);
            }
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"A message to the policy is damaged: {e.Message}", e);
        }
    }

    /// <summary>The ledger gets the document before the first decision under it.</summary>
    private void Record(UnixTime now, IOutbox outbox)
    {
        var name = $"{_policy.Digest} {PolicyEngine.Version}";
        if (name == _recorded) return;
        _recorded = name;
        var record = new PolicyRecord(PolicyEngine.Version, _text.Length > 0 ? _text : PolicyReader.DefaultText);
        outbox.Fact(FactKind.Ledger, new LedgerEntry(LedgerKind.Policy, now, default, record.ToBytes()).ToBytes());
    }

    /// <summary>
    /// A case is covered when all that was found is: one finding that nobody expected opens it. Planned work counts
    /// before a suppression, because it says why.
    /// </summary>
    private PolicyScene SceneOf(CaseFacts facts, IOutbox outbox)
    {
        Cover? by = null;
        var all = facts.Findings.Length > 0;
        foreach (var finding in facts.Findings)
        {
            var cover = _covers.Where(c => Covers(c, facts, finding)).MinBy(c => c.IsWork ? 0 : 1);
            if (cover is null) all = false;
            by ??= cover;
            Overrun(facts, finding, outbox);
        }
        return all && by is not null
            ? new PolicyScene(_frozen, by.IsWork ? CaseVerdict.Planned : CaseVerdict.Suppressed, by.Id)
            : new PolicyScene(_frozen, default, "");
    }

    private static bool Covers(Cover c, CaseFacts facts, in FindingFact finding) => Fits(c, facts, finding)
        && finding.Last.Seconds >= c.From.Seconds && finding.First.Seconds <= c.To.Seconds
        && finding.Last.Seconds <= c.To.Seconds;

    private static bool Fits(Cover c, CaseFacts facts, in FindingFact finding) =>
        (c.Kinds.Length == 0 || Array.IndexOf(c.Kinds, finding.Kind) >= 0)
        && (c.Subject is null || c.Subject == facts.Subject) && (c.Place.Length == 0 || IsAt(c.Place, facts.Context));

    /// <summary>True when a subject is at a place, as <c>feeder:F-12</c>.</summary>
    public static bool IsAt(string place, SubjectContext context)
    {
        var (kind, name) = (place[..place.IndexOf(':', StringComparison.Ordinal)],
            place[(place.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        return name == kind switch
        {
            "feeder" => context.Feeder,
            "region" => context.Region,
            "concentrator" => context.Concentrator,
            "model" => context.Model,
            _ => context.Lot,
        };
    }

    /// <summary>What was announced still goes on after its end: said once.</summary>
    private void Overrun(CaseFacts facts, in FindingFact finding, IOutbox outbox)
    {
        for (var i = 0; i < _covers.Count; i++)
        {
            var c = _covers[i];
            if (!c.IsWork || c.Overran || finding.Last.Seconds <= c.To.Seconds || finding.First.Seconds < c.From.Seconds
                || !Fits(c, facts, finding)) continue;
            _covers[i] = c with { Overran = true };
            IFindingSink sink = Scratch.Mine.SinkTo(outbox);
            sink.Add(new Finding(new TwinKey(TwinKind.Policy, Id), $"planned work {c.Id}",
                FindingKind.PlannedWorkOverrun, c.To, finding.Last, facts.Now, 1, Severity.Low, 0.9, "policy", 1, "",
                $"Planned work {c.Id} of {c.Owner} ended at {c.To}, and {Finding.NameOf(finding.Kind)} on "
                    + $"{facts.Context.Name} still came at {finding.Last}.",
                [new Evidence("minutes_over", (finding.Last.Seconds - c.To.Seconds) / 60.0, 0, 1, "min")], []));
        }
    }

    public override void Write(ByteWriter to)
    {
        to.Byte(StateVersion);
        to.Text(_text);
        foreach (var time in (ReadOnlySpan<UnixTime>)[_since, _now]) to.VarInt(time.Seconds);
        to.Text(_by);
        to.Text(_thawedBy);
        to.Text(_recorded);
        to.Bool(_frozen);
        to.VarUInt((ulong)_history.Count);
        foreach (var digest in _history) to.Text(digest);
        to.VarUInt((ulong)_covers.Count);
        foreach (var c in _covers)
        {
            to.Bool(c.IsWork);
            to.Text(c.Id);
            to.VarUInt((ulong)c.Kinds.Length);
            foreach (var kind in c.Kinds) to.Byte((byte)kind);
            to.Byte((byte)(c.Subject?.Kind ?? 0));
            to.UInt64(c.Subject?.Id ?? 0);
            to.Text(c.Place);
            to.VarInt(c.From.Seconds);
            to.VarInt(c.To.Seconds);
            to.Text(c.Owner);
            to.Bool(c.Overran);
        }
        WriteReports(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static PolicyTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        try
        {
            return Read(id, state);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"The state of the policy is damaged: {e.Message}", e);
        }
    }

    private static PolicyTwin Read(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        if (r.Byte() is not StateVersion and var version)
            throw r.Bad($"the policy's state has version {version}, this MeterTwin knows {StateVersion}");
        var twin = new PolicyTwin(id)
        {
            _text = r.Text(), _since = Input.ReadTime(ref r), _now = Input.ReadTime(ref r), _by = r.Text(),
            _thawedBy = r.Text(), _recorded = r.Text(), _frozen = r.Bool(),
        };
        if (twin._text.Length > 0)
            twin._policy = PolicyReader.Read(twin._text, out var errors)
                ?? throw r.Bad("the policy in force does not hold under this version: "
                    + string.Join("; ", errors.Take(3)));
        var history = r.Count(MaxHistory);
        for (var i = 0; i < history; i++) twin._history.Add(r.Text());
        var covers = r.Count(MaxCovers);
        for (var i = 0; i < covers; i++) twin._covers.Add(ReadCover(ref r));
        twin.ReadReports(ref r);
        return r.AtEnd ? twin : throw r.Bad("bytes are left behind the policy's state");
    }

    private static Cover ReadCover(ref ByteReader r)
    {
        var (isWork, id, kinds) = (r.Bool(), r.Text(), new FindingKind[r.Count(PlannedWork.MaxExpected)]);
        for (var i = 0; i < kinds.Length; i++) kinds[i] = (FindingKind)r.Byte();
        var (kind, subject) = ((TwinKind)r.Byte(), r.UInt64());
        return new Cover(isWork, id, kinds, kind == 0 ? null : new TwinKey(kind, subject), r.Text(),
            Input.ReadTime(ref r), Input.ReadTime(ref r), r.Text(), r.Bool());
    }
}

/// <summary>A suppression or planned work for people.</summary>
public sealed record CoverView(bool IsWork, string Id, FindingKind[] Kinds, TwinKey? Subject, string Place,
    UnixTime From, UnixTime To, string Owner);

/// <summary>
/// The policy for people. <paramref name="Text"/> is empty while the one that ships is in force;
/// <paramref name="Before"/>: digests of those before it.
/// </summary>
public sealed record PolicyView(string Name, int Version, string Digest, UnixTime Since, string By, bool Frozen,
    string Text, string[] Before, CoverView[] Covers)
{
    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static PolicyView From(TwinKey key, ReadOnlySpan<byte> state) => PolicyTwin.Restore(key.Id, state).View();
}
