using Twin.Hardware;

namespace Twin.Detection.Evaluation.References;

/// <summary>An isolation forest: rows that random cuts separate soon are unusual.</summary>
internal sealed class Forest
{
    private const int Trees = 100, RowsPerTree = 256;

    /// <summary>Column of the cut, -1 at a leaf; the cut, or the path length that stands for a leaf's rows.</summary>
    private readonly record struct Node(int Column, double Value, int Left, int Right);

    private readonly List<Node>[] _trees = new List<Node>[Trees];
    private readonly double _usual;

    public Forest(double[][] rows, SplitMix64 random)
    {
        var size = Math.Min(RowsPerTree, rows.Length);
        var depth = (int)Math.Ceiling(Math.Log2(Math.Max(2, size)));
        _usual = PathOf(size);
        for (var t = 0; t < Trees; t++)
        {
            var drawn = new double[size][];
            for (var i = 0; i < size; i++) drawn[i] = rows[random.Next(rows.Length)];
            Grow(_trees[t] = [], drawn, depth, random);
        }
    }

    private static int Grow(List<Node> tree, ReadOnlySpan<double[]> rows, int depth, SplitMix64 random)
    {
        var at = tree.Count;
        tree.Add(default);
        var column = rows.Length <= 1 || depth == 0 ? -1 : Column(rows, random);
        if (column < 0)
        {
            tree[at] = new Node(-1, PathOf(rows.Length), 0, 0);
            return at;
        }
        var (low, high) = Ends(rows, column);
        var cut = random.NextDouble(low, high);
        var (left, right) = (new List<double[]>(), new List<double[]>());
        foreach (var row in rows) (row[column] < cut ? left : right).Add(row);
        var l = Grow(tree, left.ToArray(), depth - 1, random);
        tree[at] = new Node(column, cut, l, Grow(tree, right.ToArray(), depth - 1, random));
        return at;
    }

    /// <summary>A column that is not the same in all rows; -1 when there is none after some tries.</summary>
    private static int Column(ReadOnlySpan<double[]> rows, SplitMix64 random)
    {
        const int Tries = 20;
        for (var i = 0; i < Tries; i++)
        {
            var column = random.Next(rows[0].Length);
            var (low, high) = Ends(rows, column);
            if (low < high) return column;
        }
        return -1;
    }

    private static (double Low, double High) Ends(ReadOnlySpan<double[]> rows, int column)
    {
        var (low, high) = (double.MaxValue, double.MinValue);
        foreach (var row in rows) (low, high) = (Math.Min(low, row[column]), Math.Max(high, row[column]));
        return (low, high);
    }

    /// <summary>Mean path of an unsuccessful search among n rows: c(n) of the paper.</summary>
    private static double PathOf(int n) => n switch
    {
        <= 1 => 0,
        2 => 1,
        _ => 2 * (Math.Log(n - 1) + 0.5772156649) - 2.0 * (n - 1) / n,
    };

    /// <summary>0 to 1; about 0.5 is ordinary.</summary>
    public double Score(double[] row)
    {
        var sum = 0.0;
        foreach (var tree in _trees)
        {
            var (at, depth) = (0, 0);
            for (; tree[at].Column >= 0; depth++)
                at = row[tree[at].Column] < tree[at].Value ? tree[at].Left : tree[at].Right;
            sum += depth + tree[at].Value;
        }
        return Math.Pow(2, -sum / Trees / _usual);
    }
}
