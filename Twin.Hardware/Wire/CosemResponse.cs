using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>
/// A get-, set- or action-response (0xC4, 0xC5, 0xC7): normal, a block, the acknowledgement of a block, with list.
/// </summary>
public readonly ref struct CosemResponse
{
    public ApduTag Service { get; init; }
    public ServiceForm Form { get; init; }
    public byte InvokeId { get; init; }
    public AccessResult Result { get; init; }

    /// <summary>One COSEM data of a normal answer (empty when there is none); in a block its raw bytes.</summary>
    public ReadOnlySpan<byte> Data { get; init; }

    public uint BlockNumber { get; init; }
    public bool IsLastBlock { get; init; }
    public int ListCount { get; init; }

    /// <summary>The answers of a list behind one another, for <see cref="TryTakeAnswer"/>.</summary>
    public ReadOnlySpan<byte> Answers { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> apdu, out CosemResponse result, out WireError error)
    {
        var r = new WireReader(apdu);
        var service = (ApduTag)r.Byte();
        if (!r.Failed && service is not (ApduTag.GetResponse or ApduTag.SetResponse or ApduTag.ActionResponse))
            r.Fail(WireCode.UnknownTag, 0);
        var form = ServiceForms.Of(service, r.Byte());
        if (!r.Failed && form == ServiceForm.None) r.Fail(WireCode.Unsupported, 1);
        var head = new CosemResponse { Service = service, Form = form, InvokeId = r.Byte() };
        result = form switch
        {
            ServiceForm.Normal => ReadAnswer(ref r, apdu, head),
            ServiceForm.Block => ReadBlock(ref r, head),
            ServiceForm.Next => head with { BlockNumber = r.UInt32() },
            ServiceForm.List => ReadList(ref r, apdu, head),
            _ => head with { Result = (AccessResult)r.Byte(), BlockNumber = r.UInt32() },
        };
        r.AtEnd();
        error = r.Error;
        if (r.Failed) result = default;
        return !r.Failed;
    }

    private static CosemResponse ReadAnswer(scoped ref WireReader r, ReadOnlySpan<byte> apdu, CosemResponse head)
    {
        if (head.Service == ApduTag.GetResponse) return ReadDataOrResult(ref r, apdu, head);
        head = head with { Result = (AccessResult)r.Byte() };
        if (head.Service == ApduTag.SetResponse || !ServiceForms.IsPresent(ref r)) return head;
        var returned = ReadDataOrResult(ref r, apdu, head);
        return head.Result == AccessResult.Success ? returned : returned with { Result = head.Result };
    }

    private static CosemResponse ReadDataOrResult(scoped ref WireReader r, ReadOnlySpan<byte> apdu, CosemResponse head)
    {
        var at = r.Position;
        var choice = r.Byte();
        if (choice == 0) return head with { Data = ServiceForms.Data(ref r, apdu) };
        if (choice != 1) r.Fail(WireCode.BadValue, at);
        return head with { Result = (AccessResult)r.Byte() };
    }

    private static CosemResponse ReadBlock(scoped ref WireReader r, CosemResponse head)
    {
        var isLast = ServiceForms.Flag(ref r);
        head = head with { IsLastBlock = isLast, BlockNumber = r.UInt32() };
        if (head.Service == ApduTag.ActionResponse) return head with { Data = r.Octets() };
        var at = r.Position;
        var choice = r.Byte();
        if (choice == 0) return head with { Data = r.Octets() };
        if (choice != 1) r.Fail(WireCode.BadValue, at);
        return head with { Result = (AccessResult)r.Byte() };
    }

    private static CosemResponse ReadList(scoped ref WireReader r, ReadOnlySpan<byte> apdu, CosemResponse head)
    {
        var count = ServiceForms.Count(ref r);
        var from = r.Position;
        for (var i = 0; i < count && !r.Failed; i++) ReadAnswer(ref r, apdu, head);
        return head with { ListCount = count, Answers = apdu[from..r.Position] };
    }

    /// <summary>Takes the first answer off <see cref="Answers"/>.</summary>
    public bool TryTakeAnswer(scoped ref ReadOnlySpan<byte> answers, out AccessResult result,
        out ReadOnlySpan<byte> data)
    {
        var r = new WireReader(answers);
        var answer = ReadAnswer(ref r, answers, new CosemResponse { Service = Service });
        result = answer.Result;
        data = answer.Data;
        if (r.Failed) return false;
        answers = answers[r.Position..];
        return true;
    }

    public void Write(ByteWriter w)
    {
        w.Byte((byte)Service);
        w.Byte(ServiceForms.Choice(Service, Form));
        w.Byte(InvokeId);
        switch (Form)
        {
            case ServiceForm.Normal:
                WriteAnswer(w, Service, Result, Data);
                break;
            case ServiceForm.Next:
                w.BigUInt32(BlockNumber);
                break;
            case ServiceForm.LastBlock:
                w.Byte((byte)Result);
                w.BigUInt32(BlockNumber);
                break;
            case ServiceForm.List:
                w.WireLength(ListCount);
                w.Bytes(Answers);
                break;
            default:
                WriteBlock(w);
                break;
        }
    }

    private void WriteBlock(ByteWriter w)
    {
        w.Bool(IsLastBlock);
        w.BigUInt32(BlockNumber);
        if (Service == ApduTag.GetResponse) w.Bool(Result != AccessResult.Success);
        if (Result != AccessResult.Success && Service == ApduTag.GetResponse) w.Byte((byte)Result);
        else w.Octets(Data);
    }

    /// <summary>Appends one answer, as in a list.</summary>
    public static void WriteAnswer(ByteWriter w, ApduTag service, AccessResult result, ReadOnlySpan<byte> data)
    {
        if (service != ApduTag.GetResponse) w.Byte((byte)result);
        if (service == ApduTag.SetResponse) return;
        if (service == ApduTag.ActionResponse) w.Bool(!data.IsEmpty);
        if (!data.IsEmpty) w.Byte(0);
        else if (service == ApduTag.GetResponse) w.Bytes([1, (byte)result]);
        w.Bytes(data);
    }
}

/// <summary>
/// exception-response (0xD8): the meter refuses to read a request. A replayed counter is answered with service error 6
/// and the counter that it expects.
/// </summary>
public readonly record struct ExceptionResponse(byte StateError, byte ServiceError, uint? InvocationCounter)
{
    public const byte InvocationCounterError = 6;

    public static bool TryRead(ReadOnlySpan<byte> apdu, out ExceptionResponse result, out WireError error)
    {
        var r = new WireReader(apdu);
        if (r.Byte() != (byte)ApduTag.ExceptionResponse) r.Fail(WireCode.UnknownTag, 0);
        var (state, service) = (r.Byte(), r.Byte());
        uint? counter = service == InvocationCounterError ? r.UInt32() : null;
        r.AtEnd();
        error = r.Error;
        result = r.Failed ? default : new ExceptionResponse(state, service, counter);
        return !r.Failed;
    }

    public void Write(ByteWriter w)
    {
        w.Bytes([(byte)ApduTag.ExceptionResponse, StateError, ServiceError]);
        if (InvocationCounter is { } counter && ServiceError == InvocationCounterError) w.BigUInt32(counter);
    }
}
