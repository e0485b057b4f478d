using System.Globalization;
using System.Security.Cryptography;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

// Consumption is personal data (DESIGN, invariant 9): what is erased is gone from the file, and a tombstone holds its
// digest. secure_delete overwrites freed pages; the write-ahead log is truncated after it.
public sealed partial class SqliteJournal
{
    public void Erase(MeterId meter, int beforeDay, long position)
    {
        lock (_writeGate)
        {
            _write.Run("PRAGMA secure_delete=ON");
            Guarded(() => EraseRows(meter, beforeDay, position));
            _readings = ReadHead().Item2;
            Forget();
        }
    }

    private void EraseRows(MeterId meter, int beforeDay, long position)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long readings = 0;
        bool Goes(ReadOnlySpan<byte> input)
        {
            var envelope = Envelope.Read(input);
            if (envelope.Target != meter.Twin) return false;
            if (envelope.Kind == InputKind.RegisterSnapshot)
            {
                if (((RegisterSnapshot)Input.Read(input)).At.Seconds >= beforeDay * 86_400L) return false;
                hash.AppendData(input);
                return true;
            }
            if (envelope.Kind != InputKind.ReadingBlock) return false;
            var block = ReadingBlock.Read(input);
            if (block.Day.Number >= beforeDay) return false;
            readings += block.PresentCount - block.PriorCount;
            hash.AppendData(input);
            return true;
        }
        EraseFromSegments(meter, beforeDay, Goes);
        EraseFromKept(meter, Goes);
        EraseFromTail(beforeDay, Goes);
        using (var checkpoints = _write.Prepare("DELETE FROM checkpoint WHERE kind=1 AND twin=$t", "$t")
            .With(Sql.Signed(meter.Value)))
            checkpoints.ExecuteNonQuery();
        BuryRow(meter, beforeDay, position, readings, hash);
        _write.Run($"DELETE FROM erasing WHERE position={position}");
    }

    /// <summary>Erasures journalled and not yet carried out, because a crash came between.</summary>
    internal IReadOnlyList<(long Position, Erasure Act)> UnfinishedErasures() => Reading(c =>
    {
        using var select = c.Prepare("SELECT position, input FROM erasing JOIN kept USING(position) ORDER BY position");
        using var reader = select.ExecuteReader();
        var found = new List<(long, Erasure)>();
        while (reader.Read()) found.Add((reader.GetInt64(0), (Erasure)Input.Read(reader.Blob(1))));
        return found;
    });

    internal bool HasSealedBefore(int fromDay) => Reading(c =>
    {
        using var select = c.Prepare("SELECT 1 FROM segment WHERE from_day+days<=$d LIMIT 1", "$d").With(fromDay);
        return select.ExecuteScalar() is not null;
    });

    private delegate bool Condition(ReadOnlySpan<byte> input);

    private void EraseFromSegments(MeterId meter, int beforeDay, Condition goes)
    {
        var rows = new List<(long Id, Segment Segment)>();
        using (var select = _write.Prepare("SELECT id, from_day, days, body FROM segment WHERE from_day<$d AND "
            + "first<=$m AND last>=$m", "$d", "$m").With(beforeDay, Sql.Signed(meter.Value)))
        using (var reader = select.ExecuteReader())
            while (reader.Read())
                rows.Add((reader.GetInt64(0), new Segment(reader.GetInt32(1), reader.GetInt32(2), reader.Blob(3))));
        foreach (var (id, segment) in rows)
        {
            var rewritten = segment.Days == 1 ? WithoutOneDay(segment.Body, goes)
                : LongChunk.Without(segment.Body, segment.FromDay, input => goes(input));
            if (rewritten.Length == 0)
            {
                using var delete = _write.Prepare("DELETE FROM segment WHERE id=$i", "$i").With(id);
                delete.ExecuteNonQuery();
                continue;
            }
            using var update = _write.Prepare("UPDATE segment SET body=$b, digest=$d WHERE id=$i", "$b", "$d", "$i")
                .With(rewritten, Sql.Digest(rewritten), id);
            update.ExecuteNonQuery();
        }
    }

    private static byte[] WithoutOneDay(byte[] body, Condition goes)
    {
        var rest = new ByteWriter(body.Length);
        ulong lastId = 0;
        long lastPosition = 0;
        SegmentChunk.Visit(body, null, (position, input) =>
        {
            if (!goes(input)) SegmentChunk.Add(rest, ref lastId, ref lastPosition, position, input);
        });
        return rest.ToArray();
    }

    private void EraseFromKept(MeterId meter, Condition goes)
    {
        var gone = new List<long>();
        using (var select = _write.Prepare("SELECT position, input FROM kept WHERE twin=$t AND kind=1 AND twin <> "
            + "-9223372036854775808", "$t").With(Sql.Signed(meter.Value)))
        using (var reader = select.ExecuteReader())
            while (reader.Read())
                if (goes(reader.Blob(1))) gone.Add(reader.GetInt64(0));
        using var delete = _write.Prepare("DELETE FROM kept WHERE position=$p", "$p");
        foreach (var p in gone) delete.With(p).ExecuteNonQuery();
    }

    private void EraseFromTail(int beforeDay, Condition goes)
    {
        var rows = new List<(long Last, long Before, byte[] Items)>();
        using (var select = _write.Prepare("SELECT last, before, items FROM batch WHERE min_day<$d", "$d")
            .With(beforeDay))
        using (var reader = select.ExecuteReader())
            while (reader.Read()) rows.Add((reader.GetInt64(0), reader.GetInt64(1), reader.Blob(2)));
        foreach (var (last, before, items) in rows)
        {
            var rest = new ByteWriter(items.Length);
            var restLast = before;
            int min = int.MaxValue, max = int.MinValue;
            JournalBatch.Visit(items, before, (position, input) =>
            {
                if (goes(input)) return;
                var day = ReadingBlock.Read(input).Day.Number;
                (min, max) = (Math.Min(min, day), Math.Max(max, day));
                JournalBatch.AddFramed(rest, ref restLast, position, input);
            });
            if (rest.Length == items.Length) continue;
            if (rest.Length > 0)
            {
                InsertBatch(last, before, min, max, rest.ToArray());
                continue;
            }
            using var delete = _write.Prepare("DELETE FROM batch WHERE last=$l", "$l").With(last);
            delete.ExecuteNonQuery();
        }
    }

    public void Retain(int fromDay, long position)
    {
        lock (_writeGate)
        {
            _write.Run("PRAGMA secure_delete=ON");
            Guarded(() =>
            {
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                long readings = 0;
                using (var select = _write.Prepare("SELECT from_day, days, body FROM segment WHERE from_day+days<=$d "
                    + "ORDER BY id", "$d").With(fromDay))
                using (var reader = select.ExecuteReader())
                {
                    while (reader.Read())
                    {
                        var segment = new Segment(reader.GetInt32(0), reader.GetInt32(1), reader.Blob(2));
                        hash.AppendData(segment.Body);
                        segment.Visit(null, (_, input) => readings += ReadingBlock.Read(input).PresentCount);
                    }
                }
                using var delete = _write.Prepare("DELETE FROM segment WHERE from_day+days<=$d", "$d").With(fromDay);
                var gone = delete.ExecuteNonQuery();
                gone += RetainKept(fromDay, hash, ref readings);
                if (gone > 0) BuryRow(null, fromDay, position, readings, hash);
            });
            _readings = ReadHead().Item2;
            Forget();
        }
    }

    /// <summary>Late readings, revisions and registers of those days, which no segment holds.</summary>
    private int RetainKept(int fromDay, IncrementalHash hash, ref long readings)
    {
        var gone = new List<long>();
        using (var select = _write.Prepare("SELECT position, input FROM kept WHERE kind=1"))
        using (var reader = select.ExecuteReader())
        {
            while (reader.Read())
            {
                var input = reader.Blob(1);
                switch (Envelope.Read(input).Kind)
                {
                    case InputKind.ReadingBlock when ReadingBlock.Read(input) is var block
                        && block.Day.Number < fromDay:
                        readings += block.PresentCount - block.PriorCount;
                        break;
                    case InputKind.RegisterSnapshot
                        when ((RegisterSnapshot)Input.Read(input)).At.Seconds < fromDay * 86_400L:
                        break;
                    default:
                        continue;
                }
                hash.AppendData(input);
                gone.Add(reader.GetInt64(0));
            }
        }
        using var delete = _write.Prepare("DELETE FROM kept WHERE position=$p", "$p");
        foreach (var p in gone) delete.With(p).ExecuteNonQuery();
        return gone.Count;
    }

    private void BuryRow(MeterId? meter, int beforeDay, long position, long readings, IncrementalHash hash)
    {
        using var insert = _write.Prepare("INSERT INTO tombstone(meter,before_day,position,readings,digest) "
            + "VALUES($m,$d,$p,$r,$h)", "$m", "$d", "$p", "$r", "$h");
        insert.With(meter is { } m ? Sql.Signed(m.Value) : DBNull.Value, beforeDay, position, readings,
            Convert.ToHexString(hash.GetHashAndReset()).ToLower(CultureInfo.InvariantCulture)).ExecuteNonQuery();
        using var head = _write.Prepare("UPDATE head SET readings=$r", "$r").With(_readings - readings);
        head.ExecuteNonQuery();
    }

    private void Forget()
    {
        Truncate();
        _write.Run("PRAGMA secure_delete=FAST");
    }
}
