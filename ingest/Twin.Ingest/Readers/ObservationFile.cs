using Twin.Ingest.Text;

namespace Twin.Ingest.Readers;

/// <summary>A file of NDJSON observations.</summary>
internal static class ObservationFile
{
    public static void Read(RowContext context, ByteLines lines)
    {
        var sink = new FeedSink(context);
        while (lines.Next(out var line))
        {
            if (line.Trim(" \t"u8).IsEmpty) continue;
            context.CountRow(4);
            var error = NdjsonObservations.Parse(line, sink);
            if (error is null) continue;
            context.Rejects.Row(context.File, lines.LineNumber, error.Column, error.Property, error.Reason, line);
        }
        context.Builder.Flush();
    }
}
