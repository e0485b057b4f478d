namespace Twin.Hardware.Emulator;

/// <summary>
/// Deals labels to customers. Homes do not depend on it: a world without labels is the honest twin of one with them.
/// </summary>
internal static class Casting
{
    /// <summary>
    /// Worlds up to this long keep an anomaly to their end; in longer ones it is found and mended some day.
    /// </summary>
    private const int ShortWorldDays = 120;

    private static readonly LabelKind[] Anomalies =
    [
        LabelKind.Scaled, LabelKind.Stuck, LabelKind.ZeroWindow, LabelKind.NightBypass, LabelKind.LostPhase,
        LabelKind.RepeatedDays, LabelKind.Capped, LabelKind.WrongCtRatio, LabelKind.Ramp, LabelKind.Drift,
    ];

    private static readonly LabelKind[] LookAlikes =
    [
        LabelKind.Vacancy, LabelKind.NewEv, LabelKind.GapBackfill, LabelKind.NewPv, LabelKind.MoveIn,
        LabelKind.GapCatchUp,
    ];

    private static readonly LabelKind[] Gaps = [LabelKind.GapBackfill, LabelKind.GapCatchUp];

    /// <summary>The parts by meter index.</summary>
    public static SortedDictionary<int, Part> Deal(WorldOptions options, Household?[] homes)
    {
        var draw = SplitMix64.For(options.Seed, "casting");
        int[] customers = [.. Enumerable.Range(0, homes.Length).Where(i => homes[i] is not null)];
        var anomalies = (int)(customers.Length * options.AnomalyShare + 0.5);
        var lookAlikes = Math.Min(customers.Length - anomalies, (int)(customers.Length * options.LookAlikeShare + 0.5));
        var alike = options.ReadingGaps ? LookAlikes : [.. LookAlikes.Except(Gaps)];
        int firstAnomaly = draw.Next(Anomalies.Length), firstLookAlike = draw.Next(alike.Length);
        var parts = new SortedDictionary<int, Part>();
        for (var i = 0; i < anomalies + lookAlikes; i++)
        {
            var kind = i < anomalies ? Anomalies[(firstAnomaly + i) % Anomalies.Length]
                : alike[(firstLookAlike + i - anomalies) % alike.Length];
            var pick = i + draw.Next(customers.Length - i);
            var fitting = Array.FindIndex(customers, pick, c => Fits(kind, homes[c]!));
            // Nobody left without a car or PV of their own: then somebody is away.
            if (fitting < 0) kind = LabelKind.Vacancy;
            else pick = fitting;
            (customers[i], customers[pick]) = (customers[pick], customers[i]);
            var own = new SplitMix64(StableHash.Mix(unchecked(homes[customers[i]]!.Seed + 0xC2B2AE3D27D4EB4FUL)));
            parts.Add(customers[i], Play(kind, homes[customers[i]]!, options, own));
        }
        return parts;
    }

    private static bool Fits(LabelKind kind, Household home) =>
        kind switch { LabelKind.NewEv => !home.HasEv, LabelKind.NewPv => !home.HasPv, _ => true };

    private static Part Play(LabelKind kind, Household home, WorldOptions options, SplitMix64 draw)
    {
        var last = options.Days - 1;
        // The latest onset leaves a quarter of a short world to see it in.
        var earliest = Math.Min(options.FirstOnsetDay, options.Days / 3);
        var latest = Math.Min(options.LastOnsetDay, options.Days * 3 / 4);
        var from = earliest + draw.Next(Math.Max(1, latest - earliest));
        var lasting = options.Days <= ShortWorldDays ? options.Days : 45 + draw.Next(356);
        var span = kind switch
        {
            LabelKind.Vacancy => 10 + draw.Next(12),
            LabelKind.GapBackfill or LabelKind.GapCatchUp => 2 + draw.Next(4),
            LabelKind.NewEv or LabelKind.NewPv or LabelKind.MoveIn => options.Days,
            _ => lasting,
        };
        var to = (int)Math.Min(last, (long)from + span - 1);
        return new Part
        {
            Kind = kind,
            From = from,
            To = to,
            Factor = kind switch
            {
                LabelKind.Scaled => draw.NextDouble(0.1, 0.8),
                LabelKind.WrongCtRatio => ((ReadOnlySpan<double>)[0.5, 0.6, 0.8, 1.5])[draw.Next(4)],
                LabelKind.Ramp => draw.NextDouble(0, 0.7),
                LabelKind.NightBypass => 0.1,
                LabelKind.ZeroWindow => 0,
                _ => 1,
            },
            Rate = draw.NextDouble(0.05, 0.1),
            WindowStart = kind == LabelKind.NightBypass ? 1320 : 30 * draw.Next(48),
            WindowMinutes = kind == LabelKind.NightBypass ? 480 : 240 + 30 * draw.Next(13),
            GapBegin = draw.NextDouble(0, 0.5),
            GapEnd = draw.NextDouble(0.5, 1),
            Arrival = to + 1 + draw.Next(6),
            Before = kind != LabelKind.MoveIn ? null
                : Household.Draw(draw.NextUInt64(), options) with { HasPv = home.HasPv, PvPeak = home.PvPeak },
        };
    }
}
