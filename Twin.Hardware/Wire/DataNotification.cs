using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>
/// The data-notification APDU (0x0F), what a meter pushes: a long invoke id, a date-time that may be missing, and one
/// COSEM data. Some meters write the date-time with the tag 09 of an octet-string before it; both forms are read.
/// </summary>
public readonly ref struct DataNotification
{
    /// <summary>
    /// Bits 0 to 23 the invoke id, above them self-descriptive, processing option, class and priority.
    /// </summary>
    public uint LongInvokeId { get; init; }

    public bool HasTime { get; init; }
    public CosemDateTime Time { get; init; }

    /// <summary>One COSEM data in A-XDR, checked to be whole.</summary>
    public ReadOnlySpan<byte> Body { get; init; }

    /// <summary>Where the body begins within the APDU, for offsets of errors.</summary>
    public int BodyOffset { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> apdu, out DataNotification result, out WireError error)
    {
        result = default;
        var r = new WireReader(apdu);
        if (r.Byte() != (byte)ApduTag.DataNotification) r.Fail(WireCode.UnknownTag, 0);
        var id = r.UInt32();
        var at = r.Position;
        var length = r.Byte();
        if (length == (byte)CosemTag.OctetString) length = r.Byte();
        if (!r.Failed && length is not (0 or CosemDateTime.Bytes)) r.Fail(WireCode.BadLength, at);
        at = r.Position;
        var bytes = r.Bytes(length);
        var time = default(CosemDateTime);
        if (!bytes.IsEmpty && !CosemDateTime.TryRead(bytes, out time, out var bad)) r.Fail(bad.Code, at + bad.Offset);
        at = r.Position;
        var body = r.Rest();
        error = r.Error;
        if (r.Failed) return false;
        if (!CosemReader.TrySkip(body, out var used, out error) || used != body.Length)
        {
            error = (error.IsError ? error : new WireError(WireCode.TrailingBytes, used)).Within(at);
            return false;
        }
        result = new DataNotification
        {
            LongInvokeId = id,
            HasTime = !bytes.IsEmpty,
            Time = time,
            Body = body,
            BodyOffset = at,
        };
        return true;
    }

    /// <summary>Appends the head; the body must follow as one COSEM data.</summary>
    public static void WriteHead(ByteWriter w, uint longInvokeId, CosemDateTime? time)
    {
        w.Byte((byte)ApduTag.DataNotification);
        w.BigUInt32(longInvokeId);
        w.Byte(time is null ? (byte)0 : (byte)CosemDateTime.Bytes);
        time?.Write(w);
    }
}
