using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Twin.Hardware;
using Twin.Hardware.Emulator;
using Twin.Ingest.Generate;

namespace Twin.Ingest.Tests.Generate;

public sealed class GeneratorTests : IDisposable
{
    private static readonly WorldOptions Options = new()
    {
        Seed = 21, Meters = 40, Days = 12, AnomalyShare = 0.1, LookAlikeShare = 0.5, FirstOnsetDay = 3, PvShare = 0.2,
        Zone = "Europe/Berlin", Start = new DateOnly(2025, 3, 25),
    };

    private readonly string _directory = Directory.CreateTempSubdirectory("metertwin-generate-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private GenerateSummary Write(World world, GenerateFormat format, bool gzip) =>
        Generator.Write(world, new GenerateOptions(_directory, format, gzip), new Progress<GenerateProgress>(),
            CancellationToken.None);

    private string[] Lines(string name) => File.ReadAllLines(Path.Combine(_directory, name));

    /// <summary>What has come by the world's end: reported values, and backfills where they were delivered.</summary>
    private static SortedDictionary<(string Meter, string Start), (int Import, int Export)> Expected(World world)
    {
        var all = new SortedDictionary<(string, string), (int, int)>();
        for (var day = 0; day < world.Options.Days; day++)
        {
            for (var m = 0; m < world.Fleet.Count; m++)
            {
                int[] import = new int[world.Slots(day)], export = new int[world.Slots(day)];
                world.Day(day, m, import, export);
                Put(all, world, day, m, import, export);
                foreach (var b in world.Backfills.Where(b => b.MeterIndex == m && day >= b.FromDay && day <= b.ToDay))
                {
                    world.BackfillDay(b, day, import, export);
                    Put(all, world, day, m, import, export);
                }
            }
        }
        return all;
    }

    private static void Put(SortedDictionary<(string, string), (int, int)> all, World world, int day, int meter,
        int[] import, int[] export)
    {
        for (var s = 0; s < import.Length; s++)
        {
            if (import[s] == ReadingBlock.Missing) continue;
            var start = UnixTime.FromMinutes(world.LocalDay(day).StartMinute + s * world.Options.IntervalMinutes)
                .ToString();
            all.Add((world.Fleet[meter].Name, start), (import[s], export[s]));
        }
    }

    private static int Value(string cell) =>
        cell.Length == 0 ? ReadingBlock.Missing : int.Parse(cell, CultureInfo.InvariantCulture);

    [Fact]
    public void TheLongFormHoldsEveryReadingInTheOrderOfArrival()
    {
        var world = new World(Options);
        var summary = Write(world, GenerateFormat.Long, gzip: false);
        var lines = Lines("readings.csv");
        Assert.Equal("meter,start,interval_minutes,import_wh,export_wh", lines[0]);
        var rows = new SortedDictionary<(string, string), (int, int)>();
        var (late, readings, newest) = (0, 0, "");
        foreach (var line in lines.Skip(1))
        {
            var cells = line.Split(',');
            Assert.Equal("30", cells[2]);
            rows.Add((cells[0], cells[1]), (Value(cells[3]), Value(cells[4])));
            readings += (cells[3].Length > 0 ? 1 : 0) + (cells[4].Length > 0 ? 1 : 0);
            if (string.CompareOrdinal(cells[1], newest) >= 0) newest = cells[1];
            else late++;
        }
        Assert.Equal(Expected(world), rows);
        Assert.Equal(readings, summary.Readings);
        Assert.NotEmpty(world.Backfills);
        Assert.Equal(world.Backfills
            .Sum(b => Enumerable.Range(b.FromDay, b.ToDay - b.FromDay + 1).Sum(d => LateOn(world, b, d))), late);
    }

    private static int LateOn(World world, Backfill backfill, int day)
    {
        int[] import = new int[world.Slots(day)], export = new int[world.Slots(day)];
        world.BackfillDay(backfill, day, import, export);
        return import.Count(x => x != ReadingBlock.Missing);
    }

    [Fact]
    public void TheWideFormHoldsEveryImport()
    {
        var world = new World(Options);
        Write(world, GenerateFormat.Wide, gzip: false);
        var lines = Lines("readings-wide.csv");
        var names = lines[0].Split(',')[1..];
        Assert.Equal(world.Fleet.Select(m => m.Name), names);
        var rows = new SortedDictionary<(string, string), int>();
        foreach (var line in lines.Skip(1))
        {
            var cells = line.Split(',');
            for (var m = 0; m < names.Length; m++)
            {
                if (cells[m + 1].Length == 0) continue;
                var kilowattHours = decimal.Parse(cells[m + 1], CultureInfo.InvariantCulture);
                rows.Add((names[m], cells[0]), (int)(kilowattHours * 1000));
            }
        }
        Assert.Equal(Expected(world).ToDictionary(p => p.Key, p => p.Value.Import), rows);
        // The clock is set forward on 30 March: 46 half hours.
        Assert.Equal(12 * 48 - 2 + 1, lines.Length);
    }

    [Fact]
    public void TheJsonFormHoldsOneArrayAMeter()
    {
        var world = new World(Options);
        var summary = Write(world, GenerateFormat.Json, gzip: true);
        Assert.Equal(world.Fleet.Count + 3, summary.Files.Count);
        var rows = new SortedDictionary<(string, string), (int, int)>();
        foreach (var path in Directory.GetFiles(Path.Combine(_directory, "readings-json")))
        {
            using var stream = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
            using var document = JsonDocument.Parse(stream);
            var meter = Path.GetFileName(path)[..^".json.gz".Length];
            foreach (var e in document.RootElement.EnumerateArray())
            {
                var export = e.TryGetProperty("export_wh", out var x) ? x.GetInt32() : ReadingBlock.Missing;
                rows.Add((meter, e.GetProperty("time").GetString()!), (e.GetProperty("import_wh").GetInt32(), export));
            }
        }
        Assert.Equal(Expected(world), rows);
    }

    [Fact]
    public void RecordsSayWhoWhereAndWhat()
    {
        var world = new World(Options);
        Write(world, GenerateFormat.Long, gzip: true);
        var fleet = Lines("fleet.csv");
        Assert.Equal(43, fleet.Length);
        var columns = fleet[0].Split(',');
        Assert.All(fleet, l => Assert.Equal(columns.Length, l.Split(',').Length));
        Assert.Equal("observer", fleet[1].Split(',')[Array.IndexOf(columns, "role")]);
        Assert.All(fleet.Skip(1), l => Assert.Equal("Europe/Berlin", l.Split(',')[Array.IndexOf(columns, "zone")]));
        var labels = Lines("labels.csv");
        Assert.Equal(1 + 24, labels.Length);
        Assert.Equal(20, labels.Count(l => l.Split(',')[3] == "look_alike"));
        Assert.Equal(1 + world.Context.Count, Lines("context.csv").Length);
        Assert.Equal("meter,kind,from,to,note", Lines("context.csv")[0]);
    }

    [Fact]
    public void AnInterruptedRunLeavesNoHalfFile()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        foreach (var format in Enum.GetValues<GenerateFormat>())
        {
            Assert.Throws<OperationCanceledException>(() => Generator.Write(new World(Options),
                new GenerateOptions(_directory, format, false), new Progress<GenerateProgress>(), cancelled.Token));
            Assert.Empty(Directory.GetFiles(_directory, "*", SearchOption.AllDirectories));
        }
    }

    [Fact]
    public void AFeederOfManyMetersIsWrittenInPasses()
    {
        var world = new World(Options with { Meters = 150, Feeders = 1, Days = 2 });
        var summary = Write(world, GenerateFormat.Json, gzip: false);
        Assert.Equal(151 + 3, summary.Files.Count);
        var wide = Directory.GetFiles(Path.Combine(_directory, "readings-json"))
            .Sum(f => File.ReadLines(f).Count(l => l.StartsWith('{')));
        Assert.Equal(Expected(world).Count, wide);
    }

    [Fact]
    public void AFleetTooLargeForOneDayInMemoryIsRefusedWithARemedy()
    {
        var honest = Options with { AnomalyShare = 0, LookAlikeShare = 0 };
        var world = new World(honest with { Meters = 350_000, Days = 1, IntervalMinutes = 5 });
        var error = Assert.Throws<ArgumentException>(() => Write(world, GenerateFormat.Long, gzip: false));
        Assert.Contains("choose the format json", error.Message, StringComparison.Ordinal);
    }
}
