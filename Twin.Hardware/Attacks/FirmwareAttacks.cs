using Twin.Hardware.Emulator.Network;
using Zeus = Twin.Hardware.Emulator.Zeus;
using static Twin.Hardware.Attacks.Entry;
using static Twin.Hardware.FindingKind;
using static Twin.Hardware.ResponseRung;

namespace Twin.Hardware.Attacks;

/// <summary>Attacks on what a meter runs, and on its record of what it ran.</summary>
internal static class FirmwareAttacks
{
    private static readonly int[] Batch = [.. Enumerable.Range(2, 11)], Many = [.. Enumerable.Range(2, 18)];

    public static IEnumerable<Attack> Entries() => [.. Images(), .. Records(), .. Hardware()];

    private static IEnumerable<Attack> Images()
    {
        yield return Of("T01", "Unknown image in the log", LifeStage.Operation, "T0857",
            "lineage: approved images only",
            "An image that carries the vendor's signature but was never released starts on one meter.",
            Truth(First), All(UnknownImage), Answer(Reattest, IsolateCommunications, Day),
            Usual(At(Onset, s => s.RunImage(3, ImageOrigin.StolenKey))));
        yield return Of("T02", "Malware between two attestations", LifeStage.Operation, "T0857",
            "cumulative attestation (LeMay and Gunter 2009)",
            "A foreign image runs for some hours and is replaced by the genuine one before the next quote.",
            Truth(First), All(UnknownImage, UnauthorisedUpgrade), Answer(Reattest, IsolateCommunications, Day),
            Usual(At(Onset, s => s.RunImage(3, ImageOrigin.StolenKey)),
                At(Onset, Morning + 180, s => s.RestoreImage(3))));
        yield return Of("T03", "Downgrade to a weak release", LifeStage.Update, "T0857", "lineage: versions only rise",
            "A genuine older image with a known hole is installed again, without a rollback permit.",
            Truth(First), All(Downgrade), Answer(Reattest, BlockWrites, Week),
            Usual(At(Onset, s => s.RunImage(3, ImageOrigin.OldRelease))));
        yield return Of("T08", "Campaign stuck half way", LifeStage.Update, "", "update practice",
            "An update reaches all meters, but on some it hangs at each boot, and the old image comes back.",
            Truth(Batch), All(CampaignStuck), Answer(Log, Notify, Week),
            Usual(At(Onset, s => s.RollOut(Enumerable.Range(0, s.Meters), Zeus.FirmwareBehaviour.Honest))) with
            {
                Days = 24,
                Births = Batch.ToDictionary(m => m, _ => MeterBirth.HangsOnUpdate),
            });
        yield return Of("T09", "Signed image with a time bomb", LifeStage.Update, "T0855", "Anderson and Fuloria 2010",
            "A release of the vendor opens the switches of all meters that run it at one hour.",
            Truth(Many), All(SimultaneousSwitching), Answer(IsolateCommunications, IsolateCommunications, Hour),
            Usual(At(Onset - 3, s => s.RollOut(Many,
                new Zeus.FirmwareBehaviour { OpensSwitchAt = s.At(Onset, Morning) }))));
    }

    private static IEnumerable<Attack> Records()
    {
        yield return Of("T04", "Log rolled back", LifeStage.Operation, "T0872", "attested log",
            "Foreign firmware runs for two days; then its traces go: the log's flash is put back to the day before.",
            Truth(First), All(LogTruncated),
            Answer(Reattest, IsolateCommunications, 3 * Day),
            Usual(At(Onset - 1, s => s.SaveLog(3)), At(Onset, s => s.RunImage(3, ImageOrigin.StolenKey)),
                At(Onset + 2, s => s.RestoreImage(3)), At(Onset + 2, Morning + 30, s => s.RestoreLog(3))));
        yield return Of("T05", "One key, two meters", LifeStage.Operation, "T0849", "attested identity",
            "A copied signing key answers challenges under two serial numbers.",
            Born(3, 4), All(ClonedKey), Answer(Reattest, IsolateCommunications, Day),
            Usual() with { Births = Births((3, MeterBirth.Honest), (4, MeterBirth.CloneOfPrevious)) });
        yield return Of("T06", "Old quote sent again", LifeStage.Network, "T0856", "attestation freshness",
            "A man in the middle answers a challenge with a quote that he recorded days before.",
            Truth(First), All(StaleNonce), Answer(Log, Reattest, Day),
            Usual(At(Onset - 3, s => s.RecordFrames(3)), At(Onset, s => s.Silence(3, hours: 30)),
                At(Onset + 1, s => s.ReplayQuotes(3))));
        yield return Of("T07", "Power cut while writing", LifeStage.Operation, "",
            "cumulative attestation (LeMay and Gunter 2009)",
            "Supply fails while the log is being written and while an image is being stored; nobody attacks.",
            Truth([3, 4]), Expectation.MustNotAlarm, NoAnswer,
            Usual([.. Daily(Onset, Onset + 4, s => s.CutPowerWhileWriting(3)),
                .. Daily(Onset, Onset + 4, s => s.CutPower(4)),
                .. Daily(Onset, Onset + 4, Morning + 30, s => { s.RestorePower(3); s.RestorePower(4); })]));
    }

    private static IEnumerable<Attack> Hardware()
    {
        yield return Of("T25", "Calibration constant changed", LifeStage.Operation, "T0836",
            "metrology is verified by an authority",
            "Someone with the calibration key makes a meter count less; no authority verified it again.",
            Truth(First), All(UnverifiedMetrologyChange), Answer(Reattest, Notify, Week),
            Usual(At(Onset, s => s.ChangeCalibration(3, 0.8))));
        yield return Of("T39", "Worn noise source", LifeStage.Silicon, "", "ECDSA needs a fresh random value",
            "Two chips of a lot sign with the same random value, from which their keys can be computed.",
            Born(3, 4), All(WeakRandomness), Answer(RotateKeys, RotateKeys, Week),
            Usual() with { Births = Births((3, MeterBirth.RepeatsNonce), (4, MeterBirth.RepeatsNonce)) });
        yield return Of("T40", "Flash wears out", LifeStage.Operation, "", "ageing of flash",
            "Pages of program flash lose bits after years; the signed image is still the one installed.",
            Truth(First), All(FlashDrift), Answer(Log, Notify, Week),
            Usual(At(Onset, s => s.DecayFlash(3))));
    }
}
