using System.Diagnostics;

namespace Twin.House.Tests;

/// <summary>
/// A file of the repository: path from the root with forward slashes, and its text (empty when it is binary).
/// </summary>
internal sealed record SourceText(string Path, string Text, long Bytes)
{
    public bool Is(string extension) => Path.EndsWith(extension, StringComparison.Ordinal);
    public bool In(string folder) => Path.StartsWith(folder + "/", StringComparison.Ordinal);
}

/// <summary>The tree that the tests look at: what git tracks, and what would be tracked by the next add.</summary>
internal static class Repository
{
    /// <summary>Longest run of a tool that a test asks.</summary>
    private static readonly TimeSpan ToolTime = TimeSpan.FromSeconds(60);

    public static string Root { get; } = FindRoot();

    /// <summary>Paths known to git; every file outside of build folders where there is no git.</summary>
    public static IReadOnlyList<string> Tracked { get; } = List("--cached");

    public static IReadOnlyList<SourceText> Files { get; } =
        [.. List("--cached", "--others", "--exclude-standard").Where(p => File.Exists(Full(p))).Distinct()
            .Select(Read)];

    public static IEnumerable<SourceText> Of(string extension) => Files.Where(f => f.Is(extension));

    public static string Full(string path) => System.IO.Path.Combine(Root, path);

    public static SourceText Get(string path) => Files.FirstOrDefault(f => f.Path == path)
        ?? throw new InvalidOperationException($"{path} is missing. Restore it, or change the test that needs it.");

    private static SourceText Read(string path)
    {
        var bytes = File.ReadAllBytes(Full(path));
        var isText = !bytes.AsSpan(0, Math.Min(bytes.Length, 8192)).Contains((byte)0)
            && !bytes.AsSpan().StartsWith(Gzip);
        return new SourceText(path, isText ? System.Text.Encoding.UTF8.GetString(bytes) : "", bytes.Length);
    }

    private static ReadOnlySpan<byte> Gzip => [0x1F, 0x8B];

    private static string FindRoot()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (File.Exists(System.IO.Path.Combine(d.FullName, "MeterTwin.sln"))) return d.FullName;
        throw new InvalidOperationException("No MeterTwin.sln above the test's folder. Run the tests from a clone.");
    }

    private static string[] List(params string[] options)
    {
        if (System.IO.Path.Exists(System.IO.Path.Combine(Root, ".git")))
        {
            string[] arguments = ["-c", "safe.directory=*", "ls-files", "-z", .. options];
            if (TryRun("git", arguments, out var output) == 0)
                return [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
        }
        return [.. Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories)
            .Select(p => System.IO.Path.GetRelativePath(Root, p).Replace('\\', '/'))
            .Where(p => !p.Split('/').Any(part => part is "bin" or "obj" or ".git" or "TestResults" or "node_modules"))
            .Order(StringComparer.Ordinal)];
    }

    /// <summary>
    /// Runs a tool in the root; its exit code, or -1 when there is no such tool or it takes too long.
    /// </summary>
    public static int TryRun(string tool, IEnumerable<string> arguments, out string output)
    {
        output = "";
        var start = new ProcessStartInfo(tool, arguments)
        {
            WorkingDirectory = Root, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["NO_COLOR"] = "1";
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            output = process.StandardOutput.ReadToEnd();
            if (!process.WaitForExit(ToolTime))
            {
                process.Kill();
                return -1;
            }
            output += error.GetAwaiter().GetResult();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }
}
