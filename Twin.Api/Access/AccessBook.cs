using System.Collections.Concurrent;
using System.Collections.Frozen;
using Twin.Grains;
using Twin.Grains.Access;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// Who may, as the twin of access says. Read again when it is older than <see cref="MaxAge"/>, and at once after a
/// change that was made here: in a cluster, a key that was revoked elsewhere is good for that long.
/// </summary>
public sealed class AccessBook(IFleet fleet, ApiOptions options, TimeProvider clock)
{
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    /// <summary>An emergency account is told of again after so long a silence.</summary>
    private const int EmergencySeconds = 900;

    private sealed record Page(FrozenDictionary<string, Holder> Holders, FrozenDictionary<ulong, KeyRecord> Keys,
        long ReadAt);

    private readonly SemaphoreSlim _reading = new(1);

    /// <summary>Credentials and holders whose last use is kept; at the bound a further one's is not.</summary>
    private const int MaxUses = 2 * AccessTwin.MaxKeys + AccessTwin.MaxHolders;

    /// <summary>When each credential and holder was used last, since the process began.</summary>
    private readonly ConcurrentDictionary<string, UnixTime> _lastUse = new(StringComparer.Ordinal);

    private readonly ConcurrentDictionary<string, UnixTime> _emergencies = new(StringComparer.Ordinal);
    private volatile Page? _page;

    public Holder? HolderOf(string name) => _page?.Holders.GetValueOrDefault(PersonKey.Of(name));

    public IEnumerable<Holder> Holders => (_page?.Holders.Values ?? []).OrderBy(h => h.Key, StringComparer.Ordinal);

    public IEnumerable<KeyRecord> Keys => (_page?.Keys.Values ?? []).OrderBy(k => k.CreatedAt.Seconds)
        .ThenBy(k => k.Id);

    /// <summary>True while nobody has made a key: whoever is at the machine may look and send.</summary>
    public bool IsOpen => _page is { Keys.Count: 0 };

    public KeyRecord? Key(ulong id) => _page?.Keys.GetValueOrDefault(id);

    public UnixTime? LastUse(string credential) =>
        _lastUse.TryGetValue(credential, out var at) ? at : null;

    /// <summary>Makes sure that what is known is fresh.</summary>
    public async ValueTask Refresh(CancellationToken cancel, bool force = false)
    {
        if (!force && IsFresh()) return;
        await _reading.WaitAsync(cancel);
        try
        {
            if (!force && IsFresh()) return;
            var at = clock.GetTimestamp();
            var view = await fleet.State(HolderSet.Access, null, cancel) is { } state
                ? AccessView.From(HolderSet.Access, state) : new AccessView([], []);
            _page = new Page(view.Holders.ToFrozenDictionary(h => h.Key, StringComparer.Ordinal),
                view.Keys.ToFrozenDictionary(k => k.Id), at);
        }
        finally
        {
            _reading.Release();
        }
    }

    private bool IsFresh() => _page is { } page && clock.GetElapsedTime(page.ReadAt) < MaxAge;

    /// <summary>Journals a change of who may, and knows it at once.</summary>
    /// <exception cref="ApiProblem">422: the twin refused it, and says why.</exception>
    public async Task<AppendReceipt> Change(Input change, CancellationToken cancel)
    {
        var batch = new InputBatch("api");
        batch.Add(change);
        var receipt = await fleet.Append(batch, cancel);
        await Refresh(cancel, force: true);
        return receipt.Items[0] is { Status: AdmissionStatus.Rejected } refused
            ? throw new ApiProblem(422, "access_refused", refused.Reason, "Change what the reason names.") : receipt;
    }

    /// <summary>
    /// The caller that a holder is with a credential. The use of an account for emergencies is in the ledger before
    /// anything is answered.
    /// </summary>
    /// <exception cref="ApiProblem">401: the holder is disabled or gone.</exception>
    public async ValueTask<Caller> CallerOf(string name, string credential, CancellationToken cancel)
    {
        if (HolderOf(name) is not { IsDisabled: false } holder)
            throw Unauthorised("person_disabled", "The person or service of this credential is disabled.",
                "An admin enables it again: 'metertwin person set'.");
        var now = options.Now();
        var from = ApprovesFrom(holder, credential);
        var caller = new Caller(holder.Name, credential, !holder.IsService, holder.Role, holder.Regions,
            from is { } time && now.Seconds >= time.Seconds)
        { ApprovesFrom = from };
        if (holder.IsBreakGlass) await TellEmergency(caller, now, cancel);
        foreach (var used in (ReadOnlySpan<string>)[credential, holder.Key])
            if (_lastUse.Count < MaxUses || _lastUse.ContainsKey(used)) _lastUse[used] = now;
        return caller;
    }

    /// <summary>
    /// From when on the holder approves with this credential: role and key have both to be a day old, or an admin could
    /// make a key of an approver and use it.
    /// </summary>
    private UnixTime? ApprovesFrom(Holder holder, string credential) =>
        holder.ApprovesFrom is { } role && ApiKey.TryReadName(credential, out var id) && Key(id) is { } key
            && key.ApprovesFrom.Seconds > role.Seconds ? key.ApprovesFrom : holder.ApprovesFrom;

    private async ValueTask TellEmergency(Caller caller, UnixTime now, CancellationToken cancel)
    {
        if (_emergencies.TryGetValue(caller.Actor.Key, out var told) && now.Seconds - told.Seconds < EmergencySeconds
            && now.Seconds >= told.Seconds) return;
        await Note(new AccessNoted(now, caller.Actor, AccessKind.BreakGlassUsed, default, now, now, 1,
            caller.Credential), cancel);
        // Forgotten at the bound, which tells of it once more.
        if (_emergencies.Count >= MaxUses) _emergencies.Clear();
        _emergencies[caller.Actor.Key] = now;
    }

    /// <summary>Journals what was done; complete when it is durable. False: it was there already.</summary>
    /// <exception cref="ApiProblem">400: it cannot be noted, and why.</exception>
    public async Task<bool> Note(AccessNoted noted, CancellationToken cancel)
    {
        var batch = new InputBatch("api");
        batch.Add(noted);
        var receipt = await fleet.Append(batch, cancel);
        if (receipt.Items[0] is { Status: AdmissionStatus.Rejected } refused)
            throw new ApiProblem(400, "not_noted", refused.Reason, "Change what the reason names.");
        return receipt.Items[0].Status == AdmissionStatus.Accepted;
    }

    internal static ApiProblem Unauthorised(string code, string detail, string hint) => new(401, code, detail, hint);
}
