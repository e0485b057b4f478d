using System.Text;
using Twin.Hardware.Coding;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Tests.Wire;

public class FramingTests
{
    private static byte[] Frame(int information, byte fill = 0x7E)
    {
        var w = new ByteWriter();
        Hdlc.Write(w, HdlcAddress.Short(0x10), new HdlcAddress(0x81, 2), Hdlc.UnnumberedInformation,
            Enumerable.Repeat(fill, information).ToArray());
        return w.ToArray();
    }

    [Fact]
    public void The_check_sequence_has_its_published_check_value() =>
        Assert.Equal(0x906E, Crc16.Of(Encoding.ASCII.GetBytes("123456789")));

    [Theory]
    [InlineData(1, 0x7F)]
    [InlineData(2, 0x3FFF)]
    [InlineData(4, 0xFFFFFFF)]
    [InlineData(4, 0x1234567)]
    public void Addresses_of_one_two_and_four_bytes_come_back(byte bytes, uint value)
    {
        var w = new ByteWriter();
        var address = new HdlcAddress(value, bytes);
        Hdlc.Write(w, address, HdlcAddress.Short(1), 0x13, [1, 2, 3], isSegment: true);
        Assert.True(Hdlc.TryRead(w.Written, out var frame, out _));
        Assert.Equal(address, frame.Destination);
        Assert.Equal(HdlcAddress.Short(1), frame.Source);
        Assert.Equal(0x13, frame.Control);
        Assert.True(frame.IsSegment);
        Assert.Equal<byte>([1, 2, 3], frame.Information.ToArray());
    }

    [Fact]
    public void A_frame_without_information_has_one_check_sequence()
    {
        var w = new ByteWriter();
        Hdlc.Write(w, HdlcAddress.Short(1), HdlcAddress.Short(16), 0x93, default);
        Assert.Equal(9, w.Length);
        Assert.True(Hdlc.TryRead(w.Written, out var frame, out _));
        Assert.True(frame.Information.IsEmpty);
    }

    [Fact]
    public void Each_damage_has_its_own_error()
    {
        var sound = Frame(20);
        Assert.Equal(new WireError(WireCode.BadFlag, 0), Damaged(sound, 0, 0x7F));
        Assert.Equal(new WireError(WireCode.BadFormat, 1), Damaged(sound, 1, 0xB0));
        Assert.Equal(new WireError(WireCode.BadLength, 1), Damaged(sound, 2, 5));
        Assert.Equal(new WireError(WireCode.HeaderCheck, 7), Damaged(sound, 6, 0x13));
        Assert.Equal(new WireError(WireCode.FrameCheck, sound.Length - 3), Damaged(sound, 15, 0));
        Assert.Equal(new WireError(WireCode.BadFlag, sound.Length - 1), Damaged(sound, sound.Length - 1, 0));
        Assert.Equal(new WireError(WireCode.BadAddress, 3), Damaged(sound, 3, 0, 4, 0, 5, 1));
        Assert.False(Hdlc.TryRead(sound.AsSpan(0, 10), out _, out var error));
        Assert.Equal(new WireError(WireCode.Truncated, 10), error);
    }

    private static WireError Damaged(byte[] sound, params int[] changes)
    {
        var bytes = (byte[])sound.Clone();
        for (var i = 0; i < changes.Length; i += 2) bytes[changes[i]] = (byte)changes[i + 1];
        Assert.False(Hdlc.TryRead(bytes, out _, out var error));
        return error;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4096)]
    public void Frames_are_found_in_noise(int piece)
    {
        var random = new SplitMix64(3);
        var stream = new List<byte>();
        var sent = new List<byte[]>();
        for (var n = 0; n < 60; n++)
        {
            for (var i = random.Next(40); i > 0; i--) stream.Add((byte)random.Next(0x7E));
            var frame = Frame(1 + random.Next(300), (byte)random.Next(256));
            sent.Add(frame);
            stream.AddRange(frame);
        }
        var (frames, rejected, _) = Telegrams.Split(LinkKind.Hdlc, [.. stream], piece);
        Assert.Equal(sent, frames);
        Assert.Empty(rejected);
    }

    [Fact]
    public void One_flag_may_close_a_frame_and_open_the_next()
    {
        byte[] stream = [.. Frame(9)[..^1], .. Frame(10)[..^1], .. Frame(11)];
        var (frames, rejected, noise) = Telegrams.Split(LinkKind.Hdlc, stream);
        Assert.Equal([Frame(9), Frame(10), Frame(11)], frames);
        Assert.Empty(rejected);
        Assert.Equal(1, noise);
    }

    [Fact]
    public void Lost_or_changed_bytes_cost_one_frame()
    {
        var sound = Frame(50, 1);
        byte[] lost = [.. sound[..20], .. sound[22..]];
        var changed = (byte[])sound.Clone();
        changed[30] ^= 4;
        byte[] stream = [.. sound, .. lost, .. sound, .. changed, .. sound, .. sound[..30]];
        var (frames, rejected, _) = Telegrams.Split(LinkKind.Hdlc, stream);
        Assert.Equal(3, frames.Count);
        Assert.Equal([WireCode.BadFlag, WireCode.FrameCheck, WireCode.Truncated], rejected.Select(r => r.Code));
    }

    [Fact]
    public void A_false_start_does_not_hold_up_the_frames_behind_it()
    {
        byte[] stream = [0x7E, 0xA7, 0xFF, 3, 5, 7, 9, 11, .. Frame(40)];
        var splitter = new FrameSplitter(LinkKind.Hdlc);
        Assert.Equal(stream.Length, splitter.Feed(stream));
        var kinds = new List<SplitKind>();
        while (splitter.TryNext(out var kind, out _, out _)) kinds.Add(kind);
        Assert.Equal([SplitKind.Rejected, SplitKind.Noise, SplitKind.Frame], kinds);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    [InlineData(2030)]
    public void Segments_make_a_message_again(int maxInformation)
    {
        var apdu = Enumerable.Range(0, 3000).Select(i => (byte)(i % 251)).ToArray();
        var w = new ByteWriter();
        Hdlc.WriteMessage(w, HdlcAddress.Short(16), HdlcAddress.Short(1), 0x13, apdu, true, maxInformation);
        var assembly = new MessageAssembly();
        var complete = false;
        foreach (var bytes in Telegrams.Split(LinkKind.Hdlc, w.ToArray()).Frames)
        {
            Assert.False(complete);
            Assert.True(Hdlc.TryRead(bytes, out var frame, out _));
            Assert.True(assembly.TryAdd(frame, out complete, out _));
        }
        Assert.True(complete);
        Assert.True(Llc.TryRead(assembly.Message, out var back, out var fromServer, out _));
        Assert.True(fromServer);
        Assert.Equal(apdu, back.ToArray());
    }

    [Fact]
    public void A_new_message_abandons_the_one_that_lost_its_end()
    {
        var w = new ByteWriter();
        Hdlc.WriteMessage(w, HdlcAddress.Short(16), HdlcAddress.Short(1), 3, new byte[100], true, 40);
        var frames = Telegrams.Split(LinkKind.Hdlc, w.ToArray()).Frames;
        Assert.Equal(3, frames.Count);
        var (assembly, complete) = (new MessageAssembly(), false);
        foreach (var n in (int[])[0, 1, 0, 1, 2])
        {
            Hdlc.TryRead(frames[n], out var frame, out _);
            Assert.True(assembly.TryAdd(frame, out complete, out _));
        }
        Assert.True(complete);
        Assert.Equal((103, 1), (assembly.Message.Length, assembly.Abandoned));
    }

    [Fact]
    public void A_message_without_end_is_dropped_at_its_bound()
    {
        var assembly = new MessageAssembly();
        var part = new byte[2000];
        for (var n = 0; n < MessageAssembly.MaxBytes / part.Length; n++)
            Assert.True(assembly.TryAdd(part, false, out _, out _));
        Assert.False(assembly.TryAdd(part, false, out _, out var error));
        Assert.Equal(WireCode.TooLong, error.Code);
        Assert.False(assembly.IsOpen);
    }

    [Fact]
    public void The_wrapper_comes_back()
    {
        var w = new ByteWriter();
        TcpWrapper.Write(w, 1, 16, [0xC0, 1, 2]);
        Assert.Equal("0001000100100003c00102", Convert.ToHexStringLower(w.Written));
        Assert.True(TcpWrapper.TryRead(w.Written, out var frame, out _));
        Assert.Equal((1, 16, "c00102"),
            (frame.Source, frame.Destination, Convert.ToHexStringLower(frame.Apdu)));
        var stream = Enumerable.Repeat(w.ToArray(), 5).SelectMany(b => b).Append((byte)9).ToArray();
        var (frames, rejected, _) = Telegrams.Split(LinkKind.Wrapper, stream, 3);
        Assert.Equal(5, frames.Count);
        Assert.Equal([new WireError(WireCode.BadVersion, 0)], rejected);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(250, 1)]
    [InlineData(251, 2)]
    [InlineData(4000, 16)]
    public void Parts_on_m_bus_make_a_message_again(int bytes, int parts)
    {
        var apdu = Enumerable.Range(0, bytes).Select(i => (byte)(i % 256)).ToArray();
        var w = new ByteWriter();
        Mbus.Write(w, 0x53, 0xFF, 1, 0x67, apdu);
        var (frames, rejected, _) = Telegrams.Split(LinkKind.Mbus, [0x68, 1, .. w.ToArray(), 0x16]);
        Assert.Equal((parts, 0), (frames.Count, rejected.Count));
        var assembly = new MessageAssembly();
        var complete = false;
        foreach (var frame in frames)
        {
            Assert.True(Mbus.TryRead(frame, out var part, out _));
            Assert.True(assembly.TryAdd(part, out complete, out _));
        }
        Assert.True(complete);
        Assert.Equal(apdu, assembly.Message.ToArray());
    }

    [Fact]
    public void A_missing_part_on_m_bus_drops_the_message()
    {
        var w = new ByteWriter();
        Mbus.Write(w, 0x53, 0xFF, 1, 0x67, new byte[700]);
        var frames = Telegrams.Split(LinkKind.Mbus, w.ToArray()).Frames;
        var assembly = new MessageAssembly();
        Mbus.TryRead(frames[0], out var first, out _);
        Mbus.TryRead(frames[2], out var third, out _);
        Assert.True(assembly.TryAdd(first, out _, out _));
        Assert.False(assembly.TryAdd(third, out _, out var error));
        Assert.Equal(WireCode.OutOfOrder, error.Code);
        frames[1][8] ^= 1;
        Assert.False(Mbus.TryRead(frames[1], out _, out error));
        Assert.Equal(new WireError(WireCode.FrameCheck, frames[1].Length - 2), error);
    }
}
