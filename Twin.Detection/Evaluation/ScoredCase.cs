namespace Twin.Detection.Evaluation;

/// <summary>What a detector said of one meter, beside the truth.</summary>
/// <param name="set">Set and place in it.</param>
/// <param name="meter">From 0.</param>
/// <param name="homeIndex">The recorded home under it.</param>
/// <param name="kind">Id of the scenario.</param>
/// <param name="cause">The truth.</param>
/// <param name="onset">Day on which it began.</param>
/// <param name="days">A score a day, as it stood when the day closed; 0 where there was none.</param>
/// <param name="findings">Days on which the service stated a finding that accuses somebody.</param>
public sealed class ScoredCase(int set, int meter, int homeIndex, string kind, Cause cause, int onset, double[] days,
    int[] findings)
{
    public int Set { get; } = set;
    public int Meter { get; } = meter;
    public int HomeIndex { get; } = homeIndex;
    public string Kind { get; } = kind;
    public Cause Cause { get; } = cause;
    public int Onset { get; } = onset;
    public double[] Days { get; } = days;
    public int[] Findings { get; } = findings;

    /// <summary>The same meter as another detector scores it.</summary>
    public ScoredCase By(double[] days) => new(Set, Meter, HomeIndex, Kind, Cause, Onset, days, []);

    /// <summary>The meter's score: its maximum over the days that count; 0 of none.</summary>
    public double Score { get; } = MaxFrom(days, Protocol.FirstJudgedDay);

    private static double MaxFrom(double[] days, int first)
    {
        var max = 0.0;
        for (var d = first; d < days.Length; d++) if (days[d] > max) max = days[d];
        return max;
    }

    /// <summary>
    /// Days from the onset to the first day above the threshold; null when there is none. What is there before the
    /// first judged day is counted from that day.
    /// </summary>
    public int? Delay(double threshold)
    {
        var from = Math.Max(Onset, Protocol.FirstJudgedDay);
        for (var d = from; d < Days.Length; d++)
            if (Days[d] > threshold) return d - from;
        return null;
    }

    /// <summary>Alarms: days above the threshold that follow 14 days or more without one.</summary>
    public int Alarms(double threshold)
    {
        const int Quiet = 14;
        var (alarms, last) = (0, int.MinValue / 2);
        for (var d = Protocol.FirstJudgedDay; d < Days.Length; d++)
        {
            if (Days[d] <= threshold) continue;
            if (d - last > Quiet) alarms++;
            last = d;
        }
        return alarms;
    }
}

/// <summary>A meter left out of the counts because its scenario changed nearly nothing.</summary>
public sealed record NoOpCase(int Set, int Meter, string Home, string Kind, double EnergyChange, double ShapeChange);
