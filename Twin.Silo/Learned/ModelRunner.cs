using Twin.Detection.Evaluation;
using Twin.Detection.Learned;
using Twin.Grains;
using Twin.Grains.Learned;
using Twin.Hardware;

namespace Twin.Silo.Learned;

/// <summary>
/// Asks the models in use about every customer on a day that has closed, and journals what they say
/// (<see cref="ModelOpinion"/>). Rows are made as in training: of the 92 days that end with that day.
/// </summary>
internal static class ModelRunner
{
    /// <summary>Customers whose rows are made together; the median home of a row's day is that of these.</summary>
    private const int AtOnce = 1_000;

    /// <summary>Less than this of a score of 1 is not worth a word.</summary>
    public const double Least = 0.25;

    private const string Source = "models";

    /// <summary>The models in use whose files are in the folder.</summary>
    public static async ValueTask<List<(LearnedModel Model, ModelStage Stage)>> InUse(IFleet fleet, string folder,
        CancellationToken cancel)
    {
        var found = new List<(LearnedModel, ModelStage)>();
        if (await fleet.State(ModelActivation.Twin, AsOf.Now, cancel) is not { } state) return found;
        foreach (var m in ModelsTwin.From(ModelActivation.Twin, state))
            if (m.Stage != ModelStage.Retired && File.Exists(FileOf(folder, m.Model)))
                found.Add((ModelFile.Read(FileOf(folder, m.Model)).Model, m.Stage));
        return found;
    }

    public static string FileOf(string folder, ulong model) => Path.Combine(folder, $"{model:x16}.model");

    /// <summary>Returns how many opinions were journalled.</summary>
    public static async Task<int> Run(IFleet fleet, IReadOnlyList<(LearnedModel Model, ModelStage Stage)> models,
        int day,
        CancellationToken cancel)
    {
        var said = 0;
        for (ulong after = 0; ;)
        {
            var keys = await fleet.Keys(TwinKind.Meter, after, AtOnce, cancel);
            if (keys.Count == 0) return said;
            after = keys[^1].Id;
            var homes = new List<(MeterId Meter, RecordedHome Home, int Interval)>();
            foreach (var key in keys)
                if (await HomeOf(fleet, key, day, cancel) is { } home) homes.Add(home);
            foreach (var group in homes.GroupBy(h => h.Interval))
                said += await Ask(fleet, models, [.. group], group.Key, day, cancel);
        }
    }

    private static async Task<int> Ask(IFleet fleet, IReadOnlyList<(LearnedModel Model, ModelStage Stage)> models,
        (MeterId Meter, RecordedHome Home, int Interval)[] homes, int interval, int day, CancellationToken cancel)
    {
        var slots = 1440 / interval;
        var plan = new EvaluationPlan(1, 1, homes.Length, [], false, false, slots, day - Protocol.Days + 1);
        var rows = new EvaluationRows(new EvaluationSet(0, plan,
            [.. homes.Select((h, i) => new EvaluationCase(h.Home, i, slots))], [(0, homes.Length, 0.0)]),
                Protocol.Days);
        var batch = new InputBatch(Source);
        var end = new UnixTime((day + 1L) * 86_400);
        // Who counts speaks last: a meter keeps the last word.
        foreach (var (model, stage) in models.OrderBy(m => m.Stage == ModelStage.Promoted))
            for (var h = 0; h < homes.Length; h++)
                if (model.Score(rows[h, Protocol.Days - 1]) is >= Least and var score)
                    batch.Add(new ModelOpinion(homes[h].Meter, end, day, Convert.ToUInt64(model.Name, 16), (float)score,
                        stage == ModelStage.Promoted));
        if (batch.Count == 0) return 0;
        return (await fleet.Append(batch, cancel)).Items.ToArray().Count(i => i.Status == AdmissionStatus.Accepted);
    }

    /// <summary>Null: no customer, or too few readings in these days.</summary>
    private static async ValueTask<(MeterId, RecordedHome, int)?> HomeOf(IFleet fleet, TwinKey key, int day,
        CancellationToken cancel)
    {
        if (await fleet.State(key, AsOf.Now, cancel) is not { } state) return null;
        var card = MeterCard.From(key, state);
        if (card.Relation is { Role: not MeterRole.Customer }) return null;
        var cohort = card.Relation is { } r ? (r.Model, r.Firmware, r.Lot) : ("", "", "");
        var (first, told, interval) = (day - Protocol.Days + 1, Array.Empty<int>(), 0);
        await fleet.Series(new MeterId(key.Id), Channel.Import, first, day, null, (local, minutes, slots, _) =>
        {
            if (interval == 0 && 1440 % minutes == 0)
            {
                (interval, told) = (minutes, new int[Protocol.Days * 1440 / minutes]);
                told.AsSpan().Fill(ReadingBlock.Missing);
            }
            // Days of 23 and 25 hours lose or lack an hour: the grid is one of 24.
            var n = interval == minutes ? Math.Min(slots.Length, 1440 / interval) : 0;
            slots[..n].CopyTo(told.AsSpan((local.Number - first) * (n == 0 ? 0 : 1440 / interval)));
        }, cancel);
        if (interval == 0 || told.Length - told.AsSpan().Count(ReadingBlock.Missing)
            < Protocol.FewestReadings * told.Length) return null;
        return (new MeterId(key.Id), new RecordedHome(card.Name, cohort, told,
            RecordedHome.Fill(told, 1440 / interval), null), interval);
    }

    /// <summary>In service: asks behind each closing, until it is stopped.</summary>
    public static async Task Watch(IFleet fleet, string folder, Action<string> tell, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(1), TimeProvider.System);
        var done = fleet.Status.ClosedThroughDay;
        try
        {
            while (await timer.WaitForNextTickAsync(cancel))
            {
                if (fleet.Status.ClosedThroughDay is not { } day || day == done) continue;
                done = day;
                try
                {
                    if (await InUse(fleet, folder, cancel) is { Count: > 0 } models) await Run(fleet, models, day,
                        cancel);
                }
                catch (Exception e) when (e is ArgumentException or StorageUnavailableException)
                {
                    tell($"models: {e.Message}");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }
}
