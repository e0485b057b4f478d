namespace Twin.House.Tests;

/// <summary>Root, packages, lock files, test projects.</summary>
public class LayoutTests
{
    private const string Package =
        "<Project><ItemGroup><PackageReference Include=\"A\" Version=\"1.0.0\" /></ItemGroup></Project>";

    private static IEnumerable<SourceText> Projects => Repository.Of(".csproj");

    private static string Central => Repository.Get("Directory.Packages.props").Text;

    [Fact]
    public void The_root_holds_what_belongs_there()
    {
        Verdict.None(Layout.Roots(Repository.Files.Select(f => f.Path)));
        Assert.Contains("PLAN.md", Assert.Single(Layout.Roots(["PLAN.md", "README.md", "docs/start.md"])));
    }

    [Fact]
    public void Versions_are_exact()
    {
        Verdict.None(Layout.ExactVersions("Directory.Packages.props", Central));
        foreach (var version in (string[])["1.*", "[1.0,2.0)", "1.0", ""])
        {
            var xml =
                $"<Project><ItemGroup><PackageVersion Include=\"A\" Version=\"{version}\" /></ItemGroup></Project>";
            Assert.Contains("exact", Assert.Single(Layout.ExactVersions("Directory.Packages.props", xml)));
        }
    }

    [Fact]
    public void Versions_are_central()
    {
        Verdict.None(Projects.SelectMany(p => Layout.CentralVersions(p.Path, p.Text, Central)));
        Assert.Equal(2, Layout.CentralVersions("Twin.Api/Twin.Api.csproj", Package, Central).Count());
        Assert.Empty(Layout.CentralVersions("Twin.Api/Twin.Api.csproj",
            Package.Replace("\"A\" Version=\"1.0.0\"", "\"FsCheck\""), Central));
    }

    [Fact]
    public void Lock_files_are_committed()
    {
        Verdict.None(Layout.LockFiles(Repository.Tracked.ToHashSet()));
        Assert.Contains("Restore", Assert.Single(Layout.LockFiles(["Twin.Api/Twin.Api.csproj"])));
        Assert.Empty(Layout.LockFiles(["Twin.Api/Twin.Api.csproj", "Twin.Api/packages.standalone.lock.json"]));
    }

    [Fact]
    public void Only_the_host_reads_clocks()
    {
        Verdict.None(Projects.SelectMany(p => Layout.HostApis(p.Path, p.Text)));
        const string allowing = "<Project><PropertyGroup><AllowHostApis>true</AllowHostApis></PropertyGroup></Project>";
        Assert.Contains("TimeProvider", Assert.Single(Layout.HostApis("Twin.Api/Twin.Api.csproj", allowing)));
    }

    [Fact]
    public void Test_projects_mirror_rooms()
    {
        Verdict.None(Projects.SelectMany(p => Layout.MirroredTests(p.Path, p.Text)));
        const string refers =
            "<Project><ItemGroup><ProjectReference Include=\"../../Twin.Api/Twin.Api.csproj\" /></ItemGroup></Project>";
        Assert.Empty(Layout.MirroredTests("tests/Twin.Api.Tests/Twin.Api.Tests.csproj", refers));
        Assert.Contains("does not refer",
            Assert.Single(Layout.MirroredTests("tests/Twin.Grains.Tests/Twin.Grains.Tests.csproj", refers)));
        Assert.Contains("no room",
            Assert.Single(Layout.MirroredTests("tests/Twin.Extra.Tests/Twin.Extra.Tests.csproj", refers)));
    }

    [Fact]
    public void Every_room_has_a_test_project() =>
        Verdict.None(Rooms.Order.Select(r => $"tests/{r}.Tests/{r}.Tests.csproj").Except(Projects.Select(p => p.Path)));

    [Fact]
    public void The_solution_holds_every_project()
    {
        var solution = Repository.Get("MeterTwin.sln").Text;
        Verdict.None(Layout.InSolution(Projects.Select(p => p.Path), solution));
        Assert.Contains("dotnet sln add", Assert.Single(Layout.InSolution(["Twin.New/Twin.New.csproj"], solution)));
    }
}
