using System.Text.RegularExpressions;

namespace Twin.House.Tests;

/// <summary>A command line of the program in a document: the verb (empty: none) and the flags behind it.</summary>
internal sealed record DocumentedCommand(int Line, string Verb, string SubVerb, IReadOnlyList<string> Flags);

/// <summary>What documents promise: links lead somewhere, commands exist.</summary>
internal static partial class Documents
{
    /// <summary>
    /// A fenced sh block behind this comment is meant to be typed as it stands, so its flags are checked too.
    /// </summary>
    public const string RunMark = "<!-- run -->";

    public static IEnumerable<string> Links(string path, string text, Func<string, bool> exists)
    {
        var folder = path.Contains('/') ? path[..path.LastIndexOf('/')] : "";
        foreach (var (number, line) in Tidy.Lines(WithoutFences(text)))
        {
            foreach (Match m in Link().Matches(line))
            {
                var target = m.Groups["to"].Value.Split('#')[0];
                if (target.Length == 0 || target.Contains("://")
                    || target.StartsWith("mailto:", StringComparison.Ordinal)) continue;
                if (!exists(Resolve(folder, target)))
                    yield return $"{path}:{number} links to {target}, which does not exist. Correct the link, or "
                        + "write the page.";
            }
        }
    }

    /// <summary>Paths of repository files in backticks: <c>Twin.Silo/Embedded/Shard.cs</c>.</summary>
    public static IEnumerable<string> NamedPaths(string path, string text, Func<string, bool> exists)
    {
        foreach (var (number, line) in Tidy.Lines(WithoutFences(text)))
        {
            foreach (Match m in NamedPath().Matches(line))
                if (!exists(m.Groups["path"].Value.TrimEnd('/')))
                    yield return $"{path}:{number} names {m.Groups["path"].Value}, which does not exist. Name what is "
                        + "there now.";
        }
    }

    /// <summary>Verbs of the program in a document, checked against the verbs that there are.</summary>
    public static IEnumerable<string> Verbs(string path, string text, IReadOnlySet<string> verbs)
    {
        foreach (var c in Commands(text, onlyMarked: false))
            if (c.Verb.Length > 0 && !verbs.Contains(c.Verb))
                yield return $"{path}:{c.Line} uses '{c.Verb}', which is no verb. There are: "
                    + $"{string.Join(", ", verbs.Order())}.";
    }

    /// <summary>Flags of marked blocks, checked against the verb's own help.</summary>
    public static IEnumerable<string> Flags(string path, string text, Func<DocumentedCommand, string> help)
    {
        foreach (var c in Commands(text, onlyMarked: true))
        {
            var known = help(c);
            foreach (var flag in c.Flags)
                if (!Regex.IsMatch(known, $@"(?<![\w-]){Regex.Escape(flag)}(?![\w-])"))
                    yield return $"{path}:{c.Line}: '{c.Verb}' has no {flag}. Its help lists what there is.";
        }
    }

    /// <summary>Commands of the program in fenced blocks; lines that end in a backslash go on.</summary>
    public static IEnumerable<DocumentedCommand> Commands(string text, bool onlyMarked)
    {
        var (fenced, marked, taken) = (false, false, false);
        var (start, joined) = (0, "");
        foreach (var (number, line) in Tidy.Lines(text))
        {
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                fenced = !fenced;
                taken = fenced && (marked || !onlyMarked);
                marked = false;
                continue;
            }
            if (!fenced)
            {
                if (line.Trim().Length > 0) marked = line.Trim() == RunMark;
                if (!onlyMarked && line.StartsWith("    ", StringComparison.Ordinal)
                    && Parse(number, line) is { } indented) yield return indented;
                continue;
            }
            if (!taken) continue;
            if (joined.Length == 0) start = number;
            joined += line.TrimEnd('\\');
            if (line.EndsWith('\\')) continue;
            if (Parse(start, joined) is { } command) yield return command;
            joined = "";
        }
    }

    private static DocumentedCommand? Parse(int line, string command)
    {
        var m = Program().Match(command.Split(" #")[0]);
        if (!m.Success) return null;
        var words = m.Groups["rest"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var verb = words is [var v, ..] && Word().IsMatch(v) ? v : "";
        var sub = words is [_, var s, ..] && Word().IsMatch(s) ? s : "";
        return new DocumentedCommand(line, verb, sub,
            [.. words.Where(w => w.StartsWith("--", StringComparison.Ordinal)).Select(w => w.Split('=')[0])]);
    }

    /// <summary>Verbs by the source of the command line: <c>new Command("replay", …)</c>.</summary>
    public static IReadOnlySet<string> VerbsIn(IEnumerable<string> sources) =>
        sources.SelectMany(s => NewCommand().Matches(s)).Select(m => m.Groups["verb"].Value).ToHashSet();

    private static string WithoutFences(string text)
    {
        var fenced = false;
        return string.Join('\n', Tidy.Lines(text).Select(l =>
        {
            var fence = l.Line.TrimStart().StartsWith("```", StringComparison.Ordinal);
            fenced ^= fence;
            return fenced || fence ? "" : l.Line;
        }));
    }

    private static string Resolve(string folder, string target)
    {
        var parts = new List<string>();
        foreach (var part in (target.StartsWith('/') ? target : folder + "/" + target)
            .Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0) parts.RemoveAt(parts.Count - 1);
            else if (part != ".") parts.Add(part);
        }
        return string.Join('/', parts);
    }

    [GeneratedRegex(@"\]\((?<to>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`(?<path>(Twin\.\w+|ingest|tests|docs|data|deploy|\.ci)/[\w./-]*\w/?)`")]
    private static partial Regex NamedPath();

    [GeneratedRegex(@"(dotnet run -c Release --project Twin\.Silo --|(?<![\w/.-])metertwin)(?<rest>( .*)?)$")]
    private static partial Regex Program();

    [GeneratedRegex(@"^[a-z][a-z-]+$")]
    private static partial Regex Word();

    [GeneratedRegex("new Command\\(\"(?<verb>[a-z-]+)\"")]
    private static partial Regex NewCommand();
}
