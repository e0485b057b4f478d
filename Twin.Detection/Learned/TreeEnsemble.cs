using Twin.Hardware.Coding;

namespace Twin.Detection.Learned;

/// <summary>
/// A weighted sum of regression trees, as gradient boosting makes them: from the root a row goes left where its feature
/// is at most the threshold, and the leaf tells what the tree adds. Scored with comparisons and sums alone, in fixed
/// order: the same on every machine.
/// </summary>
public sealed class TreeEnsemble
{
    /// <summary>Most trees, and leaves of one.</summary>
    public const int MaxTrees = 1_000, MaxLeaves = 256;

    /// <summary>A tree. Children: from 0 an inner node, below it the leaf <c>~child</c>. A tree of one leaf has no
    /// node.
    /// </summary>
    public sealed record Tree(double Weight, int[] Feature, float[] Threshold, int[] Left, int[] Right, double[] Leaf);

    private readonly double _bias;
    private readonly Tree[] _trees;

    /// <param name="bias">Added to every score.</param>
    /// <param name="trees">In the order in which they are summed.</param>
    /// <param name="features">Length of a row.</param>
    /// <exception cref="InvalidDataException">A tree is none: a child leads nowhere or back, a number is not finite.
    /// </exception>
    public TreeEnsemble(double bias, Tree[] trees, int features)
    {
        (_bias, _trees) = (bias, trees);
        if (trees.Length > MaxTrees || !double.IsFinite(bias)) throw new InvalidDataException("too many trees");
        foreach (var tree in trees) Check(tree, features);
    }

    private static void Check(Tree t, int features)
    {
        var inner = t.Feature.Length;
        if (t.Leaf.Length != inner + 1 || inner >= MaxLeaves || t.Threshold.Length != inner || t.Left.Length != inner
            || t.Right.Length != inner || !double.IsFinite(t.Weight))
            throw new InvalidDataException("a tree whose parts do not fit together");
        for (var n = 0; n < inner; n++)
        {
            // A child lies behind its parent, so that every walk ends.
            foreach (var child in (ReadOnlySpan<int>)[t.Left[n], t.Right[n]])
                if (child >= inner || child >= 0 && child <= n || ~child > inner)
                    throw new InvalidDataException("a tree with a child that is none");
            if (t.Feature[n] < 0 || t.Feature[n] >= features || !float.IsFinite(t.Threshold[n]))
                throw new InvalidDataException("a tree that asks for what no row has");
        }
        foreach (var leaf in t.Leaf)
            if (!double.IsFinite(leaf)) throw new InvalidDataException("a leaf that is no number");
    }

    public int Count => _trees.Length;

    public double Score(ReadOnlySpan<float> row)
    {
        var sum = _bias;
        foreach (var t in _trees)
        {
            var at = t.Feature.Length == 0 ? ~0 : 0;
            while (at >= 0) at = row[t.Feature[at]] <= t.Threshold[at] ? t.Left[at] : t.Right[at];
            sum += t.Weight * t.Leaf[~at];
        }
        return sum;
    }

    internal void Write(ByteWriter to)
    {
        to.Double(_bias);
        to.VarUInt((ulong)_trees.Length);
        foreach (var t in _trees)
        {
            to.Double(t.Weight);
            to.VarUInt((ulong)t.Feature.Length);
            for (var n = 0; n < t.Feature.Length; n++)
            {
                to.VarUInt((ulong)t.Feature[n]);
                to.Single(t.Threshold[n]);
                to.VarInt(t.Left[n]);
                to.VarInt(t.Right[n]);
            }
            foreach (var leaf in t.Leaf) to.Double(leaf);
        }
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    internal static TreeEnsemble Read(ref ByteReader r, int features)
    {
        var bias = r.Double();
        var trees = new Tree[r.Count(MaxTrees)];
        for (var i = 0; i < trees.Length; i++)
        {
            var weight = r.Double();
            var inner = r.Count(MaxLeaves - 1);
            var (feature, threshold, left, right) = (new int[inner], new float[inner], new int[inner], new int[inner]);
            for (var n = 0; n < inner; n++)
                (feature[n], threshold[n], left[n], right[n]) = (r.Count(features), r.Single(), r.Int(), r.Int());
            var leaf = new double[inner + 1];
            for (var n = 0; n <= inner; n++) leaf[n] = r.Double();
            trees[i] = new Tree(weight, feature, threshold, left, right, leaf);
        }
        return new TreeEnsemble(bias, trees, features);
    }
}
