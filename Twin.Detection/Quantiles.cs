using System.Numerics;

namespace Twin.Detection;

/// <summary>Medians and quantiles of values in a span; what none of nothing means, the caller says.</summary>
public static class Quantiles
{
    /// <summary>Sorts in place; the mean of the two middle ones of an even count.</summary>
    /// <exception cref="ArgumentException">There are no values.</exception>
    public static T Median<T>(Span<T> values) where T : struct, IFloatingPointIeee754<T>
    {
        if (values.IsEmpty) throw new ArgumentException("Nothing has no median.", nameof(values));
        values.Sort();
        var half = values.Length / 2;
        return values.Length % 2 == 1 ? values[half]
            : T.CreateChecked(0.5) * (values[half - 1] + values[half]);
    }

    /// <summary>Linear between the values next to it. <paramref name="share"/>: 0 to 1.</summary>
    /// <exception cref="ArgumentException">There are no values.</exception>
    public static double Of(ReadOnlySpan<double> sorted, double share)
    {
        if (sorted.IsEmpty) throw new ArgumentException("Nothing has no quantile.", nameof(sorted));
        var at = share * (sorted.Length - 1);
        var low = (int)at;
        return low + 1 >= sorted.Length ? sorted[low] : sorted[low] + (at - low) * (sorted[low + 1] - sorted[low]);
    }
}
