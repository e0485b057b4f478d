using Twin.Detection;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Access;

/// <summary>
/// Who may do what, and what was looked at: persons and services with their roles, their keys as salted digests, and
/// the load curves that were read. One twin, so that it is in the journal and the ledger like all else, and a revoked
/// key is revoked after a crash, too.
/// <para>
/// Its clock is that of the sweeps. A change that claims an earlier time is refused: a role that waits a day must not
/// be made to look a day old.
/// </para>
/// </summary>
public sealed partial class AccessTwin(ulong id) : ReportingTwin(id)
{
    private const byte StateVersion = 1;

    /// <summary>Persons and services; a further one is refused.</summary>
    public const int MaxHolders = 2_000;

    /// <summary>Keys kept. At the bound the oldest that is of no use any more goes, and without one it is
    /// refused.</summary>
    public const int MaxKeys = 4_000;

    /// <summary>Until a role or a key that is new may approve, s.</summary>
    public const int ApproveAfterSeconds = 86_400;

    /// <summary>A change may claim to be so much earlier than the last sweep, s: clocks differ.</summary>
    private const int MaxBackSeconds = 300;

    private readonly SortedDictionary<string, Holder> _holders = new(StringComparer.Ordinal);
    private readonly List<KeyRecord> _keys = [];
    private ReadBook _reads = new();
    private UnixTime _now;

    /// <summary>The twin for people and for the door.</summary>
    public AccessView View() => new([.. _holders.Values], [.. _keys]);

    protected override SubjectContext ContextOf(UnixTime at) => SubjectContext.Of("access");

    protected override bool WaitsBesides => _holders.Count > 0;

    protected override bool HearsSweeps => true;

    /// <exception cref="InvalidDataException">The input is damaged.</exception>
    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        var read = Input.Read(input);
        if (read is AccessNoted { What: AccessKind.LoadCurveRead } curve && curve.Refusal() is null
            && _reads.Knows(curve)) return Admission.Repeat;
        var reason = read switch
        {
            HolderSet h => h.Refusal() ?? Back(h.At) ?? Standing(h),
            KeyIssued k => k.Refusal() ?? Back(k.At) ?? Room(k),
            KeyRevoked k => k.Refusal() ?? (_keys.Exists(o => o.Id == k.Id && o.RevokedAt is null) ? null
                : $"there is no key {k.Id:x16} that could be revoked"),
            AccessNoted n => n.Refusal(),
            var other => $"an input of kind {other.Kind} does not come through this door",
        };
        if (reason is not null) return Admission.Reject($"access: {reason}");
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    private string? Back(UnixTime at) => at.Seconds >= _now.Seconds - MaxBackSeconds ? null
        : $"it claims {at}, and it was {_now} already; roles and keys are not changed in the past";

    private string? Standing(HolderSet h)
    {
        var key = PersonKey.Of(h.Name);
        if (!_holders.TryGetValue(key, out var now))
            return _holders.Count < MaxHolders ? null
                : $"{MaxHolders} persons and services are known; disable some and "
                + "use their names again";
        if (now.IsService != h.IsService)
            return $"{now.Name} is a {(now.IsService ? "service" : "person")}; take another name";
        var admins = _holders.Where(o => o.Value is { Role: Role.Admin, IsDisabled: false }).Select(o => o.Key)
            .ToArray();
        if (h.By.Key == key && h.Role != now.Role && admins.Length > 0)
            return "nobody changes the own role; another admin has to";
        return admins is [var last] && last == key && (h.Role != Role.Admin || h.IsDisabled)
            ? $"{now.Name} is the last admin; make another one first" : null;
    }

    private string? Room(KeyIssued k)
    {
        if (!_holders.TryGetValue(PersonKey.Of(k.Holder), out var holder))
            return $"there is no person or service {k.Holder}; add it first";
        if (holder.IsDisabled) return $"{holder.Name} is disabled";
        if (_keys.Exists(o => o.Id == k.Id)) return $"a key {k.Id:x16} is there already; make another";
        return _keys.Count < MaxKeys || _keys.Exists(o => IsOver(o, k.At)) ? null
            : $"{MaxKeys} keys are in use; revoke some first";
    }

    private static bool IsOver(KeyRecord key, UnixTime at) =>
        key.RevokedAt is not null || key.ExpiresAt is { } end && end.Seconds <= at.Seconds;

    /// <exception cref="InvalidDataException">The input is damaged, or of a kind that this twin cannot apply.
    /// </exception>
    protected override void ApplyInput(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        var read = Input.Read(input);
        if (read is Sweep sweep)
        {
            if (sweep.At.Seconds > _now.Seconds) _now = sweep.At;
            return;
        }
        IFindingSink findings = Scratch.Mine.SinkTo(outbox);
        switch (read)
        {
            case HolderSet h: Set(h, findings); break;
            case KeyIssued k: Issue(k, findings); break;
            case KeyRevoked k:
                var at = _keys.FindIndex(o => o.Id == k.Id);
                if (at >= 0) _keys[at] = _keys[at] with { RevokedAt = k.At };
                break;
            case AccessNoted n: Note(n, findings); break;
            case var other: throw new InvalidDataException($"Access cannot apply an input of kind {other.Kind}.");
        }
        var when = Input.EventTime(input) ?? _now;
        if (when.Seconds > _now.Seconds) _now = when;
        outbox.Fact(FactKind.Ledger, new LedgerEntry(LedgerKind.Act, when, default, input.ToArray()).ToBytes());
    }

    private void Set(HolderSet h, IFindingSink findings)
    {
        var key = PersonKey.Of(h.Name);
        var before = _holders.GetValueOrDefault(key);
        var isNew = before is null || before.Role != h.Role || before.IsDisabled && !h.IsDisabled
            || before.IsBreakGlass != h.IsBreakGlass
            || before.Regions.Length > 0 && !before.Regions.SequenceEqual(h.Regions);
        var holder = new Holder(h.Name, h.IsService, h.Role, isNew ? h.At : before!.RoleSince, h.Regions, h.IsDisabled,
            h.IsBreakGlass);
        _holders[key] = holder;
        if (isNew && !h.IsDisabled) findings.Add(AccessStatements.RoleChanged(holder, before, h));
    }

    private void Issue(KeyIssued k, IFindingSink findings)
    {
        if (_keys.Count >= MaxKeys)
        {
            var over = _keys.FindIndex(o => IsOver(o, k.At));
            if (over < 0) return;
            _keys.RemoveAt(over);
        }
        _keys.Add(new KeyRecord(k.Id, k.Holder, k.Salt, k.Digest, k.At, k.By.Person, k.ExpiresAt, null));
        // Whoever makes a key of a person could act in that name: it is told, and an approver's key waits besides. The
        // first key with the role is told with the role.
        if (_holders.GetValueOrDefault(PersonKey.Of(k.Holder)) is { IsService: false } holder
            && holder.RoleSince != k.At) findings.Add(AccessStatements.KeyMade(holder, k));
    }

    private void Note(AccessNoted n, IFindingSink findings)
    {
        switch (n.What)
        {
            case AccessKind.BreakGlassUsed: findings.Add(AccessStatements.BreakGlass(n)); break;
            case AccessKind.SignInsFailed: findings.Add(AccessStatements.SignInsFailed(n)); break;
            default:
                if (_reads.Add(n) is var meters and > 0) findings.Add(AccessStatements.BulkRead(n, meters));
                break;
        }
    }

    /// <exception cref="InvalidDataException">Nobody writes to this twin.</exception>
    protected override void ReceiveMail(IInbox inbox, IOutbox outbox) =>
        throw new InvalidDataException("Access takes no messages of twins.");
}

/// <summary>A person or service as it stands.</summary>
public sealed record Holder(string Name, bool IsService, Role Role, UnixTime RoleSince, string[] Regions,
    bool IsDisabled, bool IsBreakGlass)
{
    /// <summary>For comparison.</summary>
    public string Key => PersonKey.Of(Name);

    /// <summary>From when on an approval of this person counts; null when none ever does.</summary>
    public UnixTime? ApprovesFrom => IsService || IsDisabled || Role != Role.Approver ? null
        : new UnixTime(RoleSince.Seconds + AccessTwin.ApproveAfterSeconds);
}

/// <summary>A key as it stands: no secret, but what a secret is held against.</summary>
public sealed record KeyRecord(ulong Id, string Holder, byte[] Salt, byte[] Digest, UnixTime CreatedAt,
    string CreatedBy, UnixTime? ExpiresAt, UnixTime? RevokedAt)
{
    /// <summary>From when on an approval with this key counts.</summary>
    public UnixTime ApprovesFrom => new(CreatedAt.Seconds + AccessTwin.ApproveAfterSeconds);

    /// <summary>Without salt and digest: nobody needs them in a log.</summary>
    public override string ToString() => $"key {Id:x16} of {Holder}";
}

/// <summary>Who may, in order of name, and the keys, in order of making.</summary>
public sealed record AccessView(Holder[] Holders, KeyRecord[] Keys)
{
    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static AccessView From(TwinKey key, ReadOnlySpan<byte> state) => AccessTwin.Restore(key.Id, state).View();
}
