using Twin.Detection.Fleet;
using Twin.Hardware.Coding;

namespace Twin.Grains.Fleet;

/// <summary>
/// A meter tells one of its groups that its day was unusual, or that it is one of them (<paramref name="Counts"/>), or
/// both.
/// </summary>
internal readonly record struct GroupDayMessage(int Day, GroupKind Kind, string Name, bool IsUnusual, bool Counts)
{
    public void Write(ByteWriter to)
    {
        MessageHead.Write(to, MessageKind.GroupDay);
        to.VarInt(Day);
        to.Byte((byte)Kind);
        to.Text(Name);
        to.Bool(IsUnusual);
        to.Bool(Counts);
    }

    /// <summary>True when a message is of this kind.</summary>
    public static bool Is(ReadOnlySpan<byte> body)
    {
        var r = new ByteReader(body);
        return MessageHead.Read(ref r) == MessageKind.GroupDay;
    }

    /// <exception cref="InvalidDataException">Damaged, or no message of this kind.</exception>
    public static GroupDayMessage Read(ReadOnlySpan<byte> body)
    {
        var r = new ByteReader(body);
        if (MessageHead.Read(ref r) != MessageKind.GroupDay) throw r.Bad("this message is to no group");
        var message = new GroupDayMessage(MessageHead.ReadDay(ref r),
            (GroupKind)r.Byte((int)GroupKind.Installer, (int)GroupKind.Plant), r.Text(), r.Bool(), r.Bool());
        return r.AtEnd ? message : throw r.Bad("bytes follow a message to a group");
    }
}
