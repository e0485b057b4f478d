using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Ingest.Mirror;

/// <summary>
/// Points in Influx line protocol, timestamps in whole seconds: <c>metering</c> (tags meter, channel; value, quality),
/// <c>score</c> (tag meter; score) and <c>finding</c> (tags subject, kind, name; score, severity, confidence). Series
/// are as many as meters and channels, and one for each kind of finding that a subject had. An instant that servers
/// cannot hold is left out and counted.
/// </summary>
public sealed class LineWriter
{
    /// <summary>Longest tag, characters; a longer one is cut.</summary>
    public const int MaxTag = 256;

    private byte[] _bytes = new byte[64 * 1024];
    private readonly int[] _values = new int[ValueCodec.MaxValues];
    private readonly Quality[] _qualities = new Quality[ValueCodec.MaxValues];

    public int Points { get; private set; }
    public int Length { get; private set; }
    public ReadOnlyMemory<byte> Lines => _bytes.AsMemory(0, Length);

    /// <summary>Points that no server can hold, since the start.</summary>
    public long LeftOut { get; private set; }

    /// <summary>True when the next day would make a request too long.</summary>
    public bool IsFull => Points >= MirrorLimits.BatchPoints || Length >= MirrorLimits.BatchBytes;

    public void Clear() => (Points, Length) = (0, 0);

    /// <summary>
    /// A block of readings. No quality means actual; a revision always says it, for it may replace an estimate.
    /// </summary>
    public void Readings(in ReadingBlock block)
    {
        block.DecodeValues(_values.AsSpan(0, block.Count));
        block.DecodeQualities(_qualities.AsSpan(0, block.Count));
        Readings(block.Meter, block.Channel, block.StartMinute, block.IntervalMinutes, _values.AsSpan(0, block.Count),
            _qualities.AsSpan(0, block.Count), block.IsRevision);
    }

    /// <param name="meter">Whose.</param>
    /// <param name="channel">What was measured.</param>
    /// <param name="startMinute">Start of the first slot.</param>
    /// <param name="intervalMinutes">Length of a slot.</param>
    /// <param name="slots">Values, <see cref="ReadingBlock.Missing"/> where there is none.</param>
    /// <param name="qualities">Of the slots.</param>
    /// <param name="saysActual">Say the quality of actual readings, too.</param>
    public void Readings(MeterId meter, Channel channel, long startMinute, int intervalMinutes,
        ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities, bool saysActual)
    {
        Span<byte> head = stackalloc byte[96];
        Utf8.TryWrite(head, CultureInfo.InvariantCulture,
            $"metering,channel={NameOf(channel)},meter={meter.Value:x16} value=", out var length);
        head = head[..length];
        for (var i = 0; i < slots.Length; i++)
        {
            if (slots[i] == ReadingBlock.Missing || !Holds((startMinute + (long)i * intervalMinutes) * 60)) continue;
            Room(head.Length + 64);
            Raw(head);
            Number(slots[i]);
            Raw("i"u8);
            if (saysActual || qualities[i] != Quality.Actual)
            {
                Raw(",quality="u8);
                Number((int)qualities[i]);
                Raw("i"u8);
            }
            End((startMinute + (long)i * intervalMinutes) * 60);
        }
    }

    /// <summary>A day's score, at midnight UTC of its date.</summary>
    public void Score(MeterId meter, int day, double score)
    {
        if (!double.IsFinite(score) || !Holds(day * 86_400L)) return;
        Text(string.Create(CultureInfo.InvariantCulture, $"score,meter={meter.Value:x16} score={score:R}"));
        End(day * 86_400L);
    }

    /// <summary>A finding, where its span begins: the same finding said again is the same point.</summary>
    public void Finding(Finding f)
    {
        if (!double.IsFinite(f.Score) || !double.IsFinite(f.Confidence) || !Holds(f.From.Seconds)) return;
        Text("finding,kind=" + Hardware.Finding.NameOf(f.Kind));
        Tag("name", f.SubjectName);
        Tag("subject", f.Subject.ToString());
        Text(string.Create(CultureInfo.InvariantCulture,
            $" score={f.Score:R},severity={(int)f.Severity}i,confidence={f.Confidence:R}"));
        End(f.From.Seconds);
    }

    /// <summary>The tag of a channel.</summary>
    public static string NameOf(Channel channel) => channel.ToString().ToLowerInvariant();

    /// <summary>
    /// Adds a tag to the line begun. Commas, blanks and equal signs are escaped. A control character would end the
    /// line and a backslash swallow what follows, and neither can be escaped: an underscore stands for them. An empty
    /// value has no tag, since servers refuse it.
    /// </summary>
    private void Tag(string key, string value)
    {
        var text = new StringBuilder(value.Length + 8);
        foreach (var rune in value.EnumerateRunes())
        {
            if (text.Length >= MaxTag) break;
            if (rune.Value is ',' or '=' or ' ') text.Append('\\').Append((char)rune.Value);
            else if (rune.Value == '\\' || Rune.IsControl(rune) || rune.Value is 0x2028 or 0x2029) text.Append('_');
            else text.Append(rune.ToString());
        }
        if (text.Length > 0) Text($",{key}={text}");
    }

    private bool Holds(long seconds)
    {
        if (seconds is >= MirrorLimits.MinSeconds and <= MirrorLimits.MaxSeconds) return true;
        LeftOut++;
        return false;
    }

    private void End(long seconds)
    {
        Room(32);
        Raw(" "u8);
        Number(seconds);
        Raw("\n"u8);
        Points++;
    }

    private void Text(string text)
    {
        Room(Encoding.UTF8.GetMaxByteCount(text.Length));
        Length += Encoding.UTF8.GetBytes(text, _bytes.AsSpan(Length));
    }

    private void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes.AsSpan(Length));
        Length += bytes.Length;
    }

    private void Number(long number)
    {
        Utf8Formatter.TryFormat(number, _bytes.AsSpan(Length), out var written);
        Length += written;
    }

    private void Room(int bytes)
    {
        if (_bytes.Length - Length < bytes) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + bytes));
    }
}
