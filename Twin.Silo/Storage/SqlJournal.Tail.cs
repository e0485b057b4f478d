using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Storage;

// The unsealed tail holds the readings of all meters in the order of arrival. What memory knows of its rows spares a
// read of one meter all rows in which it is not.
public abstract partial class SqlJournal
{
    /// <summary>Rows beyond those in use that memory may know; above, it forgets all and learns them anew.</summary>
    private const int MaxForgotten = 4_096;

    private readonly Lock _tailGate = new();

    /// <summary>
    /// Which meters a row of the tail had when it was first read: hashes of their ids, ascending, 4 bytes an item. Rows
    /// only lose items, by sealing: what is known here may name a meter too many, never one too few.
    /// </summary>
    private readonly Dictionary<long, uint[]> _tailRows = [];

    /// <summary>Blocks of a meter in the tail, ascending.</summary>
    private List<(long Position, byte[] Input)> TailOf(MeterId meter, int fromDay, int toDay, long through) =>
        Reading(c =>
        {
            var found = new List<(long, byte[])>();
            var wanted = TailHash(meter.Value);
            foreach (var (last, before) in TailKeys(c, fromDay, toDay, through))
            {
                uint[]? known;
                lock (_tailGate) known = _tailRows.GetValueOrDefault(last);
                if (known is not null && Array.BinarySearch(known, wanted) < 0) continue;
                if (c.Ready("SELECT items FROM batch WHERE last=@l", "@l").With(last).ExecuteScalar()
                    is not byte[] items) continue;
                if (known is null) Learn(last, items, before);
                JournalBatch.Visit(items, before, (position, input) =>
                {
                    if (position <= through && Envelope.Read(input).Target.Id == meter.Value)
                        found.Add((position, input.ToArray()));
                });
            }
            return found;
        });

    private List<(long Last, long Before)> TailKeys(SqlSession c, int fromDay, int toDay, long through)
    {
        using var select = c.Prepare("SELECT last, before FROM batch WHERE max_day>=@a AND min_day<=@b AND before<@p "
            + "ORDER BY last", "@a", "@b", "@p").With(fromDay, toDay, through);
        using var reader = select.ExecuteReader();
        var keys = new List<(long, long)>();
        while (reader.Read()) keys.Add((reader.GetInt64(0), reader.GetInt64(1)));
        lock (_tailGate)
            if (_tailRows.Count > 2 * keys.Count + MaxForgotten) _tailRows.Clear();
        return keys;
    }

    private void Learn(long last, byte[] items, long before)
    {
        var ids = new List<uint>();
        JournalBatch.Visit(items, before, (_, input) => ids.Add(TailHash(Envelope.Read(input).Target.Id)));
        uint[] hashes = [.. ids.Order()];
        lock (_tailGate) _tailRows[last] = hashes;
    }

    private static uint TailHash(ulong id) => (uint)(StableHash.Mix(id) >> 32);
}
