using System.Text.RegularExpressions;

namespace Twin.House.Tests;

/// <summary>
/// The rules of style that a program can check. Each is a function of one file, so that a test can show that it is able
/// to fail; each answer says where, what, and what to do instead.
/// </summary>
internal static partial class Tidy
{
    public const int MaxFileLines = 400, MaxMethodLines = 60, MaxLineLength = 120;
    public const long MaxFileBytes = 2 * 1024 * 1024;

    /// <summary>The one file that may tell editions apart by the preprocessor.</summary>
    public const string EditionFile = "Twin.Silo/Edition.cs";

    private static readonly (string Name, string Instead)[] Clocks =
    [
        ("DateTime.Now", "use event time or TimeProvider"),
        ("DateTime.UtcNow", "use event time or TimeProvider"),
        ("DateTime.Today", "use event time or TimeProvider"),
        ("DateTimeOffset.Now", "use event time or TimeProvider"),
        ("DateTimeOffset.UtcNow", "use event time or TimeProvider"),
        ("Guid.NewGuid", "derive ids from content (StableHash)"),
        ("Random.Shared", "use a seeded SplitMix64"),
        ("new Random(", "use a seeded SplitMix64"),
        ("Thread.Sleep", "wait for a condition or a barrier, never for time"),
    ];

    private static readonly (string Name, string Instead)[] InTests =
    [
        ("Task.Delay", "wait for a condition or a barrier, never for time"),
        ("Thread.SpinWait", "wait for a condition or a barrier, never for time"),
        ("Skip = ", "mend or delete the test"),
    ];

    private static readonly string[] VagueNames =
        ["Manager", "Helper", "Helpers", "Util", "Utils", "Utilities", "Misc", "Common"];

    // Put together here, so that this file does not hold what it forbids.
    private static readonly string[] Notes = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "XX" + "X"];

    public static IEnumerable<string> FileLength(string path, string text)
    {
        var lines = text.AsSpan().Count('\n');
        if (path.EndsWith(".cs", StringComparison.Ordinal) && lines > MaxFileLines)
            yield return $"{path} has {lines} lines. Split it by what its parts are for; the limit is {MaxFileLines}.";
    }

    public static IEnumerable<string> LineLength(string path, string text)
    {
        if (!path.EndsWith(".cs", StringComparison.Ordinal)) yield break;
        foreach (var (number, line) in Lines(text))
            if (line.Length > MaxLineLength)
                yield return $"{path}:{number} has {line.Length} characters. Wrap it at {MaxLineLength}.";
    }

    public static IEnumerable<string> MethodLength(string path, string text)
    {
        if (!path.EndsWith(".cs", StringComparison.Ordinal)) yield break;
        foreach (var m in Code.Members(text))
            if (m.Lines > MaxMethodLines)
                yield return $"{path}:{m.Line} has a method of {m.Lines} lines. Name its steps; the limit is "
                    + $"{MaxMethodLines}.";
    }

    public static IEnumerable<string> BannedCalls(string path, string text)
    {
        if (!path.EndsWith(".cs", StringComparison.Ordinal)) yield break;
        var inTests = path.StartsWith("tests/", StringComparison.Ordinal);
        var banned = inTests ? [.. Clocks, .. InTests] : path.StartsWith("Twin.Silo/", StringComparison.Ordinal) ? []
            : Clocks;
        foreach (var (number, line) in Lines(Code.Bare(text)))
        {
            foreach (var (name, instead) in banned)
                if (line.Contains(name, StringComparison.Ordinal))
                    yield return $"{path}:{number} uses {name.Trim()}: {instead}.";
        }
    }

    public static IEnumerable<string> VagueTypes(string path, string text)
    {
        if (!path.EndsWith(".cs", StringComparison.Ordinal)) yield break;
        foreach (var (number, line) in Lines(Code.Bare(text)))
        {
            foreach (Match m in TypeName().Matches(line))
                if (VagueNames.Any(v => m.Groups["name"].Value.EndsWith(v, StringComparison.Ordinal)))
                    yield return $"{path}:{number} declares {m.Groups["name"].Value}. Name the type after what it is "
                        + "or does.";
        }
    }

    /// <summary>Twins and detectors are called and answer; who waits is the host.</summary>
    public static IEnumerable<string> Waiting(string path, string text)
    {
        if (!path.EndsWith(".cs", StringComparison.Ordinal)
            || !Rooms.PureRooms.Any(r => path.StartsWith(r + "/", StringComparison.Ordinal))
            || path.StartsWith(Rooms.HostFolder, StringComparison.Ordinal)) yield break;
        foreach (var (number, line) in Lines(Code.Bare(text)))
        {
            if (AsyncWord().IsMatch(line))
                yield return $"{path}:{number} waits. Twins and detectors are not async: do it in the host, and "
                    + "journal the result.";
        }
    }

    [GeneratedRegex(@"\b(async|await)\b")]
    private static partial Regex AsyncWord();

    [GeneratedRegex(@"\b(?:class|struct|interface|enum|record(?:\s+(?:class|struct))?)\s+(?<name>[A-Z]\w*)")]
    private static partial Regex TypeName();

    public static IEnumerable<string> UnfinishedNotes(string path, string text)
    {
        foreach (var (number, line) in Lines(text))
        {
            foreach (var note in Notes)
                if (Regex.IsMatch(line, $@"\b{note}\b"))
                    yield return $"{path}:{number} says {note}. Do it, or open an issue.";
        }
    }

    public static IEnumerable<string> Endings(string path, string text)
    {
        if (text.Length == 0) yield break;
        if (text.Contains('\r')) yield return $"{path} has CR line endings. Use LF.";
        if (text[^1] != '\n' && !IsToolWritten(path)) yield return $"{path} does not end with a newline. Add one.";
        if (text.EndsWith("\n\n", StringComparison.Ordinal)) yield return $"{path} ends with an empty line. Remove it.";
    }

    public static IEnumerable<string> TrailingBlanks(string path, string text)
    {
        if (IsToolWritten(path)) yield break;
        foreach (var (number, line) in Lines(text))
            if (line.EndsWith(' ') || line.EndsWith('\t'))
                yield return $"{path}:{number} ends with blanks. Remove them.";
    }

    public static IEnumerable<string> Preprocessor(string path, string text)
    {
        if (!path.EndsWith(".cs", StringComparison.Ordinal) || path == EditionFile) yield break;
        foreach (var (number, line) in Lines(Code.Bare(text)))
        {
            if (PreprocessorLine().IsMatch(line))
                yield return $"{path}:{number} uses the preprocessor. Editions differ by folders that the project "
                    + "file leaves out; "
                    + $"only {EditionFile} may tell them apart.";
            if (line.Contains("#pragma warning disable RS0030", StringComparison.Ordinal))
                yield return $"{path}:{number} switches the banned-API check off. Take time and chance from outside "
                    + "instead.";
        }
    }

    [GeneratedRegex(@"^\s*#\s*(if|elif|else|define|undef)\b")]
    private static partial Regex PreprocessorLine();

    private static bool IsToolWritten(string path) => path.EndsWith(".lock.json", StringComparison.Ordinal);

    internal static IEnumerable<(int Number, string Line)> Lines(string text)
    {
        var number = 0;
        foreach (var line in text.Split('\n')) yield return (++number, line.TrimEnd('\r'));
    }
}
