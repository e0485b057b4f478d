namespace Twin.Detection.Fleet;

/// <summary>
/// Where fingerprints of meters that are alike lie: a robust centre and scale a feature (median, and median absolute
/// deviation × 1.4826 with floors), and the correlation of the calmest three quarters, shrunk towards none. Distances
/// are Mahalanobis'.
/// </summary>
/// <remarks>
/// The subset is found by concentration steps in the manner of FAST-MCD (Rousseeuw and Van Driessen, Technometrics 41,
/// 1999), from one start instead of random ones: the points nearest to the coordinate-wise median. Shrinking towards
/// the identity after Ledoit and Wolf 2004, with a fixed weight. Scalar doubles in fixed order: one sample, one cloud.
/// </remarks>
public sealed class RobustCloud
{
    private const int N = DeviceTraits.Count;

    /// <summary>Fewest fingerprints that make a cloud.</summary>
    public const int FewestPrints = 40;

    /// <summary>Share of the sample that the covariance is computed from, and concentration steps.</summary>
    private const double Subset = 0.75;
    private const int Steps = 3;

    /// <summary>
    /// 0.75 / P(χ²₁₀ ≤ 10.22), where 10.22 is the 0.75 quantile of χ²₈: makes the subset's covariance that of a normal
    /// sample.
    /// </summary>
    private const double Consistency = 1.295;
    private const double Shrink = 0.3;

    /// <summary>A single wild feature counts at most so many scales.</summary>
    private const double MaxDeviation = 30;

    private readonly double[] _centre = new double[N], _scale = new double[N], _mean = new double[N];

    /// <summary>Lower triangle of the Cholesky factor of the correlation.</summary>
    private readonly double[] _factor = new double[N * N];

    private RobustCloud()
    {
    }

    /// <summary>The median of a feature, in its unit.</summary>
    public double Centre(int feature) => _centre[feature];

    /// <summary>The scale of a feature, in its unit.</summary>
    public double Scale(int feature) => _scale[feature];

    /// <summary>Fits fingerprints laid one behind another; a feature that is not a number counts as usual.</summary>
    public static RobustCloud Fit(ReadOnlySpan<float> prints)
    {
        var cloud = new RobustCloud();
        var count = prints.Length / N;
        cloud.FitScales(prints, count);
        var z = new double[prints.Length];
        var distances = new double[count];
        for (var i = 0; i < count; i++)
        {
            cloud.Standardise(prints.Slice(i * N, N), z.AsSpan(i * N, N));
            for (var j = 0; j < N; j++) distances[i] += z[i * N + j] * z[i * N + j];
        }
        for (var step = 0; step < Steps; step++)
        {
            cloud.FitSubset(z, distances);
            for (var i = 0; i < count; i++) distances[i] = cloud.Square(z.AsSpan(i * N, N));
        }
        return cloud;
    }

    private void FitScales(ReadOnlySpan<float> prints, int count)
    {
        var values = new double[count];
        for (var j = 0; j < N; j++)
        {
            var n = 0;
            for (var i = 0; i < count; i++)
                if (float.IsFinite(prints[i * N + j])) values[n++] = prints[i * N + j];
            _centre[j] = Median(values.AsSpan(0, n));
            for (var i = 0; i < n; i++) values[i] = Math.Abs(values[i] - _centre[j]);
            var floor = Math.Max(DeviceTraits.Floors[j], DeviceTraits.FloorShares[j] * Math.Abs(_centre[j]));
            _scale[j] = Math.Max(1.4826 * Median(values.AsSpan(0, n)), floor);
        }
    }

    private static double Median(Span<double> values) => values.IsEmpty ? 0 : Quantiles.Median(values);

    /// <summary>A fingerprint in scales from the centre.</summary>
    internal void Standardise(ReadOnlySpan<float> print, Span<double> z)
    {
        for (var j = 0; j < N; j++)
            z[j] = float.IsFinite(print[j])
                ? Math.Clamp((print[j] - _centre[j]) / _scale[j], -MaxDeviation, MaxDeviation) : 0;
    }

    /// <summary>Mean and factor from the points with the least distances; the earlier one first among equals.</summary>
    private void FitSubset(ReadOnlySpan<double> z, double[] distances)
    {
        var order = new int[distances.Length];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(order, (a, b) => distances[a] != distances[b] ? distances[a].CompareTo(distances[b]) : a - b);
        var h = Math.Max(1, (int)(Subset * order.Length));
        Array.Clear(_mean);
        for (var k = 0; k < h; k++)
            for (var j = 0; j < N; j++) _mean[j] += z[order[k] * N + j] / h;
        var covariance = new double[N * N];
        for (var k = 0; k < h; k++)
            for (var a = 0; a < N; a++)
                for (var b = 0; b <= a; b++)
                    covariance[a * N + b] += (z[order[k] * N + a] - _mean[a]) * (z[order[k] * N + b] - _mean[b]) / h;
        for (var a = 0; a < N; a++)
            for (var b = 0; b <= a; b++)
                covariance[a * N + b] = (1 - Shrink) * Consistency * covariance[a * N + b] + (a == b ? Shrink : 0);
        Cholesky(covariance);
    }

    /// <summary>Shrinking made the matrix positive definite: no root of a negative number.</summary>
    private void Cholesky(ReadOnlySpan<double> matrix)
    {
        for (var a = 0; a < N; a++)
        {
            for (var b = 0; b <= a; b++)
            {
                var sum = matrix[a * N + b];
                for (var k = 0; k < b; k++) sum -= _factor[a * N + k] * _factor[b * N + k];
                _factor[a * N + b] = a == b ? Math.Sqrt(Math.Max(sum, 1e-9)) : sum / _factor[b * N + b];
            }
        }
    }

    private double Square(ReadOnlySpan<double> z)
    {
        Span<double> y = stackalloc double[N];
        var square = 0.0;
        for (var a = 0; a < N; a++)
        {
            var sum = z[a] - _mean[a];
            for (var k = 0; k < a; k++) sum -= _factor[a * N + k] * y[k];
            y[a] = sum / _factor[a * N + a];
            square += y[a] * y[a];
        }
        return square;
    }

    /// <summary>
    /// Distance of a fingerprint: about the square root of a χ² of 8 degrees among honest ones. Shares: what each
    /// feature adds to its square (0 to 1 together, one that lowers it counts 0).
    /// </summary>
    public double Distance(ReadOnlySpan<float> print, Span<double> shares)
    {
        Span<double> z = stackalloc double[N];
        Standardise(print, z);
        var square = Square(z);
        Share(z, square, shares);
        return Math.Sqrt(square);
    }

    /// <summary>Feature j bears (z − m)ⱼ · (C⁻¹(z − m))ⱼ of the square.</summary>
    private void Share(ReadOnlySpan<double> z, double square, Span<double> shares)
    {
        Span<double> x = stackalloc double[N];
        for (var a = 0; a < N; a++)
        {
            var sum = z[a] - _mean[a];
            for (var k = 0; k < a; k++) sum -= _factor[a * N + k] * x[k];
            x[a] = sum / _factor[a * N + a];
        }
        for (var a = N - 1; a >= 0; a--)
        {
            var sum = x[a];
            for (var k = a + 1; k < N; k++) sum -= _factor[k * N + a] * x[k];
            x[a] = sum / _factor[a * N + a];
        }
        var total = 0.0;
        for (var j = 0; j < N; j++) total += shares[j] = Math.Max(0, (z[j] - _mean[j]) * x[j]);
        for (var j = 0; j < N; j++) shares[j] = total > 0 && square > 0 ? shares[j] / total : 0;
    }
}
