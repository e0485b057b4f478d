using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Twin.Hardware;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Crash;

/// <summary>
/// Recorded sets through the whole command: their state hash does not depend on the order of rows, on shards or on the
/// machine's vector units.
/// </summary>
public sealed class ReplayOrderTests(ITestOutputHelper output) : IDisposable
{
    private const ulong Seed = 2_024;

    private static readonly JsonSerializerOptions Plain =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private string? Find(string name)
    {
        var path = Repository.Recorded(name);
        if (path is null) output.WriteLine($"Not run: the recorded set {name} is not at hand.");
        return path;
    }

    private static string HashOf(JsonElement summary) => summary.GetProperty("state_hash").GetString()!;

    private static void Shuffle<T>(T[] items)
    {
        var random = new SplitMix64(Seed);
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = random.Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    private static string Text(string gzip)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(gzip), CompressionMode.Decompress));
        return reader.ReadToEnd();
    }

    [Fact]
    public void Edrp_has_one_state_on_any_number_of_shards_with_and_without_vector_units()
    {
        if (Find("edrp/edrp_dev.csv.gz") is not { } edrp) return;
        var data = _directory.Sub("data");
        var first = Metertwin.Json("replay", edrp, "--shards", "1", "--data", data);
        Assert.Equal((409, 1_806_144, 0),
            (first.GetProperty("meters").GetInt32(), first.GetProperty("readings").GetInt32(),
            first.GetProperty("rejected").GetInt32()));
        var again = Metertwin.Json("replay", edrp, "--data", data);
        Assert.Equal((0, 1_806_144),
            (again.GetProperty("readings").GetInt32(), again.GetProperty("duplicates").GetInt32()));
        Assert.Equal(HashOf(first), HashOf(again));
        Assert.Equal(HashOf(first), Engine.Feed.VerifySound(data).StateHash);
        Assert.Equal(HashOf(first), HashOf(Metertwin.Json("replay", edrp, "--shards", "8")));
        Assert.Equal(HashOf(first),
            HashOf(Metertwin.JsonIn([("DOTNET_EnableAVX2", "0")], "replay", edrp, "--shards", "2")));
        Assert.Equal(HashOf(first),
            HashOf(Metertwin.JsonIn([("DOTNET_EnableHWIntrinsic", "0"), ("DOTNET_TieredPGO", "0")], "replay", edrp)));
        Assert.Equal(HashOf(first), Metertwin.JsonIn([("DOTNET_EnableHWIntrinsic", "0")], "verify", "--data", data)
            .GetProperty("state_hash").GetString());
    }

    [Fact]
    public void Sgsc_meter_by_meter_by_time_and_shuffled_is_the_same()
    {
        if (Find("sgsc/sgsc10_long.csv.gz") is not { } sgsc) return;
        output.WriteLine($"seed {Seed}");
        var lines = Text(sgsc).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var rows = lines[1..];
        var byTime = rows.OrderBy(r => r.Split(',')[1], StringComparer.Ordinal).ToArray();
        Shuffle(rows);
        var expected = Metertwin.Json("replay", sgsc);
        foreach (var (name, order) in ((string, string[])[])[("bytime", byTime),
            ("shuffled", [.. rows, .. rows[..2000]])])
        {
            var file = _directory.Sub($"sgsc_{name}.csv");
            File.WriteAllLines(file, [lines[0], .. order]);
            var summary = Metertwin.Json("replay", file, "--profile", "sgsc");
            Assert.Equal(expected.GetProperty("readings").GetInt64(), summary.GetProperty("readings").GetInt64());
            Assert.Equal(HashOf(expected), HashOf(summary));
        }
    }

    [Fact]
    public void Lancaster_file_by_file_and_shuffled_is_the_same()
    {
        if (Find("lancaster") is not { } lancaster) return;
        output.WriteLine($"seed {Seed}");
        var files = Directory.EnumerateFiles(lancaster, "*.json.gz").Order(StringComparer.Ordinal).Take(5).ToArray();
        string[] original = ["replay", .. files];
        var expected = Metertwin.Json(original);
        Directory.CreateDirectory(_directory.Sub("shuffled"));
        var shuffled = files.Select(f =>
        {
            var records = JsonNode.Parse(Text(f))!.AsArray()
                .Select(n => n!.ToJsonString(Plain)).ToArray();
            Shuffle(records);
            var to = Path.Combine(_directory.Sub("shuffled"), Path.GetFileNameWithoutExtension(f));
            File.WriteAllText(to, $"[{string.Join(',', records)}]");
            return to;
        }).Reverse();
        string[] other = ["replay", .. shuffled];
        var summary = Metertwin.Json(other);
        Assert.Equal(expected.GetProperty("readings").GetInt64(), summary.GetProperty("readings").GetInt64());
        Assert.Equal(HashOf(expected), HashOf(summary));
    }
}
