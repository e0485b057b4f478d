using System.Reflection;

namespace Twin.Ingest.Profiles;

/// <summary>The profiles that come with MeterTwin (<c>ingest/profiles</c>), embedded.</summary>
public static class ProfileLibrary
{
    private const string Folder = "profiles/";

    /// <summary>All, by name.</summary>
    public static IReadOnlyList<Profile> All { get; } = Load();

    private static List<Profile> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var all = new List<Profile>();
        foreach (var name in assembly.GetManifestResourceNames()
            .Where(static n => n.StartsWith(Folder, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            all.Add(ProfileJson.Read(name, bytes));
        }
        all.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return all;
    }

    /// <summary>A profile by name, or the document in a file.</summary>
    /// <exception cref="FormatError">Neither.</exception>
    public static Profile Get(string nameOrFile)
    {
        if (All.FirstOrDefault(p => p.Name == nameOrFile) is { } known) return known;
        if (File.Exists(nameOrFile)) return ProfileJson.Read(nameOrFile, File.ReadAllBytes(nameOrFile));
        throw new FormatError(nameOrFile, "is neither a file nor a known profile.",
            $"Known: {string.Join(", ", All.Select(static p => p.Name))}.");
    }

    /// <summary>The profile that recognises a header; null when none does.</summary>
    public static Profile? Match(bool json, IReadOnlyCollection<string> header, string stem) => All.FirstOrDefault(p =>
        p.Match.Count > 0 && (p.Shape == FileShape.Json) == json && (p.Files.Count == 0 || p.Files.ContainsKey(stem))
            && Fits(p.Match, header));

    /// <summary>See <see cref="Profile.Match"/>.</summary>
    public static bool Fits(IReadOnlyList<string> patterns, IReadOnlyCollection<string> header)
    {
        var open = header.ToHashSet(StringComparer.Ordinal);
        foreach (var pattern in patterns)
        {
            if (pattern.EndsWith('?')) open.Remove(pattern[..^1]);
            else if (pattern.EndsWith('*'))
            {
                if (open.RemoveWhere(h => h.StartsWith(pattern[..^1], StringComparison.Ordinal)) == 0) return false;
            }
            else if (!open.Remove(pattern)) return false;
        }
        return open.Count == 0;
    }
}
