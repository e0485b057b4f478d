using Twin.Hardware.Emulator;
using Twin.Ingest.Generate;

namespace Twin.Ingest.Tests.Generate;

/// <summary>
/// The samples under <c>data/</c> are what the emulator makes of their seed, byte for byte. With
/// <c>METERTWIN_WRITE_SAMPLES=1</c> the test writes them anew; <c>data/README.md</c> has the command.
/// </summary>
public class SampleTests
{
    private static readonly WorldOptions Options = new()
    {
        Seed = 151, Meters = 4, Feeders = 1, Days = 7, AnomalyShare = 0.25, LookAlikeShare = 0.5, PvShare = 0.2,
        Start = new DateOnly(2025, 6, 2),
    };

    [Fact]
    public void TheSamplesAreWhatTheSeedGives()
    {
        var samples = Path.Combine(Root(), "data");
        if (Environment.GetEnvironmentVariable("METERTWIN_WRITE_SAMPLES") == "1") WriteAll(samples);
        var fresh = Directory.CreateTempSubdirectory("metertwin-samples-").FullName;
        try
        {
            WriteAll(fresh);
            string[] expected = [.. Names(fresh)], found = [.. Names(samples).Where(n => n != "README.md")];
            Assert.Equal(expected, found);
            foreach (var name in expected)
            {
                var made = File.ReadAllBytes(Path.Combine(fresh, name));
                var kept = File.ReadAllBytes(Path.Combine(samples, name));
                Assert.True(made.AsSpan().SequenceEqual(kept), $"data/{name} is not what its seed gives. "
                    + "Write the samples anew (data/README.md) if the emulator was meant to change.");
            }
            Assert.InRange(expected.Sum(n => new FileInfo(Path.Combine(fresh, n)).Length), 1, 200_000);
        }
        finally
        {
            Directory.Delete(fresh, recursive: true);
        }
    }

    private static IEnumerable<string> Names(string directory) =>
        Directory.GetFiles(directory, "*", SearchOption.AllDirectories)
            .Select(p => Path.GetRelativePath(directory, p).Replace('\\', '/')).Order(StringComparer.Ordinal);

    private static void WriteAll(string directory)
    {
        var world = new World(Options);
        foreach (var format in Enum.GetValues<GenerateFormat>())
            Generator.Write(world, new GenerateOptions(directory, format, Gzip: false),
                new Progress<GenerateProgress>(), CancellationToken.None);
    }

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "MeterTwin.sln"))) at = at.Parent;
        return at?.FullName
            ?? throw new DirectoryNotFoundException("No directory above the tests holds MeterTwin.sln.");
    }
}
