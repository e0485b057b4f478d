using Twin.Hardware;
using Xunit.Abstractions;

namespace Twin.Detection.Tests;

/// <summary>
/// The slow reference on homes that were recorded for two years: heating seasons, tenants that leave and come, empty
/// months.
/// </summary>
public sealed class SlowReferenceRecordedTests(ITestOutputHelper output)
{
    /// <summary>Runs all homes as one cohort; <paramref name="told"/> is how many members the twins are told.</summary>
    private List<(string Home, int Day, Finding Finding)> Run(
        SortedDictionary<string, SortedDictionary<int, int[]>> homes, int told, Func<string, int, double> share,
        bool observed = false)
    {
        var names = homes.Keys.ToArray();
        var models = names.Select(static _ => new ReadingModel()).ToArray();
        var anchors = new AnchorBaseline[names.Length];
        var found = new List<(string, int, Finding)>();
        for (var day = homes.Values.Min(static h => h.Keys.First()); day <= homes.Values.Max(static h => h.Keys.Last());
            day++)
        {
            var features = new DayFeatures?[names.Length];
            for (var h = 0; h < names.Length; h++)
                if (homes[names[h]].TryGetValue(day, out var wh))
                    features[h] = Fold(models[h], day, wh, share(names[h], day));
            var usable = features.Where(static f => f is { } g && g.Has(DayMarks.Usable) && g.TotalWh > 0)
                .Select(static f => f!.Value.TotalWh).Order().ToArray();
            if (usable.Length == 0) continue;
            var sum = usable.Sum();
            // What the feeder has lost more than in its first weeks: what was withheld, over what was reported.
            var lost = names.Select((n, h) => features[h] is { } f ? f.TotalWh * (1 / share(n, day) - 1) : 0).Sum();
            var change = observed ? (float)(lost / sum) : float.NaN;
            for (var h = 0; h < names.Length; h++)
            {
                if (features[h] is not { } f) continue;
                var list = new FindingList();
                anchors[h].Take(f, TestHome.Subject((ulong)h + 1),
                    new SlowPeers(usable[usable.Length / 2], change, sum, told), list);
                found.AddRange(list.Select(x => (names[h], day, x)));
            }
        }
        foreach (var (home, day, f) in found) output.WriteLine($"{home} {LocalDay.FormatDate(day)} {f.Sentence}");
        return found;
    }

    private static DayFeatures Fold(ReadingModel model, int day, int[] wh, double share)
    {
        int[] read = [.. wh.Select(v => v == ReadingBlock.Missing ? v : (int)Math.Round(v * share))];
        var qualities = read.Select(static v => v == ReadingBlock.Missing ? Quality.Missing : Quality.Actual).ToArray();
        return model.Fold(new DayReadings(new LocalDay(day, day * 1440L, 1440), 30, read, qualities),
            TestHome.Subject(), new FindingList());
    }

    [Fact]
    public void Years_of_real_homes_are_no_slow_decline()
    {
        if (RecordedYears.Sgsc() is not { } homes)
        {
            output.WriteLine("Not run: the recorded set sgsc is not at hand.");
            return;
        }
        Assert.Equal(10, homes.Count);
        // As if the cohort were large: what the decline itself is worth. Then as the ten that they are.
        var alone = Run(homes, 200, static (_, _) => 1);
        output.WriteLine($"{alone.Count} of {homes.Values.Sum(static h => h.Count) / 365.0:0.0} meter-years");
        Assert.Empty(Run(homes, 10, static (_, _) => 1));
        Assert.Empty(Run(homes, 200, static (_, _) => 1, observed: true));
        Assert.Empty(alone);
    }

    /// <summary>
    /// What a thief takes is missing on the feeder for all its neighbours, who live on with their own seasons.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_slow_thief_among_them_is_told_and_his_neighbours_are_not(bool observed)
    {
        const string Thief = "10006414";
        if (RecordedYears.Sgsc() is not { } homes)
        {
            output.WriteLine("Not run: the recorded set sgsc is not at hand.");
            return;
        }
        var onset = homes[Thief].Keys.First() + 120;
        var found = Run(homes, 200, (home, day) => home == Thief
            ? Math.Max(0.2, 1 - 0.01 * Math.Max(0, day - onset) / 7.0) : 1, observed);
        var (_, told, finding) = Assert.Single(found, f => f.Home == Thief);
        Assert.InRange(told - onset, 200, 320);
        Assert.Contains("Little by little", finding.Sentence, StringComparison.Ordinal);
        Assert.Single(found);
    }
}
