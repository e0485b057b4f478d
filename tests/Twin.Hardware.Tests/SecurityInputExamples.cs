using Twin.Hardware.Attestation;
using Twin.Hardware.Events;

namespace Twin.Hardware.Tests;

/// <summary>
/// One of each input about firmware, keys, frames, commands and their registry, with its stored bytes.
/// </summary>
internal static class SecurityInputExamples
{
    private static readonly MeterId Meter = new(0x4D5457_3030303031);
    private static readonly UnixTime At = new(1_700_000_000), Later = new(1_700_086_400);
    private static readonly Digest Image = Digest.Of("image"u8);

    public static readonly (Input Input, string Hex)[] All =
    [
        (new AttestationQuote(Meter.Twin, At, [1, 2, 3], SignatureVerdict.Valid),
            "010401313030303057544d80c49fd50c0103010203"),
        (new KeyEvent(Meter.Twin, At, KeySlot.DeviceSigning, KeyEventKind.Enrolled, 1, [9, 8, 7], Later, "pki"),
            "010501313030303057544d80c49fd50c10010103090807808aaad50c03706b69"),
        (new FrameReceived(Meter.Twin, At, KeySlot.EncryptionUnicast, FrameDirection.FromMeter, 17_784_996,
            0x0123456789ABCDEF, 489, FrameService.DataNotification),
            "010a01313030303057544d80c49fd50c0300a4c1bd08efcdab8967452301e90301"),
        (new FrameFault(Meter.Twin, At, FrameFaultKind.TagFailed, 17, 1, "tcp", "tag"),
            "010601313030303057544d80c49fd50c021101000000000000000374637003746167"),
        (new Fingerprint(Meter, At, 5, [1.5f, 0, -2]),
            "010701313030303057544d80c49fd50c0500000000000000030000c03f00000000000000c0"),
        (new Installation(Meter, At, "i", "c", "UP1", new MeterId(3), 12_345, -1),
            "010801313030303057544d80c49fd50c01690163035550310300000000000000f2c00101"),
        (new CommandOutcome(Meter, At, CommandKind.Disconnect, CommandOrigin.HeadEnd, CommandResult.Done,
            new SwitchState(false, 0, 4), "W1", "op", "d"),
            "010901313030303057544d80c49fd50c010101000004025731026f700164"),
        (new Session(Meter.Twin, At, CommandOrigin.OpticalPort, 1, 5, true, 0x18, 90, "T9", "acme", "W1"),
            "010b01313030303057544d80c49fd50c02010501185a0254390461636d65025731"),
        (new Reaction(Meter, At, 3, MeterEventKind.LoginFailed, ReactionAction.RefuseWrites),
            "010d01313030303057544d80c49fd50c032804"),
        (new ConcentratorReport(new TwinKey(TwinKind.Concentrator, 7), "C7", At, 3_600, 250,
            [new Route(Meter, new MeterId(2), 48, 1, 2)]),
            "010c03070000000000000080c49fd50c024337901cfa0101313030303057544d0200000000000000300102"),
        (new Release(Image, At, FirmwarePart.Application, "Z1", "app 2", 2, 1, default, ""),
            "012405300000000000000080c49fd50c6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d0202"
            + "5a3105617070203202010000"),
        (new CampaignMember(Meter, At, "C", FirmwarePart.Application, Image, 2, At, Later, true,
            CampaignState.Verified),
            "012501313030303057544d80c49fd50c0143026105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e"
            + "3d0280c49fd50c808aaad50c0104"),
        (new WorkOrder(Meter, At, "W1", 6, At, Later, "acme", "n"),
            "012601313030303057544d80c49fd50c0257310680c49fd50c808aaad50c0461636d65016e"),
        (new NonceIssued(Meter.Twin, At, new UInt128(1, 2)),
            "012701313030303057544d80c49fd50c01000000000000000200000000000000"),
        (new Reverification(Meter, At, Image, Digest.None, "lab"),
            "012801313030303057544d80c49fd50c6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d0000"
            + "000000000000000000000000000000000000000000000000000000000000036c6162"),
        (new ReactionTableAssigned(Meter, At, 3, [1, 2]), "012901313030303057544d80c49fd50c03020102"),
        (new LifeCycleChanged(Meter, At, LifeCycle.Retired, "stores"),
            "012a01313030303057544d80c49fd50c080673746f726573"),
        (new CheckpointIssued(Meter, At, 90, Image),
            "012b01313030303057544d80c49fd50c5a6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d"),
        (new Sweep(At), "014305000000000000000080c49fd50c"),
    ];
}
