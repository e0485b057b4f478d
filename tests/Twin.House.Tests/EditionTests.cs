using System.Reflection;

namespace Twin.House.Tests;

/// <summary>Standalone holds nothing of edition full, and editions differ only where they may.</summary>
public class EditionTests
{
    private const string Grains = "Twin.Grains/Twin.Grains.csproj";

    private static IEnumerable<SourceText> Projects => Repository.Of(".csproj");

    private static bool IsStandalone => typeof(EditionTests).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "Edition").Value == "standalone";

    public static TheoryData<string> RoomNames => [.. Rooms.Order];

    [Fact]
    public void Standalone_locks_no_package_of_edition_full()
    {
        Verdict.None(Projects.SelectMany(p => Editions.ConditionalPackages(p.Path, p.Text)));
        Verdict.None(Repository.Of(".lock.json").SelectMany(f => Editions.StandaloneLock(f.Path, f.Text)));
    }

    /// <summary>
    /// The graphs of all rooms are there when this test was built for standalone; those of other tests may not be yet.
    /// </summary>
    [Fact]
    public void Standalone_restores_no_package_of_edition_full()
    {
        var graphs = Projects.Select(p => $"{p.Path[..p.Path.LastIndexOf('/')]}/obj/standalone/project.assets.json")
            .Where(g => File.Exists(Repository.Full(g))).ToArray();
        if (IsStandalone)
            Assert.True(graphs.Count(g => !g.StartsWith("tests/", StringComparison.Ordinal)) == Rooms.Order.Length
                && graphs.Contains("tests/Twin.House.Tests/obj/standalone/project.assets.json"),
                "A room has no restored graph under obj/standalone. Run 'dotnet restore'.");
        Verdict.None(graphs.SelectMany(g => Editions.StandaloneGraph(g, File.ReadAllText(Repository.Full(g)))));
    }

    [Theory]
    [InlineData("Microsoft.Orleans.Server")]
    [InlineData("Npgsql")]
    [InlineData("Microsoft.ML.TimeSeries")]
    [InlineData("InfluxDB.Client.Core")]
    [InlineData("BouncyCastle.Cryptography")]
    public void A_package_of_edition_full_is_found(string package)
    {
        var bare = $"<Project><ItemGroup><PackageReference Include=\"{package}\" /></ItemGroup></Project>";
        Assert.Contains("Condition", Assert.Single(Editions.ConditionalPackages(Grains, bare)));
        var conditional = bare.Replace("<ItemGroup>", "<ItemGroup Condition=\"'$(Edition)' == 'full'\">");
        Assert.Empty(Editions.ConditionalPackages(Grains, conditional));
        var locked = $$"""{ "dependencies": { "net10.0": { "{{package}}": { "type": "Transitive" }, "A": {} } } }""";
        Assert.Single(Editions.StandaloneLock("Twin.Grains/packages.standalone.lock.json", locked));
        var graph = $$"""{ "libraries": { "{{package}}/1.2.3": {}, "NodaTime/3.3.7": {} } }""";
        Assert.Contains(package, Assert.Single(Editions.StandaloneGraph("project.assets.json", graph)));
    }

    [Fact]
    public void Full_code_lies_in_its_folders()
    {
        Verdict.None(Repository.Of(".cs").SelectMany(f => Editions.FullCode(f.Path, f.Text)));
        Verdict.None(Repository.Files.SelectMany(f => Editions.FullPlaces(f.Path)));
        var paths = Repository.Files.Select(f => f.Path).ToArray();
        Verdict.None(Projects.SelectMany(p => Editions.LeftOut(p.Path, p.Text, paths)));
    }

    [Theory]
    [InlineData("using Orleans.Runtime;", "Twin.Grains/Orleans/")]
    [InlineData("using Grain = global::Orleans.Grain;", "Twin.Silo/Orleans/")]
    [InlineData("global using Npgsql;", "Twin.Silo/Storage/Postgres/")]
    [InlineData("using static Npgsql.A;", "Twin.Silo/Storage/Postgres/")]
    [InlineData("namespace Twin.Grains.Orleans;", "Twin.Grains/Orleans/")]
    public void Full_code_elsewhere_is_found(string line, string folder)
    {
        Assert.Contains(folder, Assert.Single(Editions.FullCode("Twin.Grains/A.cs", line + "\n")));
        Assert.Empty(Editions.FullCode(folder + "A.cs", line + "\n"));
        Assert.Empty(Editions.FullCode("Twin.Grains/A.cs", "using Twin.Silo.Orleans;\n"));
    }

    [Fact]
    public void A_folder_of_edition_full_elsewhere_is_found()
    {
        Assert.Contains("FullFolders", Assert.Single(Editions.FullPlaces("Twin.Api/Orleans/A.cs")));
        Assert.Contains("Twin.Silo/Storage/Postgres/", Assert.Single(Editions.FullPlaces("Twin.Silo/Postgres/A.cs")));
        Assert.Empty(Editions.FullPlaces("Twin.Silo/Storage/Postgres/A.cs"));
        Assert.Empty(Editions.FullPlaces("Twin.Silo/Embedded/Orleans.cs"));
    }

    [Fact]
    public void A_folder_that_standalone_would_compile_is_found()
    {
        string[] files = ["Twin.Grains/Orleans/A.cs"];
        Assert.Contains("Compile Remove", Assert.Single(Editions.LeftOut(Grains, "<Project />", files)));
        var leftOut = Removing("Orleans/**", "!= 'full'");
        Assert.Empty(Editions.LeftOut(Grains, leftOut, files));
        Assert.Empty(Editions.LeftOut(Grains, leftOut, []));
        Assert.Contains("elsewhere", Assert.Single(Editions.LeftOut(Grains, Removing("Extra/**", "!= 'full'"), [])));
        Assert.Contains("elsewhere", Assert.Single(Editions.LeftOut(Grains, Removing("Orleans/**", "== 'full'"), [])));
    }

    private static string Removing(string what, string when) =>
        $"<Project><ItemGroup Condition=\"'$(Edition)' {when}\"><Compile Remove=\"{what}\" /></ItemGroup></Project>";

    [Theory]
    [MemberData(nameof(RoomNames))]
    public void Compiled_rooms_use_full_only_packages_in_their_folders(string room) =>
        Verdict.None(Editions.FullNeeds(room, TypeNeeds.Of(ArchitectureTests.FileOf(room))));

    [Fact]
    public void A_type_that_reaches_out_of_its_folder_is_found()
    {
        (string, string)[] well =
        [
            ("Twin.Grains.Orleans.MeterGrain", "Orleans.Core"), ("Twin.Silo.Storage.Postgres.A", "Npgsql"),
            ("OrleansCodeGen.Twin.Grains.Orleans.B", "Orleans.Serialization"), ("Twin.Grains.MeterTwin", "NodaTime"),
        ];
        Assert.Empty(Editions.FullNeeds("Twin.Silo", well));
        foreach (var (type, assembly) in ((string, string)[])[("Twin.Grains.MeterTwin", "Orleans.Core"),
            ("Twin.Grains.OrleansToo.A", "Orleans.Core"), ("Twin.Grains.Orleans.A", "Npgsql"),
            ("Twin.Silo.Storage.SqliteJournal", "Npgsql")])
            Assert.Contains(assembly, Assert.Single(Editions.FullNeeds("Twin.Silo", [.. well, (type, assembly)])));
    }
}
