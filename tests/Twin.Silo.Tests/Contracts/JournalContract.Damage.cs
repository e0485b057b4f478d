using System.Globalization;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Silo.Storage;

namespace Twin.Silo.Tests.Contracts;

// Somebody who can write to the tables changes what was recorded: each time the check names the entry, case or seal.
public abstract partial class JournalContract
{
    private static readonly string[] s_tables = ["ledger", "casefile", "seal", "ledgerhead"];

    /// <summary>Runs statements on the tables beside the journal.</summary>
    protected abstract void Damage(string sql);

    /// <summary>Bytes as the database writes them.</summary>
    protected abstract string Literal(byte[] bytes);

    /// <summary>16 entries of three cases, sealed at 8 and at 12.</summary>
    private IJournal Sound(LedgerKey key)
    {
        var journal = Open();
        Record(journal, LedgerSamples.Story(1, 1));
        Record(journal, LedgerSamples.Story(2, 2));
        Assert.Equal(8, journal.SealLedger(key.Seal)!.Number);
        Record(journal, LedgerSamples.Story(1, 3));
        Assert.Equal(12, journal.SealLedger(key.Seal)!.Number);
        Record(journal, LedgerSamples.Story(3, 4));
        foreach (var table in s_tables) Damage($"CREATE TABLE sound_{table} AS SELECT * FROM {table}");
        return journal;
    }

    /// <summary>Damages, looks, and puts everything back.</summary>
    private void RequireFound(IJournal journal, string sql, string named)
    {
        Damage(sql);
        var found = Check(journal);
        Assert.True(found.Any(p => p.Contains(named, StringComparison.Ordinal)),
            $"{sql}: expected '{named}', found: {string.Join("; ", found)}");
        foreach (var table in s_tables)
            Damage($"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM sound_{table}");
    }

    private string Flipped(byte[] bytes, int at)
    {
        byte[] changed = [.. bytes];
        changed[at] ^= 1;
        return Literal(changed);
    }

    private static string Swap(string table, string column, object a, object b) => string.Create(
        CultureInfo.InvariantCulture, $"UPDATE {table} SET {column}=-77 WHERE {column}={a}; "
            + $"UPDATE {table} SET {column}={a} WHERE {column}={b}; "
            + $"UPDATE {table} SET {column}={b} WHERE {column}=-77");

    [Fact]
    public void A_sound_ledger_has_nothing_wrong_and_every_entry_is_shown()
    {
        using var key = Key();
        using var journal = Sound(key);
        var shown = new List<StoredEntry>();
        Assert.Empty(journal.CheckLedger(shown.Add));
        Assert.Equal(Told(journal.Entries(0, 100)), Told(shown));
        Assert.Empty(journal.CheckDigests());
    }

    [Fact]
    public void An_entry_changed_by_a_byte_taken_out_or_moved_is_named()
    {
        using var key = Key();
        using var journal = Sound(key);
        RequireFound(journal, "UPDATE ledger SET number=99 WHERE number=6", "entry 6 is missing");
        foreach (var column in (string[])["position", "kind", "case_kind", "case_id", "at_s"])
            foreach (var number in (int[])[1, 6, 16])
                RequireFound(journal, $"UPDATE ledger SET {column}={column}+1 WHERE number={number}",
                    $"entry {number}:");
        var entry = journal.Entries(5, 1)[0];
        var (body, hash) = (entry.Entry.ToBytes(), entry.Hash);
        for (var at = 0; at < body.Length; at += 13)
            RequireFound(journal, $"UPDATE ledger SET body={Flipped(body, at)} WHERE number=6", "entry 6 is not what");
        for (var at = 0; at < hash.Length; at += 5)
            RequireFound(journal, $"UPDATE ledger SET hash={Flipped(hash, at)} WHERE number=6", "entry 6 is not what");
        var digest = SqlJournal.PlaceDigest(entry.Position, hash);
        RequireFound(journal, $"UPDATE ledger SET digest={Flipped(digest, 7)} WHERE number=6", "entry 6:");
        foreach (var number in (int[])[1, 6, 15, 16])
            RequireFound(journal, $"DELETE FROM ledger WHERE number={number}", $"entry {number} is missing");
        RequireFound(journal, Swap("ledger", "number", 6, 7), "entry 6 is not what");
        RequireFound(journal, Swap("ledger", "number", 15, 16), "entry 15 is not what");
        RequireFound(journal, "INSERT INTO ledger SELECT 17, position, kind, case_kind, case_id, at_s, body, hash, "
            + "digest FROM ledger WHERE number=16", "entry 17 is not what");
        Assert.Empty(Check(journal));
    }

    [Fact]
    public void A_ledger_whose_end_was_cut_off_names_the_first_entry_that_is_missing()
    {
        using var key = Key();
        using var journal = Sound(key);
        foreach (var last in (int[])[0, 5, 8, 12, 14, 15])
            RequireFound(journal, $"DELETE FROM ledger WHERE number>{last}", $"entry {last + 1} is missing");
        // Even when the note of the end is cut off with it, up to the last seal.
        var hash = Literal(journal.Entries(4, 1)[0].Hash);
        RequireFound(journal, $"DELETE FROM ledger WHERE number>5; UPDATE ledgerhead SET number=5, hash={hash}",
            "entry 8 is sealed, and the ledger ends at 5");
        RequireFound(journal, "UPDATE ledgerhead SET number=number+1", "entry 17 is missing");
        RequireFound(journal, "UPDATE ledgerhead SET number=number-1", "entry 16 is the last");
        RequireFound(journal, $"UPDATE ledgerhead SET hash={hash}", "entry 16 is the last");
        RequireFound(journal, "DELETE FROM ledgerhead", "entry 16 is the last");
        Assert.Empty(Check(journal));
    }

    [Fact]
    public void A_listed_case_that_is_not_as_recorded_is_named()
    {
        using var key = Key();
        using var journal = Sound(key);
        var cases = journal.Cases(new CaseQuery(null, null, null, null, true, 10));
        Assert.Equal(3, cases.Count);
        foreach (var c in cases)
        {
            var (row, named) = (SqlValues.Signed(c.Case.Id), $"case {c.Id}");
            foreach (var column in (string[])["id", "number", "subject_kind", "subject", "desk", "state", "handling",
                "queued", "changed_s"])
                RequireFound(journal, string.Create(CultureInfo.InvariantCulture,
                    $"UPDATE casefile SET {column}={column}+1 WHERE id={row}"), named);
            var body = c.ToBytes();
            for (var at = 0; at < body.Length; at += 29)
                RequireFound(journal, string.Create(CultureInfo.InvariantCulture,
                    $"UPDATE casefile SET body={Flipped(body, at)} WHERE id={row}"), named);
            RequireFound(journal, string.Create(CultureInfo.InvariantCulture,
                $"DELETE FROM casefile WHERE id={row}"), $"{named} is in the ledger and not listed");
            foreach (var other in cases.Where(o => o.Id != c.Id))
                RequireFound(journal, Swap("casefile", "id", row, SqlValues.Signed(other.Case.Id)),
                    $"{named} is listed otherwise");
        }
        RequireFound(journal, "DELETE FROM casefile", $"case {cases[0].Id} is in the ledger and not listed");
        Assert.Empty(Check(journal));
    }

    [Fact]
    public void A_seal_that_is_not_as_made_or_is_gone_is_named()
    {
        using var key = Key();
        using var journal = Sound(key);
        foreach (var seal in journal.Seals(0, 10))
        {
            var row = string.Create(CultureInfo.InvariantCulture, $"WHERE number={seal.Number}");
            RequireFound(journal, $"UPDATE seal SET at_s=at_s+1 {row}", $"the seal of entry {seal.Number} is not");
            RequireFound(journal, $"UPDATE seal SET number=number+1 {row}",
                $"the seal of entry {seal.Number + 1} is not");
            RequireFound(journal, $"UPDATE seal SET ordinal=ordinal+1 {row}", $"entry {seal.Number} is missing");
            for (var at = 0; at < seal.Key.Length; at += 9)
                RequireFound(journal, $"UPDATE seal SET key={Flipped(seal.Key, at)} {row}",
                    $"the seal of entry {seal.Number} is not");
            for (var at = 0; at < seal.Signature.Length; at += 7)
                RequireFound(journal, $"UPDATE seal SET signature={Flipped(seal.Signature, at)} {row}",
                    $"the seal of entry {seal.Number} is not");
        }
        RequireFound(journal, "DELETE FROM seal WHERE number=8", "a seal between entry 0 and entry 12 is missing");
        RequireFound(journal, "DELETE FROM seal WHERE number=12", "the seal after that of entry 8 is missing");
        RequireFound(journal, "DELETE FROM seal", "the seal after that of entry 0 is missing");
        RequireFound(journal, Swap("seal", "number", 8, 12), "the seal of entry 8 is not");
        RequireFound(journal, "UPDATE ledgerhead SET seals=3", "the seal after that of entry 12 is missing");
        Assert.Empty(Check(journal));
    }
}
