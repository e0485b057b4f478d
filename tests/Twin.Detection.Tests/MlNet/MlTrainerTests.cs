using Twin.Detection.Evaluation;
using Twin.Detection.Learned;
using Twin.Detection.MlNet;
using Twin.Hardware;

namespace Twin.Detection.Tests.MlNet;

/// <summary>What ML.NET trains, our own code scores as ML.NET does.</summary>
public sealed class MlTrainerTests
{
    private static TrainingRows Rows(ulong seed)
    {
        var random = new SplitMix64(seed);
        var (rows, labels) = (new List<float[]>(), new List<bool>());
        for (var i = 0; i < 4_000; i++)
        {
            var row = new float[LearnedModel.Features.Count];
            for (var f = 0; f < row.Length; f++) row[f] = (float)random.NextNormal();
            // Two features follow others, so that there is a plane; a quarter is pulled down.
            (row[7], row[8]) = (row[0] + row[1], row[2] - row[3]);
            labels.Add(random.Next(4) == 0);
            if (labels[^1]) row[0] -= 2;
            rows.Add(row);
        }
        return new TrainingRows(rows, labels, new float[9], [.. Enumerable.Repeat(1f, 9)]);
    }

    [Fact]
    public void Trees_score_as_ml_net_does_and_one_seed_gives_one_model()
    {
        var rows = Rows(1);
        var (trees, theirs) = MlTrainer.FastTree(rows, 5);
        Assert.Equal(rows.Rows.Count, theirs.Length);
        for (var i = 0; i < theirs.Length; i++) Assert.Equal(theirs[i], trees.Score(rows.Rows[i]), 1e-3);
        var (again, _) = MlTrainer.FastTree(rows, 5);
        for (var i = 0; i < theirs.Length; i++) Assert.Equal(trees.Score(rows.Rows[i]), again.Score(rows.Rows[i]));
        var (pulled, others) = (Mean(true), Mean(false));
        Assert.True(pulled > others + 1, $"{pulled} against {others}");
        double Mean(bool label) => rows.Rows.Where((_, i) => rows.Labels[i] == label).Average(r => trees.Score(r));
    }

    [Fact]
    public void Components_leave_the_share_that_ml_net_says()
    {
        var rows = Rows(2);
        var (components, theirs) = MlTrainer.RandomizedPca(rows, 5);
        for (var i = 0; i < theirs.Length; i++) Assert.Equal(theirs[i], components.Share(rows.Rows[i]), 1e-3);
    }

    [Fact]
    public void Rows_are_of_honest_homes_and_of_those_that_something_was_done_to()
    {
        var (slots, random) = (48 * Protocol.Days, new SplitMix64(3));
        RecordedHome Home(int h)
        {
            var told = new int[slots];
            for (var s = 0; s < slots; s++) told[s] = 100 + random.Next(80) + (s % 48 is > 34 and < 44 ? 200 : 0);
            return new RecordedHome($"H{h}", ("", "", ""), told, told, null);
        }
        RecordedHome[] pool = [.. Enumerable.Range(0, 40).Select(Home)];
        var plan = new EvaluationPlan(1, 1, 60, [.. Scenarios.Thefts.Select(t => t.Id)], true, false, 48, 20_000);
        var rows = TrainingRows.Of([new EvaluationRows(SetBuilder.Build(pool, plan, 0), Protocol.Days)]);
        Assert.InRange(rows.Labels.Count(l => l) / (double)rows.Labels.Count, 0.05, 0.4);
        Assert.All(rows.Rows, r => Assert.All(r, v => Assert.InRange(v, -10f, 10f)));
        Assert.NotEmpty(MlTrainer.FastTree(rows, 1).Scores);
    }
}
