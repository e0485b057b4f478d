using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>
/// Puts the parts of one message together again: HDLC segments, M-Bus parts, blocks of general block transfer.
/// Bounded: a message over <see cref="MaxBytes"/> is dropped with <see cref="WireCode.TooLong"/>, a part out of
/// order drops what was gathered. One instance serves one direction of one link.
/// </summary>
public sealed class MessageAssembly
{
    /// <summary>Largest message, and the largest APDU that this wire takes.</summary>
    public const int MaxBytes = 65_535;

    private readonly ByteWriter _message = new();
    private bool _complete = true;
    private int _next;

    /// <summary>The message, once complete; it stays valid until the next part comes.</summary>
    public ReadOnlySpan<byte> Message => _complete ? _message.Written : default;

    /// <summary>Parts are gathered and the last is still missing.</summary>
    public bool IsOpen => !_complete;

    /// <summary>Forgets what was gathered.</summary>
    public void Reset()
    {
        _message.Clear();
        (_complete, _next) = (true, 0);
    }

    /// <summary>Messages that another began before their end came.</summary>
    public int Abandoned { get; private set; }

    /// <summary>
    /// Takes an HDLC frame's information; true in <paramref name="complete"/> with the last segment. Unnumbered frames
    /// carry no sequence: an LLC header at the front begins a new message, and what was open is abandoned.
    /// </summary>
    public bool TryAdd(in HdlcFrame frame, out bool complete, out WireError error)
    {
        if (!_complete && Llc.TryRead(frame.Information, out _, out _, out _)) Abandon();
        return TryAdd(frame.Information, !frame.IsSegment, out complete, out error);
    }

    private void Abandon()
    {
        Abandoned++;
        Reset();
    }

    /// <summary>Takes an M-Bus part; its number must be the next one.</summary>
    public bool TryAdd(in MbusFrame frame, out bool complete, out WireError error)
    {
        if (frame.Sequence == 0 && !_complete) Abandon();
        var expected = _complete ? 0 : _next;
        if (frame.Sequence == expected) return TryAdd(frame.Part, frame.IsLast, out complete, out error);
        Reset();
        complete = false;
        error = new WireError(WireCode.OutOfOrder, 6);
        return false;
    }

    /// <summary>Takes the next part; the caller has checked its number.</summary>
    public bool TryAdd(ReadOnlySpan<byte> part, bool isLast, out bool complete, out WireError error)
    {
        if (_complete) _message.Clear();
        if (_message.Length + part.Length > MaxBytes)
        {
            Reset();
            complete = false;
            error = new WireError(WireCode.TooLong, 0);
            return false;
        }
        _message.Bytes(part);
        _complete = complete = isLast;
        _next = isLast ? 0 : _next + 1;
        error = default;
        return true;
    }
}
