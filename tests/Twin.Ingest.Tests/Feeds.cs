using System.IO.Compression;
using System.Text;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Feed;
using Twin.Ingest.Profiles;

namespace Twin.Ingest.Tests;

/// <summary>All that came out of a feed, decoded.</summary>
public sealed class Collected
{
    public required FeedTotals Totals;
    public List<string> Messages = [];
    public List<byte[]> Inputs = [];
    public List<(string Name, Channel Channel, int Interval, long Start, int Value, Quality Quality)> Readings = [];
    public List<Input> Others = [];
    public List<string> Rejects = [];

    /// <summary>First value of every key; how often a key came again with the same or another value.</summary>
    public (Dictionary<(string, Channel, long), int> Values, int Duplicates, int Revisions) Keyed()
    {
        var values = new Dictionary<(string, Channel, long), int>();
        int duplicates = 0, revisions = 0;
        foreach (var r in Readings)
        {
            var key = (r.Name, r.Channel, r.Start);
            if (values.TryAdd(key, r.Value)) continue;
            if (values[key] == r.Value) duplicates++;
            else revisions++;
        }
        return (values, duplicates, revisions);
    }

    public string Stream() => string.Join("\n", Inputs.Select(Convert.ToHexString));
}

public static class Feeds
{
    private sealed class KeptStream : MemoryStream
    {
        protected override void Dispose(bool disposing) { }
    }

    public static Collected Collect(FeedOptions options)
    {
        var messages = new List<string>();
        using var rejects = new KeptStream();
        using var feed = new FeedReader(options with { Rejects = rejects, Message = messages.Add });
        feed.Read();
        var inputs = new List<byte[]>();
        var batch = new InputBatch(FeedReader.Source);
        while (feed.Next(batch))
            for (var i = 0; i < batch.Count; i++) inputs.Add(batch[i].ToArray());
        var result = new Collected { Totals = feed.Totals(default), Messages = messages, Inputs = inputs };
        result.Rejects.AddRange(Encoding.UTF8.GetString(rejects.ToArray())
            .Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var names = new Dictionary<MeterId, string>();
        foreach (var input in inputs) Decode(result, input, names);
        return result;
    }

    private static void Decode(Collected to, byte[] input, Dictionary<MeterId, string> names)
    {
        if (Envelope.Read(input).Kind != InputKind.ReadingBlock)
        {
            to.Others.Add(Input.Read(input));
            if (to.Others[^1] is MeterSeen seen) names.Add(seen.Meter, seen.Name);
            return;
        }
        var block = ReadingBlock.Read(input);
        var slots = new int[block.Count];
        var qualities = new Quality[block.Count];
        block.DecodeValues(slots);
        block.DecodeQualities(qualities);
        Assert.Equal(block.StartMinute / 1440, (block.EndMinute - block.IntervalMinutes) / 1440);
        for (var i = 0; i < slots.Length; i++)
        {
            if (slots[i] == ReadingBlock.Missing) continue;
            var start = block.StartMinute + (long)i * block.IntervalMinutes;
            to.Readings.Add((names[block.Meter], block.Channel, block.IntervalMinutes, start, slots[i], qualities[i]));
        }
    }

    public static Collected Collect(params string[] paths) => Collect(new FeedOptions { Paths = paths });

    /// <summary>Reads text as a file of that name in a directory of its own.</summary>
    public static Collected CollectText(string name, string text, Profile? profile = null) =>
        WithFiles([(name, Encoding.UTF8.GetBytes(text))], paths => Collect(new FeedOptions
        {
            Paths = paths,
            Profile = profile
        }));

    public static T WithFiles<T>((string Name, byte[] Bytes)[] files, Func<string[], T> use)
    {
        var directory = Directory.CreateTempSubdirectory("metertwin-test-");
        try
        {
            var paths = files.Select(f => Path.Combine(directory.FullName, f.Name)).ToArray();
            for (var i = 0; i < files.Length; i++) File.WriteAllBytes(paths[i], files[i].Bytes);
            return use(paths);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    public static byte[] Gzip(byte[] bytes)
    {
        using var to = new MemoryStream();
        using (var gzip = new GZipStream(to, CompressionLevel.Fastest)) gzip.Write(bytes);
        return to.ToArray();
    }

    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "MeterTwin.sln")))
            directory = Path.GetDirectoryName(directory)
                ?? throw new InvalidOperationException("MeterTwin.sln is nowhere above the tests.");
        return directory;
    }

    public static string? Data(string name)
    {
        var path = Path.GetFullPath(Path.Combine(Root, "../shared/data", name));
        return Path.Exists(path) ? path : null;
    }

    public static long Minute(string utc) => UnixTime.TryParse(utc, out var t) ? t.Minutes
        : throw new FormatException(utc);
}
