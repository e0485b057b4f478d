using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Twin.House.Tests;

/// <summary>What lies where: root entries, sizes, packages and their versions, test projects.</summary>
internal static partial class Layout
{
    /// <summary>All that may lie in the root. A new room is a change of the design, and of this list.</summary>
    public static readonly IReadOnlySet<string> RootEntries = new HashSet<string>
    {
        "MeterTwin.sln", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE",
        "BannedSymbols.txt",
        "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json",
        ".editorconfig", ".gitignore", ".gitattributes", ".dockerignore", ".ci",
        "Twin.Hardware", "Twin.Detection", "Twin.Grains", "ingest", "Twin.Api", "Twin.Silo", "deploy", "docs", "data",
        "tests",
    };

    public static IEnumerable<string> Roots(IEnumerable<string> paths) =>
        from entry in paths.Select(p => p.Split('/')[0]).Distinct()
        where !RootEntries.Contains(entry)
        select $"'{entry}' does not belong in the root. Put it into the room it is for; plans and notes belong in "
            + "issues.";

    public static IEnumerable<string> Size(string path, long bytes)
    {
        if (bytes > Tidy.MaxFileBytes)
            yield return $"{path} has {bytes:n0} bytes. Let a test generate it from a seed, or keep it out of the "
                + "repository.";
    }

    /// <summary>A version is exact: no range, no wildcard.</summary>
    public static IEnumerable<string> ExactVersions(string path, string xml)
    {
        foreach (var p in XDocument.Parse(xml).Descendants("PackageVersion"))
        {
            var version = p.Attribute("Version")?.Value ?? "";
            if (!Exact().IsMatch(version))
                yield return $"{path}: {p.Attribute("Include")?.Value} has version '{version}'. Give one exact "
                    + $"version.";
        }
    }

    [GeneratedRegex(@"^\d+\.\d+\.\d+(\.\d+)?(-[0-9A-Za-z.-]+)?$")]
    private static partial Regex Exact();

    /// <summary>A project names packages, never versions, and only such as the central file pins.</summary>
    public static IEnumerable<string> CentralVersions(string path, string xml, string central)
    {
        var pinned = XDocument.Parse(central).Descendants("PackageVersion").Select(p => p.Attribute("Include")?.Value)
            .ToHashSet();
        foreach (var p in XDocument.Parse(xml).Descendants("PackageReference"))
        {
            var name = p.Attribute("Include")?.Value;
            if (p.Attribute("Version") is not null || p.Attribute("VersionOverride") is not null)
                yield return $"{path}: {name} has a version of its own. Pin it in Directory.Packages.props.";
            if (!pinned.Contains(name))
                yield return $"{path}: {name} is not pinned. Add it to Directory.Packages.props.";
        }
    }

    /// <summary>Every project has a committed lock file of the standalone edition.</summary>
    public static IEnumerable<string> LockFiles(IReadOnlyCollection<string> tracked) =>
        from project in tracked
        where project.EndsWith(".csproj", StringComparison.Ordinal)
        let file = $"{project[..project.LastIndexOf('/')]}/packages.standalone.lock.json"
        where !tracked.Contains(file)
        select $"{file} is not committed. Restore the project and add the file.";

    /// <summary>Only the host may read clocks and draw ids; a project file must not give itself that right.</summary>
    public static IEnumerable<string> HostApis(string path, string xml)
    {
        var allowed = XDocument.Parse(xml).Descendants("AllowHostApis").Any(e => e.Value.Trim() == "true");
        if (allowed && path != "Twin.Silo/Twin.Silo.csproj")
            yield return $"{path} sets AllowHostApis. Only the host reads clocks: take a TimeProvider or event time "
                + "instead.";
    }

    /// <summary>
    /// A test project stands beside a room and refers to it; the house's own tests refer to the host.
    /// </summary>
    public static IEnumerable<string> MirroredTests(string path, string xml)
    {
        if (!path.StartsWith("tests/", StringComparison.Ordinal)) yield break;
        var name = Path.GetFileNameWithoutExtension(path);
        // Two look at the whole: at its sources, and at what a browser shows of it.
        var room = name is "Twin.House.Tests" or "Twin.EndToEnd.Tests" ? "Twin.Silo" : name.Replace(".Tests", "");
        var references = Rooms.ProjectReferences(xml);
        if (path != $"tests/{name}/{name}.csproj" || !name.EndsWith(".Tests", StringComparison.Ordinal)
            || !Rooms.Order.Contains(room))
            yield return $"{path} stands beside no room. A test project is tests/ROOM.Tests/ROOM.Tests.csproj.";
        else if (!references.Contains(room))
            yield return $"{path} does not refer to {room}. Its tests are of that room.";
    }

    /// <summary>The solution builds every project.</summary>
    public static IEnumerable<string> InSolution(IEnumerable<string> projects, string solution) =>
        from project in projects
        where !solution.Replace('\\', '/').Contains($"\"{project}\"", StringComparison.Ordinal)
        select $"{project} is not in MeterTwin.sln. Run: dotnet sln add {project}";
}
