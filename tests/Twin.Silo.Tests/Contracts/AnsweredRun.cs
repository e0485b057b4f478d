using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Attacks;
using Twin.Hardware.Emulator.Network;
using Twin.Silo.Attacks;
using Twin.Silo.Embedded;
using Twin.Silo.Emulation;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Contracts;

/// <summary>What two engines that got the same appends must have alike about cases and responses.</summary>
internal sealed record Answered(string Hash, List<string> Findings, List<string> Entries, List<string> Cases)
{
    public static async Task<Answered> Of(IFleet fleet)
    {
        var entries = new List<string>();
        IReadOnlyList<StoredEntry> page;
        for (var after = 0L; (page = fleet.Ledger.Entries(after, 1_000)).Count > 0; after = page[^1].Number)
            // Where a batch ends differs: an engine may take an append in parts.
            entries.AddRange(page.Select(e => $"{e.Number} {e.Entry.Kind} {e.Entry.At} {e.Entry.Case} "
                + $"{Convert.ToHexString(e.Hash)} {Convert.ToHexString(e.Entry.ToBytes())}"));
        var cases = fleet.Ledger.Cases(new CaseQuery(null, null, null, null, true, 10_000));
        return new Answered(await fleet.Hash(), await fleet.FindingIds(), entries,
            [.. cases.Select(c => Convert.ToHexString(c.ToBytes()))]);
    }

    public void RequireSame(Answered other)
    {
        Assert.Equal(Findings, other.Findings);
        Assert.Equal(Entries, other.Entries);
        Assert.Equal(Cases, other.Cases);
        Assert.Equal(Hash, other.Hash);
    }
}

/// <summary>
/// Six days of an emulated fleet under attack, with people who approve, refuse, undo, freeze and suppress, and with
/// what became of each order: recorded once, as the appends that the engine got, to be given to any engine again.
/// </summary>
internal sealed class AnsweredRun
{
    private const int Days = 6;
    private static readonly Lazy<Task<AnsweredRun>> s_recorded = new(Record);
    private readonly List<(string Source, List<byte[]> Items)> _appends = [];

    /// <summary>What one shard made of it.</summary>
    public Answered Expected { get; private set; } = null!;

    /// <summary>Every change of every response, in order.</summary>
    public List<ResponseRecord> Responses { get; private set; } = [];

    public int Count => _appends.Count;

    public static Task<AnsweredRun> Recorded() => s_recorded.Value;

    /// <summary>Gives appends [from, to) to an engine.</summary>
    public async Task Play(IFleet fleet, int from, int to)
    {
        foreach (var (source, items) in _appends[from..to])
            await fleet.Send(Feed.Batch(source, [.. items]));
    }

    private static async Task<AnsweredRun> Record()
    {
        var run = new AnsweredRun();
        using var directory = new TestDirectory();
        using var emulated = new EmulatedFleet(new AttackFleet(24, 1).OptionsFor(new Scene(Days, SceneKind.Usual, [])));
        await using var twins = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = directory.Path, Shards = 1 },
            new TwinFactory(), null);
        await new Story(emulated, twins, new FleetRun(emulated, new Recorder(twins, run._appends))).Tell();
        run.Expected = await Answered.Of(twins);
        run.Responses = [.. RunAnswers.Of(twins.Ledger).Responses.Select(r => r.Response)];
        return run;
    }

    /// <summary>What the attackers and the people do.</summary>
    private sealed class Story(EmulatedFleet emulated, IFleet twins, FleetRun run)
    {
        private static readonly Actor s_anna = new("Anna", "key a"), s_ben = new("Ben", "key b");
        private readonly AttackStage _stage = new(emulated, Catalogue.Find("T10")!);
        private readonly HashSet<(TwinKey, int)> _undone = [];

        private Task Do(Input input) => run.Append(input, CancellationToken.None);

        /// <summary>The policy that ships, but for what would last longer than the run.</summary>
        private static string Policy()
        {
            using var reader = new StreamReader(
                typeof(TwinFactory).Assembly.GetManifestResourceStream("default.yaml")!);
            return reader.ReadToEnd().Replace("expires: 7d", "expires: 1d", StringComparison.Ordinal);
        }

        public async Task Tell()
        {
            await Do(new PolicyActivation(emulated.Plan.Start, s_anna, Policy()));
            await Do(new Suppression(emulated.Plan.Start, s_anna, "S-1", null, emulated.Meters[5].Id.Twin, "",
                emulated.Plan.Start, new UnixTime(emulated.Plan.Start.Seconds + 2 * 86_400), "a known fault"));
            await Act(1, 600, s => s.RunImage(7, ImageOrigin.Unsigned));
            await Act(1, 660, s => s.DisconnectFromFalseHeadEnd([3, 4, 5]));
            await Danger(2, 480, 9);
            await Act(2, 600, s => s.Disconnect([.. Enumerable.Range(10, 12)]));
            await Freeze(3, 480);
            await Act(3, 540, s => s.Disconnect([11, 12]));
            await Until(_stage.At(3, 720));
            await Do(new FreezeAct(emulated.Now, s_anna, false, "over"));
            await Do(new FreezeAct(emulated.Now, s_ben, false, "over"));
            await Until(emulated.Plan.End);
            await run.End(CancellationToken.None);
        }

        private async Task Act(int day, int minute, Action<AttackStage> act)
        {
            await Until(_stage.At(day, minute));
            act(_stage);
            foreach (var input in _stage.TakeTold()) await run.Append(input, CancellationToken.None);
        }

        private async Task Danger(int day, int minute, int meter)
        {
            await Act(day, minute, s => s.RunImage(meter, ImageOrigin.Unsigned));
            await Until(_stage.At(day, minute + 60));
            var suspect = CaseKey.Of(emulated.Meters[meter].Id.Twin, Desk.Security);
            await Do(new CaseAct(suspect, emulated.Now, s_anna, CaseActKind.ConfirmDangerous, 0, "", "smoke"));
            await Do(new ResponseAct(suspect, emulated.Now, new Actor("Cem", "key c"), ResponseActKind.Propose, 0,
                ResponseRung.Disconnect, "fire brigade"));
        }

        private async Task Freeze(int day, int minute)
        {
            await Until(_stage.At(day, minute));
            await Do(new FreezeAct(emulated.Now, s_ben, true, "look first"));
        }

        /// <summary>Every two hours people look at what waits for them.</summary>
        private async Task Until(UnixTime to)
        {
            while (emulated.Now.Seconds < to.Seconds)
            {
                var before = emulated.Now.Seconds;
                await run.Until(new UnixTime(Math.Min(to.Seconds, before + 7_200)), CancellationToken.None);
                if (emulated.Now.Seconds == before) break;
                await Look();
            }
        }

        private async Task Look()
        {
            var now = RunAnswers.Of(twins.Ledger).Responses.GroupBy(r => (r.Response.Case, r.Response.Number))
                .Select(g => g.Last().Response).ToList();
            foreach (var r in now)
            {
                if (r is { State: ResponseState.Proposed, Needed: > 0 } && r.Approvals.Length < r.Needed)
                    foreach (var person in (Actor[])[s_anna, s_ben])
                        await Do(new ResponseAct(r.Case, emulated.Now, person,
                            r.Number % 3 == 2 ? ResponseActKind.Reject : ResponseActKind.Approve, r.Number, 0, "seen"));
                else if (r.State == ResponseState.Quarantined)
                    foreach (var person in (Actor[])[s_anna, s_ben])
                        await Do(new ResponseAct(r.Case, emulated.Now, person,
                            r.Case.Id / 2 % 2 == 0 ? ResponseActKind.Process : ResponseActKind.Delete, r.Number, 0,
                            "seen"));
                else if (r is { State: ResponseState.Done, Rung: ResponseRung.BlockWrites } && _undone.Count == 0
                    && _undone.Add((r.Case, r.Number)))
                    await Do(new ResponseAct(r.Case, emulated.Now, s_ben, ResponseActKind.Undo, r.Number, 0, "enough"));
            }
        }
    }

    /// <summary>Hands appends on, and keeps them.</summary>
    private sealed class Recorder(IFleet inner, List<(string, List<byte[]>)> appends) : IFleet
    {
        public FleetStatus Status => inner.Status;
        public ILedgerSource Ledger => inner.Ledger;

        public ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel)
        {
            appends.Add((batch.Source, [.. Enumerable.Range(0, batch.Count).Select(i => batch[i].ToArray())]));
            return inner.Append(batch, cancel);
        }

        public ValueTask<byte[]?> State(TwinKey key, AsOf asOf, CancellationToken cancel) =>
            inner.State(key, asOf, cancel);

        public ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit,
            CancellationToken cancel) => inner.Keys(kind, after, limit, cancel);

        public ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel) =>
            inner.Findings(query, cancel);

        public ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay, UnixTime? knownAt,
        DayVisitor visit, CancellationToken cancel) => inner.Series(meter, channel, fromDay, toDay, knownAt, visit,
        cancel);

        public ValueTask<IReadOnlyList<(int Day, byte[] Body)>> Publications(TwinKey from, int fromDay, int toDay,
            UnixTime? knownAt, CancellationToken cancel) => inner.Publications(from, fromDay, toDay, knownAt, cancel);

        public ValueTask<string> StateHash(CancellationToken cancel) => inner.StateHash(cancel);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
