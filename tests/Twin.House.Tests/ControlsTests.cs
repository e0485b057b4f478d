using System.Text.RegularExpressions;

namespace Twin.House.Tests;

/// <summary>Each control names a test that exists.</summary>
public partial class ControlsTests
{
    [GeneratedRegex(@"^\| SG\.[A-Z]{2} .*\| `(?<test>\w+)` \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    private static IEnumerable<string> Missing(string page, string code) => Row().Matches(page)
        .Select(m => m.Groups["test"].Value)
        .Where(test => !Regex.IsMatch(code, $@"\bclass {test}\b"))
        .Select(test => $"docs/reference/controls.md names {test}, which is no test class. Name one that is.");

    private static string Page => Repository.Of(".md").Single(f => f.Path == "docs/reference/controls.md").Text;

    [Fact]
    public void Named_tests_exist()
    {
        Assert.Equal(Page.Split('\n').Count(l => l.StartsWith("| SG.", StringComparison.Ordinal)), Row().Count(Page));
        Assert.NotEmpty(Row().Matches(Page));
        Verdict.None(Missing(Page, string.Join('\n',
            Repository.Of(".cs").Where(f => f.In("tests")).Select(f => f.Text))));
    }

    [Fact]
    public void A_test_that_is_gone_is_named() =>
        Assert.Contains("GoneTests", Assert.Single(Missing("| SG.AU a | b | c | `GoneTests` |\n", "class HereTests")));
}
