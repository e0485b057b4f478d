namespace Twin.Detection.Evaluation;

/// <summary>What a detector said of one meter, beside the truth.</summary>
/// <param name="Set">Set and place in it.</param>
/// <param name="Meter">From 0.</param>
/// <param name="HomeIndex">The recorded home under it.</param>
/// <param name="Kind">Id of the scenario.</param>
/// <param name="Cause">The truth.</param>
/// <param name="Onset">Day on which it began.</param>
/// <param name="Days">A score a day, as it stood when the day closed; 0 where there was none.</param>
/// <param name="Findings">Days on which the service stated a finding that accuses somebody.</param>
public sealed record ScoredCase(int Set, int Meter, int HomeIndex, string Kind, Cause Cause, int Onset, double[] Days,
    int[] Findings)
{
    /// <summary>The meter's score: its maximum over the days that count.</summary>
    public double Score { get; } = MaxFrom(Days, Protocol.FirstJudgedDay);

    private static double MaxFrom(double[] days, int first)
    {
        var max = 0.0;
        for (var d = first; d < days.Length; d++) max = Math.Max(max, days[d]);
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
