using Twin.Hardware;

namespace Twin.Detection.Fleet;

/// <summary>
/// Two ways of behaving under one image: what a feature is in the lower and in the upper part of a sample, and the
/// share of the upper one.
/// </summary>
public readonly record struct Split(int Feature, double Low, double High, double UpperShare)
{
    /// <summary>
    /// What the running image alone makes, whatever network, lot and crystal a meter has; only there a sample in two
    /// parts says something about the image.
    /// </summary>
    private static ReadOnlySpan<int> Parts => [(int)FingerprintFeature.FrameBytes,
        (int)FingerprintFeature.BootsPerDay, (int)FingerprintFeature.TransmitSecondsPerDay];

    /// <summary>
    /// Least share of either part, and distance of their means in scales within a part. Halves of one normal sample lie
    /// 2.6 apart, those of an even one 3.5.
    /// </summary>
    private const double FewestShare = 0.2, Apart = 5;

    /// <summary>
    /// Least ratio of the two: what a day has to tell, after outages and of events, makes frames longer by a tenth.
    /// </summary>
    private const double LeastRatio = 1.2;

    /// <summary>
    /// The feature in which a sample of fingerprints, laid one behind another, falls most clearly into two parts; null
    /// when there is none. Parts are those of the least sum of squares within (Otsu 1979).
    /// </summary>
    public static Split? Of(ReadOnlySpan<float> prints)
    {
        var count = prints.Length / DeviceTraits.Count;
        var (values, best, most) = (new double[count], default(Split?), Apart);
        foreach (var part in Parts)
        {
            var n = 0;
            for (var i = 0; i < count; i++)
                if (float.IsFinite(prints[i * DeviceTraits.Count + part]))
                    values[n++] = prints[i * DeviceTraits.Count + part];
            if (n < RobustCloud.FewestPrints) continue;
            Array.Sort(values, 0, n);
            var apart = Cut(values.AsSpan(0, n), DeviceTraits.Floors[part], out var at);
            if (apart < most) continue;
            var (low, high) = (Quantiles.Median(values.AsSpan(0, at)), Quantiles.Median(values.AsSpan(at, n - at)));
            if (high < LeastRatio * low) continue;
            most = apart;
            best = new Split(part, low, high, (double)(n - at) / n);
        }
        return best;
    }

    private static double Cut(ReadOnlySpan<double> sorted, double floor, out int at)
    {
        var (sum, squares) = (0.0, 0.0);
        foreach (var v in sorted) (sum, squares) = (sum + v, squares + v * v);
        var (least, lowSum, lowSquares, n) = (double.MaxValue, 0.0, 0.0, sorted.Length);
        var distance = 0.0;
        at = 0;
        for (var k = 1; k < n; k++)
        {
            (lowSum, lowSquares) = (lowSum + sorted[k - 1], lowSquares + sorted[k - 1] * sorted[k - 1]);
            if (k < FewestShare * n || n - k < FewestShare * n) continue;
            var within = lowSquares - lowSum * lowSum / k
                + (squares - lowSquares - (sum - lowSum) * (sum - lowSum) / (n - k));
            if (within >= least) continue;
            (least, at) = (within, k);
            distance = (sum - lowSum) / (n - k) - lowSum / k;
        }
        return distance / Math.Max(floor, Math.Sqrt(Math.Max(0, least) / n));
    }
}
