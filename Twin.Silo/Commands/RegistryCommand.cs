using System.CommandLine;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Ingest.Blocks;
using Twin.Ingest.Feed;
using Twin.Ingest.Records;
using Twin.Silo.Embedded;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin registry</c>: fleet and registry files into a data directory, with a dry run that only tells what would
/// change.
/// </summary>
internal static class RegistryCommand
{
    private sealed record Summary(bool DryRun, int Rows, int Changed, int Unchanged, long Rejected,
        IReadOnlyList<string> Changes);

    /// <summary>Changes listed; more are counted.</summary>
    private const int MaxListed = 1000;

    public static Command Make()
    {
        var data = Cli.Flag("data");
        var files = Cli.Paths("files", "registry files, CSV or NDJSON: manufacturer, plant, lot, supplier, …",
            ArgumentArity.ZeroOrMore);
        var fleet = new Option<string[]>("--fleet")
        {
            Description = "fleet files: role, feeder, model, firmware, lot, …",
        };
        var frames = new FrameFlags();
        var rejects = new Option<string?>("--rejects") { Description = "write what could not be taken here, NDJSON" };
        var dry = new Option<bool>("--dry-run") { Description = "change nothing; list what would change" };
        var command =
            new Command("registry", "Import fleet and registry files; twins exist from shipment on. Idempotent.")
        {
            files, fleet, frames.Security, frames.Anchors, data, rejects, dry, Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var summary = await Import(Cli.Settings(p, data).Data, p.GetValue(files)!, p.GetValue(fleet)!,
                p.GetValue(frames.Security)!, p.GetValue(frames.Anchors), p.GetValue(rejects), p.GetValue(dry), cancel);
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(summary);
            else
            {
                Console.WriteLine($"✓ {summary.Rows} rows: {summary.Changed} "
                    + $"{(summary.DryRun ? "would change" : "changed")}, {summary.Unchanged} as they are, "
                    + $"{summary.Rejected} rejected");
                foreach (var change in summary.Changes) Console.WriteLine("  " + change);
            }
            return Cli.Ok;
        }));
        return command;
    }

    private static async Task<Summary> Import(string data, string[] files, string[] fleetFiles,
        string[] securityFiles, string? anchorsFile, string? rejectsFile, bool dry, CancellationToken cancel)
    {
        if (files.Length + fleetFiles.Length + securityFiles.Length == 0)
            throw new ArgumentException("Give at least one registry file, --fleet FILE or --security FILE.");
        using var rejects = new Rejects(rejectsFile is null ? null : File.Create(rejectsFile));
        var feed = new RecordFeed(new MeterTable(), rejects);
        foreach (var file in fleetFiles) feed.ReadFleet(file);
        foreach (var file in files) feed.ReadRegistry(file);
        using (var anchors = anchorsFile is null ? null : TrustAnchors.Read(anchorsFile))
            foreach (var file in securityFiles) feed.ReadSecurity(file, anchors);
        var inputs = feed.InOrder;
        await using var fleet = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = data, SnapshotOnClose = !dry },
            new TwinFactory(), Cli.Message);
        var results = dry ? fleet.WouldAdmit(inputs) : await Append(fleet, inputs, cancel);
        var changes = new List<string>();
        int changed = 0, unchanged = 0, refused = 0;
        for (var i = 0; i < results.Count; i++)
        {
            if (results[i].Status == AdmissionStatus.Rejected) refused++;
            else if (results[i].Status == AdmissionStatus.Duplicate) unchanged++;
            else if (++changed <= MaxListed && dry)
                changes.Add($"{inputs[i].Target}: {inputs[i].Describe()}");
        }
        return new Summary(dry, results.Count, changed, unchanged, rejects.Rows + rejects.Cells + refused, changes);
    }

    private static async Task<List<Admission>> Append(EmbeddedFleet fleet, IReadOnlyList<Input> inputs,
        CancellationToken cancel)
    {
        var results = new List<Admission>();
        for (var i = 0; i < inputs.Count;)
        {
            var batch = new InputBatch("registry");
            for (; i < inputs.Count && batch.Count < 8192 && !batch.IsFull; i++) batch.Add(inputs[i]);
            results.AddRange((await fleet.Append(batch, cancel)).Items);
        }
        return results;
    }
}
