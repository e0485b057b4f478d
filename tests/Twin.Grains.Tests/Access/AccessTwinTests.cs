using FsCheck;
using FsCheck.Fluent;
using Twin.Grains.Access;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Grains.Tests.Access;

/// <summary>Who may, and attempts to get more than that.</summary>
public sealed class AccessTwinTests
{
    private const long Start = 1_700_000_000, Day = 86_400;
    private static readonly Actor s_root = new("root", "test");

    private readonly TwinHarness _h = new();
    private ulong _keys;

    private AccessView View => AccessView.From(HolderSet.Access, _h.State(HolderSet.Access));

    private static HolderSet Person(string name, Role role, long at = Start, bool disabled = false,
        bool emergency = false, params string[] regions) =>
        new(new UnixTime(at), s_root, name, false, role, regions, disabled, emergency, "");

    private KeyIssued Key(string holder, long at = Start, long? until = null) => new(new UnixTime(at), s_root, ++_keys,
        holder, new byte[16], new byte[32], until is { } end ? new UnixTime(end) : null, "");

    private static AccessNoted Read(string who, int meter, long at = Start, string purpose = "theft") =>
        new(new UnixTime(at), new Actor(who, "key"), AccessKind.LoadCurveRead, new MeterId((ulong)meter + 1).Twin,
            default, default, 1, purpose);

    private void Accepted(Input input) => Assert.Equal((AdmissionStatus.Accepted, ""),
        (_h.Append(input) is var a ? a.Status : default, a.Reason));

    private void Refused(Input input, string why)
    {
        var before = _h.State(HolderSet.Access);
        var admission = _h.Append(input);
        Assert.Equal(AdmissionStatus.Rejected, admission.Status);
        Assert.Contains(why, admission.Reason);
        Assert.Equal(before, _h.State(HolderSet.Access));
    }

    private int Stated(FindingKind kind) => _h.Findings.Count(f => f.Kind == kind);

    [Fact]
    public void All_that_is_done_is_in_the_ledger_and_survives_a_restart()
    {
        Input[] acts = [Person("Anna", Role.Approver), Key("anna", Start + 1), Read("Anna", 1, Start + 2),
            new KeyRevoked(new UnixTime(Start + 3), s_root, 1, "lost"), Person("Anna", Role.Viewer, Start + 4)];
        foreach (var act in acts) Accepted(act);
        Assert.Equal(acts.Select(a => Convert.ToHexString(a.ToBytes())),
            _h.Ledger.Where(e => e.Kind == LedgerKind.Act).Select(e => Convert.ToHexString(e.Body)));
        var before = _h.State(HolderSet.Access);
        _h.Restart(HolderSet.Access);
        Assert.Equal(before, _h.State(HolderSet.Access));
        var (anna, key) = (Assert.Single(View.Holders), Assert.Single(View.Keys));
        Assert.Equal((Role.Viewer, Start + 4), (anna.Role, anna.RoleSince.Seconds));
        Assert.Equal(("anna", Start + 3), (key.Holder, key.RevokedAt!.Value.Seconds));
    }

    [Fact]
    public void A_key_in_words_tells_neither_salt_nor_digest()
    {
        Assert.Equal("key 0000000000000001 for Anna, by root", Key("Anna").ToString());
        Accepted(Person("Anna", Role.Viewer));
        Accepted(Key("Anna"));
        Assert.Equal("key 0000000000000002 of Anna", Assert.Single(View.Keys).ToString());
    }

    [Theory]
    [InlineData(true, Role.Approver, false, "neither approves")]
    [InlineData(true, Role.Admin, false, "neither approves")]
    [InlineData(false, Role.Sender, false, "only a service")]
    [InlineData(true, Role.Operator, true, "emergencies")]
    public void A_service_is_no_person(bool service, Role role, bool emergency, string why) => Refused(
        new HolderSet(new UnixTime(Start), s_root, "X", service, role, [], false, emergency, ""), why);

    [Fact]
    public void A_name_stays_what_it_is()
    {
        Accepted(Person("Anna", Role.Viewer));
        Refused(Person("Anna", Role.Viewer, Start + 1) with { IsService = true }, "take another name");
        Accepted(Person("ANNA ", Role.Analyst, Start + 2));
        Assert.Single(View.Holders);
        Refused(Person("Ann\u0430", Role.Analyst, Start + 3), "U+0430");
    }

    [Fact]
    public void Nobody_gives_a_role_in_the_past()
    {
        Accepted(Person("Root", Role.Admin));
        _h.Sweep(new UnixTime(Start + 10 * Day));
        Refused(Person("Eve", Role.Approver, Start), "in the past");
        Refused(Key("Root", Start), "in the past");
    }

    [Fact]
    public void An_admin_does_not_make_an_approver_of_themselves()
    {
        Accepted(Person("Root", Role.Admin));
        Refused(Person("Root", Role.Approver, Start + 1) with { By = new Actor("ROOT", "key") }, "own role");
    }

    [Fact]
    public void A_key_made_for_an_approver_waits_and_is_told()
    {
        Accepted(Person("Anna", Role.Approver));
        Accepted(Key("Anna"));
        Assert.Equal(1, Stated(FindingKind.RoleChanged));
        Accepted(Key("Anna", Start + 10 * Day));
        var told = Assert.Single(_h.Findings, f => f.Kind == FindingKind.RoleChanged && f.DetectedAt.Seconds > Start);
        Assert.Contains("made key 0000000000000002 for Anna", told.Sentence);
        Assert.Equal(Start + 11 * Day, View.Keys[1].ApprovesFrom.Seconds);
    }

    [Fact]
    public void A_key_made_for_anybody_is_told()
    {
        Accepted(Person("Olga", Role.Operator));
        Accepted(Key("Olga", Start + 60));
        var told = Assert.Single(_h.Findings, f => f.Kind == FindingKind.RoleChanged && f.DetectedAt.Seconds > Start);
        Assert.Equal(Severity.Low, told.Severity);
        Assert.Contains("made key 0000000000000001 for Olga", told.Sentence);
    }

    [Fact]
    public void The_last_admin_stays_and_an_admin_is_of_everywhere()
    {
        Accepted(Person("Ruth", Role.Admin));
        Refused(Person("Ruth", Role.Admin, Start + 1, disabled: true), "last admin");
        Refused(Person("Ruth", Role.Viewer, Start + 1), "last admin");
        Refused(Person("Dora", Role.Admin, Start + 1, regions: "R1"), "all regions");
        Accepted(Person("Dora", Role.Admin, Start + 1));
        Accepted(Person("Ruth", Role.Admin, Start + 2, disabled: true));
        Refused(Person("Dora", Role.Viewer, Start + 3), "last admin");
    }

    [Fact]
    public void An_alarm_is_not_taken_off_in_silence()
    {
        Accepted(Person("Glass", Role.Operator, emergency: true));
        Accepted(Person("Glass", Role.Operator, Start + 5));
        Assert.Equal(2, Stated(FindingKind.RoleChanged));
    }

    [Fact]
    public void Keys_have_an_owner_who_is_there_and_a_number_of_their_own()
    {
        Refused(Key("Nobody"), "no person or service");
        Accepted(Person("Anna", Role.Viewer));
        var key = Key("Anna");
        Accepted(key);
        Refused(key with { Why = "again" }, "is there already");
        Refused(new KeyRevoked(new UnixTime(Start), s_root, 99, ""), "no key");
        Refused(Key("Anna", until: Start), "before it is made");
        Accepted(Person("Anna", Role.Viewer, Start + 1, disabled: true));
        Refused(Key("Anna", Start + 2), "disabled");
    }

    [Fact]
    public void At_its_bound_the_twin_forgets_keys_that_ended_and_refuses_further_ones()
    {
        Accepted(Person("Anna", Role.Viewer));
        Accepted(Key("Anna", until: Start + 1));
        for (var i = 1; i < AccessTwin.MaxKeys; i++) Accepted(Key("Anna"));
        Accepted(Key("Anna", Start + 2));
        Assert.DoesNotContain(View.Keys, k => k.Id == 1);
        Refused(Key("Anna", Start + 2), "in use");
    }

    [Fact]
    public void One_look_is_told_once_in_a_quarter_of_an_hour()
    {
        Accepted(Read("Anna", 1));
        Assert.Equal(AdmissionStatus.Duplicate, _h.Append(Read("Anna", 1, Start + 899)).Status);
        Accepted(Read("Anna", 1, Start + 900));
        Accepted(Read("Anna", 1, Start + 901, "another reason"));
        Accepted(Read("Ben", 1, Start + 901));
        Refused(Read("Anna", 1, Start + 902, ""), "purpose");
    }

    [Fact]
    public void Many_homes_within_an_hour_are_told_and_the_meters_of_a_feeder_count()
    {
        for (var m = 0; m < 60; m++) Accepted(Read("Anna", m, Start + m));
        for (var m = 0; m < 60; m++) Accepted(Read("Anna", 100 + m, Start + 3_700 + m));
        Assert.Equal(0, Stated(FindingKind.BulkRead));
        Accepted(Read("Anna", 0, Start + 3_800) with
        {
            Subject = TwinKey.Named(TwinKind.Feeder, "F1"),
            Count = 45,
        });
        var bulk = Assert.Single(_h.Findings, f => f.Kind == FindingKind.BulkRead);
        Assert.Equal(105, bulk.Evidence[0].Observed);
        Accepted(Read("Anna", 300, Start + 3_801));
        Assert.Equal(1, Stated(FindingKind.BulkRead));
    }

    [Fact]
    public void Emergencies_and_failed_tries_are_told()
    {
        var now = new UnixTime(Start);
        Accepted(new AccessNoted(now, new Actor("Glass", "key:1"), AccessKind.BreakGlassUsed, default, now, now, 1,
            "k"));
        Accepted(new AccessNoted(now, new Actor("unknown", "x"), AccessKind.SignInsFailed, default, now, now, 20, "x"));
        Assert.Equal((1, 1), (Stated(FindingKind.BreakGlassUsed), Stated(FindingKind.SignInsFailed)));
        Assert.All(_h.Findings, f => Assert.True(f.Severity >= Severity.Medium, f.Sentence));
        Assert.Equal(Desk.Security, Desks.Of(FindingKind.BreakGlassUsed));
    }

    /// <summary>
    /// Whatever is done in whatever order: nobody approves who has not been just that, undisturbed, for a day.
    /// </summary>
    [Fact]
    public void Nobody_approves_who_was_not_an_approver_for_a_day()
    {
        var act = from gap in Gen.Choose(0, 50_000)
                  from name in Gen.Elements("Anna", "Ben", "anna")
                  from role in Gen.Elements(Role.Approver, Role.Approver, Role.Admin, Role.Operator)
                  from disabled in Gen.Frequency((4, Gen.Constant(false)), (1, Gen.Constant(true)))
                  from glass in Gen.Frequency((4, Gen.Constant(false)), (1, Gen.Constant(true)))
                  from region in Gen.Elements("", "", "north")
                  select (gap, name, role, disabled, glass, region);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(act.ListOf().ToArbitrary(), acts =>
        {
            var harness = new TwinHarness();
            var (now, model) = (Start, new Dictionary<string, (long Since, bool MayApprove)>());
            var before = new Dictionary<string, (Role, bool, bool, string)>();
            foreach (var (gap, name, role, disabled, glass, region) in acts)
            {
                now += gap;
                string[] regions = region.Length == 0 ? [] : [region];
                var admission = harness.Append(Person(name, role, now, disabled, glass, regions));
                // An admin is of everywhere, and the last one stays.
                var mayRefuse = role == Role.Admin && regions.Length > 0
                    || before.Values.Any(b => b.Item1 == Role.Admin);
                if (admission.Status != AdmissionStatus.Accepted && mayRefuse) continue;
                if (admission.Status != AdmissionStatus.Accepted) return false;
                var key = PersonKey.Of(name);
                var state = (role, disabled, glass, region);
                var isSame = before.TryGetValue(key, out var was)
                    && (was.Item1, was.Item3, was.Item4) == (role, glass, region) && (disabled || !was.Item2);
                // The model begins the wait anew at every difference; the twin may wait less only where rights shrank.
                model[key] = (isSame ? model[key].Since : now, role == Role.Approver && !disabled);
                before[key] = state;
                var view = AccessView.From(HolderSet.Access, harness.State(HolderSet.Access));
                foreach (var holder in view.Holders)
                {
                    var (since, may) = model[holder.Key];
                    var shrank = holder.Regions.Length > 0;
                    if (holder.ApprovesFrom is null != !may) return false;
                    if (may && !shrank && holder.ApprovesFrom!.Value.Seconds != since + Day) return false;
                    if (may && holder.ApprovesFrom!.Value.Seconds > now + Day) return false;
                }
            }
            return true;
        }));
    }
}
