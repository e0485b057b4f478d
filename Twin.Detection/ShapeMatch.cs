namespace Twin.Detection;

/// <summary>How a day's load curve compares with its profile, both over their means.</summary>
internal static class ShapeMatch
{
    /// <summary>
    /// Between the hours of darkness and those of daylight: less than this share of the other is what new PV does.
    /// </summary>
    private const float LessByDay = 0.7f, AsByNight = 0.75f;

    public static float Mean(ReadOnlySpan<float> power)
    {
        var sum = 0f;
        foreach (var p in power) sum += p;
        return sum / DayShape.Slots;
    }

    /// <summary>Half the sum of absolute differences: 0 (same) to 1 (nothing in common).</summary>
    public static float Distance(ReadOnlySpan<float> power, float mean, ReadOnlySpan<float> expected,
        float expectedMean)
    {
        if (mean <= 0 || expectedMean <= 0) return 0f;
        var sum = 0f;
        float a = 1f / mean, b = 1f / expectedMean;
        for (var s = 0; s < DayShape.Slots; s++)
        {
            if (power[s] < 0) continue;
            var d = power[s] * a - expected[s] * b;
            sum += d < 0 ? -d : d;
        }
        return sum / (2 * DayShape.Slots);
    }

    /// <summary>
    /// Slope of the day's shape on the profile's, by least squares: near 1 where the day has its usual rhythm, 0 where
    /// it has none. A flat profile has no rhythm to miss, hence the added 1. From −2 to 3.
    /// </summary>
    public static float Rhythm(ReadOnlySpan<float> power, float mean, ReadOnlySpan<float> expected, float expectedMean)
    {
        if (mean <= 0 || expectedMean <= 0) return 1f;
        float a = 1f / mean, b = 1f / expectedMean, xy = 0f, yy = 0f;
        for (var s = 0; s < DayShape.Slots; s++)
        {
            if (power[s] < 0) continue;
            var e = expected[s] * b - 1f;
            xy += (power[s] * a - 1f) * e;
            yy += e * e;
        }
        return Math.Clamp(xy / (yy + 1f), -2f, 3f);
    }

    /// <summary>True when much is missing by daylight and little by night.</summary>
    public static bool IsLessByDay(ReadOnlySpan<float> power, ReadOnlySpan<float> expected)
    {
        float day = 0f, usualDay = 0f, night = 0f, usualNight = 0f;
        for (var s = 0; s < DayShape.Slots; s++)
        {
            if (power[s] < 0) continue;
            if (DayShape.IsDaylight(s)) (day, usualDay) = (day + power[s], usualDay + expected[s]);
            else (night, usualNight) = (night + power[s], usualNight + expected[s]);
        }
        return night > AsByNight * usualNight && day * usualNight < LessByDay * night * usualDay;
    }
}
