using System.Globalization;
using Twin.Hardware.Coding;

namespace Twin.Hardware;

// The closed family of inputs, fifth part: what people do about cases and responses, which commands somebody wants
// sent, and what became of those that were. All begin with their time. A person is named by whoever checked the
// credential; the credential is kept beside it, so that two of one person are told apart from two persons.

/// <summary>Who does something: the person, and the credential that was used. Neither is a secret.</summary>
public readonly record struct Actor(string Person, string Credential)
{
    /// <summary>Longest name, characters.</summary>
    public const int MaxText = 200;

    /// <summary>The person for comparison: <see cref="PersonKey"/>.</summary>
    public string Key => PersonKey.Of(Person);

    public void Write(ByteWriter to)
    {
        to.Text(Person);
        to.Text(Credential);
    }

    public static Actor Read(ref ByteReader r) => new(r.Text(), r.Text());

    /// <summary>Why it cannot be taken; null when it can.</summary>
    public string? Refusal() => Key.Length == 0 ? "an act needs a person; name one"
        : Person.Length > MaxText || Credential.Length > MaxText
            ? $"a person's name and credential have at most {MaxText} characters each; shorten them"
        : PersonKey.Ambiguous(Person) is { } c
            ? $"a person's name has the character U+{(int)c:X4}, which may stand for another; write it in plain letters"
        : PlainText.Refusal(Person, Credential);

    public override string ToString() => Person;
}

/// <summary>
/// How much the customer behind a meter depends on supply, as the utility knows it at a time. What is older than 30
/// days counts as critical (DESIGN, Policy).
/// </summary>
public sealed record CustomerStatus(MeterId Meter, UnixTime At, CustomerCategory Category, string Source)
    : Input(InputKind.CustomerStatus)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.Byte((byte)Category);
        to.Text(Source);
    }
    internal static CustomerStatus ReadPayload(MeterId id, ref ByteReader r) => new(id, ReadTime(ref r),
        (CustomerCategory)r.Byte(0, (int)CustomerCategory.Medical), r.Text());
    public override string Describe() => $"customer is {Category.ToString().ToLowerInvariant()}, says {Source}";
}

/// <summary>
/// Something is done with a case. <paramref name="Case"/> is the case's twin; <paramref name="Assignee"/>: who has it
/// from now on, where it is assigned or acknowledged, empty to leave that as it is.
/// </summary>
public sealed record CaseAct(TwinKey Case, UnixTime At, Actor By, CaseActKind Act, Disposition Disposition,
    string Assignee, string Text) : Input(InputKind.CaseAct)
{
    /// <summary>Longest text, characters.</summary>
    public const int MaxText = 2_000;

    public override TwinKey Target => Case;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        By.Write(to);
        to.Byte((byte)Act);
        to.Byte((byte)Disposition);
        to.Text(Assignee);
        to.Text(Text);
    }
    internal static CaseAct ReadPayload(TwinKey target, ref ByteReader r) => new(target, ReadTime(ref r),
        Actor.Read(ref r), (CaseActKind)r.Byte((int)CaseActKind.Acknowledge, (int)CaseActKind.ConfirmDangerous),
        (Disposition)r.Byte(0, (int)Disposition.Maintenance), r.Text(), r.Text());

    /// <summary>Why it cannot be taken; null when it can.</summary>
    public string? Refusal() => By.Refusal()
        ?? (Text.Length > MaxText || Assignee.Length > Actor.MaxText ? $"a note has at most {MaxText} characters"
            : Act == CaseActKind.Resolve && Disposition == Disposition.None
                ? "a case is resolved with a disposition: true, benign, false, duplicate or maintenance"
            : Act == CaseActKind.Assign && Assignee.Length == 0 ? "a case is assigned to somebody; name them"
            : PlainText.Refusal(Text, Assignee));

    public override string Describe() => $"{Act} by {By}"
        + (Disposition != Disposition.None ? $" as {Disposition}" : "") + (Text.Length > 0 ? $": {Text}" : "");
}

/// <summary>
/// Something is done with a response of a case. <paramref name="Response"/>: its number in the case; 0 with
/// <see cref="ResponseActKind.Propose"/>, which names a <paramref name="Rung"/> instead, and with
/// <see cref="ResponseActKind.Quarantine"/>, which means all that is pending.
/// </summary>
public sealed record ResponseAct(TwinKey Case, UnixTime At, Actor By, ResponseActKind Act, int Response,
    ResponseRung Rung, string Why) : Input(InputKind.ResponseAct)
{
    public override TwinKey Target => Case;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        By.Write(to);
        to.Byte((byte)Act);
        to.VarUInt((ulong)Response);
        to.Byte((byte)Rung);
        to.Text(Why);
    }
    internal static ResponseAct ReadPayload(TwinKey target, ref ByteReader r) => new(target, ReadTime(ref r),
        Actor.Read(ref r), (ResponseActKind)r.Byte((int)ResponseActKind.Propose, (int)ResponseActKind.Quarantine),
        r.Count(int.MaxValue), (ResponseRung)r.Byte(0, (int)ResponseRung.Reconnect), r.Text());

    /// <summary>Why it cannot be taken; null when it can.</summary>
    public string? Refusal() => By.Refusal() ?? (Why.Length > CaseAct.MaxText
        ? $"a reason has at most {CaseAct.MaxText} characters" : PlainText.Refusal(Why));

    public override string Describe() => (Act == ResponseActKind.Propose ? $"propose {SnakeCase.Of(Rung)}"
        : $"{SnakeCase.Of(Act)} response {Response}") + $" by {By}" + (Why.Length > 0 ? $": {Why}" : "");
}

/// <summary>From now on this policy is in force. Addressed to the one twin of the policy.</summary>
public sealed record PolicyActivation(UnixTime At, Actor By, string Text) : Input(InputKind.PolicyActivation)
{
    /// <summary>Longest policy, characters: an input must fit a message between twins.</summary>
    public const int MaxText = 256 * 1024;

    public static TwinKey Twin => new(TwinKind.Policy, 1);
    public override TwinKey Target => Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        By.Write(to);
        to.Text(Text);
    }
    internal static PolicyActivation ReadPayload(ref ByteReader r) => new(ReadTime(ref r), Actor.Read(ref r),
        r.Text());
    public override string Describe() =>
        string.Create(CultureInfo.InvariantCulture, $"policy of {Text.Length} characters activated by {By}");
}

/// <summary>
/// What is to open no case and wake nobody until it ends; it is recorded all the same. Scope: every part that is given
/// must fit; at least one of subject and place is given. <paramref name="About"/> null: any. <paramref name="Place"/>:
/// feeder, concentrator, model or lot by name, as <c>feeder:F-12</c>. Ended early by the same id with
/// <paramref name="To"/> in the past.
/// </summary>
public sealed record Suppression(UnixTime At, Actor By, string Id, FindingKind? About, TwinKey? Subject, string Place,
    UnixTime From, UnixTime To, string Why) : Input(InputKind.Suppression)
{
    /// <summary>Longest time that one may hold: a silence that nobody renews ends.</summary>
    public const long MaxSeconds = 90 * 86_400;

    public override TwinKey Target => PolicyActivation.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        By.Write(to);
        to.Text(Id);
        to.Byte((byte)(About ?? 0));
        to.Byte((byte)(Subject?.Kind ?? 0));
        to.UInt64(Subject?.Id ?? 0);
        to.Text(Place);
        to.VarInt(From.Seconds);
        to.VarInt(To.Seconds);
        to.Text(Why);
    }
    internal static Suppression ReadPayload(ref ByteReader r)
    {
        var (at, by, id, kind) = (ReadTime(ref r), Actor.Read(ref r), r.Text(), (FindingKind)r.Byte());
        if (kind != 0 && !Enum.IsDefined(kind)) throw r.Bad($"finding kind {(byte)kind} is not known");
        var subject = ReadSubject(ref r);
        return new(at, by, id, kind == 0 ? null : kind, subject,
            r.Text(), ReadTime(ref r), ReadTime(ref r), r.Text());
    }

    /// <summary>A subject that may be left out: kind 0 and id 0 then.</summary>
    internal static TwinKey? ReadSubject(ref ByteReader r)
    {
        var (kind, id) = (r.Byte(), r.UInt64());
        if (kind == 0 && id != 0) throw r.Bad("a subject has an id and no kind");
        return kind == 0 ? null : new TwinKey((TwinKind)kind, id);
    }

    /// <summary>Why it cannot be taken; null when it can.</summary>
    public string? Refusal() => By.Refusal()
        ?? (Id.Length is 0 or > 64 ? "a suppression has an id of 1 to 64 characters"
            : Subject is null && Place.Length == 0 ? "a suppression names a subject or a place"
            : Why.Length is 0 or > CaseAct.MaxText ? "a suppression says why"
            : To.Seconds - From.Seconds > MaxSeconds
                ? $"a suppression holds at most {MaxSeconds / 86_400} days; renew it when it ends"
            : PlainText.Refusal(Id, Place, Why));

    public override string Describe() => $"suppression {Id} from {From} to {To} by {By}: {Why}";
}

/// <summary>
/// Work that was announced: where, when, whose, and which findings it will cause. Findings that fit attach to it;
/// others open cases as ever; what still comes after its end is an overrun. Ended early like a suppression.
/// </summary>
public sealed record PlannedWork(UnixTime At, Actor By, string Id, FindingKind[] Expected, TwinKey? Subject,
    string Place, UnixTime From, UnixTime To, string Owner, string Note) : Input(InputKind.PlannedWork)
{
    /// <summary>Most kinds that one work may expect.</summary>
    public const int MaxExpected = 16;

    public override TwinKey Target => PolicyActivation.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        By.Write(to);
        to.Text(Id);
        to.VarUInt((ulong)Expected.Length);
        foreach (var kind in Expected) to.Byte((byte)kind);
        to.Byte((byte)(Subject?.Kind ?? 0));
        to.UInt64(Subject?.Id ?? 0);
        to.Text(Place);
        to.VarInt(From.Seconds);
        to.VarInt(To.Seconds);
        to.Text(Owner);
        to.Text(Note);
    }
    internal static PlannedWork ReadPayload(ref ByteReader r)
    {
        var (at, by, id) = (ReadTime(ref r), Actor.Read(ref r), r.Text());
        var kinds = new FindingKind[r.Count(MaxExpected)];
        for (var i = 0; i < kinds.Length; i++)
            kinds[i] = (FindingKind)r.Byte() is var k && Enum.IsDefined(k) ? k : throw r.Bad("a kind is not known");
        var subject = Suppression.ReadSubject(ref r);
        return new(at, by, id, kinds, subject, r.Text(),
            ReadTime(ref r), ReadTime(ref r), r.Text(), r.Text());
    }

    /// <summary>Why it cannot be taken; null when it can.</summary>
    public string? Refusal() => By.Refusal()
        ?? (Id.Length is 0 or > 64 ? "planned work has an id of 1 to 64 characters"
            : Subject is null && Place.Length == 0 ? "planned work names a subject or a place"
            : Expected.Length is 0 or > MaxExpected ? $"planned work names 1 to {MaxExpected} kinds that it will cause"
            : To.Seconds - From.Seconds > Suppression.MaxSeconds
                ? $"planned work lasts at most {Suppression.MaxSeconds / 86_400} days"
            : PlainText.Refusal(Id, Place, Owner, Note));

    public bool Equals(PlannedWork? other) => other is not null && ToBytes().AsSpan().SequenceEqual(other.ToBytes());
    public override int GetHashCode() => HashCode.Combine(At, Id);
    public override string Describe() => $"planned work {Id} of {Owner} from {From} to {To}";
}

/// <summary>
/// The one freeze: while it holds, nothing that moves load or blocks goes out, anywhere. One person freezes; two
/// thaw.
/// </summary>
public sealed record FreezeAct(UnixTime At, Actor By, bool Freeze, string Why) : Input(InputKind.FreezeAct)
{
    public override TwinKey Target => PolicyActivation.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        By.Write(to);
        to.Bool(Freeze);
        to.Text(Why);
    }
    internal static FreezeAct ReadPayload(ref ByteReader r) => new(ReadTime(ref r), Actor.Read(ref r), r.Bool(),
        r.Text());
    public override string Describe() => $"{(Freeze ? "freeze" : "thaw")} by {By}: {Why}";
}

/// <summary>
/// Somebody wants a command sent to a meter: an operator, a billing system, a script with a valid account. It becomes
/// a response of the meter's case on the grid's desk, and meets the same guards. <paramref name="Request"/>: the
/// sender's own number, unique for the meter. <paramref name="Order"/>: the work order it quotes.
/// </summary>
public sealed record CommandRequest(MeterId Meter, UnixTime At, Actor By, string Request, ResponseRung Rung,
    string Order, string Why) : Input(InputKind.CommandRequest)
{
    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        By.Write(to);
        to.Text(Request);
        to.Byte((byte)Rung);
        to.Text(Order);
        to.Text(Why);
    }
    internal static CommandRequest ReadPayload(MeterId id, ref ByteReader r) => new(id, ReadTime(ref r),
        Actor.Read(ref r), r.Text(), (ResponseRung)r.Byte(0, (int)ResponseRung.Reconnect), r.Text(), r.Text());

    /// <summary>Why it cannot be taken; null when it can.</summary>
    public string? Refusal() => By.Refusal()
        ?? (Request.Length is 0 or > 64 || Order.Length > 64 || Why.Length > CaseAct.MaxText
            ? "a request has a number of 1 to 64 characters, an order of at most 64"
            : PlainText.Refusal(Request, Order, Why));

    public override string Describe() => $"{At} {By} asks for {Rung} (order {(Order.Length > 0 ? Order : "none")})";
}

/// <summary>
/// What a gateway says of an order it was given. <paramref name="Response"/>: number of the response in the case;
/// <paramref name="IsUndo"/>: of its undoing. <paramref name="Code"/>: the head-end's own word for a failure.
/// </summary>
public sealed record ResponseOutcome(TwinKey Case, UnixTime At, int Response, bool IsUndo, ResponseResult Result,
    string Gateway, string Code) : Input(InputKind.ResponseOutcome)
{
    public override TwinKey Target => Case;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.VarUInt((ulong)Response);
        to.Bool(IsUndo);
        to.Byte((byte)Result);
        to.Text(Gateway);
        to.Text(Code);
    }
    internal static ResponseOutcome ReadPayload(TwinKey target, ref ByteReader r) => new(target, ReadTime(ref r),
        r.Count(int.MaxValue), r.Bool(),
        (ResponseResult)r.Byte((int)ResponseResult.Accepted, (int)ResponseResult.Refused), r.Text(), r.Text());
    public override string Describe() => $"{At} {Gateway}: response {Response} {(IsUndo ? "undoing " : "")}{Result}"
        + (Code.Length > 0 ? $" ({Code})" : "");
}
