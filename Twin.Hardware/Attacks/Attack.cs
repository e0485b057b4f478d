using Twin.Hardware.Emulator.Network;

namespace Twin.Hardware.Attacks;

/// <summary>Where in a meter's life an attack takes hold.</summary>
public enum LifeStage : byte
{
    Silicon = 0, Manufacturing = 1, Transport = 2, Installation = 3, Operation = 4, Update = 5, Network = 6,
    Retirement = 7,
}

/// <summary>
/// Which twins an attack concerns, from when and until when: never told to a twin. Meters are places among the
/// customers of the stage's fleet. <paramref name="Feeders"/> and <paramref name="Concentrators"/>: whether those of
/// the meters are concerned themselves; otherwise a grave finding on them is a false alarm.
/// </summary>
public sealed record GroundTruth(int[] Meters, int OnsetDay, int OnsetMinute, int? UntilDay, bool Feeders,
    bool Concentrators);

/// <summary>
/// What the twins must say: every one of <paramref name="AllOf"/>, each satisfied by any of its kinds. Empty: nothing
/// grave may be said at all.
/// </summary>
public sealed record Expectation(FindingKind[][] AllOf)
{
    public static Expectation MustNotAlarm { get; } = new([]);

    public bool IsSilence => AllOf.Length == 0;

    /// <summary>The kinds without which this cannot be met: those that stand alone.</summary>
    public IEnumerable<FindingKind> Needed => AllOf.Where(any => any.Length == 1).Select(any => any[0]);

    public IEnumerable<FindingKind> Kinds => AllOf.SelectMany(any => any).Distinct();

    /// <summary>One line: <c>unknown_image and (downgrade or wrong_key)</c>.</summary>
    public string Describe() => IsSilence ? "must not alarm"
        : string.Join(" and ", AllOf.Select(any => any.Length == 1 ? Finding.NameOf(any[0])
            : "(" + string.Join(" or ", any.Select(Finding.NameOf)) + ")"));
}

/// <summary>
/// The response that an attack calls for: the mildest that contains it, the strongest that may come without a human,
/// and the minutes from onset by which one must be in force (0: none is needed).
/// </summary>
public sealed record ResponseBounds(ResponseRung Sufficient, ResponseRung MostAutomatic, int InForceMinutes);

/// <summary>
/// One act of a script: what the attacker, the utility or nature does on a day at a minute of it.
/// </summary>
public sealed record Act(int Day, int Minute, Action<AttackStage> Do);

/// <summary>
/// The scene: a fleet of its own, days of honest life, then the acts. <paramref name="Kind"/> names what the fleet has
/// besides the usual.
/// </summary>
public sealed record Scene(int Days, SceneKind Kind, Act[] Acts)
{
    /// <summary>
    /// Honest work that goes on in every scene, before and during the attack: visits and switching by order, on meters
    /// that no attack names.
    /// </summary>
    public static IReadOnlyList<Act> OrdinaryWork { get; } =
    [
        new(2, 660, s => s.VisitByOrder(s.Meters - 2)), new(4, 540, s => s.SwitchByOrder(s.Meters - 1, on: false)),
        new(4, 840, s => s.SwitchByOrder(s.Meters - 1, on: true)), new(6, 720, s => s.VisitByOrder(s.Meters - 3)),
        new(11, 660, s => s.VisitByOrder(s.Meters - 1)),
    ];

    /// <summary>How meters were made, other than honestly; by their place among the customers.</summary>
    public IReadOnlyDictionary<int, MeterBirth> Births { get; init; } = new Dictionary<int, MeterBirth>();
}

/// <summary>What is special of a scene's fleet.</summary>
public enum SceneKind : byte
{
    Usual = 0,
    /// <summary>Meters whose metrology and application sit on two boards with an open wire between.</summary>
    DualBoard = 1,
    /// <summary>Days across the change to summer time in Europe.</summary>
    SummerTime = 2,
    /// <summary>Registers near their last figure.</summary>
    NearRollover = 3,
    /// <summary>Homes with innocent changes: cars, panels, empty homes, movers.</summary>
    InnocentChanges = 4,
    /// <summary>
    /// Few meters behind each transformer, and each street from one pallet, so that balances tell lots apart.
    /// </summary>
    ManyFeeders = 5,
}

/// <summary>
/// One entry of the catalogue. <paramref name="Technique"/>: ATT&amp;CK for ICS v18.1, empty for faults, theft and
/// innocent causes, which have none. <paramref name="Basis"/>: where the scenario comes from.
/// <paramref name="Undetectable"/>: why nothing that reaches a twin can show it; empty otherwise.
/// </summary>
public sealed record Attack(string Id, string Name, string Description, LifeStage Stage, string Technique,
    string Basis, GroundTruth Truth, Expectation Expected, ResponseBounds Response, string Undetectable, Scene Scene)
{
    /// <summary>Most entries that may be called undetectable.</summary>
    public const int MaxUndetectable = 3;
}
