namespace Twin.House.Tests;

/// <summary>Every rule holds over the whole tree, and every rule is able to fail.</summary>
public class TidyTests
{
    private delegate IEnumerable<string> Rule(string path, string text);

    private static readonly Dictionary<string, Rule> Rules = new()
    {
        ["file length"] = Tidy.FileLength,
        ["line length"] = Tidy.LineLength,
        ["method length"] = Tidy.MethodLength,
        ["banned calls"] = Tidy.BannedCalls,
        ["waiting"] = Tidy.Waiting,
        ["vague types"] = Tidy.VagueTypes,
        ["unfinished notes"] = Tidy.UnfinishedNotes,
        ["endings"] = Tidy.Endings,
        ["trailing blanks"] = Tidy.TrailingBlanks,
        ["preprocessor"] = Tidy.Preprocessor,
    };

    public static TheoryData<string> Names => [.. Rules.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_tree_keeps_the_rule(string rule) =>
        Verdict.None(Repository.Files.Where(f => f.Text.Length > 0).SelectMany(f => Rules[rule](f.Path, f.Text)));

    public static TheoryData<string, string, string, string> BadExamples => new()
    {
        { "file length", "Twin.Api/A.cs", new string('\n', 401), "401 lines" },
        { "line length", "Twin.Api/A.cs", "ok\n" + new string('x', 121) + "\n", "A.cs:2 has 121" },
        { "method length", "Twin.Api/A.cs", Method(61), "method of 61 lines" },
        { "banned calls", "Twin.Grains/A.cs", "class A { long T => DateTime.UtcNow.Ticks; }\n", "TimeProvider" },
        { "banned calls", "Twin.Detection/A.cs", "var r = new Random(1);\n", "SplitMix64" },
        { "banned calls", "tests/Twin.Api.Tests/A.cs", "await Task." + "Delay(5);\n", "barrier" },
        { "banned calls", "tests/Twin.Silo.Tests/A.cs", "Thread." + "Sleep(5);\n", "barrier" },
        { "waiting", "Twin.Grains/A.cs", "class A\n{\n    async Task B() { }\n}\n", "A.cs:3" },
        { "waiting", "Twin.Grains/Meters/Orleans/A.cs", "await b;\n", "not async" },
        { "vague types", "Twin.Api/A.cs", "internal sealed class FleetManager { }\n", "FleetManager" },
        { "vague types", "Twin.Api/A.cs", "public readonly record struct TimeHelper(int A);\n", "TimeHelper" },
        { "unfinished notes", "docs/a.md", "one\nTO" + "DO: two\n", "a.md:2" },
        { "endings", "docs/a.md", "one\r\n", "LF" },
        { "endings", "docs/a.md", "one", "newline" },
        { "endings", "docs/a.md", "one\n\n", "empty line" },
        { "trailing blanks", "docs/a.md", "one \n", "a.md:1" },
        { "preprocessor", "Twin.Grains/A.cs", "#if FULL\n#endif\n", "folders" },
        { "preprocessor", "Twin.Silo/Orleans/Edition.cs", "  # elif FULL\n", "only Twin.Silo/Edition.cs" },
        { "preprocessor", "Twin.Silo/A.cs", "#else\n", "only Twin.Silo/Edition.cs" },
        { "preprocessor", "Twin.Grains/A.cs", "#pragma warning disable RS0030\n", "banned-API" },
    };

    [Theory]
    [MemberData(nameof(BadExamples))]
    public void The_rule_can_fail(string rule, string path, string text, string says)
    {
        var found = Assert.Single(Rules[rule](path, text));
        Assert.Contains(says, found);
    }

    public static TheoryData<string, string, string> GoodExamples => new()
    {
        { "file length", "Twin.Api/A.cs", new string('\n', 400) },
        { "line length", "Twin.Api/A.cs", new string('x', 120) + "\n" },
        { "method length", "Twin.Api/A.cs", Method(60) },
        { "banned calls", "Twin.Grains/A.cs", "// never DateTime.Now\nvar s = \"DateTime.Now\";\n" },
        { "banned calls", "Twin.Grains/A.cs",
            "var s = $\"{a(\"x\")} Thread.Sleep {{\"; var t = @\"\"\"Thread.Sleep\"; var c = '\"';\n" },
        { "banned calls", "Twin.Silo/A.cs", "var t = TimeProvider.System.GetUtcNow();\n" },
        { "waiting", "Twin.Grains/Orleans/A.cs", "await b;\n" },
        { "waiting", "Twin.Silo/A.cs", "await b;\n" },
        { "vague types", "Twin.Api/A.cs", "class ManagerOfWorks { }\n" },
        { "preprocessor", Tidy.EditionFile, "#if FULL\n#endif\n" },
    };

    [Theory]
    [MemberData(nameof(GoodExamples))]
    public void The_rule_lets_good_code_pass(string rule, string path, string text) =>
        Assert.Empty(Rules[rule](path, text));

    [Fact]
    public void Every_rule_has_a_bad_example() =>
        Assert.Equal(Rules.Keys.Order(), BadExamples.Select(r => (string)r[0]).Distinct().Order());

    [Fact]
    public void No_file_is_large() => Verdict.None(Repository.Files.SelectMany(f => Layout.Size(f.Path, f.Bytes)));

    [Fact]
    public void A_large_file_is_found() =>
        Assert.Contains("generate", Assert.Single(Layout.Size("data/big.csv", Tidy.MaxFileBytes + 1)));

    private static string Method(int lines) =>
        "namespace A;\n\npublic class A\n{\n    public void B(int c)\n    {\n"
        + string.Concat(Enumerable.Repeat("        if (c > 0) { c--; }\n", lines - 3)) + "    }\n}\n";
}

/// <summary>Fails with every violation, a line each.</summary>
internal static class Verdict
{
    public static void None(IEnumerable<string> violations)
    {
        var all = violations.ToArray();
        if (all.Length > 0) Assert.Fail($"{all.Length} to mend:\n" + string.Join('\n', all.Take(200)));
    }
}
