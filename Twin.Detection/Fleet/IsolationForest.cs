using Twin.Hardware;

namespace Twin.Detection.Fleet;

/// <summary>
/// An isolation forest (Liu, Ting and Zhou, ICDM 2008) of small fixed size and fixed seed: what few random cuts
/// separate from the sample is unlike it, also where it is near the centre in each feature. Rebuilt from a kept sample
/// and never stored: one sample gives one forest.
/// </summary>
public sealed class IsolationForest
{
    private const int N = DeviceTraits.Count;

    /// <summary>Trees, points of the sample in each, and cuts above a leaf at most: log₂ of the points.</summary>
    public const int Trees = 24, PointsATree = 64, Depth = 6;

    private const int Nodes = (1 << (Depth + 1)) - 1;
    private const ulong Seed = 0x4D65_7465_7254_7769;

    /// <summary>A leaf has feature <see cref="Leaf"/> and its depth, corrected for its points, as the cut.</summary>
    private const sbyte Leaf = -1;

    private readonly sbyte[] _feature = new sbyte[Trees * Nodes];
    private readonly float[] _cut = new float[Trees * Nodes];
    private readonly double _norm;

    /// <summary>Depth ratios of the sample itself: the middle one, and the one that a twentieth stay below.</summary>
    public double Usual { get; }
    public double Rare { get; }

    /// <summary>Points laid one behind another, in scales from the centre.</summary>
    public IsolationForest(ReadOnlySpan<double> points)
    {
        var count = points.Length / N;
        var draw = new SplitMix64(Seed);
        var chosen = Math.Min(PointsATree, count);
        _norm = Math.Max(Expected(chosen), 1e-9);
        var places = new int[chosen];
        for (var t = 0; t < Trees; t++)
        {
            for (var i = 0; i < chosen; i++) places[i] = draw.Next(count);
            Grow(points, places, t * Nodes, 0, 0, draw);
        }
        var ratios = new double[count];
        for (var i = 0; i < count; i++) ratios[i] = Ratio(points.Slice(i * N, N));
        Array.Sort(ratios);
        (Usual, Rare) = count == 0 ? (1, 1) : (ratios[count / 2], ratios[count / 20]);
    }

    /// <summary>Mean depth of an unsuccessful search in a binary tree of n points: 2 H(n − 1) − 2 (n − 1) /
    /// n.</summary>
    private static double Expected(int n)
    {
        if (n < 2) return 0;
        var harmonic = 0.0;
        for (var i = 1; i < n; i++) harmonic += 1.0 / i;
        return 2 * harmonic - 2.0 * (n - 1) / n;
    }

    private void Grow(ReadOnlySpan<double> points, Span<int> places, int tree, int node, int depth, SplitMix64 draw)
    {
        var (feature, low, high) = (draw.Next(N), double.MaxValue, double.MinValue);
        // A feature in which all are equal cannot be cut; the next one in turn is.
        for (var tried = 0; tried < N; tried++, feature = (feature + 1) % N)
        {
            (low, high) = (double.MaxValue, double.MinValue);
            foreach (var p in places)
                (low, high) = (Math.Min(low, points[p * N + feature]), Math.Max(high, points[p * N + feature]));
            if (high > low) break;
        }
        if (depth == Depth || places.Length < 2 || !(high > low))
        {
            (_feature[tree + node], _cut[tree + node]) = (Leaf, (float)(depth + Expected(places.Length)));
            return;
        }
        var cut = (float)draw.NextDouble(low, high);
        var left = 0;
        for (var i = 0; i < places.Length; i++)
            if (points[places[i] * N + feature] < cut) (places[i], places[left++]) = (places[left], places[i]);
        (_feature[tree + node], _cut[tree + node]) = ((sbyte)feature, cut);
        Grow(points, places[..left], tree, 2 * node + 1, depth + 1, draw);
        Grow(points, places[left..], tree, 2 * node + 2, depth + 1, draw);
    }

    /// <summary>Mean depth over what is expected of a random point: 1 is ordinary, towards 0 is isolated.</summary>
    public double Ratio(ReadOnlySpan<double> point)
    {
        var sum = 0.0;
        for (var t = 0; t < Trees; t++)
        {
            var node = 0;
            while (_feature[t * Nodes + node] is not Leaf and var feature)
                node = 2 * node + (point[feature] < _cut[t * Nodes + node] ? 1 : 2);
            sum += _cut[t * Nodes + node];
        }
        return sum / Trees / _norm;
    }

    /// <summary>0: as usual in the sample; 1: as isolated as the rarest twentieth, or more.</summary>
    public double Isolation(ReadOnlySpan<double> point) =>
        Usual - Rare > 1e-9 ? Math.Clamp((Usual - Ratio(point)) / (Usual - Rare), 0, 1) : 0;
}
