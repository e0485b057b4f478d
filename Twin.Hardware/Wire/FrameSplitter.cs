namespace Twin.Hardware.Wire;

/// <summary>How frames are marked in a stream of bytes.</summary>
public enum LinkKind : byte { Hdlc = 1, Wrapper = 2, Mbus = 3 }

/// <summary>What was found next in a stream.</summary>
public enum SplitKind : byte
{
    /// <summary>More bytes are needed to tell.</summary>
    NeedMore = 0,
    /// <summary>A frame whose check sequence is right.</summary>
    Frame = 1,
    /// <summary>Something that begins like a frame and is none; the error says why.</summary>
    Rejected = 2,
    /// <summary>Bytes between frames.</summary>
    Noise = 3,
}

/// <summary>
/// The next piece of a buffer: <paramref name="Length"/> bytes from <paramref name="Start"/>; the caller drops
/// <paramref name="Consumed"/> bytes from the front. The error's offset counts within the piece.
/// </summary>
public readonly record struct Split(SplitKind Kind, int Start, int Length, int Consumed, WireError Error);

/// <summary>
/// Finds frames in a buffer that may hold noise. After a rejected candidate the search goes on one byte behind its
/// start, so a lost byte costs one frame. Work is bounded: a candidate costs one pass over its header, and over the
/// whole of it (at most 2,049 bytes of HDLC, 261 of M-Bus) only when the header is right.
/// </summary>
public static class FrameSearch
{
    /// <summary>The next piece; <paramref name="atEnd"/> says that no more bytes will come.</summary>
    public static Split Next(LinkKind link, ReadOnlySpan<byte> buffer, bool atEnd)
    {
        if (buffer.IsEmpty) return default;
        var split = link switch
        {
            LinkKind.Hdlc => NextHdlc(buffer),
            LinkKind.Mbus => NextMbus(buffer),
            _ => NextWrapper(buffer),
        };
        if (split.Kind != SplitKind.NeedMore || !atEnd) return split;
        // A lone flag at the end closed the frame before it.
        return link == LinkKind.Hdlc && buffer.Length == 1
            ? new Split(SplitKind.Noise, 0, 1, 1, default)
            : Reject(buffer.Length, new WireError(WireCode.Truncated, buffer.Length), link == LinkKind.Wrapper
                ? buffer.Length : 1);
    }

    private static Split Reject(int length, WireError error, int consumed) =>
        new(SplitKind.Rejected, 0, length, consumed, error);

    private static Split Noise(int length) => new(SplitKind.Noise, 0, length, length, default);

    private static Split NextHdlc(ReadOnlySpan<byte> buffer)
    {
        var flag = buffer.IndexOf(Hdlc.Flag);
        if (flag != 0) return Noise(flag < 0 ? buffer.Length : flag);
        if (buffer.Length < 2) return default;
        // Two flags in a row, or a closing flag with noise behind it.
        if (buffer[1] >> 4 != 0xA) return Noise(1);
        if (buffer.Length < 3) return default;
        var length = (buffer[1] & 7) << 8 | buffer[2];
        if (length < Hdlc.MinLength) return Reject(3, new WireError(WireCode.BadLength, 1), 1);
        if (!HeaderMayBeRight(buffer, length, out var error)) return Reject(error.Offset, error, 1);
        if (buffer.Length < length + 2) return default;
        var frame = buffer[..(length + 2)];
        // The closing flag stays: it may open the next frame as well.
        return Hdlc.TryRead(frame, out _, out error)
            ? new Split(SplitKind.Frame, 0, frame.Length, frame.Length - 1, default)
            : Reject(frame.Length, error, 1);
    }

    /// <summary>
    /// Checks the header as soon as it is there, so that noise which looks like a flag and a length does not hold up
    /// the frames behind it.
    /// </summary>
    private static bool HeaderMayBeRight(ReadOnlySpan<byte> buffer, int length, out WireError error)
    {
        error = default;
        var r = new WireReader(buffer[..Math.Min(buffer.Length, length + 2)]);
        r.Bytes(3);
        HdlcAddress.Read(ref r);
        HdlcAddress.Read(ref r);
        r.Byte();
        var end = r.Position + 2;
        if (r.Error.Code == WireCode.BadAddress)
        {
            error = r.Error;
            return false;
        }
        if (r.Failed || length + 2 - r.Position <= 3 || buffer.Length < end) return true;
        if (Crc16.Closes(buffer[1..end])) return true;
        error = new WireError(WireCode.HeaderCheck, r.Position);
        return false;
    }

    private static Split NextMbus(ReadOnlySpan<byte> buffer)
    {
        var start = buffer.IndexOf(Mbus.Start);
        if (start != 0) return Noise(start < 0 ? buffer.Length : start);
        if (buffer.Length < 4) return default;
        if (buffer[3] != Mbus.Start || buffer[1] != buffer[2]) return Noise(1);
        var length = buffer[1] + 6;
        if (buffer.Length < length) return default;
        return Mbus.TryRead(buffer[..length], out _, out var error)
            ? new Split(SplitKind.Frame, 0, length, length, default)
            : Reject(length, error, 1);
    }

    /// <summary>
    /// The wrapper has no check sequence: once its version is wrong, a stream cannot be trusted any more. All that is
    /// there is rejected; the receiver should close the connection.
    /// </summary>
    private static Split NextWrapper(ReadOnlySpan<byte> buffer)
    {
        if (buffer[0] != 0 || buffer.Length > 1 && buffer[1] != TcpWrapper.Version)
            return Reject(buffer.Length, new WireError(WireCode.BadVersion, 0), buffer.Length);
        if (buffer.Length < TcpWrapper.HeaderBytes) return default;
        var length = TcpWrapper.HeaderBytes + (buffer[6] << 8 | buffer[7]);
        return buffer.Length < length ? default : new Split(SplitKind.Frame, 0, length, length, default);
    }
}

/// <summary>
/// Takes a stream of bytes in pieces of any size and gives its frames. Holds at most one frame of the largest size and
/// one piece; memory is fixed.
/// </summary>
public sealed class FrameSplitter(LinkKind link)
{
    private readonly byte[] _buffer = new byte[2 * MaxFrameBytes(link)];
    private int _start, _end;
    private bool _finished;

    public LinkKind Link => link;

    /// <summary>Bytes that are held and not yet told.</summary>
    public int Held => _end - _start;

    public static int MaxFrameBytes(LinkKind link) => link switch
    {
        LinkKind.Hdlc => Hdlc.MaxFrameBytes,
        LinkKind.Mbus => Mbus.MaxFrameBytes,
        _ => TcpWrapper.MaxFrameBytes,
    };

    /// <summary>
    /// Takes as many bytes as there is room for and says how many. Call <see cref="TryNext"/> until it gives nothing,
    /// then feed the rest: there is then always room for at least one frame.
    /// </summary>
    public int Feed(ReadOnlySpan<byte> bytes)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, Held).CopyTo(_buffer);
            (_start, _end) = (0, Held);
        }
        var taken = Math.Min(bytes.Length, _buffer.Length - _end);
        bytes[..taken].CopyTo(_buffer.AsSpan(_end));
        _end += taken;
        return taken;
    }

    /// <summary>No more bytes will come: what is held is told as a frame, a truncated one, or noise.</summary>
    public void Finish() => _finished = true;

    /// <summary>
    /// The next frame, rejected candidate or noise; false when more bytes are needed. <paramref name="bytes"/> stay
    /// valid until the next <see cref="Feed"/>.
    /// </summary>
    public bool TryNext(out SplitKind kind, out ReadOnlySpan<byte> bytes, out WireError error)
    {
        var held = _buffer.AsSpan(_start, Held);
        var split = FrameSearch.Next(link, held, _finished);
        (kind, error) = (split.Kind, split.Error);
        bytes = held.Slice(split.Start, split.Length);
        _start += split.Consumed;
        return kind != SplitKind.NeedMore;
    }
}
