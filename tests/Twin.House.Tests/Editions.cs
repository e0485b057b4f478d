using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Twin.House.Tests;

/// <summary>
/// A folder of code that only edition full has: its namespace, and what it may use that standalone may not, by the
/// beginning of names of namespaces and assemblies.
/// </summary>
internal sealed record FullFolder(string Folder, string Namespace, params string[] Uses)
{
    public bool Holds(string path) => path.StartsWith(Folder, StringComparison.Ordinal);

    /// <summary>The last part of the folder: <c>Orleans</c>.</summary>
    public string Name => Folder.TrimEnd('/')[(Folder.TrimEnd('/').LastIndexOf('/') + 1)..];
}

/// <summary>Editions differ by packages and by folders, and by nothing else.</summary>
internal static partial class Editions
{
    /// <summary>Packages of edition full, by the beginning of the name.</summary>
    public static readonly string[] FullPackages =
        ["Microsoft.Orleans", "Npgsql", "Microsoft.ML", "InfluxDB.Client", "BouncyCastle"];

    public static readonly FullFolder[] FullFolders =
    [
        new(Rooms.HostFolder, Rooms.Hosts, "Orleans"),
        new("Twin.Silo/Orleans/", "Twin.Silo.Orleans", "Orleans", "Npgsql"),
        new("Twin.Silo/Storage/Postgres/", "Twin.Silo.Storage.Postgres", "Npgsql"),
        new("tests/Twin.Silo.Tests/Orleans/", "Twin.Silo.Tests.Orleans", "Orleans", "Npgsql"),
        new("tests/Twin.Silo.Tests/Postgres/", "Twin.Silo.Tests.Postgres", "Npgsql"),
        new("Twin.Detection/MlNet/", "Twin.Detection.MlNet", "Microsoft.ML"),
        new("tests/Twin.Detection.Tests/MlNet/", "Twin.Detection.Tests.MlNet", "Microsoft.ML"),
        new("ingest/Twin.Ingest/InfluxDb/", "Twin.Ingest.InfluxDb", "InfluxDB"),
        new("Twin.Hardware/PostQuantum/", "Twin.Hardware.PostQuantum", "Org.BouncyCastle", "BouncyCastle"),
        new("tests/Twin.Hardware.Tests/PostQuantum/", "Twin.Hardware.Tests.PostQuantum", "Org.BouncyCastle",
            "BouncyCastle"),
        new("tests/Twin.Silo.Tests/PostQuantum/", "Twin.Silo.Tests.PostQuantum"),
    ];

    private static readonly string[] FullUses = [.. FullFolders.SelectMany(f => f.Uses).Distinct()];

    /// <summary>What Orleans' generator writes for the grains of a room.</summary>
    public static bool IsGenerated(string type) => type.StartsWith("OrleansCodeGen.", StringComparison.Ordinal);

    private static bool IsFull(string package) =>
        FullPackages.Any(f => package.StartsWith(f, StringComparison.OrdinalIgnoreCase));

    private static bool Is(string name, string use) =>
        name == use || name.StartsWith(use + ".", StringComparison.Ordinal);

    /// <summary>A package of edition full stands under a condition.</summary>
    public static IEnumerable<string> ConditionalPackages(string path, string xml)
    {
        foreach (var p in XDocument.Parse(xml).Descendants("PackageReference"))
        {
            var name = p.Attribute("Include")?.Value ?? "";
            if (!IsFull(name) || p.AncestorsAndSelf().Any(e => IsFullCondition(e.Attribute("Condition")?.Value)))
                continue;
            yield return $"{path}: {name} is a package of edition full. Put it under Condition=\"'$(Edition)' == "
                + $"'full'\".";
        }
    }

    private static bool IsFullCondition(string? condition) => condition?.Replace(" ", "") == "'$(Edition)'=='full'";

    /// <summary>The lock of the standalone edition names no package of edition full, directly or not.</summary>
    public static IEnumerable<string> StandaloneLock(string path, string json)
    {
        if (!path.EndsWith("packages.standalone.lock.json", StringComparison.Ordinal)) yield break;
        using var document = JsonDocument.Parse(json);
        foreach (var target in document.RootElement.GetProperty("dependencies").EnumerateObject())
        {
            foreach (var package in target.Value.EnumerateObject())
                if (IsFull(package.Name))
                    yield return $"{path} restores {package.Name}. It belongs to edition full only.";
        }
    }

    /// <summary>Nor does the graph that a restore of the standalone edition found.</summary>
    public static IEnumerable<string> StandaloneGraph(string path, string json)
    {
        using var document = JsonDocument.Parse(json);
        foreach (var library in document.RootElement.GetProperty("libraries").EnumerateObject())
            if (IsFull(library.Name))
                yield return $"{path} holds {library.Name}. It belongs to edition full only: find who asks for it with "
                    + "'dotnet nuget why'.";
    }

    /// <summary>Code of edition full lies in its folders, and has their namespaces to itself.</summary>
    public static IEnumerable<string> FullCode(string path, string text)
    {
        if (!path.EndsWith(".cs", StringComparison.Ordinal)) yield break;
        var bare = Code.Bare(text);
        foreach (var use in FullUses)
        {
            var places = FullFolders.Where(f => f.Uses.Contains(use)).ToArray();
            if (!places.Any(f => f.Holds(path)) && Regex.IsMatch(bare, $@"^\s*(global\s+)?using\s+(static\s+)?(\w+\s*="
                + $@"\s*)?(global::)?{Regex.Escape(use)}\b", RegexOptions.Multiline))
                yield return $"{path} uses {use}. Code that needs it lies in "
                    + $"{string.Join(" or ", places.Select(f => f.Folder))}, which the standalone build leaves out.";
        }
        foreach (var f in FullFolders)
            if (!f.Holds(path) && Regex.IsMatch(bare, $@"^\s*namespace\s+{Regex.Escape(f.Namespace)}\b",
                RegexOptions.Multiline))
                yield return $"{path} declares {f.Namespace}, which is {f.Folder}. Move the file there, or rename.";
    }

    /// <summary>A folder named like one of edition full is one of them, in its place.</summary>
    public static IEnumerable<string> FullPlaces(string path)
    {
        if (!path.EndsWith(".cs", StringComparison.Ordinal) || FullFolders.Any(f => f.Holds(path))) yield break;
        foreach (var part in path.Split('/').SkipLast(1))
            if (FullFolders.Any(f => f.Name == part))
                yield return $"{path} lies in a folder '{part}', which is not one of edition full: "
                    + $"{string.Join(", ", FullFolders.Where(f => f.Name == part).Select(f => f.Folder))}. Name it "
                    + "otherwise, or add it to Editions.FullFolders.";
    }

    /// <summary>A project leaves its full-only folders out of the standalone build, and nothing else.</summary>
    public static IEnumerable<string> LeftOut(string path, string xml, IReadOnlyCollection<string> files)
    {
        var folder = path[..(path.LastIndexOf('/') + 1)];
        var own = FullFolders.Where(f => f.Folder.StartsWith(folder, StringComparison.Ordinal)).ToArray();
        var byEdition = XDocument.Parse(xml).Descendants("Compile")
            .Where(c => c.AncestorsAndSelf().Any(e => e.Attribute("Condition")?.Value.Contains("Edition") == true))
            .ToArray();
        foreach (var full in own.Where(f => files.Any(f.Holds)))
        {
            if (!byEdition.Any(c => LeavesOut(c, full.Folder[folder.Length..])))
                yield return $"{path} compiles {full.Folder} in every edition. Add <Compile "
                    + $"Remove=\"{full.Folder[folder.Length..]}**\" Condition=\"'$(Edition)' != 'full'\" />.";
        }
        foreach (var c in byEdition)
            if (!own.Any(f => LeavesOut(c, f.Folder[folder.Length..])))
                yield return $"{path}: {c} makes editions differ elsewhere than in the folders of edition full. Move "
                    + "the code into one of them.";
    }

    private static bool LeavesOut(XElement compile, string folder) =>
        compile.Attribute("Remove")?.Value == folder + "**"
        && compile.AncestorsAndSelf().Any(e => NotFull().IsMatch(e.Attribute("Condition")?.Value ?? ""));

    [GeneratedRegex(@"^\s*'\$\(Edition\)'\s*!=\s*'full'\s*$")]
    private static partial Regex NotFull();

    /// <summary>Compiled: what only edition full has is needed by types of its folders alone.</summary>
    public static IEnumerable<string> FullNeeds(string room, IEnumerable<(string Type, string Assembly)> needs) =>
        from n in needs
        where FullUses.Any(u => Is(n.Assembly, u)) && !IsGenerated(n.Type)
            && !FullFolders.Any(f => n.Type.StartsWith(f.Namespace + ".", StringComparison.Ordinal)
                && f.Uses.Any(u => Is(n.Assembly, u)))
        select $"{room}: {n.Type} needs {n.Assembly}. Only the folders of edition full may: "
            + $"{string.Join(", ", FullFolders.Where(f => f.Uses.Any(u => Is(n.Assembly, u))).Select(f => f.Folder))}.";
}
