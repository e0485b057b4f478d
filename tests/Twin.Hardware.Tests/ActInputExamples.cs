namespace Twin.Hardware.Tests;

/// <summary>One input of each kind of act, with its bytes: they are stored for decades.</summary>
internal static class ActInputExamples
{
    private static readonly MeterId Meter = new(0x4D54_5730_3030_3031);
    private static readonly UnixTime At = new(1_700_000_000), To = new(1_700_086_400);
    private static readonly TwinKey Case = new(TwinKind.Case, 0x0123456789ABCDEF);
    private static readonly Actor Kim = new("Kim", "key-7");

    public static readonly (Input Input, string Hex)[] All =
    [
        (new CustomerStatus(Meter, At, CustomerCategory.Medical, "crm"),
            "012c01313030303057544d80c49fd50c030363726d"),
        (new CaseAct(Case, At, Kim, CaseActKind.Resolve, Disposition.Benign, "", "a test"),
            "016306efcdab896745230180c49fd50c034b696d056b65792d3704020006612074657374"),
        (new ResponseAct(Case, At, Kim, ResponseActKind.Approve, 2, ResponseRung.Disconnect, "seen on site"),
            "016406efcdab896745230180c49fd50c034b696d056b65792d370202080c7365656e206f6e2073697465"),
        (new PolicyActivation(At, Kim, "policy: p"),
            "016509010000000000000080c49fd50c034b696d056b65792d3709706f6c6963793a2070"),
        (new Suppression(At, Kim, "s1", FindingKind.ZeroRun, Meter.Twin, "feeder:F1", At, To, "empty house"),
            "016609010000000000000080c49fd50c034b696d056b65792d370273310201313030303057544d096665656465723a46"
                + "3180c49fd50c808aaad50c0b656d70747920686f757365"),
        (new PlannedWork(At, Kim, "w1", [FindingKind.Tamper, FindingKind.ZeroRun], null, "feeder:F1", At, To, "Grid",
            "new cable"),
            "016709010000000000000080c49fd50c034b696d056b65792d3702773102c00200000000000000000009666565646572"
                + "3a463180c49fd50c808aaad50c0447726964096e6577206361626c65"),
        (new FreezeAct(At, Kim, true, "something is wrong"),
            "016809010000000000000080c49fd50c034b696d056b65792d370112736f6d657468696e672069732077726f6e67"),
        (new HolderSet(At, Kim, "Anna", false, Role.Approver, ["north"], false, true, "on call"),
            "01690a010000000000000080c49fd50c034b696d056b65792d3704416e6e610004"
                + "01056e6f7274680001076f6e2063616c6c"),
        (new KeyIssued(At, Kim, 0x0123456789ABCDEF, "Anna", [.. Enumerable.Repeat((byte)0x11, 16)],
            [.. Enumerable.Repeat((byte)0x22, 32)], To, ""),
            "016a0a010000000000000080c49fd50c034b696d056b65792d37efcdab896745230104416e6e61" + new string('1', 32)
                + new string('2', 64) + "01808aaad50c00"),
        (new KeyRevoked(At, Kim, 0x0123456789ABCDEF, "lost"),
            "016b0a010000000000000080c49fd50c034b696d056b65792d37efcdab8967452301046c6f7374"),
        (new AccessNoted(At, Kim, AccessKind.LoadCurveRead, Meter.Twin, At, To, 1, "theft"),
            "016c0a010000000000000080c49fd50c034b696d056b65792d370101313030303057544d80c49fd50c808aaad50c0105"
                + "7468656674"),
        (new ModelActivation(At, Kim, 0x0123456789ABCDEF, ModelStage.Shadow, "trees", "try"),
            "016d0b010000000000000080c49fd50c034b696d056b65792d37efcdab89674523010105747265657303747279"),
        (new ModelOpinion(Meter, At, 19_675, 0x0123456789ABCDEF, 1.5f, true),
            "016e01313030303057544d80c49fd50cb6b302efcdab89674523010000c03f01"),
        (new CommandRequest(Meter, At, Kim, "r-1", ResponseRung.Reconnect, "WO-1", "paid"),
            "017001313030303057544d80c49fd50c034b696d056b65792d3703722d310904574f2d310470616964"),
        (new ResponseOutcome(Case, At, 2, true, ResponseResult.Refused, "head-end", "5.4"),
            "017106efcdab896745230180c49fd50c02010408686561642d656e6403352e34"),
    ];
}
