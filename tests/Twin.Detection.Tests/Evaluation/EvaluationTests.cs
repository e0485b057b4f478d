using System.Globalization;
using System.Text;
using Xunit.Abstractions;

namespace Twin.Detection.Tests.Evaluation;

public sealed class EvaluationTests(ITestOutputHelper output)
{
    private const ulong Seed = 20_090_301;

    /// <summary>
    /// More for tuning: METERTWIN_EVALUATION_SETS; half "dev" (even columns) or "test" (odd):
    /// METERTWIN_EVALUATION_HALF.
    /// </summary>
    private const int Sets = 3;

    [Fact]
    public void Scores_separate_thefts_from_honest_homes_on_recorded_data()
    {
        var homes = RecordedHomes.Load();
        if (homes is null)
        {
            output.WriteLine("The recorded homes (shared data, edrp) are not there: nothing was evaluated.");
            return;
        }
        var sets = int.Parse(Environment.GetEnvironmentVariable("METERTWIN_EVALUATION_SETS") ?? $"{Sets}",
            CultureInfo.InvariantCulture);
        var half = Environment.GetEnvironmentVariable("METERTWIN_EVALUATION_HALF") == "dev" ? 0 : 1;
        var pool = homes.Where((_, i) => i % 2 == half).ToArray();
        var with = Report(pool, sets, true);
        var without = Report(pool, sets, false);
        Assert.True(with.Auc > 0.75, $"macro AUC with observers fell to {with.Auc:0.000}, seed {Seed}");
        Assert.True(without.Auc > 0.70, $"macro AUC without observers fell to {without.Auc:0.000}, seed {Seed}");
        Assert.True(with.Tpr5 > without.Tpr5,
            $"observers do not help: {with.Tpr5:0.000} against {without.Tpr5:0.000}, seed {Seed}");
    }

    [Fact]
    public void Homes_as_they_were_recorded_raise_few_findings()
    {
        var homes = RecordedHomes.Load();
        if (homes is null)
        {
            output.WriteLine("The recorded homes (shared data, edrp) are not there: nothing was evaluated.");
            return;
        }
        var kinds = Protocol.Untouched(homes);
        var years = homes.Length * RecordedHomes.Days / 365.25;
        output.WriteLine($"{homes.Length} homes, {years:0} meter-years: {kinds.Values.Sum()} findings, "
            + $"{1000 * kinds.Values.Sum() / years:0} per 1,000 meter-years; "
            + string.Join(", ", kinds.Select(k => $"{k.Value} {Twin.Hardware.Finding.NameOf(k.Key)}")));
        Assert.True(kinds.Values.Sum() <= homes.Length / 20,
            "more than one home in twenty raises a finding in 92 days");
    }

    private (double Tpr1, double Tpr5, double Auc) Report(int[][] pool, int sets, bool withObservers)
    {
        var all = new List<Outcome>();
        for (var i = 0; i < sets; i++) all.AddRange(Protocol.Run(pool, Seed + (ulong)i, withObservers));
        var honest = all.Where(o => o.Cause == Cause.Honest).ToList();
        var scores = honest.Select(o => o.Score).Order().ToArray();
        double at1 = Quantile(scores, 0.99), at5 = Quantile(scores, 0.95);
        var text = new StringBuilder();
        var rows = new List<(double, double, double)>();
        foreach (var group in all.Where(o => o.Cause == Cause.Theft).GroupBy(o => o.Kind).OrderBy(g => g.Key,
            StringComparer.Ordinal))
        {
            var row = (group.Average(o => o.Score > at1 ? 1.0 : 0), group.Average(o => o.Score > at5 ? 1.0 : 0),
                group.Average(o => Rank(scores, o.Score)));
            rows.Add(row);
            var byPiece = string.Join(' ', Enumerable.Range(0, Pieces.Count)
                .Select(i => (Pieces.Names[i], Share: group.Average(o =>
                    o.PieceMax[i] > Quantile(Piece(honest, i), 0.99) ? 1.0 : 0)))
                .Where(p => p.Share >= 0.1).OrderByDescending(p => p.Share).Take(6).Select(p =>
                    $"{p.Item1} {p.Share:0.00}"));
            text.AppendLine(CultureInfo.InvariantCulture,
                $"  {group.Key,-18} n={group.Count(),3}  {row.Item1:0.00} {row.Item2:0.00} {row.Item3:0.00}   "
                    + $"{byPiece}");
        }
        var early = all.Where(o => o.Cause == Cause.Theft && o.Onset == 0).ToList();
        var delays = all.Where(o => o.Cause == Cause.Theft && o.Onset > 0 && o.Score > at1)
            .Select(o => Array.FindIndex(o.DayScores, Math.Max(21, o.Onset), s => s > at1) - o.Onset).Where(d =>
                d >= 0).Order().ToArray();
        var years = honest.Count * 92 / 365.25;
        output.WriteLine($"{(withObservers ? "With" : "Without")} observers, {sets} sets of 200, seed {Seed}: "
            + $"macro TPR@1% {rows.Average(r => r.Item1):0.000}, @5% {rows.Average(r => r.Item2):0.000}, AUC "
                + $"{rows.Average(r => r.Item3):0.000}; "
            + $"from the first day {early.Average(o => o.Score > at1 ? 1.0 : 0):0.00} "
                + $"({early.Average(o => o.Score > at5 ? 1.0 : 0):0.00}); "
            + $"median delay {(delays.Length == 0 ? -1 : delays[delays.Length / 2])} d; thresholds {at1:0.00} "
                + $"{at5:0.00}; "
            + $"findings {1000 * honest.Sum(o => o.Findings) / years:0} per 1,000 honest meter-years");
        foreach (var group in all.Where(o => o.Cause is Cause.LookAlike or Cause.Fault).GroupBy(o => (o.Cause, o.Kind)))
            text.AppendLine(CultureInfo.InvariantCulture,
                $"  {group.Key.Cause} {group.Key.Kind,-12} n={group.Count(),3}  "
                    + $"{group.Average(o => o.Score > at1 ? 1.0 : 0):0.00} "
                    + $"{group.Average(o => o.Score > at5 ? 1.0 : 0):0.00}");
        var alikes = all.Where(o => o.Cause == Cause.LookAlike).ToList();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"  look-alikes alarmed {alikes.Average(o => o.Score > at1 ? 1.0 : 0):0.00}");
        text.AppendLine("  honest 99th percentile by piece: " + string.Join(' ', Enumerable.Range(0, Pieces.Count)
            .Select(i => $"{Pieces.Names[i]} {Quantile(Piece(honest, i), 0.99) * Pieces.HonestHundredth[i]:0.0}")));
        output.WriteLine(text.ToString());
        return (rows.Average(r => r.Item1), rows.Average(r => r.Item2), rows.Average(r => r.Item3));
    }

    private static double[] Piece(List<Outcome> outcomes, int piece) =>
        [.. outcomes.Select(o => (double)o.PieceMax[piece]).Order()];
    private static double Quantile(double[] sorted, double q) => sorted[(int)(q * (sorted.Length - 1))];

    /// <summary>Share of honest homes below the score, ties half: one point of the area under the ROC curve.</summary>
    private static double Rank(double[] sorted, double score) =>
        (sorted.Count(s => s < score) + 0.5 * sorted.Count(s => s == score)) / sorted.Length;
}
