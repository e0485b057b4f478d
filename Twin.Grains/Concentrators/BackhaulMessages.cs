using Twin.Detection.Network;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Concentrators;

/// <summary>A meter asks its concentrator about a closing day of which readings are missing.</summary>
internal readonly record struct GapDayMessage(LocalDay Day)
{
    public void Write(ByteWriter to)
    {
        MessageHead.Write(to, MessageKind.GapDay);
        MessageHead.WriteLocalDay(to, Day);
    }

    /// <exception cref="InvalidDataException">Damaged, or no message of this kind.</exception>
    public static GapDayMessage Read(ReadOnlySpan<byte> body)
    {
        var r = new ByteReader(body);
        if (MessageHead.Read(ref r) != MessageKind.GapDay) throw r.Bad("this message asks about no gap");
        var message = new GapDayMessage(MessageHead.ReadLocalDay(ref r));
        return r.AtEnd ? message : throw r.Bad("bytes follow a question about a gap");
    }
}

/// <summary>
/// When the backhaul of a concentrator was lost on a day (of all the zones asked for): its answer to every meter that
/// asked, kept as a publication.
/// </summary>
internal sealed record BackhaulDay(int Day, LostSpan[] Lost)
{
    public void Write(ByteWriter to)
    {
        MessageHead.Write(to, MessageKind.BackhaulDay);
        to.VarInt(Day);
        to.VarUInt((ulong)Lost.Length);
        foreach (var span in Lost)
        {
            to.VarInt(span.From);
            to.VarInt(span.To);
        }
    }

    /// <summary>Reads what follows kind and day.</summary>
    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static BackhaulDay ReadBody(int day, ref ByteReader r)
    {
        var spans = new LostSpan[r.Count(BackhaulWatch.MaxSpans + 1)];
        for (var i = 0; i < spans.Length; i++)
            spans[i] = new LostSpan(Input.ReadTime(ref r).Seconds, Input.ReadTime(ref r).Seconds);
        return new BackhaulDay(day, spans);
    }
}
