using Twin.Hardware.Emulator.Network;
using Zeus = Twin.Hardware.Emulator.Zeus;
using static Twin.Hardware.Attacks.Entry;
using static Twin.Hardware.FindingKind;
using static Twin.Hardware.ResponseRung;

namespace Twin.Hardware.Attacks;

/// <summary>
/// Compromised firmware that every signature check lets pass, and lots that go wrong together: what only behaviour
/// shows.
/// </summary>
internal static class ImageAttacks
{
    private static readonly int[] Series = [.. Enumerable.Range(3, 8)], Wide = [.. Enumerable.Range(0, 12)];

    private static readonly Zeus.FirmwareBehaviour Misbehaviour = new()
    {
        ExtraLatencyMs = 160, ExtraTransmitSecondsPerDay = 60, ExtraFrameBytes = 300,
    };

    private static readonly Zeus.FirmwareBehaviour Retelling = new() { ToldPermille = 600 };

    private static readonly Zeus.FirmwareBehaviour Leaking = new()
    {
        ExtraFrameBytes = 96, ExtraTransmitSecondsPerDay = 4,
    };

    private static readonly Zeus.FirmwareBehaviour Beacon = new() { ExtraLatencyMs = 45, ExtraRetriesPerDay = 6 };
    private static readonly Zeus.FirmwareBehaviour Smoothing = new() { NoisePermille = 250 };
    private static readonly Zeus.FirmwareBehaviour Restless = new() { RestartsPerDay = 8 };

    /// <summary>A fingerprint a day needs weeks until there are enough of a release.</summary>
    private const int Weeks = 32;

    public static IEnumerable<Attack> Entries() => [.. Releases(), .. Beneath()];

    private static IEnumerable<Attack> Releases()
    {
        yield return Of("L12", "Signed firmware that misbehaves", LifeStage.Update, "T0862", "what signatures miss",
            "A release, signed and rolled out in order, sends more and answers later than its peers.",
            Truth(Series), All(FirmwareBehaviour), Answer(Notify, Notify, Week),
            Usual(At(Onset, s => s.RollOut(Series, Misbehaviour))) with { Days = 24 });
        yield return Of("L23", "Readings retold", LifeStage.Update, "T0856", "sealed metrology",
            "A release, signed and rolled out in order, reports six tenths of what the metrology sealed.",
            Truth(Series), All(SealBroken), Answer(Reattest, IsolateCommunications, 3 * Day),
            Usual(At(Onset, s => s.RollOut(Series, Retelling))) with { Days = 24 });
        yield return Compromised("L24", "Slow exfiltration",
            "A release, signed and rolled out in order, sends a little more with each push than its task needs.",
            Leaking);
        yield return Compromised("L25", "A beacon",
            "A release, signed and rolled out in order, asks somebody now and then what to do: answers come later, and "
                + "frames are sent again.", Beacon);
        yield return Compromised("L26", "Measurements too smooth",
            "A release, signed and rolled out in order, smooths what it measures: no sensor is so quiet.", Smoothing);
        yield return Compromised("L27", "Restarts in secret",
            "A release, signed and rolled out in order, lets its watchdog bite eight times a day to run something else "
                + "for a while; the boot counters explain every boot.", Restless);
    }

    private static Attack Compromised(string id, string name, string description, Zeus.FirmwareBehaviour behaviour) =>
        Of(id, name, LifeStage.Update, "T0862", "what signatures miss", description, Truth(Wide),
            All(FirmwareBehaviour), Answer(Notify, Notify, 3 * Week),
            Usual(At(Onset, s => s.RollOut(Wide, behaviour))) with { Days = Weeks });

    private static IEnumerable<Attack> Beneath()
    {
        yield return Of("L28", "An implant beside the image", LifeStage.Manufacturing, "T0862", "supply chain",
            "Something beside the measured flash listens from the first day; image, digest and signature are genuine.",
            Born(3), All(FirmwareBehaviour), Answer(Notify, Notify, 3 * Week),
            Usual() with { Days = 24, Births = Births((3, MeterBirth.Implant)) });
        yield return Of("L29", "Crystals of a lot age", LifeStage.Manufacturing, "", "ageing of crystals",
            "The clocks of one production lot gain a little more each week, each far within what a meter may.",
            Truth(First), All(MetrologySuspect), Answer(Log, Notify, 4 * Week),
            new Scene(70, SceneKind.Usual, [.. Enumerable.Range(0, 5).Select(w => At(Onset + 20 + 7 * w,
                s => s.AgeLot(3, 2)))]));
    }
}
