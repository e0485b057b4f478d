using Twin.Detection;
using Twin.Detection.Evaluation;
using Twin.Detection.Evaluation.References;
using Twin.Detection.Learned;
using Twin.Ingest;

namespace Twin.Silo.Evaluation;

/// <summary>What an evaluation is asked for.</summary>
internal sealed record EvaluationOptions(ulong Seed, int Sets, int Homes, HomeHalf Half, IReadOnlyList<string> Thefts,
    bool Observers, bool FromDay0, bool References)
{
    /// <summary>Models to measure beside, each alone and fused with our own score.</summary>
    public IReadOnlyList<LearnedModel> Models { get; init; } = [];
}

/// <summary>One detector's scores of all counted meters of all sets, in the order of the sets.</summary>
internal sealed record NamedScores(string Name, IReadOnlyList<ScoredCase> Cases);

/// <summary>All that was played: our own scores, those of the references, and what was left out.</summary>
internal sealed record Played(EvaluationPlan Plan, IReadOnlyList<ScoredCase> Own,
    IReadOnlyList<NamedScores> References, IReadOnlyList<NoOpCase> NoOps,
    IReadOnlyList<(ScoredCase Case, string Home, string[] Tops)> Everything);

/// <summary>Builds the sets and plays them, at most as many at a time as there are processors.</summary>
internal static class EvaluationRun
{
    /// <summary>Exchanged meters tell two honest series from the first day: nothing could show it.</summary>
    private static IReadOnlyList<string> Thefts(EvaluationOptions options) => options.FromDay0
        ? [.. options.Thefts.Where(t => t != Scenarios.Exchange)] : options.Thefts;

    /// <exception cref="FormatError">The half holds too few homes.</exception>
    /// <exception cref="ArgumentException">No theft is left.</exception>
    public static Played Play(RecordedHomes recorded, EvaluationOptions options, string paths, Action<int> done,
        CancellationToken cancel)
    {
        var pool = recorded.Homes.Where(h => RecordedHome.IsIn(h.Name, options.Half)).ToArray();
        if (pool.Length < Protocol.FewestHomes)
        {
            var half = options.Half == HomeHalf.All ? "there" : $"in the {options.Half} half".ToLowerInvariant();
            throw new FormatError(paths, $"{pool.Length} of {recorded.Meters} homes read are {half} and fit for "
                + $"an evaluation; {Protocol.FewestHomes} are needed.", recorded.Homes.Count < Protocol.FewestHomes
                    || options.Half == HomeHalf.All ? "Give files of more homes."
                    : "Give files of more homes, or --half all.");
        }
        var plan = new EvaluationPlan(options.Seed, options.Sets, options.Homes, Thefts(options), options.Observers,
            options.FromDay0, 1440 / recorded.IntervalMinutes, recorded.FirstDay);
        if (plan.Thefts.Count == 0)
            throw new ArgumentException("--attacks exchange with --from-day0: meters exchanged from the first day "
                + "tell the series of two honest homes. Leave out --from-day0.");
        var sets = new PlayedSet[plan.Sets];
        var finished = 0;
        Parallel.For(0, plan.Sets,
            new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount },
            i =>
            {
                sets[i] = PlayedSet.Of(SetBuilder.Build(pool, plan, i), options);
                done(Interlocked.Increment(ref finished));
            });
        return Join(plan, sets);
    }

    private static Played Join(EvaluationPlan plan, PlayedSet[] sets)
    {
        var references = sets[0].References.Select((r, i) =>
            new NamedScores(r.Name, [.. sets.SelectMany(s => s.References[i].Cases)])).ToArray();
        return new Played(plan, [.. sets.SelectMany(s => s.Own)], references, [.. sets.SelectMany(s => s.NoOps)],
            [.. sets.SelectMany(s => s.Everything)]);
    }
}

/// <summary>One set played; what changes nothing is taken out.</summary>
internal sealed record PlayedSet(IReadOnlyList<ScoredCase> Own, IReadOnlyList<NamedScores> References,
    IReadOnlyList<NoOpCase> NoOps, IReadOnlyList<(ScoredCase Case, string Home, string[] Tops)> Everything)
{
    public static PlayedSet Of(EvaluationSet set, EvaluationOptions options)
    {
        var noOps = new List<NoOpCase>();
        var counts = new bool[set.Cases.Count];
        for (var h = 0; h < set.Cases.Count; h++)
        {
            var c = set.Cases[h];
            counts[h] = true;
            if (c.Cause == Cause.Honest) continue;
            var (energy, shape) = c.Change();
            if (energy >= Protocol.NoOp || shape >= Protocol.NoOp) continue;
            counts[h] = false;
            noOps.Add(new NoOpCase(set.Number, h, c.Home.Name, c.Kind, energy, shape));
        }
        var (scored, tops) = SetRun.Play(set, Protocol.Days);
        var beside = options.References ? ReferenceScores.Of(set, Protocol.Days).ToList() : [];
        if (options.Models.Count > 0) beside.AddRange(Learned(set, options.Models, scored));
        return new PlayedSet([.. scored.Where((_, h) => counts[h])],
            [.. beside.Select(r => new NamedScores(r.Name, [.. scored.Where((_, h) => counts[h])
                .Select(c => c.By(r.Days[c.Meter]))]))], noOps,
            [.. scored.Select((c, h) => (c, set.Cases[h].Home.Name, tops[h]))]);
    }

    /// <summary>Names of a model's own scores, and of ours fused with them.</summary>
    public const string ModelPrefix = "model_", FusedPrefix = "metertwin_with_";

    private static IEnumerable<Reference> Learned(EvaluationSet set, IReadOnlyList<LearnedModel> models,
        ScoredCase[] own)
    {
        var rows = new EvaluationRows(set, Protocol.Days);
        foreach (var model in models)
        {
            var kind = $"{model.Kind}".ToLowerInvariant();
            var alone = LearnedModel.Of(rows, row => model.Score(row));
            yield return new Reference(ModelPrefix + kind, alone);
            yield return new Reference(FusedPrefix + kind,
                [.. own.Select((c, h) => c.Days.Select((s, d) => Fusion.WithLearned(s, alone[h][d])).ToArray())]);
        }
    }
}
