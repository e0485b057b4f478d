using Twin.Grains;
using Twin.Hardware;

namespace Twin.Ingest.Feed;

/// <summary>Appends a feed to a fleet: while one batch commits, the next is prepared.</summary>
public static class Replayer
{
    /// <summary>Reads all, appends all, and ends with <see cref="SourceEnded"/>.</summary>
    /// <exception cref="FormatError">Nothing was readable, or a named file is not what it should be.</exception>
    /// <exception cref="StorageUnavailableException">The journal could not commit; a later replay goes on from
    /// there.</exception>
    public static async Task<FeedTotals> Run(IFleet fleet, FeedOptions options, CancellationToken cancel)
    {
        using var feed = new FeedReader(options);
        await Task.Run(feed.Read, cancel);
        var (filling, sending) = (new InputBatch(FeedReader.Source), new InputBatch(FeedReader.Source));
        var totals = default(AppendTotals);
        long items = 0;
        var more = feed.Next(filling);
        while (more)
        {
            cancel.ThrowIfCancellationRequested();
            (filling, sending) = (sending, filling);
            var append = fleet.Append(sending, cancel).AsTask();
            try
            {
                more = feed.Next(filling);
            }
            finally
            {
                // The batch under way holds a buffer of ours: it ends before this method does, whatever happens here.
                await ((Task)append).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            var receipt = await append;
            var t = receipt.Totals();
            totals = new AppendTotals(totals.Readings + t.Readings, totals.Duplicates + t.Duplicates,
                totals.Revisions + t.Revisions,
                totals.Late + t.Late, totals.RejectedItems + t.RejectedItems);
            if (t.RejectedItems > 0) Report(feed, sending, receipt);
            items += sending.Count;
            options.Progress?.Invoke(new FeedProgress(0, totals.Readings, 0, 0, items));
        }
        return feed.Totals(totals);
    }

    private static void Report(FeedReader feed, InputBatch batch, AppendReceipt receipt)
    {
        for (var i = 0; i < receipt.Items.Length; i++)
        {
            if (receipt.Items[i].Status != AdmissionStatus.Rejected) continue;
            feed.Refused(Describe(batch[i]), receipt.Items[i].Reason);
        }
    }

    private static string Describe(ReadOnlySpan<byte> input)
    {
        var envelope = Envelope.Read(input);
        if (envelope.Kind != InputKind.ReadingBlock) return $"{envelope.Target} {Input.Read(input).Describe()}";
        var block = ReadingBlock.Read(input);
        var from = UnixTime.FromMinutes(block.StartMinute);
        return $"{envelope.Target} {block.Channel} {block.Count} readings from {from}";
    }
}
