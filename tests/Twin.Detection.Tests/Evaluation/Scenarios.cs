using Twin.Hardware;

namespace Twin.Detection.Tests.Evaluation;

internal enum Cause { Honest, Theft, LookAlike, Fault }

/// <summary>
/// One home of an evaluation set: what it used, what its meter said (<see cref="ReadingBlock.Missing"/> at gaps), and
/// why.
/// </summary>
internal sealed class Home(int[] used)
{
    public int[] Used = used;
    public int[] Told = used;
    public string Kind = "honest";
    public Cause Cause = Cause.Honest;
    public int Onset;
}

/// <summary>Thefts, innocent look-alikes and faults of the evaluation protocol, laid over recorded homes.</summary>
internal static class Scenarios
{
    private const int Day = RecordedHomes.SlotsPerDay, Days = RecordedHomes.Days;

    /// <summary>Jokar et al. 2016 (h), Shi et al. (f), and others of the literature.</summary>
    public static readonly string[] Thefts =
        ["h1", "h2", "h3", "h4", "h5", "h6", "f2", "f3", "f4", "f5", "weak", "ramp", "peak_shift", "intermittent_zero",
            "replay", "exchange"];
    public static readonly string[] LookAlikes = ["vacancy", "ev", "pv", "gap", "catch_up", "move_in"];
    public static readonly string[] Faults = ["stuck", "lost_phase", "ct_ratio", "drift"];

    public static void Steal(Home home, string kind, int onset, SplitMix64 random)
    {
        (home.Kind, home.Cause, home.Onset) = (kind, Cause.Theft, onset);
        home.Told = (int[])home.Used.Clone();
        var alpha = random.NextDouble(0.1, 0.8);
        var weak = random.NextDouble(0.7, 0.95);
        var step = random.NextDouble(0.05, 0.1);
        var floor = random.NextDouble(0.3, 1.0);
        var max = home.Used.Max();
        for (var d = onset; d < Days; d++)
        {
            var x = home.Used.AsSpan(d * Day, Day);
            var y = home.Told.AsSpan(d * Day, Day);
            var before = home.Used.AsSpan(Math.Max(0, d - 1) * Day, Day);
            var mean = Mean(x);
            switch (kind)
            {
                case "h1": Scale(y, _ => alpha); break;
                case "weak": Scale(y, _ => weak); break;
                case "ramp": Scale(y, _ => 1 - Math.Min(floor, (d - onset + 1) * step)); break;
                case "h2": Window(y, random.NextDouble(8, 20) / Day, random); break;
                case "f4": Window(y, random.NextDouble(0.2, 0.8), random); break;
                case "h3": Scale(y, _ => random.NextDouble(0.1, 0.8)); break;
                case "h4": Fill(y, _ => mean * random.NextDouble(0.1, 0.8)); break;
                case "h5": Fill(y, _ => mean); break;
                case "h6": y.Reverse(); break;
                case "f2": for (var s = 0; s < Day; s++) y[s] = (int)Math.Max(0, x[s] - alpha * mean); break;
                case "f3": for (var s = 0; s < Day; s++) y[s] = (int)Math.Min(x[s], alpha * max); break;
                case "f5": var was = Mean(before); Fill(y, _ => alpha * was); break;
                case "peak_shift": ShiftPeak(y); break;
                case "intermittent_zero": if (random.NextDouble() < 0.3) y.Clear(); break;
                case "replay":
                    home.Told.AsSpan((onset >= 7 ? onset - 7 + (d - onset) % 7 : d % 7) * Day,
                    Day).CopyTo(y); break;
                default: throw new ArgumentException(kind);
            }
        }
    }

    /// <summary>From the onset on each meter counts the other's consumption.</summary>
    public static void Exchange(Home a, Home b, int onset)
    {
        foreach (var h in new[] { a, b }) (h.Kind, h.Cause, h.Onset, h.Told) =
            ("exchange", Cause.Theft, onset, (int[])h.Used.Clone());
        b.Used.AsSpan(onset * Day).CopyTo(a.Told.AsSpan(onset * Day));
        a.Used.AsSpan(onset * Day).CopyTo(b.Told.AsSpan(onset * Day));
    }

    public static void Resemble(Home home, string kind, int onset, int[] other, SplitMix64 random)
    {
        (home.Kind, home.Cause, home.Onset) = (kind, Cause.LookAlike, onset);
        var x = home.Used = (int[])home.Used.Clone();
        home.Told = x;
        var from = onset * Day;
        switch (kind)
        {
            case "vacancy":
                var end = Math.Min(Days, onset + 10 + random.Next(12)) * Day;
                for (var i = from; i < end; i++) x[i] =
                    x[Math.Max(0, (onset - 1 - random.Next(7)) * Day) + 2 + random.Next(8)];
                break;
            case "ev":
                var (power, nights) = (random.NextDouble(3600, 7200) / 2, 3 + random.Next(3));
                for (var d = onset; d < Days; d++)
                {
                    if (random.Next(7) >= nights) continue;
                    var start = d * Day + 42 + random.Next(8);
                    for (var i = start; i < Math.Min(x.Length, start + 4 + random.Next(6)); i++) x[i] += (int)power;
                }
                break;
            case "pv":
                var peak = random.NextDouble(1500, 4000) / 2;
                for (var d = onset; d < Days; d++)
                {
                    var sky = random.NextDouble(0.2, 1);
                    for (var s = 13; s < 38; s++)
                        x[d * Day + s] = (int)Math.Max(0,
                            x[d * Day + s] - peak * sky * Math.Sin(Math.PI * (s - 12) / 26) * random.NextDouble(0.7,
                            1));
                }
                break;
            case "move_in":
                other.AsSpan(from).CopyTo(x.AsSpan(from));
                break;
            default:
                home.Told = (int[])x.Clone();
                var stop = Math.Min(Days - 1, onset + 1 + random.Next(4)) * Day + random.Next(20);
                if (kind == "catch_up") home.Told[stop] = x.AsSpan(from, stop - from + 1).ToArray().Sum();
                home.Told.AsSpan(from, stop - from).Fill(ReadingBlock.Missing);
                break;
        }
    }

    public static void Break(Home home, string kind, int onset, SplitMix64 random)
    {
        (home.Kind, home.Cause, home.Onset) = (kind, Cause.Fault, onset);
        home.Told = (int[])home.Used.Clone();
        double[] ratios = [0.5, 0.8, 1.25, 2];
        var ratio = ratios[random.Next(4)];
        for (var i = onset * Day; i < home.Told.Length; i++)
        {
            home.Told[i] = (int)(home.Used[i] * kind switch
            {
                "lost_phase" => 2.0 / 3,
                "ct_ratio" => ratio,
                "drift" => 1 - 0.06 * (i - onset * Day) / (home.Told.Length - onset * Day),
                _ => 1,
            });
            if (kind == "stuck") home.Told[i] = home.Used[onset * Day];
        }
    }

    private static double Mean(ReadOnlySpan<int> x)
    {
        var sum = 0.0;
        foreach (var v in x) sum += v;
        return sum / x.Length;
    }

    private static void Scale(Span<int> y, Func<int, double> by)
    {
        for (var s = 0; s < y.Length; s++) y[s] = (int)Math.Round(y[s] * by(s));
    }

    private static void Fill(Span<int> y, Func<int, double> with)
    {
        for (var s = 0; s < y.Length; s++) y[s] = (int)Math.Round(with(s));
    }

    private static void Window(Span<int> y, double share, SplitMix64 random)
    {
        var length = (int)(share * Day);
        y.Slice(random.Next(Day - length + 1), length).Clear();
    }

    private static void ShiftPeak(Span<int> y)
    {
        var moved = 0;
        for (var s = 34; s < 42; s++)
        {
            var cut = (int)(0.3 * y[s]);
            y[s] -= cut;
            moved += cut;
        }
        for (var s = 0; s < Day; s++) if (s is < 34 or >= 42) y[s] += moved / 40;
    }
}
