namespace Twin.Detection.Evaluation;

/// <summary>What a crew finds that visits the highest-ranked meters of each week.</summary>
/// <param name="Prevalence">Share of meters under theft.</param>
/// <param name="VisitsPer1000">Visits a week for each 1,000 meters.</param>
/// <param name="Precision">Share of visits that find a theft, mean over the weeks.</param>
/// <param name="VisitsPerTheft">Visits for one confirmed theft; NaN when none is found.</param>
public readonly record struct VisitResult(double Prevalence, int VisitsPer1000, double Precision,
    double VisitsPerTheft);

/// <summary>
/// Ranks the meters of each week by their highest score of that week. A set holds far more thefts than a fleet, so
/// meters are weighted: the thefts under way in the week to the prevalence, each kind alike, all others (honest ones,
/// look-alikes and faults, in the protocol's proportions) to the rest. Each week stands for itself; nobody is taken out
/// after a visit.
/// </summary>
public static class WeeklyVisits
{
    public static IReadOnlyList<double> Prevalences { get; } = [0.005, 0.01];
    public static IReadOnlyList<int> Visits { get; } = [1, 2, 5, 10, 20];
    private const int Week = 7;

    public static IReadOnlyList<VisitResult> Of(IReadOnlyList<ScoredCase> cases)
    {
        var results = new List<VisitResult>();
        foreach (var prevalence in Prevalences)
        {
            var sums = new double[Visits.Count];
            var weeks = 0;
            for (var from = Protocol.FirstJudgedDay; from + Week <= Protocol.Days; from += Week)
            {
                if (Found(cases, from, prevalence) is not { } found) continue;
                for (var k = 0; k < sums.Length; k++) sums[k] += found[k];
                weeks++;
            }
            for (var k = 0; k < sums.Length; k++)
            {
                var precision = weeks == 0 ? double.NaN : sums[k] / weeks / Visits[k];
                results.Add(new VisitResult(prevalence, Visits[k], precision,
                    precision > 0 ? 1 / precision : double.NaN));
            }
        }
        return results;
    }

    /// <summary>
    /// Thefts among the first visits of a week, for each number of visits to 1,000 meters; null in a week without a
    /// theft under way. What ties is visited in proportion.
    /// </summary>
    private static double[]? Found(IReadOnlyList<ScoredCase> cases, int from, double prevalence)
    {
        var thefts = cases.Where(c => IsUnderWay(c, from)).GroupBy(c => c.Kind)
            .ToDictionary(g => g.Key, g => g.Count());
        var others = cases.Count(c => c.Cause != Cause.Theft);
        if (thefts.Count == 0 || others == 0) return null;
        var ranked = cases.Where(c => c.Cause != Cause.Theft || IsUnderWay(c, from))
            .Select(c => (Score: Highest(c, from), IsTheft: c.Cause == Cause.Theft,
                Meters: 1000 * (c.Cause == Cause.Theft ? prevalence / thefts.Count / thefts[c.Kind]
                    : (1 - prevalence) / others)))
            .GroupBy(c => c.Score).OrderByDescending(g => g.Key);
        var found = new double[Visits.Count];
        var visited = 0.0;
        foreach (var tied in ranked)
        {
            if (visited >= Visits[^1]) break;
            var (all, stolen) = (tied.Sum(c => c.Meters), tied.Where(c => c.IsTheft).Sum(c => c.Meters));
            for (var k = 0; k < found.Length; k++)
                found[k] += stolen * Math.Clamp((Visits[k] - visited) / all, 0, 1);
            visited += all;
        }
        return found;
    }

    private static bool IsUnderWay(ScoredCase c, int from) => c.Cause == Cause.Theft && c.Onset < from + Week;

    private static double Highest(ScoredCase c, int from)
    {
        var highest = 0.0;
        for (var d = from; d < Math.Min(from + Week, c.Days.Length); d++) highest = Math.Max(highest, c.Days[d]);
        return highest;
    }
}
