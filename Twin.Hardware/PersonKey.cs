using System.Globalization;
using System.Text;

namespace Twin.Hardware;

/// <summary>
/// The name of a person for comparison, so that one person with two spellings does not count as two. The product runs
/// without culture data, and normalisation of Unicode does nothing there: what has one plain form is folded here, and
/// what would need tables (a letter with its accent behind it, a ligature, a letter in a circle) is refused.
/// </summary>
public static class PersonKey
{
    /// <summary>Wide forms of the ASCII characters lie so much above them (Unicode, block FF00).</summary>
    private const int WideShift = 0xFEE0;

    /// <summary>
    /// Characters that compatibility normalisation (Unicode annex 15) would change, and accents that it would join to
    /// a letter; in pairs of first and last.
    /// </summary>
    private static ReadOnlySpan<char> Refused => "\u00A8\u00A8\u00AA\u00AA\u00AF\u00AF\u00B2\u00B5\u00B8\u00BA"
        + "\u00BC\u00BE\u0132\u0133\u013F\u0140\u0149\u0149\u017F\u017F\u01C4\u01CC\u01F1\u01F3\u02B0\u036F\u1D2C\u1D7F"
        + "\u1D9B\u1DFF\u1E9A\u1E9B\u2070\u20FF\u2100\u218F\u2460\u24FF\u3131\u33FF\uD800\uDFFF\uE000\uF8FF\uF900\uFEFE"
        + "\uFF5F\uFFFF";

    /// <summary>
    /// Small letters, one blank between words and none around, plain forms of wide letters, dashes and apostrophes;
    /// characters without a shape left out.
    /// </summary>
    public static string Of(string person)
    {
        var key = new StringBuilder(person.Length);
        var blank = false;
        foreach (var given in person)
        {
            var c = given is >= '\uFF01' and <= '\uFF5E' ? (char)(given - WideShift) : given;
            if (char.IsWhiteSpace(c))
            {
                blank = key.Length > 0;
                continue;
            }
            var category = char.GetUnicodeCategory(c);
            if (category is UnicodeCategory.Format or UnicodeCategory.Control) continue;
            if (blank) key.Append(' ');
            blank = false;
            key.Append(category == UnicodeCategory.DashPunctuation ? '-'
                : c is '\u2018' or '\u2019' ? '\'' : char.ToLowerInvariant(c));
        }
        return key.ToString();
    }

    /// <summary>The first character that may stand for another; null when there is none.</summary>
    public static char? Ambiguous(string person)
    {
        foreach (var c in person)
            for (var i = 0; i < Refused.Length; i += 2)
                if (c >= Refused[i] && c <= Refused[i + 1]) return c;
        return null;
    }
}
