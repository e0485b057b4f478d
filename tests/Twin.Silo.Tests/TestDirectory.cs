namespace Twin.Silo.Tests;

/// <summary>A directory that is gone after the test.</summary>
public sealed class TestDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("metertwin-test-").FullName;

    public string Sub(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>Places of the checkout.</summary>
public static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>A recorded set, or null where the recorded data are not at hand.</summary>
    public static string? Recorded(string name)
    {
        var path = Path.GetFullPath(Path.Combine(Root, "..", "shared", "data", name));
        return File.Exists(path) || Directory.Exists(path) ? path : null;
    }

    private static string Find()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "MeterTwin.sln")))
            at = Path.GetDirectoryName(at) ?? throw new InvalidOperationException("No MeterTwin.sln above the tests.");
        return at;
    }
}
