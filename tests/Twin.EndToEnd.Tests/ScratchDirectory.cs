namespace Twin.EndToEnd.Tests;

/// <summary>A directory that is gone after the test.</summary>
internal sealed class ScratchDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("metertwin-e2e-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
