namespace Twin.Detection.Evaluation;

/// <summary>The numbers of the evaluation protocol.</summary>
public static class Protocol
{
    /// <summary>Days of a set, and the first day (from 0) whose scores count.</summary>
    public const int Days = 92, FirstJudgedDay = 21;

    /// <summary>First and last day on which something begins.</summary>
    public const int FirstOnset = 21, LastOnset = 70;

    /// <summary>Customers of a feeder.</summary>
    public const int SmallestFeeder = 18, LargestFeeder = 22;

    /// <summary>Shares of a set; the rest are honest homes.</summary>
    public const double Attacked = 0.25, LookAlikes = 0.18, Faulty = 0.06;

    /// <summary>Observer meters: technical loss of a feeder, and noise of a reading (standard deviation).</summary>
    public const double LowestLoss = 0.02, HighestLoss = 0.05, ObserverNoise = 0.005;

    /// <summary>A case that changes less than this of the energy and of the shape is no case.</summary>
    public const double NoOp = 0.01;

    /// <summary>Days that a local day stays open for stragglers: the default of the service.</summary>
    public const int HorizonDays = 3;

    /// <summary>Homes that a half must hold: fewer do not fill one feeder without repeating.</summary>
    public const int FewestHomes = 20;

    /// <summary>Homes of a set: one feeder at least; more make a set slow, not better.</summary>
    public const int SmallestSet = 40, LargestSet = 2000, LargestNumberOfSets = 200;

    /// <summary>A home with a smaller share of its slots recorded is left out.</summary>
    public const double FewestReadings = 0.9;
}

/// <summary>What to play. The same plan on the same homes gives the same cases.</summary>
/// <param name="Seed">Of all chance.</param>
/// <param name="Sets">Number of sets.</param>
/// <param name="Homes">Homes a set.</param>
/// <param name="Thefts">Ids of <see cref="Scenarios.Thefts"/>.</param>
/// <param name="Observers">Whether feeders have an observer meter.</param>
/// <param name="FromDay0">Thefts are there from the first day, so that no meter shows a change.</param>
/// <param name="SlotsPerDay">Readings of a day, 24 or more.</param>
/// <param name="FirstDay">Local day number of the first day.</param>
public sealed record EvaluationPlan(ulong Seed, int Sets, int Homes, IReadOnlyList<string> Thefts, bool Observers,
    bool FromDay0, int SlotsPerDay, int FirstDay)
{
    public int IntervalMinutes => 1440 / SlotsPerDay;
}
