using System.IO.Compression;

namespace Twin.Silo.Tests.Upgrade;

/// <summary>Data directories that older versions wrote.</summary>
internal static class OldDirectories
{
    /// <summary>Unpacks all into a new folder and gives the path of one: whole, erased or zeus.</summary>
    public static string Take(string folder, int version, string name)
    {
        using var archive = new ZipArchive(typeof(OldDirectories).Assembly
            .GetManifestResourceStream($"judged-{version}.zip")!);
        archive.ExtractToDirectory(folder);
        return Path.Combine(folder, name);
    }
}
