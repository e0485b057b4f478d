using System.Text;

namespace Twin.Ingest.Cim;

/// <summary>
/// Looks over a message before a reader of XML does. Such a reader takes in all attributes of an element, and compares
/// each with each, before it tells how many there are; so a tag has a bound of its own here. It also sees to it that
/// the message is UTF-8 or UTF-16, which every reader has to know (XML 1.0, 4.3.3): others need tables that this
/// program does not have.
/// </summary>
internal static class XmlTags
{
    /// <summary>Characters of one tag with all its attributes; a message of the standard has a few hundred.</summary>
    public const int MaxTag = 16 * 1024;

    private enum In { Text, Tag, Quote, Comment, Data }

    /// <exception cref="CimError">It is in another encoding, or a tag is too long.</exception>
    public static void Check(Stream message)
    {
        var begin = message.Position;
        using (var text = new StreamReader(message, EncodingOf(message), true, 16 * 1024, leaveOpen: true)) Scan(text);
        message.Position = begin;
    }

    private static Encoding EncodingOf(Stream message)
    {
        Span<byte> head = stackalloc byte[4];
        var begin = message.Position;
        var n = message.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        message.Position = begin;
        return head[..n] switch
        {
            // EBCDIC, and UCS-4 in its four orders.
            [0x4C, 0x6F, 0xA7, 0x94] or [0, 0, ..] or [_, 0, 0, 0] or [0, _, 0, 0] or [0xFF, 0xFE, 0, 0] =>
                throw new CimError(1, 1, "its encoding is not taken; send it in UTF-8"),
            [0, (byte)'<', ..] => Encoding.BigEndianUnicode,
            [(byte)'<', 0, ..] => Encoding.Unicode,
            _ => Encoding.UTF8,
        };
    }

    private static void Scan(StreamReader text)
    {
        var (where, quote, length, line) = (In.Text, '\0', 0, 1);
        // The last two characters, and the first three of a tag: what it is, and where it ends.
        var (before, last, kind) = ('\0', '\0', "");
        for (int read; (read = text.Read()) >= 0;)
        {
            var c = (char)read;
            if (c == '\n') line++;
            switch (where)
            {
                case In.Text when c == '<': (where, length, kind) = (In.Tag, 0, ""); break;
                case In.Tag when c == '>': where = In.Text; break;
                case In.Tag when kind.Length < 3 && (kind += c) is "!--": where = In.Comment; break;
                case In.Tag when kind is "![C": where = In.Data; break;
                case In.Tag when c is '"' or '\'' && kind is not (['!', ..] or ['?', ..]):
                    (where, quote) = (In.Quote, c);
                    break;
                case In.Quote when c == quote: where = In.Tag; break;
                case In.Comment when c == '>' && last == '-' && before == '-': where = In.Text; break;
                case In.Data when c == '>' && last == ']' && before == ']': where = In.Text; break;
                default: break;
            }
            if (where is In.Tag or In.Quote && ++length > MaxTag)
                throw new CimError(line, 1, $"a tag has more than {MaxTag} characters");
            (before, last) = (last, c);
        }
    }
}
