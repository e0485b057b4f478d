namespace Twin.Detection.Evaluation;

/// <summary>The truth about a meter of a set.</summary>
public enum Cause : byte { Honest, Theft, LookAlike, Fault }

/// <summary>A thing that can be laid over a recorded home: its id, a few words, and a sentence.</summary>
public sealed record Scenario(string Id, Cause Cause, string Label, string What);

/// <summary>
/// Everything that is laid over recorded homes. h1 to h6: Jokar, Arianpoo and Leung, "Electricity theft detection in
/// AMI using customers' consumption patterns", IEEE Transactions on Smart Grid 7 (2016), with α, γ ~ U(0.1, 0.8);
/// f2 to f5: Shi et al. on convolutional and attentional transformers for theft detection; the rest are the protocol's.
/// </summary>
public static class Scenarios
{
    public const string Honest = "honest", Exchange = "exchange", Backfill = "gap_backfill", CatchUp = "gap_catch_up";

    public static IReadOnlyList<Scenario> Thefts { get; } =
    [
        new("h1", Cause.Theft, "constant share", "a constant share of 10 to 80 % is registered"),
        new("h2", Cause.Theft, "hours of nothing",
            "nothing is registered for 4 to 10 hours of each day, at another time each day"),
        new("h3", Cause.Theft, "random shares", "each reading is cut to a share of its own, 10 to 80 %"),
        new("h4", Cause.Theft, "random shares of mean",
            "each reading is a random share, 10 to 80 %, of the day's mean"),
        new("h5", Cause.Theft, "flat at the mean",
            "each reading is the day's mean: the energy is right, cheap hours pay for dear ones"),
        new("h6", Cause.Theft, "day reversed", "the day is reversed in time: the energy is right"),
        new("f2", Cause.Theft, "constant taken off", "a constant is taken off each reading, never below zero"),
        new("f3", Cause.Theft, "readings capped", "readings are capped"),
        new("f4", Cause.Theft, "long hours of nothing", "nothing is registered for 20 to 80 % of each day"),
        new("f5", Cause.Theft, "flat, from the day before",
            "each reading is a share, 10 to 80 %, of the day before's mean"),
        new("weak_cut", Cause.Theft, "weak cut", "70 to 95 % is registered"),
        new("ramp", Cause.Theft, "slowly more", "5 to 10 % more is taken each day, up to 30 to 100 %"),
        new("peak_shift", Cause.Theft, "peak spread out",
            "30 % of 17 to 21 h is spread over the rest of the day: the energy is right"),
        new("intermittent_zero", Cause.Theft, "days of nothing", "nothing is registered on three days of ten"),
        new("replay", Cause.Theft, "old week again", "the week before the onset is sent again and again"),
        new(Exchange, Cause.Theft, "meters exchanged", "two meters of a feeder count each other's consumption"),
    ];

    public static IReadOnlyList<Scenario> LookAlikes { get; } =
    [
        new("vacancy", Cause.LookAlike, "vacancy", "nobody at home for 10 to 21 days, the night base goes on"),
        new("ev", Cause.LookAlike, "electric car", "a car is charged with 3.6 to 7.2 kW on 3 to 5 nights a week"),
        new("pv", Cause.LookAlike, "solar panels", "new panels of 1.5 to 4 kW peak; export is not registered"),
        new(Backfill, Cause.LookAlike, "gap, backfilled", "readings of 1 to 4 days are missing and come later"),
        new(CatchUp, Cause.LookAlike, "gap, then catch-up",
            "readings of 1 to 4 days are missing, one reading then holds their energy"),
        new("move_in", Cause.LookAlike, "new household", "another household moves in, and nobody tells"),
    ];

    public static IReadOnlyList<Scenario> Faults { get; } =
    [
        new("stuck", Cause.Fault, "stuck", "every reading is the same"),
        new("lost_phase", Cause.Fault, "lost phase", "two thirds of the energy is registered"),
        new("ct_ratio", Cause.Fault, "wrong CT ratio", "a wrong transformer ratio: 0.5, 0.8, 1.25 or 2"),
        new("drift", Cause.Fault, "drift", "the meter drifts down by 6 % until the end"),
    ];

    public static IEnumerable<Scenario> All => Thefts.Concat(LookAlikes).Concat(Faults);

    public static Scenario Find(string id) => All.First(s => s.Id == id);

    /// <summary>Ids of thefts: <c>all</c>, or ids with commas between, in the catalogue's order.</summary>
    /// <exception cref="ArgumentException">An id is not known.</exception>
    public static IReadOnlyList<string> ReadThefts(string text)
    {
        var known = Thefts.Select(t => t.Id).ToArray();
        if (text.Trim().Equals("all", StringComparison.OrdinalIgnoreCase)) return known;
        var asked = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var unknown = asked.FirstOrDefault(a => !known.Contains(a, StringComparer.OrdinalIgnoreCase));
        if (unknown is not null || asked.Length == 0)
            throw new ArgumentException($"--attacks: there is no theft '{unknown ?? text}' to inject. Give 'all', or "
                + $"some of {string.Join(", ", known)} with commas between.");
        return [.. known.Where(k => asked.Contains(k, StringComparer.OrdinalIgnoreCase))];
    }
}
