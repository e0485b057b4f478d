using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>One long frame of M-Bus that carries a part of a DLMS message.</summary>
public readonly ref struct MbusFrame
{
    public byte Control { get; init; }
    public byte Address { get; init; }

    /// <summary>Number of this part, from 0.</summary>
    public int Sequence { get; init; }

    /// <summary>This is the last part.</summary>
    public bool IsLast { get; init; }

    public byte SourceSap { get; init; }
    public byte DestinationSap { get; init; }
    public ReadOnlySpan<byte> Part { get; init; }
}

/// <summary>
/// The M-Bus long frame (EN 13757-2) with the DLMS transport of EN 13757-3:
/// <c>68 L L 68, C, A, CI, source, destination, part, checksum, 16</c>. CI 0x00 to 0x1F: number of the part in the low
/// four bits, 0x10 set on the last. The checksum is the sum modulo 256 of all from C to the end of the part.
/// </summary>
public static class Mbus
{
    public const byte Start = 0x68, Stop = 0x16;
    public const int MaxFrameBytes = 255 + 6;

    /// <summary>C, A, CI and the two SAPs.</summary>
    private const int MinLength = 5;

    /// <summary>Bytes of a message in one frame.</summary>
    public const int MaxPartBytes = 255 - MinLength;

    public const int MaxParts = 16;

    internal static byte Checksum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0;
        foreach (var b in bytes) sum += b;
        return (byte)(sum & 0xFF);
    }

    /// <summary>Reads a whole frame. Frames with another CI than 0x00 to 0x1F do not carry DLMS.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, out MbusFrame result, out WireError error)
    {
        result = default;
        var r = new WireReader(frame);
        if (r.Byte() != Start) r.Fail(WireCode.BadFlag, 0);
        var (length, again) = (r.Byte(), r.Byte());
        if (!r.Failed && (length != again || length < MinLength)) r.Fail(WireCode.BadLength, 1);
        if (r.Byte() != Start && !r.Failed) r.Fail(WireCode.BadFlag, 3);
        var body = r.Bytes(length);
        var checksum = r.Byte();
        if (!r.Failed && checksum != Checksum(body)) r.Fail(WireCode.FrameCheck, r.Position - 1);
        if (r.Byte() != Stop && !r.Failed) r.Fail(WireCode.BadFlag, r.Position - 1);
        if (!r.Failed && body[2] > 0x1F) r.Fail(WireCode.Unsupported, 6);
        r.AtEnd();
        error = r.Error;
        if (r.Failed) return false;
        result = new MbusFrame
        {
            Control = body[0],
            Address = body[1],
            Sequence = body[2] & 0xF,
            IsLast = (body[2] & 0x10) != 0,
            SourceSap = body[3],
            DestinationSap = body[4],
            Part = body[MinLength..],
        };
        return true;
    }

    /// <summary>Appends a message as one to sixteen frames.</summary>
    public static void Write(ByteWriter w, byte control, byte address, byte sourceSap, byte destinationSap,
        ReadOnlySpan<byte> apdu)
    {
        var parts = Math.Max(1, (apdu.Length + MaxPartBytes - 1) / MaxPartBytes);
        if (parts > MaxParts)
            throw new ArgumentException($"A message of {apdu.Length} bytes needs {parts} M-Bus frames; there can be "
                + $"{MaxParts}.");
        for (var i = 0; i < parts; i++)
        {
            var part = apdu[(i * MaxPartBytes)..Math.Min(apdu.Length, (i + 1) * MaxPartBytes)];
            var length = (byte)(part.Length + MinLength);
            w.Bytes([Start, length, length, Start]);
            var start = w.Length;
            w.Bytes([control, address, (byte)(i | (i == parts - 1 ? 0x10 : 0)), sourceSap, destinationSap]);
            w.Bytes(part);
            w.Byte(Checksum(w.Written[start..]));
            w.Byte(Stop);
        }
    }
}
