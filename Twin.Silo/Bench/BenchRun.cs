using System.Diagnostics;
using System.Globalization;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Emulator;
using Twin.Silo.Commands;
using Twin.Silo.Embedded;

namespace Twin.Silo.Bench;

/// <summary>
/// One budget: <paramref name="Met"/> is null where nothing was measured; <paramref name="Method"/> is measured or
/// projected.
/// </summary>
internal sealed record BenchFigure(string Name, string Unit, string Budget, double Figure, bool? Met, string Scale,
    string Method);

/// <summary>What can be measured alone.</summary>
internal enum BenchPart { Load, Detectors, Frames, Quotes, Guards, Zeus, Disk, Api, Start, Orleans }

/// <summary>Runs the benchmarks one after another on one fleet, with progress on stderr.</summary>
/// <param name="twins">Scale.</param>
/// <param name="only">One part; null for all that this build has.</param>
/// <param name="database">PostgreSQL for the part that needs one, emptied first; null: that part is left out.</param>
/// <param name="cancel">Stops it.</param>
internal sealed class BenchRun(int twins, BenchPart? only, string? database, CancellationToken cancel)
{
    private const string Measured = "measured";

    /// <summary>
    /// Days loaded. The first ones only fill the open windows of the default horizon; the rate counts those in which a
    /// day closes, is judged and sealed.
    /// </summary>
    private const int Days = 10, FillDays = 5;

    /// <summary>Grains take room: one machine shows a cluster of so many twins.</summary>
    private const int MaxClusterTwins = 100_000;

    private readonly List<BenchFigure> _figures = [];
    private readonly Stopwatch _watch = Stopwatch.StartNew();

    public async Task<IReadOnlyList<BenchFigure>> All()
    {
        var folder = Directory.CreateTempSubdirectory("metertwin-bench-").FullName;
        try
        {
            // The load comes first: its memory is measured on a process that has done nothing else.
            if (Has(BenchPart.Load)) await Load(Path.Combine(folder, "load"));
            if (Has(BenchPart.Detectors)) new DetectorBench(this).Run();
            if (Has(BenchPart.Frames)) await new FrameBench(this, cancel).Run(Path.Combine(folder, "frames"));
            if (Has(BenchPart.Quotes)) await new QuoteBench(this, cancel).Run(Path.Combine(folder, "quotes"));
            if (Has(BenchPart.Guards)) new GuardBench(this).Run();
            if (Has(BenchPart.Zeus)) await new ZeusMemory(this, cancel).Run(Path.Combine(folder, "zeus"));
            if (Has(BenchPart.Disk)) await Disk(Path.Combine(folder, "disk"));
            if (Has(BenchPart.Api)) await new ApiBench(this, twins, cancel).Run(Path.Combine(folder, "api"));
            if (Edition.ClusterBench is { } cluster && database is not null && Has(BenchPart.Orleans))
                await cluster(this, Path.Combine(folder, "orleans"), database, Math.Min(twins, MaxClusterTwins),
                    cancel);
            if (Has(BenchPart.Start)) await FirstRun(Path.Combine(folder, "first"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return _figures;
    }

    private bool Has(BenchPart part) => only is null || only == part;

    public void Say(string what) =>
        Cli.Message(string.Create(CultureInfo.InvariantCulture, $"[{_watch.Elapsed.TotalSeconds,6:0.0} s] {what}"));

    public void AtMost(string name, string unit, double budget, double figure, string scale) =>
        _figures.Add(new BenchFigure(name, unit, string.Create(CultureInfo.InvariantCulture, $"<= {budget}"),
            Math.Round(figure, 3), figure <= budget, scale, Measured));

    public void AtLeast(string name, string unit, double budget, double figure, string scale,
        bool isProjected = false) =>
        _figures.Add(new BenchFigure(name, unit, string.Create(CultureInfo.InvariantCulture, $">= {budget}"),
            Math.Round(figure), figure >= budget, scale, isProjected ? "projected" : Measured));

    /// <summary>A figure without a budget.</summary>
    public void Tell(string name, string unit, double figure, string scale) =>
        _figures.Add(new BenchFigure(name, unit, "none", Math.Round(figure, 3), null, scale, Measured));

    internal static EmbeddedOptions Options(string path) => new() { DataPath = path, SnapshotOnClose = false };

    private async Task Disk(string path)
    {
        const int meters = 2000, days = 56;
        Say("disk");
        await using var fleet = EmbeddedFleet.Open(Options(path), new TwinFactory(), null);
        var world = new World(new WorldOptions { Meters = meters, Days = days, Seed = 3 });
        var feed = new WorldFeed(world, "bench");
        await fleet.Append(feed.Fleet(), cancel);
        for (var d = 0; d < days; d++) await fleet.Append(feed.Day(d), cancel);
        var end = new InputBatch("bench");
        end.Add(new SourceEnded("bench"));
        await fleet.Append(end, cancel);
        await fleet.Compact();
        var size = fleet.Journal.Size();
        AtMost("disk after compaction, journal with index", "bytes/reading", 1.5, (double)size.Bytes / size.Readings,
            $"{meters} generated meters x {days} days of half hours, anomalies and PV in");
    }

    private async Task FirstRun(string path)
    {
        Say("start of the host");
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["serve", "--data", path, "--port", "0"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        string? page = null;
        while (page is null && await process.StandardOutput.ReadLineAsync(cancel) is { } line)
            if (line.Contains("page", StringComparison.Ordinal))
                page = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        using var client = new HttpClient();
        using var response = await client.GetAsync($"{page!.TrimEnd('/')}/health/ready", cancel);
        response.EnsureSuccessStatusCode();
        AtMost("host started until the API is ready", "s", 5, watch.Elapsed.TotalSeconds, "empty data directory");
        process.Kill();
        await process.WaitForExitAsync(cancel);
    }

    private async Task Load(string path)
    {
        var scale = string.Create(CultureInfo.InvariantCulture,
            $"{twins:n0} meters x {Days} days of 48, fsync, all detectors");
        var meters = Enumerable.Range(0, twins).Select(IngestBench.Meter).ToArray();
        await using (var fleet = EmbeddedFleet.Open(Options(path), new TwinFactory(), null))
        {
            Say("fleet of " + twins.ToString("n0", CultureInfo.InvariantCulture));
            await IngestBench.Register(fleet, meters);
            long readings = 0;
            double seconds = 0;
            for (var day = 0; day < Days; day++)
            {
                cancel.ThrowIfCancellationRequested();
                var part = await IngestBench.Load(fleet, meters, day, day + 1);
                if (day >= FillDays) (readings, seconds) = (readings + part.Readings, seconds + part.Seconds);
                Say(string.Create(CultureInfo.InvariantCulture,
                    $"day {day + 1} of {Days}: {part.Readings / part.Seconds:n0} readings/s, "
                    + $"{Environment.WorkingSet / 1048576:n0} MB, "
                    + $"managed {GC.GetTotalMemory(false) / 1048576:n0} of "
                    + $"{GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes / 1048576:n0} MB committed"));
            }
            AtLeast("journalled and judged", "readings/s", 2_000_000, readings / seconds, scale
                + $", the last {Days - FillDays} days, each with a closing");
            await fleet.StateHash(cancel);
            // What the twins take is what is free without them: buffers of the engine weigh much beside few twins.
            var with = GC.GetTotalMemory(forceFullCollection: true);
            fleet.Host.Clear();
            var heap = with - GC.GetTotalMemory(forceFullCollection: true);
            AtMost("resident memory of one meter twin, readings only", "bytes", 1024, (double)heap / twins, scale);
            AtMost("peak process memory", "MB", 2048.0 * twins / 1_000_000,
                Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0,
                scale + (twins == 1_000_000 ? "" : "; the budget is that of 1,000,000 in proportion"));
        }
        meters = [];
        GC.Collect();
        Say("recovery");
        var watch = Stopwatch.StartNew();
        await using (var again = EmbeddedFleet.Open(Options(path), new TwinFactory(), null))
            AtMost("recovery without a closing snapshot", "s", 30.0 * twins / 1_000_000, watch.Elapsed.TotalSeconds,
                string.Create(CultureInfo.InvariantCulture, $"{again.Status.Twins:n0} twins")
                    + (twins == 1_000_000 ? "" : "; the budget is that of 1,000,000 in proportion"));
    }
}
