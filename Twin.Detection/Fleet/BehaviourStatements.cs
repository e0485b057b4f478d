using Twin.Detection.Specification;
using Twin.Hardware;

namespace Twin.Detection.Fleet;

/// <summary>
/// What of a strange fingerprint others than the meter's firmware may make. <see cref="Radio"/>: retries, and the
/// latency that they bring. <see cref="Path"/>: latency and retries, where all behind a concentrator have them.
/// <see cref="Sensors"/>: noise and clock, which come from the lot of parts.
/// </summary>
internal readonly ref struct CauseShares(ReadOnlySpan<double> shares)
{
    public double Path { get; } = shares[(int)FingerprintFeature.RetriesPerDay]
        + shares[(int)FingerprintFeature.ResponseLatencyMs];

    public double Radio { get; } = shares[(int)FingerprintFeature.RetriesPerDay] < 0.1 ? 0
        : shares[(int)FingerprintFeature.RetriesPerDay] + shares[(int)FingerprintFeature.ResponseLatencyMs];

    public double Sensors { get; } = shares[(int)FingerprintFeature.MetrologyNoisePermille]
        + shares[(int)FingerprintFeature.ClockDriftPpm];
}

/// <summary>The findings of <see cref="BehaviourModel"/> in words.</summary>
internal static class BehaviourStatements
{
    public static Finding OfMeter(in DevicePrint print, AlikeMeters group, long since, double strangeness,
        ReadOnlySpan<double> shares)
    {
        var evidence = Evidence(shares, print.Values, group.Cloud!);
        var from = new UnixTime(since);
        var radio = new CauseShares(shares).Radio >= 0.5;
        string[] counter = radio ? ["a bad radio path makes retries and late answers, too"] : [];
        return FleetStatements.Make(print.Meter, FindingKind.FirmwareBehaviour, from, print.At, print.At,
            Math.Min(10, 1 + strangeness), radio ? Severity.Low : Severity.Medium, 0.65, FleetStatements.Behaviour,
            "T0857", $"Since {from} the meter behaves otherwise than {group.Members} meters that claim the same "
                + $"firmware and are of its age: {Words(evidence)}; no signature check can see this.", evidence,
            counter);
    }

    public static Finding OfLot(in DevicePrint print, AlikeMeters group, string model, long since,
        ReadOnlySpan<double> shares)
    {
        var evidence = Evidence(shares, print.Values, group.Cloud!);
        var from = new UnixTime(since);
        return FleetStatements.Make(LotDrift.KeyOf(model, print.Lot), FindingKind.MetrologySuspect, from, print.At,
            print.At, 2.5, Severity.Medium, 0.7, FleetStatements.Lots, "",
            $"Since {from} or before, meters of lot {print.Lot} measure otherwise than those of other lots with the "
                + $"same firmware: {Words(evidence)} on {print.Meter.Name}, and most of its lot likewise.", evidence)
            with
        { Cause = SharedCauses.Lot(model, print.Lot) };
    }

    public static Finding OfRelease(in DevicePrint print, string model, in Party self, AlikeMeters group,
        ulong elderImage, AlikeMeters elder, double score, Evidence[] evidence)
    {
        var from = new UnixTime(group.First);
        var image = FleetStatements.Hex(print.Image);
        return FleetStatements.Make(self with { Name = $"{model} image {image}" }, FindingKind.FirmwareBehaviour, from,
            print.At, print.At, Math.Min(10, score),
            DeviceTraits.MayBeMeant(evidence) ? Severity.Low : Severity.Medium, 0.7, FleetStatements.Behaviour,
            "T0857", $"Since {from} image {image} of model {model} behaves otherwise on {group.Members} meters than "
                + $"image {FleetStatements.Hex(elderImage)} on {elder.Members}: {Words(evidence)}; its signature "
                + "being right does not say that this was meant.", evidence,
            "a release that is meant to do more looks the same: compare with its notes")
            with
        { Cause = SharedCauses.Image(print.Image) };
    }

    /// <summary>Before: what was usual under the elder image; it tells which of the two is new.</summary>
    public static Finding OfTwoWays(in DevicePrint print, string model, in Party self, AlikeMeters group, Split split,
        double? before)
    {
        var from = new UnixTime(group.First);
        var image = FleetStatements.Hex(print.Image);
        // How many there are of each does not say who is right; what the image before did says something.
        var isLowOdd = before is { } b && Math.Abs(split.Low - b) > Math.Abs(split.High - b);
        var (odd, rest, share) = isLowOdd ? (split.Low, split.High, 1 - split.UpperShare)
            : (split.High, split.Low, split.UpperShare);
        Evidence[] evidence =
        [
            new Evidence(DeviceTraits.NameOf(split.Feature), Math.Round(odd, 2), Math.Round(rest, 2), 1,
                DeviceTraits.UnitOf(split.Feature)),
            new Evidence("share_of_days", Math.Round(share, 2), 0, 0, ""),
        ];
        var growth = evidence[0] with { Observed = split.High, Expected = split.Low };
        return FleetStatements.Make(self with { Name = $"{model} image {image}" }, FindingKind.FirmwareBehaviour, from,
            print.At, print.At, 4, DeviceTraits.MayBeMeant([growth]) ? Severity.Low : Severity.Medium, 0.7,
            FleetStatements.Behaviour, "T0857",
            $"Since {from} meters that claim image {image} of model {model} behave in two ways: "
                + $"{InTwoWays(evidence[0])}, the former on {Statements.Percent(share)} of their days; "
                + (before is { } old ? $"under the image before it was {FleetStatements.Number(old)}, and " : "")
                + "one image should have one way.", evidence,
            "meters that were set up to send other data look the same")
            with
        { Cause = SharedCauses.Image(print.Image) };
    }

    private static string InTwoWays(Evidence e)
    {
        var unit = e.Unit.Length > 0 ? " " + e.Unit : "";
        return $"{DeviceTraits.WordsOf(DeviceTraits.IndexOf(e.Feature))} {FleetStatements.Number(e.Observed)}{unit} on "
            + $"some and {FleetStatements.Number(e.Expected)}{unit} on others";
    }

    /// <summary>Most features that are named: those that bear most of the distance.</summary>
    private const int MostNamed = 4;

    public static Evidence[] Evidence(ReadOnlySpan<double> shares, ReadOnlySpan<float> values, RobustCloud cloud)
    {
        var found = new List<Evidence>();
        for (var j = 0; j < DeviceTraits.Count; j++)
            if (shares[j] >= 0.05 && float.IsFinite(values[j]))
                found.Add(new Evidence(DeviceTraits.NameOf(j), Math.Round(values[j], 2),
                    Math.Round(cloud.Centre(j), 2), shares[j], DeviceTraits.UnitOf(j)));
        return [.. found.OrderByDescending(e => e.Contribution).ThenBy(e => e.Feature, StringComparer.Ordinal)
            .Take(MostNamed)];
    }

    private static string Words(Evidence[] evidence) => evidence.Length == 0 ? "in many features a little"
        : string.Join(", ", evidence.Select(e => DeviceTraits.Say(DeviceTraits.IndexOf(e.Feature), e.Observed,
            e.Expected)));
}
