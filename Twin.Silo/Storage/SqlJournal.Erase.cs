using System.Globalization;
using System.Security.Cryptography;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

// Consumption is personal data (DESIGN, invariant 9): what is erased is rewritten without it, and a tombstone holds its
// digest. How what was freed is forgotten is the database's: SQLite overwrites freed pages and truncates its log.
public abstract partial class SqlJournal
{
    public void Erase(MeterId meter, int beforeDay, long position)
    {
        lock (WriteGate)
        {
            PrepareToErase();
            Write(s => EraseRows(s, meter, beforeDay, position));
            Refresh();
            GiveBack(erased: true);
        }
    }

    private static void EraseRows(SqlSession session, MeterId meter, int beforeDay, long position)
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
        EraseFromSegments(session, meter, beforeDay, Goes);
        EraseFromKept(session, meter, Goes);
        EraseFromTail(session, beforeDay, Goes);
        using (var checkpoints = session.Prepare("DELETE FROM checkpoint WHERE kind=1 AND twin=@t", "@t")
            .With(SqlValues.Signed(meter.Value)))
            checkpoints.ExecuteNonQuery();
        BuryRow(session, meter, beforeDay, position, readings, hash);
        session.Run($"DELETE FROM erasing WHERE position={position}");
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
        using var select = c.Prepare("SELECT 1 FROM segment WHERE from_day+days<=@d LIMIT 1", "@d").With(fromDay);
        return select.ExecuteScalar() is not null;
    });

    private delegate bool Condition(ReadOnlySpan<byte> input);

    private static void EraseFromSegments(SqlSession session, MeterId meter, int beforeDay, Condition goes)
    {
        var rows = new List<(long Id, Segment Segment)>();
        using (var select = session.Prepare("SELECT id, from_day, days, body FROM segment WHERE from_day<@d AND "
            + "first<=@m AND last>=@m ORDER BY id", "@d", "@m").With(beforeDay, SqlValues.Signed(meter.Value)))
        using (var reader = select.ExecuteReader())
            while (reader.Read())
                rows.Add((reader.GetInt64(0), new Segment(reader.GetInt32(1), reader.GetInt32(2), reader.Blob(3))));
        foreach (var (id, segment) in rows)
        {
            var rewritten = segment.Days == 1 ? WithoutOneDay(segment.Body, goes)
                : LongChunk.Without(segment.Body, segment.FromDay, input => goes(input));
            if (rewritten.Length == 0)
            {
                using var delete = session.Prepare("DELETE FROM segment WHERE id=@i", "@i").With(id);
                delete.ExecuteNonQuery();
                continue;
            }
            using var update = session.Prepare("UPDATE segment SET body=@b, digest=@d WHERE id=@i", "@b", "@d", "@i")
                .With(rewritten, SqlValues.Digest(rewritten), id);
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

    private static void EraseFromKept(SqlSession session, MeterId meter, Condition goes)
    {
        var gone = new List<long>();
        using (var select = session.Prepare("SELECT position, input FROM kept WHERE twin=@t AND kind=1 AND twin <> "
            + "-9223372036854775808 ORDER BY position", "@t").With(SqlValues.Signed(meter.Value)))
        using (var reader = select.ExecuteReader())
            while (reader.Read())
                if (goes(reader.Blob(1))) gone.Add(reader.GetInt64(0));
        using var delete = session.Prepare("DELETE FROM kept WHERE position=@p", "@p");
        foreach (var p in gone) delete.With(p).ExecuteNonQuery();
    }

    private static void EraseFromTail(SqlSession session, int beforeDay, Condition goes)
    {
        var rows = new List<(long Last, long Before, byte[] Items)>();
        using (var select = session.Prepare("SELECT last, before, items FROM batch WHERE min_day<@d ORDER BY last",
            "@d").With(beforeDay))
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
                InsertBatch(session, last, before, min, max, rest.ToArray());
                continue;
            }
            using var delete = session.Prepare("DELETE FROM batch WHERE last=@l", "@l").With(last);
            delete.ExecuteNonQuery();
        }
    }

    public void Retain(int fromDay, long position)
    {
        lock (WriteGate)
        {
            PrepareToErase();
            Write(s => RetainRows(s, fromDay, position));
            Refresh();
            GiveBack(erased: true);
        }
    }
    private static void RetainRows(SqlSession session, int fromDay, long position)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long readings = 0;
        using (var select = session.Prepare("SELECT from_day, days, body FROM segment WHERE from_day+days<=@d "
            + "ORDER BY id", "@d").With(fromDay))
        using (var reader = select.ExecuteReader())
        {
            while (reader.Read())
            {
                var segment = new Segment(reader.GetInt32(0), reader.GetInt32(1), reader.Blob(2));
                hash.AppendData(segment.Body);
                segment.Visit(null, (_, input) => readings += ReadingBlock.Read(input).PresentCount);
            }
        }
        using var delete = session.Prepare("DELETE FROM segment WHERE from_day+days<=@d", "@d").With(fromDay);
        var gone = delete.ExecuteNonQuery();
        gone += RetainKept(session, fromDay, hash, ref readings);
        if (gone > 0) BuryRow(session, null, fromDay, position, readings, hash);
    }

    /// <summary>Late readings, revisions and registers of those days, which no segment holds.</summary>
    private static int RetainKept(SqlSession session, int fromDay, IncrementalHash hash, ref long readings)
    {
        var gone = new List<long>();
        using (var select = session.Prepare("SELECT position, input FROM kept WHERE kind=1 ORDER BY position"))
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
        using var delete = session.Prepare("DELETE FROM kept WHERE position=@p", "@p");
        foreach (var p in gone) delete.With(p).ExecuteNonQuery();
        return gone.Count;
    }

    private static void BuryRow(SqlSession session, MeterId? meter, int beforeDay, long position, long readings,
        IncrementalHash hash)
    {
        using var insert = session.Prepare("INSERT INTO tombstone(meter,before_day,position,readings,digest) "
            + "VALUES(@m,@d,@p,@r,@h)", "@m", "@d", "@p", "@r", "@h");
        insert.With(meter is { } m ? SqlValues.Signed(m.Value) : DBNull.Value, beforeDay, position, readings,
            Convert.ToHexString(hash.GetHashAndReset()).ToLower(CultureInfo.InvariantCulture)).ExecuteNonQuery();
        using var head = session.Prepare("UPDATE head SET readings=readings-@r", "@r").With(readings);
        head.ExecuteNonQuery();
    }
}
