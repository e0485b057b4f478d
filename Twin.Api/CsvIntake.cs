using System.IO.Pipelines;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest;
using Twin.Ingest.Feed;
using Twin.Ingest.Profiles;

namespace Twin.Api;

/// <summary>
/// What became of a file of readings. Readings, duplicates, revisions and late ones are single values;
/// <paramref name="Rejected"/> counts rows, cells and blocks of which nothing was taken, <paramref name="Reasons"/>
/// names the first.
/// </summary>
internal sealed record CsvAnswer(long? Position, string Profile, long Rows, long Readings, long Duplicates,
    long Revisions, long Late, long Rejected, IReadOnlyList<string> Reasons);

/// <summary>
/// Takes CSV by a profile: the body goes into a file, is sorted into event-time order and appended batch by batch. Sent
/// again it gives the same inputs, which are duplicates then.
/// </summary>
internal sealed class CsvIntake(IFleet fleet, ApiOptions options, string source)
{
    public const string Csv = "text/csv";

    /// <summary>Memory of the sort of one body; what is beyond goes into files.</summary>
    private const int SortBytes = 16 * 1024 * 1024;

    private const int BatchItems = 4_096, MaxReasons = 20;

    /// <summary>A body holds up to a gigabyte of open blocks while it is read: two at once.</summary>
    private static readonly SemaphoreSlim s_atOnce = new(2);

    public static bool Is(string? contentType) => contentType?.Split(';')[0].Trim().ToLowerInvariant() is Csv;

    public static Profile? ProfileOf(string? name) => name is null ? null
        : ProfileLibrary.All.FirstOrDefault(p => p.Name == name) ?? throw Parameters.Bad("bad_profile",
            "There is no profile of this name.",
            $"Use one of: {string.Join(", ", ProfileLibrary.All.Select(p => p.Name))}; or leave it out.");

    /// <exception cref="ApiProblem">It is no file of readings, or too large.</exception>
    /// <exception cref="StorageUnavailableException">It is stored in part: send it again.</exception>
    public async Task<CsvAnswer> Run(PipeReader body, Profile? profile, CancellationToken cancel)
    {
        using var spool = await Spool.Of(options, ".csv", body, cancel);
        await s_atOnce.WaitAsync(cancel);
        try
        {
            return await Run(spool, profile, cancel);
        }
        finally
        {
            s_atOnce.Release();
        }
    }

    private async Task<CsvAnswer> Run(Spool spool, Profile? profile, CancellationToken cancel)
    {
        var (seen, reasons) = (profile?.Name ?? "", new List<string>());
        using var feed = new FeedReader(new FeedOptions
        {
            Paths = [spool.Path], Profile = profile, SortMemoryBytes = SortBytes, BatchItems = BatchItems,
            TempDirectory = Path.GetDirectoryName(spool.Path),
            Message = m => seen = seen.Length > 0 ? seen : spool.Said(m),
            Progress = _ => cancel.ThrowIfCancellationRequested(),
        });
        try
        {
            await Task.Run(feed.Read, cancel);
        }
        catch (FormatError e)
        {
            throw new ApiProblem(400, "bad_csv", $"The body cannot be read: {spool.Said(e.Problem)}",
                e.Remedy.Length > 0 ? e.Remedy.Replace("--profile", "?profile=", StringComparison.Ordinal)
                    : "Give a profile that fits: ?profile=NAME.");
        }
        var (read, send, position, totals) = (new InputBatch(source), new InputBatch(source), (long?)null,
            default(AppendTotals));
        long ahead = 0;
        while (feed.Next(read))
        {
            ahead += Keep(read, send, reasons);
            if (send.Count == 0) continue;
            var receipt = await fleet.Append(send, cancel);
            (position, totals) = (receipt.Position, Sum(totals, receipt.Totals()));
            reasons.AddRange(receipt.Items.Where(i => i.Status == AdmissionStatus.Rejected)
                .Select(i => i.Reason).Take(MaxReasons - reasons.Count));
        }
        var all = feed.Totals(totals);
        return new CsvAnswer(position, seen, all.Rows, all.Readings, all.Duplicates, all.Revisions, all.Late,
            all.Rejected + ahead, [.. all.FirstRejects.Concat(all.FileErrors).Select(spool.Said).Concat(reasons)
                .Take(MaxReasons)]);
    }

    /// <summary>
    /// What belongs to a replay alone stays out: other sources go on. A reading beyond the clock would close every day
    /// before it for all meters. How many blocks are left out for that.
    /// </summary>
    private int Keep(InputBatch read, InputBatch send, List<string> reasons)
    {
        send.Clear();
        var ahead = 0;
        for (var i = 0; i < read.Count; i++)
        {
            var kind = Envelope.Read(read[i]).Kind;
            if (kind is InputKind.SourceEnded or InputKind.Sweep) continue;
            if (kind == InputKind.ReadingBlock && options.Latest() is { } latest)
            {
                var block = ReadingBlock.Read(read[i]);
                var end = UnixTime.FromMinutes(block.StartMinute + (long)block.Count * block.IntervalMinutes);
                if (end.CompareTo(latest) > 0)
                {
                    ahead++;
                    if (reasons.Count < MaxReasons)
                        reasons.Add($"readings of meter {block.Meter} end at {end}, more than a day ahead of the "
                            + "service's clock; correct the times, or the profile's zone");
                    continue;
                }
            }
            send.Add(read[i]);
        }
        return ahead;
    }

    private static AppendTotals Sum(in AppendTotals a, in AppendTotals b) => new(a.Readings + b.Readings,
        a.Duplicates + b.Duplicates, a.Revisions + b.Revisions, a.Late + b.Late, a.RejectedItems + b.RejectedItems);
}
