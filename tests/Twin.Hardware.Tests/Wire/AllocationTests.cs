using Twin.Hardware.Coding;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Tests.Wire;

/// <summary>The hot path, from frame to values, allocates nothing.</summary>
public class AllocationTests
{
    private static readonly byte[] Title = Telegrams.Hex("4D4D4D0000BC614E");
    private static readonly MeterId Meter = MeterId.FromSystemTitle(Title);

    [Theory]
    [InlineData(0x30, 0)]
    [InlineData(0x10, 0)]
    [InlineData(0x20, 0)]
    [InlineData(0x32, 2)]
    public void Splitting_opening_and_reading_a_push_allocates_nothing(byte control, int suite)
    {
        var key = new byte[suite == 2 ? 32 : 16];
        using var keys = new FrameKeys();
        keys.Set(Meter, KeyUse.GlobalUnicast, key, key);
        var (push, apdu, stream) = (new ByteWriter(), new ByteWriter(), new ByteWriter());
        var rows = Enumerable.Range(0, 48)
            .Select(i => new ProfileRow(new UnixTime(1_750_000_000 + 1800 * i), default, 1000 * i, 0)).ToArray();
        DataNotification.WriteHead(push, 1, CosemDateTime.FromUnixTime(new UnixTime(1_750_000_000), 60));
        new CosemWriter(push).Array(rows.Length);
        foreach (var row in rows) new CosemWriter(push).DoubleLongUnsigned((uint)row.ImportWattHours);
        Protected.Write(apdu, ApduTag.GeneralGloCiphering, keys, Meter, Title, new SecurityControl(control), 1,
            push.Written);
        Hdlc.WriteMessage(stream, HdlcAddress.Short(1), HdlcAddress.Short(16), 3, apdu.Written, true);
        var (splitter, plain, bytes) = (new FrameSplitter(LinkKind.Hdlc), new byte[2048], stream.ToArray());
        long sum = 0;
        for (var n = 0; n < 50; n++) sum += Pass(splitter, keys, bytes, plain);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var n = 0; n < 50; n++) sum -= Pass(splitter, keys, bytes, plain);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(0, sum);
    }

    private static long Pass(FrameSplitter splitter, FrameKeys keys, byte[] stream, byte[] plain)
    {
        long sum = 0;
        splitter.Feed(stream);
        while (splitter.TryNext(out var kind, out var bytes, out _))
        {
            if (kind != SplitKind.Frame || !Hdlc.TryRead(bytes, out var frame, out _)
                || !Llc.TryRead(frame.Information, out var apdu, out _, out _)
                || !Protected.TryRead(apdu, default, out var message, out _)
                || !message.TryOpen(keys, Meter, plain, out var length, out _)
                || !DataNotification.TryRead(plain.AsSpan(0, length), out var push, out _)) continue;
            var reader = new CosemReader(push.Body);
            while (reader.TryNext(out var item))
                if (item.TryInteger(out var value)) sum += value + 1;
        }
        Assert.True(sum > 0);
        return sum;
    }
}
