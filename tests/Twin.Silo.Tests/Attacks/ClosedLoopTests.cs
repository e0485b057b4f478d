using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Attacks;
using Twin.Hardware.Emulator.Network;
using Twin.Hardware.Emulator.Zeus;
using Twin.Silo.Attacks;
using Twin.Silo.Embedded;
using Twin.Silo.Emulation;

namespace Twin.Silo.Tests.Attacks;

/// <summary>What is ordered is done in the emulation, and what comes of it is scored.</summary>
public class ClosedLoopTests
{
    private static bool IsGrave(CaseFacts f) => f.Subject.Kind == TwinKind.Meter
        && f.Findings.Any(x => x.IsProof && x.Severity >= Severity.High);

    private static (ResponseRung, string) Cautious(CaseFacts f) => f.Wanted is { } wanted
        ? (wanted, f.RequestsInHour > 2 ? "a rhythm" : "")
        : (IsGrave(f) ? ResponseRung.BlockWrites : ResponseRung.Log, "");

    private static Task<AttackRunReport> Run(string id, Func<CaseFacts, (ResponseRung, string)> policy) =>
        AttackRun.Of(Catalogue.Find(id)!, new AttackFleet(24, 1), new PlainPolicy(new TwinFactory(), policy),
            CancellationToken.None);

    private static string Outcome(AttackRunReport run) => $"{run.Result.Status} {run.Result.Reason}".TrimEnd();

    [Fact]
    public async Task A_mass_disconnection_is_held_at_the_budget_and_counts_as_blocked()
    {
        var run = await Run("T10", Cautious);
        Assert.Equal("passed", Outcome(run));
        var asked = run.Answers.Responses.Where(r => r.Response.RequestedBy.Person == "j.doe").ToList();
        Assert.Equal(20, asked.Select(r => r.Response.Subject).Distinct().Count());
        var moved = asked.Count(r => r.Response.State == ResponseState.Executing);
        Assert.InRange(moved, 1, 2 * 3);
        Assert.Equal(20 - moved, asked.Count(r => r.Response.State == ResponseState.Quarantined));
    }

    [Theory]
    [InlineData("T11")]
    [InlineData("T36")]
    public async Task Writes_to_a_suspect_meter_are_blocked_in_time(string id)
    {
        var run = await Run(id, Cautious);
        Assert.Equal("passed", Outcome(run));
        Assert.Contains(run.Result.Responses, r => r is { Rung: "block writes", State: "done", Automatic: true });
    }

    [Fact]
    public async Task A_policy_that_only_logs_and_one_that_always_disconnects_fail()
    {
        Assert.Equal("failed no response of block writes or more", Outcome(await Run("T11", f =>
            (f.Wanted ?? ResponseRung.Log, ""))));
        var harsh = await Run("T11", f =>
            (f.Wanted ?? (IsGrave(f) ? ResponseRung.Disconnect : ResponseRung.Log), ""));
        Assert.StartsWith("failed disconnect on ", Outcome(harsh));
        Assert.EndsWith("is more than may come without a human", Outcome(harsh));
    }

    /// <summary>The same of documents, as 'attack run --policy' takes them.</summary>
    [Fact]
    public async Task Documents_that_only_write_down_or_always_cut_off_fail()
    {
        Task<AttackRunReport> Under(string id, string policy) => AttackRun.Of(Catalogue.Find(id)!,
            new AttackFleet(24, 1) { Policy = policy }, CancellationToken.None);
        Assert.Equal("failed no response of block writes or more",
            Outcome(await Under("T11", Policies.SomePolicies.LogOnly)));
        var careless = Outcome(await Under("T36", Policies.SomePolicies.Careless));
        Assert.StartsWith("failed isolate communications on ", careless);
        Assert.EndsWith("is more than may come without a human", careless);
    }

    /// <summary>
    /// Somebody on site confirms a danger, two persons approve, the supply is switched off and on again. In modes 1 and
    /// 3 a reconnection only arms the switch: somebody at the meter closes it.
    /// </summary>
    [Theory]
    [InlineData(4, true)]
    [InlineData(3, false)]
    public async Task A_confirmed_danger_ends_in_disconnection_and_aware_reconnection(byte mode, bool closes)
    {
        var attack = Catalogue.Find("T01")!;
        var directory = Directory.CreateTempSubdirectory("metertwin-loop-");
        using var emulated = new EmulatedFleet(new AttackFleet(24, 1).OptionsFor(attack.Scene));
        await using var twins = EmbeddedFleet.Open(new EmbeddedOptions
        {
            DataPath = directory.FullName, Shards = 1, SnapshotOnClose = false,
        }, new PlainPolicy(new TwinFactory(), Cautious)
        {
            ApprovalsOf = rung => ResponseRungs.MovesLoad(rung) ? 2 : 0,
        }, null);
        var run = new FleetRun(emulated, twins);
        var (meter, stage) = (emulated.Meters[3], new AttackStage(emulated, attack));
        meter.Zeus.Metrology.Switch.Switch.TrySetMode(mode);
        var suspect = CaseKey.Of(meter.Id.Twin, Desk.Security);
        var (anna, ben, cem) = (Person("Anna"), Person("Ben"), Person("Cem"));

        async Task Hours(double hours) =>
            await run.Until(new UnixTime(emulated.Now.Seconds + (long)(hours * 3_600)), CancellationToken.None);
        Task Do(Input input) => run.Append(input, CancellationToken.None);
        async Task Response(ResponseRung rung)
        {
            await Do(new ResponseAct(suspect, emulated.Now, anna, ResponseActKind.Propose, 0, rung, "fire brigade"));
            await Hours(0.25);
            var proposed = RunAnswers.Of(twins.Ledger).Responses.Last(r => r.Response.Rung == rung).Response;
            Assert.Equal((ResponseState.Proposed, 2), (proposed.State, proposed.Needed));
            await Do(new ResponseAct(suspect, emulated.Now, anna, ResponseActKind.Approve, proposed.Number, 0, ""));
            await Do(new ResponseAct(suspect, emulated.Now, ben, ResponseActKind.Approve, proposed.Number, 0, ""));
            await Hours(2);
            // One person and the one who asks are not two.
            Assert.Equal(rung == ResponseRung.Disconnect ? ControlState.Connected : ControlState.Disconnected,
                Of(meter).State);
            await Do(new ResponseAct(suspect, emulated.Now, cem, ResponseActKind.Approve, proposed.Number, 0, ""));
            await Hours(2);
        }

        await Hours(30);
        stage.RunImage(3, ImageOrigin.Unsigned);
        await Hours(24);
        await Do(new CaseAct(suspect, emulated.Now, anna, CaseActKind.ConfirmDangerous, 0, "", "smoke at the meter"));
        await Response(ResponseRung.Disconnect);
        Assert.Equal((ControlState.Disconnected, false), Of(meter));
        await Response(ResponseRung.Reconnect);
        Assert.Equal(closes ? (ControlState.Connected, true) : (ControlState.ReadyForReconnection, false), Of(meter));
        directory.Delete(recursive: true);

        static Actor Person(string name) => new(name, "key of " + name);
        static (ControlState State, bool Output) Of(FleetMeter m) =>
            (m.Zeus.Metrology.Switch.Switch.State, m.Zeus.Metrology.Switch.Switch.Output);
    }

    /// <summary>
    /// The same under the policy that ships: it proposes the disconnection itself, waits for two persons and for the
    /// window, and takes it back when people say so.
    /// </summary>
    [Fact]
    public async Task Under_the_policy_that_ships_a_confirmed_danger_is_switched_off_by_two_persons_and_on_again()
    {
        var attack = Catalogue.Find("T01")!;
        using var directory = new TestDirectory();
        using var emulated = new EmulatedFleet(new AttackFleet(24, 1).OptionsFor(attack.Scene));
        await using var twins = EmbeddedFleet.Open(new EmbeddedOptions
        {
            DataPath = directory.Path, Shards = 1, SnapshotOnClose = false,
        }, new TwinFactory(), null);
        var run = new FleetRun(emulated, twins);
        var (meter, stage) = (emulated.Meters[3], new AttackStage(emulated, attack));
        meter.Zeus.Metrology.Switch.Switch.TrySetMode(4);
        var suspect = CaseKey.Of(meter.Id.Twin, Desk.Security);
        var (anna, ben, cem) = (Person("Anna"), Person("Ben"), Person("Cem"));

        await Hours(30);
        stage.RunImage(3, ImageOrigin.Unsigned);
        await Hours(24);
        Assert.DoesNotContain(All(), r => ResponseRungs.MovesLoad(r.Rung));
        await Do(new CaseAct(suspect, emulated.Now, anna, CaseActKind.ConfirmDangerous, 0, "", "smoke at the meter"));
        await Hours(0.5);
        var off = All().Last(r => r.Rung == ResponseRung.Disconnect);
        Assert.Equal((ResponseState.Proposed, 2, ""), (off.State, off.Needed, off.RequestedBy.Person));
        await Approve(off, ben);
        await Hours(6);
        Assert.True(IsOn(), "one person is not two");
        await Approve(off, cem);
        await Hours(24);
        Assert.False(IsOn());
        var (from, until) = (new TimeOnly(8, 0), new TimeOnly(14, 0));
        var ordered = DateTimeOffset.FromUnixTimeSeconds(All().Last(r => r.Number == off.Number).OrderedAt.Seconds);
        Assert.InRange(TimeOnly.FromTimeSpan(ordered.TimeOfDay), from, until);

        await Do(new ResponseAct(suspect, emulated.Now, anna, ResponseActKind.Undo, off.Number, 0, "made safe"));
        await Hours(6);
        foreach (var on in All().Where(r => r is { Rung: ResponseRung.Reconnect, State: ResponseState.Proposed }))
        {
            await Approve(on, ben);
            await Approve(on, cem);
        }
        await Hours(6);
        Assert.True(IsOn());

        async Task Hours(double hours) =>
            await run.Until(new UnixTime(emulated.Now.Seconds + (long)(hours * 3_600)), CancellationToken.None);
        Task Do(Input input) => run.Append(input, CancellationToken.None);
        Task Approve(ResponseRecord r, Actor by) =>
            Do(new ResponseAct(suspect, emulated.Now, by, ResponseActKind.Approve, r.Number, 0, ""));
        bool IsOn() => meter.Zeus.Metrology.Switch.Switch.Output;
        List<ResponseRecord> All() => [.. RunAnswers.Of(twins.Ledger).Responses
            .Where(r => r.Response.Subject == meter.Id.Twin).Select(r => r.Response)];
        static Actor Person(string name) => new(name, "key of " + name);
    }
}
