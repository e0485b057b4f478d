namespace Twin.Detection.Evaluation.References;

/// <summary>Scores of a simple detector for each meter and day of a set.</summary>
public sealed record Reference(string Name, double[][] Days);

/// <summary>
/// The simple detectors that ours is measured beside, each as an engineer would set it up in a day, and their fusions.
/// Every setting was fixed on the tune half of the recorded homes. A day's score uses nothing that came after the day
/// closed.
/// </summary>
public static class ReferenceScores
{
    public const string FeederBalanceName = "feeder_balance";
    private const string SharesName = "feeder_shares";

    /// <summary>
    /// What one honest home in a hundred reaches within the judged days (tune half): puts the references on one scale
    /// for fusing.
    /// </summary>
    private static readonly Dictionary<string, double> HonestHundredth = new()
    {
        ["vee_rules"] = 12, ["seasonal_z"] = 4, ["isolation_forest"] = 0.76, ["pca_residual"] = 17, ["lof"] = 5.4,
        ["cusum_to_cohort"] = 116, [FeederBalanceName] = 0.85, [SharesName] = 0.77,
    };

    /// <summary>
    /// Single references first, then fusions. <paramref name="days"/>: how much of the set is played.
    /// </summary>
    public static IReadOnlyList<Reference> Of(EvaluationSet set, int days)
    {
        var x = new HomeDays(set, days);
        var features = new WeekFeatures(x);
        var hours = new HourScores(x);
        var all = new List<Reference>
        {
            new("vee_rules", RuleReferences.VeeRules(x)),
            new("seasonal_z", RuleReferences.SeasonalZ(x, hours)),
            new("isolation_forest", LearnedReferences.IsolationForest(x, features)),
            new("pca_residual", LearnedReferences.PcaResidual(x, hours)),
            new("lof", LearnedReferences.LocalOutlierFactor(x, features)),
            new("cusum_to_cohort", RuleReferences.CusumToCohort(x)),
        };
        if (set.Plan.Observers) all.Add(new Reference(FeederBalanceName, FeederBalance.Scores(x)));
        Reference[] singles = [.. all];
        all.Add(Fuse(x, singles, "fusion_max", static v => v[^1]));
        all.Add(Fuse(x, singles, "fusion_top_two", static v => v[^1] + v[^2]));
        all.Add(Fuse(x, singles, "fusion_mean", static v => Sum(v, 1)));
        all.Add(Fuse(x, singles, "fusion_squares", static v => Sum(v, 2)));
        all.Add(Fisher(x, singles));
        // The rules have the shortest tails among honest homes, and the balance tells whom a change was not missed of.
        Reference[] rules = [.. singles.Where(s => s.Name is "vee_rules" or "cusum_to_cohort")];
        var either = Fuse(x, rules, "fusion_rules", static v => v[^1]);
        all.Add(either);
        if (!set.Plan.Observers) return all;
        var shares = new Reference(SharesName, FeederShares.Scores(x));
        all.Add(shares);
        all.Add(Confirm(x, either, shares));
        return all;
    }

    /// <summary>
    /// Fisher's combination of the ranks that a meter has among all meters that day: minus the sum of the logs of the
    /// share that scores as high or higher.
    /// </summary>
    private static Reference Fisher(HomeDays x, Reference[] parts)
    {
        var scores = x.Scores();
        var sorted = new double[x.Meters];
        for (var d = Protocol.FirstJudgedDay; d < x.Days; d++)
        {
            foreach (var part in parts)
            {
                for (var h = 0; h < x.Meters; h++) sorted[h] = part.Days[h][d];
                Array.Sort(sorted);
                for (var h = 0; h < x.Meters; h++)
                {
                    var first = Array.BinarySearch(sorted, part.Days[h][d]);
                    while (first > 0 && sorted[first - 1] == sorted[first]) first--;
                    scores[h][d] -= Math.Log((x.Meters - first) / (x.Meters + 1.0));
                }
            }
        }
        return new Reference("fusion_fisher", scores);
    }

    /// <summary>What the other references say counts in full only where the balance misses energy.</summary>
    private static Reference Confirm(HomeDays x, Reference fused, Reference balance)
    {
        var scores = x.Scores();
        for (var h = 0; h < x.Meters; h++)
            for (var d = Protocol.FirstJudgedDay; d < x.Days; d++)
                scores[h][d] = fused.Days[h][d]
                    * (0.25 + Math.Min(1, balance.Days[h][d] / (0.5 * HonestHundredth[balance.Name])));
        return new Reference("fusion_confirmed", scores);
    }

    private static double Sum(ReadOnlySpan<double> values, int power)
    {
        var sum = 0.0;
        foreach (var v in values) sum += power == 2 ? v * v : v;
        return sum;
    }

    private delegate double Fusion(ReadOnlySpan<double> sorted);

    /// <summary>Each part on one scale and at most 3, sorted, fused.</summary>
    private static Reference Fuse(HomeDays x, Reference[] parts, string name, Fusion fusion)
    {
        var scores = x.Scores();
        Span<double> values = stackalloc double[parts.Length];
        for (var h = 0; h < x.Meters; h++)
        {
            for (var d = Protocol.FirstJudgedDay; d < x.Days; d++)
            {
                for (var i = 0; i < parts.Length; i++)
                    values[i] = Math.Min(3, parts[i].Days[h][d] / HonestHundredth[parts[i].Name]);
                values.Sort();
                scores[h][d] = fusion(values);
            }
        }
        return new Reference(name, scores);
    }
}
