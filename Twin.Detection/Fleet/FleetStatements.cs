using System.Globalization;
using Twin.Hardware;

namespace Twin.Detection.Fleet;

/// <summary>Whom a finding is about: the key of a twin, and what people call it.</summary>
public readonly record struct Party(TwinKey Key, string Name);

/// <summary>
/// Makes the findings of fleet and network, so that detector names, versions and number formats are the same
/// everywhere. A finding that is stated again with the same begin replaces the earlier one: it has the same id.
/// </summary>
internal static class FleetStatements
{
    /// <summary>Raised when a detector of this folder judges differently; stored with each finding.</summary>
    public const int DetectorVersion = 1;

    public const string Keys = "fleet_keys";
    public const string Randomness = "fleet_randomness";
    public const string Images = "fleet_images";
    public const string Tools = "fleet_tools";
    public const string Switching = "fleet_switching";
    public const string Storms = "fleet_storms";
    public const string Campaigns = "fleet_campaigns";
    public const string Groups = "fleet_groups";
    public const string Behaviour = "fleet_behaviour";
    public const string Lots = "fleet_lots";
    public const string Backhaul = "network_backhaul";
    public const string Silence = "network_silence";
    public const string Routes = "network_routes";
    public const string Sessions = "network_sessions";

    /// <summary>Confidence is halved for each innocent cause that is on record or likely.</summary>
    public static Finding Make(in Party about, FindingKind kind, UnixTime from, UnixTime to, UnixTime detected,
        double score, Severity severity, double confidence, string detector, string technique, string sentence,
        Evidence[] evidence, params string[] counter)
    {
        for (var i = 0; i < counter.Length; i++) confidence *= 0.5;
        return new Finding(about.Key, about.Name, kind, from, to, detected, score, severity, confidence, detector,
            DetectorVersion, technique, sentence, evidence, counter);
    }

    /// <summary>"A, B, C and 9 more"; at most <paramref name="most"/> are named.</summary>
    public static string Names(IReadOnlyList<string> names, int total, int most = 8)
    {
        var shown = names.Take(most).ToArray();
        var text = string.Join(", ", shown);
        return total > shown.Length ? $"{text} and {Number(total - shown.Length)} more" : text;
    }

    public static string Number(double value) =>
        value.ToString("0.##", CultureInfo.InvariantCulture) is var text && text == "-0" ? "0" : text;

    /// <summary>The first 12 hexadecimal digits of a digest or fingerprint, for sentences.</summary>
    public static string Hex(ulong hash) => hash.ToString("x16", CultureInfo.InvariantCulture)[..12];

    /// <summary>A span of seconds in the unit a person would use.</summary>
    public static string Duration(long seconds) => seconds switch
    {
        < 120 => $"{seconds} s",
        < 2 * 3_600 => $"{Number(seconds / 60)} min",
        < 2 * 86_400 => $"{Number(seconds / 3_600)} h",
        _ => $"{Number(seconds / 86_400)} days",
    };
}
