using Twin.Hardware.Coding;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Tests.Wire;

public class ApduReceiverTests
{
    private static byte[] Apdu(int bytes) => [.. Enumerable.Range(1, bytes).Select(i => (byte)(i % 200))];

    private static (List<byte[]> Apdus, List<WireCode> Rejected) Receive(ApduReceiver receiver, byte[] stream,
        int piece)
    {
        var (apdus, rejected, at) = (new List<byte[]>(), new List<WireCode>(), 0);
        while (true)
        {
            while (receiver.TryNext(out var bytes, out var error) is var kind && kind != Received.Nothing)
            {
                if (kind == Received.Apdu) apdus.Add(bytes.ToArray());
                else rejected.Add(error.Code);
            }
            if (at == stream.Length && receiver.Held == 0) return (apdus, rejected);
            at += receiver.Feed(stream.AsSpan(at, Math.Min(piece, stream.Length - at)));
            if (at == stream.Length) receiver.Finish();
        }
    }

    private static byte[] Written(LinkKind link, params int[] sizes)
    {
        var w = new ByteWriter();
        foreach (var size in sizes)
        {
            if (link == LinkKind.Wrapper) TcpWrapper.Write(w, 1, 16, Apdu(size));
            else if (link == LinkKind.Mbus) Mbus.Write(w, 0x53, 0xFF, 1, 0x67, Apdu(size));
            else Hdlc.WriteMessage(w, HdlcAddress.Short(16), HdlcAddress.Short(1), 3, Apdu(size), true, 100);
        }
        return w.ToArray();
    }

    [Theory]
    [InlineData(LinkKind.Hdlc, 1, 38)]
    [InlineData(LinkKind.Hdlc, 900, 38)]
    [InlineData(LinkKind.Mbus, 7, 17)]
    [InlineData(LinkKind.Wrapper, 5, 5)]
    public void Messages_of_any_size_come_through_every_link(LinkKind link, int piece, int frames)
    {
        int[] sizes = [1, 60, 300, 97, 3000];
        var receiver = new ApduReceiver(link);
        var (apdus, rejected) = Receive(receiver, Written(link, sizes), piece);
        Assert.Equal(sizes.Select(Apdu), apdus);
        Assert.Empty(rejected);
        Assert.Equal((frames, 0), (receiver.ValidFrames, receiver.RejectedFrames));
    }

    [Fact]
    public void Frames_without_llc_header_and_messages_without_end_are_rejected()
    {
        var w = new ByteWriter();
        Hdlc.Write(w, HdlcAddress.Short(1), HdlcAddress.Short(16), 3, [1, 2, 3, 4]);
        Hdlc.Write(w, HdlcAddress.Short(1), HdlcAddress.Short(16), 0x93, default);
        var whole = Written(LinkKind.Hdlc, 250);
        w.Bytes(whole.AsSpan(0, 111));
        w.Bytes(whole);
        w.Bytes(whole.AsSpan(0, 111));
        var receiver = new ApduReceiver(LinkKind.Hdlc);
        var (apdus, rejected) = Receive(receiver, w.ToArray(), 64);
        Assert.Equal([Apdu(250)], apdus);
        Assert.Equal([WireCode.BadLlc, WireCode.Truncated], rejected);
        // Besides these two, the first message that lost its end.
        Assert.Equal((6, 3), (receiver.ValidFrames, receiver.RejectedFrames));
    }
}
