using Twin.Hardware.Emulator.Network;
using Zeus = Twin.Hardware.Emulator.Zeus;
using static Twin.Hardware.Attacks.Entry;
using static Twin.Hardware.FindingKind;
using static Twin.Hardware.ResponseRung;

namespace Twin.Hardware.Attacks;

/// <summary>Attacks from the chip's making to the meter's retirement.</summary>
internal static class LifeCycleAttacks
{
    private static readonly int[] Series = [3, 4, 5, 6, 7, 8, 9, 10];

    public static IEnumerable<Attack> Entries() => [.. Making(), .. Mounting(), .. Field(), .. Behaviour()];

    private static IEnumerable<Attack> Making()
    {
        yield return Of("L01", "Counterfeit chip", LifeStage.Silicon, "T0862", "supply chain",
            "A copied chip whose ROM runs whatever is there sits in a genuine case.",
            Born(3), Any(UnknownImage, SupplyChainMismatch), Answer(Notify, IsolateCommunications, Week),
            Usual(At(0, 0, s => s.RegisterBootloaders())) with { Births = Births((3, MeterBirth.Counterfeit)) });
        yield return Of("L02", "Unsigned image at the contract manufacturer", LifeStage.Manufacturing, "T0839",
            "supply chain",
            "Somebody on the line tries to load an image of his own; the ROM refuses and writes it down.",
            Born(3), All(ImageRefused), Answer(Log, Reattest, Week),
            Usual() with { Births = Births((3, MeterBirth.UnsignedImage)) });
        yield return Of("L03", "Stolen-key image at the contract manufacturer", LifeStage.Manufacturing, "T0862",
            "supply chain", "An image signed with the vendor's stolen key leaves the line inside a new meter.",
            Born(3), All(UnknownImage), Answer(Notify, IsolateCommunications, Week),
            Usual() with { Births = Births((3, MeterBirth.StolenKeyImage)) });
        yield return Of("L04", "Debug port left open", LifeStage.Manufacturing, "T0862", "supply chain",
            "The meter was never locked: its debug port still answers in the field.",
            Born(3), All(SupplyChainMismatch), Answer(Notify, Notify, Week),
            Usual() with { Births = Births((3, MeterBirth.Unlocked)) });
        yield return Of("L05", "Cloned identity", LifeStage.Transport, "T0849", "supply chain",
            "A second device answers under a meter's serial number with a key of its own.",
            Truth(First), All(WrongKey), Answer(Reattest, IsolateCommunications, Day),
            Usual(At(Onset, s => s.AnswerWithOwnKey(3))));
    }

    private static IEnumerable<Attack> Mounting()
    {
        yield return Of("L06", "Optical-port session", LifeStage.Operation, "T0859", "optical-port practice",
            "A genuine field tool with a genuine password changes settings, and no order asks for it.",
            Truth(First), All(LocalReprogramming), Answer(Reattest, BlockWrites, Day),
            Usual(At(Onset, s => s.Reprogram(3, "tool-0042", "", ""))));
        yield return Of("L07", "Rewired", LifeStage.Installation, "", "fraud log of common meters",
            "Phases are exchanged and the voltage lead of one is taken off: current flows without voltage.",
            Truth(First), All(Tamper), Answer(Log, Notify, Week), Usual(At(Onset, s => s.Rewire(3))));
        yield return Of("L08", "Wire between the boards altered", LifeStage.Installation, "T0830",
            "two-board meters",
            "A small circuit on the wire halves what metrology measures before the application board seals it.",
            ReadingTruth(First), Any(LevelShift, BalanceSuspect, CohortDeviation),
            Answer(Notify, Notify, 2 * Week),
            new Scene(ReadingDays, SceneKind.DualBoard, [At(ReadingOnset, 0, s => s.TapWire(3, share: 0.5))]));
        yield return Of("L09", "Premises exchanged", LifeStage.Installation, "", "installation practice",
            "Two meters are mounted at each other's usage points; each bills the neighbour.",
            Truth([3, 4]), All(InstallationMismatch), Answer(Log, Notify, Week),
            Usual(At(Onset, s => s.SwapPremises(3, 4))));
        yield return Of("L10", "A retired meter speaks", LifeStage.Retirement, "T0849", "life cycle",
            "A meter that the register calls scrapped sends readings again.",
            // The register may be a day ahead of whoever takes the meter off the wall: that long it is not held against
            // the meter.
            Truth(First), All(RetiredMeterSpeaks), Answer(Notify, IsolateCommunications, 2 * Day),
            Usual(At(Onset, s => s.Retire(3))));
        yield return Of("L11", "A contractor's series", LifeStage.Operation, "T0859",
            "optical-port fraud as in Puerto Rico",
            "A contractor with a genuine tool reprograms a meter a day for pay; each session is in order by itself.",
            Truth(Series), All(ContractorSeries), Answer(Notify, RotateKeys, Week),
            Usual([.. Series.Select((m, i) => At(Onset + i / 2, Morning + 90 * (i % 2),
                s => s.Reprogram(m, "tool-0107", "Brightline Field Services", "")))]));
    }

    private static IEnumerable<Attack> Field()
    {
        yield return Of("L13", "A withdrawn release goes on", LifeStage.Update, "", "release management",
            "The vendor withdraws the release that some meters run.",
            Truth(First), All(WithdrawnRelease), Answer(Log, Notify, Week),
            Usual(At(Onset, s => s.WithdrawRelease(3))));
        yield return Of("L14", "An image from no campaign", LifeStage.Update, "T0857", "lineage: campaigns only",
            "A registered release is installed on a meter that no campaign names.",
            Truth(First), All(UnauthorisedUpgrade), Answer(Reattest, BlockWrites, Day),
            Usual(At(Onset, s => s.RunImage(3, ImageOrigin.NextRelease))));
        yield return Of("L15", "Event log cleared", LifeStage.Operation, "T0872", "fraud logs of common meters",
            "The event log is cleared at the optical port after a visit.",
            Truth(First), All(LogCleared), Answer(Log, Reattest, Day), Usual(At(Onset, s => s.ClearEventLog(3))));
        yield return Of("L16", "Boots without a cause", LifeStage.Operation, "T0816", "attested boot counters",
            "A glitch on the reset line restarts the meter again and again; no cause is counted.",
            Truth(First), All(UnexplainedBoots), Answer(Reattest, Notify, Day),
            Usual([.. Daily(Onset, Onset + 2, s => s.GlitchReset(3, 6))]));
        yield return Of("L17", "The switch does not follow", LifeStage.Operation, "", "DLMS disconnect control",
            "The contactor is bridged: the control state says off, the output says on.",
            Truth(First), All(OutputStateMismatch), Answer(Log, Notify, Day),
            Usual(At(Onset, s => s.WeldContactor(3))));
    }

    private static IEnumerable<Attack> Behaviour()
    {
        yield return Of("L18", "Firmware ignores its orders", LifeStage.Update, "T0837", "reaction tables",
            "The application does not refuse writes although its signed reaction table says so.",
            Truth(First), All(ReactionIgnored), Answer(Notify, IsolateCommunications, 2 * Week),
            Usual([At(Onset, s => s.IgnoreReactions(3)), .. CommandAttacks.Guesses(3, Onset + 9)])
            with
            { Days = 22 });
        yield return Of("L19", "A clock runs away", LifeStage.Operation, "", "ageing of crystals",
            "An old crystal makes the clock gain minutes a day.",
            Truth(First), All(ClockDrift), Answer(Log, Notify, Week),
            Usual(At(Onset, s => s.RunClockFast(3, 3_000))));
        yield return Of("L20", "An update that was none", LifeStage.Update, "T0856", "attested log",
            "The application reports that new firmware was activated; the attested log knows of no upgrade.",
            Truth(First), All(UpgradeEventMismatch), Answer(Reattest, Notify, Week),
            Usual(At(Onset, s => s.ReportFalseActivation(3))));
        yield return Of("L22", "Log forked", LifeStage.Operation, "T0872", "attested log",
            "The log is put back to before an intrusion, and grows past the entries that were already accepted.",
            Truth(First), All(ChainBroken), Answer(Reattest, IsolateCommunications, 3 * Day),
            Usual(At(Onset - 1, s => s.SaveLog(3)), At(Onset, s => s.RunImage(3, ImageOrigin.StolenKey)),
                At(Onset + 2, s => s.RestoreImage(3)), At(Onset + 2, Morning + 30, s => s.RestoreLog(3)),
                At(Onset + 2, Morning + 60, s => s.GlitchReset(3, 15))));
        yield return Of("L21", "Wire between the boards overheard", LifeStage.Installation, "T0842",
            "two-board meters",
            "A small circuit on the wire hears what metrology measures, keeps it for burglars and changes nothing.",
            Truth(First), All(Tamper), Answer(Log, Notify, Week),
            new Scene(Days, SceneKind.DualBoard, [At(Onset, s => s.TapWire(3, share: 1))]))
            with
        {
            Undetectable = "Listening changes no byte, no load and no register; only a cover switch would see it "
                    + "come, and this one is fitted with the supply and the battery off.",
        };
    }
}
