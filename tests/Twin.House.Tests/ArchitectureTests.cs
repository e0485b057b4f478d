namespace Twin.House.Tests;

/// <summary>References between rooms and editions, read from project files and from what was compiled.</summary>
public class ArchitectureTests
{
    private static IEnumerable<SourceText> Projects => Repository.Of(".csproj");

    private static IEnumerable<SourceText> RoomProjects => Projects.Where(p => !p.In("tests"));

    private static string NameOf(SourceText project) => Path.GetFileNameWithoutExtension(project.Path);

    public static TheoryData<string> RoomNames => [.. Rooms.Order];

    [Fact]
    public void Every_room_of_the_design_is_a_project() =>
        Assert.Equal(Rooms.Order.Order(), RoomProjects.Select(NameOf).Order());

    [Fact]
    public void Project_files_refer_downwards_only() =>
        Verdict.None(RoomProjects.SelectMany(p => Rooms.OneWay(NameOf(p), Rooms.ProjectReferences(p.Text))));

    [Theory]
    [MemberData(nameof(RoomNames))]
    public void Compiled_rooms_refer_downwards_only(string room) => Verdict.None(Rooms.OneWay(room, Compiled(room)));

    [Theory]
    [MemberData(nameof(RoomNames))]
    public void Pure_rooms_need_no_impure_assembly(string room) => Verdict.None(Rooms.Pure(room, Compiled(room)));

    private static IReadOnlyList<string> Compiled(string room) =>
        Rooms.AssemblyReferences(Path.Combine(AppContext.BaseDirectory, (room == "Twin.Silo" ? "metertwin" : room)
            + ".dll"));

    [Fact]
    public void An_upward_reference_is_found()
    {
        Assert.Contains("Twin.Grains", Assert.Single(Rooms.OneWay("Twin.Detection", ["Twin.Hardware", "Twin.Grains"])));
        Assert.Single(Rooms.OneWay("Twin.Hardware", Rooms.ProjectReferences(
            "<Project><ItemGroup><ProjectReference Include=\"..\\Twin.Silo\\Twin.Silo.csproj\" "
                + "/></ItemGroup></Project>")));
        Assert.Contains("Twin.Grains", Compiled("Twin.Silo"));
    }

    [Fact]
    public void An_impure_reference_is_found()
    {
        Assert.Contains("journal", Assert.Single(Rooms.Pure("Twin.Grains", ["System.Runtime", "System.Net.Http"])));
        Assert.Empty(Rooms.Pure("Twin.Ingest", ["System.IO.Compression"]));
    }

    [Fact]
    public void Standalone_has_no_package_of_edition_full()
    {
        Verdict.None(Projects.SelectMany(p => Rooms.ConditionalPackages(p.Path, p.Text)));
        Verdict.None(Repository.Of(".lock.json").SelectMany(f => Rooms.StandaloneLock(f.Path, f.Text)));
    }

    [Fact]
    public void A_package_of_edition_full_is_found()
    {
        const string bare =
            "<Project><ItemGroup><PackageReference Include=\"Microsoft.Orleans.Server\" /></ItemGroup></Project>";
        Assert.Contains("Condition", Assert.Single(Rooms.ConditionalPackages("Twin.Grains/Twin.Grains.csproj", bare)));
        var conditional = bare.Replace("<ItemGroup>", "<ItemGroup Condition=\"'$(Edition)' == 'full'\">");
        Assert.Empty(Rooms.ConditionalPackages("Twin.Grains/Twin.Grains.csproj", conditional));
        const string locked = """{ "dependencies": { "net10.0": { "InfluxDB.Client": { "type": "Transitive" } } } }""";
        Assert.Single(Rooms.StandaloneLock("ingest/Twin.Ingest/packages.standalone.lock.json", locked));
    }

    [Fact]
    public void Full_code_lies_in_its_folders()
    {
        Verdict.None(Repository.Of(".cs").SelectMany(f => Rooms.FullCode(f.Path, f.Text)));
        var paths = Repository.Files.Select(f => f.Path).ToArray();
        Verdict.None(RoomProjects.SelectMany(p => Rooms.LeftOut(p.Path, p.Text, paths)));
    }

    [Fact]
    public void Full_code_elsewhere_is_found()
    {
        Assert.Contains("Orleans/", Assert.Single(Rooms.FullCode("Twin.Grains/A.cs", "using Orleans.Runtime;\n")));
        Assert.Empty(Rooms.FullCode("Twin.Grains/Orleans/A.cs", "using Orleans.Runtime;\n"));
        string[] files = ["Twin.Grains/Orleans/A.cs"];
        Assert.Contains("Compile Remove",
            Assert.Single(Rooms.LeftOut("Twin.Grains/Twin.Grains.csproj", "<Project />", files)));
        const string leftOut =
            "<Project><ItemGroup Condition=\"'$(Edition)' != 'full'\">"
            + "<Compile Remove=\"Orleans/**\" /></ItemGroup></Project>";
        Assert.Empty(Rooms.LeftOut("Twin.Grains/Twin.Grains.csproj", leftOut, files));
    }
}
