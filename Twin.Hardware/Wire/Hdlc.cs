using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>
/// An HDLC address (IEC 62056-46): 7, 14 or 28 bits on 1, 2 or 4 bytes; the last byte has its lowest bit set. With 2
/// and 4 bytes the upper half is the logical device, the lower half the physical one.
/// </summary>
public readonly record struct HdlcAddress(uint Value, byte Bytes)
{
    public static HdlcAddress Short(byte value) => new(value, 1);

    internal static HdlcAddress Read(ref WireReader r)
    {
        var at = r.Position;
        uint value = 0;
        for (byte n = 1; n <= 4 && !r.Failed; n++)
        {
            var b = r.Byte();
            value = (value << 7) | (uint)(b >> 1);
            if ((b & 1) == 0) continue;
            if (n != 3) return new HdlcAddress(value, n);
            break;
        }
        r.Fail(WireCode.BadAddress, at);
        return default;
    }

    internal void Write(ByteWriter w)
    {
        if (Bytes is not (1 or 2 or 4) || Value >= 1u << (7 * Bytes))
            throw new ArgumentException($"HDLC address {Value} does not fit {Bytes} bytes. Give 1, 2 or 4 bytes of 7 "
                + "bits each.");
        for (var i = Bytes - 1; i >= 0; i--)
            w.Byte((byte)((Value >> (7 * i) & 0x7F) << 1 | (i == 0 ? 1u : 0u)));
    }
}

/// <summary>One HDLC frame of type 3, its information still on the bytes it was read from.</summary>
public readonly ref struct HdlcFrame
{
    public HdlcAddress Destination { get; init; }
    public HdlcAddress Source { get; init; }
    public byte Control { get; init; }

    /// <summary>More segments of this message follow.</summary>
    public bool IsSegment { get; init; }

    /// <summary>What the frame carries; empty in a frame without information field.</summary>
    public ReadOnlySpan<byte> Information { get; init; }

    /// <summary>Where the information begins within the frame, for offsets of errors.</summary>
    public int InformationOffset { get; init; }
}

/// <summary>
/// HDLC frames of format type 3 as IEC 62056-46 uses them:
/// <c>7E, A|S|length, destination, source, control, HCS, information, FCS, 7E</c>. The length counts all but the flags;
/// there is no byte stuffing.
/// </summary>
public static class Hdlc
{
    public const byte Flag = 0x7E;

    /// <summary>11 bits of length and two flags.</summary>
    public const int MaxFrameBytes = 2047 + 2;

    /// <summary>Format, two addresses of a byte, control and FCS.</summary>
    public const int MinLength = 7;

    /// <summary>Control byte of an unnumbered information frame without poll bit, as pushes use it.</summary>
    public const byte UnnumberedInformation = 0x03;

    /// <summary>Reads a frame that begins and ends with its flag.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, out HdlcFrame result, out WireError error)
    {
        result = default;
        var r = new WireReader(frame);
        if (r.Byte() != Flag) r.Fail(WireCode.BadFlag, 0);
        var format = r.UInt16();
        if (!r.Failed && format >> 12 != 0xA) r.Fail(WireCode.BadFormat, 1);
        var length = format & 0x7FF;
        if (!r.Failed && (length < MinLength || length + 2 != frame.Length))
            r.Fail(length + 2 > frame.Length ? WireCode.Truncated : WireCode.BadLength,
                length + 2 > frame.Length ? frame.Length : 1);
        if (!r.Failed && frame[^1] != Flag) r.Fail(WireCode.BadFlag, frame.Length - 1);
        var destination = HdlcAddress.Read(ref r);
        var source = HdlcAddress.Read(ref r);
        var control = r.Byte();
        var hasInformation = r.Left > 3;
        if (hasInformation) r.UInt16();
        if (!r.Failed && hasInformation && !Crc16.Closes(frame[1..r.Position]))
            r.Fail(WireCode.HeaderCheck, r.Position - 2);
        if (!r.Failed && r.Left < 3) r.Fail(WireCode.Truncated);
        if (!r.Failed && !Crc16.Closes(frame[1..^1])) r.Fail(WireCode.FrameCheck, frame.Length - 3);
        error = r.Error;
        if (r.Failed) return false;
        result = new HdlcFrame
        {
            Destination = destination,
            Source = source,
            Control = control,
            IsSegment = (format & 0x800) != 0,
            Information = hasInformation ? frame[r.Position..^3] : default,
            InformationOffset = r.Position,
        };
        return true;
    }

    /// <summary>Appends a whole frame with its flags. What does not fit 2047 bytes must be segmented.</summary>
    public static void Write(ByteWriter w, HdlcAddress destination, HdlcAddress source, byte control,
        ReadOnlySpan<byte> information, bool isSegment = false)
    {
        var header = 2 + destination.Bytes + source.Bytes + 1;
        var length = information.IsEmpty ? header + 2 : header + 2 + information.Length + 2;
        if (length > 2047)
            throw new ArgumentException($"An information field of {information.Length} bytes does not fit one HDLC "
                + "frame of 2047 bytes. Write it as segments.");
        w.Byte(Flag);
        var start = w.Length;
        w.BigUInt16((ushort)(0xA000 | (isSegment ? 0x800 : 0) | length));
        destination.Write(w);
        source.Write(w);
        w.Byte(control);
        if (!information.IsEmpty)
        {
            w.UInt16(Crc16.Of(w.Written[start..]));
            w.Bytes(information);
        }
        w.UInt16(Crc16.Of(w.Written[start..]));
        w.Byte(Flag);
    }

    /// <summary>
    /// Appends a message behind its LLC header (<see cref="Llc"/>) as frames of at most
    /// <paramref name="maxInformation"/> bytes of information each, all but the last with the segmentation bit.
    /// </summary>
    public static void WriteMessage(ByteWriter w, HdlcAddress destination, HdlcAddress source, byte control,
        ReadOnlySpan<byte> apdu, bool fromServer, int maxInformation = 2030)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxInformation, Llc.Bytes + 1);
        var message = new ByteWriter(apdu.Length + Llc.Bytes);
        Llc.Write(message, fromServer);
        message.Bytes(apdu);
        for (var at = 0; at < message.Length; at += maxInformation)
        {
            var part = message.Written[at..Math.Min(message.Length, at + maxInformation)];
            Write(w, destination, source, control, part, at + maxInformation < message.Length);
        }
    }
}

/// <summary>
/// The LLC header of IEC 62056-46: <c>E6 E6 00</c> from the client, <c>E6 E7 00</c> from the server (the meter).
/// </summary>
public static class Llc
{
    public const int Bytes = 3;

    public static void Write(ByteWriter w, bool fromServer) =>
        w.Bytes(fromServer ? [0xE6, 0xE7, 0x00] : [0xE6, 0xE6, 0x00]);

    /// <summary>Takes the header off.</summary>
    public static bool TryRead(ReadOnlySpan<byte> information, out ReadOnlySpan<byte> apdu, out bool fromServer,
        out WireError error)
    {
        var r = new WireReader(information);
        var header = r.Bytes(Bytes);
        fromServer = !r.Failed && header[1] == 0xE7;
        if (!r.Failed && (header[0] != 0xE6 || header[1] is not (0xE6 or 0xE7) || header[2] != 0))
            r.Fail(WireCode.BadLlc, 0);
        apdu = r.Rest();
        error = r.Error;
        return !r.Failed;
    }
}
