using Twin.Hardware;

namespace Twin.Detection.Evaluation;

/// <summary>One meter of a set: the home under it, what it used, what its meter tells, and the truth.</summary>
public sealed class EvaluationCase(RecordedHome home, int homeIndex, int slotsPerDay)
{
    public RecordedHome Home { get; } = home;

    /// <summary>Place of the home among the recorded ones: intervals are drawn over homes.</summary>
    public int HomeIndex { get; } = homeIndex;
    public int SlotsPerDay { get; } = slotsPerDay;

    public string Kind { get; set; } = Scenarios.Honest;
    public Cause Cause { get; set; } = Cause.Honest;
    public int Onset { get; set; }

    /// <summary>True consumption, Wh a slot; what an observer meter sees. Never written in place.</summary>
    public int[] Used { get; set; } = home.Used;

    /// <summary>What the meter tells, <see cref="ReadingBlock.Missing"/> at gaps. Never written in place.</summary>
    public int[] Told { get; set; } = home.Told;

    /// <summary>
    /// Slots whose readings come only with the day <see cref="BackfillDay"/>; empty: nothing comes late.
    /// </summary>
    public (int From, int To) Backfilled { get; set; }
    public int BackfillDay { get; set; } = -1;

    public Span<int> ToldOn(int day) => Told.AsSpan(day * SlotsPerDay, SlotsPerDay);

    public ReadOnlySpan<int> UsedOn(int day) => Used.AsSpan(day * SlotsPerDay, SlotsPerDay);

    /// <summary>What the meter tells in time for the closing of the day: without what comes late.</summary>
    public void ToldInTime(int day, Span<int> slots)
    {
        ToldOn(day).CopyTo(slots);
        if (BackfillDay <= day + Protocol.HorizonDays) return;
        for (var s = 0; s < slots.Length; s++)
            if (day * SlotsPerDay + s >= Backfilled.From && day * SlotsPerDay + s < Backfilled.To)
                slots[s] = ReadingBlock.Missing;
    }

    /// <summary>
    /// Share of the energy that the scenario changes from its onset on, and of the shape: half the sum of absolute
    /// differences of the two series, each divided by its own sum (total variation). Both are 0 to 1 and more.
    /// </summary>
    public (double Energy, double Shape) Change()
    {
        double before = 0, after = 0;
        var from = Onset * SlotsPerDay;
        var recorded = Home.Told;
        for (var i = from; i < recorded.Length; i++)
        {
            before += Value(recorded[i]);
            after += InTime(i);
        }
        if (before == 0 && after == 0) return (0, 0);
        if (before == 0 || after == 0) return (1, 1);
        var moved = 0.0;
        for (var i = from; i < recorded.Length; i++) moved += Math.Abs(Value(recorded[i]) / before - InTime(i) / after);
        return (Math.Abs(after / before - 1), moved / 2);
    }

    private double InTime(int i) => BackfillDay >= 0 && i >= Backfilled.From && i < Backfilled.To ? 0 : Value(Told[i]);

    private static double Value(int reading) => reading == ReadingBlock.Missing ? 0 : reading;
}

/// <summary>One set: its meters in the order of their feeders, and the feeders.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Plan">What it was built after.</param>
/// <param name="Cases">The meters.</param>
/// <param name="Feeders">First meter, number of meters, technical loss (share of the members' consumption).</param>
public sealed record EvaluationSet(int Number, EvaluationPlan Plan, IReadOnlyList<EvaluationCase> Cases,
    IReadOnlyList<(int Start, int Count, double Loss)> Feeders)
{
    /// <summary>
    /// What the feeder's observer meter tells, Wh a slot: the members' true consumption, the loss, and noise that is a
    /// function of seed, set, feeder and slot.
    /// </summary>
    public int[] Observe(int feeder)
    {
        var (start, count, loss) = Feeders[feeder];
        var random = SplitMix64.For(Plan.Seed, $"set {Number} observer {feeder}");
        var sums = new int[Cases[0].Used.Length];
        for (var i = 0; i < sums.Length; i++)
        {
            var sum = 0.0;
            for (var h = start; h < start + count; h++) sum += Cases[h].Used[i];
            sums[i] = (int)Math.Round(sum * (1 + loss) * (1 + Protocol.ObserverNoise * random.NextNormal()));
        }
        return sums;
    }
}
