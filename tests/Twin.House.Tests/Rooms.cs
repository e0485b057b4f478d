using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Twin.House.Tests;

/// <summary>
/// References go one way: Hardware ← Detection ← Grains ← Ingest ← Api ← Silo.
/// </summary>
internal static class Rooms
{
    /// <summary>The rooms; each may refer to those before it.</summary>
    public static readonly string[] Order =
        ["Twin.Hardware", "Twin.Detection", "Twin.Grains", "Twin.Ingest", "Twin.Api", "Twin.Silo"];

    /// <summary>
    /// Pure rooms: no I/O, no clock, no threads (DESIGN, invariant 2), told by the assemblies they may not need.
    /// </summary>
    public static readonly string[] PureRooms = ["Twin.Hardware", "Twin.Detection", "Twin.Grains"];

    /// <summary>The one namespace in a pure room that is not pure: grains, which host twins in edition full.</summary>
    public const string Hosts = "Twin.Grains.Orleans";

    /// <summary>The folder of <see cref="Hosts"/>.</summary>
    public const string HostFolder = "Twin.Grains/Orleans/";

    private static readonly string[] ImpureAssemblies =
    [
        "System.Net.Http", "System.Net.Sockets", "System.Data.Common", "Microsoft.Data.Sqlite",
        "System.Diagnostics.Process",
        "System.IO.Compression", "System.Threading.Thread", "System.Threading.ThreadPool",
        "System.Threading.Tasks.Parallel",
        "Microsoft.AspNetCore", "Microsoft.Extensions.Hosting", "System.Console", "Orleans",
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

    /// <summary>
    /// What the twins of a compiled room refer to: all of it, less what nothing but the hosts of twins
    /// (<see cref="Hosts"/>) needs.
    /// </summary>
    public static IEnumerable<string> OfTwins(IEnumerable<string> references,
        IReadOnlyCollection<(string Type, string Assembly)> needs)
    {
        var hosts = needs.Where(n => IsHost(n.Type)).Select(n => n.Assembly).ToHashSet();
        var others = needs.Where(n => !IsHost(n.Type)).Select(n => n.Assembly).ToHashSet();
        return references.Where(r => others.Contains(r) || !hosts.Contains(r));
    }

    private static bool IsHost(string type) =>
        type.StartsWith(Hosts + ".", StringComparison.Ordinal) || Editions.IsGenerated(type);

    /// <summary>Assembly names that a compiled assembly refers to.</summary>
    public static IReadOnlyList<string> AssemblyReferences(string file)
    {
        using var stream = File.OpenRead(file);
        using var pe = new PEReader(stream);
        var reader = pe.GetMetadataReader();
        return [.. reader.AssemblyReferences.Select(h => reader.GetString(reader.GetAssemblyReference(h).Name))];
    }
}
