using Twin.Hardware;

namespace Twin.Detection.Fleet;

/// <summary>The features of a fingerprint: names, words, units, and what a device's own noise may always be.</summary>
public static class DeviceTraits
{
    public const int Count = Fingerprint.Features;

    private static readonly (string Name, string Words, string Unit)[] Names =
    [
        ("response_latency", "response latency", "ms"), ("frame_size", "frame size", "bytes"),
        ("retries", "retries a day", ""), ("events", "events a day", ""), ("clock_drift", "clock drift", "ppm"),
        ("metrology_noise", "metrology noise", "permille"), ("boots", "boots a day", ""),
        ("transmit_time", "transmit time a day", "s"),
    ];

    /// <summary>
    /// Least scale among meters that are alike, in the feature's unit. Ours: what a counter that counts one more, or a
    /// reading rounded otherwise, changes.
    /// </summary>
    internal static ReadOnlySpan<double> Floors => [3, 6, 0.5, 1.5, 0.5, 0.05, 0.75, 0.4];

    /// <summary>
    /// Least scale as a share of the middle. Frames are of other sizes on days with a backlog, a roll-out or commands.
    /// </summary>
    internal static ReadOnlySpan<double> FloorShares => [0.05, 0.12, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05];

    /// <summary>
    /// True for what the device alone makes; retries, events and boots also come from network and grid.
    /// </summary>
    internal static ReadOnlySpan<bool> Own => [true, true, false, false, true, true, false, true];

    /// <summary>
    /// True for what a release may be meant to change. No release is meant to need more retries and boots, to move a
    /// crystal or to measure with another noise.
    /// </summary>
    private static ReadOnlySpan<bool> ByDesign => [true, true, false, true, false, false, false, true];

    /// <summary>Times the usual up to which a release may be meant to say more and to take longer. Ours.</summary>
    private const double MeantGrowth = 1.5;

    /// <summary>True when all of a change may be what a release was made for.</summary>
    public static bool MayBeMeant(IReadOnlyCollection<Evidence> changed)
    {
        foreach (var e in changed)
            if (!ByDesign[IndexOf(e.Feature)] || e.Observed > MeantGrowth * e.Expected) return false;
        return changed.Count > 0;
    }

    public static string NameOf(int feature) => Names[feature].Name;
    public static string WordsOf(int feature) => Names[feature].Words;
    public static string UnitOf(int feature) => Names[feature].Unit;

    /// <exception cref="ArgumentException">There is no such feature.</exception>
    public static int IndexOf(string name) => Array.FindIndex(Names, n => n.Name == name) is >= 0 and var i ? i
        : throw new ArgumentException($"A fingerprint has no feature '{name}'.", nameof(name));

    /// <summary>"metrology noise 0.2 permille where 1 is usual".</summary>
    internal static string Say(int feature, double observed, double expected)
    {
        var unit = UnitOf(feature) is { Length: > 0 } u ? " " + u : "";
        return $"{WordsOf(feature)} {FleetStatements.Number(observed)}{unit} where "
            + $"{FleetStatements.Number(expected)} is usual";
    }
}
