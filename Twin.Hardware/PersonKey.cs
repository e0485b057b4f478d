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
    /// a letter; in pairs of first and last, those of the first plane. Of the other planes none is taken.
    /// </summary>
    private const string Refused =
        "\u00A8\u00A8\u00AA\u00AA\u00AF\u00AF\u00B2\u00B5\u00B8\u00BA\u00BC\u00BE\u0132\u0133\u013F\u0140"
        + "\u0149\u0149\u017F\u017F\u01C4\u01CC\u01F1\u01F3\u02B0\u02B8\u02D8\u02DD\u02E0\u02E4\u0300\u036F"
        + "\u0374\u0374\u037A\u037A\u037E\u037E\u0384\u0385\u0387\u0387\u03D0\u03D6\u03F0\u03F2\u03F4\u03F5"
        + "\u03F9\u03F9\u0587\u0587\u0675\u0678\u0958\u095F\u09DC\u09DF\u0A33\u0A33\u0A36\u0A36\u0A59\u0A5B"
        + "\u0A5E\u0A5E\u0B5C\u0B5D\u0E33\u0E33\u0EB3\u0EB3\u0EDC\u0EDD\u0F0C\u0F0C\u0F43\u0F43\u0F4D\u0F4D"
        + "\u0F52\u0F52\u0F57\u0F57\u0F5C\u0F5C\u0F69\u0F69\u0F73\u0F73\u0F75\u0F79\u0F81\u0F81\u0F93\u0F93"
        + "\u0F9D\u0F9D\u0FA2\u0FA2\u0FA7\u0FA7\u0FAC\u0FAC\u0FB9\u0FB9\u10FC\u10FC\u1D2C\u1D2E\u1D30\u1D3A"
        + "\u1D3C\u1D4D\u1D4F\u1D6A\u1D78\u1D78\u1D9B\u1DBF\u1E9A\u1E9B\u1F71\u1F71\u1F73\u1F73\u1F75\u1F75"
        + "\u1F77\u1F77\u1F79\u1F79\u1F7B\u1F7B\u1F7D\u1F7D\u1FBB\u1FBB\u1FBD\u1FC1\u1FC9\u1FC9\u1FCB\u1FCB"
        + "\u1FCD\u1FCF\u1FD3\u1FD3\u1FDB\u1FDF\u1FE3\u1FE3\u1FEB\u1FEB\u1FED\u1FEF\u1FF9\u1FF9\u1FFB\u1FFB"
        + "\u1FFD\u1FFE\u2017\u2017\u2024\u2026\u2033\u2034\u2036\u2037\u203C\u203C\u203E\u203E\u2047\u2049"
        + "\u2057\u2057\u2070\u209C\u20A8\u20A8\u2100\u2103\u2105\u2107\u2109\u2113\u2115\u2116\u2119\u211D"
        + "\u2120\u2122\u2124\u2124\u2126\u2126\u2128\u2128\u212A\u212D\u212F\u2131\u2133\u2139\u213B\u2140"
        + "\u2145\u2149\u2150\u217F\u2189\u2189\u222C\u222D\u222F\u2230\u2329\u232A\u2460\u24EA\u2A0C\u2A0C"
        + "\u2A74\u2A76\u2ADC\u2ADC\u2C7C\u2C7D\u2D6F\u2D6F\u2E9F\u2E9F\u2EF3\u2FD5\u3036\u3036\u3038\u303A"
        + "\u309B\u309C\u309F\u309F\u30FF\u30FF\u3131\u318E\u3192\u319F\u3200\u3247\u3250\u327E\u3280\u33FF"
        + "\uA69C\uA69D\uA770\uA770\uA7F2\uA7F4\uA7F8\uA7F9\uAB5C\uAB5F\uAB69\uAB69\uD800\uFA0D\uFA10\uFA10"
        + "\uFA12\uFA12\uFA15\uFA1E\uFA20\uFA20\uFA22\uFA22\uFA25\uFA26\uFA2A\uFB1D\uFB1F\uFBB1\uFBD3\uFD3D"
        + "\uFD50\uFDC7\uFDF0\uFDFC\uFE10\uFE19\uFE30\uFE44\uFE47\uFE72\uFE74\uFEFC\uFF5F\uFFEE";

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

    /// <summary>Letters without a shape that are no format characters, and choices of a shape; in pairs.</summary>
    private const string Shapeless = "\u115F\u1160\u17B4\u17B5\u180B\u180F\u2800\u2800\uFE00\uFE0F";

    /// <summary>
    /// Letters of other scripts, and phonetic ones, many of which look like Latin letters: phonetic, Greek, Cyrillic,
    /// Armenian, Cherokee. A name is of one script (Unicode standard 39, restriction level "single script").
    /// </summary>
    private const string LikeLatin = "\u0250\u02AF\u0370\u052F\u0530\u058F\u13A0\u13FF\u1D00\u1DBF\uA640\uA69F"
        + "\uAB70\uABBF";

    /// <summary>The first character that may stand for another; null when there is none.</summary>
    public static char? Ambiguous(string person)
    {
        var isLatin = person.AsSpan().ContainsAnyInRange('A', 'Z') || person.AsSpan().ContainsAnyInRange('a', 'z');
        foreach (var c in person)
            if (IsIn(Refused, c) || IsIn(Shapeless, c) || isLatin && IsIn(LikeLatin, c)) return c;
        return null;
    }

    private static bool IsIn(string ranges, char c)
    {
        for (var i = 0; i < ranges.Length; i += 2)
            if (c >= ranges[i] && c <= ranges[i + 1]) return true;
        return false;
    }
}
