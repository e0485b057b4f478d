using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using Microsoft.ML.Trainers.FastTree;
using Twin.Detection.Learned;

namespace Twin.Detection.MlNet;

/// <summary>
/// Trains with ML.NET, on one thread and from a seed, and takes the numbers out: what scores later is our own code,
/// which any edition has (see <see cref="TreeEnsemble"/>, <see cref="PrincipalComponents"/>).
/// </summary>
public static class MlTrainer
{
    public const string Library = "Microsoft.ML 5.0.1";
    private const int Trees = 120, Leaves = 12, FewestInLeaf = 40, Rank = 4, Oversampling = 5;
    private const double Rate = 0.1;

    private sealed class Row
    {
        [VectorType(9)]
        public float[] Features { get; set; } = [];
        public bool Label { get; set; }
    }

    private sealed class Said
    {
        public float Score { get; set; }
    }

    /// <summary>
    /// Gradient boosted trees (FastTree, after Friedman, "Greedy function approximation", Annals of Statistics 29,
    /// 2001) that tell rows apart by their labels.
    /// </summary>
    /// <returns>The trees, and what ML.NET itself says of the rows.</returns>
    public static (TreeEnsemble Trees, float[] Scores) FastTree(TrainingRows rows, int seed)
    {
        var ml = new MLContext(seed);
        var data = Load(ml, rows, labelled: true);
        var model = ml.BinaryClassification.Trainers.FastTree(new FastTreeBinaryTrainer.Options
        {
            NumberOfTrees = Trees, NumberOfLeaves = Leaves, MinimumExampleCountPerLeaf = FewestInLeaf,
            LearningRate = Rate, NumberOfThreads = 1, Seed = seed, UnbalancedSets = true,
        }).Fit(data);
        var ensemble = ((CalibratedModelParametersBase<FastTreeBinaryModelParameters, PlattCalibrator>)model.Model)
            .SubModel.TrainedTreeEnsemble;
        var trees = ensemble.Trees.Select((t, i) => Ordered(ensemble.TreeWeights[i], t)).ToArray();
        return (new TreeEnsemble(ensemble.Bias, trees, LearnedModel.Features.Count),
            Scores(ml, model.Transform(data)));
    }

    /// <summary>
    /// The plane of the honest rows (randomized principal components, Halko, Martinsson and Tropp, SIAM Review 53,
    /// 2011).
    /// </summary>
    public static (PrincipalComponents Components, float[] Scores) RandomizedPca(TrainingRows rows, int seed)
    {
        var ml = new MLContext(seed);
        var honest = Load(ml, rows, labelled: false);
        var model = ml.AnomalyDetection.Trainers.RandomizedPca(new RandomizedPcaTrainer.Options
        {
            FeatureColumnName = nameof(Row.Features), Rank = Rank, Oversampling = Oversampling, EnsureZeroMean = true,
            Seed = seed,
        }).Fit(honest);
        var vectors = new VBuffer<float>[Rank];
        model.Model.GetEigenVectors(ref vectors, out var rank);
        var mean = default(VBuffer<float>);
        model.Model.GetMean(ref mean);
        return (new PrincipalComponents([.. mean.DenseValues()],
            [.. vectors.Take(rank).Select(v => v.DenseValues().ToArray())]),
            Scores(ml, model.Transform(Load(ml, rows, labelled: true))));
    }

    private static IDataView Load(MLContext ml, TrainingRows rows, bool labelled) => ml.Data.LoadFromEnumerable(
        Enumerable.Range(0, rows.Rows.Count).Where(i => labelled || !rows.Labels[i])
            .Select(i => new Row { Features = rows.Rows[i], Label = rows.Labels[i] }));

    private static float[] Scores(MLContext ml, IDataView told) =>
        [.. ml.Data.CreateEnumerable<Said>(told, reuseRowObject: false, ignoreMissingColumns: true)
            .Select(s => s.Score)];

    /// <summary>ML.NET numbers nodes as it split them; ours lie behind their parents.</summary>
    private static TreeEnsemble.Tree Ordered(double weight, RegressionTree t)
    {
        var order = new List<int>();
        if (t.NumberOfNodes > 0) order.Add(0);
        for (var i = 0; i < order.Count; i++)
            foreach (var child in (int[])[t.LeftChild[order[i]], t.RightChild[order[i]]])
                if (child >= 0) order.Add(child);
        int Place(int child) => child < 0 ? child : order.IndexOf(child);
        return new TreeEnsemble.Tree(weight, [.. order.Select(n => t.NumericalSplitFeatureIndexes[n])],
            [.. order.Select(n => t.NumericalSplitThresholds[n])], [.. order.Select(n => Place(t.LeftChild[n]))],
            [.. order.Select(n => Place(t.RightChild[n]))], [.. t.LeafValues]);
    }
}
