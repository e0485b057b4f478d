namespace Twin.Detection;

/// <summary>The pieces of a day's score: names, and what makes them comparable.</summary>
internal static class Pieces
{
    /// <summary>
    /// Tracked features come first; <see cref="Rise"/> is tracked behind them and is no piece. In the place of
    /// <see cref="Uniform"/>, which is the least of the falls of level, night base and peak, the peak is tracked.
    /// </summary>
    public const int Level = 0, Uniform = 1, Shape = 2, Rhythm = 3, Zero = 4, Rough = 5, Night = 6, Rise = 7,
        Tracked = 8;

    /// <summary>Pieces of what a home does otherwise than before, or than others: life does that too.</summary>
    public const int PeerFlat = 7, PeerNight = 8, OfLife = 9;

    /// <summary>Pieces of what life does not do.</summary>
    public const int Cap = 9, ZeroDays = 10, Exchanged = 11, Feeder = 12, Repeat = 13, Stuck = 14, Count = 15;

    public static readonly string[] Names =
    [
        "level_drop", "uniform_drop", "shape_distance", "rhythm_lost", "zero_share", "roughness_rise",
        "night_base_drop",
        "peer_flatness", "peer_night_share", "ceiling", "zero_days", "exchanged_meters", "feeder_balance",
        "repeated_day", "stuck_day",
    ];

    /// <summary>Direction that counts, by tracked feature.</summary>
    public static readonly int[] Signs = [-1, -1, 1, -1, 1, 1, -1, 1];

    /// <summary>Spread below which a difference is measurement or rounding, in each feature's own unit.</summary>
    public static readonly float[] Floors = [0.05f, 0.05f, 0.02f, 0.05f, 0.03f, 0.03f, 0.05f, 0.05f];

    /// <summary>Deviation that a cumulative sum forgives each day, in standard deviations.</summary>
    public static readonly float[] Slacks = [0.2f, 0.2f, 0.2f, 0.2f, 0.25f, 0.25f, 0.2f, 0.2f];

    /// <summary>
    /// What the piece reaches in about one honest home of a hundred within 92 days (tuning half of the evaluation
    /// homes); round numbers where hardly any honest home has the piece at all.
    /// </summary>
    public static readonly float[] HonestHundredth =
        [14f, 4.5f, 18f, 16.5f, 4f, 25f, 19f, 2.2f, 5f, 6f, 3f, 1.5f, 3.8f, 1f, 1f];
}
