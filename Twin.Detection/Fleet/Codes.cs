using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>Pieces of encoding that the states of this room's fleet and network checks share.</summary>
internal static class Codes
{
    /// <exception cref="InvalidDataException">Another version than the known one.</exception>
    public static void Version(ref ByteReader r, byte known, string what)
    {
        var version = r.Byte();
        if (version != known) throw r.Bad($"{what} has encoding version {version}, this MeterTwin knows {known}");
    }

    public static void WriteParty(ByteWriter to, in Party party)
    {
        to.Byte((byte)party.Key.Kind);
        to.UInt64(party.Key.Id);
        to.Text(party.Name);
    }

    public static Party ReadParty(ref ByteReader r) =>
        new(new TwinKey((TwinKind)r.Byte((int)TwinKind.Meter, (int)TwinKind.Fleet), r.UInt64()), r.Text());

    /// <summary>An instant in seconds since 1970, of the years 1 to 9999; 0 may mean none.</summary>
    public static long ReadSeconds(ref ByteReader r) => Input.ReadTime(ref r).Seconds;

    public static uint ReadUInt32(ref ByteReader r) => r.VarUInt() is <= uint.MaxValue and var v ? (uint)v
        : throw r.Bad("a number is over 32 bits");
}
