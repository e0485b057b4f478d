using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Twin.Api;

/// <summary>A file of the console: what it is called by, its media type, its bytes and their digest.</summary>
public sealed record ConsoleFile(string Name, string MediaType, byte[] Bytes, string Tag);

/// <summary>
/// The console as the build made it (<c>Console.targets</c>). Files are called by names that hold a digest of what is
/// in them, so that browsers may keep them for ever; only the shell, which names them, is asked for again.
/// </summary>
public sealed class ConsoleFiles
{
    public const string Path = "/console";
    private const string Prefix = "console/";
    private const string ShellName = "index.html";
    private const int TagLength = 16;

    private static readonly Dictionary<string, string> MediaTypes = new()
    {
        [".js"] = "text/javascript; charset=utf-8", [".css"] = "text/css; charset=utf-8",
    };

    private readonly FrozenDictionary<string, ConsoleFile> _files;

    /// <summary>What this build has; without Node at build time it is nothing.</summary>
    public static ConsoleFiles Embedded { get; } = new(Resources(typeof(ConsoleFiles).Assembly));

    /// <param name="files">By the name that the build gives them; the shell is <c>index.html</c>.</param>
    /// <exception cref="InvalidOperationException">There are files and no shell, or one of unknown kind.</exception>
    public ConsoleFiles(IReadOnlyDictionary<string, byte[]> files)
    {
        var named = files.Where(f => f.Key != ShellName).Select(f => (From: f.Key, File: Named(f.Key, f.Value)))
            .ToArray();
        _files = named.ToFrozenDictionary(n => n.File.Name, n => n.File);
        if (files.Count == 0) return;
        if (!files.TryGetValue(ShellName, out var shell))
            throw new InvalidOperationException($"The console has no {ShellName}. Build Twin.Api again.");
        var html = Encoding.UTF8.GetString(shell);
        foreach (var (from, file) in named)
            html = html.Replace($"\"{Path}/{from}\"", $"\"{Path}/{file.Name}\"", StringComparison.Ordinal);
        var bytes = Encoding.UTF8.GetBytes(html);
        Shell = new ConsoleFile(ShellName, "text/html; charset=utf-8", bytes, TagOf(bytes));
    }

    /// <summary>The page that loads the rest; null when the build made no console.</summary>
    public ConsoleFile? Shell { get; }

    /// <summary>A file by the name that the shell calls it; null when there is none.</summary>
    public ConsoleFile? Find(string name) => _files.GetValueOrDefault(name);

    private static ConsoleFile Named(string name, byte[] bytes)
    {
        var extension = System.IO.Path.GetExtension(name);
        if (!MediaTypes.TryGetValue(extension, out var type))
            throw new InvalidOperationException($"The console has a file {name}, of a kind that is not served.");
        var tag = TagOf(bytes);
        return new ConsoleFile($"{name[..^extension.Length]}-{tag}{extension}", type, bytes, tag);
    }

    private static string TagOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..TagLength];

    private static Dictionary<string, byte[]> Resources(Assembly assembly)
    {
        var files = new Dictionary<string, byte[]>();
        foreach (var name in assembly.GetManifestResourceNames())
        {
            if (!name.StartsWith(Prefix, StringComparison.Ordinal)) continue;
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            files[name[Prefix.Length..]] = bytes;
        }
        return files;
    }
}
