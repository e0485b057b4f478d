using Twin.Hardware;

namespace Twin.Detection.Evaluation;

/// <summary>Builds sets after the protocol: which homes on which feeder, and what happens to whom.</summary>
public static class SetBuilder
{
    /// <exception cref="ArgumentException">The pool is empty.</exception>
    public static EvaluationSet Build(IReadOnlyList<RecordedHome> pool, EvaluationPlan plan, int number)
    {
        if (pool.Count == 0) throw new ArgumentException("No recorded home is left to build a set of.", nameof(pool));
        var random = SplitMix64.For(plan.Seed, $"set {number}");
        var feeders = Feeders(plan.Homes, random);
        var cases = Draw(pool, plan, feeders, random);
        Stage(cases, feeders, pool, plan, number, random);
        return new EvaluationSet(number, plan, cases, feeders);
    }

    /// <summary>
    /// Feeders of 18 to 22 that use up the homes; a number of homes that none add up to is shared out evenly.
    /// </summary>
    private static (int Start, int Count, double Loss)[] Feeders(int homes, SplitMix64 random)
    {
        const int Usual = (Protocol.SmallestFeeder + Protocol.LargestFeeder) / 2;
        var feeders = new (int, int, double)[Math.Max(1, (homes + Usual / 2) / Usual)];
        for (int f = 0, start = 0; f < feeders.Length; f++)
        {
            var (left, behind) = (homes - start, feeders.Length - f - 1);
            var least = Math.Max(Protocol.SmallestFeeder, left - behind * Protocol.LargestFeeder);
            var most = Math.Min(Protocol.LargestFeeder, left - behind * Protocol.SmallestFeeder);
            var count = least <= most ? least + random.Next(most - least + 1) : left / (behind + 1);
            feeders[f] = (start, count, random.NextDouble(Protocol.LowestLoss, Protocol.HighestLoss));
            start += count;
        }
        return feeders;
    }

    /// <summary>
    /// Homes from a shuffled deck, shuffled anew when it is used up: each comes as often as any other, and never twice
    /// to one feeder as long as the pool is larger than a feeder.
    /// </summary>
    private static EvaluationCase[] Draw(IReadOnlyList<RecordedHome> pool, EvaluationPlan plan,
        (int Start, int Count, double Loss)[] feeders, SplitMix64 random)
    {
        var cases = new EvaluationCase[plan.Homes];
        var deck = new List<int>();
        foreach (var (start, count, _) in feeders)
        {
            var here = new HashSet<int>();
            for (var h = start; h < start + count; h++)
            {
                var at = deck.FindLastIndex(i => !here.Contains(i));
                if (at < 0)
                {
                    deck.InsertRange(0, Enumerable.Range(0, pool.Count).OrderBy(_ => random.NextUInt64()));
                    at = deck.FindLastIndex(i => !here.Contains(i));
                }
                if (at < 0) at = deck.Count - 1;
                cases[h] = new EvaluationCase(pool[deck[at]], deck[at], plan.SlotsPerDay);
                here.Add(deck[at]);
                deck.RemoveAt(at);
            }
        }
        return cases;
    }

    private static void Stage(EvaluationCase[] cases, (int Start, int Count, double Loss)[] feeders,
        IReadOnlyList<RecordedHome> pool, EvaluationPlan plan, int number, SplitMix64 random)
    {
        var order = Enumerable.Range(0, cases.Length).OrderBy(_ => random.NextUInt64()).ToList();
        int Onset() => Protocol.FirstOnset + random.Next(Protocol.LastOnset - Protocol.FirstOnset + 1);
        int Next()
        {
            var h = order[^1];
            order.RemoveAt(order.Count - 1);
            return h;
        }
        SplitMix64 Own(int h) => SplitMix64.For(plan.Seed, $"set {number} meter {h}");
        var thefts = (int)Math.Round(cases.Length * Protocol.Attacked);
        for (int taken = 0, drawn = 0; taken < thefts; taken++, drawn++)
        {
            // Another set begins with another kind, so that all come about equally often.
            var kind = plan.Thefts[(number * thefts + drawn) % plan.Thefts.Count];
            var (h, onset) = (Next(), plan.FromDay0 ? 0 : Onset());
            if (kind != Scenarios.Exchange)
            {
                Injection.Steal(cases[h], kind, onset, Own(h));
                continue;
            }
            var (start, count, _) = feeders.First(f => h >= f.Start && h < f.Start + f.Count);
            var other = order.FindLastIndex(o => o >= start && o < start + count);
            if (other < 0) continue;
            Injection.Exchange(cases[h], cases[order[other]], onset);
            order.RemoveAt(other);
            taken++;
        }
        var alikes = (int)Math.Round(cases.Length * Protocol.LookAlikes);
        for (var i = 0; i < alikes; i++)
        {
            var kind = Scenarios.LookAlikes[(number * alikes + i) % Scenarios.LookAlikes.Count].Id;
            var (h, onset, other) = (Next(), Onset(), pool[random.Next(pool.Count)]);
            Injection.Resemble(cases[h], kind, onset, other.Used, Own(h));
        }
        var faults = (int)Math.Round(cases.Length * Protocol.Faulty);
        for (var i = 0; i < faults; i++)
        {
            var kind = Scenarios.Faults[(number * faults + i) % Scenarios.Faults.Count].Id;
            var h = Next();
            Injection.Break(cases[h], kind, Onset(), Own(h));
        }
    }
}
