using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Attacks;
using Twin.Hardware.Emulator.Network;
using Twin.Silo.Embedded;
using Twin.Silo.Emulation;

namespace Twin.Silo.Attacks;

/// <summary>The fleet that each attack gets for itself.</summary>
public sealed record AttackFleet(int Meters, ulong Seed)
{
    /// <summary>Text of the policy that answers findings; null: the default one.</summary>
    public string? Policy { get; init; }

    /// <summary>Customers of a fleet: scripts name up to the twentieth.</summary>
    public const int LeastMeters = 20, MostMeters = 500;

    private const int MetersPerFeeder = 12, FewMetersPerFeeder = 3;

    /// <summary>Balances of few feeders cannot tell a lot that drifts from a few homes that change.</summary>
    private const int LeastOfManyFeeders = 60;

    /// <exception cref="ArgumentException">Too few or too many meters.</exception>
    public FleetOptions OptionsFor(Scene scene)
    {
        if (Meters is < LeastMeters or > MostMeters)
            throw new ArgumentException($"--meters is {Meters}; it must be from {LeastMeters} to {MostMeters}.");
        var isMany = scene.Kind == SceneKind.ManyFeeders;
        var meters = isMany ? Math.Max(Meters, LeastOfManyFeeders) : Meters;
        var feeders = Math.Max(2, meters / (isMany ? FewMetersPerFeeder : MetersPerFeeder));
        var options = new FleetOptions
        {
            Seed = Seed, Meters = meters, Feeders = feeders,
            Concentrators = Math.Max(1, meters / MetersPerFeeder / 2), Days = scene.Days,
            Births = scene.Births,
        };
        return scene.Kind switch
        {
            SceneKind.DualBoard => options with
            {
                Models = [new FleetModel("ZEUS-2D", "1.8.0", 10_800, 1) { DualBoard = true }],
            },
            SceneKind.SummerTime => options with { Zone = "Europe/Amsterdam", Start = new DateOnly(2026, 3, 16) },
            SceneKind.ManyFeeders => options with { LotsByFeeder = true },
            SceneKind.InnocentChanges => options with { LookAlikeShare = 0.5 },
            _ => options,
        };
    }
}

/// <summary>
/// What a run came to: the result, the truth in twins, all findings, what cryptography checks on the meters concerned,
/// what was done about it, and counts of frames and inputs.
/// </summary>
public sealed record AttackRunReport(AttackResult Result, StagedTruth Truth, IReadOnlyList<Finding> Findings,
    CryptographicChecks Checks, RunAnswers Answers, FleetRunTotals Totals);

/// <summary>
/// Plays an attack on a fleet of its own: frames through mesh and intake, inputs through the engine's one door,
/// findings from its store. Twins never hear of the truth.
/// </summary>
public static class AttackRun
{
    /// <summary>Findings of one run that are looked at; a run that states more fails by them.</summary>
    private const int MaxFindings = 10_000;

    private static readonly Actor Operator = new("operator", "attack run");

    /// <summary>The policy that MeterTwin comes with.</summary>
    private static string PolicyText()
    {
        using var reader = new StreamReader(typeof(TwinFactory).Assembly.GetManifestResourceStream("default.yaml")!);
        return reader.ReadToEnd();
    }

    public static Task<AttackRunReport> Of(Attack attack, AttackFleet fleet, CancellationToken cancel) =>
        Of(attack, fleet, new TwinFactory(), cancel);

    public static async Task<AttackRunReport> Of(Attack attack, AttackFleet fleet, ITwinFactory factory,
        CancellationToken cancel)
    {
        var directory = Directory.CreateTempSubdirectory("metertwin-attack-");
        try
        {
            using var emulated = new EmulatedFleet(fleet.OptionsFor(attack.Scene));
            await using var twins = EmbeddedFleet.Open(new EmbeddedOptions
            {
                DataPath = directory.FullName, Shards = 1, SnapshotOnClose = false,
            }, factory, null);
            var run = new FleetRun(emulated, twins);
            await run.Append(new PolicyActivation(emulated.Plan.Start, Operator,
                fleet.Policy ?? PolicyText()), cancel);
            var stage = await Play(attack, emulated, run, cancel);
            var findings = await twins.Findings(new FindingQuery(null, null, null, null, MaxFindings), cancel);
            var truth = TruthOf(attack, emulated, stage);
            var checks = ChecksOf(twins, truth.Meters);
            var answers = RunAnswers.Of(twins.Ledger);
            return new AttackRunReport(AttackScore.Of(attack, truth, findings, answers), truth, findings, checks,
                answers, run.Totals);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>Runs several, two at a time at most; results are in the order of the attacks.</summary>
    public static async Task<IReadOnlyList<AttackResult>> All(IReadOnlyList<Attack> attacks, AttackFleet fleet,
        Action<AttackResult> done, CancellationToken cancel)
    {
        var results = new AttackResult[attacks.Count];
        var options = new ParallelOptions
        {
            CancellationToken = cancel, MaxDegreeOfParallelism = Math.Clamp(Environment.ProcessorCount, 1, 8),
        };
        await Parallel.ForEachAsync(Enumerable.Range(0, attacks.Count), options, async (i, stop) =>
        {
            results[i] = (await Of(attacks[i], fleet, stop)).Result;
            done(results[i]);
        });
        return results;
    }

    internal static async Task<AttackStage> Play(Attack attack, EmulatedFleet emulated, FleetRun run,
        CancellationToken cancel)
    {
        var stage = new AttackStage(emulated, attack);
        foreach (var act in attack.Scene.Acts.Concat(Scene.OrdinaryWork).OrderBy(a => a.Day).ThenBy(a => a.Minute))
        {
            await run.Until(stage.At(act.Day, act.Minute), cancel);
            act.Do(stage);
            foreach (var input in stage.TakeTold()) await run.Append(input, cancel);
        }
        await run.Until(emulated.Plan.End, cancel);
        await run.End(cancel);
        return stage;
    }

    private static StagedTruth TruthOf(Attack attack, EmulatedFleet emulated, AttackStage stage)
    {
        var (plan, truth) = (emulated.Plan, attack.Truth);
        var meters = stage.Concerned.Select(m => emulated.Meters[m]).ToList();
        var feeders = meters.Select(m => TwinKey.Named(TwinKind.Feeder, plan.Relation(m.Plan).Feeder)).ToHashSet();
        var concentrators = meters
            .Select(m => TwinKey.Named(TwinKind.Concentrator, plan.ConcentratorNames[m.Plan.Concentrator])).ToHashSet();
        // What is wrong from birth on may be told before the run begins: the registry's dates are those of the making.
        var onset = stage.At(truth.OnsetDay, truth.OnsetMinute);
        var since = truth is { OnsetDay: 0, OnsetMinute: 0 } ? meters.Min(m => m.Plan.Made.Seconds) : onset.Seconds;
        return new StagedTruth(onset, new UnixTime(since),
            meters.Select(m => m.Id.Twin).Concat(stage.Simple.Select(m => m.Twin)).ToHashSet(),
            feeders.Union(concentrators).ToHashSet(),
            (truth.Feeders ? feeders : []).Union(truth.Concentrators ? concentrators : []).ToHashSet());
    }

    /// <summary>What cryptography says of meters, from what the journal holds of them.</summary>
    internal static CryptographicChecks ChecksOf(EmbeddedFleet twins, IEnumerable<TwinKey> meters)
    {
        var releases = new List<Release>();
        for (ulong partition = 1; partition <= FleetPartition.Count; partition++)
            twins.Journal.ReadAddressed(new TwinKey(TwinKind.Fleet, partition), 0, (_, input) =>
            {
                if (Envelope.Read(input).Kind == InputKind.Release) releases.Add((Release)Input.Read(input));
            });
        var checks = new CryptographicChecks(releases);
        foreach (var meter in meters.Order())
        {
            var inputs = new List<Input>();
            twins.Journal.ReadAddressed(meter, 0, (_, input) =>
            {
                if (Envelope.Read(input).Kind != InputKind.ReadingBlock) inputs.Add(Input.Read(input));
            });
            checks.Check(inputs);
        }
        return checks;
    }
}
