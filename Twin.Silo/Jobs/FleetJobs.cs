using System.Globalization;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Feed;
using Twin.Ingest.Profiles;
using Twin.Silo.Commands;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;
using Twin.Silo.WhatIf;

namespace Twin.Silo.Jobs;

/// <summary>What came of a replay. <paramref name="Findings"/>: by kind.</summary>
internal sealed record ReplayResult(FeedTotals Totals, IReadOnlyDictionary<string, int> Findings, string StateHash);

/// <summary>
/// The work of jobs beside an embedded fleet: each on a copy of the data directory, or in one of its own. While the
/// copy is made the fleet takes nothing; then it goes on.
/// </summary>
internal sealed class FleetJobs(EmbeddedFleet fleet, Scratch scratch)
{
    /// <summary>Findings of a replay that are counted.</summary>
    private const int MaxFindings = 10_000;

    /// <summary>Threads of a job; the fleet beside it has the others.</summary>
    private const int Shards = 1;

    public JobWork Make(JobRequest request)
    {
        var work = WorkOf(request);
        return async (progress, cancel) =>
        {
            try
            {
                return await work(progress, cancel);
            }
            catch (Exception e) when (e is ArgumentException or FormatException or DataDirectoryException
                or IOException)
            {
                throw new IOException(WithoutPaths(e.Message, request.File), e);
            }
        };
    }

    /// <summary>Where something lay here is nobody's business.</summary>
    private string WithoutPaths(string text, string? file)
    {
        if (file is not null) text = text.Replace(file, Path.GetFileName(file), StringComparison.Ordinal);
        return text.Replace(scratch.Folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
    }

    private JobWork WorkOf(JobRequest request) => request.Kind switch
    {
        JobKind.WhatIf => (progress, _) => OnCopy(progress, path => WhatIf(path, request, progress)),
        JobKind.Verify => (progress, _) => OnCopy(progress, path => Verify(path, progress)),
        _ => (progress, cancel) => scratch.Within(path => Replay(path, request, progress, cancel)),
    };

    private Task<object> OnCopy(JobProgress progress, Func<string, object> work) => scratch.Within(async path =>
    {
        progress(0, "copies the data directory");
        await fleet.Backup(path);
        return work(path);
    });

    private static VerifyReport Verify(string path, JobProgress progress)
    {
        progress(0.05, "checks digests and the ledger");
        return Verifier.Run(path, Shards, new TwinFactory(), _ => { },
            done => progress(0.1 + 0.8 * done, "rebuilds every twin from the journal"));
    }

    private static object WhatIf(string path, JobRequest request, JobProgress progress)
    {
        using var directory = DataDirectory.Open(path, mustExist: true);
        using var journal = new SqliteJournal(directory.JournalFile);
        var (end, pass) = (Math.Max(1.0, journal.Position), 0);
        var notes = new List<string>();
        var run = new WhatIfRun
        {
            Journal = journal, Folder = directory.Path, Shards = Shards, Factory = new TwinFactory(), Log = notes.Add,
            Progress = at => progress(0.05 + (pass + at / end) * 0.47, string.Create(CultureInfo.InvariantCulture,
                $"run {pass + 1} of 2: {at:n0} of {end:n0} inputs")),
        };
        progress(0.05, "runs the record as it is");
        var recorded = run.AsRecorded();
        pass = 1;
        progress(0.52, "runs it under the other policy");
        var other = run.Under(recorded, request.Text, request.Since, out var leftOut);
        return WhatIfCommand.Json(recorded, other, leftOut, notes);
    }

    private async Task<object> Replay(string path, JobRequest request, JobProgress progress,
        CancellationToken cancel)
    {
        progress(0, "reads the recording");
        await using var other = EmbeddedFleet.Open(
            new EmbeddedOptions { DataPath = path, Shards = Shards, SnapshotOnClose = false }, new TwinFactory(), null);
        var totals = await Replayer.Run(other, new FeedOptions
        {
            Paths = [request.File!], Profile = request.Profile is { } name ? ProfileLibrary.Get(name) : null,
            TempDirectory = Path.GetDirectoryName(path),
            Progress = p => progress(p.Appended == 0 ? 0.5 * p.BytesRead / Math.Max(1, p.BytesTotal)
                : 0.5 + 0.5 * p.Appended / Math.Max(1.0, p.Appended + 65_536), string.Create(
                    CultureInfo.InvariantCulture, $"{p.Readings:n0} readings")),
        }, cancel);
        var findings = await other.Findings(new FindingQuery(null, null, null, null, MaxFindings), cancel);
        return new ReplayResult(totals with
        { FileErrors = [.. totals.FileErrors.Select(e => WithoutPaths(e, request.File))] },
            findings.GroupBy(f => Finding.NameOf(f.Kind)).ToDictionary(g => g.Key, g => g.Count()),
            await other.StateHash(cancel));
    }
}
