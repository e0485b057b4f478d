using System.Globalization;

namespace Twin.Hardware;

/// <summary>
/// Text that people write and others read in lists, logs and reports: one line, with nothing in it that moves a cursor,
/// ends a record or turns text around.
/// </summary>
public static class PlainText
{
    /// <summary>Why texts are not taken; null when they are.</summary>
    public static string? Refusal(params ReadOnlySpan<string> texts)
    {
        foreach (var text in texts)
            foreach (var c in text)
                if (char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.LineSeparator
                    or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Format)
                    return $"a text has the character U+{(int)c:X4}, which is not shown as it is; write plain text in "
                        + "one line";
        return null;
    }
}
