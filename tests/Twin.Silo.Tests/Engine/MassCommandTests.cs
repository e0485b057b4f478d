using System.Diagnostics;
using System.Globalization;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Guards;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Embedded;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Engine;

/// <summary>
/// Whoever has a valid account and asks for very many switch commands gets as far as the budgets, and no further.
/// </summary>
public sealed class MassCommandTests(ITestOutputHelper output) : IDisposable
{
    private const int Meters = 10_000, Feeders = 100, Regions = 4;

    /// <summary>Monday 2024-10-07, 09:00: hours in which supplies may be switched off.</summary>
    private const int Day = Feed.FirstDay + 3;
    private const long Morning = Day * 86_400L + 9 * 3_600;
    private static readonly Actor s_script = new("billing script", "key 1"), s_second = new("Second Person", "key 2");

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private EmbeddedFleet Open(string name) => EmbeddedFleet.Open(
        new EmbeddedOptions { DataPath = _directory.Sub(name), Shards = 2 }, new TwinFactory(), null);

    /// <summary>Ordinary customers by a register of five days ago, with a morning of readings.</summary>
    private static async Task Found(IFleet fleet, int meters)
    {
        var batch = new InputBatch("registry");
        var values = new int[24];
        for (var m = 0; m < meters; m++)
        {
            batch.Add(Feed.Seen(m));
            batch.Add(new MeterRelation(Feed.Meter(m), $"M{m}", MeterRole.Customer, $"F{m % Feeders}", "ZX", "1.0",
                "L7", "", $"UP{m}", "L1", "", "", $"R{m % Regions}", CustomerCategory.Ordinary, Day - 5,
                int.MaxValue));
            values.AsSpan().Fill(150 + m % 300);
            var bytes = new ByteWriter();
            ReadingBlock.WriteRaw(bytes, Feed.Meter(m), Channel.Import, 30, (Day - 1) * 1_440L, values, [], 0);
            batch.Add(bytes.Written);
        }
        Assert.All((await fleet.Send(batch)).Items, i => Assert.Equal(AdmissionStatus.Accepted, i.Status));
    }

    private static async Task Ask(IFleet fleet, int meters, ResponseRung rung, long at, string mark)
    {
        var batch = new InputBatch("head-end");
        for (var m = 0; m < meters; m++)
            batch.Add(new CommandRequest(Feed.Meter(m), new UnixTime(at), s_script, $"{mark}{m}", rung, $"WO-{m}", ""));
        Assert.All((await fleet.Send(batch)).Items, i => Assert.Equal(AdmissionStatus.Accepted, i.Status));
    }

    private static async Task Order(IFleet fleet, int meters)
    {
        var batch = new InputBatch("orders");
        for (var m = 0; m < meters; m++)
            batch.Add(new WorkOrder(Feed.Meter(m), new UnixTime(Morning), $"WO-{m}", ushort.MaxValue,
                new UnixTime(Morning - 60), new UnixTime(Morning + 86_400), "", ""));
        Assert.All((await fleet.Send(batch)).Items, i => Assert.Equal(AdmissionStatus.Accepted, i.Status));
    }

    private static Task Sweep(IFleet fleet, long at) => fleet.Send(Feed.Batch("host", new Sweep(new UnixTime(at))));

    private static async Task<List<ResponseRecord>> Responses(IFleet fleet)
    {
        var all = new List<ResponseRecord>();
        foreach (var key in await fleet.Keys(TwinKind.Case, 0, 100_000, default))
            all.AddRange(CaseView.From(key, (await fleet.State(key, null, default))!).Responses
                .Where(r => ResponseRungs.MovesLoad(r.Rung)));
        return all;
    }

    /// <summary>The second person, too, belongs to whoever attacks, and approves what waits for approval.</summary>
    private static async Task Approve(IFleet fleet, long at)
    {
        var batch = new InputBatch("second");
        foreach (var r in (await Responses(fleet)).Where(r => r.State == ResponseState.Proposed && r.Needed > 0))
            batch.Add(new ResponseAct(r.Case, new UnixTime(at), s_second, ResponseActKind.Approve, r.Number, default,
                ""));
        if (batch.Count > 0) await fleet.Send(batch);
    }

    private static async Task<GuardView> Guard(IFleet fleet) =>
        GuardView.From(GuardKey.Fleet, (await fleet.State(GuardKey.Fleet, null, default))!);

    /// <summary>No span of 5 minutes, an hour or a day holds more orders or load than the budget.</summary>
    private static void Within(Budget budget, IEnumerable<ResponseRecord> of, string who)
    {
        var orders = of.Where(r => r.OrderedAt.Seconds != 0).OrderBy(r => r.OrderedAt.Seconds).ToArray();
        foreach (var (seconds, commands, watts) in ((int, int, long)[])[(300, budget.Commands5, budget.Watts5),
            (3_600, budget.CommandsHour, budget.WattsHour), (86_400, budget.CommandsDay, budget.WattsDay)])
            foreach (var from in orders.Select(o => o.OrderedAt.Seconds).Distinct())
            {
                var inside = orders.Where(o => o.OrderedAt.Seconds >= from && o.OrderedAt.Seconds <= from + seconds)
                    .ToArray();
                Assert.True(commands < 0 || inside.Length <= commands,
                    $"{who}: {inside.Length} of {commands} commands within {seconds} s");
                Assert.True(watts < 0 || inside.Sum(o => o.Watts) <= watts,
                    $"{who}: {inside.Sum(o => o.Watts)} of {watts} W within {seconds} s");
            }
    }

    private void Print(string what, List<ResponseRecord> all, GuardView guard, int asked, Stopwatch watch)
    {
        var ordered = all.Where(r => r.OrderedAt.Seconds != 0).ToArray();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what}: {asked} requested, {ordered.Length} ordered, {Count(all, ResponseState.Quarantined)} held, "
            + $"{Count(all, ResponseState.Rejected)} rejected, {Count(all, ResponseState.Proposed)} wait for approval, "
            + $"{ordered.Sum(r => r.Watts)} W moved; "
            + $"budget of the fleet {guard.Budget.Commands5}/{guard.Budget.CommandsHour}/{guard.Budget.CommandsDay} "
            + $"commands and {guard.Budget.Watts5}/{guard.Budget.WattsHour}/{guard.Budget.WattsDay} W in 5 min/h/day; "
            + $"{watch.Elapsed.TotalSeconds:0.0} s"));
    }

    private static int Count(List<ResponseRecord> of, ResponseState state) => of.Count(r => r.State == state);

    private static int MeterOf(ResponseRecord r) => int.Parse(r.SubjectName.AsSpan(1), CultureInfo.InvariantCulture);

    /// <summary>The budgets of every level, by what the ordered ones say of themselves.</summary>
    private static void WithinAll(GuardLimits limits, List<ResponseRecord> all)
    {
        Within(limits.Fleet, all, "the fleet");
        foreach (var region in all.GroupBy(r => MeterOf(r) % Regions)) Within(limits.Region, region, $"R{region.Key}");
        foreach (var feeder in all.GroupBy(r => MeterOf(r) % Feeders)) Within(limits.Feeder, feeder, $"F{feeder.Key}");
    }

    private static async Task<GuardLimits> Limits(IFleet fleet)
    {
        async Task<Budget> Of(TwinKey key) =>
            await fleet.State(key, null, default) is { } state ? GuardView.From(key, state).Budget
                : new Budget(-1, -1, -1, -1, -1, -1);
        return new GuardLimits(await Of(GuardKey.OfFeeder("F1")), await Of(GuardKey.OfRegion("R1")),
            await Of(GuardKey.Fleet), 0);
    }

    private static async Task<FindingKind[]> Kinds(IFleet fleet) =>
        [.. (await fleet.Findings(new FindingQuery(null, null, null, null, 10_000), default)).Select(f => f.Kind)
            .Distinct()];

    /// <summary>How far whoever attacks has come: a valid account, three persons, or the system of work orders.
    /// </summary>
    public enum Reach { Account, Persons, Orders }

    [Theory]
    [InlineData(Reach.Account)]
    [InlineData(Reach.Persons)]
    [InlineData(Reach.Orders)]
    public async Task Ten_thousand_disconnections_from_a_valid_account_go_no_further_than_the_budgets(Reach reach)
    {
        var watch = Stopwatch.StartNew();
        var fleet = Open("mass");
        await Found(fleet, Meters);
        if (reach == Reach.Orders) await Order(fleet, Meters);
        await Ask(fleet, Meters, ResponseRung.Disconnect, Morning, "r");
        for (var minute = 1; minute <= 120; minute += minute < 10 ? 1 : 10)
        {
            await Sweep(fleet, Morning + 60 * minute);
            if (minute == 3) await Approve(fleet, Morning + 60 * minute);
            if (minute == 5 && reach == Reach.Persons) await Process(fleet, Morning + 60 * minute);
            if (minute != 7) continue;
            await fleet.DisposeAsync();
            fleet = Open("mass");
        }
        await using var last = fleet;
        var (all, guard) = (await Responses(fleet), await Guard(fleet));
        Print($"mass, {reach}", all, guard, Meters, watch);
        Assert.Equal(Meters, all.Count);
        WithinAll(await Limits(fleet), all);
        var ordered = all.Count(r => r.OrderedAt.Seconds != 0);
        Assert.InRange(ordered, reach == Reach.Account ? 0 : 20, reach == Reach.Account ? 0 : Meters / 5);
        Assert.True(Count(all, ResponseState.Quarantined) > Meters * 8 / 10);
        Assert.Contains(FindingKind.CommandVolume, await Kinds(fleet));
        Assert.Contains(FindingKind.CommandsQuarantined, await Kinds(fleet));
    }

    /// <summary>Everybody who may says process to everything.</summary>
    private static async Task Process(IFleet fleet, long at)
    {
        foreach (var person in (string[])["Second Person", "Third Person", "Fourth Person"])
        {
            var batch = new InputBatch("people");
            foreach (var r in (await Responses(fleet)).Where(r => r.State == ResponseState.Quarantined))
                batch.Add(new ResponseAct(r.Case, new UnixTime(at), new Actor(person, "k"), ResponseActKind.Process,
                    r.Number, default, "let it go"));
            if (batch.Count > 0) await fleet.Send(batch);
        }
    }

    [Fact]
    public async Task Switching_in_rhythm_swings_no_more_than_the_budgets()
    {
        const int swung = 400;
        var watch = Stopwatch.StartNew();
        await using var fleet = Open("swing");
        await Found(fleet, swung);
        for (var beat = 0; beat < 12; beat++)
        {
            var at = Morning + 900 * beat;
            await Ask(fleet, swung, beat % 2 == 0 ? ResponseRung.Disconnect : ResponseRung.Reconnect, at, $"b{beat}-");
            await Sweep(fleet, at + 60);
            await Approve(fleet, at + 120);
            await Sweep(fleet, at + 300);
        }
        var (all, guard) = (await Responses(fleet), await Guard(fleet));
        Print("oscillation", all, guard, 12 * swung, watch);
        WithinAll(await Limits(fleet), all);
        var kinds = await Kinds(fleet);
        Assert.Contains(FindingKind.RapidSwitching, kinds);
        Assert.Contains(FindingKind.CommandsQuarantined, kinds);
    }
}
