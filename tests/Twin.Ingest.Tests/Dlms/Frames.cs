using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Wire;
using Twin.Ingest.Dlms;
using Twin.Ingest.Readers;

namespace Twin.Ingest.Tests.Dlms;

/// <summary>Takes what an intake gives, as text, in order.</summary>
internal sealed class RecordingSink : ObservationSink
{
    public List<string> Lines { get; } = [];
    public List<Input> Inputs { get; } = [];
    public UnixTime? LatestAllowed { get; init; }

    public override string? Check(string meter) => null;
    public override string? Check(UnixTime end) =>
        LatestAllowed is { } last && end.CompareTo(last) > 0 ? $"lies at {end}" : null;

    public override void Readings(string meter, Channel channel, int intervalMinutes, long startMinute,
        ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities, long sourceStamp) =>
        Lines.Add($"{meter} {channel} {intervalMinutes} {UnixTime.FromMinutes(startMinute)} "
            + string.Join(',', slots.ToArray())
            + (qualities.IsEmpty ? "" : " " + string.Join(',', qualities.ToArray())));

    public override void Register(string meter, Channel channel, UnixTime at, long value) =>
        Lines.Add($"{meter} {channel} register {at} {value}");

    public override void Event(string meter, UnixTime at, string profile, string code, string detail) =>
        Lines.Add($"{meter} event {at} {profile}:{code}");

    public override void Other(string meter, Input input, UnixTime at)
    {
        Inputs.Add(input);
        Lines.Add($"{meter} {input.Describe()}");
    }

    public override void CountRounded() { }
}

/// <summary>Frames of a made meter.</summary>
internal static class Frames
{
    public const ulong Title = 0x4D54570000000001;
    public const string Name = "4d54570000000001";
    public static readonly MeterId Meter = new(Title);
    public static readonly UnixTime Noon = new(Feeds.Minute("2026-01-02T12:00Z") * 60);

    private static readonly byte[] Key = [.. Enumerable.Range(1, 16).Select(static i => (byte)i)];
    private static readonly byte[] Authentication = [.. Enumerable.Range(101, 16).Select(static i => (byte)i)];

    public static FrameKeys Keys()
    {
        var keys = new FrameKeys();
        keys.Set(Meter, KeyUse.GlobalUnicast, Key, Authentication);
        return keys;
    }

    public static FrameIntake Keyed() => new(Keys(), new HashSet<MeterId> { Meter });

    /// <summary>A load profile of half-hours that ends at noon, each interval with its energy.</summary>
    public static byte[] Profile(params int[] wattHours)
    {
        var rows = new ProfileRow[wattHours.Length + 1];
        long register = 1000;
        for (var i = 0; i < rows.Length; i++)
        {
            if (i > 0) register += wattHours[i - 1];
            rows[i] = new ProfileRow(new UnixTime(Noon.Seconds - (rows.Length - 1 - i) * 1800L), ProfileStatus.None,
                register, 0);
        }
        var w = new ByteWriter();
        LoadProfilePush.Write(w, "SN1", 1800, 0, rows);
        return w.ToArray();
    }

    public static byte[] Notification(ReadOnlySpan<byte> body, bool withTime = true, uint invoke = 0x4000_0001)
    {
        var w = new ByteWriter();
        DataNotification.WriteHead(w, invoke, withTime ? CosemDateTime.FromUnixTime(Noon, 0) : null);
        w.Bytes(body);
        return w.ToArray();
    }

    public static byte[] Ciphered(ReadOnlySpan<byte> apdu, uint counter)
    {
        using var keys = Keys();
        var title = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(title, Title);
        var w = new ByteWriter();
        Assert.Equal(WireCode.None, Protected.Write(w, ApduTag.GeneralGloCiphering, keys, Meter, title,
            new SecurityControl(0, true, true), counter, apdu));
        return w.ToArray();
    }

    public static byte[] Wrapped(ReadOnlySpan<byte> apdu)
    {
        var w = new ByteWriter();
        TcpWrapper.Write(w, 1, 102, apdu);
        return w.ToArray();
    }

    public static byte[] Hdlc(ReadOnlySpan<byte> apdu)
    {
        var w = new ByteWriter();
        Twin.Hardware.Wire.Hdlc.WriteMessage(w, HdlcAddress.Short(1), HdlcAddress.Short(2), 0x13, apdu, true);
        return w.ToArray();
    }

    /// <summary>A Kaifa list of one power.</summary>
    public static byte[] Power(uint watts)
    {
        var w = new ByteWriter();
        var cosem = new CosemWriter(w);
        cosem.Structure(1);
        cosem.DoubleLongUnsigned(watts);
        return w.ToArray();
    }

    /// <summary>A named list: equipment id (empty: none) and total import with its unit.</summary>
    public static byte[] List(string serial, uint wattHours)
    {
        var w = new ByteWriter();
        var cosem = new CosemWriter(w);
        cosem.Array(serial.Length > 0 ? 2 : 1);
        if (serial.Length > 0)
        {
            cosem.Structure(2);
            cosem.LogicalName(Obis.EquipmentId);
            cosem.VisibleString(serial);
        }
        cosem.Structure(3);
        cosem.LogicalName(Obis.ImportTotal);
        cosem.DoubleLongUnsigned(wattHours);
        cosem.Structure(2);
        cosem.Integer(0);
        cosem.Enum(WattHour);
        return w.ToArray();
    }

    /// <summary>COSEM's number of the unit.</summary>
    private const byte WattHour = 30;
}
