using System.Text;
using Twin.Detection;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

// What twins tell each other while a day closes. Never stored longer than the engine keeps published answers, but
// versioned like everything that crosses the door.

/// <summary>Kinds of message; the number is part of the encoding.</summary>
internal enum MessageKind : byte
{
    MeterDay = 1, CohortDay = 2, FeederDay = 3, GapDay = 4, BackhaulDay = 5, GroupDay = 6, DevicePrint = 7,
    Verdicts = 8,
}

internal static class MessageHead
{
    private const byte Version = 2;

    public static void Write(ByteWriter to, MessageKind kind)
    {
        to.Byte(Version);
        to.Byte((byte)kind);
    }

    public static MessageKind Read(ref ByteReader r) => Read(ref r, out _);

    /// <summary>Older answers lie in the journal, and a meter of the past is rebuilt from them.</summary>
    public static MessageKind Read(ref ByteReader r, out int version)
    {
        version = r.Byte();
        if (version is < 1 or > Version)
            throw r.Bad($"a message has version {version}, this MeterTwin knows {Version}");
        var kind = (MessageKind)r.Byte();
        return kind is >= MessageKind.MeterDay and <= MessageKind.Verdicts ? kind
            : throw r.Bad("a message kind is not known");
    }

    public static int ReadDay(ref ByteReader r) =>
        r.VarInt() is >= -MeterTwin.MaxDayNumber and <= MeterTwin.MaxDayNumber and var day ? (int)day
            : throw r.Bad("a day is no day of any calendar");

    public static void WriteLocalDay(ByteWriter to, in LocalDay day)
    {
        to.VarInt(day.Number);
        to.VarInt(day.StartMinute);
        to.VarUInt((ulong)day.Minutes);
    }

    public static LocalDay ReadLocalDay(ref ByteReader r)
    {
        var (number, start, minutes) = (ReadDay(ref r), r.VarInt(), r.Count(LocalDay.MaxMinutes));
        var isNear = Math.Abs(start / 1440 - number) <= 2;
        return isNear ? new LocalDay(number, start, minutes)
            : throw r.Bad("a day begins elsewhere than its number says");
    }
}

/// <summary>
/// A meter's contribution to a closing day of its feeder or cohort, with the name of the receiver, which learns it
/// from here.
/// Without features the meter belongs there but has no reading of that day.
/// </summary>
internal ref struct MeterDayMessage
{
    public LocalDay Day;
    public MeterRole Role;
    public ReadOnlySpan<byte> ReceiverName;
    public bool HasData;

    /// <summary>Model, firmware and lot, for a feeder; empty in a message to the cohort itself.</summary>
    public ReadOnlySpan<byte> Group;

    /// <summary><see cref="Fleet.MeterNews"/> for the cohort, or nothing.</summary>
    public ReadOnlySpan<byte> News;
    public ReadOnlySpan<byte> Features;

    public readonly string Receiver => Encoding.UTF8.GetString(ReceiverName);

    public readonly void Write(ByteWriter to)
    {
        MessageHead.Write(to, MessageKind.MeterDay);
        MessageHead.WriteLocalDay(to, Day);
        to.Byte((byte)Role);
        to.Blob(ReceiverName);
        to.Bool(HasData);
        to.Blob(Group);
        to.Blob(News);
        to.Bytes(Features);
    }

    /// <exception cref="InvalidDataException">Damaged, or no message of this kind.</exception>
    public static MeterDayMessage Read(ReadOnlySpan<byte> body)
    {
        var r = new ByteReader(body);
        if (MessageHead.Read(ref r) != MessageKind.MeterDay) throw r.Bad("this message is no meter day");
        return new MeterDayMessage
        {
            Day = MessageHead.ReadLocalDay(ref r),
            Role = (MeterRole)r.Byte(),
            ReceiverName = r.Blob(),
            HasData = r.Bool(),
            Group = r.Blob(),
            News = r.Blob(),
            Features = r.Rest,
        };
    }

    /// <summary>The features, or features that say nothing but the day.</summary>
    public readonly DayFeatures ReadFeatures()
    {
        if (!HasData) return new DayFeatures { Day = Day.Number };
        var r = new ByteReader(Features);
        return DayFeatures.Read(ref r);
    }
}
