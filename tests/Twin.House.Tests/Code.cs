namespace Twin.House.Tests;

/// <summary>A member of a type: where it begins and how many lines it takes.</summary>
internal readonly record struct Member(int Line, int Lines, string Head);

/// <summary>
/// Just enough of C#'s lexis to see code without comments and texts, and where members begin and end. It need not
/// understand what it reads.
/// </summary>
internal static class Code
{
    /// <summary>The code with every comment, text and character literal blanked; lines stay where they are.</summary>
    public static string Bare(string text)
    {
        var bare = text.ToCharArray();
        for (var i = 0; i < text.Length;)
        {
            var end = LiteralEnd(text, i);
            for (var k = i; k < end; k++)
                if (text[k] != '\n') bare[k] = ' ';
            i = Math.Max(end, i + 1);
        }
        return new string(bare);
    }

    /// <summary>End of the comment, text or character that begins here; the same place when none does.</summary>
    private static int LiteralEnd(string text, int at)
    {
        var rest = text.AsSpan(at);
        if (rest.StartsWith("//")) return EndOf(text, "\n", at);
        if (rest.StartsWith("/*")) return EndOf(text, "*/", at + 2) + 2;
        if (rest[0] == '\'')
            return at + (rest.Length > 1 && rest[1] == '\\' ? Math.Max(4, rest[2..].IndexOf('\'') + 3) : 3);
        var p = 0;
        while (p < rest.Length && rest[p] is '$' or '@') p++;
        if (p >= rest.Length || rest[p] != '"') return at;
        var marks = rest[..p];
        var quotes = 0;
        while (p + quotes < rest.Length && rest[p + quotes] == '"') quotes++;
        if (quotes >= 3) return RawEnd(text, at + p + quotes, quotes);
        return StringEnd(text, at + p + 1, marks.Contains('@'), marks.Contains('$'));
    }

    private static int EndOf(string text, string mark, int from)
    {
        var end = text.IndexOf(mark, Math.Min(from, text.Length), StringComparison.Ordinal);
        return end < 0 ? text.Length : end;
    }

    private static int RawEnd(string text, int from, int quotes)
    {
        var end = EndOf(text, new string('"', quotes), from) + quotes;
        while (end < text.Length && text[end] == '"') end++;
        return Math.Min(end, text.Length);
    }

    private static int StringEnd(string text, int from, bool verbatim, bool interpolated)
    {
        for (var i = from; i < text.Length; i++)
        {
            var doubled = i + 1 < text.Length && text[i + 1] == text[i];
            if (text[i] == '\\' && !verbatim) i++;
            else if (text[i] == '"' && verbatim && doubled) i++;
            else if (text[i] == '"') return i + 1;
            else if (text[i] == '{' && interpolated && doubled) i++;
            else if (text[i] == '{' && interpolated) i = HoleEnd(text, i + 1);
        }
        return text.Length;
    }

    private static int HoleEnd(string text, int from)
    {
        var depth = 1;
        for (var i = from; i < text.Length; i++)
        {
            var end = LiteralEnd(text, i);
            if (end > i) i = end - 1;
            else if (text[i] == '{') depth++;
            else if (text[i] == '}' && --depth == 0) return i;
        }
        return text.Length - 1;
    }

    private static readonly System.Text.RegularExpressions.Regex TypeHead =
        new(@"\b(class|struct|interface|enum|record|namespace)\s+\w",
            System.Text.RegularExpressions.RegexOptions.Compiled);

    /// <summary>Members with a body in braces, directly inside a type.</summary>
    public static IEnumerable<Member> Members(string text)
    {
        var bare = Bare(text);
        var scopes = new Stack<(bool IsType, int HeadLine, string Head)>();
        var (headFrom, line) = (0, 1);
        for (var i = 0; i < bare.Length; i++)
        {
            var c = bare[i];
            if (c == '\n') line++;
            if (c == '{')
            {
                var head = bare[headFrom..i];
                var first = line - head.AsSpan().TrimStart().Count('\n');
                var inType = scopes.Count == 0 || scopes.Peek().IsType;
                scopes.Push((inType && TypeHead.IsMatch(head), first, inType ? head.Trim() : ""));
            }
            else if (c == '}' && scopes.TryPop(out var scope) && !scope.IsType && scope.Head.Contains('('))
                yield return new Member(scope.HeadLine, line - scope.HeadLine + 1, scope.Head);
            if (c is '{' or '}' or ';') headFrom = i + 1;
        }
    }
}
