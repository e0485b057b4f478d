using static Twin.Hardware.Attacks.Entry;
using static Twin.Hardware.FindingKind;
using static Twin.Hardware.ResponseRung;

namespace Twin.Hardware.Attacks;

/// <summary>Attacks on the way between meters and head-end.</summary>
internal static class NetworkAttacks
{
    private static readonly GroundTruth OnePath = Truth(First) with { Concentrators = true };

    public static IEnumerable<Attack> Entries() => [.. Catalogued(), .. Frames(), .. Paths()];

    private static IEnumerable<Attack> Catalogued()
    {
        yield return Of("T12", "False alarms hide a theft", LifeStage.Network, "T0878", "NESCOR AMI.8",
            "Many meters are made to report events without end, while one cover is opened in earnest.",
            Truth([3, 6, 7, 8, 9, 10, 11]) with { Concentrators = true }, All(EventFlood, Tamper),
            Answer(RaiseSampling, Notify, Day),
            Usual(At(Onset, s => s.FloodEvents([6, 7, 8, 9, 10, 11], 400)),
                At(Onset, Morning + 30, s => s.OpenTerminalCover(3))));
        yield return Of("T13", "A false last gasp", LifeStage.Network, "T0856", "outage management practice",
            "Last gasps are reported for meters whose neighbours on the same transformer have supply.",
            Truth(First), All(SpoofedLastGasp), Answer(Log, Reattest, Day),
            Usual(At(Onset, s => s.SpoofLastGasp([3]))));
        yield return Of("T33", "A relay drops its neighbours", LifeStage.Network, "T0804", "mesh practice",
            "One meter of the mesh passes its own messages on and lets those of its neighbours fall.",
            OnePath, All(CorrelatedSilence), Answer(Notify, IsolateCommunications, 2 * Day),
            Usual(At(Onset, s => s.DropAtRelay())));
    }

    private static IEnumerable<Attack> Frames()
    {
        yield return Of("N01", "Frames altered on the way", LifeStage.Network, "T0830", "DLMS message protection",
            "A man in the middle changes bits of protected frames; tags fail.",
            OnePath, All(AuthenticationFailures), Answer(Notify, IsolateCommunications, Day),
            Usual(At(Onset - 3, s => s.RecordFrames(3)), At(Onset, s => s.AlterFrames(3, 15))));
        yield return Of("N02", "Frames that are none", LifeStage.Network, "T0814", "DLMS framing",
            "Bytes that follow no grammar arrive in a meter's name.",
            OnePath, All(MalformedFrames), Answer(Log, Notify, Day),
            Usual(At(Onset - 3, s => s.RecordFrames(3)), At(Onset, s => s.SendNonsense(3, 20))));
        yield return Of("N03", "Protection dropped", LifeStage.Network, "T0830", "DLMS message protection",
            "Readings arrive in clear in the name of a meter that always protects its frames.",
            OnePath, All(UnprotectedFrames), Answer(Notify, IsolateCommunications, Day),
            Usual([.. Daily(Onset, Onset + 2, s => s.SendUnprotected(3))]));
    }

    private static IEnumerable<Attack> Paths()
    {
        yield return Of("N04", "Backhaul cut", LifeStage.Network, "T0815", "mesh practice",
            "The line of one concentrator fails: one finding for it, not one for each of its meters.",
            OnePath, All(BackhaulLost), Answer(Log, Notify, Day),
            Usual(At(Onset, s => s.CutBackhaul(0)), At(Onset + 3, s => s.RestoreBackhaul(0))));
        yield return Of("N08", "A visit while the line is cut", LifeStage.Network, "T0878", "reaction tables",
            "Somebody cuts the line of a concentrator, opens a meter's case and tries to change its calibration.",
            OnePath, All(BackhaulLost, Tamper), Answer(Log, BlockWrites, 3 * Day),
            Usual(At(Onset, s => s.CutBackhaul(0)), At(Onset, Morning + 60, s => s.OpenCase(3)),
                At(Onset, Morning + 75, s => s.ChangeCalibration(3, 0.5)),
                At(Onset + 2, s => s.RestoreBackhaul(0))));
        yield return Of("N05", "A path that nobody planned", LifeStage.Network, "T0830", "mesh practice",
            "The meters of a street suddenly reach their concentrator through one neighbour.",
            Truth([.. Enumerable.Range(0, 12)]) with { Concentrators = true }, All(RouteAnomaly),
            Answer(Log, Notify, 2 * Day), Usual(At(Onset, s => s.AttractRoutes(0))));
        yield return Of("N06", "A session from nowhere", LifeStage.Operation, "T0848", "Amilyzer (Berthier 2011)",
            "A client that the utility does not use associates and reads and writes over the mesh.",
            OnePath, All(RogueSession), Answer(Notify, BlockWrites, Day),
            Usual(At(Onset, s => s.OpenRogueSession(3))));
        yield return Of("N07", "Challenges starved", LifeStage.Network, "T0804", "attestation freshness",
            "A man in the middle lets readings pass and swallows every challenge to one meter.",
            Truth(First), All(AttestationOverdue), Answer(Reattest, Notify, 8 * Day),
            Usual(At(Onset, s => s.SwallowChallenges(3))) with { Days = 24 });
    }
}
