namespace Twin.Hardware.Wire;

/// <summary>What a receiver has for its caller.</summary>
public enum Received : byte
{
    /// <summary>More bytes are needed.</summary>
    Nothing = 0,
    /// <summary>A whole APDU.</summary>
    Apdu = 1,
    /// <summary>A frame or message that had to be dropped; the error says why.</summary>
    Rejected = 2,
}

/// <summary>
/// From a stream of bytes to APDUs, over any link: finds frames, checks them, puts segments together, takes the LLC
/// header off. Every frame is counted as valid or rejected. Memory is fixed (<see cref="FrameSplitter"/>) but for one
/// message in parts (<see cref="MessageAssembly.MaxBytes"/>). One instance serves one connection or file.
/// </summary>
public sealed class ApduReceiver(LinkKind link)
{
    private readonly FrameSplitter _splitter = new(link);
    private readonly MessageAssembly _assembly = new();
    private bool _finished;

    public LinkKind Link => link;

    /// <summary>Frames whose check was right and whose contents were taken.</summary>
    public long ValidFrames { get; private set; }

    /// <summary>Frames, candidates and unfinished messages that were dropped.</summary>
    public long RejectedFrames { get; private set; }

    /// <summary>Bytes between frames; with HDLC the flags that close a frame are among them.</summary>
    public long NoiseBytes { get; private set; }

    /// <summary>Bytes that are held and not yet told.</summary>
    public int Held => _splitter.Held;

    /// <summary>Takes as many bytes as there is room for; see <see cref="FrameSplitter.Feed"/>.</summary>
    public int Feed(ReadOnlySpan<byte> bytes) => _splitter.Feed(bytes);

    /// <summary>No more bytes will come: what is held, and a message without end, are told as rejected.</summary>
    public void Finish()
    {
        _splitter.Finish();
        _finished = true;
    }

    /// <summary>
    /// The next APDU or rejection; <see cref="Received.Nothing"/> when more bytes are needed.
    /// <paramref name="bytes"/> are the APDU, or what was rejected; they stay valid until the next call.
    /// </summary>
    public Received TryNext(out ReadOnlySpan<byte> bytes, out WireError error)
    {
        while (_splitter.TryNext(out var kind, out bytes, out error))
        {
            if (kind == SplitKind.Noise)
            {
                NoiseBytes += bytes.Length;
                continue;
            }
            if (kind == SplitKind.Rejected) return Reject();
            var frame = bytes;
            var abandoned = _assembly.Abandoned;
            if (!TryMessage(frame, out bytes, out var complete, out error))
            {
                bytes = frame;
                return Reject();
            }
            ValidFrames++;
            if (_assembly.Abandoned > abandoned) RejectedFrames++;
            if (complete && !bytes.IsEmpty) return Received.Apdu;
        }
        if (!_finished || !_assembly.IsOpen) return Received.Nothing;
        _assembly.Reset();
        bytes = default;
        error = new WireError(WireCode.Truncated, 0);
        return Reject();
    }

    private Received Reject()
    {
        RejectedFrames++;
        return Received.Rejected;
    }

    private bool TryMessage(ReadOnlySpan<byte> frame, out ReadOnlySpan<byte> apdu, out bool complete,
        out WireError error)
    {
        apdu = default;
        complete = false;
        switch (link)
        {
            case LinkKind.Wrapper:
                if (!TcpWrapper.TryRead(frame, out var wrapped, out error)) return false;
                apdu = wrapped.Apdu;
                return complete = true;
            case LinkKind.Mbus:
                if (!Mbus.TryRead(frame, out var part, out error) || !_assembly.TryAdd(part, out complete, out error))
                    return false;
                apdu = _assembly.Message;
                return true;
            default:
                return Hdlc.TryRead(frame, out var hdlc, out error) && TryHdlc(hdlc, out apdu, out complete, out error);
        }
    }

    /// <summary>A frame without information (set-up, acknowledgement) is valid and carries no message.</summary>
    private bool TryHdlc(HdlcFrame frame, out ReadOnlySpan<byte> apdu, out bool complete, out WireError error)
    {
        apdu = default;
        complete = false;
        error = default;
        if (frame.Information.IsEmpty) return true;
        var message = frame.Information;
        var at = frame.InformationOffset;
        if (frame.IsSegment || _assembly.IsOpen)
        {
            if (!_assembly.TryAdd(frame, out complete, out error)) return false;
            message = _assembly.Message;
            if (!complete) return true;
        }
        complete = true;
        if (Llc.TryRead(message, out apdu, out _, out error)) return true;
        error = new WireError(error.Code, at);
        return false;
    }
}
