using System.Collections.Concurrent;

namespace Twin.House.Tests;

/// <summary>Documents promise only what there is.</summary>
public class DocumentTests
{
    private static IEnumerable<SourceText> Pages => Repository.Of(".md");

    private static readonly HashSet<string> Paths = [.. Repository.Files.SelectMany(f => Folders(f.Path))];

    private static readonly IReadOnlySet<string> Verbs =
        Documents.VerbsIn(Repository.Of(".cs").Where(f => f.In("Twin.Silo/Commands")).Select(f => f.Text));

    private static readonly ConcurrentDictionary<string, string> Helps = new();

    private static IEnumerable<string> Folders(string path)
    {
        yield return path;
        for (var end = path.LastIndexOf('/'); end > 0; end = path.LastIndexOf('/', end - 1)) yield return path[..end];
    }

    /// <summary>What the built program says of a verb.</summary>
    private static string Help(DocumentedCommand command)
    {
        string[] verb = command.Verb.Length == 0 ? []
            : command.Verb == "config" ? [command.Verb, command.SubVerb] : [command.Verb];
        return Helps.GetOrAdd(string.Join(' ', verb), _ =>
        {
            string[] arguments = [Path.Combine(AppContext.BaseDirectory, "metertwin.dll"), .. verb, "--help"];
            var code = Repository.TryRun("dotnet", arguments, out var output);
            return code == 0 ? output : throw new InvalidOperationException(
                $"metertwin {string.Join(' ', verb)} --help exits with {code}: {output}");
        });
    }

    [Fact]
    public void Links_lead_somewhere() =>
        Verdict.None(Pages.SelectMany(p => Documents.Links(p.Path, p.Text, Paths.Contains)));

    [Fact]
    public void Named_files_exist() =>
        Verdict.None(Pages.Where(p => !p.In("docs/adr"))
            .SelectMany(p => Documents.NamedPaths(p.Path, p.Text, Paths.Contains)));

    [Fact]
    public void Verbs_exist()
    {
        Verdict.None(Pages.SelectMany(p => Documents.Verbs(p.Path, p.Text, Verbs)));
        Assert.Superset(new HashSet<string> { "demo", "replay", "serve", "verify" }, Verbs.ToHashSet());
    }

    [Fact]
    public void Flags_of_marked_blocks_exist() =>
        Verdict.None(Pages.SelectMany(p => Documents.Flags(p.Path, p.Text, Help)));

    [Fact]
    public void First_pages_have_marked_blocks()
    {
        foreach (var page in (string[])["README.md", "docs/start.md"])
            Assert.True(Documents.Commands(Repository.Get(page).Text, onlyMarked: true).Any(),
                $"{page} has no block behind {Documents.RunMark}.");
    }

    [Theory]
    [InlineData("dotnet run -c Release --project Twin.Silo -- demo")]
    [InlineData("dotnet test -c Release")]
    public void The_readme_has_the_two_commands(string command) =>
        Assert.Contains(command, Repository.Get("README.md").Text);

    [Fact]
    public void Continuous_integration_runs_the_test_command_of_the_readme() =>
        Assert.Matches(@"(?m)^\s*dotnet test -c Release\b", Repository.Get(".ci/run").Text);

    [Fact]
    public void A_dead_link_is_found()
    {
        Assert.Contains("docs/gone.md",
            Assert.Single(Documents.Links("docs/a.md", "see [b](../docs/gone.md#x)\n", Paths.Contains)));
        Assert.Empty(Documents.Links("docs/a.md",
            "[b](../README.md) [c](https://example.org/x)\n```\n[d](gone.md)\n```\n", Paths.Contains));
    }

    [Fact]
    public void A_file_that_is_gone_is_found()
    {
        Assert.Contains("Twin.Silo/Gone.cs",
            Assert.Single(Documents.NamedPaths("docs/a.md", "in `Twin.Silo/Gone.cs`\n", Paths.Contains)));
        Assert.Empty(Documents.NamedPaths("docs/a.md", "in `Twin.Silo/Program.cs` and `tests/`\n", Paths.Contains));
    }

    [Fact]
    public void A_verb_that_is_gone_is_found()
    {
        const string page = "# A\n\n```sh\ndotnet run -c Release --project Twin.Silo -- fly\nmetertwin demo\n```\n";
        Assert.Contains("a.md:4 uses 'fly'", Assert.Single(Documents.Verbs("docs/a.md", page, Verbs)));
    }

    [Fact]
    public void A_flag_that_is_gone_is_found()
    {
        const string page =
            "<!-- run -->\n```sh\nmetertwin demo --exit \\\n  --fast --data=x\n```\n\n"
            + "```sh\nmetertwin demo --other\n```\n";
        var found = Documents.Flags("docs/a.md", page, c => c.Verb == "demo" ? "  --exit  stop\n  --data <data>" : "");
        Assert.Contains("--fast", Assert.Single(found));
    }
}
