using Twin.Hardware.Coding;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Tests.Wire;

/// <summary>Sound messages of every kind, to start from.</summary>
internal static class FuzzMessages
{
    private static byte[] Make(Action<ByteWriter> write)
    {
        var w = new ByteWriter();
        write(w);
        return w.ToArray();
    }

    private static byte[] Framed(byte[] apdu) => Make(w =>
        Hdlc.WriteMessage(w, HdlcAddress.Short(16), new HdlcAddress(0x91, 2), Hdlc.UnnumberedInformation, apdu, true));

    /// <summary>A data of every type.</summary>
    public static byte[] Data() => Make(to =>
    {
        var (w, time) = (new CosemWriter(to), CosemDateTime.FromUnixTime(new UnixTime(1_750_000_000), 60));
        w.Structure(12);
        w.Array(2);
        w.LogicalName(Obis.Clock);
        w.DateTimeOctets(time);
        w.CompactArray([2, 3, 18, 1, 0, 2, 17, 9], [0, 5, 1, 2, 2, 9, 8, 0, 6, 3, 4, 0]);
        w.BitString([0xAA, 0x80], 9);
        w.VisibleString("KAM");
        w.Utf8String("Zähler");
        w.Float32(1.5f);
        w.Float64(-2.5);
        w.Long64(-5);
        w.DateTime(time);
        w.Date(time);
        w.Time(time);
        w.Structure(2);
        w.Integer(-3);
        w.Enum(30);
    });

    public static List<byte[]> Built(byte[] title, MeterId meter)
    {
        var rows = Enumerable.Range(0, 8)
            .Select(i => new ProfileRow(new UnixTime(1_750_000_000 + 1800 * i), default, 1000 * i, 0)).ToArray();
        var push = Make(w =>
        {
            DataNotification.WriteHead(w, 1, null);
            LoadProfilePush.Write(w, "MT1", 1800, 60, rows);
        });
        var general = Make(w =>
        {
            DataNotification.WriteHead(w, 2, CosemDateTime.FromUnixTime(new UnixTime(1_750_000_000), 60));
            w.Bytes(Data());
        });
        using var keys = new FrameKeys();
        keys.Set(meter, KeyUse.GlobalUnicast, new byte[16], new byte[16]);
        var control = new SecurityControl(0, true, true);
        var sealedPush = Make(w =>
            Protected.Write(w, ApduTag.GeneralGloCiphering, keys, meter, title, control, 5, push));
        return
        [
            push, general, Framed(push), Framed(general), sealedPush, Framed(sealedPush),
            Make(w => Mbus.Write(w, 0x53, 0xFF, 1, 0x67, push)), Make(w => TcpWrapper.Write(w, 1, 16, push)),
            Make(w => Protected.Write(w, ApduTag.GloGetResponse, keys, meter, title, control, 6, Data())),
            Make(w => Protected.WriteGeneral(w, keys, meter, new GeneralHead
            { TransactionId = [1, 2], Originator = title, Recipient = title }, new GeneralKey(), control, 7, push)),
            Make(w => Signed.Write(w, new GeneralHead { Originator = title, Recipient = title }, push, 1,
                (_, signature) => signature.Length == 64)),
            Make(w => new BlockSender(push, 64).Write(w, 2, 1, 3)),
            Make(w => new AssociationRequest
            {
                Mechanism = Mechanism.HlsGmac, ClientTitle = title, AuthenticationValue = [1, 2, 3, 4, 5, 6, 7, 8],
                Initiate = Make(i => new InitiateRequest { Conformance = Conformance.Get, MaxApdu = 1200 }.Write(i)),
            }.Write(w)),
            Make(w => new AssociationResponse
            {
                Mechanism = Mechanism.HlsGmac, ServerTitle = title, AuthenticationValue = [1, 2, 3, 4, 5, 6, 7, 8],
                Initiate = Make(i => new InitiateResponse(Conformance.Get, 1200).Write(i)),
            }.Write(w)),
            Make(w => new ReleaseMessage { Reason = 0, UserInformation = [1, 2] }.Write(w)),
            .. Services(),
        ];
    }

    private static List<byte[]> Services()
    {
        var target = new CosemTarget(7, Obis.LoadProfile, 2);
        var listTargets = Make(w => CosemRequest.WriteTarget(w, ApduTag.GetRequest, target));
        var answers = Make(w => CosemResponse.WriteAnswer(w, ApduTag.GetResponse, default, Data()));
        return
        [
            Make(w => new CosemRequest
            {
                Service = ApduTag.GetRequest, Form = ServiceForm.Normal, Target = target, Selector = 1,
                Selection = Data(),
            }.Write(w)),
            Make(w => new CosemRequest
            { Service = ApduTag.GetRequest, Form = ServiceForm.List, ListCount = 1, Targets = listTargets }.Write(w)),
            Make(w => new CosemRequest
            { Service = ApduTag.SetRequest, Form = ServiceForm.Normal, Target = target, Data = Data() }.Write(w)),
            Make(w => new CosemRequest
            {
                Service = ApduTag.ActionRequest, Form = ServiceForm.FirstBlock, Target = target, Data = Data(),
            }.Write(w)),
            Make(w => new CosemResponse
            { Service = ApduTag.GetResponse, Form = ServiceForm.Normal, Data = Data() }.Write(w)),
            Make(w => new CosemResponse
            { Service = ApduTag.GetResponse, Form = ServiceForm.List, ListCount = 1, Answers = answers }.Write(w)),
            Make(w => new CosemResponse
            { Service = ApduTag.ActionResponse, Form = ServiceForm.Normal, Data = Data() }.Write(w)),
            Make(w => new EventNotification { Target = target, Value = Data() }.Write(w)),
            Make(new ExceptionResponse(1, 6, 7).Write),
        ];
    }
}
