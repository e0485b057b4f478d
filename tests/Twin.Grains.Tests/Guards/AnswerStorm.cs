using Twin.Grains.Cases;
using Twin.Grains.Guards;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Grains.Tests.Guards;

/// <summary>A customer of the storm. <paramref name="StatusAge"/>: days since the category was said.</summary>
internal sealed record Home(MeterId Id, string Name, string Feeder, string Region, CustomerCategory Category,
    int StatusAge)
{
    /// <summary>By DESIGN, Policy: unknown, or said over 30 days ago, counts as critical.</summary>
    public bool IsProtected => Category != CustomerCategory.Ordinary || StatusAge > 30;
}

/// <summary>
/// Chance over real cases, policy and guards: findings, requests, acts of people, restarts, restores from backups,
/// clocks that jump, outcomes that get lost. What goes out is kept with the true time, whatever clocks were told.
/// </summary>
internal sealed class AnswerStorm
{
    public const int Homes = 30;

    /// <summary>Monday 2024-10-07.</summary>
    private const long Start = 20_003L * 86_400;
    private static readonly string[] s_people = ["Anna", "anna ", "Ａｎｎａ", "Bert", "Clara", "clara", "billing"];

    private static readonly FindingKind[] s_kinds =
    [
        FindingKind.ChainBroken, FindingKind.UnauthorisedUpgrade, FindingKind.KeyCompromised, FindingKind.NonceReuse,
        FindingKind.LevelShift, FindingKind.CohortDeviation, FindingKind.Tamper, FindingKind.RapidSwitching,
    ];

    private readonly SplitMix64 _chance;
    private readonly Queue<(int Due, ResponseOutcome Outcome)> _outcomes = [];
    private List<(TwinKey Key, byte[] State)> _backup = [];
    private int _backupAt, _told, _sweeps, _requests;
    private long _skew;

    /// <param name="seed">Chance.</param>
    /// <param name="policy">The text of a policy; null: the reckless one.</param>
    public AnswerStorm(ulong seed, string? policy)
    {
        _chance = new SplitMix64(seed);
        Fleet = policy is null ? new TwinHarness { Factory = new RecklessFactory() } : new TwinHarness();
        if (policy is not null)
            Assert.Equal(AdmissionStatus.Accepted, Fleet.Append(new PolicyActivation(new UnixTime(Start),
                new Actor("Operator", "k0"), policy)).Status);
        All = [.. Enumerable.Range(0, Homes).Select(i => new Home(MeterId.FromUtilityId($"S-{i}"), $"S-{i}",
            $"F{i % 4}", $"R{i % 2}", (CustomerCategory)(i % 5 is 0 or 4 ? 1 : i % 4),
            i % 5 == 4 ? 45 : 1))];
        Tell();
    }

    public TwinHarness Fleet { get; }
    public Home[] All { get; }

    /// <summary>True second.</summary>
    public long Now { get; private set; } = Start;
    public long Clock => Now + _skew;

    /// <summary>All that went into the ledger, with the true second, and whether a freeze held then.</summary>
    public List<(LedgerEntry Entry, long At, bool Frozen)> Said { get; } = [];

    /// <summary>Responses of which a restore made the cases forget at least a part.</summary>
    public HashSet<string> Forgotten { get; } = [];

    public bool Frozen { get; private set; }
    private string _thawing = "";

    /// <param name="withClocks">Clocks jump, and backups are restored.</param>
    public void Step(bool withClocks)
    {
        for (var acts = _chance.Next(4); acts > 0; acts--) Act();
        if (_chance.Next(12) == 0)
            foreach (var key in Fleet.Keys.ToArray()) Fleet.Restart(key);
        if (_chance.Next(40) == 0) Backup();
        if (withClocks && _chance.Next(200) == 0 && _backup.Count > 0) Restore();
        if (withClocks && _chance.Next(60) == 0)
            _skew = _chance.Next(3) switch { 0 => 0, 1 => -_chance.Next(90_000), _ => 4_000 + _chance.Next(40_000) };
        Sweep(60 * (1 + _chance.Next(15)));
    }

    public void Sweep(long seconds)
    {
        Now += seconds;
        _sweeps++;
        while (_outcomes.TryPeek(out var next) && next.Due <= _sweeps) Fleet.Append(_outcomes.Dequeue().Outcome);
        Tell();
        Fleet.Sweep(new UnixTime(Clock));
        Tell();
    }

    /// <summary>Nobody does anything any more, two persons end a freeze, and time goes on by ten days.</summary>
    public void Calm()
    {
        if (Frozen)
            foreach (var person in (string[])["Emil", "Frieda"])
                Fleet.Append(new FreezeAct(new UnixTime(Clock), new Actor(person, "k"), false, "over"));
        (Frozen, _skew) = (false, 0);
        for (var hour = 0; hour < 24 * 10; hour++) Sweep(3_600);
    }

    /// <summary>Reports of a meter, as a sweep brings them.</summary>
    private void Find(Home home)
    {
        var (kind, at) = (s_kinds[_chance.Next(s_kinds.Length)], new UnixTime(Clock));
        var finding = new Finding(home.Id.Twin, home.Name, kind, new UnixTime(Clock - 600), at, at, 3,
            (Severity)(2 + _chance.Next(4)), 0.5 + 0.5 * _chance.NextDouble(), "storm", 1, "", "It was seen.", [], []);
        Report(home, new Report(at, finding, null, ContextOf(home)));
    }

    private SubjectContext ContextOf(Home home) => SubjectContext.Of(home.Name) with
    {
        Category = home.Category,
        CategoryAt = new UnixTime(Now - 86_400L * home.StatusAge),
        Stage = LifeCycle.Operating,
        LoadWatts = home.Id.Value % 7 == 0 ? -1 : 300 + 50 * (int)(home.Id.Value % 40),
        Feeder = home.Feeder,
        Region = home.Region,
        Switch = new SwitchState(true, 1, 4),
        SwitchKnown = true,
        InstalledAt = new UnixTime(Start - 900 * 86_400L),
        Orders = _chance.Next(2) == 0,
    };

    private void Report(Home home, Report report)
    {
        var to = new ByteWriter();
        AnswerHead.Write(to, AnswerKind.Report);
        report.Write(to);
        Fleet.Deliver((home.Id.Twin, report.Case, to.ToArray()));
        Tell();
    }

    private Actor Somebody() => new(s_people[_chance.Next(s_people.Length)], $"k{_chance.Next(5)}");

    private void Act()
    {
        var (home, at, by) = (All[_chance.Next(All.Length)], new UnixTime(Clock), Somebody());
        var rung = (ResponseRung)_chance.Next((int)ResponseRung.Reconnect + 1);
        var key = CaseKey.Of(home.Id.Twin, (Desk)(1 + _chance.Next(4)));
        switch (_chance.Next(16))
        {
            case 0 or 1 or 2: Find(home); break;
            case 3 or 4 or 5:
                var request = new CommandRequest(home.Id, at, by, $"r{_requests++}", _chance.Next(3) == 0 ? rung
                    : _chance.Next(2) == 0 ? ResponseRung.Disconnect : ResponseRung.Reconnect,
                    _chance.Next(2) == 0 ? "WO-1" : "", "storm");
                Report(home, new Report(at, null, request, ContextOf(home)));
                break;
            case 6:
                Fleet.Append(new CaseAct(key, at, by, (CaseActKind)(1 + _chance.Next(8)), (Disposition)_chance.Next(6),
                    "Dora", "storm"));
                break;
            case 7: Fleet.Append(new ResponseAct(key, at, by, ResponseActKind.Propose, 0, rung, "storm")); break;
            case 8 when Frozen || _chance.Next(6) == 0: Freeze(by, at); break;
            default:
                var pending = Latest().Where(r => r.State is ResponseState.Proposed or ResponseState.Quarantined
                    || _chance.Next(4) == 0).ToArray();
                if (pending.Length == 0) break;
                var of = pending[_chance.Next(pending.Length)];
                Fleet.Append(new ResponseAct(of.Case, at, by, _chance.Next(2) == 0 ? ResponseActKind.Approve
                    : (ResponseActKind)(2 + _chance.Next(6)), of.Number, default, "storm"));
                break;
        }
        Tell();
    }

    /// <summary>One person freezes, two thaw.</summary>
    private void Freeze(Actor by, UnixTime at)
    {
        var freeze = !Frozen;
        Fleet.Append(new FreezeAct(at, by, freeze, "storm"));
        if (freeze) (Frozen, _thawing) = (true, "");
        else if (_thawing.Length == 0) _thawing = by.Key;
        else if (_thawing != by.Key) (Frozen, _thawing) = (false, "");
    }

    private readonly SortedDictionary<string, ResponseRecord> _latest = new(StringComparer.Ordinal);

    /// <summary>Each response as the ledger has it last.</summary>
    public IEnumerable<ResponseRecord> Latest() => _latest.Values;

    public static ResponseRecord Read(LedgerEntry entry)
    {
        var r = new ByteReader(entry.Body);
        return ResponseRecord.Read(ref r);
    }

    private void Backup()
    {
        _backup = [.. Fleet.Keys.Select(k => (k, Fleet.State(k)))];
        _backupAt = Said.Count;
    }

    /// <summary>The directory of an earlier day is put back; the engine notices and says so to cases and guards.
    /// </summary>
    private void Restore()
    {
        var kept = _backup.Select(b => b.Key).ToHashSet();
        foreach (var key in Fleet.Keys.ToArray())
            if (!kept.Contains(key)) Fleet.Remove(key);
        foreach (var (key, state) in _backup) Fleet[key] = Fleet.Factory.Restore(key, state);
        foreach (var (entry, _, _) in Said.Skip(_backupAt))
            if (entry.Kind is LedgerKind.Order or LedgerKind.Response) Forgotten.Add(Read(entry).IdempotencyKey);
        _outcomes.Clear();
        var (at, by) = (new UnixTime(Clock), new Actor("engine", "restore"));
        foreach (var key in kept.Where(k => k.Kind == TwinKind.Case).Append(GuardKey.Fleet))
            Fleet.Append(new ResponseAct(key, at, by, ResponseActKind.Quarantine, 0, default, "a backup was restored"));
        // Whoever restores also says again what must hold now.
        if (Frozen) Fleet.Append(new FreezeAct(at, by, true, "was frozen"));
        _thawing = "";
        Tell();
    }

    /// <summary>Takes what is new in the ledger, and has the gateway do what is ordered.</summary>
    private void Tell()
    {
        for (; _told < Fleet.Ledger.Count; _told++)
        {
            var entry = Fleet.Ledger[_told];
            Said.Add((entry, Now, Frozen));
            if (entry.Kind == LedgerKind.Response && Read(entry) is var response)
                _latest[response.IdempotencyKey] = response;
            if (entry.Kind != LedgerKind.Order || _chance.Next(10) == 0) continue;
            var order = Read(entry);
            _outcomes.Enqueue((_sweeps + 1 + _chance.Next(2), new ResponseOutcome(order.Case, new UnixTime(Clock),
                order.Number, order.IsUndo, _chance.Next(8) == 0 ? ResponseResult.Failed : ResponseResult.Done, "storm",
                "")));
        }
    }
}
