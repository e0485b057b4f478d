using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>
/// A get-, set- or action-request (0xC0, 0xC1, 0xC3): normal, next block, with list, with blocks. Not read: the mixed
/// form of list and first block, which gives <see cref="WireCode.Unsupported"/>.
/// </summary>
public readonly ref struct CosemRequest
{
    public ApduTag Service { get; init; }
    public ServiceForm Form { get; init; }

    /// <summary>Invoke id in the low four bits, service class 0x40, priority 0x80.</summary>
    public byte InvokeId { get; init; }

    public CosemTarget Target { get; init; }

    /// <summary>Selective access: 0 none, 1 by range, 2 by entry.</summary>
    public byte Selector { get; init; }

    /// <summary>Parameters of selective access, one COSEM data.</summary>
    public ReadOnlySpan<byte> Selection { get; init; }

    /// <summary>
    /// The value to set or the method's parameter (one COSEM data, empty when there is none); in a block its raw bytes;
    /// in a list of set or action the values behind one another.
    /// </summary>
    public ReadOnlySpan<byte> Data { get; init; }

    public uint BlockNumber { get; init; }
    public bool IsLastBlock { get; init; }

    /// <summary>Targets of a list.</summary>
    public int ListCount { get; init; }

    /// <summary>The targets of a list behind one another, for <see cref="TryTakeTarget"/>.</summary>
    public ReadOnlySpan<byte> Targets { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> apdu, out CosemRequest result, out WireError error)
    {
        result = default;
        var r = new WireReader(apdu);
        var service = (ApduTag)r.Byte();
        if (!r.Failed && service is not (ApduTag.GetRequest or ApduTag.SetRequest or ApduTag.ActionRequest))
            r.Fail(WireCode.UnknownTag, 0);
        var form = ServiceForms.Of(service, r.Byte());
        if (!r.Failed && form == ServiceForm.None) r.Fail(WireCode.Unsupported, 1);
        var id = r.Byte();
        var head = new CosemRequest { Service = service, Form = form, InvokeId = id };
        result = form switch
        {
            ServiceForm.Normal or ServiceForm.FirstBlock => ReadTargeted(ref r, apdu, head),
            ServiceForm.List => ReadList(ref r, apdu, head),
            ServiceForm.Next => head with { BlockNumber = r.UInt32() },
            _ => ReadBlock(ref r, head),
        };
        r.AtEnd();
        error = r.Error;
        if (r.Failed) result = default;
        return !r.Failed;
    }

    private static CosemRequest ReadTargeted(scoped ref WireReader r, ReadOnlySpan<byte> apdu, CosemRequest head)
    {
        var target = CosemTarget.Read(ref r);
        byte selector = 0;
        ReadOnlySpan<byte> selection = default;
        if (head.Service != ApduTag.ActionRequest) ReadSelection(ref r, apdu, ref selector, ref selection);
        var result = head with { Target = target, Selector = selector, Selection = selection };
        if (head.Form == ServiceForm.FirstBlock) return ReadBlock(ref r, result);
        var hasData = head.Service == ApduTag.SetRequest
            || head.Service == ApduTag.ActionRequest && ServiceForms.IsPresent(ref r);
        return hasData ? result with { Data = ServiceForms.Data(ref r, apdu) } : result;
    }

    private static void ReadSelection(scoped ref WireReader r, ReadOnlySpan<byte> apdu, scoped ref byte selector,
        ref ReadOnlySpan<byte> selection)
    {
        if (!ServiceForms.IsPresent(ref r)) return;
        selector = r.Byte();
        selection = ServiceForms.Data(ref r, apdu);
    }

    private static CosemRequest ReadBlock(scoped ref WireReader r, CosemRequest head)
    {
        var isLast = ServiceForms.Flag(ref r);
        var number = r.UInt32();
        return head with { IsLastBlock = isLast, BlockNumber = number, Data = r.Octets() };
    }

    private static CosemRequest ReadList(scoped ref WireReader r, ReadOnlySpan<byte> apdu, CosemRequest head)
    {
        var count = ServiceForms.Count(ref r);
        var from = r.Position;
        for (var i = 0; i < count && !r.Failed; i++)
        {
            CosemTarget.Read(ref r);
            byte selector = 0;
            ReadOnlySpan<byte> selection = default;
            if (head.Service != ApduTag.ActionRequest) ReadSelection(ref r, apdu, ref selector, ref selection);
        }
        var to = r.Position;
        ReadOnlySpan<byte> data = default;
        if (head.Service != ApduTag.GetRequest)
        {
            var at = r.Position;
            if (ServiceForms.Count(ref r) != count) r.Fail(WireCode.BadLength, at);
            var dataFrom = r.Position;
            for (var i = 0; i < count && !r.Failed; i++) ServiceForms.Data(ref r, apdu);
            data = apdu[dataFrom..r.Position];
        }
        return head with { ListCount = count, Targets = apdu[from..to], Data = data };
    }

    /// <summary>Takes the first target with its selection off <see cref="Targets"/>.</summary>
    public bool TryTakeTarget(scoped ref ReadOnlySpan<byte> targets, out CosemTarget target, out byte selector)
    {
        var r = new WireReader(targets);
        target = CosemTarget.Read(ref r);
        selector = 0;
        ReadOnlySpan<byte> selection = default;
        if (Service != ApduTag.ActionRequest) ReadSelection(ref r, targets, ref selector, ref selection);
        if (r.Failed) return false;
        targets = targets[r.Position..];
        return true;
    }

    /// <summary>Appends the request. A list is written from <see cref="Targets"/> and <see cref="Data"/>.</summary>
    public void Write(ByteWriter w)
    {
        w.Byte((byte)Service);
        w.Byte(ServiceForms.Choice(Service, Form));
        w.Byte(InvokeId);
        if (Form == ServiceForm.Next)
        {
            w.BigUInt32(BlockNumber);
            return;
        }
        if (Form == ServiceForm.List)
        {
            w.WireLength(ListCount);
            w.Bytes(Targets);
            if (Service != ApduTag.GetRequest) w.WireLength(ListCount);
            w.Bytes(Data);
            return;
        }
        if (Form != ServiceForm.Block)
        {
            Target.Write(w);
            if (Service != ApduTag.ActionRequest) WriteSelection(w);
        }
        if (Form != ServiceForm.Normal)
        {
            w.Bool(IsLastBlock);
            w.BigUInt32(BlockNumber);
            w.Octets(Data);
            return;
        }
        if (Service == ApduTag.ActionRequest) w.Bool(!Data.IsEmpty);
        w.Bytes(Data);
    }

    private void WriteSelection(ByteWriter w)
    {
        w.Bool(!Selection.IsEmpty);
        if (Selection.IsEmpty) return;
        w.Byte(Selector);
        w.Bytes(Selection);
    }

    /// <summary>Appends a target of a list, without selective access.</summary>
    public static void WriteTarget(ByteWriter w, ApduTag service, CosemTarget target)
    {
        target.Write(w);
        if (service != ApduTag.ActionRequest) w.Bool(false);
    }
}
