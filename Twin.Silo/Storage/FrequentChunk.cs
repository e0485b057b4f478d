using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

/// <summary>
/// The body of a row of table frequent: inputs of meters that come with every frame, sorted by meter and position. One
/// row of the journal a frame with an index entry would cost more than all else that a frame does.
/// </summary>
internal static class FrequentChunk
{
    public static void Add(ByteWriter body, ref ulong lastId, ref long lastPosition, long position,
        ReadOnlySpan<byte> input)
    {
        var envelope = Envelope.Read(input);
        body.VarUInt(envelope.Target.Id - lastId);
        body.VarInt(position - lastPosition);
        body.Byte((byte)envelope.Kind);
        body.Blob(Envelope.Payload(input));
        (lastId, lastPosition) = (envelope.Target.Id, position);
    }

    /// <summary>Visits inputs as journalled; only those of one meter when <paramref name="only"/> is given.</summary>
    public static void Visit(ReadOnlySpan<byte> body, ulong? only, JournalVisitor visit)
    {
        var r = new ByteReader(body);
        var scratch = new ByteWriter(128);
        ulong id = 0;
        long position = 0;
        while (!r.AtEnd)
        {
            id = unchecked(id + r.VarUInt());
            position = unchecked(position + r.VarInt());
            var kind = (InputKind)r.Byte();
            var payload = r.Blob();
            if (id > only) return;
            if (only is not null && id != only) continue;
            scratch.Clear();
            new Envelope(kind, new TwinKey(TwinKind.Meter, id)).Write(scratch);
            scratch.Bytes(payload);
            visit(position, scratch.Written);
        }
    }
}
