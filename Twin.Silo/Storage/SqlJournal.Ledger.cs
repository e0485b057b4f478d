using System.Buffers.Binary;
using System.Data.Common;
using System.Globalization;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Silo.Storage;

/// <summary>Where the ledger ends, and the event time of its last entry.</summary>
internal sealed record LedgerEnd(LedgerChain Chain, UnixTime At)
{
    public static LedgerEnd Start { get; } = new(LedgerChain.Start, default);
}

/// <summary>An entry with the columns that stand beside it.</summary>
internal sealed record LedgerRow(long Number, long Position, long Kind, long CaseKind, ulong CaseId, long At,
    byte[] Body, byte[] Hash, byte[] Digest);

// The ledger: entries in one chain, committed with the inputs that caused them; the newest state of each case, so that
// cases can be found; seals; and how far each reader has come.
public abstract partial class SqlJournal
{
    /// <summary>Rows that one query gives at most.</summary>
    private const int MaxRows = 10_000;

    /// <summary>The writer's own end; <see cref="End"/> is what is committed, whoever wrote it.</summary>
    private volatile LedgerEnd _end = LedgerEnd.Start;

    /// <summary>The end that a batch gave its entries when it was last written; it holds once that is committed.
    /// </summary>
    private (JournalBatch Batch, LedgerEnd End)? _stored;

    /// <summary>How far this process knows the ledger to be committed; asks nobody.</summary>
    internal LedgerEnd KnownEnd => _end;

    public LedgerChain End => Once(ReadEnd).Chain;

    /// <summary>
    /// Writes something that is no part of the order of inputs, synced before it returns; runs beside appending.
    /// </summary>
    private protected abstract void Note(Action<SqlSession> work);

    private static LedgerEnd ReadEnd(SqlSession session)
    {
        using var select = session.Prepare("SELECT number, hash, at_s FROM ledger ORDER BY number DESC LIMIT 1");
        using var reader = select.ExecuteReader();
        return reader.Read() ? new LedgerEnd(new LedgerChain(reader.GetInt64(0), reader.Blob(1)),
            new UnixTime(reader.GetInt64(2))) : LedgerEnd.Start;
    }

    private void StoreLedger(SqlSession to, JournalBatch batch)
    {
        var (end, at, tables) = (_end.Chain, _end.At, new FindTables(to));
        foreach (var bytes in batch.Ledger)
        {
            end = end.Next(bytes);
            var entry = LedgerEntry.Read(bytes);
            at = entry.At;
            to.Insert(JournalTable.Ledger, end.Number, batch.LastPosition, (int)entry.Kind, (int)entry.Case.Kind,
                SqlValues.Signed(entry.Case.Id), at.Seconds, bytes, end.Hash,
                PlaceDigest(batch.LastPosition, end.Hash));
            tables.Take(entry);
            if (entry.Kind != LedgerKind.Case) continue;
            var c = CaseSnapshot.Read(entry.Body);
            to.Insert(JournalTable.Case, SqlValues.Signed(c.Case.Id), c.Number, (int)c.Subject.Kind,
                SqlValues.Signed(c.Subject.Id), (int)c.Desk, (int)c.Condition, (int)c.Handling, IsQueued(c) ? 1 : 0,
                c.ChangedAt.Seconds, entry.Body);
        }
        if (batch.Ledger.Count > 0)
            to.Ready("UPDATE ledgerhead SET number=@n, hash=@h", "@n", "@h").With(end.Number, end.Hash)
                .ExecuteNonQuery();
        _stored = (batch, new LedgerEnd(end, at));
    }

    /// <summary>Of what stands beside an entry: its position is no part of the chain, an import gives it another.
    /// </summary>
    internal static byte[] PlaceDigest(long position, ReadOnlySpan<byte> hash)
    {
        Span<byte> bytes = stackalloc byte[8 + LedgerChain.HashBytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, position);
        hash.CopyTo(bytes[8..]);
        return SqlValues.Digest(bytes)[..8];
    }

    /// <summary>People have to do with it by itself: no group, cover or mere record has it.</summary>
    private static bool IsQueued(CaseSnapshot c) => c is { Verdict: CaseVerdict.Open, Placing: Placing.Queued };

    private const string EntryColumns = "SELECT number, hash, body, position FROM ledger ";

    public IReadOnlyList<StoredEntry> Entries(long after, int limit) => Reading(c =>
    {
        using var select = c.Prepare(EntryColumns + "WHERE number>@a ORDER BY number LIMIT @n", "@a", "@n")
            .With(after, Math.Clamp(limit, 0, MaxRows));
        return EntriesOf(select);
    });

    public IReadOnlyList<StoredEntry> EntriesOf(TwinKey caseKey, int limit) => Reading(c =>
    {
        using var select = c.Prepare(EntryColumns + "WHERE case_id=@t AND case_kind=@k ORDER BY number LIMIT @n",
            "@t", "@k", "@n")
            .With(SqlValues.Signed(caseKey.Id), (int)caseKey.Kind, Math.Clamp(limit, 0, MaxRows));
        return EntriesOf(select);
    });

    public IReadOnlyList<StoredEntry> LastOf(TwinKey caseKey, int limit) => Reading(c =>
    {
        using var select = c.Prepare(EntryColumns + "WHERE case_id=@t AND case_kind=@k ORDER BY number DESC LIMIT @n",
            "@t", "@k", "@n")
            .With(SqlValues.Signed(caseKey.Id), (int)caseKey.Kind, Math.Clamp(limit, 0, MaxRows));
        var found = EntriesOf(select);
        found.Reverse();
        return found;
    });

    private static List<StoredEntry> EntriesOf(DbCommand select)
    {
        using var reader = select.ExecuteReader();
        var found = new List<StoredEntry>();
        while (reader.Read())
            found.Add(new StoredEntry(reader.GetInt64(0), reader.Blob(1), LedgerEntry.Read(reader.Blob(2)),
                reader.GetInt64(3)));
        return found;
    }

    public IReadOnlyList<CaseSnapshot> Cases(CaseQuery query) => [.. Find(query, withResponses: false)
        .Select(row => row.Case)];

    public IReadOnlyList<LedgerSeal> Seals(long after, int limit) => Reading(c =>
    {
        using var select = c.Prepare("SELECT number, at_s, key, signature FROM seal WHERE number>@a ORDER BY number "
            + "LIMIT @n", "@a", "@n").With(after, Math.Clamp(limit, 0, MaxRows));
        using var reader = select.ExecuteReader();
        var found = new List<LedgerSeal>();
        while (reader.Read())
            found.Add(LedgerSeal.OfStored(reader.GetInt64(0), new UnixTime(reader.GetInt64(1)), reader.Blob(2),
                reader.Blob(3)));
        return found;
    });

    internal LedgerSeal? LastSeal => Once(LastSealed) is { } last ? Seals(last - 1, 1)[0] : null;

    private static long? LastSealed(SqlSession session) =>
        (long?)session.Scalar("SELECT number FROM seal ORDER BY number DESC LIMIT 1");

    public long Cursor(string reader) => Once(s =>
        (long?)s.Ready("SELECT number FROM cursor WHERE reader=@r", "@r").With(reader).ExecuteScalar() ?? 0);

    public void SetCursor(string reader, long number, bool reset) => Note(s => s.Ready(
        "INSERT INTO cursor(reader, number) VALUES(@r, @n) ON CONFLICT(reader) DO UPDATE SET number=excluded.number "
        + "WHERE @x=1 OR excluded.number > cursor.number", "@r", "@n", "@x")
        .With(reader, number, reset ? 1L : 0L).ExecuteNonQuery());

    public LedgerSeal? SealLedger(Func<LedgerChain, UnixTime, LedgerSeal> sign)
    {
        var (end, sealedTo) = Reading(c => (ReadEnd(c), LastSealed(c)));
        if (end.Chain.Number == 0 || end.Chain.Number <= sealedTo) return null;
        var seal = sign(end.Chain, end.At);
        // Statement by statement: where they do not commit together, the head may be behind and is never ahead.
        Note(s =>
        {
            s.Ready("INSERT INTO seal(number, ordinal, at_s, key, signature) SELECT @n, coalesce(max(ordinal), 0)+1, "
                + "@a, @k, @s FROM seal WHERE 1=1 ON CONFLICT(number) DO NOTHING", "@n", "@a", "@k", "@s")
                .With(seal.Number, seal.At.Seconds, seal.Key, seal.StoredSignature()).ExecuteNonQuery();
            s.Ready("UPDATE ledgerhead SET seals=(SELECT max(ordinal) FROM seal)").ExecuteNonQuery();
        });
        return seal;
    }

    public IEnumerable<string> CheckLedger(Action<StoredEntry> visit)
    {
        var check = new StoredLedgerCheck(visit);
        Apart(c =>
        {
            ReadAll(c, "SELECT number, ordinal, at_s, key, signature FROM seal ORDER BY number", r => check.Expect(
                r.GetInt64(1),
                LedgerSeal.OfStored(r.GetInt64(0), new UnixTime(r.GetInt64(2)), r.Blob(3), r.Blob(4))));
            ReadAll(c, "SELECT number, position, kind, case_kind, case_id, at_s, body, hash, digest FROM ledger "
                + "ORDER BY number", r => check.Row(new LedgerRow(r.GetInt64(0), r.GetInt64(1), r.GetInt64(2),
                    r.GetInt64(3), SqlValues.Unsigned(r.GetInt64(4)), r.GetInt64(5), r.Blob(6), r.Blob(7),
                    r.Blob(8))));
            ReadAll(c, "SELECT id, number, subject_kind, subject, desk, state, handling, queued, changed_s, body "
                + "FROM casefile ORDER BY id, number", r => check.Case(CaseRow(r), r.Blob(9)));
            ReadAll(c, "SELECT number, hash, seals FROM ledgerhead", r =>
                check.Head(new LedgerChain(r.GetInt64(0), r.Blob(1)), r.GetInt64(2)));
            // Some of a mirror's cursors are positions of the journal.
            ReadAll(c, "SELECT reader, number FROM cursor WHERE reader NOT LIKE 'mirror/%/at-%' OR number < 0 OR "
                + "number > (SELECT position FROM head) ORDER BY reader",
                r => check.Cursor(r.GetString(0), r.GetInt64(1)));
        });
        return check.End();
    }

    private static void ReadAll(SqlSession session, string sql, Action<DbDataReader> row)
    {
        using var select = session.Prepare(sql);
        using var reader = select.ExecuteReader();
        while (reader.Read()) row(reader);
    }

    private static string CaseRow(DbDataReader reader) => string.Create(CultureInfo.InvariantCulture,
        $"{SqlValues.Unsigned(reader.GetInt64(0)):x16}-{reader.GetInt64(1)} {reader.GetInt64(2)} "
        + $"{SqlValues.Unsigned(reader.GetInt64(3)):x16} {reader.GetInt64(4)} {reader.GetInt64(5)} "
        + $"{reader.GetInt64(6)} {reader.GetInt64(7)} {reader.GetInt64(8)}");

    /// <summary>The same text of what the body says.</summary>
    internal static string CaseRow(CaseSnapshot c) => string.Create(CultureInfo.InvariantCulture,
        $"{c.Case.Id:x16}-{c.Number} {(int)c.Subject.Kind} {c.Subject.Id:x16} {(int)c.Desk} {(int)c.Condition} "
        + $"{(int)c.Handling} {(IsQueued(c) ? 1 : 0)} {c.ChangedAt.Seconds}");
}
