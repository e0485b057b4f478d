using System.Globalization;
using System.Text;
using Twin.Hardware;

namespace Twin.Silo.Soc;

/// <summary>
/// Syslog messages by RFC 5424 and their framing for streams by octet counting (RFC 6587 3.4.1, RFC 5425 4.3).
/// </summary>
internal static class Rfc5424
{
    /// <summary>
    /// Name of our structured data. 32473 is the enterprise number for documentation (RFC 5612): MeterTwin has none
    /// registered. An operator who has one puts it in the sink's settings.
    /// </summary>
    public const int ExampleEnterprise = 32473;

    /// <summary>
    /// Longest message, octets. RFC 5424 6.1 makes receivers take 480 and advises 2,048; rsyslog takes 8,192 unless
    /// told otherwise. What is longer is cut at the end of MSG, between characters.
    /// </summary>
    public const int MaxOctets = 8_000;

    /// <summary>Longest value of a parameter, characters.</summary>
    private const int MaxValue = 512;

    /// <summary>Facility 13, log audit (RFC 5424, table 1).</summary>
    private const int Facility = 13;

    private static readonly byte[] Mark = [0xEF, 0xBB, 0xBF];

    /// <summary>
    /// Syslog severity: critical 2, high 3 (error), medium 4 (warning), low 5 (notice), information 6.
    /// </summary>
    public static int Priority(Severity severity) => Facility * 8 + (7 - (int)severity);

    /// <param name="host">HOSTNAME: of this machine.</param>
    /// <param name="message">MSG; null: the event's sentence.</param>
    public static byte[] Of(SocEvent e, string host, int enterprise, string? message)
    {
        var c = CultureInfo.InvariantCulture;
        var head = new StringBuilder(512);
        head.Append('<').Append(Priority(e.Severity).ToString(c)).Append(">1 ").Append(e.At.ToString()).Append(' ')
            .Append(Name(host, 255)).Append(" metertwin - ").Append(Name(e.Code, 32)).Append(" [metertwin@")
            .Append(enterprise.ToString(c));
        void Add(string name, string value)
        {
            if (value.Length > 0) head.Append(' ').Append(name).Append("=\"").Append(Parameter(value)).Append('"');
        }
        Add("id", e.Id);
        Add("entry", e.Number.ToString(c));
        Add("case", e.Case?.Id ?? $"{e.CaseKey.Id:x16}");
        Add("subject", e.Subject.ToString());
        Add("name", e.SubjectName);
        Add("severity", SnakeCase.Of(e.Severity));
        Add("technique", string.Join(',', e.Techniques));
        if (e.Finding is { } f)
        {
            Add("finding", f.Id);
            Add("confidence", f.Confidence.ToString("0.####", c));
        }
        if (e.Case is { } k)
        {
            Add("handling", SnakeCase.Of(k.Handling));
            Add("disposition", SnakeCase.Of(k.Disposition));
        }
        if (e.Response is { } r)
        {
            Add("rung", SnakeCase.Of(r.Rung));
            Add("state", SnakeCase.Of(r.State));
            Add("command", r.IdempotencyKey);
        }
        Add("hash", e.Hash);
        head.Append("] ");
        return Joined(Encoding.UTF8.GetBytes(head.ToString()), Encoding.UTF8.GetBytes(OneLine(message ?? e.Sentence)));
    }

    private static byte[] Joined(byte[] head, byte[] text)
    {
        var room = Math.Max(0, MaxOctets - head.Length - Mark.Length);
        var length = Math.Min(room, text.Length);
        // A character is not cut: continuation octets are 10xxxxxx.
        while (length > 0 && length < text.Length && (text[length] & 0xC0) == 0x80) length--;
        return [.. head, .. Mark, .. text.AsSpan(0, length)];
    }

    /// <summary>The message with its length before it, as streams carry it.</summary>
    public static byte[] Framed(byte[] message) =>
        [.. Encoding.ASCII.GetBytes(message.Length.ToString(CultureInfo.InvariantCulture) + " "), .. message];

    /// <summary>A header field is printable ASCII without blanks; a dash when nothing is left.</summary>
    private static string Name(string text, int most)
    {
        var s = new StringBuilder(Math.Min(text.Length, most));
        foreach (var c in text)
        {
            if (s.Length == most) break;
            s.Append(c is > ' ' and < (char)127 ? c : '_');
        }
        return s.Length == 0 ? "-" : s.ToString();
    }

    /// <summary>
    /// In a parameter <c>"</c>, <c>\</c> and <c>]</c> are escaped (RFC 5424 6.3.3); lines do not break.
    /// </summary>
    public static string Parameter(string text)
    {
        var s = new StringBuilder(text.Length + 8);
        var cut = text.Length > MaxValue ? text[..(char.IsHighSurrogate(text[MaxValue - 1]) ? MaxValue - 1 : MaxValue)]
            : text;
        foreach (var c in OneLine(cut))
        {
            if (c is '"' or '\\' or ']') s.Append('\\');
            s.Append(c);
        }
        return s.ToString();
    }

    /// <summary>Control characters become blanks: a message can never hold a second one.</summary>
    public static string OneLine(string text)
    {
        if (!text.Any(char.IsControl)) return text;
        var s = new StringBuilder(text.Length);
        foreach (var c in text) s.Append(char.IsControl(c) ? ' ' : c);
        return s.ToString();
    }
}
