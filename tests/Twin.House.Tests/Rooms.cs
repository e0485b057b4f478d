using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Twin.House.Tests;

/// <summary>
/// References go one way: Hardware ← Detection ← Grains ← Ingest ← Api ← Silo. Editions differ by packages and folders.
/// </summary>
internal static partial class Rooms
{
    /// <summary>The rooms; each may refer to those before it.</summary>
    public static readonly string[] Order =
        ["Twin.Hardware", "Twin.Detection", "Twin.Grains", "Twin.Ingest", "Twin.Api", "Twin.Silo"];

    /// <summary>Packages of edition full, by the beginning of the name.</summary>
    public static readonly string[] FullPackages =
        ["Microsoft.Orleans", "Microsoft.ML", "InfluxDB.Client", "BouncyCastle"];

    /// <summary>Folders of full-only code, and the namespaces that only they may use.</summary>
    public static readonly (string Folder, string Namespace)[] FullFolders =
    [
        ("Twin.Grains/Orleans/", "Orleans"), ("Twin.Detection/MlNet/", "Microsoft.ML"),
        ("ingest/Twin.Ingest/InfluxDb/", "InfluxDB"), ("Twin.Hardware/PostQuantum/", "Org.BouncyCastle"),
    ];

    /// <summary>
    /// Pure rooms: no I/O, no clock, no threads (DESIGN, invariant 2), told by the assemblies they may not need.
    /// </summary>
    public static readonly string[] PureRooms = ["Twin.Hardware", "Twin.Detection", "Twin.Grains"];

    private static readonly string[] ImpureAssemblies =
    [
        "System.Net.Http", "System.Net.Sockets", "System.Data.Common", "Microsoft.Data.Sqlite",
        "System.Diagnostics.Process",
        "System.IO.Compression", "System.Threading.Thread", "System.Threading.ThreadPool",
        "System.Threading.Tasks.Parallel",
        "Microsoft.AspNetCore", "Microsoft.Extensions.Hosting", "System.Console",
    ];

    public static IReadOnlyList<string> ProjectReferences(string xml) =>
        [.. XDocument.Parse(xml).Descendants("ProjectReference").Select(r => NameOf(r.Attribute("Include")!.Value))];

    private static string NameOf(string path) => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'));

    /// <summary>References of a room to rooms, from its project file or its compiled assembly.</summary>
    public static IEnumerable<string> OneWay(string room, IEnumerable<string> references)
    {
        var place = Array.IndexOf(Order, room);
        foreach (var other in references)
        {
            var to = Array.IndexOf(Order, other == "metertwin" ? "Twin.Silo" : other);
            if (to >= place)
                yield return $"{room} refers to {other}. References go {string.Join(" <- ", Order)}: move the code to "
                    + "the lower room, "
                    + "or hand it in through an interface there.";
        }
    }

    public static IEnumerable<string> Pure(string room, IEnumerable<string> references) =>
        from r in references
        where PureRooms.Contains(room) && ImpureAssemblies.Any(i => r == i
            || r.StartsWith(i + ".", StringComparison.Ordinal))
        select $"{room} refers to {r}. Twins and detectors do no I/O and start no threads: do it in the host and "
            + "journal the result.";

    /// <summary>Assembly names that a compiled assembly refers to.</summary>
    public static IReadOnlyList<string> AssemblyReferences(string file)
    {
        using var stream = File.OpenRead(file);
        using var pe = new PEReader(stream);
        var reader = pe.GetMetadataReader();
        return [.. reader.AssemblyReferences.Select(h => reader.GetString(reader.GetAssemblyReference(h).Name))];
    }

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

    private static bool IsFull(string package) =>
        FullPackages.Any(f => package.StartsWith(f, StringComparison.OrdinalIgnoreCase));

    private static bool IsFullCondition(string? condition) => condition?.Replace(" ", "") == "'$(Edition)'=='full'";

    /// <summary>The standalone edition restores no package of edition full, directly or not.</summary>
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

    /// <summary>Code of edition full lies in its folders.</summary>
    public static IEnumerable<string> FullCode(string path, string text)
    {
        if (!path.EndsWith(".cs", StringComparison.Ordinal)) yield break;
        var bare = Code.Bare(text);
        foreach (var (folder, space) in FullFolders)
        {
            if (path.StartsWith(folder, StringComparison.Ordinal) || path == Tidy.EditionFile) continue;
            if (Regex.IsMatch(bare, $@"^\s*(global\s+)?using\s+(static\s+)?{Regex.Escape(space)}\b",
                RegexOptions.Multiline))
                yield return $"{path} uses {space}. Code that needs it lies in {folder}, which the standalone build "
                    + "leaves out.";
        }
    }

    /// <summary>A project that has full-only folders leaves them out of the standalone build.</summary>
    public static IEnumerable<string> LeftOut(string path, string xml, IEnumerable<string> files)
    {
        var folder = path[..(path.LastIndexOf('/') + 1)];
        foreach (var (full, _) in FullFolders)
        {
            if (!full.StartsWith(folder, StringComparison.Ordinal)
                || !files.Any(f => f.StartsWith(full, StringComparison.Ordinal))) continue;
            var removed = XDocument.Parse(xml).Descendants("Compile")
                .Any(c => c.Attribute("Remove")?.Value == full[folder.Length..] + "**"
                && c.AncestorsAndSelf().Any(e => NotFull().IsMatch(e.Attribute("Condition")?.Value ?? "")));
            if (!removed)
                yield return $"{path} compiles {full} in every edition. Add <Compile "
                    + $"Remove=\"{full[folder.Length..]}**\" "
                    + "Condition=\"'$(Edition)' != 'full'\" />.";
        }
    }

    [GeneratedRegex(@"^\s*'\$\(Edition\)'\s*!=\s*'full'\s*$")]
    private static partial Regex NotFull();
}
