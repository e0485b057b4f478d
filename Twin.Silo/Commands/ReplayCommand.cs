using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Twin.Grains;
using Twin.Ingest.Dlms;
using Twin.Ingest.Feed;
using Twin.Ingest.Profiles;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Commands;

/// <summary>What a replay came to; the JSON summary.</summary>
internal sealed record ReplaySummary(string Edition, string Engine, int Shards, int Files, long Meters, long Readings,
    long Duplicates, long Revisions, long Late,
    long Rejected, FrameTotals Frames, long Missing, long Rounded, long Findings, double Seconds,
    double ReadingsPerSecond,
    long PeakMemoryBytes, double DiskBytesPerReading,
    string StateHash, IReadOnlyList<string> FileErrors);

/// <summary><c>metertwin replay</c>: recorded telemetry through the same path as live service.</summary>
internal static class ReplayCommand
{
    private sealed record Options(string[] Paths, string? Profile, string[] Fleet, string[] Registry, string[] Events,
        string[] Context, FrameFlags.Given Frames, string? Findings,
        string? Scores, string? Rejects, string? Data, Settings Settings, bool Json);

    public static Command Make()
    {
        var paths = Cli.Paths("paths",
            "files, directories or patterns: interval CSV, JSON arrays, NDJSON, DLMS frames; plain or gzip",
            ArgumentArity.OneOrMore);
        var profile = new Option<string?>("--profile")
        {
            Description = "profile of the files: a JSON file or a shipped one's name (default: sniffed, and printed)",
        };
        var fleet = new Option<string[]>("--fleet")
        {
            Description = "fleet file: meter,role,feeder,… (repeat: a later one is a dated change)",
        };
        var registry = new Option<string[]>("--registry")
        {
            Description = "registry file: manufacturer, plant, lot, installer, …",
        };
        var events = new Option<string[]>("--events") { Description = "recorded device events, CSV or NDJSON" };
        var context = new Option<string[]>("--context")
        {
            Description = "dated context (outages, tariff changes, …), CSV or NDJSON",
        };
        var data = new Option<string?>("--data")
        {
            Description =
                "data directory to replay into; a replay goes on where a killed one stopped (default: temporary)",
        };
        var findings = new Option<string?>("--findings") { Description = "write findings here, NDJSON" };
        var scores = new Option<string?>("--scores") { Description = "write meter,day,score,top here, CSV" };
        var rejects = new Option<string?>("--rejects") { Description = "write what could not be taken here, NDJSON" };
        var frames = new FrameFlags();
        var (shards, horizon) = (Cli.Flag("shards"), Cli.Flag("horizon-days"));
        var command = new Command("replay", "Replay recorded telemetry through twins and detectors.")
        {
            paths, profile, fleet, registry, events, context, frames.Security, frames.Anchors, frames.Keys,
            frames.Meter, frames.Zone, frames.ListEnergyWh, data, shards, horizon, findings, scores, rejects,
            Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(() =>
            Run(new Options(p.GetValue(paths)!, p.GetValue(profile), p.GetValue(fleet)!,
            p.GetValue(registry)!, p.GetValue(events)!, p.GetValue(context)!, frames.Read(p),
            p.GetValue(findings), p.GetValue(scores),
            p.GetValue(rejects), p.GetValue(data),
            Cli.Settings(p, shards, horizon), p.GetValue(Cli.JsonFlag)), cancel)));
        return command;
    }

    private static async Task<int> Run(Options options, CancellationToken cancel)
    {
        var temporary = options.Data is null ? Directory.CreateTempSubdirectory("metertwin-replay-") : null;
        try
        {
            var summary = await Replay(options, options.Data ?? Path.Combine(temporary!.FullName, "data"), cancel);
            if (options.Json) Cli.Print(summary);
            else PrintText(summary);
            // Rejected rows are the sender's affair; a file cut short or of no known form is ours to say loudly.
            foreach (var error in summary.FileErrors) Cli.Message("error: " + error);
            return summary.FileErrors.Count == 0 ? Cli.Ok : Cli.Unusable;
        }
        finally
        {
            temporary?.Delete(recursive: true);
        }
    }

    private static async Task<ReplaySummary> Replay(Options options, string data, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        using var scores = options.Scores is { } path ? new ScoreFile(path) : null;
        var fresh = !File.Exists(Path.Combine(data, "format"));
        var embedded = new EmbeddedOptions
        {
            DataPath = data, Shards = options.Settings.Shards, HorizonDays = options.Settings.HorizonDays,
            LedgerKeyFile = options.Settings.LedgerKeyFile,
            OnScore = fresh && scores is not null ? scores.Write : null,
        };
        ReplaySummary summary;
        await using (var fleet = EmbeddedFleet.Open(embedded, new TwinFactory(), Cli.Message))
        {
            var totals = await Feed(fleet, options, cancel);
            var seconds = watch.Elapsed.TotalSeconds;
            await fleet.Compact();
            if (options.Findings is { } file) await FindingFile.Write(fleet, file);
            var size = fleet.Journal.Size();
            var status = fleet.Status;
            summary = new ReplaySummary(Edition.Name, "embedded", embedded.Shards, totals.Files, totals.Meters,
                totals.Readings, totals.Duplicates, totals.Revisions,
                totals.Late, totals.Rejected, totals.Frames, totals.Missing, totals.Rounded,
                fleet.Journal.FindingCount(),
                Math.Round(seconds, 3),
                Math.Round(totals.Readings / Math.Max(seconds, 1e-9)), Process.GetCurrentProcess().PeakWorkingSet64,
                size.Readings == 0 ? 0 : Math.Round((double)size.Bytes / size.Readings, 3),
                await fleet.StateHash(cancel), totals.FileErrors);
        }
        // A resumed replay has the scores of days closed before only in the journal.
        if (!fresh && scores is not null) ScoreFile.Rebuild(data, embedded.Shards, scores);
        return summary;
    }

    private static async Task<FeedTotals> Feed(EmbeddedFleet fleet, Options options, CancellationToken cancel)
    {
        var progress = new ProgressLine();
        using var keys = options.Frames.Keys is { } keyFile ? FrameKeyring.Open(keyFile) : FrameKeyring.Keyless;
        var feed = new FeedOptions
        {
            Paths = options.Paths, FleetFiles = options.Fleet, RegistryFiles = options.Registry,
            EventFiles = options.Events, ContextFiles = options.Context, SecurityFiles = options.Frames.Security,
            TrustAnchors = options.Frames.Anchors, Frames = keys.Intake, FrameMeter = options.Frames.Meter,
            FrameZone = options.Frames.Zone, ListEnergyWh = options.Frames.ListEnergyWh,
            Profile = options.Profile is { } name ? ProfileLibrary.Get(name) : null,
            Rejects = options.Rejects is { } rejects ? File.Create(rejects) : null,
            Message = Cli.Message,
            Progress = p => progress.Show(() => Line(p, progress.Elapsed)),
        };
        try
        {
            return await Replayer.Run(fleet, feed, cancel);
        }
        finally
        {
            progress.Done();
        }
    }

    private static string Line(FeedProgress p, TimeSpan elapsed)
    {
        var rate = p.Readings / Math.Max(1e-3, elapsed.TotalSeconds);
        if (p.Appended > 0)
            return string.Create(CultureInfo.InvariantCulture, $"judged {p.Readings:n0} readings, {rate:n0}/s");
        var share = p.BytesTotal > 0 ? (double)p.BytesRead / p.BytesTotal : 0;
        var left = share > 0.01 ? TimeSpan.FromSeconds(elapsed.TotalSeconds * (1 - share) / share) : TimeSpan.Zero;
        return string.Create(CultureInfo.InvariantCulture,
            $"read {share:p0} of the files, {p.Readings:n0} readings, {rate:n0}/s, {left:mm\\:ss} left");
    }

    private static void PrintText(ReplaySummary s)
    {
        var c = CultureInfo.InvariantCulture;
        Console.WriteLine(string.Create(c, $"✓ {s.Readings:n0} readings of {s.Meters:n0} meters replayed in "
            + $"{s.Seconds:n1} s ({s.ReadingsPerSecond:n0}/s, {s.Shards} shards)"));
        Console.WriteLine(string.Create(c, $"  duplicates {s.Duplicates:n0}  revisions {s.Revisions:n0}  late "
            + $"{s.Late:n0}  rejected {s.Rejected:n0}  missing {s.Missing:n0}  rounded {s.Rounded:n0}"));
        Console.WriteLine(string.Create(c, $"  findings {s.Findings:n0}  disk {s.DiskBytesPerReading:0.###} bytes a "
            + $"reading  peak memory {s.PeakMemoryBytes / 1e6:n0} MB"));
        if (s.Frames != default)
            Console.WriteLine(string.Create(c, $"  frames {s.Frames.Valid:n0} valid, {s.Frames.Rejected:n0} rejected"));
        Console.WriteLine($"  state_hash {s.StateHash}");
    }
}
