using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>One message of the TCP/UDP wrapper.</summary>
public readonly ref struct WrapperFrame
{
    public ushort Source { get; init; }
    public ushort Destination { get; init; }
    public ReadOnlySpan<byte> Apdu { get; init; }
}

/// <summary>
/// The wrapper of IEC 62056-47: version 1, source wPort, destination wPort and length of the APDU, 2 bytes big-endian
/// each, then the APDU.
/// </summary>
public static class TcpWrapper
{
    public const int HeaderBytes = 8;
    public const ushort Version = 1;
    public const int MaxFrameBytes = HeaderBytes + 0xFFFF;

    /// <summary>Reads one message and nothing behind it.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, out WrapperFrame result, out WireError error)
    {
        var r = new WireReader(frame);
        if (r.UInt16() != Version && !r.Failed) r.Fail(WireCode.BadVersion, 0);
        var (source, destination) = (r.UInt16(), r.UInt16());
        var apdu = r.Bytes(r.UInt16());
        r.AtEnd();
        result = new WrapperFrame { Source = source, Destination = destination, Apdu = apdu };
        error = r.Error;
        return !r.Failed;
    }

    /// <summary>Appends one message; an APDU has at most 65,535 bytes.</summary>
    public static void Write(ByteWriter w, ushort source, ushort destination, ReadOnlySpan<byte> apdu)
    {
        if (apdu.Length > 0xFFFF)
            throw new ArgumentException($"An APDU of {apdu.Length} bytes is over the wrapper's 65535. Use block "
                + "transfer.");
        w.BigUInt16(Version);
        w.BigUInt16(source);
        w.BigUInt16(destination);
        w.BigUInt16((ushort)apdu.Length);
        w.Bytes(apdu);
    }
}
