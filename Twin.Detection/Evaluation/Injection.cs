using Twin.Hardware;

namespace Twin.Detection.Evaluation;

/// <summary>
/// Lays thefts, look-alikes and faults over a recorded home. Everything lasts from the onset to the end unless its
/// description says otherwise; the recorded arrays are never changed. Gaps of the recording stay gaps.
/// </summary>
public static class Injection
{
    /// <summary>
    /// A theft of one meter: changes what the meter tells, not what the home uses. Day-wise formulas take the day as
    /// x of n readings; α, γ ~ U(0.1, 0.8).
    /// </summary>
    /// <exception cref="ArgumentException">The kind is no theft of one meter.</exception>
    public static void Steal(EvaluationCase c, string kind, int onset, SplitMix64 random)
    {
        Mark(c, kind, Cause.Theft, onset);
        var n = c.SlotsPerDay;
        var alpha = random.NextDouble(0.1, 0.8);
        var weak = random.NextDouble(0.7, 0.95);
        var step = random.NextDouble(0.05, 0.1);
        var most = random.NextDouble(0.3, 1.0);
        var mean = Mean(c.Used);
        var cap = alpha * c.Used.Max();
        for (var d = onset; d < Protocol.Days; d++)
        {
            var x = c.UsedOn(d);
            var y = c.ToldOn(d);
            switch (kind)
            {
                case "h1": Scale(y, alpha); break;
                case "weak_cut": Scale(y, weak); break;
                case "ramp": Scale(y, 1 - Math.Min(most, (d - onset + 1) * step)); break;
                case "h2": Clear(y, random.NextDouble(4.0 / 24, 10.0 / 24), random); break;
                case "f4": Clear(y, random.NextDouble(0.2, 0.8), random); break;
                case "h3": for (var s = 0; s < n; s++) Put(y, s, x[s] * random.NextDouble(0.1, 0.8)); break;
                case "h4": for (var s = 0; s < n; s++) Put(y, s, Mean(x) * random.NextDouble(0.1, 0.8)); break;
                case "h5": for (var s = 0; s < n; s++) Put(y, s, Mean(x)); break;
                case "h6": for (var s = 0; s < n; s++) Put(y, s, x[n - 1 - s]); break;
                case "f2": for (var s = 0; s < n; s++) Put(y, s, Math.Max(0, x[s] - alpha * mean)); break;
                case "f3": for (var s = 0; s < n; s++) Put(y, s, Math.Min(x[s], cap)); break;
                case "f5": for (var s = 0; s < n; s++) Put(y, s, alpha * Mean(c.UsedOn(Math.Max(0, d - 1)))); break;
                case "peak_shift": ShiftPeak(x, y); break;
                case "intermittent_zero": if (random.NextDouble() < 0.3) Scale(y, 0); break;
                case "replay": Replay(c, d, onset); break;
                default: throw new ArgumentException($"'{kind}' is no theft of one meter.", nameof(kind));
            }
        }
    }

    /// <summary>From the onset on each of two meters counts the other's consumption.</summary>
    public static void Exchange(EvaluationCase a, EvaluationCase b, int onset)
    {
        Mark(a, Scenarios.Exchange, Cause.Theft, onset);
        Mark(b, Scenarios.Exchange, Cause.Theft, onset);
        for (var i = onset * a.SlotsPerDay; i < a.Told.Length; i++)
            (a.Told[i], b.Told[i]) = (b.Told[i], a.Told[i]);
    }

    /// <summary>
    /// Something innocent that looks like theft: the home really uses what the meter tells (or readings are missing).
    /// <paramref name="other"/>: consumption of another home, for a move.
    /// </summary>
    /// <exception cref="ArgumentException">The kind is no look-alike.</exception>
    public static void Resemble(EvaluationCase c, string kind, int onset, ReadOnlySpan<int> other, SplitMix64 random)
    {
        Mark(c, kind, Cause.LookAlike, onset);
        var n = c.SlotsPerDay;
        var used = (int[])c.Used.Clone();
        switch (kind)
        {
            case "vacancy": Vacate(used, n, onset, random); break;
            case "ev": Charge(used, n, onset, random); break;
            case "pv": Shine(used, n, onset, random); break;
            case "move_in": other[(onset * n)..].CopyTo(used.AsSpan(onset * n)); break;
            case Scenarios.Backfill or Scenarios.CatchUp:
                Interrupt(c, onset, random);
                return;
            default: throw new ArgumentException($"'{kind}' is no look-alike.", nameof(kind));
        }
        for (var i = onset * n; i < used.Length; i++) Put(c.Told, i, used[i]);
        c.Used = used;
    }

    /// <summary>A fault that is no theft: the meter tells something else than the home uses.</summary>
    /// <exception cref="ArgumentException">The kind is no fault.</exception>
    public static void Break(EvaluationCase c, string kind, int onset, SplitMix64 random)
    {
        Mark(c, kind, Cause.Fault, onset);
        ReadOnlySpan<double> ratios = [0.5, 0.8, 1.25, 2];
        var ratio = ratios[random.Next(ratios.Length)];
        var from = onset * c.SlotsPerDay;
        for (var i = from; i < c.Told.Length; i++)
            Put(c.Told, i, kind switch
            {
                "stuck" => c.Used[from],
                "lost_phase" => c.Used[i] * (2.0 / 3),
                "ct_ratio" => c.Used[i] * ratio,
                "drift" => c.Used[i] * (1 - 0.06 * (i - from) / (c.Told.Length - from)),
                _ => throw new ArgumentException($"'{kind}' is no fault.", nameof(kind)),
            });
    }

    private static void Mark(EvaluationCase c, string kind, Cause cause, int onset)
    {
        (c.Kind, c.Cause, c.Onset) = (kind, cause, onset);
        c.Told = (int[])c.Told.Clone();
    }

    /// <summary>A gap of the recording stays one.</summary>
    private static void Put(Span<int> y, int s, double value)
    {
        if (y[s] != ReadingBlock.Missing) y[s] = (int)Math.Round(value);
    }

    private static void Scale(Span<int> y, double by)
    {
        for (var s = 0; s < y.Length; s++) Put(y, s, y[s] * by);
    }

    private static void Clear(Span<int> y, double share, SplitMix64 random)
    {
        var length = (int)Math.Round(share * y.Length);
        var start = random.Next(y.Length - length + 1);
        for (var s = start; s < start + length; s++) Put(y, s, 0);
    }

    private static void ShiftPeak(ReadOnlySpan<int> x, Span<int> y)
    {
        var (from, to) = (y.Length * 17 / 24, y.Length * 21 / 24);
        var moved = 0.0;
        for (var s = from; s < to; s++) moved += 0.3 * x[s];
        // Whole Wh: what rounding leaves goes to the next reading, so that the day's energy stays.
        var (carry, each) = (0.0, moved / (y.Length - (to - from)));
        for (var s = 0; s < y.Length; s++)
        {
            var wish = (s >= from && s < to ? 0.7 * x[s] : x[s] + each) + carry;
            Put(y, s, wish);
            carry = wish - Math.Round(wish);
        }
    }

    private static void Replay(EvaluationCase c, int d, int onset)
    {
        const int Week = 7;
        var source = onset >= Week ? onset - Week + (d - onset) % Week : d % Week;
        var from = c.UsedOn(source);
        for (var s = 0; s < from.Length; s++) Put(c.ToldOn(d), s, from[s]);
    }

    /// <summary>Readings of 1 to 5 in the morning of the week before, drawn one by one.</summary>
    private static void Vacate(int[] used, int n, int onset, SplitMix64 random)
    {
        var end = Math.Min(Protocol.Days, onset + 10 + random.Next(12)) * n;
        for (var i = onset * n; i < end; i++)
            used[i] = used[(onset - 1 - random.Next(7)) * n + n / 24 + random.Next(n / 6)];
    }

    /// <summary>2 to 4.5 hours from 21 to 1 o'clock on.</summary>
    private static void Charge(int[] used, int n, int onset, SplitMix64 random)
    {
        var (energy, nights) = (random.NextDouble(3600, 7200) * 24 / n, 3 + random.Next(3));
        for (var d = onset; d < Protocol.Days; d++)
        {
            if (random.Next(7) >= nights) continue;
            var start = d * n + (int)(random.NextDouble(21, 25) * n / 24);
            var end = Math.Min(used.Length, start + (int)(random.NextDouble(2, 4.5) * n / 24));
            for (var i = start; i < end; i++) used[i] += (int)energy;
        }
    }

    /// <summary>A sine from 6 to 19 h under a sky that changes from day to day and from reading to reading.</summary>
    private static void Shine(int[] used, int n, int onset, SplitMix64 random)
    {
        var peak = random.NextDouble(1500, 4000) * 24 / n;
        for (var d = onset; d < Protocol.Days; d++)
        {
            var sky = random.NextDouble(0.2, 1);
            for (var s = 0; s < n; s++)
            {
                var hour = (s + 0.5) * 24 / n;
                if (hour is <= 6 or >= 19) continue;
                var sun = peak * sky * Math.Sin(Math.PI * (hour - 6) / 13) * random.NextDouble(0.7, 1);
                used[d * n + s] = (int)Math.Max(0, used[d * n + s] - sun);
            }
        }
    }

    private static void Interrupt(EvaluationCase c, int onset, SplitMix64 random)
    {
        var n = c.SlotsPerDay;
        var from = onset * n;
        var stop = (onset + 1 + random.Next(4)) * n + random.Next(n * 10 / 24);
        if (c.Kind == Scenarios.Backfill)
        {
            // Some come before the days close and some after.
            (c.Backfilled, c.BackfillDay) = ((from, stop), Math.Min(Protocol.Days - 1, stop / n + random.Next(5)));
            return;
        }
        var sum = 0;
        for (var i = from; i <= stop; i++) sum += c.Used[i];
        c.Told.AsSpan(from, stop - from).Fill(ReadingBlock.Missing);
        c.Told[stop] = sum;
    }

    private static double Mean(ReadOnlySpan<int> x)
    {
        var sum = 0.0;
        foreach (var v in x) sum += v;
        return sum / x.Length;
    }
}
