using System.Globalization;

namespace Twin.Hardware.Emulator;

/// <summary>
/// Meters behind one transformer: consecutive indexes, the observer first where there is one. <paramref name="Loss"/>
/// is the technical loss as a share of what flows (0.02 to 0.05).
/// </summary>
public sealed record WorldFeeder(string Name, int FirstMeter, int MeterCount, bool HasObserver, double Loss,
    int Region);

/// <summary>
/// Who hangs where: feeders of 18 to 22 customers when meters are 20 times the feeders, and one fleet row a meter.
/// </summary>
internal static class WorldFleet
{
    /// <summary>
    /// Regions have weather of their own; a fleet has one for each so many feeders, at most <see cref="MaxRegions"/>.
    /// </summary>
    private const int FeedersPerRegion = 50;
    public const int MaxRegions = 4;
    private const int MetersPerCohort = 60;
    private const int MaxCohorts = 64;
    private const int FeedersPerConcentrator = 4;

    private static readonly (string Model, string Firmware)[] Models =
        [("ZEUS-1", "2.4.1"), ("ZEUS-1", "2.3.0"), ("AM-550", "1.7.2")];

    public static WorldFeeder[] Feeders(WorldOptions options)
    {
        var draw = SplitMix64.For(options.Seed, "feeders");
        var count = options.FeederCount;
        var sizes = new int[count];
        for (var f = 0; f < count; f++) sizes[f] = options.Meters / count + (f < options.Meters % count ? 1 : 0);
        // Neighbours swap up to two customers (a tenth of a small feeder), so that sizes differ and the sum stays.
        for (var f = 0; f + 1 < count; f += 2)
        {
            var swing = Math.Min(2, sizes[f + 1] / 10);
            var moved = draw.Next(2 * swing + 1) - swing;
            (sizes[f], sizes[f + 1]) = (sizes[f] + moved, sizes[f + 1] - moved);
        }
        var regions = Math.Clamp(count / FeedersPerRegion, 1, MaxRegions);
        var feeders = new WorldFeeder[count];
        var first = 0;
        for (var f = 0; f < count; f++)
        {
            var meters = sizes[f] + (options.Observers ? 1 : 0);
            feeders[f] = new WorldFeeder(Numbered("FD-", f + 1, 5), first, meters, options.Observers,
                draw.NextDouble(0.02, 0.05), f * regions / count);
            first += meters;
        }
        return feeders;
    }

    public static MeterRelation[] Relations(WorldOptions options, WorldFeeder[] feeders)
    {
        var fleet = new List<MeterRelation>(options.Meters + feeders.Length);
        var draw = SplitMix64.For(options.Seed, "fleet");
        var cohorts = Math.Clamp(options.Meters / MetersPerCohort, 1, MaxCohorts);
        var customer = 0;
        for (var f = 0; f < feeders.Length; f++)
        {
            for (var i = 0; i < feeders[f].MeterCount; i++)
            {
                var observer = feeders[f].HasObserver && i == 0;
                fleet.Add(observer ? Observer(options, feeders[f], f)
                    : Customer(options, feeders[f], f, ++customer, draw, cohorts));
            }
        }
        return [.. fleet];
    }

    private static MeterRelation Observer(WorldOptions options, WorldFeeder feeder, int f) =>
        Row("MT-F" + feeder.Name[3..], MeterRole.Observer, options, feeder, f,
            ("FM-3", "4.0.2", "F2301", options.Start.AddDays(-700)), "TS-" + feeder.Name[3..], "",
            CustomerCategory.Unknown);

    private static MeterRelation Customer(WorldOptions options, WorldFeeder feeder, int f, int number, SplitMix64 draw,
        int cohorts)
    {
        var cohort = draw.Next(cohorts);
        var (model, firmware) = Models[cohort % Models.Length];
        var made = options.Start.AddDays(-2600 + 2000 * cohort / cohorts);
        var lot = string.Create(CultureInfo.InvariantCulture, $"L{made:yy}{cohort + 1:00}");
        var category = draw.NextDouble() switch
        {
            < 0.01 => CustomerCategory.Medical,
            < 0.015 => CustomerCategory.Critical,
            _ => CustomerCategory.Ordinary,
        };
        return Row(Numbered("MT-", number, 7), MeterRole.Customer, options, feeder, f,
            (model, firmware, lot, made.AddDays(30 + draw.Next(200))),
            Numbered("UP-", number, 7), "L" + (1 + draw.Next(3)), category);
    }

    private static MeterRelation Row(string name, MeterRole role, WorldOptions options, WorldFeeder feeder, int f,
        (string Model, string Firmware, string Lot, DateOnly Installed) made, string usagePoint, string phase,
        CustomerCategory category) =>
        new(MeterId.FromUtilityId(name), name, role, feeder.Name, made.Model, made.Firmware, made.Lot,
            made.Installed.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), usagePoint, phase, options.Zone,
            Numbered("DC-", 1 + f / FeedersPerConcentrator, 4), Numbered("R", feeder.Region + 1, 1), category,
            int.MinValue, int.MaxValue);

    private static string Numbered(string prefix, int number, int digits) =>
        prefix + number.ToString("D" + digits, CultureInfo.InvariantCulture);
}
