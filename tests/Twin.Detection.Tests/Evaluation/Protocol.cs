using Twin.Hardware;

namespace Twin.Detection.Tests.Evaluation;

/// <summary>
/// What came of one home: its score (maximum over days from 21 on), the maximum of each piece, findings, first day
/// above each score.
/// </summary>
internal sealed record Outcome(string Kind, Cause Cause, int Onset, double Score, float[] PieceMax, double[] DayScores,
    int Findings);

/// <summary>
/// The protocol that counts: 200 recorded homes a set on feeders of 18 to 22, thefts, look-alikes and faults laid over
/// them.
/// </summary>
internal static class Protocol
{
    public const int FirstJudgedDay = 21;
    private const int Day = RecordedHomes.SlotsPerDay, FirstDayNumber = 14304; // 2009-03-01, a Sunday.

    private sealed class Kept : IFindingSink
    {
        public int Count;
        public readonly Dictionary<FindingKind, int> Kinds = [];
        public void Add(Finding finding)
        {
            Count++;
            Kinds[finding.Kind] = Kinds.GetValueOrDefault(finding.Kind) + 1;
        }
    }

    public static List<Outcome> Run(int[][] pool, ulong seed, bool withObservers)
    {
        var random = SplitMix64.For(seed, "evaluation");
        var homes = pool.OrderBy(_ => random.NextUInt64()).Take(200).Select(x => new Home(x)).ToArray();
        var feeders = Stage(homes, random);
        var models = homes.Select(_ => new ReadingModel()).ToArray();
        var kept = homes.Select(_ => new Kept()).ToArray();
        var nobody = new Kept();
        var feederModels = feeders.Select(_ => new FeederModel()).ToArray();
        var observerModels = feeders.Select(_ => new ReadingModel()).ToArray();
        var losses = feeders.Select(_ => random.NextDouble(0.02, 0.05)).ToArray();
        var cohortModel = new CohortModel();
        var scores = homes.Select(_ => new double[RecordedHomes.Days]).ToArray();
        var maxima = homes.Select(_ => new float[Pieces.Count]).ToArray();
        Span<float> pieces = stackalloc float[Pieces.Count];
        for (var d = 0; d < RecordedHomes.Days; d++)
        {
            var members = new Member[homes.Length];
            for (var h = 0; h < homes.Length; h++)
                members[h] = new Member(Id(h), MeterRole.Customer,
                    models[h].Fold(Readings(homes[h].Told, d), Subject(h, MeterRole.Customer), kept[h]));
            var cohort = cohortModel.Fold(FirstDayNumber + d, members);
            for (var f = 0; f < feeders.Length; f++)
            {
                var (start, count) = feeders[f];
                var inFeeder = members.AsSpan(start, count).ToArray();
                FeederDay feederDay = default;
                if (withObservers)
                {
                    var readings = Observe(homes.AsSpan(start, count), d, losses[f], random);
                    var features = observerModels[f].Fold(Readings(readings, 0, d),
                        Subject(1000 + f, MeterRole.Observer), nobody);
                    var subject = new DaySubject(new TwinKey(TwinKind.Feeder, (ulong)f + 1), $"f{f}",
                        MeterRole.Customer, ContextFlags.None);
                    feederDay = feederModels[f].Fold(FirstDayNumber + d, subject,
                        [.. inFeeder, new Member(Id(1000 + f), MeterRole.Observer, features)], nobody);
                }
                for (var h = start; h < start + count; h++)
                {
                    FeederDay? told = withObservers ? feederDay : null;
                    scores[h][d] = models[h].Judge(members[h].Features, Subject(h, MeterRole.Customer), cohort, told,
                        kept[h]).Score;
                    models[h].Judgement.Weigh(members[h].Features, pieces);
                    for (var i = 0; d >= FirstJudgedDay && i < Pieces.Count; i++) maxima[h][i] =
                        Math.Max(maxima[h][i], pieces[i]);
                }
            }
        }
        return [.. homes.Select((x, h) => new Outcome(x.Kind, x.Cause, x.Onset, scores[h].Skip(FirstJudgedDay).Max(),
            maxima[h], scores[h], kept[h].Count))];
    }

    /// <summary>Findings by kind on homes as they were recorded, one cohort, no observers.</summary>
    public static SortedDictionary<FindingKind, int> Untouched(int[][] homes)
    {
        var models = homes.Select(_ => new ReadingModel()).ToArray();
        var kept = new Kept();
        var cohortModel = new CohortModel();
        var members = new Member[homes.Length];
        for (var d = 0; d < RecordedHomes.Days; d++)
        {
            for (var h = 0; h < homes.Length; h++)
            {
                var features = models[h].Fold(Readings(homes[h], d), Subject(h, MeterRole.Customer), kept);
                members[h] = new Member(Id(h), MeterRole.Customer, features);
            }
            var cohort = cohortModel.Fold(FirstDayNumber + d, members);
            for (var h = 0; h < homes.Length; h++)
                models[h].Judge(members[h].Features, Subject(h, MeterRole.Customer), cohort, null, kept);
        }
        return new SortedDictionary<FindingKind, int>(kept.Kinds);
    }

    private static MeterId Id(int h) => new((ulong)h + 1);
    private static DaySubject Subject(int h, MeterRole role) => new(Id(h).Twin, $"m{h}", role, ContextFlags.None);

    private static readonly Quality[] AllActual = [.. Enumerable.Repeat(Quality.Actual, Day)];
    private static DayReadings Readings(int[] told, int d) => Readings(told, d, d);
    private static DayReadings Readings(int[] told, int at, int d) =>
        new(new LocalDay(FirstDayNumber + d, (FirstDayNumber + d) * 1440L, 1440), 30, told.AsSpan(at * Day, Day),
            AllActual);

    private static int[] Observe(ReadOnlySpan<Home> homes, int d, double loss, SplitMix64 random)
    {
        var sums = new int[Day];
        foreach (var home in homes)
            for (var s = 0; s < Day; s++) sums[s] += home.Used[d * Day + s];
        for (var s = 0; s < Day; s++) sums[s] = (int)Math.Round(sums[s] * (1 + loss) * (1
            + 0.005 * random.NextNormal()));
        return sums;
    }

    private static (int Start, int Count)[] Stage(Home[] homes, SplitMix64 random)
    {
        var feeders = new List<(int, int)>();
        for (var start = 0; start < homes.Length;)
        {
            var count = Math.Min(18 + random.Next(5), homes.Length - start);
            if (homes.Length - start - count is > 0 and < 18) count = Math.Min(22, (homes.Length - start) / 2);
            feeders.Add((start, count));
            start += count;
        }
        var order = Enumerable.Range(0, homes.Length).OrderBy(_ => random.NextUInt64()).ToList();
        Home Next()
        {
            var h = homes[order[^1]];
            order.RemoveAt(order.Count - 1);
            return h;
        }
        int Onset() => random.NextDouble() < 0.2 ? 0 : 21 + random.Next(50);
        var first = random.Next(Scenarios.Thefts.Length);
        for (var i = 0; i < 48; i++)
        {
            var kind = Scenarios.Thefts[(first + i) % Scenarios.Thefts.Length];
            if (kind != "exchange")
            {
                Scenarios.Steal(Next(), kind, Onset(), random);
                continue;
            }
            var a = order[^1];
            var (start, count) = feeders.First(f => a >= f.Item1 && a < f.Item1 + f.Item2);
            var b = order.Find(h => h != a && h >= start && h < start + count);
            order.Remove(a);
            order.Remove(b);
            Scenarios.Exchange(homes[a], homes[b], 21 + random.Next(50));
        }
        for (var i = 0; i < 36; i++)
            Scenarios.Resemble(Next(), Scenarios.LookAlikes[i % 6], 21 + random.Next(50),
                homes[random.Next(homes.Length)].Used, random);
        for (var i = 0; i < 12; i++) Scenarios.Break(Next(), Scenarios.Faults[i % 4], 21 + random.Next(50), random);
        return [.. feeders];
    }
}
