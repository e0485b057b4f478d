using Twin.Detection.Evaluation;
using Twin.Detection.Learned;
using Twin.Ingest;
using Twin.Silo.Evaluation;

namespace Twin.Silo.Learned;

/// <summary>What makes a model of rows; in editions that have a trainer.</summary>
/// <param name="Name">Library and version.</param>
/// <param name="Train">Makes it of rows, by kind and seed.</param>
internal sealed record Trainer(string Name,
    Func<LearnedKind, TrainingRows, int, (TreeEnsemble? Trees, PrincipalComponents? Components)> Train);

/// <summary>How to train.</summary>
internal sealed record TrainingOptions(LearnedKind Kind, ulong Seed, int Sets, int Homes);

/// <summary>
/// Trains on one half of the homes, with thefts, faults and look-alikes laid over them as <c>evaluate</c> does, sets
/// the bar on the honest homes of that half, and measures on the other.
/// </summary>
internal static class ModelTraining
{
    /// <exception cref="FormatError">A half holds too few homes.</exception>
    public static LearnedModel Run(RecordedHomes recorded, TrainingOptions options, Trainer trainer, string from,
        Action<string> tell, CancellationToken cancel)
    {
        var tune = Sets(recorded, options, HomeHalf.Tune, from, cancel);
        tell("rows of the training half are there");
        var rows = TrainingRows.Of(tune);
        var (trees, components) = trainer.Train(options.Kind, rows, unchecked((int)options.Seed));
        tell("trained");
        var training = new Training($"{trainer.Name} {(trees is null ? "RandomizedPca" : "FastTree")}",
            recorded.FirstDay, Protocol.Days, recorded.Homes.Count(h => h.Half == HomeHalf.Tune), rows.Rows.Count,
            options.Seed);
        LearnedModel Make((double, double) bar, (string, double)[] metrics) =>
            new(trees, components, rows.Centre, rows.Spread, bar, training, metrics);
        var open = Make((0, 1), []);
        var bar = BarOf(tune, open);
        var held = Sets(recorded, options, HomeHalf.Report, from, cancel);
        var model = Make(bar, []);
        return Make(bar, Metrics(held, model, rows));
    }

    private static EvaluationRows[] Sets(RecordedHomes recorded, TrainingOptions options, HomeHalf half, string from,
        CancellationToken cancel)
    {
        var pool = recorded.Homes.Where(h => h.Half == half).ToArray();
        if (pool.Length < Protocol.FewestHomes)
            throw new FormatError(from, $"{pool.Length} homes are in the {half.ToString().ToLowerInvariant()} half; a "
                + $"model needs {Protocol.FewestHomes} in each.", "Give the history of more homes.");
        var plan = new EvaluationPlan(options.Seed, options.Sets, options.Homes,
            [.. Scenarios.Thefts.Select(t => t.Id)],
            true, false, 1440 / recorded.IntervalMinutes, recorded.FirstDay);
        var sets = new EvaluationRows[options.Sets];
        Parallel.For(0, sets.Length, new ParallelOptions
        {
            CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount,
        }, i => sets[i] = new EvaluationRows(SetBuilder.Build(pool, plan, i), Protocol.Days));
        return sets;
    }

    private static IEnumerable<double> Highest(IEnumerable<EvaluationRows> sets, LearnedModel model, Cause cause) =>
        from set in sets
        from h in Enumerable.Range(0, set.Meters)
        let c = set.Set.Cases[h]
        where c.Cause == cause
        select Enumerable.Range(Protocol.FirstJudgedDay, set.Days - Protocol.FirstJudgedDay)
            .Max(d => model.Raw(set[h, d]));

    /// <summary>What half of the honest homes, and one in a hundred, reach.</summary>
    private static (double, double) BarOf(EvaluationRows[] sets, LearnedModel model)
    {
        double[] honest = [.. Highest(sets, model, Cause.Honest).Order()];
        var (median, hundredth) = (honest[honest.Length / 2], honest[(int)(honest.Length * 0.99)]);
        return (median, Math.Max(hundredth, median + 1e-6));
    }

    private static (string, double)[] Metrics(EvaluationRows[] held, LearnedModel model, TrainingRows rows)
    {
        var (honest, theft) = (Highest(held, model, Cause.Honest).Order().ToArray(),
            Highest(held, model, Cause.Theft).ToArray());
        double ShareAbove(double share)
        {
            var bar = honest[(int)(honest.Length * share)];
            return theft.Count(t => t > bar) / (double)theft.Length;
        }
        var above = theft.Sum(t =>
        {
            var at = Array.BinarySearch(honest, t);
            return at < 0 ? ~at : at + 0.5;
        });
        return
        [
            ("held_out_auc", above / ((double)honest.Length * theft.Length)),
            ("held_out_tpr_at_1_percent_fpr", ShareAbove(0.99)), ("held_out_tpr_at_5_percent_fpr", ShareAbove(0.95)),
            ("held_out_honest", honest.Length), ("held_out_thefts", theft.Length),
            ("training_share_positive", rows.Labels.Count(l => l) / (double)rows.Labels.Count),
        ];
    }
}
