using Twin.Detection.Evaluation;
using Twin.Hardware;

namespace Twin.Detection.Tests.Evaluation;

/// <summary>Homes with a day of their own and noise, from a seed; half-hourly.</summary>
internal static class MadeHomes
{
    public const int Slots = 48;

    public static RecordedHome[] Of(int count) => [.. Enumerable.Range(0, count).Select(Home)];

    private static RecordedHome Home(int index)
    {
        var random = SplitMix64.For(7, $"home {index}");
        var size = random.NextDouble(0.5, 2);
        var peak = 30 + random.Next(12);
        var used = new int[Protocol.Days * Slots];
        for (var i = 0; i < used.Length; i++)
        {
            var evening = Math.Max(0, 4 - Math.Abs(i % Slots - peak));
            used[i] = (int)(size * (60 + 120 * evening) * random.NextDouble(0.5, 1.5));
        }
        return new RecordedHome($"home-{index}", ("", "", ""), used, used, null);
    }

    public static EvaluationCase Case(int index) => new(Home(index), index, Slots);

    public static EvaluationPlan Plan(ulong seed = 3, bool observers = true, bool fromDay0 = false, int homes = 60) =>
        new(seed, 2, homes, Scenarios.ReadThefts("all"), observers, fromDay0, Slots, 19_723);
}
