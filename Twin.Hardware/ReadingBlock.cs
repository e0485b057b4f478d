using Twin.Hardware.Coding;

namespace Twin.Hardware;

/// <summary>
/// Consecutive interval readings of one meter and channel, read in place. As sent it begins anywhere; as journalled it
/// lies in one local day and carries that day, so that nothing downstream needs to know the zone.
/// </summary>
public ref struct ReadingBlock
{
    /// <summary>Stands for "no reading" in a span of slots. No encodable value.</summary>
    public const int Missing = int.MinValue;

    /// <summary>Values must lie in ±<see cref="MaxValue"/> (2.1 GWh, or tenths of a volt, or litres).</summary>
    public const int MaxValue = int.MaxValue;

    [Flags]
    private enum Flags : byte { None = 0, Admitted = 1, Qualities = 2, Gaps = 4, Late = 8, Revision = 16, Stamp = 32 }

    private const Flags AllFlags = (Flags)63;

    public MeterId Meter;
    public Channel Channel;
    public int IntervalMinutes;

    /// <summary>Start of the first slot, minutes since 1970-01-01T00:00Z.</summary>
    public long StartMinute;

    /// <summary>Number of slots, gaps included.</summary>
    public int Count;

    /// <summary>
    /// Source stamp (seconds) that decides between revisions of equal quality; 0 when the source gives none.
    /// </summary>
    public long SourceStamp;

    /// <summary>The local day, in an admitted block.</summary>
    public LocalDay Day;
    public bool IsAdmitted;

    /// <summary>Set at admission: the day had closed when the block came.</summary>
    public bool IsLate;

    /// <summary>Set at admission: the block replaces readings already stored.</summary>
    public bool IsRevision;

    /// <summary>
    /// Of a late revision: how many stored readings it replaces and their sum, so that sums stay right without a
    /// look-up.
    /// </summary>
    public int PriorCount;
    public long PriorSum;

    private ReadOnlySpan<byte> _presence;
    private ReadOnlySpan<byte> _qualityRuns;
    private ReadOnlySpan<byte> _values;
    private int _present;

    public readonly int FirstSlot => (int)((StartMinute - Day.StartMinute) / IntervalMinutes);
    public readonly long EndMinute => StartMinute + (long)Count * IntervalMinutes;
    public readonly int PresentCount => _present;

    /// <summary>The encoded values of the slots that are present, as <see cref="ValueCodec"/> wrote them.</summary>
    public readonly ReadOnlySpan<byte> EncodedValues => _values;

    /// <summary>True when every slot holds a reading of quality <see cref="Quality.Actual"/>.</summary>
    public readonly bool IsPlain => _presence.IsEmpty && _qualityRuns.IsEmpty;

    /// <summary>Reads the head of an input of kind <see cref="InputKind.ReadingBlock"/>; values stay encoded.</summary>
    /// <exception cref="InvalidDataException">Damaged or out of bounds.</exception>
    public static ReadingBlock Read(ReadOnlySpan<byte> input)
    {
        var envelope = Envelope.Read(input);
        var r = new ByteReader(Envelope.Payload(input));
        if (envelope.Kind != InputKind.ReadingBlock) throw r.Bad("this input is no reading block");
        if (envelope.Target.Kind != TwinKind.Meter) throw r.Bad($"a reading block is addressed to {envelope.Target}");
        var b = new ReadingBlock { Meter = new MeterId(envelope.Target.Id), Channel = (Channel)r.Byte() };
        if (b.Channel is < Channel.Import or > Channel.Water) throw r.Bad($"channel {(byte)b.Channel} is not known");
        var flags = (Flags)r.Byte(0, (int)AllFlags);
        b.IntervalMinutes = r.Count(1440);
        if (b.IntervalMinutes == 0) throw r.Bad("the interval is 0 minutes");
        b.StartMinute = r.VarInt();
        if (b.StartMinute is < -500_000_000 or > 500_000_000) throw r.Bad("the start is out of range");
        b.Count = r.Count(ValueCodec.MaxValues);
        if (b.Count == 0) throw r.Bad("the block is empty");
        if ((flags & Flags.Admitted) != 0) b.ReadDay(ref r);
        if ((flags & Flags.Stamp) != 0) b.SourceStamp = r.VarInt();
        b.IsLate = (flags & Flags.Late) != 0;
        b.IsRevision = (flags & Flags.Revision) != 0;
        if (b.IsRevision) (b.PriorCount, b.PriorSum) = (r.Count(ValueCodec.MaxValues), r.VarInt());
        if ((flags & Flags.Qualities) != 0) b._qualityRuns = r.Blob();
        if ((flags & Flags.Gaps) != 0) b._presence = r.Bytes((b.Count + 7) / 8);
        b._present = b._presence.IsEmpty ? b.Count : CountBits(b._presence, b.Count);
        b._values = r.Rest;
        return b;
    }

    private void ReadDay(ref ByteReader r)
    {
        IsAdmitted = true;
        var number = Input.ReadDay(ref r);
        var minutes = r.Count(LocalDay.MaxMinutes);
        Day = new LocalDay(number, StartMinute - r.Count(LocalDay.MaxMinutes), minutes == 0 ? 1440 : minutes);
        if (EndMinute > Day.EndMinute) throw r.Bad("the block reaches beyond its day");
    }

    private static int CountBits(ReadOnlySpan<byte> bits, int count)
    {
        var n = 0;
        for (var i = 0; i < count; i++) n += (bits[i >> 3] >> (i & 7)) & 1;
        return n;
    }

    /// <summary>
    /// Fills <paramref name="slots"/> (length <see cref="Count"/>) with values, <see cref="Missing"/> where there is
    /// none.
    /// </summary>
    /// <exception cref="InvalidDataException">The values are damaged.</exception>
    public readonly void DecodeValues(Span<int> slots)
    {
        var r = new ByteReader(_values);
        Span<int> packed = _presence.IsEmpty ? slots[..Count] : stackalloc int[_present];
        ValueCodec.Decode(ref r, packed);
        if (!r.AtEnd) throw r.Bad($"{r.Left} bytes follow the values");
        if (_presence.IsEmpty) return;
        var next = 0;
        for (var i = 0; i < Count; i++) slots[i] = ((_presence[i >> 3] >> (i & 7)) & 1) != 0 ? packed[next++] : Missing;
    }

    /// <summary>
    /// Fills <paramref name="qualities"/> (length <see cref="Count"/>), <see cref="Quality.Missing"/> at gaps.
    /// </summary>
    /// <exception cref="InvalidDataException">The qualities are damaged.</exception>
    public readonly void DecodeQualities(Span<Quality> qualities)
    {
        qualities[..Count].Fill(Quality.Actual);
        if (!_qualityRuns.IsEmpty)
        {
            var r = new ByteReader(_qualityRuns);
            for (var i = 0; i < Count;)
            {
                var run = r.Count(Count - i);
                if (run == 0) throw r.Bad("a quality run is empty");
                var quality = (Quality)r.Byte();
                if (quality > Quality.Actual) throw r.Bad($"quality {(byte)quality} is not known");
                qualities.Slice(i, run).Fill(quality);
                i += run;
            }
            if (!r.AtEnd) throw r.Bad($"{r.Left} bytes follow the qualities");
        }
        if (_presence.IsEmpty) return;
        for (var i = 0; i < Count; i++)
            if (((_presence[i >> 3] >> (i & 7)) & 1) == 0) qualities[i] = Quality.Missing;
    }

    /// <summary>Appends a block as a source sends it. <paramref name="qualities"/> may be empty: all actual.</summary>
    public static void WriteRaw(ByteWriter to, MeterId meter, Channel channel, int intervalMinutes, long startMinute,
        ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities, long sourceStamp) =>
        Write(to, new ReadingBlock
        {
            Meter = meter, Channel = channel, IntervalMinutes = intervalMinutes,
            StartMinute = startMinute, SourceStamp = sourceStamp
        },
            slots, qualities);

    /// <summary>
    /// Appends a block with the head of <paramref name="head"/> (whose <see cref="Count"/> is taken from
    /// <paramref name="slots"/>).
    /// </summary>
    public static void Write(ByteWriter to, in ReadingBlock head, ReadOnlySpan<int> slots,
        ReadOnlySpan<Quality> qualities)
    {
        if (slots.Length is 0 or > ValueCodec.MaxValues)
            throw new ArgumentException($"A block holds 1 to {ValueCodec.MaxValues} readings, not {slots.Length}.",
                nameof(slots));
        var gaps = slots.Contains(Missing);
        var plain = qualities.IsEmpty || IsAllActual(slots, qualities);
        WriteHead(to, head, slots.Length, gaps, !plain);
        if (!plain) WriteQualities(to, slots, qualities);
        if (!gaps)
        {
            ValueCodec.Encode(slots, to);
            return;
        }
        Span<int> packed = stackalloc int[slots.Length];
        var n = 0;
        for (var i = 0; i < slots.Length; i += 8)
        {
            byte bits = 0;
            for (var k = i; k < Math.Min(i + 8, slots.Length); k++)
            {
                if (slots[k] == Missing) continue;
                bits |= (byte)(1 << (k - i));
                packed[n++] = slots[k];
            }
            to.Byte(bits);
        }
        ValueCodec.Encode(packed[..n], to);
    }

    /// <summary>
    /// Appends a plain block (no gaps, all actual) whose values are encoded already: the hot path re-encodes nothing.
    /// </summary>
    public static void WritePlain(ByteWriter to, in ReadingBlock head, int count, ReadOnlySpan<byte> encodedValues)
    {
        WriteHead(to, head, count, false, false);
        to.Bytes(encodedValues);
    }

    private static void WriteHead(ByteWriter to, in ReadingBlock head, int count, bool gaps, bool qualities)
    {
        new Envelope(InputKind.ReadingBlock, head.Meter.Twin).Write(to);
        to.Byte((byte)head.Channel);
        var flags = (head.IsAdmitted ? Flags.Admitted : 0) | (qualities ? Flags.Qualities : 0) | (gaps ? Flags.Gaps : 0)
            | (head.IsLate ? Flags.Late : 0) | (head.IsRevision ? Flags.Revision : 0) | (head.SourceStamp != 0
                ? Flags.Stamp : 0);
        to.Byte((byte)flags);
        to.VarUInt((ulong)head.IntervalMinutes);
        to.VarInt(head.StartMinute);
        to.VarUInt((ulong)count);
        if (head.IsAdmitted)
        {
            to.VarInt(head.Day.Number);
            to.VarUInt(head.Day.Minutes == 1440 ? 0UL : (ulong)head.Day.Minutes);
            to.VarUInt((ulong)(head.StartMinute - head.Day.StartMinute));
        }
        if (head.SourceStamp != 0) to.VarInt(head.SourceStamp);
        if (!head.IsRevision) return;
        to.VarUInt((ulong)head.PriorCount);
        to.VarInt(head.PriorSum);
    }

    private static bool IsAllActual(ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities)
    {
        for (var i = 0; i < slots.Length; i++)
            if (slots[i] != Missing && qualities[i] != Quality.Actual) return false;
        return true;
    }

    private static void WriteQualities(ByteWriter to, ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities)
    {
        var runs = new ByteWriter(32);
        for (var i = 0; i < slots.Length;)
        {
            var quality = slots[i] == Missing ? Quality.Missing : qualities[i];
            var end = i + 1;
            while (end < slots.Length && (slots[end] == Missing ? Quality.Missing : qualities[end]) == quality) end++;
            runs.VarUInt((ulong)(end - i));
            runs.Byte((byte)quality);
            i = end;
        }
        to.Blob(runs.Written);
    }
}
