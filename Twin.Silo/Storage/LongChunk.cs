using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

/// <summary>The body of a sealed segment of 14 days: series sorted by meter and channel, each with the journal positions of its days.</summary>
internal static class LongChunk
{
    /// <summary>Appends one series: blocks of ascending days as journalled, with their positions.</summary>
    public static void Add(ByteWriter body, ulong idDelta, List<(long Position, byte[] Input)> days, ByteWriter scratch)
    {
        scratch.Clear();
        long last = 0;
        foreach (var (position, input) in days)
        {
            scratch.VarInt(position - last);
            scratch.Blob(Envelope.Payload(input));
            last = position;
        }
        body.VarUInt(idDelta);
        body.Blob(scratch.Written);
    }

    /// <summary>Visits blocks as journalled; only those of one meter when given.</summary>
    public static void Visit(ReadOnlySpan<byte> body, ulong? only, JournalVisitor visit)
    {
        var r = new ByteReader(body);
        var scratch = new ByteWriter(512);
        ulong id = 0;
        while (!r.AtEnd)
        {
            id = unchecked(id + r.VarUInt());
            var entry = new ByteReader(r.Blob());
            if (only is { } wanted)
            {
                if (id > wanted) return;
                if (id < wanted) continue;
            }
            long position = 0;
            while (!entry.AtEnd)
            {
                position = checked(position + entry.VarInt());
                scratch.Clear();
                new Envelope(InputKind.ReadingBlock, new TwinKey(TwinKind.Meter, id)).Write(scratch);
                scratch.Bytes(entry.Blob());
                visit(position, scratch.Written);
            }
        }
    }

    /// <summary>The body without the blocks that the condition names; empty when none is left.</summary>
    public static byte[] Without(ReadOnlySpan<byte> body, Func<long, ReadOnlySpan<byte>, bool> goes)
    {
        var rest = new ByteWriter(body.Length);
        var scratch = new ByteWriter(4096);
        var series = new List<(long Position, byte[] Input)>();
        (ulong Id, Channel Channel)? open = null;
        ulong lastId = 0;
        void Flush()
        {
            if (series.Count > 0 && open is { } o)
            {
                Add(rest, o.Id - lastId, series, scratch);
                lastId = o.Id;
            }
            series.Clear();
        }
        Visit(body, null, (position, input) =>
        {
            var block = ReadingBlock.Read(input);
            var key = (block.Meter.Value, block.Channel);
            if (open != key) Flush();
            open = key;
            if (!goes(position, input)) series.Add((position, input.ToArray()));
        });
        Flush();
        return rest.ToArray();
    }
}
