namespace Twin.Detection;

/// <summary>The pieces of a day's score: names, and what makes them comparable.</summary>
internal static class Pieces
{
    /// <summary>Tracked features; feature j has pieces 2j (fell) and 2j + 1 (rose).</summary>
    public const int Features = 6;
    public const int Level = 0, Night = 1, Shape = 2, Rough = 3, Evening = 4, Zero = 5;
    public const int PeerFlat = 12, PeerNight = 13, Feeder = 14, Repeat = 15, Stuck = 16, Scale = 17, Count = 18;

    public static readonly string[] Names =
    [
        "level_drop", "level_rise", "night_base_drop", "night_base_rise", "shape_nearer", "shape_distance",
            "roughness_drop", "roughness_rise",
        "evening_share_drop", "evening_share_rise", "zero_share_drop", "zero_share_rise",
        "peer_flatness", "peer_night_share", "feeder_balance", "repeated_day", "stuck_day", "scale_drop",
    ];

    /// <summary>Spread below which a difference is measurement or rounding, in each feature's own unit.</summary>
    public static readonly float[] Floors = [0.05f, 0.05f, 0.02f, 0.03f, 0.05f, 0.03f];

    /// <summary>Deviation that a cumulative sum forgives each day, in standard deviations.</summary>
    public static readonly float[] Slacks = [0.2f, 0.2f, 0.2f, 0.25f, 0.25f, 0.25f];

    /// <summary>
    /// What the piece reaches in one honest home of a hundred within 92 days (development half of the evaluation
    /// homes).
    /// </summary>
    public static readonly float[] HonestHundredth =
    [
        19f, 45f, 37f, 75f, 40f, 18f, 22f, 22f, 15f, 35f, 1000f, 7f, 1.7f, 3.4f, 5f, 1f, 1f, 11f,
    ];
}
