using Twin.Hardware.Coding;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Tests.Wire;

/// <summary>
/// Get, set, action, event and exception messages come back, and have the bytes of the standard's examples.
/// </summary>
public class ServiceTests
{
    private static readonly CosemTarget Clock = new(8, Obis.Clock, 2);
    private static readonly byte[] Value = [0x09, 2, 7, 8];

    private static CosemRequest Ask(ApduTag service, ServiceForm form) =>
        new() { Service = service, Form = form, InvokeId = 1 };

    private static CosemResponse Answer(ApduTag service, ServiceForm form) =>
        new() { Service = service, Form = form, InvokeId = 1 };

    private static void Same(CosemRequest request, string expected)
    {
        var w = new ByteWriter();
        request.Write(w);
        Assert.Equal(expected, Convert.ToHexString(w.Written));
        Assert.True(CosemRequest.TryRead(w.Written, out var back, out var error), error.Describe());
        Assert.Equal((request.Service, request.Form, request.InvokeId, request.Target, request.Selector),
            (back.Service, back.Form, back.InvokeId, back.Target, back.Selector));
        Assert.Equal((request.BlockNumber, request.IsLastBlock, request.ListCount),
            (back.BlockNumber, back.IsLastBlock, back.ListCount));
        Assert.Equal(request.Data.ToArray(), back.Data.ToArray());
        Assert.Equal(request.Selection.ToArray(), back.Selection.ToArray());
        Assert.Equal(request.Targets.ToArray(), back.Targets.ToArray());
        for (var length = 0; length < w.Length; length++)
        {
            Assert.False(CosemRequest.TryRead(w.Written[..length], out _, out error));
            Assert.InRange(error.Offset, 0, length);
        }
    }

    [Fact]
    public void Requests_come_back()
    {
        Same(Ask(ApduTag.GetRequest, ServiceForm.Normal) with { InvokeId = 0xC1, Target = Clock },
            "C001C1" + "00080000010000FF02" + "00");
        Same(Ask(ApduTag.GetRequest, ServiceForm.Normal) with
        {
            Target = new CosemTarget(7, Obis.LoadProfile, 2),
            Selector = 2,
            Selection = Value,
        }, "C00101" + "00070100630100FF02" + "0102" + "09020708");
        Same(Ask(ApduTag.GetRequest, ServiceForm.Next) with { BlockNumber = 3 },
            "C0020100000003");
        Same(Ask(ApduTag.SetRequest, ServiceForm.Normal) with { Target = Clock, Data = Value },
            "C10101" + "00080000010000FF02" + "00" + "09020708");
        Same(Ask(ApduTag.SetRequest, ServiceForm.FirstBlock) with
        {
            Target = Clock,
            BlockNumber = 1,
            Data = Value,
        }, "C10201" + "00080000010000FF02" + "00" + "0000000001" + "04" + "09020708");
        Same(Ask(ApduTag.SetRequest, ServiceForm.Block) with
        {
            BlockNumber = 2,
            IsLastBlock = true,
            Data = Value,
        }, "C10301" + "0100000002" + "04" + "09020708");
        Same(Ask(ApduTag.ActionRequest, ServiceForm.Normal) with
        {
            Target = new CosemTarget(70, Obis.Disconnector, 1),
            Data = [0x0F, 0],
        }, "C30101" + "004600006003" + "0AFF01" + "01" + "0F00");
        Same(Ask(ApduTag.ActionRequest, ServiceForm.Normal) with
        {
            Target = new CosemTarget(18, Obis.ImageTransfer, 4),
        }, "C30101" + "001200002C0000FF04" + "00");
        Same(Ask(ApduTag.ActionRequest, ServiceForm.FirstBlock) with
        {
            Target = new CosemTarget(18, Obis.ImageTransfer, 2),
            BlockNumber = 1,
            Data = Value,
        }, "C30401" + "001200002C0000FF02" + "0000000001" + "04" + "09020708");
    }

    [Fact]
    public void Lists_come_back()
    {
        var targets = new ByteWriter();
        CosemRequest.WriteTarget(targets, ApduTag.GetRequest, Clock);
        CosemRequest.WriteTarget(targets, ApduTag.GetRequest, Clock with { Index = 3 });
        var request = Ask(ApduTag.GetRequest, ServiceForm.List) with { ListCount = 2, Targets = targets.Written };
        Same(request, "C0030102" + "00080000010000FF0200" + "00080000010000FF0300");
        var left = request.Targets;
        Assert.True(request.TryTakeTarget(ref left, out var first, out _));
        Assert.True(request.TryTakeTarget(ref left, out var second, out _));
        Assert.Equal((Clock, (sbyte)3, 0), (first, second.Index, left.Length));
        Same(Ask(ApduTag.SetRequest, ServiceForm.List) with
        {
            ListCount = 2,
            Targets = targets.Written,
            Data = [0, 0x0F, 1],
        }, "C1040102" + "00080000010000FF0200" + "00080000010000FF0300" + "02" + "000F01");
    }

    private static void Same(CosemResponse response, string expected)
    {
        var w = new ByteWriter();
        response.Write(w);
        Assert.Equal(expected, Convert.ToHexString(w.Written));
        Assert.True(CosemResponse.TryRead(w.Written, out var back, out var error), error.Describe());
        Assert.Equal((response.Service, response.Form, response.InvokeId, response.Result),
            (back.Service, back.Form, back.InvokeId, back.Result));
        Assert.Equal((response.BlockNumber, response.IsLastBlock, response.ListCount),
            (back.BlockNumber, back.IsLastBlock, back.ListCount));
        Assert.Equal(response.Data.ToArray(), back.Data.ToArray());
        for (var length = 0; length < w.Length; length++)
            Assert.False(CosemResponse.TryRead(w.Written[..length], out _, out _));
    }

    [Fact]
    public void Responses_come_back()
    {
        Same(Answer(ApduTag.GetResponse, ServiceForm.Normal) with { Data = Value },
            "C401010009020708");
        Same(Answer(ApduTag.GetResponse, ServiceForm.Normal) with
        {
            Result = AccessResult.ReadWriteDenied,
        }, "C401010103");
        Same(Answer(ApduTag.GetResponse, ServiceForm.Block) with { BlockNumber = 2, Data = Value },
            "C402010000000002000409020708");
        Same(Answer(ApduTag.SetResponse, ServiceForm.Normal), "C5010100");
        Same(Answer(ApduTag.SetResponse, ServiceForm.Next) with { BlockNumber = 7 },
            "C5020100000007");
        Same(Answer(ApduTag.SetResponse, ServiceForm.LastBlock) with { BlockNumber = 8 },
            "C503010000000008");
        Same(Answer(ApduTag.ActionResponse, ServiceForm.Normal) with
        {
            Result = AccessResult.TemporaryFailure,
        }, "C701010200");
        Same(Answer(ApduTag.ActionResponse, ServiceForm.Normal) with { Data = Value },
            "C70101000100" + "09020708");
    }

    [Fact]
    public void A_list_of_answers_comes_back()
    {
        var answers = new ByteWriter();
        CosemResponse.WriteAnswer(answers, ApduTag.GetResponse, AccessResult.Success, Value);
        CosemResponse.WriteAnswer(answers, ApduTag.GetResponse, AccessResult.ObjectUndefined, default);
        var w = new ByteWriter();
        var list = Answer(ApduTag.GetResponse, ServiceForm.List) with { ListCount = 2, Answers = answers.Written };
        list.Write(w);
        Assert.True(CosemResponse.TryRead(w.Written, out var back, out _));
        var left = back.Answers;
        Assert.True(back.TryTakeAnswer(ref left, out var result, out var data));
        Assert.Equal((AccessResult.Success, "09020708"), (result, Convert.ToHexString(data)));
        Assert.True(back.TryTakeAnswer(ref left, out result, out data));
        Assert.Equal((AccessResult.ObjectUndefined, ""), (result, Convert.ToHexString(data)));
        Assert.False(back.TryTakeAnswer(ref left, out _, out _));
    }

    [Fact]
    public void Events_and_exceptions_come_back()
    {
        var w = new ByteWriter();
        var time = CosemDateTime.FromUnixTime(new UnixTime(1_750_000_000), 0);
        new EventNotification { HasTime = true, Time = time, Target = Clock, Value = Value }.Write(w);
        Assert.True(EventNotification.TryRead(w.Written, out var back, out _));
        Assert.Equal((time, Clock), (back.Time, back.Target));
        Assert.Equal(Value, back.Value.ToArray());
        Assert.False(EventNotification.TryRead(w.Written[..^1], out _, out var error));
        Assert.Equal(new WireError(WireCode.Truncated, w.Length - 2), error);
        w.Clear();
        var exception = new ExceptionResponse(1, ExceptionResponse.InvocationCounterError, 77);
        exception.Write(w);
        Assert.Equal("D801060000004D", Convert.ToHexString(w.Written));
        Assert.True(ExceptionResponse.TryRead(w.Written, out var read, out _));
        Assert.Equal(exception, read);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(5000)]
    public void Blocks_make_a_message_again(int blockBytes)
    {
        var message = Enumerable.Range(0, 700).Select(i => (byte)(i % 256)).ToArray();
        var sender = new BlockSender(message, blockBytes);
        var receiver = new BlockReceiver();
        var w = new ByteWriter();
        for (var number = 1; number <= sender.Count; number++)
        {
            w.Clear();
            sender.Write(w, number, 0, 4);
            Assert.True(GeneralBlock.TryRead(w.Written, out var block, out _));
            Assert.Equal((number, 4, number == sender.Count), (block.Number, block.Window, block.IsLast));
            if (number < sender.Count)
                Assert.False(receiver.TryAdd((uint)number + 1, false, sender.Data(number + 1), out _));
            Assert.True(receiver.TryAdd(block, out _));
            Assert.True(receiver.TryAdd(block, out _));
            Assert.Equal(number, receiver.Acknowledged);
        }
        Assert.True(receiver.IsComplete);
        Assert.Equal(message, receiver.Message.ToArray());
    }

    [Fact]
    public void A_transfer_without_end_is_bounded()
    {
        var receiver = new BlockReceiver();
        var block = new byte[10_000];
        for (uint n = 1; n <= 6; n++) Assert.True(receiver.TryAdd(n, false, block, out _));
        Assert.False(receiver.TryAdd(7, false, block, out var error));
        Assert.Equal(WireCode.TooLong, error.Code);
        Assert.Equal(0, receiver.Acknowledged);
    }
}
