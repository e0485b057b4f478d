namespace Twin.House.Tests;

/// <summary>References between rooms, read from project files and from what was compiled.</summary>
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
    public void Pure_rooms_need_no_impure_assembly(string room) =>
        Verdict.None(Rooms.Pure(room, Rooms.OfTwins(Compiled(room), TypeNeeds.Of(FileOf(room)))));

    internal static string FileOf(string room) =>
        Path.Combine(AppContext.BaseDirectory, (room == "Twin.Silo" ? "metertwin" : room) + ".dll");

    private static IReadOnlyList<string> Compiled(string room) => Rooms.AssemblyReferences(FileOf(room));

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
    public void Only_the_hosts_of_twins_are_let_off()
    {
        string[] references = ["System.Runtime", "Orleans.Core", "System.Console"];
        (string, string)[] hosts =
            [("Twin.Grains.Orleans.A", "Orleans.Core"), ("OrleansCodeGen.Twin.Grains.Orleans.B", "System.Console")];
        Assert.Empty(Rooms.Pure("Twin.Grains", Rooms.OfTwins(references, hosts)));
        foreach (var type in (string[])["Twin.Grains.MeterTwin", "Twin.Grains.OrleansToo.A", "Twin.Grains.Orleans"])
            Assert.Contains("Orleans.Core", Assert.Single(
                Rooms.Pure("Twin.Grains", Rooms.OfTwins(references, [.. hosts, (type, "Orleans.Core")]))));
        Assert.Equal(2, Rooms.Pure("Twin.Grains", Rooms.OfTwins(references, [])).Count());
    }

    [Fact]
    public void What_a_type_needs_is_read_from_its_members_and_their_bodies()
    {
        var needs = TypeNeeds.Of(typeof(ArchitectureTests).Assembly.Location);
        string[] Of(Type type) => [.. needs.Where(n => n.Type == type.FullName).Select(n => n.Assembly)];
        Assert.Contains("xunit.assert", Of(typeof(ArchitectureTests)));
        Assert.Contains("xunit.core", Of(typeof(ArchitectureTests)));
        Assert.Contains("System.Reflection.Metadata", Of(typeof(TypeNeeds)));
        Assert.DoesNotContain("xunit.assert", Of(typeof(Rooms)));
        Assert.Equal(Compiled("Twin.Silo").Where(r => r.StartsWith("Twin.", StringComparison.Ordinal)).Order(),
            TypeNeeds.Of(FileOf("Twin.Silo")).Select(n => n.Assembly).Distinct()
                .Where(a => a.StartsWith("Twin.", StringComparison.Ordinal)).Order());
    }
}
